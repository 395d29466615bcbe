"""The database executor: where functions over a SQLite connection run.

A ``Database`` owns one connection and runs one function at a time on it, start to end, so that a transaction is never
open across an await. ``ThreadDatabase`` is aiosqlite (one thread per connection); ``InlineDatabase`` runs in the
caller, for the seeded simulation.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sqlite3
import threading
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

import aiosqlite

from pepper_tui.store.errors import StoreError

T = TypeVar("T")
CLOSE_SECONDS = 10.0


@contextlib.contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Commit everything done inside at the end, or nothing."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


@contextlib.contextmanager
def unsynced(connection: sqlite3.Connection) -> Iterator[None]:
    """Run a transaction that needs no sync of its own: what a power cut loses of it is done again."""
    connection.execute("PRAGMA synchronous = NORMAL")
    try:
        with transaction(connection):
            yield
    finally:
        connection.execute("PRAGMA synchronous = FULL")


class Database(Protocol):
    """One connection and the place where it is used."""

    async def run(self, function: Callable[[sqlite3.Connection], T]) -> T:
        """Run ``function`` on the connection and return its result.

        Once begun it runs to its end, even if the caller is cancelled. Raises ``StoreError`` when closed.
        """
        ...

    async def close(self) -> None: ...


DatabaseFactory = Callable[[Path], Awaitable[Database]]


def address_to_read(path: Path) -> str:
    """Return the URI for reading the file, without writing side files if that is impossible. Blocking.

    Raises ``sqlite3.Error`` if it can't be read at all.
    """
    address = f"{path.absolute().as_uri()}?mode=ro"
    try:
        with contextlib.closing(sqlite3.connect(address, uri=True)) as connection:
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.OperationalError as error:
        if not error.sqlite_errorname.startswith(_NO_SIDE_FILES) or _has_log(path):
            raise
        return f"{address}&immutable=1"  # nobody can write here, and the single file holds everything
    return address


_NO_SIDE_FILES: Final = ("SQLITE_CANTOPEN", "SQLITE_READONLY", "SQLITE_IOERR")


def _has_log(path: Path) -> bool:
    """Check whether some data is in the write-ahead log only."""
    try:
        return path.with_name(path.name + "-wal").stat().st_size > 0
    except FileNotFoundError:
        return not path.exists()


class _Job:
    __slots__ = ("function", "result")

    def __init__(self, function: Callable[[sqlite3.Connection], Any]) -> None:
        self.function = function
        self.result: Any = None


class _JobConnection(sqlite3.Connection):
    """A connection whose ``commit`` runs the next job.

    So aiosqlite's ``commit()`` runs one whole function on the connection's thread with a single hop, instead of one hop
    per statement. Both seams are public: sqlite3's ``factory``, which aiosqlite passes on, and ``commit()``.
    """

    jobs: deque[_Job]

    def commit(self) -> None:
        if self.jobs:
            job = self.jobs.popleft()
            job.result = job.function(self)
        else:
            super().commit()


def make_private(path: Path) -> None:
    """Create the file, readable by its owner only, if missing: SQLite gives its side files the same mode."""
    with contextlib.suppress(OSError):  # SQLite explains better what it can't open
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def _by_a_daemon(make: Callable[[], T]) -> T:
    """Return the result of ``make``, called on a daemon thread so that threads it starts are daemons too.

    aiosqlite's own thread is not one: a store left open would hang the exit of the process (its #290).
    """
    made: list[T] = []
    maker = threading.Thread(target=lambda: made.append(make()), daemon=True)
    maker.start()
    maker.join()
    return made[0]


def reading(path: Path) -> sqlite3.Connection:
    """Open a connection that only reads, with or without a running engine."""
    return sqlite3.connect(address_to_read(path), uri=True, isolation_level=None)


def side_files(path: Path) -> list[Path]:
    """List the files that SQLite may keep beside the database ``path``."""
    return [path.with_name(f"{path.name}{suffix}") for suffix in ("-wal", "-shm", "-journal")]


class ThreadDatabase:
    """A connection on its own thread, through aiosqlite."""

    def __init__(self, connection: aiosqlite.Connection, jobs: deque[_Job]) -> None:
        self._connection = connection
        self._jobs = jobs
        self._closed = False

    @classmethod
    async def open(cls, path: Path, *, to_read: bool = False) -> ThreadDatabase:
        jobs: deque[_Job] = deque()

        def connect(*args: Any, **kwargs: Any) -> _JobConnection:
            connection = _JobConnection(*args, **kwargs)
            connection.jobs = jobs
            return connection

        address: Path | str = path
        if to_read:
            address = await asyncio.to_thread(address_to_read, path)
        else:
            make_private(path)
        pending = _by_a_daemon(
            lambda: aiosqlite.connect(
                address, isolation_level=None, cached_statements=256, factory=connect, uri=to_read
            )
        )
        return cls(await pending, jobs)

    async def run(self, function: Callable[[sqlite3.Connection], T]) -> T:
        if self._closed:
            raise StoreError("the store is closed")
        job = _Job(function)
        self._jobs.append(job)
        await self._connection.commit()
        result: T = job.result
        return result

    async def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._connection.close(), CLOSE_SECONDS)


class InlineDatabase:
    """A connection used in the caller's own thread; every run blocks the loop while it lasts."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._closed = False

    @classmethod
    async def open(cls, path: Path) -> InlineDatabase:
        return cls(sqlite3.connect(path, isolation_level=None, cached_statements=256))

    async def run(self, function: Callable[[sqlite3.Connection], T]) -> T:
        if self._closed:
            raise StoreError("the store is closed")
        return function(self._connection)

    async def close(self) -> None:
        self._closed = True
        self._connection.close()
