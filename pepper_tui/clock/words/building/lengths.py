"""Lengths of time, on their own and before or after a time of day."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from pepper_tui.clock.words.building.impossible import checked
from pepper_tui.clock.words.building.times_of_day import LATE
from pepper_tui.clock.words.parts import Clock, PartOfDay, Shifted, Span

_SECONDS: Final = {"second": 1, "minute": 60, "hour": 3600}
_DAYS: Final = {"day": 1, "week": 7, "fortnight": 14}
_MONTHS: Final = {"month": 1, "quarter": 3, "year": 12}


class Lengths:
    def length(self, amount: float, unit: str) -> Span:
        return _span(amount, unit)

    def length_and_half(self, amount: float, unit: str) -> Span:
        return _span(amount + 0.5, unit)

    def half_length(self, unit: str) -> Span:
        return _span(0.5, unit)

    def half_length_of(self, *said: int | str) -> Span:
        """Return half of a unit; a number before it is an article, and so one."""
        checked(said[0] == 1 or len(said) == 1, "that is more than a half")
        return self.half_length(str(said[-1]))

    def quarter_length(self, unit: str) -> Span:
        return _span(0.25, unit)

    def three_quarters_length(self, unit: str) -> Span:
        return _span(0.75, unit)

    def quarters_of_hour(self, quarters: int) -> Span:
        return _span(quarters * 0.25, "hour")

    def part_length(self, amount: float, unit: tuple[float, str]) -> Span:
        return _span(amount * unit[0], unit[1])

    def one_part_length(self, unit: tuple[float, str]) -> Span:
        return _span(*unit)

    def hour_length(self, said: str) -> Span:
        hours, minutes = (int(each) for each in said.lower().replace("h", ":").split(":")[:2])
        checked(minutes < 60, "an hour has 60 minutes")
        return Span(seconds=hours * 3600 + minutes * 60)

    def short_hour_length(self, said: str) -> Span:
        span = self.hour_length(said)
        checked(span.seconds < LATE * 3600, "that is a clock time")
        return span

    def duration(self, *lengths: Span) -> Span:
        total = Span()
        for each in lengths:
            total += each
        checked(total != Span(), "its length is zero")
        return total

    # ------------------------------------------------------------------------------------ before or after a time of day

    def after_clock(self, span: Span, clock: Clock | PartOfDay) -> Shifted:
        checked(not span.months and not span.days, "days are counted from a day")
        return Shifted(span, clock, 1)

    def before_clock(self, span: Span, clock: Clock | PartOfDay) -> Shifted:
        return replace(self.after_clock(span, clock), sign=-1)

    def after_hour(self, amount: float, unit: str, clock: Clock) -> Shifted:
        checked(unit != "minute", "minutes to an hour are a time of day")
        return Shifted(_span(amount, unit), clock, 1)

    def before_hour(self, amount: float, unit: str, clock: Clock) -> Shifted:
        return replace(self.after_hour(amount, unit, clock), sign=-1)


def _span(amount: float, unit: str) -> Span:
    if unit in _SECONDS:
        return Span(seconds=amount * _SECONDS[unit])
    if unit in _DAYS:
        days = amount * _DAYS[unit]
        return Span(days=int(days), seconds=(days - int(days)) * 86_400)
    months = amount * _MONTHS[unit]
    checked(months == int(months), "a part of a month has no fixed length")
    return Span(months=int(months))
