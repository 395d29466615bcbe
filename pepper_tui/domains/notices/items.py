"""The rows of the inbox: reading an item, moving it through the state table, withdrawing it with a stored reason."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from pepper_tui.model import (
    CALL_OPEN,
    NOTIFICATION,
    OPEN_TAG,
    SETTLED,
    Context,
    ContextFilter,
    Json,
    Namespace,
    Notification,
    NotificationState,
    ToolCall,
)
from pepper_tui.store import Store, VersionConflictError
from pepper_tui.store.rewrite import rewrite
from pepper_tui.text.errors import Foreseen, PepperError

T = TypeVar("T")
OPEN: Final = frozenset({NotificationState.NEW, NotificationState.SEEN, NotificationState.SNOOZED})
ALL: Final = 100_000
OVER: Final = "over"
"""The metadata key of an item that ended since what it tells was no longer so: it does not count as told."""
_TRIES: Final = 4


class InboxError(PepperError, ValueError, Foreseen):
    """An act is not possible; the words say why."""


class Items:
    """Reads and moves items. Ids may carry the prefix ``notification:``."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def get(self, ref: str) -> Context | None:
        return await self._store.get(ref.removeprefix("notification:"), namespace=Namespace.NOTIFICATION)

    async def load(self, ref: str) -> tuple[Context, Notification]:
        """Return the item, with its row. Raises ``InboxError``."""
        context = await self.get(ref)
        if context is None:
            raise InboxError("there is no such item in the inbox")
        return context, Notification.of(context)

    async def open(self) -> list[Context]:
        return await self._store.query(
            ContextFilter(namespaces=[Namespace.NOTIFICATION], tags=[OPEN_TAG], limit=ALL, include_expired=True)
        )

    async def move(
        self,
        context: Context,
        item: Notification,
        state: NotificationState,
        metadata: Json | None = None,
        text: str | None = None,
    ) -> None:
        """Store ``item`` in ``state``, with another ``text`` if given.

        A key of ``metadata`` with the value ``None`` is removed.
        """
        item.state = NOTIFICATION.move(item.state, state)
        if state is not NotificationState.SNOOZED:
            item.snoozed_until = None
        tags = set(context.tags) - {OPEN_TAG}
        if item.state in OPEN:
            tags.add(OPEN_TAG)
        kept = {key: value for key, value in (context.metadata | (metadata or {})).items() if value is not None}
        await rewrite(self._store, context, item, tags=tags, metadata=kept, text=text)

    async def retell(self, context: Context, item: Notification, text: str) -> None:
        """Store ``item`` with other words, in the state that it has."""
        await rewrite(self._store, context, item, tags=context.tags, text=text)

    async def settle(self, ref: str, version: int) -> bool:
        """Note on a closed item that its asker goes on without an answer; return False if its version has changed."""
        found = await self.get(ref)
        if found is None or found.version != version:
            return False
        try:
            closed = Notification.of(found)
            await rewrite(self._store, found, closed, tags=found.tags, metadata={**found.metadata, SETTLED: True})
        except VersionConflictError:
            return False
        return True

    async def withdraw(self, context: Context, why: str, *, over: bool = False) -> bool:
        """Close it, if it is still open; return whether it was. ``over``: what it tells is no longer so."""

        async def look() -> bool:
            found = await self.get(context.context_id)
            item = Notification.one(found)
            if found is None or item is None or item.state not in OPEN:
                return False
            await self.move(found, item, NotificationState.DONE, {"withdrawn": why, **({OVER: True} if over else {})})
            return True

        return await anew(look)

    async def is_waited_for(self, item: Notification) -> bool:
        """Check whether an answer to ``item`` would reach its asker; true if it asks nothing."""
        if not item.awaited:
            return True
        found = await self._store.get(item.source.partition(":")[2], namespace=Namespace.TOOL_CALL)
        call = ToolCall.one(found)
        return call is not None and call.state in CALL_OPEN


async def anew(act: Callable[[], Awaitable[T]]) -> T:
    """Run ``act``, which reads before it moves; repeat it if a unit that was open then has moved the same meanwhile."""
    for _ in range(_TRIES - 1):
        with contextlib.suppress(VersionConflictError):
            return await act()
    return await act()
