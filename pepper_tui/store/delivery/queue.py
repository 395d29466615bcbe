"""Durable pull: the deliveries of one subscription, best rank first, for a consumer that acknowledges them itself.

A delivery stays until the unit that acks it is committed; a peek before that returns it again, so a consumer passes the
seqs that it holds as ``exclude``. A deferred delivery is hidden until it is due. With an order key, only the first open
delivery of each key is returned.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Collection
from typing import Any, Protocol, TypeVar

from pepper_tui.clock import Clock, either
from pepper_tui.store.log.content import SELECT, update_of
from pepper_tui.store.unit import Delivery

T = TypeVar("T")

_FIRST_OF_KEY = (
    " AND (d.order_key IS NULL OR NOT EXISTS (SELECT 1 FROM deliveries e WHERE e.subscription = d.subscription"
    " AND e.order_key = d.order_key AND e.seq < d.seq AND e.state <> 'dead'))"
)


class Reader(Protocol):
    """How queues read from the store."""

    async def read(self, function: Callable[[sqlite3.Connection], T]) -> T: ...


class DeliveryQueue:
    """The open deliveries of subscription ``name``."""

    def __init__(self, reader: Reader, clock: Clock, ident: int, name: str) -> None:
        self.name = name
        self._reader = reader
        self._clock = clock
        self._id = ident
        self._wake = asyncio.Event()
        self._wake.set()
        self._looked = 0.0

    def wake(self) -> None:
        """Signal that something may be due (called by the store after a commit)."""
        self._wake.set()

    async def peek(self, limit: int, exclude: Collection[int] = frozenset()) -> list[Delivery]:
        """Return at most ``limit`` deliveries that are due now, by (rank, seq), except the seqs in ``exclude``."""
        self._wake.clear()
        now = self._looked = self._clock.now()
        held = ",".join(str(int(seq)) for seq in exclude)

        def read(connection: sqlite3.Connection) -> list[tuple[Any, ...]]:
            heads = connection.execute(
                "SELECT d.seq, d.rank, d.attempts FROM deliveries d INDEXED BY deliveries_next WHERE d.subscription = ?"
                " AND d.state <> 'dead' AND d.rank IS NOT NULL AND d.due <= ?"
                + (f" AND d.seq NOT IN ({held})" if held else "")
                + _FIRST_OF_KEY
                + " ORDER BY d.rank, d.seq LIMIT ?",
                (self._id, now, limit),
            ).fetchall()
            rows = [connection.execute(f"{SELECT} WHERE u.seq = ?", head[:1]).fetchone() for head in heads]
            return list(zip(heads, rows, strict=True))

        found = await self._reader.read(read)
        return [Delivery(self.name, seq, rank, attempts, update_of(row)) for (seq, rank, attempts), row in found]

    async def wait(self, until: float | None = None) -> None:
        """Return when something may be due that the last ``peek`` could not see, or at ``until``."""
        if self._wake.is_set():
            return
        due = min((each for each in (await self._next_due(), until) if each is not None), default=None)
        if due is None:
            await self._wake.wait()
            return
        if due <= self._clock.now():
            return
        await either(self._wake, self._clock.sleep_until(due))

    async def size(self) -> int:
        """Count the open deliveries, due or not."""

        def read(connection: sqlite3.Connection) -> int:
            found: int = connection.execute(
                "SELECT count(*) FROM deliveries WHERE subscription = ? AND state <> 'dead'", (self._id,)
            ).fetchone()[0]
            return found

        return await self._reader.read(read)

    async def _next_due(self) -> float | None:
        looked = self._looked

        def read(connection: sqlite3.Connection) -> float | None:
            found: float | None = connection.execute(
                "SELECT min(due) FROM deliveries WHERE subscription = ? AND state = 'retrying' AND due > ?",
                (self._id, looked),
            ).fetchone()[0]
            return found

        return await self._reader.read(read)
