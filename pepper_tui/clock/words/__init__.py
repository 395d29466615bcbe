"""Times in words: one reader for reminders, snoozes, events, rules and tools; English and German."""

from pepper_tui.clock.words.days_said import days_said, names_days, spans_said
from pepper_tui.clock.words.deadline import Due, deadline_in, read_due, time_asked_for
from pepper_tui.clock.words.past import PAST_EXAMPLES, Stretch, read_past
from pepper_tui.clock.words.reader import TimeReader
from pepper_tui.clock.words.reading import Reading, said
from pepper_tui.clock.words.text import EXAMPLES, TimeAskedError, TimeRefusedError, one_time, read_time
from pepper_tui.clock.words.timetable import Timetable, timetable
from pepper_tui.clock.words.within import Within, is_rhythm, is_time, leading_time, opening_time, trailing_time

__all__ = [
    "EXAMPLES",
    "PAST_EXAMPLES",
    "Due",
    "Reading",
    "Stretch",
    "TimeAskedError",
    "TimeReader",
    "TimeRefusedError",
    "Timetable",
    "Within",
    "days_said",
    "deadline_in",
    "is_rhythm",
    "is_time",
    "leading_time",
    "names_days",
    "one_time",
    "opening_time",
    "read_due",
    "read_past",
    "read_time",
    "said",
    "spans_said",
    "time_asked_for",
    "timetable",
    "trailing_time",
]
