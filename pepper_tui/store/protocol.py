"""What the rooms ask of a store, whatever its backend: ``ContextStore`` uses a file, ``MemoryStore`` only memory.

``tests/conformance/store`` runs each promise over both.

- *Order.* Each update has a ``seq`` greater than all before it. A unit's updates keep the order of its calls, with none
  of another in between. After awaiting a write, a task reads it; a reader of one update can read all before it.
- *All or nothing.* Operations handed over together are committed together; an error leaves none of them, and
  cancelling the waiting task does not undo the commit.
- *At least once.* An update has a delivery for each subscription that picks it, from its commit until it is
  acknowledged. A TTL or a deletion hides a context and cancels no delivery.
- *Private data.* No two readers share mutable data, nor do a reader and the writer.

Every method lets other tasks run. A closed store raises ``StoreError`` (a ``watch`` just ends);
``StoreUnavailableError`` means that the storage refuses.
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
from pepper_tui.store.filter import Values
from pepper_tui.store.log.counts import DeadLetter
from pepper_tui.store.search.full_text import SearchHit
from pepper_tui.store.unit import UnitOfWork

EVERYTHING: Final = ContextFilter()
DEDUPE_WINDOW: Final = 7 * 86400.0  # seconds


class StoreReader(Protocol):
    """Queries. Answers show only committed data: never that of an open unit, not even the caller's own."""

    async def get(
        self, context_id: str, *, namespace: str, version: int | None = None, include_expired: bool = False
    ) -> Context | None:
        """Return the current version, or ``version`` (even if expired).

        None if it is missing or deleted, or has expired (unless ``include_expired``).
        """
        ...

    async def query(self, filter: ContextFilter = EVERYTHING) -> list[Context]:  # noqa: A002
        """Return the contexts that the filter picks, in log order (newest first unless it says otherwise).

        Raises ``TypeError`` or ``ValueError`` for an invalid filter.
        """
        ...

    async def versions(self, context_id: str, *, namespace: str, limit: int = 100) -> list[ContextUpdate]:
        """Return the kept versions of a context, newest first; deletions are updates with ``deleted``."""
        ...

    async def count(self, filter: ContextFilter = EVERYTHING) -> int:  # noqa: A002
        """Count the contexts that the filter picks, ignoring its limit."""
        ...

    async def search(
        self,
        text: str,
        filter: ContextFilter | None = None,  # noqa: A002
        limit: int = 10,
        *,
        by_meaning: bool = True,
    ) -> list[SearchHit]:
        """Search by words, and by meaning if available and wanted; ranked, best first.

        Contexts with all the words come before those with some. No text is a syntax error.
        """
        ...

    async def having(self, words: str, filter: ContextFilter, *, begun: bool = False) -> set[str]:  # noqa: A002
        """Return the ids of all contexts that the filter picks and whose text has ``words`` side by side, in order.

        The filter's ids and limit are ignored. ``begun``: of the last word the beginning is enough.
        """
        ...

    async def values(self, filter: ContextFilter, *keys: str) -> list[Values]:  # noqa: A002
        """Return ``data``'s values under ``keys`` of all contexts that the filter picks; None where there is none.

        For a look over many contexts of which little is needed: the rest is neither decoded nor held.
        """
        ...


class StoreWriter(Protocol):
    """Changes to the log."""

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

        ``context_id`` defaults to ``data["id"]`` if that is text, else to a new id. The same content as the current
        version makes no new update (only its expiry follows the last ``ttl``, in seconds; None = never). Nor does the
        same ``dedupe_key`` in the namespace within ``dedupe_window`` seconds, which returns what was stored first.
        ``expect_version``: the version that must be current, 0 for none; else ``VersionConflictError``, and nothing of
        the unit is written.

        Inside a unit of work it returns immediately, with version and seq 0, and is committed with the unit. Raises
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
        """Store a record: its data, under its ``id`` if it has one."""
        ...

    async def delete(self, context_id: str, *, namespace: str, expect_version: int | None = None) -> bool:
        """Delete the current version: an update with ``deleted``. Returns whether a visible one existed.

        ``expect_version``: the version that must be current, as for ``store``. Inside a unit the return value takes
        into account what is committed and what the unit itself stores.
        """
        ...

    def unit(self) -> AbstractAsyncContextManager[UnitOfWork]:
        """Hand over this task's writes inside as a whole at the exit, which returns after their commit.

        An exception inside writes nothing. A nested unit joins the outer one (an exception undoes only what the inner
        one added). A task spawned inside writes on its own. If the unit acks, defers or buries a delivery that is no
        longer open, the unit fails with ``StaleDeliveryError``.
        """
        ...


class StoreDeliveries(Protocol):
    """Delivery of committed updates."""

    def watch(
        self, namespaces: Sequence[str] = (), *, size: int = RING
    ) -> AbstractAsyncContextManager[LiveSubscription]:
        """Watch what is committed from now on in the namespaces (globs; none = all), in log order, in memory only.

        Beyond ``size`` unread updates, the oldest are dropped and counted in ``missed``; no write waits.
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
        """Create or resume the durable subscription ``name``: its deliveries by (rank, seq).

        ``rank`` returns an update's rank (smaller comes first), or None for "do not deliver"; with ``order_key``, an
        update waits for the earlier ones of its key, as long as these are not dead. Both must be quick and without side
        effects. A new subscription starts now or at the ``beginning`` of the log; a resumed one keeps its deliveries.
        """
        ...

    async def forget(self, name: str) -> bool:
        """Remove a durable subscription and its deliveries. Returns whether it existed."""
        ...

    async def waiting(self, prefix: str) -> dict[str, int]:
        """Count the deliveries that are not done of each durable subscription whose name begins with ``prefix``."""
        ...

    async def undelivered(self, name: str, seq: int | None = None) -> int:
        """Count unfinished updates (or only that of ``seq``) of durable subscription ``name``, without dead ones."""
        ...

    async def dead(self) -> list[DeadLetter]:
        """Return all dead letters, oldest first."""
        ...

    async def tell_dead(self, detail: str) -> None:
        """Report that there are dead letters, in the health that the user sees."""
        ...

    async def redrive(self, subscription: str | None = None) -> int:
        """Give the dead letters (of one subscription) a new life with no attempts counted. Returns how many."""
        ...


class Store(StoreReader, StoreWriter, StoreDeliveries, Protocol):
    """One open store, on one event loop."""

    @property
    def clock(self) -> Clock:
        """The clock that its times go by."""
        ...

    @property
    def closed(self) -> bool:
        """True if it is closed or closing."""
        ...

    async def try_out(self) -> None:
        """Write something and read it back, leaving no trace. Raises ``StoreError`` if that fails."""
        ...
