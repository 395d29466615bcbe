"""Ends the cards of a conflict that is no more, with the reason.

A card may come only after its conflict has ended, since a rule or a model takes its time: then it ends at once. Whoever
takes the card back keeps it: a conflict ends once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Protocol

from pepper_tui.domains.notices.items import anew
from pepper_tui.model import (
    OPEN_TAG,
    Acted,
    Context,
    ContextUpdate,
    Moved,
    Namespace,
    Notification,
    NotificationState,
)
from pepper_tui.store import Store, Subscriber

RAW: Final = f"{Namespace.RAW}.calendar"
OVER: Final = "conflict:over"
"""The tag of a conflict that is no more; ``why`` of its data says why."""
_SIGNAL: Final = f"{Namespace.SIGNALS}.calendar:signal_"
_SUBSCRIPTION: Final = "calendar.conflicts"


class Cards(Protocol):
    """The inbox, as far as it is needed here."""

    async def end(self, why: str, which: Callable[[Notification], bool], /) -> Acted: ...


Record = Callable[[str, Sequence[Moved]], Awaitable[None]]
"""Notes an act in words, and what it moved, so that it can be undone; in the caller's unit."""


class ConflictCards:
    """Follows conflicts."""

    def __init__(self, store: Store, cards: Cards, record: Record) -> None:
        self._store, self._cards, self._record = store, cards, record

    def listen(self, subscriber: Subscriber) -> None:
        """Register the handlers. Call it before the subscriber starts."""
        subscriber.on_context_update(namespaces=[RAW], tags=[OVER], name=_SUBSCRIPTION)(self._ended)
        late = subscriber.on_context_update(
            namespaces=[Namespace.NOTIFICATION], tags=[OPEN_TAG], name=f"{_SUBSCRIPTION}.late"
        )
        late(self._came)

    async def _ended(self, update: ContextUpdate) -> None:
        now = await self._store.get(update.context.context_id, namespace=RAW)
        if not update.deleted and now is not None and now.data["gone"]:  # it may be back already
            await self._end(now, lambda _: True)

    async def _came(self, update: ContextUpdate) -> None:
        if update.deleted or update.context.version > 1:
            return
        for item in Notification.readable([update.context]):
            ident = conflict_of(item.source)
            now = await self._store.get(ident, namespace=RAW) if ident else None
            if now is not None and now.data["gone"] and item.state is NotificationState.NEW:
                await self._end(now, lambda other, ident=item.id: other.id == ident)  # type: ignore[misc]

    async def _end(self, conflict: Context, which: Callable[[Notification], bool]) -> None:
        why = str(conflict.data.get("why") or "they no longer overlap")

        def of_it(item: Notification) -> bool:
            return conflict_of(item.source) == conflict.context_id and which(item)

        async def once() -> None:
            async with self._store.unit():
                words, moved = await self._cards.end(why, of_it)
                if moved:
                    await self._record(f"closed, as {why}: {words}", moved)

        await asyncio.create_task(anew(once))  # a task of its own is outside the handler's unit


def conflict_of(source: str) -> str:
    """Return the id of the conflict that the signal ``source`` tells of; empty if it tells of none."""
    ident = source.removeprefix(_SIGNAL).rpartition("_")[0]
    return ident if source.startswith(_SIGNAL) and ident.startswith("conflict_") else ""
