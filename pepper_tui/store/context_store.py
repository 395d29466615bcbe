"""The Context Store: contexts, their log, and what is delivered from it. See the package docstring for the rules."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TypeVar

from pepper_tui.clock import Clock
from pepper_tui.model import Context, ContextFilter, ContextUpdate, DeliveryState, Health, Json, Namespace, Record
from pepper_tui.store import compose as composing
from pepper_tui.store import filter as filters
from pepper_tui.store.compose import Composition, Merge
from pepper_tui.store.delivery.live import RING, LiveSubscription
from pepper_tui.store.delivery.queue import DeliveryQueue
from pepper_tui.store.delivery.subscription import OrderKey, Rank, Start
from pepper_tui.store.errors import StoreError
from pepper_tui.store.log import counts, health, lookup, rollback
from pepper_tui.store.log.condition import Condition
from pepper_tui.store.log.content import Write, encode, safe
from pepper_tui.store.log.counts import DeadLetter, StoreStats
from pepper_tui.store.log.database import Database, DatabaseFactory, ThreadDatabase
from pepper_tui.store.log.plan import Book
from pepper_tui.store.log.writer import GROUP, Committed, Writer
from pepper_tui.store.namespaces import resolve
from pepper_tui.store.query_cache import QueryCache, key_of
from pepper_tui.store.search import full_text
from pepper_tui.store.search import index as search_index
from pepper_tui.store.search.full_text import ByMeaning, SearchHit
from pepper_tui.store.unit import Delete, UnitOfWork, current_unit, enter, leave
from pepper_tui.store.upkeep import removal

log = logging.getLogger(__name__)
_HEALTH_PART = "deliveries"

T = TypeVar("T")
EVERYTHING = ContextFilter()


class ContextStore:
    """One open store. Made by ``open``, ended by ``close``; lives on one event loop."""

    def __init__(
        self,
        path: Path,
        clock: Clock,
        database: Database,
        readers: list[Database],
        clean: bool,
        connect: DatabaseFactory,
        cache_ttl: float,
        to_read: bool,
    ) -> None:
        self.path = path
        self.clock = clock
        self.clean_start = clean
        self._database = database
        self._readers = readers
        self._condition = Condition(clock, self.try_out, self._tell_own)
        self._connect = connect
        self._to_read = to_read
        self._namespaces: dict[str, int] = {}
        self._queues: dict[str, DeliveryQueue] = {}
        self._live: dict[LiveSubscription, None] = {}  # in order: who is told first is not left to chance
        self._writer: Writer
        self.cache = QueryCache(clock, cache_ttl)
        self._watchers: list[Callable[[int], None]] = []
        self._closing: asyncio.Task[None] | None = None
        self.meaning: ByMeaning | None = None  # a second way to search, where there is one

    @classmethod
    async def open(
        cls,
        path: Path,
        clock: Clock,
        *,
        database: DatabaseFactory = ThreadDatabase.open,
        group: int = GROUP,
        cache_ttl: float = 0.0,
    ) -> ContextStore:
        """The store in the file ``path``, made where there is none.

        ``database`` makes the connections; ``group`` is the most operations that one commit takes (1: a commit a
        store); ``cache_ttl``: seconds for which answers may be kept that are asked for again (0: none). After an
        unclean stop the file is checked first. Raises ``StoreError``, with the way out, where the file is damaged,
        newer than this Pepper, or not to be opened.
        """
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
        return cls._made(cls(path, clock, main, opened[1:], clean, database, cache_ttl, False), book, group)

    @classmethod
    async def open_to_read(cls, path: Path, clock: Clock) -> ContextStore:
        """The store in the file ``path`` as it stands, beside whoever writes it, also where it may not be written.

        Whatever would write raises ``StoreUnavailableError``. Raises ``StoreError`` where there is none or it can't be
        read, ``OutdatedStoreError`` where it must be brought up to date first.
        """
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
        return cls._made(cls(path, clock, opened[0], opened[1:], clean, connect, 0.0, True), book, GROUP)

    @staticmethod
    def _made(store: ContextStore, book: Book, group: int) -> ContextStore:
        store._namespaces = dict(book.namespaces)
        store._writer = Writer(store.path, store._database, book, store._after, store._condition.failed, group)
        return store

    @property
    def closed(self) -> bool:
        """Whether ``close`` was called."""
        return self._closing is not None

    async def close(self) -> None:
        """Commit what was accepted, and stop. Further calls return when that is done."""
        if self._closing is None:
            self._closing = asyncio.create_task(self._close(), name="store-close")
        await asyncio.shield(self._closing)

    async def _close(self) -> None:
        await self._condition.stop()
        await self._writer.close()
        for subscription in [*self._live]:
            subscription.close()
        for queue in self._queues.values():
            queue.wake()  # whoever waits finds the store closed
        for reader in self._readers:
            await reader.close()
        try:
            if not self._to_read:
                await self._writer.index()
                await self._database.run(health.mark_clean)
        except sqlite3.Error as error:  # what was accepted is in the log; the next start checks the file
            log.warning("no clean stop: %s", health.refused(self.path, error))
        finally:
            await self._database.close()

    # -------------------------------------------------------------------------------------------------- writing

    async def store(
        self,
        data: Json,
        *,
        namespace: str,
        context_id: object = None,
        type: str = "",  # noqa: A002 - the vocabulary's word
        text: str = "",
        tags: Iterable[str] = (),
        metadata: Json | None = None,
        ttl: float | None = None,
        dedupe_key: str | None = None,
        dedupe_window: float = 7 * 86400,
        expect_version: int | None = None,
    ) -> Context:
        """Store one context and return it as it was committed.

        ``context_id`` defaults to ``data["id"]`` where that is text, else to a new id. The same content as the
        current version makes no new update (only its expiry follows the last ``ttl``, in seconds; None = never).
        The same ``dedupe_key`` in the namespace within ``dedupe_window`` seconds makes none either, and returns what
        was stored first. ``expect_version``: the version that must be current, 0 for none; else
        ``VersionConflictError`` and nothing of the unit is written.

        Inside a unit of work it returns at once, with version and seq 0, and is committed with the unit. Raises
        ``StoreError`` where the store is closed or the disk refuses, ``TypeError`` for data that is not JSON.
        """
        if not namespace:
            raise StoreError("a context needs a namespace")
        if context_id is None:
            own = data.get("id")
            context_id = own if isinstance(own, str) and own else self.clock.new_id("ctx")
        now = self.clock.now()
        write = Write(
            namespace=safe(namespace),
            context_id=safe(str(context_id)),
            data=encode(data),
            type=safe(type),
            text=safe(text),
            tags=tuple(sorted({safe(tag) for tag in tags})),
            metadata=encode(metadata or {}),
            at=now,
            expires_at=None if ttl is None else now + ttl,
            dedupe_key=None if dedupe_key is None else safe(dedupe_key),
            dedupe_until=now + dedupe_window,
            expect_version=expect_version,
        )
        unit = self._unit()
        if unit is not None:
            unit.operations.append(write)
            return write.provisional()
        results = await self._writer.submit([write])
        stored: Context = results[0]
        return stored

    async def put(
        self,
        record: Record,
        *,
        namespace: str,
        context_id: object = None,
        type: str = "",  # noqa: A002
        text: str = "",
        tags: Iterable[str] = (),
        metadata: Json | None = None,
        ttl: float | None = None,
        dedupe_key: str | None = None,
        dedupe_window: float = 7 * 86400,
        expect_version: int | None = None,
    ) -> Context:
        """``store`` of a record: its data, under its ``id`` where it has one."""
        return await self.store(
            record.data(),
            namespace=namespace,
            context_id=context_id,
            type=type,
            text=text,
            tags=tags,
            metadata=metadata,
            ttl=ttl,
            dedupe_key=dedupe_key,
            dedupe_window=dedupe_window,
            expect_version=expect_version,
        )

    async def delete(self, context_id: str, *, namespace: str, expect_version: int | None = None) -> bool:
        """Delete the current version: an update with ``deleted``. Returns whether there was one to see.

        ``expect_version``: the version that must be current, as ``store`` takes it. Inside a unit the answer goes by
        what is committed and by what the unit itself stores.
        """
        operation = Delete(safe(namespace), safe(str(context_id)), self.clock.now(), expect_version)
        unit = self._unit()
        if unit is None:
            results = await self._writer.submit([operation])
            return bool(results[0])
        there = await self.get(context_id, namespace=namespace) is not None
        for earlier in unit.operations:
            if not isinstance(earlier, Write | Delete):
                continue
            if (earlier.namespace, earlier.context_id) == (operation.namespace, operation.context_id):
                there = isinstance(earlier, Write)
        unit.operations.append(operation)
        return there

    @asynccontextmanager
    async def unit(self) -> AsyncIterator[UnitOfWork]:
        """Writes of this task inside are handed over whole at the exit, which returns after their commit.

        An exception inside writes nothing. Nested, it joins the outer unit (an exception takes back only what the
        inner one added).
        """
        outer = self._unit()
        if outer is not None:
            before = list(outer.operations)
            try:
                yield outer
            except BaseException:
                outer.operations[:] = before
                raise
            return
        unit = UnitOfWork(self, asyncio.current_task())
        token = enter(unit)
        try:
            yield unit
        finally:
            unit.closed = True
            leave(token)
        if unit.operations:
            await self._writer.submit(unit.operations)

    def _unit(self) -> UnitOfWork | None:
        unit = current_unit()
        return unit if unit is not None and unit.store is self else None

    def _after(self, committed: Committed) -> None:
        if committed.namespaces:
            self._namespaces = self._namespaces | committed.namespaces
        if committed.rows or committed.prolonged:
            self.cache.changed({row[1] for row in committed.rows} | committed.prolonged)
        if committed.rows:
            for subscription in [*self._live]:
                subscription.offer(committed.rows)
            for watcher in self._watchers:
                watcher(len(committed.rows))
        for name in sorted(committed.woken):  # who is woken first is not left to chance
            queue = self._queues.get(name)
            if queue is not None:
                queue.wake()

    def on_commit(self, watcher: Callable[[int], None]) -> None:
        """Call ``watcher`` after each commit with the number of new updates; it must be quick."""
        self._watchers.append(watcher)

    async def maintain(self, function: Callable[[sqlite3.Connection, Book], T]) -> T:
        """A function of the store's own keeping on the write connection, between commits; it makes its own transaction.
        Raises ``StoreError``."""
        try:
            return await self._writer.run(function)
        finally:
            self.cache.clear()

    async def rollback(self, context_id: str, version: int, *, namespace: str) -> Context:
        """Make the content of an earlier version the newest one, as a new update, and return that. It does not expire.

        Raises ``RollbackRefusedError`` for what can't go back (see ``rollback``), ``StoreError`` where that version
        is not kept. Not part of a unit of work.
        """
        name, now = safe(namespace), self.clock.now()
        results = await self._writer.decide(
            lambda connection, book: [rollback.plan(connection, book, name, safe(str(context_id)), version, now)]
        )
        stored: Context = results[0]
        return stored

    async def compose(
        self,
        sources: Sequence[tuple[str, str]],
        *,
        namespace: str,
        context_id: object = None,
        strategy: Merge | str = Merge.LAST,
        type: str = "",  # noqa: A002
        ttl: float | None = None,
    ) -> Composition:
        """Store one context made of several: ``sources`` are (namespace, id), their current versions as of one moment.

        ``strategy`` says which value holds where they differ; the composition states where, and the context's metadata
        names sources, versions and conflicts. Without ``ttl`` it expires with the first of its sources. The same made
        again of the same versions is no new update. Joins a unit of work. Raises ``StoreError`` for a source that is
        not there, ``ConflictError`` for ``strict``, ``ValueError`` for an unknown strategy.
        """
        chosen = Merge(strategy)
        found = await self._sources(sources)
        merged = composing.merge(found, chosen)
        expires_at = composing.expiry_of(found) if ttl is None else None
        stored = await self.store(
            merged.data,
            namespace=namespace,
            context_id=context_id,
            type=type,
            text=composing.text_of(found),
            tags=composing.tags_of(found),
            metadata=composing.metadata_of(found, chosen, merged.conflicts),
            ttl=ttl if expires_at is None else expires_at - self.clock.now(),
        )
        return Composition(stored, merged.conflicts)

    async def _sources(self, names: Sequence[tuple[str, str]]) -> list[Context]:
        if not names:
            raise StoreError("there is nothing to compose: name at least one source")
        now = self.clock.now()

        def find(connection: sqlite3.Connection) -> list[Context | None]:
            connection.execute("BEGIN")
            try:
                known = self._known(connection)
                return [lookup.current(connection, known.get(safe(space)), safe(ident), now) for space, ident in names]
            finally:
                connection.execute("COMMIT")

        found = await self.read(find)
        missing = [f"{space}:{ident}" for (space, ident), context in zip(names, found, strict=True) if context is None]
        if missing:
            raise StoreError(f"nothing to compose under {', '.join(missing)}")
        return [context for context in found if context is not None]

    # -------------------------------------------------------------------------------------------------- reading

    async def read(self, function: Callable[[sqlite3.Connection], T], reader: int = 0) -> T:
        """A function over a read-only connection, on that connection's thread. Raises ``StoreError``."""
        try:
            return await self._readers[reader].run(function)
        except sqlite3.Error as error:
            raise self._refused(error) from error

    async def project(self, function: Callable[[sqlite3.Connection], T]) -> T:
        """A function on the write connection, between commits, for a projection that can be made anew; it makes its own
        transaction. Raises ``StoreError``."""
        return await self._writer.run(lambda connection, _: function(connection))

    def known(self, connection: sqlite3.Connection) -> Mapping[str, int]:
        """All namespaces that this connection can see, with their ids."""
        return self._known(connection)

    def _known(self, connection: sqlite3.Connection) -> Mapping[str, int]:
        """All namespaces that this connection can see: what is committed may be seen before the loop hears of it."""
        [count] = connection.execute("SELECT coalesce(max(id), 0) FROM namespaces").fetchone()
        if count > len(self._namespaces):
            return dict(connection.execute("SELECT name, id FROM namespaces").fetchall())
        return self._namespaces

    async def get(
        self, context_id: str, *, namespace: str, version: int | None = None, include_expired: bool = False
    ) -> Context | None:
        """The current version, or None where there is none, it was deleted or has expired (unless
        ``include_expired``); with ``version`` that one, expired or not."""
        now, name = self.clock.now(), safe(namespace)

        def find(connection: sqlite3.Connection) -> Context | None:
            ns = self._known(connection).get(name)
            if ns is None:
                return None
            key = (ns, safe(str(context_id)))
            if version is None:
                return lookup.current(connection, *key, None if include_expired else now)
            return lookup.at_version(connection, *key, version)

        return await self.read(find)

    async def query(self, filter: ContextFilter = EVERYTHING) -> list[Context]:  # noqa: A002
        """The contexts that the filter picks, in log order (newest first unless it says otherwise).

        Raises ``TypeError`` or ``ValueError`` for a filter that is not understood.
        """
        now = self.clock.now()
        filter = filters.as_of(filter, now)  # noqa: A001
        return await self.cache.answer(
            ("query", key_of(filter)),
            filter.namespaces,
            lambda: self.read(lambda c: filters.select(c, filter, resolve(filter.namespaces, self._known(c)), now)),
            contexts=lambda found: found,
        )

    retrieve = query

    async def versions(self, context_id: str, *, namespace: str, limit: int = 100) -> list[ContextUpdate]:
        """The versions of a context that are kept, newest first; deletions are updates with ``deleted``."""
        name, ident = safe(namespace), safe(str(context_id))

        def find(connection: sqlite3.Connection) -> list[ContextUpdate]:
            ns = self._known(connection).get(name)
            return [] if ns is None else lookup.versions(connection, ns, ident, limit)

        return await self.read(find)

    async def named(self, ref: str) -> list[tuple[str, str]]:
        """(namespace, id) of the contexts, deleted ones among them, that ``ref`` names: ``namespace:id`` or an id."""
        return await self.read(lambda connection: lookup.named(connection, self._known(connection), safe(ref)))

    async def count(self, filter: ContextFilter = EVERYTHING) -> int:  # noqa: A002
        """How many contexts the filter picks; its limit does not count."""
        now = self.clock.now()
        filter = filters.as_of(filter, now)  # noqa: A001
        return await self.read(lambda c: filters.count(c, filter, resolve(filter.namespaces, self._known(c)), now), 1)

    async def count_at(self, *wanted: ContextFilter) -> tuple[int, int]:
        """How many contexts the filters pick together, and the last place in the log when that was so."""
        now = self.clock.now()
        wanted = tuple(filters.as_of(each, now) for each in wanted)

        def counted(connection: sqlite3.Connection) -> tuple[int, int]:
            connection.execute("BEGIN")  # both answers are of one moment
            try:
                found = [
                    filters.count(connection, each, resolve(each.namespaces, self._known(connection)), now)
                    for each in wanted
                ]
                return sum(found), removal.last_seq(connection)
            finally:
                connection.execute("COMMIT")

        return await self.read(counted, 1)

    async def search(
        self,
        text: str,
        filter: ContextFilter | None = None,  # noqa: A002
        limit: int = 10,
        *,
        by_meaning: bool = True,
    ) -> list[SearchHit]:
        """Ranked search by words, and by meaning where there is that and it is wanted, best first. No text is a syntax
        error."""
        wanted = filters.as_of(filter or EVERYTHING, self.clock.now())
        if (
            self.meaning is not None and by_meaning
        ):  # it keeps the vectors of queries itself, and finds more as its own work goes on
            return await self._search(text, wanted, limit)
        return await self.cache.answer(
            ("search", text, limit, key_of(wanted)),
            (),  # any commit: the ranking weighs all texts
            lambda: self._search(text, wanted, limit, by_meaning=False),
            contexts=lambda hits: (hit.context for hit in hits),
        )

    async def _search(
        self, text: str, wanted: ContextFilter, limit: int, *, by_meaning: bool = True
    ) -> list[SearchHit]:
        now = self.clock.now()
        if not self._to_read:
            await self._writer.index()

        def find(connection: sqlite3.Connection) -> list[SearchHit]:
            spaces = resolve(wanted.namespaces, self._known(connection)) if wanted.namespaces else None
            return full_text.search(connection, text, wanted=wanted, spaces=spaces, now=now, limit=limit)

        hits = await self.read(find, 1)
        meaning = self.meaning if by_meaning else None
        near = await meaning.search(text, wanted, limit) if meaning is not None else []
        return await self.read(lambda c: full_text.joined(c, text, hits, near, limit), 1) if near else hits

    # -------------------------------------------------------------------------------------------------- delivery

    @asynccontextmanager
    async def watch(self, namespaces: Sequence[str] = (), *, size: int = RING) -> AsyncIterator[LiveSubscription]:
        """What is committed from now on in the namespaces (globs; none = all), in memory only."""
        subscription = LiveSubscription(namespaces, size)
        if self._closing is not None:
            subscription.close()
        self._live[subscription] = None
        try:
            yield subscription
        finally:
            self._live.pop(subscription, None)
            subscription.close()

    async def queue(
        self,
        name: str,
        namespaces: Sequence[str],
        *,
        tags: Iterable[str] = (),
        rank: Rank | None = None,
        order_key: OrderKey | None = None,
        start: Start = "now",
    ) -> DeliveryQueue:
        """Make or take up the durable subscription ``name``. ``rank`` gives an update's rank (smaller comes first),
        or None where it is not to be delivered; it must be quick and without side effects."""
        now = self.clock.now()
        spaces, wanted = tuple(namespaces), frozenset(tags)

        def register(connection: sqlite3.Connection, book: Book) -> int:
            made = book.subscriptions.register(
                connection,
                name,
                namespaces=spaces,
                tags=wanted,
                rank=rank,
                order_key=order_key,
                start=start,
                now=now,
                known=book.namespaces,
            )
            return made.id

        queue = DeliveryQueue(self, self.clock, await self._writer.run(register), name)
        self._queues[name] = queue
        return queue

    async def forget(self, name: str) -> bool:
        """Remove a durable subscription and its deliveries. Returns whether there was one."""
        self._queues.pop(name, None)
        return await self._writer.run(lambda connection, book: book.subscriptions.forget(connection, name))

    async def waiting(self, prefix: str) -> dict[str, int]:
        """The durable subscriptions whose names begin with ``prefix``, each with how many deliveries are not done."""
        return await self.read(lambda connection: counts.waiting(connection, prefix), 1)

    async def undelivered(self, name: str, seq: int | None = None) -> int:
        """How many updates (or whether that of ``seq``) the durable subscription ``name`` still has to deal with; what
        it has given up is not counted."""
        return await self.read(lambda connection: counts.undelivered(connection, name, seq), 1)

    async def dead(self) -> list[DeadLetter]:
        """All dead letters, oldest first."""
        return await self.read(counts.dead, 1)

    async def tell_dead(self, detail: str) -> None:
        """Say that there are dead letters, where the user sees what works and what does not."""
        remedy = "pepper store dead shows them, and --redrive tries them again"
        await self._tell_health(Health(_HEALTH_PART, "trouble", detail, remedy, self.clock.now()))

    async def _tell_health(self, health: Health) -> None:
        await self.store(health.data(), namespace=Namespace.HEALTH, context_id=health.part, type="health")

    async def redrive(self, subscription: str | None = None) -> int:
        """Give the dead letters (of one subscription) a new life with no attempts counted. Returns how many."""

        def revive(connection: sqlite3.Connection, book: Book) -> int:
            one = book.subscriptions.by_name.get(subscription) if subscription is not None else None
            if subscription is not None and one is None:
                return 0
            return connection.execute(
                "UPDATE deliveries SET state = ?, attempts = 0, due = 0 WHERE state = 'dead'"
                + (f" AND subscription = {one.id}" if one else ""),
                (DeliveryState.PENDING.value,),
            ).rowcount

        revived = await self._writer.run(revive)
        for queue in self._queues.values():
            queue.wake()
        if revived:
            await self._tell_health(Health(_HEALTH_PART, "ok", f"{revived} tried again", "", self.clock.now()))
        return revived

    async def stats(self) -> StoreStats:
        """Sizes and backlogs, counted on a connection of its own."""
        apart = await self._connect(self.path)
        try:
            return await apart.run(lambda c: counts.stats(c, self.path, self._queues, self.clean_start))
        except sqlite3.Error as error:
            raise self._refused(error) from error
        finally:
            await apart.close()

    # ---------------------------------------------------------------------------------------------- how it is

    async def health(self) -> list[Context]:
        """How each part says that it is, the newest first, and how the store itself is: also where nothing can be
        read."""
        stored: list[Context] = []
        with contextlib.suppress(StoreError):
            stored = await self.query(ContextFilter(namespaces=[Namespace.HEALTH], limit=500))
        return [*stored, self._condition.context()]

    async def try_out(self) -> None:
        """Write something, and read on each connection. Raises ``StoreError`` where either can't be done."""
        try:
            await self._database.run(health.try_out)
            for reader in self._readers:
                await reader.run(lambda connection: connection.execute("SELECT max(seq) FROM updates").fetchone())
        except sqlite3.Error as error:
            raise self._refused(error) from error

    def _refused(self, error: Exception) -> StoreError:
        refusal = health.refused(self.path, error)
        self._condition.failed(refusal)
        return refusal

    def _tell_own(self, own: Context) -> None:
        for subscription in [*self._live]:
            subscription.tell(ContextUpdate(0, own))


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
