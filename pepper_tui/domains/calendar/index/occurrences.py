"""What happens in a period, by start, kept for the periods that were asked for last.

A period is made once after each change, of single events and of the occurrences of series; a query for a part of it is
two searches in a sorted list. A series that is as it was is not followed again. Cheap series are followed first, so
that none uses up another's time.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from pepper_tui.domains.calendar.bounded import CalendarParser
from pepper_tui.domains.calendar.event import Event
from pepper_tui.domains.calendar.index.series import Maker, Series
from pepper_tui.model import Json
from pepper_tui.text import one_line

MAX_OCCURRENCES: Final = 5_000  # per query
MAX_OF_SERIES: Final = 1_600  # per period: 24 a day for the longest period that is asked for
MAX_KEPT: Final = 50_000  # occurrences of series, of one period
PERIODS: Final = 3  # that are kept
DAY: Final = 86400.0
AHEAD: Final = 62 * DAY  # seconds of a period, at least
BEFORE: Final = 3600.0  # seconds of a period before what was asked for: alarms ask for what has just begun, too
AGAIN: Final = 2 * DAY  # seconds for which the same query, asked again later, finds its period
LONG: Final = 31 * DAY  # seconds from which on an event is looked at by itself
TOO_MUCH: Final = "as there is too much in the calendar"


@dataclass(frozen=True, slots=True)
class _Followed:
    """The occurrences of a series in a period; ``more``: there are more."""

    found: Sequence[Event]
    more: bool = False


@dataclass(slots=True)
class _Period:
    """What touches [start, end). Without ``whole`` not all series could be followed in time."""

    start: float
    end: float
    followed: dict[tuple[bytes, ...], _Followed] = field(default_factory=dict)
    edition: int = -1
    whole: bool = False
    events: list[Event] = field(default_factory=list)  # by start
    starts: list[float] = field(default_factory=list)
    longest: float = 0.0  # seconds that one of them takes
    long: list[Event] = field(default_factory=list)  # those that take longer than ``LONG``
    defects: dict[tuple[str, ...], str] = field(default_factory=dict)

    @property
    def kept(self) -> int:
        return sum(len(each.found) for each in self.followed.values())

    def fill(self, events: list[Event]) -> None:
        """Take the events that touch it, and are not cancelled."""
        near = [one for one in events if one.start < self.end and one.end >= self.start and not one.cancelled]
        there = sorted((one for one in near if one.touches(self.start, self.end)), key=_order)
        self.long = [one for one in there if one.end - one.start > LONG]
        self.events = [one for one in there if one.end - one.start <= LONG]
        self.starts = [one.start for one in self.events]
        self.longest = max((one.end - one.start for one in self.events), default=0.0)

    def between(self, start: float, end: float) -> list[Event]:
        first, last = bisect_left(self.starts, start - self.longest), bisect_left(self.starts, end)
        found = [one for one in self.events[first:last] if one.touches(start, end)]
        long = [one for one in self.long if one.touches(start, end)]
        return sorted(found + long, key=_order) if long else found


class Occurrences:
    """The occurrences of all series, of which ``take`` tells after each change. Blocking; one thread at a time.

    ``unknown``: series of which not all times of the last query are known, with the words for it.
    """

    def __init__(self, parser: CalendarParser, maker: Maker) -> None:
        self._parser, self._maker = parser, maker
        self._series: Sequence[Series] = ()
        self._edition = 0
        self._periods: list[_Period] = []  # the one that was asked for last comes last
        self._hopeless: dict[tuple[bytes, ...], str] = {}  # series that can't be followed, and why
        self.unknown: dict[tuple[str, ...], str] = {}

    def take(self, all_series: Sequence[Series]) -> None:
        """Take what there is now."""
        self._series, self._edition = all_series, self._edition + 1
        there = {series.digest for series in all_series if series.repeats}
        self._hopeless = {digest: why for digest, why in self._hopeless.items() if digest in there}
        for period in self._periods:
            period.followed = {digest: one for digest, one in period.followed.items() if digest in there}

    def between(self, start: float, end: float, until: float) -> list[Event]:
        """Return what touches [start, end), by start, without what is cancelled."""
        period = self._period(start, end)
        if period.edition != self._edition or not period.whole:
            self._make(period, until)
        if period.kept > MAX_KEPT:
            self._periods.remove(period)
        self.unknown = dict(period.defects)
        found = period.between(start, end)
        return found if len(found) <= MAX_OCCURRENCES else self._some(found, end)

    def _period(self, start: float, end: float) -> _Period:
        """Return the period that covers [start, end), as the last one."""
        period = next((one for one in self._periods if one.start <= start and end <= one.end), None)
        if period is None:
            often = sum(min(24.0, series.often) for series in self._series if series.repeats)
            ahead = max(DAY, min(AHEAD, MAX_KEPT / max(often, 1.0) * DAY))
            period = _Period(start - BEFORE, max(end + AGAIN, start + ahead))
        else:
            self._periods.remove(period)
        self._periods = [*self._periods[1 - PERIODS :], period]
        return period

    def _make(self, period: _Period, until: float) -> None:
        """Follow each series for the period, as far as time allows, and sort what is found."""
        ahead = (one for one in self._series if one.repeats and not one.is_over(period.start))
        repeating = sorted(ahead, key=lambda one: one.steps(period.end))
        known = period.followed
        strange = [one for one in repeating if one.digest not in known and one.digest not in self._hopeless]
        answers = self._parser.series([one.pieces for one in strange], period.start, period.end, MAX_OF_SERIES, until)
        for series, answer in zip(strange, answers, strict=False):
            followed = self._followed(series, answer)
            if isinstance(followed, str):
                self._hopeless[series.digest] = followed
            else:
                known[series.digest] = followed
        period.defects = {}
        there = [one for series in self._series if not series.repeats for one in series.events]
        for series in repeating:
            followed = self._hopeless.get(series.digest) or known.get(series.digest) or _Followed(())
            if isinstance(followed, str):
                period.defects[series.key] = f"{series.name}: {followed}; only its first time is known"
            elif series.digest not in known:
                period.defects[series.key] = f"{series.name}: left out, {TOO_MUCH}"
            elif followed.more:
                words = f"comes more than {MAX_OF_SERIES} times; not all are shown"
                period.defects[series.key] = f"{series.name}: {words}"
            there += series.events if isinstance(followed, str) else followed.found
        period.fill(there)
        period.edition, period.whole = self._edition, len(answers) == len(strange)

    def _followed(self, series: Series, answer: Json | str) -> _Followed | str:
        """Return the occurrences of a series, or why there are none."""
        if isinstance(answer, str):
            return f"its repeat rule never comes due, or can't be followed ({one_line(answer, 120)})"
        moved = {event.recurrence for event in series.events} - {""}
        try:
            found = [
                replace(self._maker.event(answer["fields"][number], (begins, ends), series.calendar),
                        recurrence=recurrence, repeats=recurrence not in moved)
                for number, begins, ends, recurrence in answer["occurrences"]
            ]  # fmt: skip
        except (ValueError, OverflowError) as error:
            return f"its repeat rule leads to years beyond any date ({type(error).__name__})"
        return _Followed(found, answer["more"])

    def _some(self, found: Sequence[Event], end: float) -> list[Event]:
        """Return as many as a query gives: of single events and cheap series all, so that one series costs itself."""
        of_series: dict[tuple[str, ...], list[Event]] = defaultdict(list)
        for event in found:
            of_series[event.calendar, event.uid].append(event)
        kept: list[Event] = []
        for series in sorted((one for one in self._series if one.key in of_series), key=lambda one: one.steps(end)):
            if len(kept) >= MAX_OCCURRENCES:
                self.unknown[series.key] = f"{series.name}: left out, {TOO_MUCH}"
                continue
            kept += of_series.pop(series.key, [])
        kept.sort(key=_order)
        beyond = kept[MAX_OCCURRENCES:]
        titles = {(one.calendar, one.uid): one.summary for one in beyond}
        for key, times in Counter((one.calendar, one.uid) for one in beyond).items():
            title = one_line(titles[key], 60) or "(no title)"
            self.unknown[key] = f"{key[0]}: {title}: {times} of its times are left out, {TOO_MUCH}"
        return kept[:MAX_OCCURRENCES]


def _order(event: Event) -> tuple[float, str]:
    return event.start, event.uid
