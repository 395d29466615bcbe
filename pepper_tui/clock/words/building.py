"""From the rules of a grammar to the parts of a phrase: one method a rule, the same for all languages."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final, Literal, cast

from pepper_tui.clock.words.parts import (
    WEEKEND,
    WORKDAYS,
    After,
    Between,
    Clock,
    Day,
    DayOf,
    Days,
    EndOf,
    Except,
    Feast,
    Half,
    InWeekOf,
    Length,
    Month,
    NthOf,
    OnThe,
    Part,
    PartOfDay,
    Past,
    Relative,
    Rhythm,
    Shifted,
    Slashed,
    Span,
    Starting,
    Times,
    Unit,
    Until,
    Week,
    Weekday,
    Weekend,
    Year,
    Zone,
)

_SECONDS: Final = {"second": 1, "minute": 60, "hour": 3600}
_DAYS: Final = {"day": 1, "week": 7, "fortnight": 14}
_MONTHS: Final = {"month": 1, "quarter": 3, "year": 12}
Which = Literal["this", "coming", "next", "after next"]
DayPart = tuple[int, str]
"""A weekday and the name of a part of it."""
_LATE: Final = 6  # hours: earlier than any that a dial is taken to show
_OFTEN: Final = "something repeats at most once an hour"


class Impossible(ValueError):
    """A rule fits the letters, but there is no such time."""


def _checked(ok: bool, words: str) -> None:
    if not ok:
        raise Impossible(words)


def _span(amount: float, unit: str) -> Span:
    if unit in _SECONDS:
        return Span(seconds=amount * _SECONDS[unit])
    if unit in _DAYS:
        days = amount * _DAYS[unit]
        return Span(days=int(days), seconds=(days - int(days)) * 86_400)
    months = amount * _MONTHS[unit]
    _checked(months == int(months), "a part of a month has no fixed length")
    return Span(months=int(months))


class Building:
    def start(self, *parts: Part | tuple[Part, ...]) -> tuple[Part, ...]:
        """The parts in a row; a word like “Freitagabend” gives two at once."""
        return tuple(each for part in parts for each in (part if isinstance(part, tuple) else (part,)))

    # ------------------------------------------------------------------------------------------------------- numbers

    def number(self, said: int | str) -> int:
        return int(said)

    def compound_number(self, tens: int, ones: int) -> int:
        _checked(ones < 10, "no such number")
        return tens + ones

    def ordinal(self, said: int | str) -> int:
        number = int("".join(c for c in said if c.isdigit())) if isinstance(said, str) else said
        _checked(number >= 1, "there is no zeroth")
        return number

    def compound_ordinal(self, tens: int, ones: int) -> int:
        _checked(ones < 10, "no such number")
        return tens + ones

    def decimal(self, said: str) -> float:
        return float(said.replace(",", "."))

    def fraction(self, said: str) -> float:
        above, below = said.split("/")
        return int(above) / int(below)

    def one(self, *_: Any) -> int:
        return 1

    def two(self, *_: Any) -> int:
        return 2

    def three(self, *_: Any) -> int:
        return 3

    # ---------------------------------------------------------------------------------------------------------- days

    def today(self, *_: Any) -> Relative:
        return Relative(0)

    def tomorrow(self, *_: Any) -> Relative:
        return Relative(1)

    def overmorrow(self, *_: Any) -> Relative:
        return Relative(2)

    def weekday(self, index: int) -> Weekday:
        return Weekday(index)

    def this_weekday(self, index: int) -> Weekday:
        return Weekday(index, "this")

    def coming_weekday(self, index: int) -> Weekday:
        return Weekday(index, "coming")

    def next_weekday(self, index: int) -> Weekday:
        return Weekday(index, "next")

    def weekday_after_next(self, index: int) -> Weekday:
        return Weekday(index, "after next")

    def weekday_week(self, index: int) -> After:
        return After(Span(days=7), Weekday(index))

    def weekend(self) -> Weekend:
        return Weekend()

    def next_weekend(self) -> Weekend:
        return Weekend(next=True)

    def coming_weekend(self) -> Weekday:
        return Weekday(WEEKEND[0], "coming")

    def weekend_after_next(self) -> InWeekOf:
        return InWeekOf(WEEKEND[0], Span(days=14))

    def relative(self, days: int) -> Relative:
        return Relative(days)

    def which_weekday(self, which: Which, index: int) -> Weekday:
        return Weekday(index, which)

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

    def year(self, said: str) -> int:
        digits = int(said.strip("'’"))
        return digits if digits > 99 else 2000 + digits

    def month_day(self, day: int) -> int:
        _checked(1 <= day <= 31, f"no month has a day {day}")
        return day

    def date(self, day: int, month: int, year: int | None = None) -> DayOf:
        longest = 29 if month == 2 else 30 if month in (4, 6, 9, 11) else 31
        _checked(1 <= month <= 12, f"there is no month {month}")
        _checked(1 <= day <= longest, f"that month has no day {day}")
        return DayOf(day, Month(month, year))

    def month_first(self, month: int, day: int, year: int | None = None) -> DayOf:
        return self.date(day, month, year)

    def day_first_short(self, day: int, month: int, year: str) -> DayOf:
        return self.date(day, month, _full(int(year)))

    def day_first(self, day: int, month: int, year: int | None = None) -> DayOf:
        return self.date(day, month, year)

    def day_of_month(self, said: int | str) -> DayOf:
        day = self.ordinal(said)
        _checked(1 <= day <= 31, f"no month has a day {day}")
        return DayOf(day)

    def weekday_day(self, index: int, said: str) -> OnThe:
        day = int(said)
        _checked(24 < day <= 31, "a small number beside a weekday is an hour")
        return OnThe(index, day)

    def day_in_month(self, day: int, month: Month) -> DayOf:
        _checked(1 <= day <= 31, f"no month has a day {day}")
        return DayOf(day, month)

    def iso_date(self, said: str) -> DayOf:
        year, month, day = (int(each) for each in said.replace("/", "-").replace(".", "-").split("-"))
        return self.date(day, month, year)

    def slashed(self, said: str) -> Slashed:
        first, second, *year = (int(each) for each in said.replace("/", "-").replace(" ", "").split("-"))
        found = Slashed(first, second, _full(year[0]) if year else None)
        _checked(bool(found.orders()), f"{said} is no date")
        return found

    def slashed_day_first(self, said: str) -> DayOf:
        return self.dotted(said.replace("/", ".").replace("-", "."))

    def dotted(self, said: str) -> DayOf:
        day, month, *year = (int(each) for each in said.replace(" ", "").strip(".").split("."))
        return self.date(day, month, _full(year[0]) if year else None)

    # -------------------------------------------------------------------------------------------------------- months

    def any_month(self) -> Month:
        return Month()

    def this_month(self) -> Month:
        return Month(ahead=0)

    def next_month(self) -> Month:
        return Month(ahead=1)

    def month_after_next(self) -> Month:
        return Month(ahead=2)

    def month(self, month: int, year: int | None = None) -> Month:
        return Month(month, year)

    def named_month(self, month: int | Month, year: str | None = None) -> Month:
        if isinstance(month, Month):
            return month
        return Month(month, self.year(year) if year else None)

    def nth_weekday(self, n: int, index: int, month: Month | None = None) -> NthOf:
        _checked(n <= 5, "a month has at most five of a weekday")
        return _nth(n, (index,), month)

    def last_weekday(self, index: int, month: Month | None = None) -> NthOf:
        return _nth(-1, (index,), month)

    def last_but_one_weekday(self, index: int, month: Month | None = None) -> NthOf:
        return _nth(-2, (index,), month)

    def last_day(self, month: Month) -> DayOf:
        return DayOf(-1, month)

    def nth_workday(self, n: int, month: Month) -> NthOf:
        return NthOf(n, WORKDAYS, month)

    def last_workday(self, month: Month) -> NthOf:
        return NthOf(-1, WORKDAYS, month)

    # ------------------------------------------------------------------------------------------------------- periods

    def this_week(self) -> Week:
        return Week(0)

    def next_week(self) -> Week:
        return Week(1)

    def week_after_next(self) -> Week:
        return Week(2)

    def this_year(self) -> Year:
        return Year(0)

    def next_year(self) -> Year:
        return Year(1)

    def year_after_next(self) -> Year:
        return Year(2)

    def middle_of_week(self) -> InWeekOf:
        return InWeekOf(2, Span())

    def middle_of_next_week(self) -> InWeekOf:
        return InWeekOf(2, Span(days=7))

    def start_of_month(self) -> DayOf:
        return DayOf(1)

    def middle_of_month(self, month: Month) -> DayOf:
        return DayOf(15, month)

    def start_of_year(self) -> Feast:
        return Feast(1, 1)

    def end_of_next_year(self) -> EndOf:
        return EndOf("year", 1)

    def end_of_week(self) -> EndOf:
        return EndOf("week")

    def end_of_next_week(self) -> EndOf:
        return EndOf("week", 1)

    def end_of_month(self) -> DayOf:
        return DayOf(-1)

    def end_of_next_month(self) -> DayOf:
        return DayOf(-1, Month(ahead=1))

    def end_of_named(self, month: Month) -> DayOf:
        return DayOf(-1, month)

    def end_of_year(self) -> EndOf:
        return EndOf("year")

    # --------------------------------------------------------------------------------------------------- time of day

    def hour(self, said: int | str) -> int:
        hour = int(said)
        _checked(hour <= 24, f"there is no hour {hour}")
        return hour

    def bare_hour(self, hour: int | str, *_: Any) -> Clock:
        return Clock(self.hour(hour), dial=True)

    def naked_hour(self, hour: int) -> Clock:
        return Clock(hour, dial=True, naked=True)

    def late_hour(self, hour: int | str) -> Clock:
        _checked(int(hour) > 12, "a few hours are a length")
        return self.exact_hour(hour)

    def exact_hour(self, hour: int | str) -> Clock:
        return Clock(self.hour(hour), padded=True)

    def said_hour(self, hour: int | str) -> Clock:
        """As ``exact_hour``, but a part of the day may still say which half is meant: “8 Uhr abends”."""
        return Clock(self.hour(hour))

    def naked_said_hour(self, hour: str) -> Clock:
        """“14h” alone may be a clock time, but “2h” is a length; beside a day each is a clock time."""
        return Clock(self.hour(hour), naked=self.hour(hour) < _LATE)

    def naked_number(self, hour: str) -> Clock:
        return self.naked_hour(self.hour(hour))

    def said_minutes(self, said: str, half: Half = "") -> Clock:
        """As ``hour_minute``, but “08:30” is no more exact than “8:30”."""
        return _halved(_clock(*(int(each) for each in said.lower().replace("h", ":").split(":"))), half)

    def said_if_late(self, said: str) -> Clock:
        """“9h30” alone is a clock time, but “1h30” a length; beside a day each is a clock time."""
        clock = self.said_minutes(said)
        return replace(clock, naked=clock.hour < _LATE)

    def dotted_minutes(self, said: str) -> Clock:
        return _clock(*(int(each) for each in said.split(".")))

    def dotted_number(self, said: str) -> Clock:
        """A clock time that stands alone only if it can't be a date: “9.30”, but not “9.10”."""
        hour, minute = (int(each) for each in said.split("."))
        return replace(_clock(hour, minute), naked=1 <= hour <= 31 and 1 <= minute <= 12)

    def hour_half(self, hour: int, half: Half) -> Clock:
        return _halved(Clock(hour), half)

    def dotted_time(self, said: str) -> Clock:
        hour, minute = (int(each) for each in said.split("."))
        _checked(not (1 <= minute <= 12 and 1 <= hour <= 31), "that is a date")
        return _clock(hour, minute)

    def hour_minute(self, said: str, half: Half = "") -> Clock:
        numbers = [int(each) for each in said.lower().replace("h", ":").replace(".", ":").split(":")]
        return _halved(_clock(*numbers, padded=said[0] == "0"), half)

    def compact(self, said: str, half: Half) -> Clock:
        return _halved(_clock(int(said[:-2]), int(said[-2:])), half)

    def quarter_to_noon(self) -> Clock:
        return _clock(11, 45, padded=True)

    def quarter_past_noon(self) -> Clock:
        return _clock(12, 15, padded=True)

    def words_minute(self, hour: int, minute: int, half: Half = "") -> Clock:
        return _halved(_clock(hour, minute), half)

    def minute_words(self, *said: int | str) -> int:
        return sum(int(each) for each in said)

    def military(self, said: str) -> Clock:
        return _clock(int(said[:2]), int(said[2:]), padded=True)

    def half_past(self, hour: int, half: Half = "") -> Clock:
        return self._beside(hour, 30, half)

    def half_to(self, hour: int) -> Clock:
        return self._beside(hour, -30, "")

    def quarter_past(self, hour: int, half: Half = "") -> Clock:
        return self._beside(hour, 15, half)

    def quarter_to(self, hour: int, half: Half = "") -> Clock:
        return self._beside(hour, -15, half)

    def three_quarters(self, hour: int) -> Clock:
        return self._beside(hour, -15, "")

    def quarter_of(self, hour: int) -> Clock:
        return self._beside(hour, -45, "")

    def minutes(self, minutes: int) -> int:
        _checked(1 <= minutes <= 59, "an hour has 60 minutes")
        return minutes

    def minutes_past(self, minutes: int, hour: int, half: Half = "") -> Clock:
        return self._beside(hour, minutes, half)

    def few_minutes(self, minutes: int) -> int:
        _checked(minutes % 5 == 0, "such minutes are called minutes")
        return self.minutes(minutes)

    def minutes_to(self, minutes: int, hour: int, half: Half = "") -> Clock:
        return self._beside(hour, -minutes, half)

    def minutes_past_half(self, minutes: int, hour: int) -> Clock:
        return self._beside(hour, minutes - 30, "")

    def minutes_to_half(self, minutes: int, hour: int) -> Clock:
        return self._beside(hour, -minutes - 30, "")

    def _beside(self, hour: int, minutes: int, half: Half) -> Clock:
        whole = _halved(Clock(hour), half)
        at = (whole.hour * 60 + minutes) % 1440
        if not half and 1 <= hour <= 12 and at // 60 == 0:
            at += 720  # a quarter to one stands at a quarter to twelve plus an hour, on a dial
        return Clock(at // 60, at % 60, half=half, dial=not half)

    def noon(self) -> PartOfDay:
        return PartOfDay("noon")

    def midnight(self) -> PartOfDay:
        return PartOfDay("midnight")

    def part_of_day(self, name: str) -> PartOfDay:
        return PartOfDay(name)

    def this_part(self, name: str) -> PartOfDay:
        return PartOfDay(name, today=True)

    def today_part(self, name: str) -> PartOfDay:
        return PartOfDay(name, today=True)

    def tonight(self) -> PartOfDay:
        return PartOfDay("night", today=True)

    def end_of_day(self, *_: Any) -> PartOfDay:
        return PartOfDay("end")

    def first_thing(self, name: str = "morning") -> PartOfDay:
        return PartOfDay(name)

    # -------------------------------------------------------------------------------------------------------- spans

    def length(self, amount: float, unit: str) -> Span:
        return _span(amount, unit)

    def length_and_half(self, amount: int, unit: str) -> Span:
        return _span(amount + 0.5, unit)

    def length_and_half_after(self, amount: float, unit: str) -> Span:
        return _span(amount + 0.5, unit)

    def half_length(self, unit: str) -> Span:
        return _span(0.5, unit) if unit != "year" else Span(months=6)

    def quarter_length(self, unit: str) -> Span:
        return _span(0.25, unit)

    def three_quarters_length(self, unit: str) -> Span:
        return _span(0.75, unit)

    def part_length(self, amount: float, unit: tuple[float, str]) -> Span:
        return _span(amount * unit[0], unit[1])

    def one_part_length(self, unit: tuple[float, str]) -> Span:
        return _span(*unit)

    def half_length_of(self, *said: int | str) -> Span:
        """Half of something; a number before it is an article, and so one."""
        _checked(said[0] == 1 or len(said) == 1, "that is more than a half")
        return self.half_length(str(said[-1]))

    def quarters_of_hour(self, quarters: int) -> Span:
        return _span(quarters * 0.25, "hour")

    def hour_length(self, said: str) -> Span:
        hours, minutes = (int(each) for each in said.lower().replace("h", ":").split(":")[:2])
        _checked(minutes < 60, "an hour has 60 minutes")
        return Span(seconds=hours * 3600 + minutes * 60)

    def duration(self, *lengths: Span) -> Span:
        total = Span()
        for each in lengths:
            total += each
        _checked(total != Span(), "that is no time at all")
        return total

    def span(self, span: Span) -> Span:
        return span

    def after_day(self, span: Span, day: Day) -> After:
        _checked(span.whole_days, "hours are counted from a time, not from a day")
        return After(span, day)

    def before_day(self, span: Span, day: Day) -> After:
        _checked(span.whole_days, "hours are counted from a time, not from a day")
        return After(span, day, -1)

    def day_after(self, day: Day) -> After:
        return After(Span(days=1), day)

    def day_before(self, day: Day) -> After:
        return After(Span(days=1), day, -1)

    def weekday_in(self, index: int, span: Span) -> InWeekOf:
        _checked(span.whole_days, "a day is not in hours")
        return InWeekOf(index, span)

    def weekday_in_from(self, span: Span, index: int) -> After:
        return After(span, Weekday(index))

    def before_clock(self, span: Span, clock: Clock | PartOfDay) -> Shifted:
        _checked(not span.months and not span.days, "days are counted from a day")
        return Shifted(span, clock, -1)

    def after_clock(self, span: Span, clock: Clock | PartOfDay) -> Shifted:
        _checked(not span.months and not span.days, "days are counted from a day")
        return Shifted(span, clock, 1)

    def before_hour(self, amount: float, unit: str, hour: int) -> Shifted:
        _checked(unit != "minute", "minutes to an hour are a time of day")
        return self.before_dial(_span(amount, unit), hour)

    def after_hour(self, amount: float, unit: str, hour: int) -> Shifted:
        return replace(self.before_hour(amount, unit, hour), sign=1)

    def before_dial(self, span: Span, hour: int) -> Shifted:
        return Shifted(span, Clock(hour, dial=True), -1)

    def after_dial(self, span: Span, hour: int) -> Shifted:
        return Shifted(span, Clock(hour, dial=True), 1)

    def day_in(self, days: int, span: Span) -> After:
        return self.after_day(span, Relative(days))

    def weekday_in_weeks(self, index: int, span: Span) -> After:
        days = 7 if span.days == 8 else span.days  # "Montag in acht Tagen" counts both Mondays
        _checked(days % 7 == 0 and span == Span(days=span.days), "that is another weekday")
        return After(Span(days=days), Weekday(index))

    def short_hour_length(self, said: str) -> Span:
        span = self.hour_length(said)
        _checked(span.seconds < _LATE * 3600, "that is a clock time")
        return span

    # ------------------------------------------------------------------------------------------------------ rhythms

    def every(self, unit: str) -> Rhythm:
        return self.every_n(1, unit)

    def every_n(self, n: float, unit: str) -> Rhythm:
        _checked(n == int(n) and n >= 1, "a rhythm is a whole number of something")
        _checked(unit not in ("second", "minute") or (unit == "minute" and n % 60 == 0), _OFTEN)
        if unit == "minute":
            return Rhythm(int(n) // 60, "hour")
        match unit:
            case "fortnight":
                return Rhythm(int(n) * 2, "week")
            case "quarter":
                return Rhythm(int(n) * 3, "month")
        return Rhythm(int(n), cast(Unit, unit))

    def every_other(self, unit: str) -> Rhythm:
        return self.every_n(2, unit)

    def every_other_weekday(self, index: int) -> Rhythm:
        return Rhythm(2, "week", by_day=(index,))

    def every_nth_or_other(self, n: int, index: int) -> Rhythm:
        _checked(n != 2 and n <= 5, "every second one is every other one")
        return Rhythm(1, "month", by_day=(index,), nth=n)

    def every_first_weekday(self, n: int, index: int) -> Rhythm:
        """“Every third Monday” may be of a month, or count weeks; a first or a fifth one is of a month."""
        return self.every_nth_or_other(n, index)

    def every_nth_weekday(self, n: int, index: int) -> Rhythm:
        _checked(n in (2, 3, 4) or n > 5, "no such rhythm of weeks")
        return Rhythm(n, "week", by_day=(index,))

    def every_half(self, unit: str) -> Rhythm:
        if unit == "year":
            return Rhythm(6, "month")
        return self.every_n(0.5, unit)

    def every_part_unit(self, unit: tuple[float, str]) -> Rhythm:
        return self.every_n(*unit)

    def on_weekdays(self, rhythm: Rhythm, days: tuple[int, ...]) -> Rhythm:
        _checked(rhythm.unit == "week" and not rhythm.by_day, "weekdays are of a week")
        return replace(rhythm, by_day=days)

    def every_n_on(self, n: int, unit: str, days: tuple[int, ...]) -> Rhythm:
        return replace(self.every_n(n, unit), by_day=days)

    def weekdays(self, *days: int) -> tuple[int, ...]:
        return tuple(sorted(set(days)))

    def weekday_plurals(self, *days: int) -> tuple[int, ...]:
        return tuple(sorted(set(days)))

    def weekly_on(self, days: tuple[int, ...]) -> Rhythm:
        return Rhythm(1, "week", by_day=days)

    def adverb(self, said: tuple[int, str]) -> Rhythm:
        return self.every_n(*said)

    def workdays(self, *_: Any) -> Rhythm:
        return Rhythm(1, "week", by_day=WORKDAYS)

    def weekends(self, *_: Any) -> Rhythm:
        return Rhythm(1, "week", by_day=WEEKEND)

    def every_part(self, name: str) -> Rhythm:
        return Rhythm(1, "day", part=name)

    def every_day(self) -> Rhythm:
        return Rhythm(1, "day")

    def weekday_part(self, index: int, name: str) -> Rhythm:
        return Rhythm(1, "week", by_day=(index,), part=name)

    def weekday_and_part(self, said: DayPart) -> Rhythm:
        return self.weekday_part(*said)

    def weekly_part(self, days: tuple[int, ...], name: str) -> Rhythm:
        return Rhythm(1, "week", by_day=days, part=name)

    def work_week(self, first: int, last: int) -> Rhythm:
        _checked(_all_week(first, last), "from one day to another, once")
        return self.weekday_range(first, last)

    def weekday_range(self, first: int, last: int) -> Rhythm:
        days = [(first + n) % 7 for n in range((last - first) % 7 + 1)]
        return Rhythm(1, "week", by_day=tuple(sorted(days)))

    def monthly_nth(self, n: int, index: int) -> Rhythm:
        _checked(n <= 5, "a month has at most five of a weekday")
        return Rhythm(1, "month", by_day=(index,), nth=n)

    def monthly_last(self, index: int) -> Rhythm:
        return Rhythm(1, "month", by_day=(index,), nth=-1)

    def monthly_day(self, day: int) -> Rhythm:
        _checked(1 <= day <= 31, f"no month has a day {day}")
        return Rhythm(1, "month", month_days=(day,))

    def monthly_last_day(self) -> Rhythm:
        return Rhythm(1, "month", month_days=(-1,))

    def monthly_nth_workday(self, n: int) -> Rhythm:
        return Rhythm(1, "month", by_day=WORKDAYS, nth=n)

    def monthly_last_workday(self) -> Rhythm:
        return Rhythm(1, "month", by_day=WORKDAYS, nth=-1)

    def yearly_on(self, month: int, day: int) -> Rhythm:
        return self.yearly_on_day_month(day, month)

    def yearly_on_day_month(self, day: int, month: int) -> Rhythm:
        self.date(day, month)
        return Rhythm(1, "year", month_days=(day,), month=month)

    def yearly_dotted(self, said: str) -> Rhythm:
        date = self.dotted(said)
        _checked(date.month.month is not None and date.month.year is None, "a year comes once")
        return Rhythm(1, "year", month_days=(date.day,), month=cast(int, date.month.month))

    def yearly_feast(self, day: Feast) -> Rhythm:
        if day.easter is not None:
            raise Impossible("Easter is on another date each year, which no rhythm tells")
        if day.nth:
            return Rhythm(1, "year", by_day=(day.weekday,), nth=day.nth, month=day.month)
        return Rhythm(1, "year", month_days=(day.day,), month=day.month)

    # ------------------------------------------------------------------------------------------------------- others

    def until(self, day: Day) -> Until:
        return Until(day)

    def length_for(self, span: Span) -> Length:
        return Length(span)

    def times(self, count: int) -> Times:
        _checked(count >= 1, "not even once")
        return Times(count)

    def starting(self, day: Day) -> Starting:
        return Starting(day)

    def starting_today(self) -> Starting:
        return Starting(Relative(0))

    def except_days(self, days: tuple[int, ...]) -> Except:
        return Except(days)

    def except_weekends(self) -> Except:
        return Except(WEEKEND)

    def between(self, start: Clock | PartOfDay, end: Clock | PartOfDay) -> Between:
        return Between(_as_clock(start), _as_clock(end))

    def between_clocks(self, start: Clock | PartOfDay, end: Clock | PartOfDay) -> Between:
        """A number alone is as exact as the end: “von 9 bis 17”, “9 bis 11 Uhr”."""
        found = self.between(start, end)
        exact = not found.end.dial or found.end.hour > 12
        return replace(found, start=replace(found.start, dial=False)) if exact else found

    def dash_days(self, start: Day, end: Day) -> Days:
        plain = isinstance(start, Weekday) and isinstance(end, Weekday)
        _checked(not plain, "such weekdays are of every week")
        return self.days(start, end)

    def to_days(self, start: Day, end: Day) -> Days:
        return self.open_day_range(start, end) if isinstance(start, Weekday) else self.days(start, end)

    def days(self, start: Day, end: Day) -> Days:
        if isinstance(start, DayOf) and isinstance(end, DayOf) and start.month == Month():
            _checked(start.day < end.day, "it ends before it begins")
            return Days(replace(start, month=end.month), end)
        return Days(start, end)

    def month_first_days(self, month: int, first: int, last: int, year: int | None = None) -> Days:
        return self.day_first_days(first, last, month, year)

    def day_first_days(self, first: int, last: int, month: int, year: int | None = None) -> Days:
        _checked(first < last, "it ends before it begins")
        return Days(self.date(first, month, year), self.date(last, month, year))

    def day_range(self, start: Day, end: Day) -> Days:
        """A day to another, which is the first such after it; a year that only the end names is of both."""
        if isinstance(end, Weekday):
            return Days(start, Weekday(end.index))
        if isinstance(start, DayOf) and isinstance(end, DayOf):
            _checked(start.month != Month() or end.month == Month(), "the month is of both")
            return Days(_of_year(start, end), end)
        return Days(start, end)

    def open_day_range(self, start: Day, end: Day) -> Days:
        """As ``day_range``; but “Montag bis Freitag” alone is of every week."""
        plain = isinstance(start, Weekday) and isinstance(end, Weekday) and not start.which and not end.which
        _checked(not (plain and _all_week(start.index, end.index)), "that is every week")  # type: ignore[attr-defined]
        return self.day_range(start, end)

    def numbered_days(self, first: int, last: Day) -> Days:
        _checked(isinstance(last, DayOf) and 1 <= first < last.day, "it ends before it begins")
        return Days(replace(cast(DayOf, last), day=first), last)

    def zone(self, name: str) -> Zone:
        return Zone(name)

    def past(self, *_: Any) -> Past:
        return Past()


def _nth(n: int, weekdays: tuple[int, ...], month: Month | None) -> NthOf:
    return NthOf(n, weekdays, month or Month(), loose=month is None)


def _all_week(first: int, last: int) -> bool:
    """Whether a range of weekdays is the working week, or all of it from Monday on."""
    return first == 0 and last >= 4


def _of_year(start: DayOf, end: DayOf) -> DayOf:
    """``start`` in the year that ``end`` names, or in the one before it where it would come after it."""
    first, last = start.month, end.month
    if first.year or not last.year or first.month is None or last.month is None:
        return start
    year = last.year - ((first.month, start.day) > (last.month, end.day))
    return replace(start, month=replace(first, year=year))


def _full(year: int) -> int:
    return year if year > 99 else 2000 + year


def _clock(hour: int, minute: int = 0, second: int = 0, *, padded: bool = False) -> Clock:
    _checked(hour <= 24 and minute <= 59 and second <= 59 and (hour < 24 or not minute), "no clock shows that")
    return Clock(hour, minute, second, padded=padded)


def _halved(clock: Clock, half: Half) -> Clock:
    if not half:
        return clock
    _checked(1 <= clock.hour <= 12, f"{clock.hour} {half} is on no clock")
    return replace(clock, hour=clock.hour % 12 + (12 if half == "pm" else 0), half=half)


def _as_clock(edge: Clock | PartOfDay) -> Clock:
    if isinstance(edge, Clock):
        return edge
    return Clock({"noon": 12, "midnight": 24}[edge.name])
