"""Fits the parts of a phrase together: one day, one time of day, one rhythm. Parts that do not fit are refused."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Final, TypeVar, cast

from pepper_tui.clock.words.parts import (
    After,
    Between,
    Clock,
    Day,
    DayOf,
    Days,
    EndOf,
    Except,
    Feast,
    InWeekOf,
    Length,
    Month,
    NthOf,
    OnThe,
    OverError,
    Part,
    PartOfDay,
    Past,
    Relative,
    Rhythm,
    Series,
    Shifted,
    Slashed,
    Span,
    Starting,
    Times,
    Unclear,
    Until,
    UntilHour,
    Week,
    Weekday,
    Weekend,
    Year,
    Zone,
)

T = TypeVar("T")
_DAYS: Final = (
    Relative,
    Weekday,
    Week,
    Weekend,
    Month,
    Year,
    DayOf,
    NthOf,
    OnThe,
    EndOf,
    Feast,
    After,
    InWeekOf,
    Slashed,
)
_NAMES: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclass(frozen=True, slots=True)
class Checked:
    """A day named twice ("Friday, 4 December"): both names must mean the same day."""

    day: Day
    weekday: int

    def readings(self, today: date) -> list[Series]:
        named = self.day.readings(today)
        fitting = [[each for each in series[:1] if each.weekday() == self.weekday] for series in named]
        found: list[Series] = [series for series in fitting if series]
        if not found:
            first = named[0][0]
            raise Unclear(f"{first.day} {first:%B %Y} is a {_NAMES[first.weekday()]}, not a {_NAMES[self.weekday]}")
        return found


@dataclass(frozen=True, slots=True)
class OfWeek:
    """A weekday of a week."""

    week: Week
    index: int

    def readings(self, today: date) -> list[Series]:
        return [[self.week.day(today, self.index)]]


@dataclass(frozen=True, slots=True)
class OfYear:
    """A date in a year given by its distance ("5 December next year")."""

    day: DayOf | Feast
    year: Year

    def readings(self, today: date) -> list[Series]:
        year = self.year.of(today)
        if isinstance(self.day, Feast):
            return replace(self.day, year=year).readings(today)
        return replace(self.day, month=replace(self.day.month, year=year)).readings(today)


@dataclass(slots=True)
class Phrase:
    """The fitted parts; missing ones are empty. ``clocks``: several only beside a rhythm."""

    day: Day | None = None
    clocks: list[Clock] = field(default_factory=list)
    part: PartOfDay | None = None
    span: Span | None = None
    rhythm: Rhythm | None = None
    until: Until | None = None
    until_hour: bool = False
    times: Times | None = None
    starting: Day | None = None
    without: tuple[int, ...] = ()
    between: Between | None = None
    last_day: Day | None = None
    length: Length | None = None
    shifted: Shifted | None = None
    zone: str = ""
    names_year: bool = False


def fitted(parts: Iterable[Part], month_first: bool) -> Phrase:
    """Fit parts into a phrase. Raises ``Unclear`` if they do not make one time."""
    said = [_plain(part, month_first) for part in parts]
    if any(isinstance(part, Past) for part in said):
        raise OverError
    phrase = Phrase(names_year=any(_names_year(part) for part in said))
    phrase.rhythm = _one(said, Rhythm, "two rhythms")
    days = [cast(Day, part) for part in said if isinstance(part, _DAYS)]
    if phrase.rhythm is not None:
        phrase.rhythm, days, phrase.starting, phrase.until = _of_rhythm(phrase.rhythm, days)
    phrase.clocks = [part for part in said if isinstance(part, Clock)]
    if len(phrase.clocks) > 1 and phrase.rhythm is None:
        raise Unclear("it names two times of day")
    if len(phrase.clocks) > 1 and _apart(said):
        raise Unclear("it has two rhythms with different times; say them one by one")
    phrase.part = _one_part([part for part in said if isinstance(part, PartOfDay)])
    spans = [part for part in said if isinstance(part, Span)]
    phrase.span = sum(spans[1:], spans[0]) if spans else None
    phrase.between = _one(said, Between, "two ranges")
    if days_said := _one(said, Days, "two ranges of days"):
        if any(isinstance(day, Month) for day in days) and _wraps(days_said):
            raise Unclear("it ends before it begins")
        days.append(days_said.start)
        phrase.last_day = days_said.end
    if phrase.rhythm is None and any(isinstance(day, NthOf) and day.loose for day in days) and len(days) == 1:
        raise Unclear("it does not say of which month")
    phrase.day = _one_day(days, phrase)
    phrase.until = _one([*said, *([phrase.until] if phrase.until else [])], Until, "two ends")
    phrase.until_hour = any(isinstance(part, UntilHour) for part in said)
    phrase.times = _one(said, Times, "two counts")
    if starting := _one(said, Starting, "two beginnings"):
        phrase.starting = starting.day
    if without := _one(said, Except, "two exceptions"):
        phrase.without = without.weekdays
    phrase.length = _one(said, Length, "two lengths")
    phrase.shifted = _one(said, Shifted, "two times of day")
    if zone := _one(said, Zone, "two time zones"):
        phrase.zone = zone.name
    _whole(phrase)
    return phrase


def _apart(parts: list[Any]) -> bool:
    """Check whether something of another day stands between two times: “every monday at 8 and friday at 9”."""
    places = [n for n, part in enumerate(parts) if isinstance(part, Clock)]
    return any(not isinstance(part, Clock | PartOfDay | Zone) for part in parts[places[0] : places[-1]])


def _wraps(days: Days) -> bool:
    """Check whether a range continues into the next month: “from the 28th to the 3rd”."""
    start, end = days.start, days.end
    return isinstance(start, DayOf) and isinstance(end, DayOf) and start.day >= end.day


def _plain(part: Any, month_first: bool) -> Any:
    """Return ``part`` with its dates ordered as the locale writes them."""
    match part:
        case Slashed():
            return part.day(month_first)
        case Until() | Starting() | After():
            return replace(part, day=_plain(part.day, month_first))
        case Days():
            return Days(_plain(part.start, month_first), _plain(part.end, month_first))
    return part


def _whole(phrase: Phrase) -> None:
    """Refuse combinations in which one part leaves no room for another."""
    if phrase.between and (phrase.clocks or (phrase.part and phrase.part.name in ("noon", "midnight"))):
        raise Unclear("it names two times of day")
    if phrase.shifted and (phrase.clocks or phrase.between or phrase.span or phrase.rhythm):
        raise Unclear("it names two times of day")
    if phrase.rhythm is None and phrase.until is not None and phrase.day is None:
        phrase.day, phrase.until = phrase.until.day, None  # a deadline
    if phrase.rhythm is None and (phrase.until or phrase.until_hour or phrase.times or phrase.without):
        raise Unclear("it says until when, but not how often")
    if phrase.rhythm is None and phrase.starting is not None:
        if phrase.day is not None:
            raise Unclear("it names two days")
        phrase.day, phrase.starting = phrase.starting, None
    if phrase.last_day is not None and (phrase.rhythm or phrase.part):
        raise Unclear("it names a range of days, and more")
    named = isinstance(phrase.day, Year) or (isinstance(phrase.day, Month) and phrase.day.month is not None)
    if named and (phrase.clocks or phrase.part or phrase.between):
        raise Unclear("it does not say which day")
    if phrase.rhythm is not None and phrase.span is not None:
        raise Unclear("it says how often, and from when in another way")
    if phrase.span is not None and phrase.span.seconds and (phrase.clocks or phrase.part or phrase.day):
        raise Unclear("hours from now, and a time of day beside them, are two times")
    whens = (phrase.day, phrase.clocks, phrase.part, phrase.span, phrase.rhythm, phrase.between, phrase.shifted)
    if not any(whens):
        raise Unclear("it does not say when")
    if any(clock.naked for clock in phrase.clocks) and not (phrase.day or phrase.rhythm or phrase.part or phrase.span):
        raise Unclear("a number alone is not a time")


def _one(parts: Iterable[object], kind: type[T], words: str) -> T | None:
    found = dict.fromkeys(part for part in parts if isinstance(part, kind))
    if len(found) > 1:
        raise Unclear(f"it has {words}")
    return next(iter(found), None)


def _one_part(parts: list[PartOfDay]) -> PartOfDay | None:
    names = {part.name for part in parts}
    if names in ({"night", "midnight"}, {"morning", "noon"}):
        names -= {"night", "morning"}
    if len(names) > 1:
        raise Unclear("it names two parts of a day")
    return PartOfDay(names.pop(), any(part.today for part in parts)) if names else None


def _one_day(days: list[Day], phrase: Phrase) -> Day | None:
    days = [*dict.fromkeys(days)]
    weekdays = [day for day in days if isinstance(day, Weekday)]
    others = [day for day in days if not isinstance(day, Weekday)]
    if phrase.part is not None and phrase.part.today and not days:
        return Relative(0)
    other = _others_in_one(others) if others else None
    if len(weekdays) > 1:
        raise Unclear("it names two days; to have both, say “every”")
    if not weekdays:
        return other
    [weekday] = weekdays
    if phrase.span is not None and phrase.span.whole_days and other is None:
        span, phrase.span = phrase.span, None
        return InWeekOf(weekday.index, span)
    if other is None:
        return weekday
    if isinstance(other, Week):
        return OfWeek(other, weekday.index)
    if isinstance(other, Month | Year):
        raise Unclear("it does not say which of its weeks")
    if isinstance(other, DayOf) and other.month == Month():
        return OnThe(weekday.index, other.day)
    return Checked(other, weekday.index)


def _others_in_one(days: list[Day]) -> Day:
    """Return a date joined with the month or year that is named beside it."""
    join: dict[frozenset[type], Callable[[dict[type, Day]], Day]] = {
        frozenset({DayOf, Month}): lambda d: replace(d[DayOf], month=d[Month]),  # type: ignore[type-var]
        frozenset({NthOf, Month}): lambda d: replace(d[NthOf], month=d[Month], loose=False),  # type: ignore[type-var]
        frozenset({DayOf, Year}): lambda d: OfYear(d[DayOf], d[Year]),  # type: ignore[arg-type]
        frozenset({Feast, Year}): lambda d: OfYear(d[Feast], d[Year]),  # type: ignore[arg-type]
    }
    kinds = {type(day): day for day in days}
    if len(days) == 1:
        return days[0]
    how = join.get(frozenset(kinds))
    if len(days) != 2 or how is None or (Month in kinds and kinds[DayOf if DayOf in kinds else NthOf].month != Month()):  # type: ignore[attr-defined]
        raise Unclear("it names two days")
    return how(kinds)


def _of_rhythm(rhythm: Rhythm, days: list[Day]) -> tuple[Rhythm, list[Day], Day | None, Until | None]:
    """Return a rhythm with the days named beside it, when it starts, and when it ends."""
    starting: Day | None = None
    until: Until | None = None
    for day in days:
        match day:
            case Weekday(index, "") if rhythm.unit == "week" and not rhythm.nth:
                rhythm = replace(rhythm, by_day=tuple(sorted({*rhythm.by_day, index})))
            case DayOf(number, month) if rhythm.unit == "month" and month == Month() and not rhythm.by_day:
                rhythm = replace(rhythm, month_days=tuple(sorted({*rhythm.month_days, number})))
            case DayOf(number, Month(int() as month, None, None)) if rhythm.unit == "year" and not rhythm.month_days:
                rhythm = replace(rhythm, month_days=(number,), month=month)
            case Feast() if rhythm.unit == "year" and not rhythm.month_days and day.easter is None:
                rhythm = replace(
                    rhythm,
                    month=day.month,
                    month_days=(day.day,) if not day.nth else (),
                    by_day=(day.weekday,) if day.nth else (),
                    nth=day.nth,
                )
            case NthOf(n, weekdays, Month(int() as month, None, None)) if rhythm.unit == "year" and not rhythm.by_day:
                rhythm = replace(rhythm, by_day=weekdays, nth=n, month=month)
            case NthOf(n, weekdays, month) if rhythm.unit == "month" and month == Month() and not rhythm.by_day:
                rhythm = replace(rhythm, by_day=weekdays, nth=n)
            case Week(weeks) if starting is None:
                starting, until = (OfWeek(day, 0) if weeks else Relative(0)), Until(OfWeek(day, 6))
            case Relative() if starting is None:
                starting = day
            case _:
                raise Unclear("its day does not fit its rhythm")
    return rhythm, [], starting, until


def _names_year(part: object) -> bool:
    match part:
        case Days(start, _):
            return _names_year(start)
        case (
            DayOf(month=Month(year=int()))
            | NthOf(month=Month(year=int()))
            | Month(year=int())
            | Feast(year=int())
            | Year()
            | EndOf(ahead=1)
            | Span()
            | After()
        ):
            return True
    return False
