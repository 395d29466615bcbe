"""The inbox of notifications: seen, done, dismissed, snoozed, and back.

Every change goes through the state table and reports what it moved, so that it can be undone. A snoozed item comes back
at its time. Items of one matter stand beside each other: each is a request of its own, which the user closes or
answers. Only if the matter is a state (``matter_kind``) does the newest item of a source replace the earlier. The same
is not announced again within ``SAME_WINDOW``: another item of the same signal, an equal one that comes from no signal,
or a state as it was told last. What recurs by the clock is never the same. A withdrawn item has the reason in its
metadata (``withdrawn``). A question that a call waits for expires visibly, never while snoozed, and ends with its call.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from math import inf
from typing import Final

from pepper_tui.clock import Clock, Timers
from pepper_tui.domains.notices.acquaintance import Acquaintance
from pepper_tui.domains.notices.announcing import Announcing
from pepper_tui.domains.notices.items import OPEN, OVER, InboxError, Items, anew
from pepper_tui.domains.notices.offers import Offers
from pepper_tui.domains.notices.timed import Timed
from pepper_tui.domains.notices.told import UNPAIRED
from pepper_tui.model import (
    NOTIFICATION,
    SETTLED,
    Acted,
    Context,
    ContextUpdate,
    Json,
    Moved,
    Namespace,
    Notification,
    NotificationState,
    ReminderState,
    SettledError,
)
from pepper_tui.store import Following, Store
from pepper_tui.text import one_line

__all__ = ["Inbox", "InboxError"]

_ACTS: Final = {
    NotificationState.DONE: "done",
    NotificationState.DISMISSED: "dismissed",
    NotificationState.SNOOZED: "snoozed",
}
_AFTER_SNOOZE: Final = 86_400.0  # seconds that a snoozed question lives at least after it is back
_KNOWS: Final = "who asked knows already that you did not say; say it in the conversation"
_NO_LONGER: Final = "who asked does not wait for it any more"


class Inbox:
    """The user's acts on notifications, and withdrawals. Ids may carry the prefix ``notification:``."""

    def __init__(self, store: Store, clock: Clock, timers: Timers, acquaintance: Acquaintance | None = None) -> None:
        """Create it. ``acquaintance`` tells how well the user knows a sender; without it all are unknown."""
        self._store, self._clock = store, clock
        self._acting = asyncio.Lock()
        self._items = Items(store)
        self._offers = Offers(store)
        self._timed = Timed(store, clock, timers, self._items, self._acting)
        self._announcing = Announcing(store, clock, self._items, acquaintance or Acquaintance(store))
        self._following = Following(
            store, [Namespace.NOTIFICATION], resume=self._resume, take=self._take, name="attention.inbox"
        )

    async def start(self) -> None:
        """Arm the returns of snoozed items and follow new ones."""
        await self._following.start()

    async def stop(self) -> None:
        await self._following.stop()

    # ------------------------------------------------------------------------------------------- the user's acts

    async def seen(self, ref: str) -> None:
        """Mark as seen, if it is new. Undo does not count this as an act."""

        async def look() -> None:
            context, item = await self._items.load(ref)
            if item.state is NotificationState.NEW:
                await self._items.move(context, item, NotificationState.SEEN)

        async with self._acting:
            await anew(look)

    async def done(self, *refs: str) -> Acted:
        """File them as done; the reminders of an offer count as read. In the caller's unit, if there is one."""
        return await self._act(refs, NotificationState.DONE)

    async def dismiss(self, *refs: str) -> Acted:
        """Drop them; the reminders of an offer are cancelled. Unit as for ``done``."""
        return await self._act(refs, NotificationState.DISMISSED)

    async def snooze(self, until: float, *refs: str) -> Acted:
        """Put them away until ``until``. Unit as for ``done``. Raises ``InboxError`` for a past time."""
        if until <= self._clock.now():
            raise InboxError("that time is past; snooze until a later one")
        return await self._act(refs, NotificationState.SNOOZED, until)

    async def back(self, moved: Sequence[Moved]) -> str:
        """Undo an act, for those items that are still as it left them. In the caller's unit.

        Raises ``SettledError`` if there are none.
        """
        async with self._acting:
            taken, known = [], False
            for one in moved:
                context = await self._items.get(one.id)
                item = Notification.one(context)
                if context is None or item is None or item.state != one.to or _again_snoozed(item, one):
                    continue
                if context.metadata.get(SETTLED) or not await self._items.is_waited_for(item):
                    known = True
                    continue
                await self._items.move(context, item, NotificationState.NEW, {"withdrawn": None, OVER: None})
                for reminder_id, state in one.detail.get("reminders", []):
                    await self._offers.put_back(reminder_id, ReminderState(state))
                taken.append(item)
        if not taken:
            raise SettledError(_KNOWS if known else "the notice is no more as it was then")
        return f"back: {_called(taken)}"

    async def again(self, moved: Sequence[Moved]) -> str:
        """Redo what ``back`` has undone. In the caller's unit. Raises ``SettledError``."""
        to, until = NotificationState(moved[0].to), moved[0].detail.get("until")
        try:
            if until is not None:
                return (await self.snooze(until, *(one.id for one in moved)))[0]
            return (await self._act([one.id for one in moved], to))[0]
        except InboxError as error:
            raise SettledError(str(error)) from error

    # ------------------------------------------------------------------------------------------- announcing

    async def announce(self, item: Notification) -> Context | None:
        """Store a new item, in the caller's unit if there is one; if it is a state, older items are withdrawn.

        Returns ``None`` if the same was announced already: then it is kept as withdrawn and never shown.
        """
        async with self._acting:
            return await self._announcing.announce(item)

    async def withdraw(self, matter: str, why: str, *, senders: Collection[str] = (), before: float = inf) -> Acted:
        """Close the open requests of a matter that has resolved itself, in the caller's unit.

        If given, only those of ``senders`` (addresses in lower case), and only those from before ``before``. If there
        are none, the returned words are empty.
        """
        async with self._acting:
            found = [c for c in await self._items.open() if c.data.get("matter") == matter and matter]
            found = [c for c in found if not senders or str(c.data.get("sender", "")).lower() in senders]
            found = [c for c in found if c.created_at <= before and c.data.get("kind") not in UNPAIRED]
            return await self._withdraw(found, why)

    async def withdraw_from(self, source: str, why: str, which: Callable[[Notification], bool]) -> Acted:
        """Close those open requests that came of ``source`` itself and are picked by ``which``; as ``withdraw``."""
        async with self._acting:
            found = [c for c in await self._items.open() if c.data.get("source") == source]
            found = [c for c in found if c.data.get("kind") not in UNPAIRED]
            return await self._withdraw([c for c in found if which(Notification.of(c))], why)

    async def end(self, why: str, which: Callable[[Notification], bool]) -> Acted:
        """Close those open items that ``which`` picks, as what they tell is no longer so; as ``withdraw``.

        If it is so again, it is told again, however soon.
        """
        async with self._acting:
            found = [c for c in await self._items.open() if c.data.get("kind") not in UNPAIRED]
            ended = [c for c in found if which(Notification.of(c))]
            acted = await self._withdraw(ended, why, over=True)
            self._announcing.forget([Notification.of(c) for c in ended])
            return acted

    async def settle(self, ref: str, version: int) -> bool:
        """Make the closing of a question final; return False if its version has changed."""
        return await self._items.settle(ref, version)

    async def close(self, ref: str, why: str) -> None:
        """Withdraw one item, if it is open; in the caller's unit, if there is one."""
        async with self._acting:
            context = await self._items.get(ref)
            if context is not None:
                await self._items.withdraw(context, why)

    # ------------------------------------------------------------------------------------------- inside

    async def _withdraw(self, found: Sequence[Context], why: str, *, over: bool = False) -> Acted:
        async with self._store.unit():
            items = [Notification.of(each) for each in found if await self._items.withdraw(each, why, over=over)]
        return _called(items) if items else "", [_moved(item.id, NotificationState.DONE) for item in items]

    async def _act(self, refs: Sequence[str], state: NotificationState, until: float | None = None) -> Acted:
        """Move the items; those that can no longer be moved stay as they are, unless that is all of them."""
        async with self._acting:
            loaded = [await self._items.load(ref) for ref in dict.fromkeys(refs)]
            moving = [(context, item) for context, item in loaded if NOTIFICATION.allows(item.state, state)]
            if not moving:
                raise InboxError(f"it is {loaded[0][1].state} already")
            moved = []
            async with self._store.unit():
                for context, item in moving:
                    item.snoozed_until = until
                    if until is not None and item.expires_at is not None:
                        item.expires_at = max(item.expires_at, until + _AFTER_SNOOZE)
                    await self._items.move(context, item, state)
                    detail: Json = {"until": until} if until is not None else {}
                    if reminders := await self._offers.answer(context, item, state):
                        detail["reminders"] = reminders
                    moved.append(_moved(item.id, state, detail))
            return f"{_ACTS[state]}: {_called([item for _, item in moving])}", moved

    async def _take(self, updates: list[ContextUpdate]) -> None:
        for update in updates:
            for item in [] if update.deleted else Notification.readable([update.context]):
                self._announcing.committed(item)
                if update.context.version == 1 and item.state is NotificationState.NEW:
                    async with self._acting:
                        await self._announcing.arrived(item)
                    if not await self._items.is_waited_for(item):  # its call was cancelled at the same moment
                        await self.close(item.id, _NO_LONGER)
                if item.state is NotificationState.SNOOZED or (item.expires_at is not None and item.state in OPEN):
                    self._timed.arm(item)

    async def _resume(self) -> None:
        for item in Notification.readable(await self._items.open()):
            # a crash may come between the end of a call and that of its question
            if not await self._items.is_waited_for(item):
                await self.close(item.id, _NO_LONGER)
            elif item.state is NotificationState.SNOOZED or item.expires_at is not None:
                self._timed.arm(item)
        await self._announcing.recall()


def _moved(ident: str, to: NotificationState, detail: Json | None = None) -> Moved:
    return Moved(Namespace.NOTIFICATION, ident, str(to), detail or {})


def _again_snoozed(item: Notification, moved: Moved) -> bool:
    """Check whether it came back meanwhile, and was snoozed again, until another time."""
    return item.state is NotificationState.SNOOZED and item.snoozed_until != moved.detail.get("until")


def _called(items: Sequence[Notification]) -> str:
    more = f" and {len(items) - 1} more" if len(items) > 1 else ""
    return one_line(items[0].title, 60) + more
