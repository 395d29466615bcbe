"""From a phrase and the moment it is said to an instant, a rhythm, or a question.

These rules hold for reminders, snoozes, events, rules and tools alike:

- Beside a day or a rhythm, a bare hour is the hour as said; in English, 1 to 6 are in the afternoon. Without a day it
  is the next time that a dial shows it between 06:00 and 24:00; in German the user is asked if both are ahead.
- A day without a time means ``USUAL["morning"]``; a part of a day its usual hour.
- Days, weeks and months ahead keep the wall time; hours and minutes are real ones.
- The user is asked if two readings remain, or if the one reading is past, or more than a year away without anything
  saying so.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from itertools import product
from typing import Final
from zoneinfo import ZoneInfo

from dateutil.relativedelta import relativedelta

from pepper_tui.clock.recurrence import check_rule, first_after, instant, wall_time
from pepper_tui.clock.words import spoken
from pepper_tui.clock.words.parts import (
    OFTEN,
    WORKDAYS,
    Clock,
    OverError,
    PartOfDay,
    Relative,
    Rhythm,
    Series,
    Unclear,
    Weekday,
)
from pepper_tui.clock.words.phrase import Phrase
from pepper_tui.clock.written import moment

USUAL: Final = {"morning": 9, "noon": 12, "afternoon": 14, "evening": 18, "night": 20, "midnight": 24, "end": 17,
                "forenoon": 10, "early": 8}  # fmt: skip
FARTHEST: Final = 3_653 * 86_400.0  # seconds ahead: ten years
_FAR: Final = 366 * 86_400.0
_EARLIEST: Final = timedelta(hours=6)  # of the hours on a dial
_CODES: Final = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_FREQUENCIES: Final = {"hour": "HOURLY", "day": "DAILY", "week": "WEEKLY", "month": "MONTHLY", "year": "YEARLY"}
_HOURS_OF: Final = {
    "morning": range(12), "early": range(12), "forenoon": range(13), "noon": range(10, 16), "afternoon": range(11, 20),
    "evening": (*range(15, 24), 0), "night": (*range(17, 24), *range(7)), "midnight": (23, 0, 1), "end": range(24),
}  # fmt: skip
_HOUR: Final = timedelta(hours=1)
_DAY: Final = timedelta(days=1)

Times = Sequence[timedelta]
"""Times of day in order, as lengths from midnight; the first that is still ahead is meant."""


@dataclass(frozen=True, slots=True)
class Reading:
    """The meaning of a phrase: POSIX seconds, the RRULE of a rhythm (else empty), and its end, if one was said.

    ``whole_days``: it names days without a time; ``at`` is then the hour of a day's reminder.
    """

    at: float
    rrule: str = ""
    end: float | None = None
    whole_days: bool = False


@dataclass(frozen=True, slots=True)
class Manner:
    """How the language of a phrase tells the time.

    ``twelve``: hours count to twelve, so that small ones without am or pm are in the afternoon.
    """

    twelve: bool


class PastTimeError(Unclear):
    """The time is past; ``instead`` are the next similar times, if any."""

    def __init__(self, words: str, instead: Sequence[Reading] = ()) -> None:
        super().__init__(words)
        self.instead = tuple(instead)


def readings(phrase: Phrase, now: float, zone: tzinfo, manner: Manner) -> list[Reading]:
    """Return everything that ``phrase`` can mean at ``now``, the likelier first. Raises ``Unclear``."""
    reader = _Reader(now, ZoneInfo(phrase.zone) if phrase.zone else zone, manner)
    found = [each for each in dict.fromkeys(reader.read(phrase)) if each.at - now <= FARTHEST]
    if not found:
        raise Unclear("it is more than ten years away")
    return found


class _Reader:
    def __init__(self, now: float, zone: tzinfo, manner: Manner) -> None:
        self.now, self.zone, self.manner = now, zone, manner
        self.wall = wall_time(now, zone)
        self.today = self.wall.date()

    def read(self, phrase: Phrase) -> list[Reading]:
        if phrase.rhythm is not None:
            return self._rhythms(phrase, phrase.rhythm)
        found = self._shifted(phrase) if phrase.shifted else self._once(phrase)
        if phrase.length is not None:
            span = phrase.length.span
            found = [
                replace(
                    each,
                    end=self._later(each.at, span.months, span.days, span.seconds),
                    whole_days=each.whole_days and span.whole_days,
                )
                for each in found
            ]
        if phrase.last_day is not None:
            found = [replace(each, end=self._day_end(phrase, each)) for each in found]
        return found

    # ---------------------------------------------------------------------------------------------------------- once

    def _once(self, phrase: Phrase) -> list[Reading]:
        day, span = phrase.day, phrase.span
        days: list[Series] | None
        if span is not None and not (phrase.clocks or phrase.part or phrase.between or day):
            return [self._ahead(self._later(self.now, span.months, span.days, span.seconds))]
        if span is not None:
            if day is not None:
                raise Unclear("it names two days")
            days = [[span.from_day(self.today)]]
        elif day is not None:
            # a bare weekday, said on that day, means next week's
            alone = not (phrase.clocks or phrase.part or phrase.between)
            from_day = self.today + _DAY if alone and isinstance(day, Weekday) and not day.which else self.today
            days = day.readings(from_day)
        else:
            days = None
        times = self._times(phrase, has_day=days is not None)
        whole = not (phrase.clocks or phrase.part or phrase.between)
        if days is None:
            days = [[self.today, self.today + _DAY]]
        found, latest = [], None
        for series, (hours, end) in product(days, times):
            at = self._first(series, hours)
            if at is not None:
                found.append(Reading(at, end=self._end(at, end), whole_days=whole))
            else:
                latest = self._at(series[-1], hours[-1])
        if not found:
            raise PastTimeError("it is past", self._instead(phrase, latest))
        return found

    def _instead(self, phrase: Phrase, past: float | None) -> list[Reading]:
        """Return the next similar time, if a day of this week or a part of today has passed."""
        of_today = phrase.part is not None and phrase.part.today
        if past is None or not (of_today or isinstance(phrase.day, Relative | Weekday)):
            return []
        if isinstance(phrase.day, Relative) and phrase.day.days < 0:
            return []
        days = 7 if isinstance(phrase.day, Weekday) else 1
        later = self._later(past, days=days)
        return [Reading(later)] if later > self.now else []

    def _first(self, series: Series, hours: Times) -> float | None:
        for day, hour in product(series, hours):
            at = self._at(day, hour)
            if at > self.now:
                return at
        return None

    def _at(self, day: date, hour: timedelta) -> float:
        return instant(datetime.combine(day, datetime.min.time()) + hour, self.zone)

    def _ahead(self, at: float) -> Reading:
        if at <= self.now:
            raise OverError
        return Reading(at)

    def _later(self, at: float, months: int = 0, days: int = 0, seconds: float = 0.0) -> float:
        """Add months and days on the wall clock, then real seconds."""
        if not months and not days:
            return at + seconds
        try:
            moved = wall_time(at, self.zone) + relativedelta(months=months, days=days)
        except (OverflowError, ValueError) as error:
            raise Unclear("it is more than ten years away") from error
        return instant(moved, self.zone) + seconds

    # --------------------------------------------------------------------------------------------------- time of day

    def _times(self, phrase: Phrase, has_day: bool) -> list[tuple[Times, Clock | None]]:
        """Return each time of day that is meant, and the clock time at which it ends."""
        if phrase.between is not None:
            start, end = _alike(phrase.between.start, phrase.between.end)
            # "9 to 5" is of a working day, even without a day
            return [(times, end) for times in self._clock(start, phrase.part, True, self._is_today(phrase))]
        if phrase.clocks:
            return [(t, None) for t in self._clock(phrase.clocks[0], phrase.part, has_day, self._is_today(phrase))]
        if phrase.part is None:
            if self._is_today(phrase) and self._first([self.today], [USUAL["morning"] * _HOUR]) is None:
                raise Unclear("it does not say at what time today")
            return [([USUAL["morning"] * _HOUR], None)]
        if phrase.part.name == "midnight" and has_day and not phrase.part.today:
            return [([timedelta(0)], None), ([_DAY], None)]  # the night before that day, or the one after it
        return [([USUAL[phrase.part.name] * _HOUR], None)]

    @staticmethod
    def _is_today(phrase: Phrase) -> bool:
        return phrase.day == Relative(0)

    def _clock(self, clock: Clock, part: PartOfDay | None, has_day: bool, today: bool) -> list[Times]:
        said = timedelta(hours=clock.hour, minutes=clock.minute, seconds=clock.second)
        if clock.half or clock.hour > 12 or clock.hour == 0 or clock.padded:
            if part is not None and clock.hour % 24 not in _HOURS_OF[part.name]:
                raise Unclear("its hour is not of that part of the day")
            return [[said]]
        if part is not None:
            return [self._of_part(clock.hour, said, part.name, has_day and not part.today)]
        noon = 12 * _HOUR
        other = said + noon if clock.hour < 12 else said
        small = self.manner.twelve and clock.hour <= 6
        if not clock.dial and not self.manner.twelve:
            return [[said]]
        if today:
            return [[other, said] if small else [said, other]]
        if has_day:
            if not small:
                return [[said]]
            return [[other]] if clock.dial else [[said], [other]]
        dial = [each for each in sorted({said, other}) if each >= _EARLIEST]
        if clock.dial and clock.hour == 12 and clock.minute == 0 and self.wall.hour >= 18:
            return [[_DAY], [noon]]
        if clock.dial and not self.manner.twelve:
            ahead = [each for each in dial if self._at(self.today, each) > self.now]
            return [[each] for each in ahead] if len(ahead) > 1 else [dial]
        if clock.dial:
            return [dial]
        by_dial, as_written = self._next(dial), self._next([said])
        return [[said]] if by_dial == as_written else [dial, [said]]

    def _next(self, times: Times) -> float | None:
        return self._first([self.today, self.today + _DAY], times)

    @staticmethod
    def _of_part(hour: int, said: timedelta, part: str, has_day: bool) -> Times:
        noon = 12 * _HOUR
        match part:
            case "morning" | "early" | "forenoon":
                return [said - noon if hour == 12 else said]
            case "noon":
                return [said + noon if hour < 11 else said]
            case "afternoon" | "end":
                return [said if hour == 12 else said + noon]
            case "evening":
                return [said + noon]
            case "night":
                return [said + noon] if hour >= 6 else [said + _DAY] if has_day else [said, said + _DAY]
        if said == noon:
            return [_DAY]
        raise Unclear("it names two times of day")

    def _end(self, at: float, end: Clock | None) -> float | None:
        """Return the first time after ``at`` that ``end`` can be."""
        if end is None:
            return None
        said = timedelta(hours=end.hour, minutes=end.minute, seconds=end.second)
        open_half = not (end.half or end.hour > 12 or end.hour == 0 or end.padded)
        times = [said, said + 12 * _HOUR] if open_half and end.hour < 12 else [said]
        day = wall_time(at, self.zone).date()
        return next(
            each for day_ in (day, day + _DAY) for each in sorted(self._at(day_, t) for t in times) if each > at
        )

    def _day_end(self, phrase: Phrase, reading: Reading) -> float | None:
        assert phrase.last_day is not None
        start = wall_time(reading.at, self.zone).date()
        last = next((d for series in phrase.last_day.readings(start) for d in series if d >= start), None)
        if last is None:
            raise Unclear("it ends before it begins")
        return self._at(last, _DAY)

    def _shifted(self, phrase: Phrase) -> list[Reading]:
        assert phrase.shifted is not None
        base = phrase.shifted.clock
        parts = {"clocks": [base]} if isinstance(base, Clock) else {"part": base}
        found = self._once(replace(phrase, shifted=None, **parts))
        span, sign = phrase.shifted.span, phrase.shifted.sign
        moved = [self._later(each.at, sign * span.months, sign * span.days, sign * span.seconds) for each in found]
        ahead = [Reading(at) for at in moved if at > self.now]
        if not ahead:
            raise OverError
        return ahead

    # ------------------------------------------------------------------------------------------------------- rhythms

    def _rhythms(self, phrase: Phrase, rhythm: Rhythm) -> list[Reading]:
        if phrase.without:
            rhythm = _without(rhythm, phrase.without)
        if rhythm.unit == "minute":
            raise Unclear(OFTEN)
        if phrase.until_hour:
            raise Unclear("a rhythm ends on a day, not at an hour of each")
        if rhythm.unit == "hour":
            return [self._hourly(phrase, rhythm)]
        part = PartOfDay(rhythm.part) if rhythm.part else phrase.part
        timed = replace(phrase, part=part, day=None)
        ways: list[list[tuple[Times, Clock | None]]] = [
            self._times(replace(timed, clocks=[clock]), has_day=True) for clock in phrase.clocks
        ] or [self._times(timed, has_day=True)]
        found = []
        for way in product(*ways):
            hours = sorted({times[0] for times, _ in way})
            found.append(self._rhythm(phrase, rhythm, hours, way[0][1]))
        return found

    def _hourly(self, phrase: Phrase, rhythm: Rhythm) -> Reading:
        if phrase.clocks or phrase.part or phrase.between:
            raise Unclear("an hourly rhythm has no time of day")
        limits = self._limits(phrase, self.now + rhythm.every * 3600, short=False)
        return Reading(self.now + rhythm.every * 3600, check_rule(_rule(rhythm, []) + limits))

    def _rhythm(self, phrase: Phrase, rhythm: Rhythm, hours: list[timedelta], end: Clock | None) -> Reading:
        minutes = {hour % _HOUR for hour in hours}
        if len(minutes) > 1:
            raise Unclear("several times of one rhythm share their minutes; say two of them")
        start, given = self.today, phrase.starting is not None
        if phrase.starting is not None:
            series = phrase.starting.readings(self.today)[0]
            start = next((day for day in series if day >= self.today), series[-1])
        rule = _rule(rhythm, hours if len(hours) > 1 else [])
        begins = self._at(start, hours[0])
        # a rhythm that names its days begins with the next of them; any other counts from today
        names_days = bool(rhythm.by_day or rhythm.month_days)
        once = _rule(replace(rhythm, every=1), hours if len(hours) > 1 else []) if names_days else rule
        after = self.now if not given else max(self.now, begins - 1)
        at = first_after(check_rule(once), begins, after, self.zone)
        if at is None:
            raise Unclear("it never comes")
        wall = wall_time(at, self.zone)
        if len(hours) == 1 and (wall.hour, wall.minute) != divmod((hours[0] % _DAY) // timedelta(minutes=1), 60):
            rule = _rule(rhythm, [hours[0] % _DAY])  # only the first occurrence is shifted by a clock change
        rule = check_rule(rule + self._limits(phrase, at, short=True))
        ends = self._end(at, end)
        if phrase.length is not None and phrase.length.span.seconds:
            ends = self._later(at, 0, phrase.length.span.days, phrase.length.span.seconds)
        return Reading(at, rule, ends)

    def _limits(self, phrase: Phrase, first: float, *, short: bool) -> str:
        """Return the end of a rhythm.

        ``short``: a length in hours is that of each occurrence ("every monday at 10 for 1 hour").
        """
        if phrase.times is not None:
            return f";COUNT={phrase.times.count}"
        last: float | None = None
        if phrase.until is not None:
            day = next((d for d in phrase.until.day.readings(self.today)[0] if d >= self.today), None)
            last = self._at(day, _DAY) - 1 if day is not None else None
            if last is None:
                raise Unclear("it ends before it begins")
        elif phrase.length is not None and not (short and phrase.length.span.seconds):
            span = phrase.length.span
            last = self._later(first, span.months, span.days, span.seconds) - 1
        if last is None:
            return ""
        if last < first:
            raise Unclear("it ends before it first comes")
        return f";UNTIL={datetime.fromtimestamp(last, UTC):%Y%m%dT%H%M%SZ}"


def _without(rhythm: Rhythm, left_out: tuple[int, ...]) -> Rhythm:
    days = rhythm.by_day or (tuple(range(7)) if rhythm.unit == "day" else ())
    if not days:
        raise Unclear("days can be left out of “every day” and of named days only")
    kept = tuple(day for day in days if day not in left_out)
    if not kept or not set(left_out) <= set(days) or rhythm.every != 1 or rhythm.nth:
        raise Unclear("it leaves out a day that is not among the others, or all of them")
    return replace(rhythm, unit="week", by_day=kept)


def _rule(rhythm: Rhythm, hours: Iterable[timedelta]) -> str:
    rule = f"FREQ={_FREQUENCIES[rhythm.unit]}"
    if rhythm.every > 1:
        rule += f";INTERVAL={rhythm.every}"
    if rhythm.month:
        rule += f";BYMONTH={rhythm.month}"
    if rhythm.by_day:
        several = rhythm.by_day == WORKDAYS and rhythm.nth
        number = str(rhythm.nth) if rhythm.nth and not several else ""
        rule += ";BYDAY=" + ",".join(f"{number}{_CODES[day]}" for day in rhythm.by_day)
        rule += f";BYSETPOS={rhythm.nth}" if several else ""
    if rhythm.month_days:
        rule += ";BYMONTHDAY=" + ",".join(map(str, rhythm.month_days))
    hours = [*hours]
    if hours:
        minute = (hours[0] % _HOUR) // timedelta(minutes=1)
        rule += f";BYHOUR={','.join(str(hour // _HOUR) for hour in hours)};BYMINUTE={minute};BYSECOND=0"
    return rule


def _alike(start: Clock, end: Clock) -> tuple[Clock, Clock]:
    """Give a start without am or pm the half of its end if it is then before it: "2 to 3pm", "11 to 1pm"."""
    if start.half or not end.half or start.hour > 12 or start.padded:
        return start, end
    pm = end.half == "pm"
    hour = start.hour % 12 + (12 if pm else 0)
    if (hour, start.minute) >= (end.hour, end.minute):
        hour = (hour + 12) % 24
    return replace(start, hour=hour, half="pm" if hour >= 12 else "am", dial=False), end


def far_away(phrase: Phrase, reading: Reading, now: float) -> bool:
    """Check whether a time is more than a year away without a year or a length being said."""
    return reading.at - now > _FAR and not phrase.names_year and phrase.rhythm is None and phrase.span is None


def said(reading: Reading, zone: tzinfo, now: float) -> str:
    """Return ``reading`` in words, for example "Mon 30 Nov 08:00, every Monday"."""
    words = moment(reading.at, zone, now)
    if reading.end is not None:
        same = wall_time(reading.at, zone).date() == wall_time(reading.end, zone).date()
        words += f"–{wall_time(reading.end, zone):%H:%M}" if same else f" to {moment(reading.end, zone, now)}"
    return f"{words}, {spoken.rhythm(reading.rrule, zone)}" if reading.rrule else words
