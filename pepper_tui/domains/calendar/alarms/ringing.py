"""Alarms that ring, as announcements of their events beside those of ``calendar.starts_soon``.

They are the user's wish only where the user writes: in their own files, and in calendars of accounts that they may
write to. An event that somebody else organizes counts once the user has said yes or maybe; what came by mail alone, or
from an address, never does. What rang before Pepper could know of it is not told.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Final

from pepper_tui.domains.calendar.agenda import Agenda
from pepper_tui.domains.calendar.alarms.alarm import MOST
from pepper_tui.domains.calendar.event import INVITED, Event
from pepper_tui.domains.calendar.objects import unwritable_calendars
from pepper_tui.domains.calendar.telling.announced import announced_id
from pepper_tui.feeds.feed import FeedContext
from pepper_tui.feeds.triage import Triage
from pepper_tui.text import one_line

REACH: Final = 60 * 86400.0  # seconds before an event from which on an alarm is followed
BACK: Final = 86400.0  # seconds by which an alarm may be late and still be told, while its event is ahead
JUST: Final = 900.0  # the same once the event has begun
AGAIN: Final = 6 * 3600.0  # seconds until a look further on
_SAID_YES: Final = frozenset({"accepted", "tentative"})
_MARK: Final = "alarms"


class Ringing:
    """Announces what rings in ``agenda``, as contexts of ``namespace``. ``marks``: where it keeps how far it has come.

    ``defects``: alarms that are left out, in words.
    """

    def __init__(self, agenda: Agenda, triage: Triage, namespace: str, marks: str) -> None:
        self._agenda, self._triage, self._namespace, self._marks = agenda, triage, namespace, marks
        self.defects: Sequence[str] = ()
        self._edition = -1
        self._next = 0.0
        self._since: float | None = None

    async def note(self, ctx: FeedContext, events: Iterable[Event]) -> None:
        """Note which alarms of ``events``, all there are as written, are left out."""
        found = [(event, why) for event in events if event.alarms and (why := _left_out(event))]
        foreign = await unwritable_calendars(ctx.store) if found else frozenset()
        self.defects = [
            f"{event.calendar}: {one_line(event.summary, 60) or '(no title)'}: {why}"
            for event, why in found
            if self._is_wanted(event, foreign)
        ]

    async def announce(self, ctx: FeedContext) -> float:
        """Store each event whose alarm rings; return when the next one will (POSIX seconds)."""
        now = ctx.clock.now()
        if self._agenda.listed == self._edition and now < self._next:
            return self._next
        edition = self._agenda.listed
        # read from the files again, right now: a moved or cancelled event is not among them
        events = [
            each for each in await self._agenda.between(now - JUST, now + REACH + AGAIN)
            if each.alarms and each.answer != "declined"
        ]  # fmt: skip
        foreign = await unwritable_calendars(ctx.store) if events else frozenset()
        since = await self._known_since(ctx, now)
        soonest = now + AGAIN
        due: dict[tuple[str, str, float], Event] = {}  # an alarm at a time of its own is one, however many a series has
        async with ctx.store.unit():
            for event in events:
                if not self._is_wanted(event, foreign):
                    continue
                soonest = min([soonest, *(each for each in event.alarms if each > now)])
                rung = [each for each in event.alarms if each <= now and each >= event.start - REACH]
                if not rung or rung[-1] <= since or now - rung[-1] > (BACK if event.start > now else JUST):
                    continue
                sign = (event.calendar, event.uid, rung[-1])
                if sign not in due or due[sign].end < rung[-1]:
                    due[sign] = event
            for (_, _, ring), event in due.items():
                await self._store(ctx, event, ring)
            if events:
                await ctx.store.store({"until": now}, namespace=self._marks, context_id=_MARK)
        self._since, self._next, self._edition = now, soonest, edition
        return soonest

    async def _known_since(self, ctx: FeedContext, now: float) -> float:
        if self._since is None:
            mark = await ctx.store.get(_MARK, namespace=self._marks)
            self._since = float(mark.data["until"]) if mark is not None else now
        return self._since

    def _is_wanted(self, event: Event, foreign: Collection[str]) -> bool:
        if event.calendar == INVITED or event.calendar in foreign:
            return False
        return not event.organizer or self._triage.is_own(event.organizer) or event.answer in _SAID_YES

    async def _store(self, ctx: FeedContext, event: Event, ring: float) -> None:
        before = (event.start - ring) / 60
        minutes = int(before) if before.is_integer() else before
        key = announced_id(event, minutes)
        if await ctx.store.get(key, namespace=self._namespace) is None:
            data = {**event.data(), "id": key, "minutes": minutes if minutes in range(1, 100_000) else 0, "rang": ring}
            await ctx.store.store(data, namespace=self._namespace, context_id=key, type="starts_soon")


def _left_out(event: Event) -> str:
    if len(event.alarms) > MOST:
        return f"it has more than {MOST} alarms; the others are left out"
    if event.alarms and event.alarms[0] < event.start - REACH:
        return f"an alarm of it is more than {REACH / 86400:.0f} days before it, and is left out"
    return ""
