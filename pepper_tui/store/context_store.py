"""The Context Store: contexts, their log, and what is delivered from it. See the package docstring for the rules.

Its parts: ``log/store_file.py`` has the connections, ``reading.py`` and ``writing.py`` what is done to the log,
``delivery/`` what comes of it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from pepper_tui.clock import Clock
from pepper_tui.model import Context, ContextFilter, Health, Namespace
from pepper_tui.store.delivery.deliveries import Deliveries
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

_HEALTH_PART = "deliveries"


class ContextStore(LogWriting):
    """One open store. Made by ``open``, ended by ``close``; lives on one event loop."""

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
        """The store in the file ``path``, made where there is none.

        ``database`` makes the connections; ``group`` is the most operations that one commit takes (1: a commit a
        store); ``cache_ttl``: seconds for which answers may be kept that are asked for again (0: none). After an
        unclean stop the file is checked first. Raises ``StoreError``, with the way out, where the file is damaged,
        newer than this Pepper, or not to be opened.
        """
        live = LiveSubscriptions()
        file = await StoreFile.open(path, clock, live.tell, database=database, group=group, cache_ttl=cache_ttl)
        return cls(file, live)

    @classmethod
    async def open_to_read(cls, path: Path, clock: Clock) -> ContextStore:
        """The store in the file ``path`` as it stands, beside whoever writes it, also where it may not be written.

        Whatever would write raises ``StoreUnavailableError``. Raises ``StoreError`` where there is none or it can't be
        read, ``OutdatedStoreError`` where it must be brought up to date first.
        """
        live = LiveSubscriptions()
        return cls(await StoreFile.open_to_read(path, clock, live.tell, group=GROUP), live)

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
        await self.file.stop_writing()
        self.live.close()
        self._deliveries.wake([*self._deliveries.queues])  # whoever waits finds the store closed
        await self.file.close()

    def _committed(self, committed: Committed) -> None:
        self.live.offer(committed.rows)
        self._deliveries.wake(committed.woken)

    # -------------------------------------------------------------------------------------------------- delivery

    @asynccontextmanager
    async def watch(self, namespaces: Sequence[str] = (), *, size: int = RING) -> AsyncIterator[LiveSubscription]:
        """What is committed from now on in the namespaces (globs; none = all), in memory only."""
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
        """Make or take up the durable subscription ``name``. ``rank`` gives an update's rank (smaller comes first),
        or None where it is not to be delivered; it must be quick and without side effects."""
        return await self._deliveries.queue(name, namespaces, tags=tags, rank=rank, order_key=order_key, start=start)

    async def forget(self, name: str) -> bool:
        """Remove a durable subscription and its deliveries. Returns whether there was one."""
        return await self._deliveries.forget(name)

    async def waiting(self, prefix: str) -> dict[str, int]:
        """The durable subscriptions whose names begin with ``prefix``, each with how many deliveries are not done."""
        return await self._deliveries.waiting(prefix)

    async def undelivered(self, name: str, seq: int | None = None) -> int:
        """How many updates (or whether that of ``seq``) the durable subscription ``name`` still has to deal with; what
        it has given up is not counted."""
        return await self._deliveries.undelivered(name, seq)

    async def dead(self) -> list[DeadLetter]:
        """All dead letters, oldest first."""
        return await self._deliveries.dead()

    async def tell_dead(self, detail: str) -> None:
        """Say that there are dead letters, where the user sees what works and what does not."""
        remedy = "pepper store dead shows them, and --redrive tries them again"
        await self._tell_health(Health(_HEALTH_PART, "trouble", detail, remedy, self.clock.now()))

    async def redrive(self, subscription: str | None = None) -> int:
        """Give the dead letters (of one subscription) a new life with no attempts counted. Returns how many."""
        revived = await self._deliveries.redrive(subscription)
        if revived:
            await self._tell_health(Health(_HEALTH_PART, "ok", f"{revived} tried again", "", self.clock.now()))
        return revived

    async def _tell_health(self, health: Health) -> None:
        await self.store(health.data(), namespace=Namespace.HEALTH, context_id=health.part, type="health")

    # ---------------------------------------------------------------------------------------------- how it is

    async def stats(self) -> StoreStats:
        """Sizes and backlogs, counted on a connection of its own."""
        return await self.file.read_apart(
            lambda c: counts.stats(c, self.path, self._deliveries.queues, self.clean_start)
        )

    async def health(self) -> list[Context]:
        """How each part says that it is, the newest first, and how the store itself is: also where nothing can be
        read."""
        stored: list[Context] = []
        with contextlib.suppress(StoreError):
            stored = await self.query(ContextFilter(namespaces=[Namespace.HEALTH], limit=500))
        return [*stored, self.file.condition.context()]

    async def try_out(self) -> None:
        """Write something, and read on each connection. Raises ``StoreError`` where either can't be done."""
        await self.file.try_out()
