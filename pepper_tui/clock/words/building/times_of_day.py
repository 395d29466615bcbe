"""Times of day: as on a clock, as spoken, and the parts of a day."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from pepper_tui.clock.words.building.impossible import checked
from pepper_tui.clock.words.parts import Clock, Half, PartOfDay

LATE = 6  # hours: earlier than any that a bare dial hour means


class TimesOfDay:
    # ------------------------------------------------------------------------------------------------------- the hour

    def hour(self, said: int | str) -> int:
        hour = int(said)
        checked(hour <= 24, f"there is no hour {hour}")
        return hour

    def bare_hour(self, hour: int | str) -> Clock:
        return Clock(self.hour(hour), dial=True)

    def naked_hour(self, hour: int | str) -> Clock:
        return Clock(self.hour(hour), dial=True, naked=True)

    def said_hour(self, hour: int | str) -> Clock:
        """Return the hour exactly as said; a part of the day may still decide the half: “8 Uhr abends”."""
        return Clock(self.hour(hour))

    def said_hour_if_late(self, hour: str) -> Clock:
        """Return the hour of “14h”, a clock time; “2h” on its own is a length. Beside a day, both are clock times."""
        return Clock(self.hour(hour), naked=self.hour(hour) < LATE)

    def late_hour(self, hour: str) -> Clock:
        checked(int(hour) > 12, "a few hours are a length")
        return self.said_hour(hour)

    def hour_half(self, hour: int, half: Half) -> Clock:
        return _halved(Clock(hour), half)

    # ----------------------------------------------------------------------------------------------- hour and minutes

    def hour_minute(self, said: str, half: Half = "") -> Clock:
        """Return a time in numbers; with a leading zero the hour counts to 24: “05:30”."""
        return replace(self.said_minutes(said, half), padded=said[0] == "0")

    def said_minutes(self, said: str, half: Half = "") -> Clock:
        """Return a time like ``hour_minute``, but “08:30” is no more exact than “8:30”."""
        return _halved(_clock(*(int(each) for each in re.findall(r"\d+", said))), half)

    def said_if_late(self, said: str) -> Clock:
        """Return the time of “9h30”; “1h30” on its own is a length. Beside a day, both are clock times."""
        clock = self.said_minutes(said)
        return replace(clock, naked=clock.hour < LATE)

    def said_if_no_date(self, said: str) -> Clock:
        """Return the time of “9.30”; “9.10” on its own is a date. Beside a day, both are clock times."""
        clock = self.said_minutes(said)
        return replace(clock, naked=1 <= clock.hour <= 31 and 1 <= clock.minute <= 12)

    def compact(self, said: str, half: Half) -> Clock:
        return _halved(_clock(int(said[:-2]), int(said[-2:])), half)

    def military(self, said: str) -> Clock:
        return _clock(int(said[:2]), int(said[2:]), padded=True)

    def words_minute(self, hour: int, minute: int, half: Half = "") -> Clock:
        return _halved(_clock(hour, minute), half)

    def minute_words(self, *said: int | str) -> int:
        return sum(int(each) for each in said)

    # ----------------------------------------------------------------------------------------------- beside an hour

    def minutes(self, minutes: int) -> int:
        checked(1 <= minutes <= 59, "an hour has 60 minutes")
        return minutes

    def few_minutes(self, minutes: int) -> int:
        checked(minutes % 5 == 0, "that number needs the word minutes")
        return self.minutes(minutes)

    def minutes_past(self, minutes: int, hour: int, half: Half = "") -> Clock:
        return _beside(hour, minutes, half)

    def minutes_to(self, minutes: int, hour: int, half: Half = "") -> Clock:
        return _beside(hour, -minutes, half)

    def quarter_past(self, hour: int, half: Half = "") -> Clock:
        return _beside(hour, 15, half)

    def quarter_to(self, hour: int, half: Half = "") -> Clock:
        return _beside(hour, -15, half)

    def quarter_of(self, hour: int) -> Clock:
        return _beside(hour, -45)

    def half_past(self, hour: int, half: Half = "") -> Clock:
        return _beside(hour, 30, half)

    def half_to(self, hour: int) -> Clock:
        return _beside(hour, -30)

    def minutes_past_half(self, minutes: int, hour: int) -> Clock:
        return _beside(hour, minutes - 30)

    def minutes_to_half(self, minutes: int, hour: int) -> Clock:
        return _beside(hour, -minutes - 30)

    def quarter_to_noon(self) -> Clock:
        return _clock(11, 45, padded=True)

    def quarter_past_noon(self) -> Clock:
        return _clock(12, 15, padded=True)

    # ------------------------------------------------------------------------------------------------ parts of the day

    def part_of_day(self, name: str) -> PartOfDay:
        return PartOfDay(name)

    def this_part(self, name: str) -> PartOfDay:
        return PartOfDay(name, today=True)

    def end_of_day(self, *_: Any) -> PartOfDay:
        return PartOfDay("end")

    def first_thing(self, name: str = "morning") -> PartOfDay:
        return PartOfDay(name)


def as_clock(edge: Clock | PartOfDay) -> Clock:
    if isinstance(edge, Clock):
        return edge
    checked(edge.name in ("noon", "midnight"), "that part of a day has no exact hour")
    return Clock(12 if edge.name == "noon" else 24)


def _clock(hour: int, minute: int = 0, second: int = 0, *, padded: bool = False) -> Clock:
    checked(hour <= 24 and minute <= 59 and second <= 59 and (hour < 24 or not minute), "no clock shows that")
    return Clock(hour, minute, second, padded=padded)


def _halved(clock: Clock, half: Half) -> Clock:
    if not half:
        return clock
    checked(1 <= clock.hour <= 12, f"{clock.hour} {half} is on no clock")
    return replace(clock, hour=clock.hour % 12 + (12 if half == "pm" else 0), half=half)


def _beside(hour: int, minutes: int, half: Half = "") -> Clock:
    whole = _halved(Clock(hour), half)
    at = (whole.hour * 60 + minutes) % 1440
    if not half and 1 <= hour <= 12 and at // 60 == 0:
        at += 720  # on a dial, a quarter to one is at a quarter to twelve plus an hour
    return Clock(at // 60, at % 60, half=half, dial=not half)
