"""The Context Store: everything that happens, as a durable log of contexts, and its deliveries.

A *context* is named by (namespace, id); each change of it is an *update* with a growing seq. A *subscription* is a
set of namespace globs and tags, kept in the store: from its creation on each matching update makes a *delivery* in
the same commit, which stays until it is acknowledged. Nothing accepted is lost: ``store()`` returns after its commit
(``synchronous=FULL``). The TTL hides a context from queries and never cancels a delivery.
"""

from pepper_tui.store.compose import Composition, Conflict, ConflictError, Merge
from pepper_tui.store.context_store import ContextStore
from pepper_tui.store.delivery.following import Following
from pepper_tui.store.delivery.live import LiveSubscription
from pepper_tui.store.delivery.queue import DeliveryQueue
from pepper_tui.store.delivery.subscriber import Retry, Subscriber
from pepper_tui.store.errors import (
    GiveUpError,
    HomeLockedError,
    OutdatedStoreError,
    RefusedError,
    StaleDeliveryError,
    StoreError,
    StoreUnavailableError,
    VersionConflictError,
)
from pepper_tui.store.lock import HomeLock
from pepper_tui.store.log.counts import DeadLetter, StoreStats, SubscriptionStats
from pepper_tui.store.log.rollback import RollbackRefusedError
from pepper_tui.store.memory_store import MemoryStore
from pepper_tui.store.protocol import Store
from pepper_tui.store.search.embedder import Embedder, EmbeddingError
from pepper_tui.store.search.full_text import SearchHit, left_out
from pepper_tui.store.search.fusion import how
from pepper_tui.store.search.meaning import Meaning
from pepper_tui.store.unit import Delivery, UnitOfWork, current_unit

__all__ = [
    "Composition",
    "Conflict",
    "ConflictError",
    "ContextStore",
    "DeadLetter",
    "Delivery",
    "DeliveryQueue",
    "Embedder",
    "EmbeddingError",
    "Following",
    "GiveUpError",
    "HomeLock",
    "HomeLockedError",
    "LiveSubscription",
    "Meaning",
    "MemoryStore",
    "Merge",
    "OutdatedStoreError",
    "RefusedError",
    "Retry",
    "RollbackRefusedError",
    "SearchHit",
    "StaleDeliveryError",
    "Store",
    "StoreError",
    "StoreStats",
    "StoreUnavailableError",
    "Subscriber",
    "SubscriptionStats",
    "UnitOfWork",
    "VersionConflictError",
    "current_unit",
    "how",
    "left_out",
]
