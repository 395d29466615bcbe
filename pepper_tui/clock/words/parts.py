"""The parts of a time phrase, independent of the moment at which it is read.

A day answers with *readings*: each is a list of dates, of which the first that is still ahead is meant. More than one
reading is an ambiguity that only the user can settle ("next friday", said on a Monday).
"""

from __future__ import annotations

import calendar
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Literal, Protocol

from dateutil.easter import easter
from dateutil.relativedelta import relativedelta

WORKDAYS: Final = (0, 1, 2, 3, 4)
WEEKEND: Final = (5, 6)
OFTEN: Final = "something repeats at most once an hour"
_YEARS: Final = 8  # years ahead in which every calendar date recurs: 29 February across 2100

Half = Literal["", "am", "pm"]
Unit = Literal["minute", "hour", "day", "week", "month", "year"]
Series = Sequence[date]
"""Dates in order; the first that is still ahead is meant."""


class Unclear(ValueError):
    """A phrase that can't be read as a time; the message says which part of it, and why.

    ``reach``: how many of its characters could be the start of one, if known.
    """

    def __init__(self, words: str, reach: int | None = None) -> None:
        super().__init__(words)
        self.reach = reach


class OverError(Unclear):
    """A valid time that is past."""

    def __init__(self) -> None:
        super().__init__("it is past")


@dataclass(frozen=True, slots=True)
class Clock:
    """A time of day.

    ``dial``: said as on a dial, so that the half of the day is open. ``naked``: a bare number, which is an hour only
    beside a day.
    """

    hour: int
    minute: int = 0
    second: int = 0
    half: Half = ""
    dial: bool = False
    naked: bool = False
    padded: bool = False  # written as in 05:30


@dataclass(frozen=True, slots=True)
class PartOfDay:
    """A part of a day.

    ``name``: morning, noon, afternoon, evening, night, midnight or end. ``today``: of this day ("tonight").
    """

    name: str
    today: bool = False


@dataclass(frozen=True, slots=True)
class Span:
    """A length of time: calendar months and days, and seconds."""

    months: int = 0
    days: int = 0
    seconds: float = 0.0

    def __add__(self, other: Span) -> Span:
        return Span(self.months + other.months, self.days + other.days, self.seconds + other.seconds)

    @property
    def whole_days(self) -> bool:
        return not self.seconds

    def from_day(self, day: date, sign: int = 1) -> date:
        moved: date = day + sign * relativedelta(months=self.months, days=self.days)
        return moved


@dataclass(frozen=True, slots=True)
class Length:
    """How long something takes ("for 45 minutes"), or continues ("every day for 2 weeks")."""

    span: Span


# ------------------------------------------------------------------------------------------------------------- days


class Day(Protocol):
    def readings(self, today: date) -> list[Series]: ...


@dataclass(frozen=True, slots=True)
class Relative:
    days: int

    def readings(self, today: date) -> list[Series]:
        return [[today + timedelta(days=self.days)]]


@dataclass(frozen=True, slots=True)
class Weekday:
    """A weekday; ``index`` 0 is Monday.

    ``which``: "" (the next one), "this" (of this week), "coming" (after today), "next" (ambiguous while this week's is
    still ahead), "after next".
    """

    index: int
    which: Literal["", "this", "coming", "next", "after next"] = ""

    def readings(self, today: date) -> list[Series]:
        ahead = today + timedelta(days=(self.index - today.weekday()) % 7)
        week = timedelta(days=7)
        match self.which:
            case "this":
                return [[today + timedelta(days=self.index - today.weekday())]]
            case "coming" if ahead == today:
                return [[ahead + week]]
            case "next" if ahead == today or self.index < today.weekday():
                return [[ahead + week if ahead == today else ahead]]
            case "next":
                return [[ahead], [ahead + week]]
            case "after next":
                return [[today + timedelta(days=self.index - today.weekday()) + 2 * week]]
        return [[ahead, ahead + week]]


@dataclass(frozen=True, slots=True)
class Week:
    """The week that begins ``weeks`` after this Monday; with a weekday, that day of it."""

    weeks: int

    def readings(self, today: date) -> list[Series]:
        if not self.weeks:
            raise Unclear("it does not say which day of the week")
        return [[self.day(today, 0)]]

    def day(self, today: date, index: int) -> date:
        return today + timedelta(days=7 * self.weeks + index - today.weekday())


@dataclass(frozen=True, slots=True)
class Weekend:
    next: bool = False

    def readings(self, today: date) -> list[Series]:
        saturday = today + timedelta(days=5 - today.weekday())
        week = timedelta(days=7)
        if not self.next:
            return [[saturday, saturday + timedelta(days=1), saturday + week]]
        return [[saturday + week]] if today.weekday() in WEEKEND else [[saturday], [saturday + week]]


@dataclass(frozen=True, slots=True)
class Month:
    """A month: by number, or ``ahead`` months from this one. On its own it means its first day."""

    month: int | None = None
    year: int | None = None
    ahead: int | None = None

    def firsts(self, today: date) -> list[date]:
        """Return the first days of the months it can be, in order."""
        if self.ahead is not None:
            return [today.replace(day=1) + relativedelta(months=self.ahead)]
        if self.month is None:
            return [today.replace(day=1) + relativedelta(months=n) for n in range(12 * _YEARS)]
        years = [self.year] if self.year else range(today.year, today.year + _YEARS)
        return [date(year, self.month, 1) for year in years]

    def readings(self, today: date) -> list[Series]:
        if self.ahead == 0 or (self.month is None and self.ahead is None):
            raise Unclear("it does not say which day of the month")
        return [self.firsts(today)]


@dataclass(frozen=True, slots=True)
class Year:
    """The year ``ahead`` of this one, or ``year``; on its own it means its first day."""

    ahead: int = 0
    year: int | None = None

    def of(self, today: date) -> int:
        return self.year or today.year + self.ahead

    def readings(self, today: date) -> list[Series]:
        if not self.ahead and self.year is None:
            raise Unclear("it does not say which day of the year")
        return [[date(self.of(today), 1, 1)]]


@dataclass(frozen=True, slots=True)
class DayOf:
    """A day of a month; -1 is the last. Months without that day are skipped."""

    day: int
    month: Month = Month()

    def readings(self, today: date) -> list[Series]:
        found = [*self._days(today)]
        if not found:
            raise Unclear(f"that month has no day {self.day}")
        return [found]

    def _days(self, today: date) -> Iterator[date]:
        for first in self.month.firsts(today):
            last = calendar.monthrange(first.year, first.month)[1]
            if self.day <= last:
                yield first.replace(day=self.day if self.day > 0 else last + 1 + self.day)
            elif self.month.year is not None or self.month.ahead is not None:
                raise Unclear(f"{calendar.month_name[first.month]} {first.year} has no day {self.day}")


@dataclass(frozen=True, slots=True)
class Slashed:
    """A date written with slashes: the locale decides which number is the month."""

    first: int
    second: int
    year: int | None = None

    def orders(self) -> list[tuple[int, int]]:
        """Return the valid (day, month) pairs: month first, then day first."""
        both = ((self.second, self.first), (self.first, self.second))
        months = [(day, month) for day, month in both if 1 <= month <= 12]
        return [(day, month) for day, month in months if 1 <= day <= calendar.monthrange(2024, month)[1]]

    def day(self, month_first: bool) -> DayOf:
        day, month = self.orders()[0 if month_first else -1]
        return DayOf(day, Month(month, self.year))


@dataclass(frozen=True, slots=True)
class NthOf:
    """The n-th of some weekdays of a month; -1 is the last. ``loose``: no month was named."""

    n: int
    weekdays: tuple[int, ...]
    month: Month = Month()
    loose: bool = False

    def readings(self, today: date) -> list[Series]:
        found = []
        for first in self.month.firsts(today)[:24]:
            last = calendar.monthrange(first.year, first.month)[1]
            days = [first.replace(day=n) for n in range(1, last + 1) if first.replace(day=n).weekday() in self.weekdays]
            if abs(self.n) <= len(days):
                found.append(days[self.n - 1 if self.n > 0 else self.n])
        if not found:
            raise Unclear("that month has no such day")
        return [found]


@dataclass(frozen=True, slots=True)
class OnThe:
    """A weekday on a certain day of its month ("Thursday the 15th"): the next such day within a year."""

    index: int
    day: int

    def readings(self, today: date) -> list[Series]:
        found = [day for day in DayOf(self.day).readings(today)[0][:13] if day.weekday() == self.index]
        if not found:
            raise Unclear("no such day comes within a year")
        return [found]


@dataclass(frozen=True, slots=True)
class EndOf:
    """The last day of this (0) or a later week or year; whether a week ends on Friday or Sunday is ambiguous."""

    unit: Literal["week", "year"]
    ahead: int = 0

    def readings(self, today: date) -> list[Series]:
        if self.unit == "year":
            return [[date(today.year + self.ahead, 12, 31)]]
        week = Week(self.ahead)
        friday, sunday = week.day(today, 4), week.day(today, 6)
        return [[friday], [sunday]] if friday >= today else [[sunday]]


@dataclass(frozen=True, slots=True)
class Feast:
    """A day that comes every year: on a date, ``easter`` days after Easter, or on the n-th weekday of a month."""

    month: int = 0
    day: int = 0
    easter: int | None = None
    nth: int = 0
    weekday: int = 0
    year: int | None = None

    def readings(self, today: date) -> list[Series]:
        years = [self.year] if self.year else range(today.year, today.year + 2)
        return [[self._in(year) for year in years]]

    def _in(self, year: int) -> date:
        if self.easter is not None:
            sunday: date = easter(year)
            return sunday + timedelta(days=self.easter)
        if self.nth:
            return NthOf(self.nth, (self.weekday,), Month(self.month, year)).readings(date(year, 1, 1))[0][0]
        return date(year, self.month, self.day)


@dataclass(frozen=True, slots=True)
class After:
    """A length after a day, or before it (``sign`` -1)."""

    span: Span
    day: Day
    sign: int = 1

    def readings(self, today: date) -> list[Series]:
        if not self.span.whole_days:
            raise Unclear("hours and minutes are counted from a time, not from a day")
        return [[self.span.from_day(each, self.sign) for each in series] for series in self.day.readings(today)]


@dataclass(frozen=True, slots=True)
class InWeekOf:
    """A weekday of the week that is ``span`` from today ("friday in two weeks")."""

    index: int
    span: Span

    def readings(self, today: date) -> list[Series]:
        then = self.span.from_day(today)
        return [[then + timedelta(days=self.index - then.weekday())]]


# ---------------------------------------------------------------------------------------------------------- rhythms


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How often something happens.

    ``by_day``: weekdays; ``nth``: which of them in a month (-1 the last), together with ``set_pos`` if several weekdays
    count as one kind; ``month_days``: days of the month.
    """

    every: int
    unit: Unit
    by_day: tuple[int, ...] = ()
    nth: int = 0
    month_days: tuple[int, ...] = ()
    month: int = 0
    part: str = ""


@dataclass(frozen=True, slots=True)
class Until:
    day: Day


@dataclass(frozen=True, slots=True)
class UntilHour:
    """An end at a time of day ("every 2 hours until 5"), which no rhythm supports."""


@dataclass(frozen=True, slots=True)
class Times:
    count: int


@dataclass(frozen=True, slots=True)
class Starting:
    day: Day


@dataclass(frozen=True, slots=True)
class Except:
    weekdays: tuple[int, ...]


# ----------------------------------------------------------------------------------------------------------- others


@dataclass(frozen=True, slots=True)
class Between:
    """A range from one clock time to another."""

    start: Clock
    end: Clock


@dataclass(frozen=True, slots=True)
class Days:
    """A range from one day to another."""

    start: Day
    end: Day


@dataclass(frozen=True, slots=True)
class Shifted:
    """A length before (``sign`` -1) or after a time of day ("10 minutes before noon")."""

    span: Span
    clock: Clock | PartOfDay
    sign: int


@dataclass(frozen=True, slots=True)
class Zone:
    name: str


@dataclass(frozen=True, slots=True)
class Past:
    """A time that is past by its own words ("yesterday")."""


Part = (
    Clock | PartOfDay | Span | Length | Relative | Weekday | Week | Weekend | Month | Year | DayOf | Slashed | NthOf
    | OnThe | EndOf | Feast | After | InWeekOf | Rhythm | Until | UntilHour | Times | Starting | Except | Between | Days
    | Shifted | Zone | Past
)  # fmt: skip
