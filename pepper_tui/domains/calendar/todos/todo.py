"""A to-do, as all of Pepper knows it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Protocol, runtime_checkable

from pepper_tui.model import Record
from pepper_tui.text import one_line


@dataclass(slots=True)
class Todo(Record):
    """One thing to be done. ``due`` in POSIX seconds; of a whole day, when that day begins in the user's zone.

    Of a series it is the first that is not done: the programs that write to-dos move it on when it is.
    """

    uid: str
    summary: str
    due: float | None = None
    all_day: bool = False
    done: bool = False  # or cancelled
    priority: int = 0  # 1 is the highest, 9 the lowest, 0 none
    location: str = ""
    description: str = ""
    calendar: str = ""
    recurrence: str = ""  # the original time of one of a series that was changed
    repeats: bool = False

    @property
    def title(self) -> str:
        return one_line(self.summary, 200) or "(no title)"

    @property
    def key(self) -> str:
        """The id of the to-do across all calendars."""
        return hashlib.sha256(f"{self.calendar}\n{self.uid}\n{self.recurrence}".encode()).hexdigest()[:24]

    def is_overdue(self, now: float, zone: tzinfo) -> bool:
        """Check whether its time is over: of a whole day, that day."""
        return not self.done and self.due is not None and self.over_at(self.due, zone) <= now

    def over_at(self, due: float, zone: tzinfo) -> float:
        """Return when it is overdue that is due at ``due``."""
        if not self.all_day:
            return due
        day = datetime.fromtimestamp(due, zone).date() + timedelta(days=1)
        return datetime(day.year, day.month, day.day, tzinfo=zone).timestamp()


class Todos(Protocol):
    """The to-dos of all calendars. ``defects``: what the last reading could not read of them, in words."""

    @property
    def defects(self) -> Sequence[str]: ...

    async def read(self) -> Sequence[Todo]:
        """Return all that there are now, done or not."""
        ...


@runtime_checkable
class HasTodos(Protocol):
    """An agenda that knows to-dos."""

    @property
    def todos(self) -> Todos: ...
