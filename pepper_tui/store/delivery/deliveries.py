"""The durable subscriptions of a store: made, forgotten, counted; and what they gave up."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence

from pepper_tui.model import DeliveryState
from pepper_tui.store.delivery.open_deliveries import OpenInFile
from pepper_tui.store.delivery.queue import DeliveryQueue
from pepper_tui.store.delivery.subscription import OrderKey, Rank, Start
from pepper_tui.store.log import counts
from pepper_tui.store.log.counts import DeadLetter
from pepper_tui.store.log.plan import Book
from pepper_tui.store.log.store_file import StoreFile


class Deliveries:
    """``queues``: those that were made or taken up in this process, by the names of their subscriptions."""

    def __init__(self, file: StoreFile) -> None:
        self._file = file
        self.queues: dict[str, DeliveryQueue] = {}

    async def queue(
        self,
        name: str,
        namespaces: Sequence[str],
        *,
        tags: Iterable[str],
        rank: Rank | None,
        order_key: OrderKey | None,
        start: Start,
    ) -> DeliveryQueue:
        """See ``StoreDeliveries.queue``."""
        now = self._file.clock.now()
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

        opened = OpenInFile(self._file, await self._file.writer.run(register), name)
        queue = self.queues[name] = DeliveryQueue(opened, self._file.clock, name)
        return queue

    async def forget(self, name: str) -> bool:
        """Remove a durable subscription and its deliveries. Returns whether there was one."""
        self.queues.pop(name, None)
        return await self._file.writer.run(lambda connection, book: book.subscriptions.forget(connection, name))

    def wake(self, names: Iterable[str]) -> None:
        """Something may be due for the subscriptions ``names``; who is woken first is not left to chance."""
        for name in sorted(names):
            queue = self.queues.get(name)
            if queue is not None:
                queue.wake()

    async def waiting(self, prefix: str) -> dict[str, int]:
        """See ``StoreDeliveries.waiting``."""
        return await self._file.read(lambda connection: counts.waiting(connection, prefix), 1)

    async def undelivered(self, name: str, seq: int | None) -> int:
        """See ``StoreDeliveries.undelivered``."""
        return await self._file.read(lambda connection: counts.undelivered(connection, name, seq), 1)

    async def dead(self) -> list[DeadLetter]:
        """All dead letters, oldest first."""
        return await self._file.read(counts.dead, 1)

    async def redrive(self, subscription: str | None) -> int:
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

        revived = await self._file.writer.run(revive)
        self.wake([*self.queues])
        return revived
