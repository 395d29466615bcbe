"""The inbox of notifications: seen, done, dismissed, snoozed, and back.

Every change goes through the state table and tells what it moved, so that it can be taken back. A snoozed item comes
back at its time. Items of one matter stand beside each other: each is a request of its own, which the user closes, or
answers. Only where the matter is a state (``matter_kind``) does the newest of one source replace those before. The same
is not announced again within ``SAME_WINDOW``: another item of the same signal, an equal one that comes from no signal,
or a state as it was told last. What recurs by the clock is never the same. What is withdrawn says why in its metadata
(``withdrawn``). A question that a call waits for expires visibly, never while it is snoozed, and goes with its call.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Collection, Sequence
from math import inf
from typing import Final, TypeVar

from pepper_tui.clock import Clock, Timers
from pepper_tui.domains.notices.acquaintance import Acquaintance
from pepper_tui.domains.notices.told import SAME_WINDOW, UNPAIRED, Told, same_state
from pepper_tui.model import (
    CALL_OPEN,
    NOTIFICATION,
    OPEN_TAG,
    REMINDER,
    Acted,
    CallState,
    Context,
    ContextFilter,
    ContextUpdate,
    Effect,
    Json,
    Moved,
    Namespace,
    Notification,
    NotificationState,
    Reminder,
    ReminderState,
    SettledError,
    ToolCall,
)
from pepper_tui.store import Following, Store, VersionConflictError
from pepper_tui.text import one_line
from pepper_tui.text.errors import Foreseen

T = TypeVar("T")
_ACTS: Final = {
    NotificationState.DONE: "done",
    NotificationState.DISMISSED: "dismissed",
    NotificationState.SNOOZED: "snoozed",
}
_OPEN: Final = frozenset({NotificationState.NEW, NotificationState.SEEN, NotificationState.SNOOZED})
_SIGNALS: Final = f"{Namespace.SIGNALS}."
_ALL: Final = 100_000
_AFTER_SNOOZE: Final = 86_400.0  # a snoozed question lives at least so long after it is back
_KNOWS: Final = "who asked knows already that you did not say; say it in the conversation"
_NO_LONGER: Final = "who asked does not wait for it any more"
_NOT_IN_TIME: Final = "no answer came in time"
_TOLD_BEFORE: Final = "the same was announced before"
_TRIES: Final = 4
_LOOKED_AT: Final = 5_000  # newest signals and calls in which a matter's later course is looked for


class InboxError(ValueError, Foreseen):
    """An act is not possible; the words say why."""


class Inbox:
    """Acts of the user, and of withdrawal, on notifications. Ids may carry the prefix ``notification:``."""

    def __init__(self, store: Store, clock: Clock, timers: Timers, acquaintance: Acquaintance | None = None) -> None:
        """``acquaintance`` knows how well the user knows a sender; without it all are unknown."""
        self._store, self._clock, self._timers = store, clock, timers
        self._acquaintance = acquaintance or Acquaintance(store)
        self._told = Told()
        self._acting = asyncio.Lock()
        self._following = Following(
            store, [Namespace.NOTIFICATION], take_up=self._take_up, take=self._take, name="attention.inbox"
        )

    async def start(self) -> None:
        """Arm the returns of snoozed items and follow new ones."""
        await self._following.start()

    async def stop(self) -> None:
        await self._following.stop()

    # ------------------------------------------------------------------------------------------- the user's acts

    async def seen(self, ref: str) -> None:
        """Mark as seen; without effect unless it is new. Not an act that undo counts."""

        async def look() -> None:
            context, item = await self._load(ref)
            if item.state is NotificationState.NEW:
                await self._move(context, item, NotificationState.SEEN)

        async with self._acting:
            await _anew(look)

    async def done(self, *refs: str) -> Acted:
        """File them as done; of an offer: its reminders count as read. In the caller's unit, if there is one."""
        return await self._act(refs, NotificationState.DONE)

    async def dismiss(self, *refs: str) -> Acted:
        """Drop them; of an offer: its reminders are cancelled. As ``done``."""
        return await self._act(refs, NotificationState.DISMISSED)

    async def snooze(self, until: float, *refs: str) -> Acted:
        """Put them away until ``until``. As ``done``. Raises ``InboxError`` for a past time."""
        if until <= self._clock.now():
            raise InboxError("that time is past; snooze until a later one")
        return await self._act(refs, NotificationState.SNOOZED, until)

    async def back(self, moved: Sequence[Moved]) -> str:
        """Take an act back: of those it moved, those that are still as it left them. In the caller's unit.

        Raises ``SettledError`` where none is.
        """
        async with self._acting:
            taken, known = [], False
            for one in moved:
                context = await self._store.get(one.id, namespace=Namespace.NOTIFICATION)
                item = Notification.one(context)
                if context is None or item is None or item.state != one.to or _again_snoozed(item, one):
                    continue
                if not await self._is_waited_for(item):
                    known = True
                    continue
                await self._move(context, item, NotificationState.NEW, {"withdrawn": None})
                for reminder_id, state in one.detail.get("reminders", []):
                    await self._put_back(reminder_id, ReminderState(state))
                taken.append(item)
        if not taken:
            raise SettledError(_KNOWS if known else "the notice is no more as it was then")
        return f"back: {_called(taken)}"

    async def again(self, moved: Sequence[Moved]) -> str:
        """Do again what ``back`` took back. In the caller's unit. Raises ``SettledError``."""
        to, until = NotificationState(moved[0].to), moved[0].detail.get("until")
        try:
            if until is not None:
                return (await self.snooze(until, *(one.id for one in moved)))[0]
            return (await self._act([one.id for one in moved], to))[0]
        except InboxError as error:
            raise SettledError(str(error)) from error

    # ------------------------------------------------------------------------------------------- announcing

    async def announce(self, item: Notification) -> Context | None:
        """Store a new item, in the caller's unit where there is one; of a state, older ones are withdrawn with it.

        ``None`` where the same was announced already: it is kept as withdrawn and never shown.
        """
        async with self._acting:
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

    async def withdraw(self, matter: str, why: str, *, senders: Collection[str] = (), before: float = inf) -> Acted:
        """Close the open requests of a matter that has resolved itself, in the caller's unit; of none the words are "".

        Where given, only those of ``senders`` (addresses in lower case), and only those from before ``before``.
        """
        async with self._acting:
            found = [c for c in await self._open() if c.data.get("matter") == matter and matter]
            found = [c for c in found if not senders or str(c.data.get("sender", "")).lower() in senders]
            found = [c for c in found if c.created_at <= before and c.data.get("kind") not in UNPAIRED]
            async with self._store.unit():
                items = [Notification.of(context) for context in found if await self._close(context, why)]
            return _called(items) if items else "", [_moved(item.id, NotificationState.DONE) for item in items]

    async def close(self, ref: str, why: str) -> None:
        """Withdraw one item, if it is open; in the caller's unit, if there is one."""
        async with self._acting:
            context = await self._store.get(ref.removeprefix("notification:"), namespace=Namespace.NOTIFICATION)
            if context is not None:
                await self._close(context, why)

    # ------------------------------------------------------------------------------------------- inside

    async def _act(self, refs: Sequence[str], state: NotificationState, until: float | None = None) -> Acted:
        """Move the items; those that can't be moved any more are left as they are, unless none is left."""
        async with self._acting:
            loaded = [await self._load(ref) for ref in dict.fromkeys(refs)]
            moving = [(context, item) for context, item in loaded if NOTIFICATION.allows(item.state, state)]
            if not moving:
                raise InboxError(f"it is {loaded[0][1].state} already")
            moved = []
            async with self._store.unit():
                for context, item in moving:
                    item.snoozed_until = until
                    if until is not None and item.expires_at is not None:
                        item.expires_at = max(item.expires_at, until + _AFTER_SNOOZE)
                    await self._move(context, item, state)
                    detail: Json = {"until": until} if until is not None else {}
                    if reminders := await self._answer_offer(context, item, state):
                        detail["reminders"] = reminders
                    moved.append(_moved(item.id, state, detail))
            return f"{_ACTS[state]}: {_called([item for _, item in moving])}", moved

    async def _answer_offer(self, context: Context, item: Notification, state: NotificationState) -> list[list[str]]:
        """Move the reminders that an offer asks about; pairs of id and new state."""
        to = {NotificationState.DONE: ReminderState.FIRED, NotificationState.DISMISSED: ReminderState.CANCELLED}.get(
            state
        )
        if item.kind != "offer" or to is None:
            return []
        moved = []
        for reminder_id in context.metadata.get("reminders", []):
            saved = await self._store.get(reminder_id, namespace=Namespace.REMINDER)
            if saved is None:
                continue
            reminder = Reminder.of(saved)
            if reminder.state is not ReminderState.OFFERED:
                continue
            reminder.state = REMINDER.move(reminder.state, to)
            await self._store_reminder(saved, reminder, set(saved.tags) - {OPEN_TAG})
            moved.append([reminder_id, str(to)])
        return moved

    async def _put_back(self, reminder_id: str, state: ReminderState) -> None:
        """Offer a reminder again whose answer is taken back; one that has moved on since stays as it is."""
        saved = await self._store.get(reminder_id, namespace=Namespace.REMINDER)
        if saved is None:
            return
        reminder = Reminder.of(saved)
        if reminder.state is state:
            reminder.state = REMINDER.move(reminder.state, ReminderState.OFFERED)
            await self._store_reminder(saved, reminder, {*saved.tags, OPEN_TAG})

    async def _store_reminder(self, saved: Context, reminder: Reminder, tags: set[str]) -> None:
        await self._store.put(
            reminder,
            namespace=Namespace.REMINDER,
            type=saved.type,
            text=saved.text,
            tags=tags,
            metadata=saved.metadata,
            expect_version=saved.version,
        )

    async def _load(self, ref: str) -> tuple[Context, Notification]:
        context = await self._store.get(ref.removeprefix("notification:"), namespace=Namespace.NOTIFICATION)
        if context is None:
            raise InboxError("there is no such item in the inbox")
        return context, Notification.of(context)

    async def _move(
        self, context: Context, item: Notification, state: NotificationState, metadata: Json | None = None
    ) -> None:
        item.state = NOTIFICATION.move(item.state, state)
        if state is not NotificationState.SNOOZED:
            item.snoozed_until = None
        tags = set(context.tags) - {OPEN_TAG}
        if item.state in _OPEN:
            tags.add(OPEN_TAG)
        await self._store.put(
            item,
            namespace=Namespace.NOTIFICATION,
            type=context.type,
            text=context.text,
            tags=tags,
            metadata={key: value for key, value in (context.metadata | (metadata or {})).items() if value is not None},
            expect_version=context.version,
        )

    async def _close(self, context: Context, why: str) -> bool:
        """Whether it was open still."""

        async def look() -> bool:
            found = await self._store.get(context.context_id, namespace=Namespace.NOTIFICATION)
            item = Notification.one(found)
            if found is None or item is None or item.state not in _OPEN:
                return False
            await self._move(found, item, NotificationState.DONE, {"withdrawn": why})
            return True

        return await _anew(look)

    async def _open(self) -> list[Context]:
        return await self._store.query(
            ContextFilter(namespaces=[Namespace.NOTIFICATION], tags=[OPEN_TAG], limit=_ALL, include_expired=True)
        )

    async def _is_waited_for(self, item: Notification) -> bool:
        """Whether an answer to ``item`` would reach whoever asked; of what asks nothing, true."""
        if not item.awaited:
            return True
        found = await self._store.get(item.source.partition(":")[2], namespace=Namespace.TOOL_CALL)
        call = ToolCall.one(found)
        return call is not None and call.state in CALL_OPEN

    # ------------------------------------------------------------------------------------------- items with a time

    def _arm(self, item: Notification) -> None:
        if item.expires_at is not None:
            self._timers.schedule(f"expires:{item.id}", item.expires_at, lambda: self._expire(item.id))
        # only for what is committed, and never cancelled: the caller's unit may fail, and ``_return`` looks again
        if item.snoozed_until is not None:
            self._timers.schedule(_timer(item.id), item.snoozed_until, lambda: self._return(item.id))

    async def _expire(self, notification_id: str) -> None:
        async with self._acting:
            context = await self._store.get(notification_id, namespace=Namespace.NOTIFICATION)
            item = Notification.one(context)
            if context is None or item is None or item.state not in _OPEN or item.expires_at is None:
                return
            if item.expires_at > self._clock.now():
                self._arm(item)
                return
            await self._close(context, _NOT_IN_TIME)

    async def _return(self, notification_id: str) -> None:
        async def look() -> None:
            context = await self._store.get(notification_id, namespace=Namespace.NOTIFICATION)
            item = Notification.of(context) if context else None
            if context is None or item is None or item.state is not NotificationState.SNOOZED:
                return
            if (item.snoozed_until or 0.0) > self._clock.now():
                self._arm(item)
                return
            stale = await self._stale(item)
            if stale:
                await self._close(context, stale)
                return
            await self._move(context, item, NotificationState.NEW, {"returned": self._clock.now()})

        async with self._acting:
            await _anew(look)

    async def _stale(self, item: Notification) -> str:
        """Why ``item``, put away earlier, need not come back; empty where it should."""
        if not item.matter or item.kind in UNPAIRED:
            return ""
        since = ContextFilter(
            namespaces=[f"{Namespace.SIGNALS}.*", Namespace.TOOL_CALL], limit=_LOOKED_AT, include_expired=True
        )
        # a feed of the user's may name the matter of a mail or an event: how that went on its own source says
        tells = {"mail": f"{_SIGNALS}mail", "event": f"{_SIGNALS}calendar"}.get(item.matter.partition(":")[0])
        of_it = [
            c
            for c in await self._store.query(since)
            if c.data.get("matter") == item.matter and (not tells or c.namespace in (tells, Namespace.TOOL_CALL))
        ]
        later = [c for c in of_it if c.updated_at > item.created_at]
        if any(c.data.get("effect") == Effect.SEND and c.data.get("state") == CallState.SUCCEEDED for c in later):
            return "it was answered meanwhile"
        if any(c.data.get("metadata", {}).get("kind") == "own" for c in later):
            return "you answered it meanwhile"
        facts: Json = next((c.data["metadata"] for c in of_it if c.namespace != Namespace.TOOL_CALL), {})
        if facts.get("kind") == "cancelled":
            return "it was cancelled meanwhile"
        if isinstance(facts.get("end"), int | float) and facts["end"] <= self._clock.now():
            return "it is over"
        for other in await self._open() if item.matter_kind == "state" else ():
            if same_state(other.data, item) and other.data.get("created_at", 0.0) > item.created_at:
                return f"replaced by {other.context_id}"
        return ""

    # ------------------------------------------------------------------------------------------- one matter

    async def _take(self, updates: list[ContextUpdate]) -> None:
        for update in updates:
            for item in [] if update.deleted else Notification.readable([update.context]):
                self._told.committed(item)
                if update.context.version == 1 and item.state is NotificationState.NEW:
                    await self._arrived(item)
                    if not await self._is_waited_for(item):  # its call was cancelled in the same moment
                        await self.close(item.id, _NO_LONGER)
                if item.state is NotificationState.SNOOZED or (item.expires_at is not None and item.state in _OPEN):
                    self._arm(item)

    async def _take_up(self) -> None:
        for item in Notification.readable(await self._open()):
            if not await self._is_waited_for(item):  # a crash may come between a call's end and that of its question
                await self.close(item.id, _NO_LONGER)
            elif item.state is NotificationState.SNOOZED or item.expires_at is not None:
                self._arm(item)
        recent = await self._store.query(
            ContextFilter(
                namespaces=[Namespace.NOTIFICATION],
                since=self._clock.now() - SAME_WINDOW,
                newest_first=False,
                limit=_ALL,
                include_expired=True,
            )
        )
        # what was held back tells nobody: should what told the same be gone with a crash, it has to be told again
        told = [context for context in recent if context.metadata.get("withdrawn") != _TOLD_BEFORE]
        for item in Notification.readable(sorted(told, key=lambda c: c.created_at)):
            self._told.committed(item)
            self._told.note(item)

    async def _arrived(self, item: Notification) -> None:
        """An item that another part stored: hold back a repetition; of a state, let it replace older ones."""
        async with self._acting:
            if self._told.before(item):
                context = await self._store.get(item.id, namespace=Namespace.NOTIFICATION)
                if context:
                    await self._close(context, _TOLD_BEFORE)
                return
            await self._settle(item, self._told.note)

    async def _settle(self, item: Notification, note: Callable[[Notification], None]) -> None:
        newest = self._told.newest(item)
        if item.matter_kind == "state" and newest is not None and newest[1] > item.created_at:
            return
        note(item)
        settled = newest is not None and newest[0] == item.id
        if settled or not item.matter or item.kind in UNPAIRED or item.matter_kind != "state":
            return
        for context in await self._open():
            older = context.data
            if context.context_id == item.id or older.get("created_at", 0.0) > item.created_at:
                continue
            if same_state(older, item):
                await self._close(context, f"replaced by {item.id}")


async def _anew(act: Callable[[], Awaitable[T]]) -> T:
    """Do ``act``, which looks before it moves; anew where a unit that was open then has moved the same meanwhile."""
    for _ in range(_TRIES - 1):
        with contextlib.suppress(VersionConflictError):
            return await act()
    return await act()


def _moved(ident: str, to: NotificationState, detail: Json | None = None) -> Moved:
    return Moved(Namespace.NOTIFICATION, ident, str(to), detail or {})


def _again_snoozed(item: Notification, moved: Moved) -> bool:
    """Whether it came back since, and was put away once more, until another time."""
    return item.state is NotificationState.SNOOZED and item.snoozed_until != moved.detail.get("until")


def _called(items: Sequence[Notification]) -> str:
    more = f" and {len(items) - 1} more" if len(items) > 1 else ""
    return one_line(items[0].title, 60) + more


def _timer(notification_id: str) -> str:
    return f"snooze:{notification_id}"
