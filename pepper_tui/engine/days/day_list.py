"""The days of a running engine: events of all calendars, with reminders and to-dos beside them."""

from __future__ import annotations

import asyncio
from collections.abc import Container, Sequence
from contextlib import suppress
from datetime import date, datetime, timedelta, tzinfo
from typing import Final

from pepper_tui.clock import Clock, NoAnswerError
from pepper_tui.clock.words import TimeReader, spans_said
from pepper_tui.domains.calendar.days.records import DayEntry, DaysPage
from pepper_tui.domains.calendar.event import INVITED
from pepper_tui.domains.calendar.free_time import window
from pepper_tui.domains.calendar.parts import CalendarParts
from pepper_tui.domains.calendar.todos.listing import MOST as MOST_TODOS
from pepper_tui.domains.calendar.todos.listing import todos_in, unread_todos
from pepper_tui.domains.calendar.todos.todo import Todo
from pepper_tui.domains.reminders.waiting import waiting_reminders
from pepper_tui.model import EngineError, Json
from pepper_tui.store import ContextStore
from pepper_tui.text import one_line
from pepper_tui.text.addresses import compared, untagged

MOST: Final = 92
"""Days of one page."""
_NAMED: Final = 5  # defects that are named
_LONGEST: Final = 2_000  # characters of a description


class DayList:
    """Makes the pages. ``parts`` has the agenda, if there is a calendar."""

    def __init__(
        self, store: ContextStore, clock: Clock, zone: tzinfo, times: TimeReader, parts: CalendarParts
    ) -> None:
        self._store, self._clock, self._zone, self._times, self._parts = store, clock, zone, times, parts

    async def page(self, first: str, days: int) -> DaysPage:
        """Return ``days`` days from ``first`` on: an ISO date, or words; see ``AgendaView.days``."""
        begin = await self._first(first)
        count = min(max(1, days), MOST)
        start, end = window(begin, 0, 0, self._zone)[0], window(begin + timedelta(days=count), 0, 0, self._zone)[0]
        page = DaysPage(begin.isoformat(), count)
        page.entries += await self._reminders(start, end)
        agenda = self._parts.agenda
        if agenda is None:
            page.left_out.append("no calendar is configured: name one under paths of [calendar], or add an account")
        else:
            try:
                own = {untagged(compared(each)) for each in self._parts.own}
                page.entries += [self._event(one.data(), own) for one in await agenda.between(start, end)]
                todos = self._due(await todos_in(agenda), start, end)
            except NoAnswerError as error:
                raise EngineError(str(error)) from error
            page.left_out += [one_line(each, 200) for each in agenda.defects[:_NAMED]]
            if (more := len(agenda.defects) - _NAMED) > 0:
                page.left_out.append(f"and {more} more that could not be read")
            page.entries += todos[:MOST_TODOS]
            if (more := len(todos) - MOST_TODOS) > 0:
                page.left_out.append(f"{more} more to-dos are due; these are the first")
            if unread := unread_todos(agenda):
                page.left_out.append(f"not all to-dos could be read: {unread}")
        if self._parts.copies is not None:
            page.left_out += await self._parts.copies()
        page.entries.sort(key=lambda each: (each.start, not each.all_day, each.title))
        return page

    async def _first(self, words: str) -> date:
        today = datetime.fromtimestamp(self._clock.now(), self._zone).date()
        said = words.strip().lower()
        if said in ("", "today"):
            return today
        with suppress(ValueError):
            return date.fromisoformat(said)
        found = await asyncio.to_thread(spans_said, said, today, self._times.locale)
        if not found:
            raise EngineError(f"{one_line(words, 60)!r} names no day that I know; say friday, 14 dec or 2027-01-31")
        return found[0][0]

    async def _reminders(self, start: float, end: float) -> list[DayEntry]:
        return [
            DayEntry(
                f"reminder:{each.id}",
                "reminder",
                each.id,
                one_line(each.text, 200),
                each.due,
                each.due,
                self._day(each.due),
                repeats=bool(each.rule),
                notes=["reminder"],
            )
            for each in await waiting_reminders(self._store)
            if start <= each.due < end
        ]

    def _due(self, todos: Sequence[Todo], start: float, end: float) -> list[DayEntry]:
        """Return those that are due in [start, end), and where now is in between, those that are overdue: on today."""
        now = self._clock.now()
        found: list[DayEntry] = []
        for each in todos:
            due = each.due or 0.0
            overdue = each.is_overdue(now, self._zone)
            shown = now if overdue else due
            if not start <= shown < end:
                continue
            notes = [("to-do", True), ("overdue", overdue), ("repeats", each.repeats)]
            found.append(
                DayEntry(
                    f"todo:{each.key}",
                    "todo",
                    each.uid,
                    each.title,
                    due,
                    due,
                    self._day(shown),
                    all_day=each.all_day,
                    place=one_line(each.location, 200),
                    calendar=self._parts.named(each.calendar),
                    notes=[words for words, holds in notes if holds],
                    text=each.description[:_LONGEST],
                )
            )
        return found

    def _event(self, event: Json, own: Container[str]) -> DayEntry:
        organizer, answer = str(event.get("organizer", "")), str(event.get("answer", ""))
        by_others = bool(organizer) and untagged(compared(organizer)) not in own
        notes = [words for words, holds in _notes(event) if holds]
        name = str(event.get("organizer_name", ""))
        return DayEntry(
            f"event:{event.get('calendar', '')}:{event['uid']}:{event['start']:.0f}",
            "event",
            str(event["uid"]),
            one_line(str(event.get("summary") or "(no title)"), 200),
            float(event["start"]),
            float(event["end"]),
            self._day(float(event["start"])),
            all_day=bool(event.get("all_day")),
            place=one_line(str(event.get("location", "")), 200),
            calendar="" if event.get("calendar") == INVITED else self._parts.named(str(event.get("calendar", ""))),
            notes=notes,
            asks=by_others and bool(answer),
            repeats=bool(event.get("repeats") or event.get("recurrence")),
            organizer=f"{one_line(name, 60)} ({organizer})" if name and by_others else organizer if by_others else "",
            people=[one_line(str(each), 80) for each in event.get("attendees", [])],
            text=str(event.get("description", ""))[:_LONGEST],
        )

    def _day(self, at: float) -> str:
        return datetime.fromtimestamp(at, self._zone).date().isoformat()


def _notes(event: Json) -> list[tuple[str, bool]]:
    answer = event.get("answer")
    return [
        ("tentative", event.get("status") == "TENTATIVE" or answer == "tentative"),
        ("declined", answer == "declined"),
        ("free", answer not in ("declined", "needs-action") and not event.get("busy", True)),
        ("not answered", answer == "needs-action"),
    ]
