"""The file of one open store: the connection that writes, those that read, and what is done over them."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from pepper_tui.clock import Clock
from pepper_tui.model import Context
from pepper_tui.store.errors import StoreError
from pepper_tui.store.log import health
from pepper_tui.store.log.condition import Condition
from pepper_tui.store.log.database import Database, DatabaseFactory, ThreadDatabase
from pepper_tui.store.log.plan import Book
from pepper_tui.store.log.writer import Committed, Writer
from pepper_tui.store.query_cache import QueryCache
from pepper_tui.store.search import index as search_index
from pepper_tui.store.upkeep import removal

log = logging.getLogger(__name__)
T = TypeVar("T")
Tell = Callable[[Context], None]


@dataclass(frozen=True, slots=True)
class Connections:
    """Connections to one file. ``to_read``: none of them writes; ``connect`` makes another; ``clean``: the last stop
    was a clean one."""

    main: Database
    readers: Sequence[Database]
    book: Book
    clean: bool
    connect: DatabaseFactory
    to_read: bool = False


class StoreFile:
    """Made by ``open`` or ``open_to_read``, ended by ``stop_writing`` and ``close``. ``tell`` is called with each
    change of how the store itself is."""

    def __init__(
        self, path: Path, clock: Clock, made: Connections, tell: Tell, group: int, cache_ttl: float = 0.0
    ) -> None:
        self.path, self.clock, self.clean_start = path, clock, made.clean
        self.main, self.readers = made.main, made.readers
        self.cache = QueryCache(clock, cache_ttl)
        self.condition = Condition(clock, self.try_out, tell)
        self.writer = Writer(path, made.main, made.book, self._committed, self.condition.failed, group)
        self._connect, self._to_read = made.connect, made.to_read
        self._namespaces = dict(made.book.namespaces)
        self._watchers: list[Callable[[Committed], None]] = []

    @classmethod
    async def open(
        cls, path: Path, clock: Clock, tell: Tell, *, database: DatabaseFactory, group: int, cache_ttl: float
    ) -> StoreFile:
        """See ``ContextStore.open``."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            main = await database(path)
        except (OSError, sqlite3.Error) as error:
            raise health.refused(path, error) from error
        opened: list[Database] = [main]
        async with _closed_if_refused(path, opened):
            now = clock.now()
            clean = await main.run(lambda connection: health.prepare(connection, path, now))
            book = Book()
            await main.run(lambda connection: _load(connection, book))
            await main.run(lambda connection: connection.execute("DELETE FROM dedupe WHERE until <= ?", (now,)))
            for _ in range(2):
                reader = await database(path)
                opened.append(reader)
                await reader.run(_make_reader)
        return cls(path, clock, Connections(main, opened[1:], book, clean, database), tell, group, cache_ttl)

    @classmethod
    async def open_to_read(cls, path: Path, clock: Clock, tell: Tell, *, group: int) -> StoreFile:
        """See ``ContextStore.open_to_read``."""
        connect = partial(ThreadDatabase.open, to_read=True)
        opened: list[Database] = []
        book = Book()
        async with _closed_if_refused(path, opened):
            for _ in range(3):
                database = await connect(path)
                opened.append(database)
            clean = await opened[0].run(lambda connection: health.look(connection, path))
            await opened[0].run(lambda connection: _load(connection, book))
            for reader in opened[1:]:
                await reader.run(_make_reader)
        made = Connections(opened[0], opened[1:], book, clean, connect, to_read=True)
        return cls(path, clock, made, tell, group)

    async def stop_writing(self) -> None:
        """Commit what was accepted, then take no more."""
        await self.condition.stop()
        await self.writer.close()

    async def close(self) -> None:
        """Note a clean stop, and close the connections."""
        for reader in self.readers:
            await reader.close()
        try:
            if not self._to_read:
                await self.writer.index()
                await self.main.run(health.mark_clean)
        except sqlite3.Error as error:  # what was accepted is in the log; the next start checks the file
            log.warning("no clean stop: %s", health.refused(self.path, error))
        finally:
            await self.main.close()

    # -------------------------------------------------------------------------------------------------- functions

    async def read(self, function: Callable[[sqlite3.Connection], T], reader: int = 0) -> T:
        """Run a function over a read-only connection, on that connection's thread. Raises ``StoreError``."""
        try:
            return await self.readers[reader].run(function)
        except sqlite3.Error as error:
            raise self._refused(error) from error

    async def read_apart(self, function: Callable[[sqlite3.Connection], T]) -> T:
        """``read``, on a connection of its own: for what takes long. Raises ``StoreError``."""
        apart = await self._connect(self.path)
        try:
            return await apart.run(function)
        except sqlite3.Error as error:
            raise self._refused(error) from error
        finally:
            await apart.close()

    async def project(self, function: Callable[[sqlite3.Connection], T]) -> T:
        """Run a function on the write connection, between commits, for a projection that can be rebuilt.

        It makes its own transaction. Raises ``StoreError``."""
        return await self.writer.run(lambda connection, _: function(connection))

    async def maintain(self, function: Callable[[sqlite3.Connection, Book], T]) -> T:
        """Run a function of the store's own upkeep on the write connection, between commits.

        It makes its own transaction. Raises ``StoreError``."""
        try:
            return await self.writer.run(function)
        finally:
            self.cache.clear()

    async def index(self) -> None:
        """Bring the search index on to the last commit, where this may be written."""
        if not self._to_read:
            await self.writer.index()

    def known(self, connection: sqlite3.Connection) -> Mapping[str, int]:
        """All namespaces that this connection can see, with their ids: what is committed may be seen before the loop
        hears of it."""
        [count] = connection.execute("SELECT coalesce(max(id), 0) FROM namespaces").fetchone()
        if count > len(self._namespaces):
            return dict(connection.execute("SELECT name, id FROM namespaces").fetchall())
        return self._namespaces

    # -------------------------------------------------------------------------------------------------- how it is

    async def try_out(self) -> None:
        """Write something, and read on each connection. Raises ``StoreError`` where either can't be done."""
        try:
            await self.main.run(health.try_out)
            for reader in self.readers:
                await reader.run(lambda connection: connection.execute("SELECT max(seq) FROM updates").fetchone())
        except sqlite3.Error as error:
            raise self._refused(error) from error

    def on_commit(self, watcher: Callable[[Committed], None]) -> None:
        """Call ``watcher`` with each committed group; it must be quick."""
        self._watchers.append(watcher)

    def _committed(self, committed: Committed) -> None:
        if committed.namespaces:
            self._namespaces = self._namespaces | committed.namespaces
        if committed.rows or committed.prolonged:
            self.cache.changed({row[1] for row in committed.rows} | committed.prolonged)
        for watcher in self._watchers:
            watcher(committed)

    def _refused(self, error: Exception) -> StoreError:
        refusal = health.refused(self.path, error)
        self.condition.failed(refusal)
        return refusal


@asynccontextmanager
async def _closed_if_refused(path: Path, opened: Sequence[Database]) -> AsyncIterator[None]:
    """Close what was ``opened`` where the store can't be; SQLite's refusal is raised as ``StoreError``."""
    try:
        yield
    except BaseException as error:
        for each in opened:
            await each.close()
        if isinstance(error, sqlite3.Error):
            raise health.refused(path, error) from error
        raise


def _load(connection: sqlite3.Connection, book: Book) -> None:
    book.namespaces.update(connection.execute("SELECT name, id FROM namespaces").fetchall())
    book.subscriptions.load(connection)
    book.last_seq = removal.last_seq(connection)
    book.indexed = search_index.load(connection)


def _make_reader(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA busy_timeout = 5000")
    connection.execute("PRAGMA query_only = 1")
    connection.execute("PRAGMA cache_size = -4000")
    connection.execute("PRAGMA temp_store = MEMORY")
