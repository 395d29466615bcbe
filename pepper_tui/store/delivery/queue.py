"""Durable pull: the deliveries of one subscription, best rank first, for a consumer that acknowledges them itself.

A delivery stays until the unit that acks it is committed; a peek before that returns it again, so a consumer passes the
seqs that it holds as ``exclude``. A deferred delivery is hidden until it is due. With an order key, only the first open
delivery of each key is returned.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import Protocol

from pepper_tui.clock import Clock, either
from pepper_tui.store.unit import Delivery


class OpenDeliveries(Protocol):
    """Where the open deliveries of one subscription are kept."""

    async def due(self, now: float, limit: int, exclude: Collection[int]) -> list[Delivery]:
        """At most ``limit`` of those due at ``now``, by (rank, seq), but for the seqs in ``exclude``."""
        ...

    async def next_due(self, after: float) -> float | None:
        """When the first of those that were deferred beyond ``after`` is due."""
        ...

    async def count(self) -> int:
        """How many there are, due or not."""
        ...


class DeliveryQueue:
    """The open deliveries of subscription ``name``."""

    def __init__(self, deliveries: OpenDeliveries, clock: Clock, name: str) -> None:
        self.name = name
        self._deliveries = deliveries
        self._clock = clock
        self._wake = asyncio.Event()
        self._wake.set()
        self._looked = 0.0

    def wake(self) -> None:
        """Signal that something may be due (called by the store after a commit)."""
        self._wake.set()

    async def peek(self, limit: int, exclude: Collection[int] = frozenset()) -> list[Delivery]:
        """Return at most ``limit`` deliveries that are due now, by (rank, seq), except the seqs in ``exclude``."""
        self._wake.clear()
        self._looked = self._clock.now()
        return await self._deliveries.due(self._looked, limit, exclude)

    async def wait(self, until: float | None = None) -> None:
        """Return when something may be due that the last ``peek`` could not see, or at ``until``."""
        if self._wake.is_set():
            return
        next_due = await self._deliveries.next_due(self._looked)
        due = min((each for each in (next_due, until) if each is not None), default=None)
        if due is None:
            await self._wake.wait()
            return
        if due <= self._clock.now():
            return
        await either(self._wake, self._clock.sleep_until(due))

    async def size(self) -> int:
        """Count the open deliveries, due or not."""
        return await self._deliveries.count()
