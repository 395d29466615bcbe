"""The Context Store: contexts, their log, and deliveries from it. See the package docstring for the rules.

Its parts: ``log/store_file.py`` holds the connections, ``reading.py`` and ``writing.py`` read and write the log,
``delivery/`` delivers from it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from pepper_tui.clock import Clock
from pepper_tui.model import Context, ContextFilter, Namespace
from pepper_tui.store.delivery.deliveries import Deliveries
from pepper_tui.store.delivery.health import PART, gave_up, tried_again
from pepper_tui.store.delivery.live import RING, LiveSubscription, LiveSubscriptions
from pepper_tui.store.delivery.queue import DeliveryQueue
from pepper_tui.store.delivery.subscription import OrderKey, Rank, Start
from pepper_tui.store.errors import StoreError
from pepper_tui.store.log import counts
from pepper_tui.store.log.counts import DeadLetter, StoreStats
from pepper_tui.store.log.database import DatabaseFactory, ThreadDatabase
from pepper_tui.store.log.store_file import StoreFile
from pepper_tui.store.log.writer import GROUP, Committed
from pepper_tui.store.writing import LogWriting


class ContextStore(LogWriting):
    """One open store on one event loop, opened by ``open`` and ended by ``close``."""

    def __init__(self, file: StoreFile, live: LiveSubscriptions) -> None:
        super().__init__(file)
        self.path = file.path
        self.clean_start = file.clean_start
        self.live = live
        self._deliveries = Deliveries(file)
        self._closing: asyncio.Task[None] | None = None
        file.on_commit(self._committed)

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
        """Open the store in the file ``path``; create it if missing.

        ``database`` makes the connections; ``group`` is the most operations in one commit (1: one commit per write);
        ``cache_ttl``: seconds for which repeated queries may be answered from memory (0: never). After an unclean stop
        the file is checked first. Raises ``StoreError``, with the way out, if the file is damaged, newer than this
        Pepper, or can't be opened.
        """
        live = LiveSubscriptions()
        file = await StoreFile.open(path, clock, live.tell, database=database, group=group, cache_ttl=cache_ttl)
        return cls(file, live)

    @classmethod
    async def open_to_read(cls, path: Path, clock: Clock) -> ContextStore:
        """Open the store in the file ``path`` read-only, beside its writer; the file itself may be read-only, too.

        Any write raises ``StoreUnavailableError``. Raises ``StoreError`` if the file is missing or can't be read,
        ``OutdatedStoreError`` if it must be migrated first.
        """
        live = LiveSubscriptions()
        return cls(await StoreFile.open_to_read(path, clock, live.tell, group=GROUP), live)

    @property
    def closed(self) -> bool:
        """True once ``close`` was called."""
        return self._closing is not None

    async def close(self) -> None:
        """Commit what was accepted, and stop. Further calls return when that is done."""
        if self._closing is None:
            self._closing = asyncio.create_task(self._close(), name="store-close")
        await asyncio.shield(self._closing)

    async def _close(self) -> None:
        await self.file.stop_writing()
        self.live.close()
        self._deliveries.wake([*self._deliveries.queues])  # waiting readers find the store closed
        await self.file.close()

    def _committed(self, committed: Committed) -> None:
        self.live.offer(committed.rows)
        self._deliveries.wake(committed.woken)

    # -------------------------------------------------------------------------------------------------- delivery

    @asynccontextmanager
    async def watch(self, namespaces: Sequence[str] = (), *, size: int = RING) -> AsyncIterator[LiveSubscription]:
        """See ``StoreDeliveries.watch``."""
        with self.live.watch(namespaces, size) as subscription:
            if self.closed:
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
        return await self._deliveries.queue(name, namespaces, tags=tags, rank=rank, order_key=order_key, start=start)

    async def forget(self, name: str) -> bool:
        """See ``StoreDeliveries.forget``."""
        return await self._deliveries.forget(name)

    async def waiting(self, prefix: str) -> dict[str, int]:
        """See ``StoreDeliveries.waiting``."""
        return await self._deliveries.waiting(prefix)

    async def undelivered(self, name: str, seq: int | None = None) -> int:
        """See ``StoreDeliveries.undelivered``."""
        return await self._deliveries.undelivered(name, seq)

    async def dead(self) -> list[DeadLetter]:
        """See ``StoreDeliveries.dead``."""
        return await self._deliveries.dead()

    async def tell_dead(self, detail: str) -> None:
        """See ``StoreDeliveries.tell_dead``."""
        await self.put(gave_up(detail, self.clock.now()), namespace=Namespace.HEALTH, context_id=PART, type="health")

    async def redrive(self, subscription: str | None = None) -> int:
        """See ``StoreDeliveries.redrive``."""
        revived = await self._deliveries.redrive(subscription)
        if revived:
            told = tried_again(revived, self.clock.now())
            await self.put(told, namespace=Namespace.HEALTH, context_id=PART, type="health")
        return revived

    # ---------------------------------------------------------------------------------------------- how it is

    async def stats(self) -> StoreStats:
        """Return sizes and backlogs, counted on a connection of its own."""
        return await self.file.read_apart(
            lambda c: counts.stats(c, self.path, self._deliveries.queues, self.clean_start)
        )

    async def health(self) -> list[Context]:
        """Return the health of each part, newest first, then that of the store itself, even if nothing can be read."""
        stored: list[Context] = []
        with contextlib.suppress(StoreError):
            stored = await self.query(ContextFilter(namespaces=[Namespace.HEALTH], limit=500))
        return [*stored, self.file.condition.context()]

    async def try_out(self) -> None:
        """See ``Store.try_out``."""
        await self.file.try_out()
