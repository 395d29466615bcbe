"""What the tools of the calendar are built with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from pepper_tui.domains.calendar.slots.free_busy import FreeBusy
from pepper_tui.domains.calendar.writer import Calendars
from pepper_tui.model import Record
from pepper_tui.tools.approvals.choices import Announce


class Agenda(Protocol):
    """Read access to the calendar.

    ``between`` gives the occurrences that touch ``[start, end)``, by start, with summary, start, end, …
    ``defects``: what the last reading could not read, or only in part, in words.
    """

    @property
    def defects(self) -> Sequence[str]: ...

    async def between(self, start: float, end: float, /) -> Sequence[Record]: ...

    async def conflicts(self, start: float, end: float, /) -> Sequence[tuple[Record, Record]]: ...


@dataclass(frozen=True, slots=True)
class WorkingHours:
    """When to look for free time: minutes of the day, and weekdays, Monday as 0."""

    start: int = 9 * 60
    end: int = 17 * 60
    days: frozenset[int] = frozenset(range(5))


@dataclass(slots=True)
class CalendarParts:
    """``calendars`` are those that can be written to; ``announce`` asks which time is meant.

    ``own``: the user's addresses. ``named`` tells a calendar from others by a short name, empty where there is only
    one; ``copies``: which copies of calendars are old, in words. ``free_busy``: whose servers may know others' time.
    """

    agenda: Agenda | None = None
    calendars: Calendars | None = None
    working: WorkingHours = WorkingHours()
    announce: Announce | None = None
    own: Collection[str] = ()
    named: Callable[[str], str] = lambda _: ""
    copies: Callable[[], Awaitable[Sequence[str]]] | None = None
    free_busy: Sequence[FreeBusy] = ()
