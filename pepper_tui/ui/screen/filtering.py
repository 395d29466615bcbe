"""Filtering and jump labels, common to the lists and the conversation: `/` filters rows, and each row may show a label.

While the filter is typed, every printable key belongs to it: none acts. Enter keeps the filter, Esc shows all rows
again. A filter lasts while its list, or something opened from it, has the focus; it never hides anything unseen.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import Final, cast

from textual import events
from textual.content import Content
from textual.message import Message

from pepper_tui.text import one_line
from pepper_tui.ui.screen.lists.lines import Lines

LONGEST: Final = 100
"""Maximum characters of a filter."""


class Narrowed(Lines):
    """Rows with ids, some of which a filter may hide."""

    name_shown = ""
    """The list's title on the screen."""
    needle: str = ""
    """The words to look for; empty: all rows are shown."""
    labels: Mapping[str, str] = {}
    """Row → the label that jumps there, while labels are shown."""
    _typing = False
    _turned = False
    """Whether the rows change because the user changed the filter."""
    _heading = ""

    class Copied(Message):
        """Message: the user wants ``text`` in the clipboard."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def __init__(self, *, id: str) -> None:  # noqa: A002
        super().__init__(id=id)
        self._known: dict[Hashable, str] = {}  # the rows' words, while there is a filter

    # ------------------------------------------------------------------------------------------ for each kind of list

    def narrowed(self) -> None:
        """React to a changed filter."""
        raise NotImplementedError

    def tally(self) -> tuple[int, int]:
        """Return how many rows the filter has left, and of how many."""
        raise NotImplementedError

    def select(self, row: str) -> None:
        """Put the cursor on ``row`` and scroll it into view."""
        raise NotImplementedError

    def rows_in_view(self) -> list[str]:
        """Return the rows whose first line is on the screen, from the top."""
        raise NotImplementedError

    # -------------------------------------------------------------------------------------------------------- filter

    @property
    def typing(self) -> bool:
        """True while every printable key belongs to the filter."""
        return self._typing

    @property
    def filtering(self) -> bool:
        return bool(self.needle) or self._typing

    def holds(self, name: Hashable, words: Callable[[], str]) -> bool:
        """Check whether the row's ``words`` hold every filter word. Computed once per row, keyed by ``name``."""
        if not self.needle.strip():
            return True
        if (said := self._known.get(name)) is None:
            said = self._known[name] = words().casefold()
        return all(word in said for word in self.needle.casefold().split())

    def entitle(self, heading: str) -> None:
        """Title the list with ``heading`` and its filter, if any."""
        self._heading = heading
        words = heading
        if self.filtering:
            found, of = self.tally()
            way_out = "▍" if self._typing else "  Esc shows all"
            words = f"{self.name_shown} {found} of {of} · /{one_line(self.needle, LONGEST)}{way_out}"
        if self.labels and (number := self.labels.get("")):
            words = f"{number} {words}"
        self.border_title = cast(str, Content(words))  # a plain str would be read as markup
        self.set_class(self.filtering, "headed")

    def label(self, labels: Mapping[str, str]) -> None:
        """Show ``labels``, with the list's own number under the empty row; an empty mapping hides them."""
        self.labels = labels
        self.entitle(self._heading)
        self.refresh()

    def show_all(self) -> None:
        """Remove the filter."""
        if self.filtering:
            self._typing, self.needle, self._known = False, "", {}
            self._turn()

    def _turn(self) -> None:
        self._turned = True
        self.narrowed()
        self._turned = False

    def action_filter(self) -> None:
        self._typing = True
        self._turn()

    def on_key(self, event: events.Key) -> None:
        if not self._typing:
            return
        if event.key == "escape":
            self.show_all()
        elif event.key == "enter":
            self._typing = False
            if not self.needle.strip():
                self.needle = ""
            self._turn()
        elif event.key in ("backspace", "ctrl+h"):
            self._type(self.needle[:-1])
        elif event.key == "ctrl+u":
            self._type("")
        elif event.is_printable and event.character:
            self._type(self.needle + event.character)
        else:
            return
        event.stop()
        event.prevent_default()

    def on_paste(self, event: events.Paste) -> None:
        if self._typing:
            event.stop()
            self._type(self.needle + one_line(event.text, LONGEST))

    def _type(self, needle: str) -> None:
        self.needle = needle[:LONGEST]
        self._turn()
