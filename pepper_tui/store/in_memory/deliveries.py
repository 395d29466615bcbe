"""The durable subscriptions of the in-memory log, which last as long as the store does."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable
from typing import Any

from pepper_tui.clock import Clock
from pepper_tui.model import DeliveryState
from pepper_tui.store.delivery.queue import DeliveryQueue
from pepper_tui.store.delivery.subscription import Start, Subscription
from pepper_tui.store.in_memory.log import Held, MemoryLog, place_of
from pepper_tui.store.log.content import update_of
from pepper_tui.store.log.counts import DeadLetter
from pepper_tui.store.unit import Delivery

Look = Callable[[], Awaitable[None]]
"""Lets others run, and raises ``StoreError`` if the store is closed."""


class OpenInMemory:
    """The open deliveries of subscription ``name``."""

    def __init__(self, log: MemoryLog, name: str, look: Look) -> None:
        self._log, self._name, self._look = log, name, look

    async def due(self, now: float, limit: int, exclude: Collection[int]) -> list[Delivery]:
        found = []
        keys: set[str] = set()
        for seq, held in await self._open():
            first_of_key = held.order_key is None or held.order_key not in keys
            if held.order_key is not None:
                keys.add(held.order_key)
            if first_of_key and held.due <= now and seq not in exclude:
                found.append((held.rank, seq, held.attempts))
        return [
            Delivery(self._name, seq, rank, attempts, update_of(self._log.rows[seq]))
            for rank, seq, attempts in sorted(found)[:limit]
        ]

    async def next_due(self, after: float) -> float | None:
        retrying = [held.due for _, held in await self._open() if held.state is DeliveryState.RETRYING]
        return min((due for due in retrying if due > after), default=None)

    async def count(self) -> int:
        return len(await self._open())

    async def _open(self) -> list[tuple[int, Held]]:
        await self._look()
        return [(seq, held) for _, seq, held in self._log.held(self._name) if held.state is not DeliveryState.DEAD]


class MemoryDeliveries:
    """Creates and forgets subscriptions, and reports what they hold."""

    def __init__(self, log: MemoryLog, clock: Clock, look: Look) -> None:
        self._log, self._clock, self._look = log, clock, look
        self._queues: dict[str, DeliveryQueue] = {}
        self._made = 0

    def queue(self, name: str, start: Start, **picks: Any) -> DeliveryQueue:
        """Create or resume a subscription. ``picks``: the fields of ``Subscription`` that say what it picks."""
        old = self._log.subscriptions.get(name)
        self._made += old is None
        made = Subscription(self._made if old is None else old.id, name, registered=True, **picks)
        self._log.subscriptions[name] = made
        if old is None and start == "beginning":
            for seq, row in sorted(self._log.rows.items()):
                place = place_of(made, row)
                if place is not None:
                    self._log.deliveries[name, seq] = Held(*place)
        queue = self._queues[name] = DeliveryQueue(OpenInMemory(self._log, name, self._look), self._clock, name)
        return queue

    def forget(self, name: str) -> bool:
        self._queues.pop(name, None)
        for _, seq, _ in self._log.held(name) if name in self._log.subscriptions else []:
            del self._log.deliveries[name, seq]
        return self._log.subscriptions.pop(name, None) is not None

    def wake(self, names: Iterable[str] | None = None) -> None:
        """Wake these subscriptions, or all if none is named: something may be due."""
        for name in sorted(self._queues if names is None else names):
            if name in self._queues:
                self._queues[name].wake()

    def waiting(self, prefix: str) -> dict[str, int]:
        names = sorted(name for name in self._log.subscriptions if name.startswith(prefix))
        return {name: len(self._log.held(name)) for name in names}

    def undelivered(self, name: str, seq: int | None) -> int:
        return sum(
            held.state is not DeliveryState.DEAD and seq in (None, place) for _, place, held in self._log.held(name)
        )

    def dead(self) -> list[DeadLetter]:
        return [
            DeadLetter(name, seq, held.attempts, held.error, update_of(self._log.rows[seq]))
            for name, seq, held in self._log.held()
            if held.state is DeliveryState.DEAD
        ]

    def redrive(self, subscription: str | None) -> int:
        revived = [letter for letter in self.dead() if subscription in (None, letter.subscription)]
        for letter in revived:
            self._log.revive(letter.subscription, letter.seq)
        self.wake()
        return len(revived)
