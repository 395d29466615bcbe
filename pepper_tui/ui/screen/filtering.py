"""What lists and the conversation have in common: `/` narrows them to what holds some words, and each row may carry
a label to jump to.

While words are typed every key that is text belongs to them: none acts. Enter keeps what was found, Esc shows all
again. A filter lasts while its list has the keys, or what was opened from it; it never hides anything unseen.
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
"""Characters of a filter."""


class Narrowed(Lines):
    """Rows with ids, of which a filter may leave out some."""

    name_shown = ""
    """What the list is called on the screen."""
    needle: str = ""
    """The words that are wanted; empty: all rows are there."""
    labels: Mapping[str, str] = {}
    """Row → what to press to jump there, while that is asked."""
    _typing = False
    _heading = ""

    class Copied(Message):
        """The user wants ``text`` in the clipboard."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def __init__(self, *, id: str) -> None:  # noqa: A002
        super().__init__(id=id)
        self._known: dict[Hashable, str] = {}  # what rows say, while there is a filter

    # ------------------------------------------------------------------------------------------ for each kind of list

    def narrowed(self) -> None:
        """Called when the filter has changed."""
        raise NotImplementedError

    def tally(self) -> tuple[int, int]:
        """How many rows the filter has left, and of how many."""
        raise NotImplementedError

    def select(self, row: str) -> None:
        """Put the cursor on ``row`` and bring it into view."""
        raise NotImplementedError

    def rows_in_view(self) -> list[str]:
        """The rows whose first line is on the screen, from the top."""
        raise NotImplementedError

    # -------------------------------------------------------------------------------------------------------- filter

    @property
    def typing(self) -> bool:
        """Whether every key that is text belongs to the filter."""
        return self._typing

    @property
    def filtering(self) -> bool:
        return bool(self.needle) or self._typing

    def holds(self, name: Hashable, words: Callable[[], str]) -> bool:
        """Whether the row's ``words`` hold each word of the filter. Asked once a row: ``name`` tells it from others."""
        if not self.needle.strip():
            return True
        if (said := self._known.get(name)) is None:
            said = self._known[name] = words().casefold()
        return all(word in said for word in self.needle.casefold().split())

    def entitle(self, heading: str) -> None:
        """Title the list with ``heading``, and with its filter where it has one."""
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
        """Show ``labels``, the list's own number under the empty row; none: take them away."""
        self.labels = labels
        self.entitle(self._heading)
        self.refresh()

    def show_all(self) -> None:
        """Take the filter away."""
        if self.filtering:
            self._typing, self.needle, self._known = False, "", {}
            self.narrowed()

    def action_filter(self) -> None:
        self._typing = True
        self.narrowed()

    def on_key(self, event: events.Key) -> None:
        if not self._typing:
            return
        if event.key == "escape":
            self.show_all()
        elif event.key == "enter":
            self._typing = False
            if not self.needle.strip():
                self.needle = ""
            self.narrowed()
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
        self.narrowed()
