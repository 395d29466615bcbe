"""Announcing an item: a repetition is kept as withdrawn and never shown; a state replaces the earlier items."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from pepper_tui.clock import Clock
from pepper_tui.domains.notices.acquaintance import Acquaintance
from pepper_tui.domains.notices.items import ALL, OVER, Items
from pepper_tui.domains.notices.told import SAME_WINDOW, UNPAIRED, Told, same_state
from pepper_tui.model import (
    NOTIFICATION,
    OPEN_TAG,
    Context,
    ContextFilter,
    Namespace,
    Notification,
    NotificationState,
)
from pepper_tui.store import Store

_TOLD_BEFORE: Final = "the same was announced before"


class Announcing:
    """Stores new items, and takes in those that others have stored. The inbox calls all of it, one call at a time."""

    def __init__(self, store: Store, clock: Clock, items: Items, acquaintance: Acquaintance) -> None:
        self._store, self._clock, self._items, self._acquaintance = store, clock, items, acquaintance
        self._told = Told()

    async def announce(self, item: Notification) -> Context | None:
        """Store a new item; see ``Inbox.announce``."""
        await self._acquaintance.introduce(item)
        text = f"{item.title}\n{item.body}"
        if self._told.before(item):
            item.state = NOTIFICATION.move(item.state, NotificationState.DONE)
            withdrawn = {"withdrawn": _TOLD_BEFORE}
            await self._store.put(item, namespace=Namespace.NOTIFICATION, text=text, metadata=withdrawn)
            return None
        context = await self._store.put(item, namespace=Namespace.NOTIFICATION, text=text, tags=[OPEN_TAG])
        await self._settle(item, self._told.announce)
        return context

    async def arrived(self, item: Notification) -> None:
        """Take in an item that another part stored: suppress a repetition; a state replaces older items."""
        if self._told.before(item):
            context = await self._items.get(item.id)
            if context:
                await self._items.withdraw(context, _TOLD_BEFORE)
            return
        await self._settle(item, self._told.note)

    def committed(self, item: Notification) -> None:
        """Count the item for everybody; see ``Told.committed``."""
        self._told.committed(item)

    def forget(self, items: Iterable[Notification]) -> None:
        """Count the items as not told."""
        for item in items:
            self._told.forget(item)

    async def recall(self) -> None:
        """Load what was told recently."""
        recent = await self._store.query(
            ContextFilter(
                namespaces=[Namespace.NOTIFICATION],
                since=self._clock.now() - SAME_WINDOW,
                newest_first=False,
                limit=ALL,
                include_expired=True,
            )
        )
        # what was suppressed was not told: if what told the same is lost in a crash, it has to be told again
        told = [c for c in recent if c.metadata.get("withdrawn") != _TOLD_BEFORE and not c.metadata.get(OVER)]
        for item in Notification.readable(sorted(told, key=lambda c: c.created_at)):
            self._told.committed(item)
            self._told.note(item)

    async def _settle(self, item: Notification, note: Callable[[Notification], None]) -> None:
        newest = self._told.newest(item)
        if item.matter_kind == "state" and newest is not None and newest[1] > item.created_at:
            return
        note(item)
        settled = newest is not None and newest[0] == item.id
        if settled or not item.matter or item.kind in UNPAIRED or item.matter_kind != "state":
            return
        for context in await self._items.open():
            older = context.data
            if context.context_id == item.id or older.get("created_at", 0.0) > item.created_at:
                continue
            if same_state(older, item):
                await self._items.withdraw(context, f"replaced by {item.id}")
