"""Items with a time: a snoozed one comes back then; a question expires visibly, never while it is snoozed."""

from __future__ import annotations

import asyncio
from typing import Final

from pepper_tui.clock import Clock, Timers
from pepper_tui.domains.notices.items import OPEN, Items, anew
from pepper_tui.domains.notices.staleness import why_stale
from pepper_tui.model import Notification, NotificationState
from pepper_tui.store import Store

_NOT_IN_TIME: Final = "no answer came in time"


class Timed:
    """Wakes at the times of items. It moves them under ``acting``, as the inbox does."""

    def __init__(self, store: Store, clock: Clock, timers: Timers, items: Items, acting: asyncio.Lock) -> None:
        self._store, self._clock, self._timers, self._items = store, clock, timers, items
        self._acting = acting

    def arm(self, item: Notification) -> None:
        """Wake at the times of ``item``, which is open."""
        if item.expires_at is not None:
            self._timers.schedule(f"expires:{item.id}", item.expires_at, lambda: self._expire(item.id))
        # only for what is committed, and never cancelled: the caller's unit may fail, and ``_return`` checks again
        if item.snoozed_until is not None:
            self._timers.schedule(f"snooze:{item.id}", item.snoozed_until, lambda: self._return(item.id))

    async def _expire(self, notification_id: str) -> None:
        async with self._acting:
            context = await self._items.get(notification_id)
            item = Notification.one(context)
            if context is None or item is None or item.state not in OPEN or item.expires_at is None:
                return
            if item.expires_at > self._clock.now():
                self.arm(item)
                return
            await self._items.withdraw(context, _NOT_IN_TIME)

    async def _return(self, notification_id: str) -> None:
        async def look() -> None:
            context = await self._items.get(notification_id)
            item = Notification.of(context) if context else None
            if context is None or item is None or item.state is not NotificationState.SNOOZED:
                return
            if (item.snoozed_until or 0.0) > self._clock.now():
                self.arm(item)
                return
            stale = await why_stale(self._store, self._items, item, self._clock.now())
            if stale:
                await self._items.withdraw(context, stale)
                return
            await self._items.move(context, item, NotificationState.NEW, {"returned": self._clock.now()})

        async with self._acting:
            await anew(look)
