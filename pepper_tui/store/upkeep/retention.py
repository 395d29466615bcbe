"""Cleans up beside the loop: contexts past their time are removed in small transactions, and the file stops growing.

A run begins some time after the start if the last one was a day ago, and later only if something was written: after a
day, or after ``ENOUGH`` updates. An unused store is not scanned. A kill during a run loses nothing but the run.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sqlite3
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Final

from pepper_tui.clock import Clock
from pepper_tui.model import Health, Namespace
from pepper_tui.store.context_store import ContextStore
from pepper_tui.store.errors import StoreError
from pepper_tui.store.log.database import transaction
from pepper_tui.store.log.plan import Book
from pepper_tui.store.log.writer import Committed
from pepper_tui.store.search import index as search_index
from pepper_tui.store.upkeep import picking, protection
from pepper_tui.store.upkeep.removal import Doomed, Removed, last_seq, portions, remove
from pepper_tui.store.upkeep.retention_rules import Rule, Rules, Wish

log = logging.getLogger(__name__)

DAY: Final = 86_400.0
ENOUGH: Final = 5_000  # updates after which a run is due before the day is over
PAUSE: Final = 30.0  # seconds from the start to a run that is due: the first minute belongs to the user
MERGED: Final = 2_000  # fewest updates between two merges of the search index
KEYS: Final = 500  # dedupe keys removed per transaction
REACH: Final = 30 * DAY
_REACHED: Final = "reached"  # in `meta`: the time that the last run assumed as now
_SWEPT: Final = "swept"  # in `meta`: when the last run ended
_VERSIONS: Final = "versions_seen"  # in `meta`: up to which seq versions were checked, and under which bounds
_MERGED: Final = "merged"  # in `meta`: the last seq when the search index was merged
_PART: Final = "retention"


class Retention:
    """Runs by itself between ``start`` and ``stop``; ``sweep`` runs it once, immediately."""

    def __init__(
        self,
        store: ContextStore,
        clock: Clock,
        wishes: Mapping[str, Wish] | None = None,
        more: Mapping[str, Rule] | None = None,
        kept: Mapping[str, str] | None = None,
    ) -> None:
        """Set up the rules. ``more`` and ``kept`` come from connectors, in addition to the built-in ones."""
        self._store, self._clock = store, clock
        self._rules = Rules(wishes, more, kept)
        self._due = asyncio.Event()
        self._written = 0
        self._last: float | None = None
        self._failed = False
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to watch what is written. Returns immediately."""
        self._store.file.on_commit(self._committed)
        self._task = asyncio.create_task(self._run(), name="retention")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    def _committed(self, committed: Committed) -> None:
        if committed.rows:
            self._count(len(committed.rows))

    def _count(self, updates: int) -> None:
        self._written += updates
        if self._written >= ENOUGH or (self._last is not None and abs(self._clock.now() - self._last) >= DAY):
            self._due.set()

    async def _run(self) -> None:
        await self._clock.sleep(PAUSE)
        while True:
            try:
                if self._last is None:
                    await self._resume()
                await self._due.wait()
                await self.sweep()
                await self._tell("")
            except Exception as error:
                if self._store.closed:
                    return
                log.warning("the store was not cleaned up", exc_info=error)
                self._last = self._clock.now()
                await self._tell(str(error))
            self._written = 0
            self._due.clear()

    async def _resume(self) -> None:
        known = await self._store.get(_PART, namespace=Namespace.HEALTH)
        self._failed = known is not None and known.data["state"] != "ok"
        self._last = float(await self._store.file.read(lambda connection: _meta(connection, _SWEPT), 1) or 0)
        self._count(0)

    async def _tell(self, trouble: str) -> None:
        """Report the outcome of a run as health, if it has changed."""
        if self._failed == bool(trouble):
            return
        self._failed = bool(trouble)
        now = self._clock.now()
        record = Health(_PART, "ok", "", "", now)
        if trouble:
            record = Health(_PART, "trouble", f"old contexts stay: {trouble}", "it is tried again tomorrow", now)
        try:
            await self._store.put(record, namespace=Namespace.HEALTH, context_id=_PART, type="health")
        except StoreError as error:
            log.warning("%s", error)

    async def sweep(self) -> Removed:
        """Remove what is past its time by now. Raises ``StoreError``; what was removed by then stays removed.

        It reaches at most ``REACH`` further than the last run, so that a clock that is years ahead for once empties
        nothing.
        """
        now, done = self._clock.now(), Removed()
        reached = await self._store.file.read(lambda connection: _meta(connection, _REACHED), 1)
        reach = min(now, float(reached) + REACH) if reached else now
        spaces = await self._store.file.read(_namespaces, 1)
        needed = await protection.gather(self._store, spaces, now)
        for namespace, ns in spaces.items():
            if self._rules.kept(namespace):
                continue
            rule = self._rules.of(namespace)
            want = picking.want_of(rule, reach)
            if rule.goes_with in spaces:
                want = replace(want, orphaned=spaces[rule.goes_with])
            after: int | None = 0
            while after is not None:
                look = partial(_contexts, namespace=namespace, ns=ns, want=want, needed=needed, after=after)
                window = await self._store.file.read(look, 1)
                await self._take(window.doomed, now, done)
                after = window.after
        await self._versions({ns: namespace for namespace, ns in spaces.items()}, reach, done)
        await self._forget_keys(now)
        await self._merge()
        await self._store.file.maintain(lambda connection, _: _remember(connection, _REACHED, str(reach)))
        await self._store.file.maintain(lambda connection, _: _remember(connection, _SWEPT, str(now)))
        self._last = now
        if done.rows or done.contexts:
            log.info("retention: %d contexts, %d rows, %d transactions", done.contexts, done.rows, done.transactions)
        return done

    async def _take(self, doomed: list[Doomed], now: float, done: Removed) -> None:
        for portion in portions(doomed):
            done.add(await self._store.file.maintain(partial(remove, portion=portion, now=now)))
            await asyncio.sleep(0)

    async def _versions(self, spaces: Mapping[int, str], now: float, done: Removed) -> None:
        kept = json.loads(await self._store.file.read(lambda connection: _meta(connection, _VERSIONS), 1) or "{}")
        sign = self._rules.sign
        seen = int(kept["seq"]) if kept.get("sign") == sign else 0
        after: int | None = seen
        while after is not None:
            seen = after
            look = partial(_old_versions, spaces=spaces, rules=self._rules, after=after, now=now)
            window = await self._store.file.read(look, 1)
            await self._take(window.doomed, now, done)
            after = window.after
        value = json.dumps({"seq": seen, "sign": sign})
        await self._store.file.maintain(lambda connection, _: _remember(connection, _VERSIONS, value))

    async def _merge(self) -> None:
        """Merge the search index once as much was written since the last time as it holds."""
        last, merged, count = await self._store.file.read(_churn, 1)
        if last - merged < max(MERGED, count):
            return
        more = first = True
        while more:
            more, first = await self._store.file.maintain(partial(_merge_step, first=first)), False
            await asyncio.sleep(0)
        await self._store.file.maintain(lambda connection, _: _remember(connection, _MERGED, str(last)))

    async def _forget_keys(self, now: float) -> None:
        expired = await self._store.file.read(
            lambda c: c.execute("SELECT ns, key, until FROM dedupe WHERE until <= ?", (now,)).fetchall(), 1
        )
        for start in range(0, len(expired), KEYS):
            keys = expired[start : start + KEYS]

            def forget(connection: sqlite3.Connection, _: Book, keys: list[tuple[int, str, float]] = keys) -> None:
                with transaction(connection):
                    connection.executemany("DELETE FROM dedupe WHERE ns = ? AND key = ? AND until = ?", keys)

            await self._store.file.maintain(forget)


def _contexts(
    connection: sqlite3.Connection,
    *,
    namespace: str,
    ns: int,
    want: picking.Want,
    needed: protection.Protection,
    after: int,
) -> picking.Window:
    return picking.contexts(connection, namespace, ns, want, needed, after)


def _old_versions(
    connection: sqlite3.Connection, *, spaces: Mapping[int, str], rules: Rules, after: int, now: float
) -> picking.Window:
    return picking.versions(connection, spaces, rules, after, now)


def _churn(connection: sqlite3.Connection) -> tuple[int, int, int]:
    """Return the last seq, that of the last merge, and the number of contexts."""
    count: int = connection.execute("SELECT count(*) FROM contexts").fetchone()[0]
    return last_seq(connection), int(_meta(connection, _MERGED) or 0), count


def _merge_step(connection: sqlite3.Connection, book: Book, first: bool) -> bool:
    del book
    return search_index.merge(connection, first)


def _namespaces(connection: sqlite3.Connection) -> dict[str, int]:
    return dict(connection.execute("SELECT name, id FROM namespaces ORDER BY id").fetchall())


def _meta(connection: sqlite3.Connection, key: str) -> str:
    row = connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
    return "" if row is None else str(row[0])


def _remember(connection: sqlite3.Connection, key: str, value: str) -> None:
    connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))
