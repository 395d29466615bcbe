"""Ranges from one time of day, or one day, to another."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from pepper_tui.clock.words.building.days import date_of
from pepper_tui.clock.words.building.impossible import checked
from pepper_tui.clock.words.building.rhythms import is_every_week
from pepper_tui.clock.words.building.times_of_day import as_clock
from pepper_tui.clock.words.parts import Between, Clock, Day, DayOf, Days, Month, PartOfDay, Weekday


class Ranges:
    def between(self, start: Clock | PartOfDay, end: Clock | PartOfDay) -> Between:
        found = Between(as_clock(start), as_clock(end))
        checked(not (found.start.naked and found.end.naked), "these are dates")
        return found

    def between_clocks(self, start: Clock | PartOfDay, end: Clock | PartOfDay) -> Between:
        """Return a range of clock times; a bare number is as exact as the end: “von 9 bis 17”, “9 bis 11 Uhr”."""
        found = self.between(start, end)
        exact = not found.end.dial or found.end.hour > 12
        return replace(found, start=replace(found.start, dial=False)) if exact else found

    def days(self, start: Day, end: Day) -> Days:
        """Return a range of days. The end is the first matching day after the start.

        A month or year that only the end names applies to both.
        """
        if isinstance(end, Weekday):
            checked(end.which != "after next", "it does not say from which week on it counts")
            return Days(start, Weekday(end.index))
        if isinstance(start, DayOf) and isinstance(end, DayOf):
            if start.month == Month() != end.month:
                return self.numbered_days(start.day, end)
            return Days(_of_year(start, end), end)
        return Days(start, end)

    def open_days(self, start: Day, end: Day) -> Days:
        """Return a range like ``days``; but a bare “Montag bis Freitag” means every week."""
        plain = isinstance(start, Weekday) and isinstance(end, Weekday) and not start.which and not end.which
        checked(not (plain and is_every_week(start.index, end.index)), "that is every week")  # type: ignore[attr-defined]
        return self.days(start, end)

    def dashed_days(self, start: Day, end: Day) -> Days:
        """Return a range like ``days``; but “tue-thu” means every week."""
        checked(
            not (isinstance(start, Weekday) and isinstance(end, Weekday)),
            "weekdays with a dash between them mean every week",
        )
        return self.days(start, end)

    def numbered_days(self, first: int, last: Day) -> Days:
        checked(isinstance(last, DayOf) and 1 <= first < last.day, "it ends before it begins")
        return Days(replace(cast(DayOf, last), day=first), last)

    def month_first_days(self, month: int, first: int, last: int, year: int | None = None) -> Days:
        return self.numbered_days(first, date_of(last, month, year))


def _of_year(start: DayOf, end: DayOf) -> DayOf:
    """Return ``start`` in the year that ``end`` names, or in the year before if it would come after it."""
    first, last = start.month, end.month
    if first.year or not last.year or first.month is None or last.month is None:
        return start
    year = last.year - ((first.month, start.day) > (last.month, end.day))
    return replace(start, month=replace(first, year=year))
