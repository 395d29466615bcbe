"""Ends the cards of a conflict that is no more, and of an invitation that was answered elsewhere, with the reason.

A card may come only after that, since a rule or a model takes its time: then it ends at once. Whoever takes the card
back keeps it: a conflict ends once, and so does an invitation.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Protocol

from pepper_tui.domains.notices.items import anew
from pepper_tui.model import (
    OPEN_TAG,
    QUESTION,
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
OVER: Final = "over"
"""The tag of a conflict that is no more, and of an event that no longer waits for an answer."""
_WHY: Final = {"conflict": "they no longer overlap", "event": "it no longer waits for your answer"}
_SIGNAL: Final = f"{Namespace.SIGNALS}.calendar:signal_"
_SUBSCRIPTION: Final = "calendar.settled"


class Cards(Protocol):
    """The inbox, as far as it is needed here."""

    async def end(self, why: str, which: Callable[[Notification], bool], /) -> Acted: ...


Record = Callable[[str, Sequence[Moved]], Awaitable[None]]
"""Notes an act in words, and what it moved, so that it can be undone; in the caller's unit."""


class SettledCards:
    """Follows conflicts and invitations."""

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
        if not update.deleted and now is not None and _is_over(now):  # it may be back already
            await self._end(now, lambda _: True)

    async def _came(self, update: ContextUpdate) -> None:
        if update.deleted or update.context.version > 1:
            return
        for item in Notification.readable([update.context]):
            ident = told_of(item)
            now = await self._store.get(ident, namespace=RAW) if ident else None
            if now is not None and _is_over(now) and item.state is NotificationState.NEW:
                await self._end(now, lambda other, ident=item.id: other.id == ident)  # type: ignore[misc]

    async def _end(self, settled: Context, which: Callable[[Notification], bool]) -> None:
        why = str(settled.data.get("why") or _WHY[settled.type])

        def of_it(item: Notification) -> bool:
            return told_of(item) == settled.context_id and which(item)

        async def once() -> None:
            async with self._store.unit():
                words, moved = await self._cards.end(why, of_it)
                if moved:
                    await self._record(f"closed, as {why}: {words}", moved)

        await asyncio.create_task(anew(once))  # a task of its own is outside the handler's unit


def told_of(item: Notification) -> str:
    """Return the id of the conflict that a card tells of, or of the event that it asks about; else empty."""
    ident = item.source.removeprefix(_SIGNAL).rpartition("_")[0]
    ends = ident.startswith("conflict_") or (item.kind == QUESTION and ident.startswith("event_"))
    return ident if item.source.startswith(_SIGNAL) and ends else ""


def _is_over(settled: Context) -> bool:
    return bool(settled.data["gone"]) if settled.type == "conflict" else OVER in settled.tags
