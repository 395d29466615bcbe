"""Days: by name, by date, by their position in a month, and the weeks, months and years they belong to."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Literal

from pepper_tui.clock.words.building.impossible import checked
from pepper_tui.clock.words.building.numbers import Numbers
from pepper_tui.clock.words.parts import (
    WEEKEND,
    WORKDAYS,
    After,
    Day,
    DayOf,
    EndOf,
    Feast,
    InWeekOf,
    Month,
    NthOf,
    OnThe,
    Part,
    PartOfDay,
    Relative,
    Slashed,
    Span,
    Starting,
    Until,
    Week,
    Weekday,
    Weekend,
    Year,
)

Which = Literal["this", "coming", "next", "after next"]
DayPart = tuple[int, str]
"""A weekday and the name of a part of it."""


class Days(Numbers):
    # ---------------------------------------------------------------------------------------------------- by its name

    def relative(self, days: int) -> Relative:
        return Relative(days)

    def weekday(self, index: int) -> Weekday:
        return Weekday(index)

    def which_weekday(self, which: Which, index: int) -> Weekday:
        return Weekday(index, which)

    def weekday_after_next(self, index: int) -> Weekday:
        return Weekday(index, "after next")

    def weekday_week(self, index: int) -> After:
        return After(Span(days=7), Weekday(index))

    def weekday_in(self, index: int, span: Span) -> InWeekOf:
        checked(span.whole_days, "a day is not in hours")
        return InWeekOf(index, span)

    def weekday_in_weeks(self, index: int, span: Span) -> After:
        days = 7 if span.days == 8 else span.days  # "Montag in acht Tagen" counts both Mondays
        checked(days % 7 == 0 and span == Span(days=span.days), "that is another weekday")
        return After(Span(days=days), Weekday(index))

    def weekend(self) -> Weekend:
        return Weekend()

    def next_weekend(self) -> Weekend:
        return Weekend(next=True)

    def coming_weekend(self) -> Weekday:
        return Weekday(WEEKEND[0], "coming")

    def weekend_after_next(self) -> InWeekOf:
        return InWeekOf(WEEKEND[0], Span(days=14))

    def day_and_part(self, said: DayPart) -> tuple[Part, ...]:
        return Weekday(said[0]), PartOfDay(said[1])

    def which_day_and_part(self, which: Which, said: DayPart) -> tuple[Part, ...]:
        return Weekday(said[0], which), PartOfDay(said[1])

    def until_day_and_part(self, said: DayPart) -> tuple[Part, ...]:
        return Until(Weekday(said[0])), PartOfDay(said[1])

    def starting_day_and_part(self, said: DayPart) -> tuple[Part, ...]:
        return Starting(Weekday(said[0])), PartOfDay(said[1])

    def feast(self, day: Feast, year: int | None = None) -> Feast:
        return replace(day, year=year)

    # ------------------------------------------------------------------------------------------------------- by a date

    def year(self, said: str) -> int:
        return _full(int(said.strip("'’")))

    def month_day(self, day: int) -> int:
        checked(1 <= day <= 31, f"no month has a day {day}")
        return day

    def day_first(self, day: int, month: int, year: int | None = None) -> DayOf:
        return date_of(day, month, year)

    def month_first(self, month: int, day: int, year: int | None = None) -> DayOf:
        return date_of(day, month, year)

    def iso_date(self, said: str) -> DayOf:
        year, month, day = _numbers(said)
        return date_of(day, month, year)

    def dotted(self, said: str) -> DayOf:
        """Return the day of a date in numbers, with the day first."""
        day, month, *year = _numbers(said)
        return date_of(day, month, _full(year[0]) if year else None)

    def slashed(self, said: str) -> Slashed:
        first, second, *year = _numbers(said)
        found = Slashed(first, second, _full(year[0]) if year else None)
        checked(bool(found.orders()), f"{said} is not a date")
        return found

    def day_of_month(self, said: int | str, month: Month = Month()) -> DayOf:  # noqa: B008
        return DayOf(self.month_day(self.ordinal(said)), month)

    def weekday_day(self, index: int, said: str) -> OnThe:
        day = int(said)
        checked(24 < day <= 31, "a small number beside a weekday is an hour")
        return OnThe(index, day)

    # ---------------------------------------------------------------------------------------------- counted in a month

    def nth_weekday(self, n: int, index: int, month: Month | None = None) -> NthOf:
        checked(n <= 5, "a month has at most five of a weekday")
        return NthOf(n, (index,), month or Month(), loose=month is None)

    def nth_workday(self, n: int, month: Month) -> NthOf:
        return NthOf(n, WORKDAYS, month)

    def last_day(self, month: Month) -> DayOf:
        return DayOf(-1, month)

    def middle_of_month(self, month: Month) -> DayOf:
        return DayOf(15, month)

    def start_of_month(self) -> DayOf:
        return DayOf(1)

    # ------------------------------------------------------------------------------------------ weeks, months and years

    def this_one(self) -> int:
        return 0

    def next_one(self) -> int:
        return 1

    def one_after_next(self) -> int:
        return 2

    def week(self, ahead: int) -> Week:
        return Week(ahead)

    def end_of_week(self, ahead: int = 0) -> EndOf:
        return EndOf("week", ahead)

    def middle_of_week(self, ahead: int = 0) -> InWeekOf:
        return InWeekOf(2, Span(days=7 * ahead))

    def month(self, month: int, year: int | None = None) -> Month:
        return Month(month, year)

    def any_month(self) -> Month:
        return Month()

    def month_ahead(self, ahead: int) -> Month:
        return Month(ahead=ahead)

    def year_ahead(self, ahead: int) -> Year:
        return Year(ahead)

    def start_of_year(self) -> Feast:
        return Feast(1, 1)

    def end_of_year(self, ahead: int = 0) -> EndOf:
        return EndOf("year", ahead)

    # -------------------------------------------------------------------------------------------- counted from another

    def one_day(self) -> Span:
        return Span(days=1)

    def after_day(self, span: Span, day: Day) -> After:
        checked(span.whole_days, "hours are counted from a time, not from a day")
        return After(span, day)

    def before_day(self, span: Span, day: Day) -> After:
        return replace(self.after_day(span, day), sign=-1)

    def day_in(self, days: int, span: Span) -> After:
        return self.after_day(span, Relative(days))


def date_of(day: int, month: int, year: int | None = None) -> DayOf:
    longest = 29 if month == 2 else 30 if month in (4, 6, 9, 11) else 31
    checked(1 <= month <= 12, f"there is no month {month}")
    checked(1 <= day <= longest, f"that month has no day {day}")
    return DayOf(day, Month(month, year))


def _numbers(said: str) -> list[int]:
    return [int(each) for each in re.findall(r"\d+", said)]


def _full(year: int) -> int:
    return year if year > 99 else 2000 + year
