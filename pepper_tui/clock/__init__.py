"""Time: the clock, timers, recurrence, and times in words."""

from pepper_tui.clock.clock import (
    ZONE_REMEDY,
    Clock,
    ManualClock,
    SystemClock,
    local_locale,
    local_zone,
    zone_trouble,
)
from pepper_tui.clock.looks import NO_ANSWER_REMEDY, Looks, NoAnswerError, in_thread, no_answer
from pepper_tui.clock.timers import Timers
from pepper_tui.clock.waits import Turns, done_before, either
from pepper_tui.clock.written import day, iso, moment, weekday_date, weekday_iso

__all__ = [
    "NO_ANSWER_REMEDY",
    "ZONE_REMEDY",
    "Clock",
    "Looks",
    "ManualClock",
    "NoAnswerError",
    "SystemClock",
    "Timers",
    "Turns",
    "day",
    "done_before",
    "either",
    "in_thread",
    "iso",
    "local_locale",
    "local_zone",
    "moment",
    "no_answer",
    "weekday_date",
    "weekday_iso",
    "zone_trouble",
]
