"""Key commands on the row under the cursor: its details, why it is there, its words, or back to typing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from textual.message import Message
from textual.reactive import var

from pepper_tui.ui.screen.filtering import Narrowed
from pepper_tui.ui.shared.keys import names_of


class Drawn(Protocol):
    """Rows one below the other, as they are drawn."""

    @property
    def ids(self) -> list[str]: ...

    def begun_in(self, top: int, end: int) -> list[str]:
        """Return the rows that begin within these lines."""


class RowCursor(Narrowed, can_focus=True):
    """Rows of which one is ``selected``, by its id."""

    drawn: Drawn
    """Those that the filter has left."""
    selected: var[str] = var("")
    without_details: frozenset[str] = frozenset()
    """Rows that have no details."""

    def __init__(self, *, id: str) -> None:  # noqa: A002
        super().__init__(id=id)
        self._all: Sequence[Any] = ()

    class Details(Message):
        """Message: Enter on a row, or a click on the selected one."""

        def __init__(self, sender: RowCursor, row: str) -> None:
            super().__init__()
            self.list, self.row = sender, row

    class Why(Details):
        """Message: ``w`` on a row."""

    class Idle(Message):
        """Message: a key that is about a row was pressed, and did nothing. ``words`` say why."""

        def __init__(self, words: str) -> None:
            super().__init__()
            self.words = words

    class Back(Message):
        """Message: Esc, the user wants to type again."""

    # ------------------------------------------------------------------------------------------ for each kind of list

    def said_in(self, row: str) -> str:
        """Return the row's words, to copy."""
        raise NotImplementedError

    # ---------------------------------------------------------------------------------------------------------- rows

    @property
    def row_ids(self) -> list[str]:
        """The rows that the filter has left."""
        return self.drawn.ids

    def tally(self) -> tuple[int, int]:
        return len(self.row_ids), len(self._all)

    def rows_in_view(self) -> list[str]:
        if not self.is_on_screen or not self.region.area:
            return []
        top = round(self.scroll_y)
        return self.drawn.begun_in(top, top + self.scrollable_content_region.height)

    @property
    def none_chosen(self) -> str:
        """Return why a key about a row has none to be about; empty if there is one."""
        if self.selected in self.row_ids:
            return ""
        if self.row_ids:
            names = names_of(self.app)
            return f"Nothing is chosen: {names.of('list.down')} or {names.of('list.up')} choose"
        return "Nothing here holds these words: Esc shows all" if self.filtering else "There is nothing here yet"

    def has_chosen(self) -> bool:
        """Return whether a row is chosen; if none is, say so."""
        if words := self.none_chosen:
            self.post_message(self.Idle(words))
        return not words

    def _opens(self) -> bool:
        if not self.has_chosen():
            return False
        if self.selected in self.without_details:
            self.post_message(self.Idle("This line has no details"))
        return self.selected not in self.without_details

    # ---------------------------------------------------------------------------------------------------------- keys

    def watch_selected(self) -> None:
        self.refresh()

    def action_details(self) -> None:
        if self._opens():
            self.post_message(self.Details(self, self.selected))

    def action_why(self) -> None:
        if self._opens():
            self.post_message(self.Why(self, self.selected))

    def action_copy(self) -> None:
        if self.has_chosen():
            self.post_message(self.Copied(self.said_in(self.selected)))

    def action_back(self) -> None:
        if self.filtering:
            self.show_all()
        else:
            self.post_message(self.Back())
