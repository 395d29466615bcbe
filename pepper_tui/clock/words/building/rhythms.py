"""Rhythms, and their limits."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

from pepper_tui.clock.words.building.days import DayPart
from pepper_tui.clock.words.building.impossible import checked
from pepper_tui.clock.words.parts import (
    OFTEN,
    WEEKEND,
    WORKDAYS,
    Day,
    DayOf,
    Except,
    Feast,
    Length,
    Relative,
    Rhythm,
    Span,
    Starting,
    Times,
    Unit,
    Until,
    UntilHour,
)


class Rhythms:
    # ------------------------------------------------------------------------------------------------ so many of a unit

    def every(self, unit: str) -> Rhythm:
        return self.every_n(1, unit)

    def every_n(self, n: float, unit: str) -> Rhythm:
        checked(n == int(n) and n >= 1, "a rhythm is a whole number of something")
        checked(unit != "second", OFTEN)
        match unit:
            case "minute" if n % 60 == 0:
                return Rhythm(int(n) // 60, "hour")
            case "fortnight":
                return Rhythm(int(n) * 2, "week")
            case "quarter":
                return Rhythm(int(n) * 3, "month")
        return Rhythm(int(n), cast(Unit, unit))

    def every_other(self, unit: str) -> Rhythm:
        return self.every_n(2, unit)

    def every_half(self, unit: str) -> Rhythm:
        return Rhythm(6, "month") if unit == "year" else self.every_n(0.5, unit)

    def adverb(self, said: tuple[float, str]) -> Rhythm:
        return self.every_n(*said)

    def every_day(self) -> Rhythm:
        return Rhythm(1, "day")

    def every_part(self, name: str) -> Rhythm:
        return Rhythm(1, "day", part=name)

    # ---------------------------------------------------------------------------------------------------- of a week

    def weekdays(self, *days: int) -> tuple[int, ...]:
        return tuple(sorted(set(days)))

    def weekly_on(self, days: tuple[int, ...]) -> Rhythm:
        return Rhythm(1, "week", by_day=days)

    def weekly_part(self, days: tuple[int, ...], name: str) -> Rhythm:
        return Rhythm(1, "week", by_day=days, part=name)

    def weekday_and_part(self, said: DayPart) -> Rhythm:
        return self.weekly_part((said[0],), said[1])

    def workdays(self, *_: Any) -> Rhythm:
        return self.weekly_on(WORKDAYS)

    def weekends(self, *_: Any) -> Rhythm:
        return self.weekly_on(WEEKEND)

    def weekday_range(self, first: int, last: int) -> Rhythm:
        return self.weekly_on(self.weekdays(*((first + n) % 7 for n in range((last - first) % 7 + 1))))

    def work_week(self, first: int, last: int) -> Rhythm:
        checked(is_every_week(first, last), "from one day to another, once")
        return self.weekday_range(first, last)

    def on_weekdays(self, rhythm: Rhythm, days: tuple[int, ...]) -> Rhythm:
        checked(rhythm.unit == "week" and not rhythm.by_day, "weekdays are of a week")
        return replace(rhythm, by_day=days)

    def every_other_weekday(self, index: int) -> Rhythm:
        return Rhythm(2, "week", by_day=(index,))

    def every_nth_weekday(self, n: int, index: int) -> Rhythm:
        checked(n in (2, 3, 4) or n > 5, "weeks are not counted like that")
        return Rhythm(n, "week", by_day=(index,))

    # --------------------------------------------------------------------------------------------------- of a month

    def every_nth_or_other(self, n: int, index: int) -> Rhythm:
        """Return the n-th weekday of each month.

        “Every third Monday” may mean a month's third or every third week; a first or a fifth one is a month's.
        """
        checked(n != 2, "every second one is every other one")
        return self.monthly_nth(n, index)

    def monthly_nth(self, n: int, index: int) -> Rhythm:
        checked(n <= 5, "a month has at most five of a weekday")
        return Rhythm(1, "month", by_day=(index,), nth=n)

    def monthly_day(self, day: int) -> Rhythm:
        checked(day <= 31, f"no month has a day {day}")
        return Rhythm(1, "month", month_days=(day,))

    def monthly_last_day(self) -> Rhythm:
        return self.monthly_day(-1)

    def monthly_nth_workday(self, n: int) -> Rhythm:
        return Rhythm(1, "month", by_day=WORKDAYS, nth=n)

    # ---------------------------------------------------------------------------------------------------- of a year

    def yearly(self, day: DayOf | Feast) -> Rhythm:
        if isinstance(day, DayOf):
            checked(day.month.month is not None and day.month.year is None, "a year comes once")
            return Rhythm(1, "year", month_days=(day.day,), month=cast(int, day.month.month))
        checked(day.easter is None, "Easter is on another date each year, which no rhythm tells")
        if day.nth:
            return Rhythm(1, "year", by_day=(day.weekday,), nth=day.nth, month=day.month)
        return Rhythm(1, "year", month_days=(day.day,), month=day.month)

    # ------------------------------------------------------------------------------------------------------- limits

    def until(self, day: Day) -> Until:
        return Until(day)

    def until_hour(self, *_: Any) -> UntilHour:
        return UntilHour()

    def length_for(self, span: Span) -> Length:
        return Length(span)

    def times(self, count: int) -> Times:
        checked(count >= 1, "not even once")
        return Times(count)

    def starting(self, day: Day) -> Starting:
        return Starting(day)

    def starting_today(self) -> Starting:
        return Starting(Relative(0))

    def except_days(self, days: tuple[int, ...]) -> Except:
        return Except(days)

    def except_weekends(self) -> Except:
        return Except(WEEKEND)


def is_every_week(first: int, last: int) -> bool:
    """Check whether a range of weekdays is the working week, or starts on Monday and includes it."""
    return first == 0 and last >= 4
