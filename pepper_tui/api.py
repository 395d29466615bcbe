"""The stable face for files of the user's own: feeds, tools and workers import from here and from nowhere else.

``subscriber``, ``context_store`` and ``app`` belong to the feed file that imports them; see ``docs/feeds.md``,
``docs/store-and-subscriber.md``, ``docs/own-tools.md`` and ``docs/workers.md``.
"""

from pepper_tui.connectors.python.feed import OwnContext
from pepper_tui.connectors.python.user_feed import (
    OutsideAFeedError,
    ReservedNamespaceError,
    app,
    context_store,
    subscriber,
)
from pepper_tui.feeds.chain import ChainEndedError
from pepper_tui.model import (
    AgentState,
    CardLine,
    Context,
    ContextFilter,
    ContextUpdate,
    Effect,
    Priority,
    ResolvedEffect,
    Signal,
)
from pepper_tui.store import SearchHit, StoreError, VersionConflictError
from pepper_tui.tools import ArgumentError, NotDoneError, OutdatedError, ToolContext, ToolError, tool
from pepper_tui.workers import StatefulWorker, StatelessWorker, ToolFailedError

__all__ = [
    "AgentState",
    "ArgumentError",
    "CardLine",
    "ChainEndedError",
    "Context",
    "ContextFilter",
    "ContextUpdate",
    "Effect",
    "NotDoneError",
    "OutdatedError",
    "OutsideAFeedError",
    "OwnContext",
    "Priority",
    "ReservedNamespaceError",
    "ResolvedEffect",
    "SearchHit",
    "Signal",
    "StatefulWorker",
    "StatelessWorker",
    "StoreError",
    "ToolContext",
    "ToolError",
    "ToolFailedError",
    "VersionConflictError",
    "app",
    "context_store",
    "subscriber",
    "tool",
]
