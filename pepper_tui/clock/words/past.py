"""Times that look back ("yesterday", "last friday", "3 days ago", "2026-11-03 14:00"): where they begin and end.

A day without a year or a direction is the latest such day, today included; a day, a week, a month or a year means all
of it. A bare length ("2 hours ago", "last 3 days") counts back from now. A time ahead of now is refused. Takes some
milliseconds of CPU time: not for the event loop.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

from dateutil.relativedelta import relativedelta

from pepper_tui.clock.recurrence import instant, wall_time
from pepper_tui.clock.words.parts import (
    Clock,
    Day,
    DayOf,
    Feast,
    Month,
    NthOf,
    OnThe,
    PartOfDay,
    Relative,
    Unclear,
    Week,
    Weekday,
    Weekend,
    Year,
)
from pepper_tui.clock.words.phrase import Checked, Phrase
from pepper_tui.clock.words.reading import USUAL
from pepper_tui.clock.words.text import TimeRefusedError, phrases

PAST_EXAMPLES: Final = "'today', 'yesterday', 'monday', '3 days ago', 'last week', '2026-11-03', '2026-11-03 14:00'"
_ISO: Final = re.compile(
    r"\d{4}-\d{2}-\d{2}(?:[t ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:z|[+-]\d{2}:?\d{2})?)?", re.IGNORECASE
)
_GONE: Final = (
    "last|past|previous|letzte[rnsm]?|vergangene[rnsm]?|vorige[rnsm]?"  # as used before a unit, a day or a length
)
_LEAD: Final = r"(?:(?:in|on|am|im|since|from|until|till|seit|ab|bis) )?(?:(?:the|den|die|das|der|dem) )?"
_AGO: Final = re.compile(r"(?:(.+?) ago|vor (.+))")
_LAST_SPAN: Final = re.compile(rf"{_LEAD}(?:{_GONE}) (\d+ .+|\w+ (?:hours|days|weeks|months))")
_LAST: Final = re.compile(rf"{_LEAD}(?:{_GONE}) (.+)")
_SINCE: Final = re.compile(r"(?:since|from|until|till|seit|ab|bis) ")
_DAYS_BACK: Final = {"yesterday": -1, "gestern": -1, "the day before yesterday": -2, "vorgestern": -2}
_UNITS: Final = {
    **dict.fromkeys(("day", "tag"), "day"), **dict.fromkeys(("week", "woche"), "week"),
    **dict.fromkeys(("month", "monat"), "month"), **dict.fromkeys(("year", "jahr"), "year"),
    **dict.fromkeys(("hour", "stunde"), "hour"), **dict.fromkeys(("night", "nacht"), "night"),
}  # fmt: skip
_DAY: Final = timedelta(days=1)
_A_YEAR: Final = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Stretch:
    """From the first second to the end, in POSIX seconds; for a moment both are equal."""

    begins: float
    ends: float


def read_past(text: str, now: float, zone: tzinfo, locale: str = "en") -> Stretch:
    """Return what ``text``, said at ``now`` in ``zone``, means as a time in the past. Raises ``TimeRefusedError``."""
    plain = " ".join(text.split()).strip(" ?!.").lower()
    shown = f"“{plain[:60]}”"
    refused = f"{shown} is not a time in the past that I can read"
    try:
        found = _Reader(now, zone, locale).read(_SINCE.sub("", plain, count=1) if plain else "")
    except (Unclear, ValueError, OverflowError, OSError) as error:
        raise TimeRefusedError(f"{refused}: {error}; say {PAST_EXAMPLES}") from error
    if found is None:
        raise TimeRefusedError(f"{refused}; say {PAST_EXAMPLES}")
    if found.begins > now:
        raise TimeRefusedError(f"{shown} is not over yet; say {PAST_EXAMPLES}")
    return found


class _Reader:
    def __init__(self, now: float, zone: tzinfo, locale: str) -> None:
        self.now, self.zone, self.locale = now, zone, locale
        self.today = wall_time(now, zone).date()

    def read(self, text: str) -> Stretch | None:
        if text in ("now", "jetzt"):
            return Stretch(self.now, self.now)
        if _ISO.fullmatch(text):
            return self._exact(text)
        if match := _AGO.fullmatch(text):
            return self._back(match[1] or match[2], whole=True)
        if match := _LAST_SPAN.fullmatch(text):
            return self._back(match[1], whole=False)
        if match := _LAST.fullmatch(text):
            return self._last(match[1])
        return self._said(text)

    def _exact(self, text: str) -> Stretch:
        if len(text) == len("2027-01-31"):
            return self._days(date.fromisoformat(text), 1)
        at = datetime.fromisoformat(text.upper())
        seconds = at.timestamp() if at.tzinfo is not None else instant(at, self.zone)
        return Stretch(seconds, seconds)

    def _days(self, first: date, count: int) -> Stretch:
        begins, ends = (datetime.combine(day, datetime.min.time()) for day in (first, first + count * _DAY))
        return Stretch(instant(begins, self.zone), instant(ends, self.zone))

    def _back(self, length: str, *, whole: bool) -> Stretch | None:
        """Return the time ``length`` before now; with ``whole``, a length in days means that entire day."""
        for phrase in phrases(f"in {length}", self.locale):
            span = phrase.span
            if span is None or phrase.day is not None or phrase.clocks or phrase.part:
                continue
            if span.seconds or not whole:
                then = wall_time(self.now, self.zone) - relativedelta(months=span.months, days=span.days)
                at = (instant(then, self.zone) if span.months or span.days else self.now) - span.seconds
                return Stretch(at, at)
            return self._days(span.from_day(self.today, -1), 1)
        return None

    def _last(self, what: str) -> Stretch | None:
        """Return the entire unit, or the day of that name, before this one."""
        first_of_month = self.today.replace(day=1)
        match _UNITS.get(what):
            case "day" | "night":
                return self._days(self.today - _DAY, 1)
            case "week":
                return self._days(self.today - timedelta(days=self.today.weekday() + 7), 7)
            case "month":
                before = (first_of_month - _DAY).replace(day=1)
                return self._days(before, (first_of_month - before).days)
            case "year":
                before = date(self.today.year - 1, 1, 1)
                return self._days(before, (date(self.today.year, 1, 1) - before).days)
            case "hour":
                return Stretch(self.now - 3600, self.now - 3600)
        return self._said(what, before_today=True)

    def _said(self, text: str, *, before_today: bool = False) -> Stretch | None:
        for words, days in _DAYS_BACK.items():  # the grammar, made for times ahead, does not know these
            if text == words or text.startswith(f"{words} "):
                hours = self._clocks(text[len(words) :].strip())
                return next((self._of_day(phrase, self.today + days * _DAY) for phrase in hours), None)
        for phrase in phrases(text, self.locale):
            more = (phrase.rhythm, phrase.span, phrase.shifted, phrase.between, phrase.last_day, phrase.length)
            if not any(more) and (found := self._of(phrase, before_today)) is not None:
                return found
        return None

    def _clocks(self, rest: str) -> Iterator[Phrase]:
        if not rest:
            yield Phrase()
            return
        yield from (phrase for phrase in phrases(rest, self.locale) if phrase.day is None and phrase.rhythm is None)

    def _of(self, phrase: Phrase, before_today: bool) -> Stretch | None:
        latest = self.today - _DAY if before_today else self.today
        timed = bool(phrase.clocks or phrase.part)
        match phrase.day:
            case None:
                return self._of_day(phrase, self.today) if timed else None
            case Week(weeks=0):
                return self._days(self.today - self.today.weekday() * _DAY, 7)
            case Weekend():
                saturday = latest - timedelta(days=(latest.weekday() - 5) % 7)
                return self._days(saturday, 2)
            case Month() as month if not timed:
                first = self._newest(month, self.today.replace(day=1) - _DAY if before_today else latest)
                return self._days(first, (first + relativedelta(months=1) - first).days) if first else None
            case Year() as year if not timed:
                first = date(year.of(self.today), 1, 1)
                return self._days(first, (date(first.year + 1, 1, 1) - first).days)
            case Relative(days):
                return self._of_day(phrase, self.today + days * _DAY)
            case Weekday(index):
                return self._of_day(phrase, latest - timedelta(days=(latest.weekday() - index) % 7))
        day = self._newest(phrase.day, latest)
        return self._of_day(phrase, day) if day else None

    def _newest(self, day: Day, latest: date) -> date | None:
        """Return the latest matching day up to ``latest``."""
        if isinstance(day, Month) and day.ahead == 0:
            return self.today.replace(day=1)
        if isinstance(day, Checked):
            named = self._newest(day.day, latest)
            if named is not None and named.weekday() != day.weekday:
                raise Unclear(f"{named} is a {named:%A}")
            return named
        month = day if isinstance(day, Month) else day.month if isinstance(day, DayOf | NthOf) else Month()
        recurs = isinstance(day, DayOf | NthOf | OnThe | Feast | Month) and month.ahead is None
        found = [each for series in day.readings(self.today - _A_YEAR if recurs else self.today) for each in series]
        return max((each for each in found if each <= latest), default=None)

    def _of_day(self, phrase: Phrase, day: date) -> Stretch:
        if not phrase.clocks and phrase.part is None:
            return self._days(day, 1)
        hours = [timedelta(hours=USUAL[phrase.part.name])] if phrase.part and not phrase.clocks else []
        hours += self._hours(phrase.clocks[0], phrase.part) if phrase.clocks else []
        zone = ZoneInfo(phrase.zone) if phrase.zone else self.zone
        times = [instant(datetime.combine(day, datetime.min.time()) + hour, zone) for hour in hours]
        at = next((each for each in times if each <= self.now), times[-1])
        return Stretch(at, at)

    def _hours(self, clock: Clock, part: PartOfDay | None) -> list[timedelta]:
        """Return the possible times of day, the likelier first.

        Where hours count to twelve, bare small ones are in the afternoon.
        """
        said = timedelta(hours=clock.hour, minutes=clock.minute, seconds=clock.second)
        later = [said + timedelta(hours=12), said]
        if clock.half or clock.padded or not 1 <= clock.hour < 12:
            return [said]
        if part is not None:
            return [later[0]] if part.name in ("afternoon", "evening", "night") else [said]
        return later if clock.hour <= 6 and not self.locale.lower().startswith("de") else [said]
