"""What the rooms ask of a store, whatever keeps it: ``ContextStore`` a file, ``MemoryStore`` memory alone.

``tests/conformance/store`` runs each promise over both.

- *Order.* Each update has a ``seq`` greater than all before it. A unit's updates have the order of its calls, with no
  other's in between. Whoever has awaited a write reads it, and whoever reads one update can read all before it.
- *Whole or not at all.* What is handed over together is committed together; an error leaves nothing of it, and the
  cancellation of the task that waits does not take it back.
- *At least once.* An update has a delivery for each subscription that picks it, from the same commit on until it is
  acknowledged. A TTL or a deletion hides a context and cancels no delivery.
- *Data of one's own.* No two readers share what one of them may change, nor does the writer with them.

Every method lets other tasks run. Once the store is closed it raises ``StoreError`` (a ``watch`` just ends), and
``StoreUnavailableError`` where what keeps the log refuses.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Final, Protocol

from pepper_tui.clock import Clock
from pepper_tui.model import Context, ContextFilter, ContextUpdate, Json, Record
from pepper_tui.store.delivery.live import RING, LiveSubscription
from pepper_tui.store.delivery.queue import DeliveryQueue
from pepper_tui.store.delivery.subscription import OrderKey, Rank, Start
from pepper_tui.store.log.counts import DeadLetter
from pepper_tui.store.search.full_text import SearchHit
from pepper_tui.store.unit import UnitOfWork

EVERYTHING: Final = ContextFilter()
DEDUPE_WINDOW: Final = 7 * 86400.0  # seconds


class StoreReader(Protocol):
    """What can be asked. Answers are of what is committed: never of an open unit, the asker's own among them."""

    async def get(
        self, context_id: str, *, namespace: str, version: int | None = None, include_expired: bool = False
    ) -> Context | None:
        """The current version, or None where there is none, it was deleted or has expired (unless
        ``include_expired``); with ``version`` that one, expired or not."""
        ...

    async def query(self, filter: ContextFilter = EVERYTHING) -> list[Context]:  # noqa: A002
        """The contexts that the filter picks, in log order (newest first unless it says otherwise).

        Raises ``TypeError`` or ``ValueError`` for a filter that is not understood.
        """
        ...

    async def versions(self, context_id: str, *, namespace: str, limit: int = 100) -> list[ContextUpdate]:
        """The versions of a context that are kept, newest first; deletions are updates with ``deleted``."""
        ...

    async def count(self, filter: ContextFilter = EVERYTHING) -> int:  # noqa: A002
        """How many contexts the filter picks; its limit does not count."""
        ...

    async def search(
        self,
        text: str,
        filter: ContextFilter | None = None,  # noqa: A002
        limit: int = 10,
        *,
        by_meaning: bool = True,
    ) -> list[SearchHit]:
        """Ranked search by words, and by meaning where there is that and it is wanted, best first.

        What holds all the words comes before what holds some. No text is a syntax error.
        """
        ...


class StoreWriter(Protocol):
    """What changes the log."""

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
        dedupe_window: float = DEDUPE_WINDOW,
        expect_version: int | None = None,
    ) -> Context:
        """Store one context and return it as it was committed.

        ``context_id`` defaults to ``data["id"]`` where that is text, else to a new id. The same content as the
        current version makes no new update (only its expiry follows the last ``ttl``, in seconds; None = never).
        The same ``dedupe_key`` in the namespace within ``dedupe_window`` seconds makes none either, and returns what
        was stored first. ``expect_version``: the version that must be current, 0 for none; else
        ``VersionConflictError`` and nothing of the unit is written.

        Inside a unit of work it returns at once, with version and seq 0, and is committed with the unit. Raises
        ``StoreError`` without a namespace, ``TypeError`` for data that is not JSON.
        """
        ...

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
        dedupe_window: float = DEDUPE_WINDOW,
        expect_version: int | None = None,
    ) -> Context:
        """``store`` of a record: its data, under its ``id`` where it has one."""
        ...

    async def delete(self, context_id: str, *, namespace: str, expect_version: int | None = None) -> bool:
        """Delete the current version: an update with ``deleted``. Returns whether there was one to see.

        ``expect_version``: the version that must be current, as ``store`` takes it. Inside a unit the answer goes by
        what is committed and by what the unit itself stores.
        """
        ...

    def unit(self) -> AbstractAsyncContextManager[UnitOfWork]:
        """Writes of this task inside are handed over whole at the exit, which returns after their commit.

        An exception inside writes nothing. Nested, it joins the outer unit (an exception takes back only what the
        inner one added). A task spawned inside writes on its own. A delivery that the unit acks, defers or buries and
        that is no longer open fails it with ``StaleDeliveryError``.
        """
        ...


class StoreDeliveries(Protocol):
    """Who is told of what was committed."""

    def watch(
        self, namespaces: Sequence[str] = (), *, size: int = RING
    ) -> AbstractAsyncContextManager[LiveSubscription]:
        """What is committed from now on in the namespaces (globs; none = all), in log order, in memory only.

        Of more than ``size`` that nobody has read, the oldest are dropped and counted in ``missed``; no write waits.
        """
        ...

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
        """Make or take up the durable subscription ``name``: its deliveries by (rank, seq).

        ``rank`` gives an update's rank (smaller comes first), or None where it is not to be delivered; with
        ``order_key``, an update waits for the earlier ones of its key, as long as these are not dead. Both must be
        quick and without side effects. A new one starts at now or at the ``beginning`` of the log; one taken up keeps
        its deliveries.
        """
        ...

    async def forget(self, name: str) -> bool:
        """Remove a durable subscription and its deliveries. Returns whether there was one."""
        ...

    async def waiting(self, prefix: str) -> dict[str, int]:
        """The durable subscriptions whose names begin with ``prefix``, each with how many deliveries are not done."""
        ...

    async def undelivered(self, name: str, seq: int | None = None) -> int:
        """How many updates (or whether that of ``seq``) the durable subscription ``name`` still has to deal with; what
        it has given up is not counted."""
        ...

    async def dead(self) -> list[DeadLetter]:
        """All dead letters, oldest first."""
        ...

    async def tell_dead(self, detail: str) -> None:
        """Say that there are dead letters, where the user sees what works and what does not."""
        ...

    async def redrive(self, subscription: str | None = None) -> int:
        """Give the dead letters (of one subscription) a new life with no attempts counted. Returns how many."""
        ...


class Store(StoreReader, StoreWriter, StoreDeliveries, Protocol):
    """One open store, on one event loop."""

    @property
    def clock(self) -> Clock:
        """What its times go by."""
        ...

    @property
    def closed(self) -> bool:
        """Whether it is closed or closing."""
        ...

    async def try_out(self) -> None:
        """Write something and read it back, leaving no trace. Raises ``StoreError`` where that can't be done."""
        ...
