"""A store in memory alone, for tests and for tools that live for a moment: nothing of it survives the process.

It meets ``Store`` as ``ContextStore`` does, and ``tests/conformance/store`` holds both to it. What is done to a file is
not here: rollback, compositions, retention, copies, search by meaning. Each look goes over all that it holds.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from pepper_tui.clock import Clock
from pepper_tui.model import Namespace
from pepper_tui.store.accepting import Accepting
from pepper_tui.store.delivery.health import PART, gave_up, tried_again
from pepper_tui.store.delivery.live import RING, LiveSubscription, LiveSubscriptions
from pepper_tui.store.delivery.queue import DeliveryQueue
from pepper_tui.store.delivery.subscription import OrderKey, Rank, Start
from pepper_tui.store.errors import StoreError
from pepper_tui.store.in_memory.deliveries import MemoryDeliveries
from pepper_tui.store.in_memory.log import MemoryLog
from pepper_tui.store.in_memory.reading import MemoryReading
from pepper_tui.store.log.counts import DeadLetter
from pepper_tui.store.unit import Operation


class MemoryStore(MemoryReading, Accepting):
    """One store, open from the start. A commit needs no other thread, but every call lets others run."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self._log = MemoryLog()
        self._live = LiveSubscriptions()
        self._deliveries = MemoryDeliveries(self._log, clock, self._look)
        self._closed = False

    @property
    def closed(self) -> bool:
        """Whether ``close`` was called."""
        return self._closed

    async def close(self) -> None:
        """End it; who waits for an update finds it closed."""
        self._closed = True
        self._live.close()
        self._deliveries.wake()

    async def _look(self) -> None:
        """Let others run, as every look into a file does."""
        await asyncio.sleep(0)
        self._must_be_open()

    def _must_be_open(self) -> None:
        if self._closed:
            raise StoreError("the store is closed")

    async def submit(self, operations: list[Operation]) -> list[Any]:
        """Commit the operations together, and tell who waits for them."""
        self._must_be_open()
        committed = self._log.commit(operations)
        self._live.offer(committed.rows)
        self._deliveries.wake(committed.woken)
        await asyncio.sleep(0)
        return committed.results

    # -------------------------------------------------------------------------------------------------- delivery

    @asynccontextmanager
    async def watch(self, namespaces: Sequence[str] = (), *, size: int = RING) -> AsyncIterator[LiveSubscription]:
        """See ``StoreDeliveries.watch``."""
        with self._live.watch(namespaces, size) as subscription:
            if self._closed:
                subscription.close()
            yield subscription

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
        """See ``StoreDeliveries.queue``."""
        await self._look()
        return self._deliveries.queue(
            name,
            start,
            namespaces=tuple(namespaces),
            tags=frozenset(tags),
            coded=rank is not None or order_key is not None,
            rank=rank,
            order_key=order_key,
        )

    async def forget(self, name: str) -> bool:
        """See ``StoreDeliveries.forget``."""
        await self._look()
        return self._deliveries.forget(name)

    async def waiting(self, prefix: str) -> dict[str, int]:
        """See ``StoreDeliveries.waiting``."""
        await self._look()
        return self._deliveries.waiting(prefix)

    async def undelivered(self, name: str, seq: int | None = None) -> int:
        """See ``StoreDeliveries.undelivered``."""
        await self._look()
        return self._deliveries.undelivered(name, seq)

    async def dead(self) -> list[DeadLetter]:
        """See ``StoreDeliveries.dead``."""
        await self._look()
        return self._deliveries.dead()

    async def tell_dead(self, detail: str) -> None:
        """See ``StoreDeliveries.tell_dead``."""
        await self.put(gave_up(detail, self.clock.now()), namespace=Namespace.HEALTH, context_id=PART, type="health")

    async def redrive(self, subscription: str | None = None) -> int:
        """See ``StoreDeliveries.redrive``."""
        await self._look()
        revived = self._deliveries.redrive(subscription)
        if revived:
            told = tried_again(revived, self.clock.now())
            await self.put(told, namespace=Namespace.HEALTH, context_id=PART, type="health")
        return revived

    async def try_out(self) -> None:
        """See ``Store.try_out``."""
        await self._look()
