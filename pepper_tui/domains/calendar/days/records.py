"""What is on some days, for a list of it. Times are POSIX seconds."""

from __future__ import annotations

from dataclasses import dataclass, field

from pepper_tui.model import Record


@dataclass(slots=True)
class DayEntry(Record):
    """One time of an event, a reminder, or a to-do that is due.

    ``kind``: ``event``, ``reminder`` or ``todo``. ``ref``: the UID, or the reminder's id. ``day``: the date in the
    user's zone on which it begins (ISO 8601); of a to-do that is overdue, today. ``asks``: others ask the user to it,
    so it can be answered. ``notes``: what is told of it beside its title, as "tentative".
    """

    id: str
    kind: str
    ref: str
    title: str
    start: float
    end: float
    day: str
    all_day: bool = False
    place: str = ""
    calendar: str = ""
    notes: list[str] = field(default_factory=list)
    asks: bool = False
    repeats: bool = False
    organizer: str = ""
    people: list[str] = field(default_factory=list)
    text: str = ""


@dataclass(slots=True)
class DaysPage(Record):
    """Some days in a row, from ``first`` (ISO 8601) on. ``left_out``: what of them could not be read, in words."""

    first: str
    days: int
    entries: list[DayEntry] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.entries = [each if isinstance(each, DayEntry) else DayEntry.of(each) for each in self.entries]
