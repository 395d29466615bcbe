"""Reminders: promises to speak at a certain time, kept across restarts, suspends and clock jumps.

A firing writes its notification and moves the reminder in one unit; the notification's id is made from the reminder and
the occurrence, so nothing fires twice. A one-shot late by ``LATE_LIMIT`` or less fires once, marked late; older ones
become one inbox item of kind ``offer`` that asks (done = keep as read, dismiss = drop). A repeating one fires its
newest occurrence only.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from datetime import datetime, tzinfo
from typing import Final

from pepper_tui.clock import Clock, Timers
from pepper_tui.clock.recurrence import newest_and_next, zone_of
from pepper_tui.clock.words.spoken import rhythm
from pepper_tui.model import (
    FROM_MODEL,
    OPEN_TAG,
    REMINDER,
    Context,
    ContextFilter,
    ContextUpdate,
    Namespace,
    Notification,
    Priority,
    Reminder,
    ReminderState,
)
from pepper_tui.store import Following, Store, StoreError
from pepper_tui.store.rewrite import rewrite
from pepper_tui.text import one_line

log = logging.getLogger(__name__)
_AGAIN: Final = 60.0  # seconds until a reminder that could not be told is tried again
LATE_LIMIT: Final = 86_400.0  # seconds by which a one-shot may be late and still fire
LATE_MARK: Final = 60.0  # seconds from which a firing is called late
_KEY: Final = "reminders"
_ALL: Final = 1_000_000


class Reminders:
    """Watches the namespace ``reminder`` and fires what is due."""

    def __init__(self, store: Store, clock: Clock, timers: Timers, zone: tzinfo) -> None:
        self._store, self._clock, self._timers, self._zone = store, clock, timers, zone
        self._due: dict[str, float] = {}
        self._following = Following(
            store, [Namespace.REMINDER], resume=self._resume, take=self._take_in, name="attention.reminders"
        )
        self._firing = asyncio.Lock()

    async def start(self) -> None:
        """Load all waiting reminders; what fell due meanwhile fires immediately."""
        await self._following.start()

    async def stop(self) -> None:
        self._timers.cancel(_KEY)
        await self._following.stop()

    async def _take_in(self, updates: list[ContextUpdate]) -> None:
        for update in updates:
            self._take(update.context, gone=update.deleted)
        self._arm()

    async def _resume(self) -> None:
        waiting = await self._store.query(
            ContextFilter(namespaces=[Namespace.REMINDER], tags=[OPEN_TAG], limit=_ALL, include_expired=True)
        )
        self._due.clear()
        for context in waiting:
            self._take(context)
        self._arm()

    def _take(self, context: Context, gone: bool = False) -> None:
        for reminder in Reminder.readable([context]):
            if gone or reminder.state is not ReminderState.WAITING:
                self._due.pop(context.context_id, None)
            else:
                self._due[context.context_id] = reminder.due

    def _arm(self) -> None:
        if self._due:
            self._timers.schedule(_KEY, min(self._due.values()), self._fire_due)
        else:
            self._timers.cancel(_KEY)

    async def _fire_due(self) -> None:
        async with self._firing:
            try:
                now = self._clock.now()
                missed: list[tuple[Context, Reminder]] = []
                for reminder_id in sorted((i for i, due in self._due.items() if due <= now), key=self._due.__getitem__):
                    context = await self._store.get(reminder_id, namespace=Namespace.REMINDER)
                    reminder = Reminder.of(context) if context else None
                    if context is None or reminder is None or reminder.state is not ReminderState.WAITING:
                        self._due.pop(reminder_id, None)
                    elif reminder.due > now:
                        self._due[reminder_id] = reminder.due
                    elif not reminder.rule and now - reminder.due > LATE_LIMIT:
                        missed.append((context, reminder))
                    else:
                        await self._fire_alone(context, reminder, now)
                if missed:
                    await self._offer(missed, now)
            finally:
                self._arm()

    async def _fire_alone(self, context: Context, reminder: Reminder, now: float) -> None:
        """Fire one reminder; if it can't be told, try again a minute later, so that it blocks no other."""
        try:
            await self._fire(context, reminder, now)
        except StoreError:
            raise
        except Exception:
            log.exception("the reminder %s could not be told; again in a minute", reminder.id)
            self._due[reminder.id] = now + _AGAIN

    async def _fire(self, context: Context, reminder: Reminder, now: float) -> None:
        zone = zone_of(reminder.zone, self._zone)
        occurrence, following, trouble = reminder.due, None, ""
        if reminder.rule:
            starts = reminder.starts or reminder.due
            try:
                occurrence, following = await asyncio.to_thread(
                    newest_and_next, reminder.rule, starts, reminder.due, now, zone
                )
            except ValueError as error:
                trouble = f"it comes no more: its rule {reminder.rule} can't be read ({one_line(str(error), 80)})"
        notification = Notification(
            id=f"ntf_{reminder.id}_{int(occurrence)}",
            title=one_line(reminder.text, 120),
            body=_body(reminder, occurrence, now, zone, trouble),
            reason=_set_by(reminder, zone),
            source=f"{Namespace.REMINDER}:{reminder.id}",
            created_at=now,
            priority=Priority.HIGH if reminder.is_the_users else Priority.NORMAL,
            kind="reminder",
            matter=reminder.matter,
            origin="" if reminder.is_the_users else FROM_MODEL,
        )
        state = ReminderState.WAITING if following is not None else ReminderState.FIRED
        reminder.state = REMINDER.move(reminder.state, state)
        if following is not None:
            reminder.due = following
        async with self._store.unit():
            if await self._store.get(notification.id, namespace=Namespace.NOTIFICATION) is None:
                await self._store.put(notification, namespace=Namespace.NOTIFICATION, tags=[OPEN_TAG])
            await self._save(context, reminder)
        if following is None:
            self._due.pop(reminder.id, None)
        else:
            self._due[reminder.id] = following

    async def _offer(self, missed: list[tuple[Context, Reminder]], now: float) -> None:
        missed.sort(key=lambda pair: pair[1].due)
        ids = [reminder.id for _, reminder in missed]
        key = hashlib.sha256("|".join(f"{r.id}@{r.due:.0f}" for _, r in missed).encode()).hexdigest()[:16]
        count = "A reminder was" if len(missed) == 1 else f"{len(missed)} reminders were"
        lines = [f"{_when(r.due, zone_of(r.zone, self._zone))}  {one_line(r.text)}" for _, r in missed]
        notification = Notification(
            id=f"ntf_offer_{key}",
            title=f"{count} missed while Pepper was away",
            body="\n".join([*lines, "Still wanted? Done files them as read, dismiss drops them."]),
            reason="due more than a day ago, so asked about instead of fired",
            source=f"{Namespace.REMINDER}:{ids[0]}",
            created_at=now,
            kind="offer",
        )
        async with self._store.unit():
            await self._store.put(
                notification, namespace=Namespace.NOTIFICATION, tags=[OPEN_TAG], metadata={"reminders": ids}
            )
            for context, reminder in missed:
                reminder.state = REMINDER.move(reminder.state, ReminderState.OFFERED)
                await self._save(context, reminder)
        for reminder_id in ids:
            self._due.pop(reminder_id, None)

    async def _save(self, context: Context, reminder: Reminder) -> None:
        tags = set(context.tags) - {OPEN_TAG}
        if reminder.state in (ReminderState.WAITING, ReminderState.OFFERED):
            tags.add(OPEN_TAG)
        await rewrite(self._store, context, reminder, tags=tags)


def _set_by(reminder: Reminder, zone: tzinfo) -> str:
    """Return when it was set, and by whom if that was not only the user's word."""
    at = _when(reminder.created_at, zone)
    if reminder.source:
        return f"a reminder that a rule of yours set on {at}"
    if reminder.is_the_users:
        return f"a reminder set on {at}"
    what = one_line("; ".join(reminder.read), 300) or "text from outside"
    read = f", after it had read {what}" if reminder.tainted else ""
    if reminder.root not in ("", "user"):
        return f"a reminder that Pepper set by itself on {at}{read}"
    return f"a reminder that Pepper set on {at} in answer to you{read}"


def _when(at: float, zone: tzinfo) -> str:
    return f"{datetime.fromtimestamp(at, zone):%a %d %b %H:%M}"


def _body(reminder: Reminder, occurrence: float, now: float, zone: tzinfo, trouble: str) -> str:
    late = now - occurrence
    words = [f"Due {_when(occurrence, zone)}"]
    if late >= LATE_MARK:
        words.append(f"late by {_span(late)}")
    if reminder.rule:
        words.append(trouble or rhythm(reminder.rule, zone))
    return ", ".join(words)


def _span(seconds: float) -> str:
    for size, name in ((86_400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size:
            count = int(seconds // size)
            return f"{count} {name}{'s' if count > 1 else ''}"
    return "under a minute"
