"""The Context Store: everything that happens, as a durable log of contexts, and its deliveries.

A *context* is named by (namespace, id); each change of it is an *update* with a growing seq. A *subscription* is a
set of namespace globs and tags, kept in the store: from its creation on each matching update makes a *delivery* in
the same commit, which stays until it is acknowledged. Nothing accepted is lost: ``store()`` returns after its commit
(``synchronous=FULL``). The TTL hides a context from queries and never cancels a delivery.
"""

from .compose import Composition, Conflict, ConflictError, Merge
from .context_store import ContextStore
from .counts import DeadLetter, StoreStats, SubscriptionStats
from .embedder import Embedder, EmbeddingError
from .errors import (
    GiveUpError,
    HomeLockedError,
    OutdatedStoreError,
    RefusedError,
    StaleDeliveryError,
    StoreError,
    StoreUnavailableError,
    VersionConflictError,
)
from .following import Following
from .fusion import how
from .live import LiveSubscription
from .lock import HomeLock, make_private
from .meaning import Meaning
from .queue import DeliveryQueue
from .rollback import RollbackRefusedError
from .search import SearchHit, left_out
from .subscriber import Retry, Subscriber
from .unit import Delivery, UnitOfWork, current_unit

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
    "Merge",
    "OutdatedStoreError",
    "RefusedError",
    "Retry",
    "RollbackRefusedError",
    "SearchHit",
    "StaleDeliveryError",
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
    "make_private",
]
