"""The list of the user's days."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import ClassVar

from textual.binding import BindingType
from textual.message import Message

from pepper_tui.domains.calendar.days.records import DayEntry, DaysPage
from pepper_tui.ui.screen.agenda.agenda_rows import hints, page_rows
from pepper_tui.ui.screen.ink import Pen
from pepper_tui.ui.screen.reading.opened import OpenedList
from pepper_tui.ui.shared.keys import bindings, names_of

ANYWHERE = frozenset({"today", "earlier", "later", "order", "go", "new", "undo", "redo"})
"""Keys that are about no entry."""


class AgendaList(OpenedList):
    """Days, and what is on them."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("agenda")]

    class Act(Message):
        """A key on the chosen entry. ``act`` is the word in the key table."""

        def __init__(self, act: str, row: str) -> None:
            super().__init__()
            self.act, self.row = act, row

    def __init__(self, pen: Callable[[int], Pen]) -> None:
        super().__init__("AGENDA", "Nothing is on these days.", pen, id="agenda")
        self.entries: dict[str, DayEntry] = {}
        self._page: DaysPage | None = None

    def show_page(self, page: DaysPage, *, empty_days: bool) -> None:
        """Replace the days."""
        if self._page is None or (self._page.first, self._page.days) != (page.first, page.days):
            self.selected = ""
        self._page = page
        rows, self.entries = page_rows(page, self._pen(1), empty_days=empty_days)
        first = date.fromisoformat(page.first)
        last = first + timedelta(days=page.days - 1)
        said = f"{first:%a} {first.day} {first:%b}" + (f" – {last:%a} {last.day} {last:%b}" if last > first else "")
        keys = " · ".join(hints(None, names_of(self.app)))
        self.show_rows(rows, count=len({each.id for each in self.entries.values()}), aside=f"{said} · {keys}")

    def choose_first(self) -> None:
        """Choose the first entry that is not over."""
        now = self._pen(1).now
        ahead = (row.id for row in self.drawn.rows if row.id in self.entries and self.entries[row.id].end > now)
        if row := next(ahead, ""):
            self.selected = row
        else:
            super().choose_first()

    def action_why(self) -> None:
        if self.has_chosen():
            entry = self.entries[self.selected]
            self.post_message(self.Why(self, f"{entry.kind}:{entry.ref}"))

    def action_agenda(self, act: str) -> None:
        if act in ANYWHERE or self.has_chosen():
            self.post_message(self.Act(act, self.selected))
