"""Text to read in the conversation's place: details, why, help, health. Esc closes; nothing is decided here."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import BindingType
from textual.message import Message

from pepper_tui.ui.screen.reading.reader import Draw, Reader
from pepper_tui.ui.shared.keys import bindings


class DetailView(Reader, can_focus=True):
    """A titled text."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("detail")]

    class Closed(Message):
        """The reader is done."""

    class Copied(Message):
        """The reader wants to copy ``text``, all that is shown, to the clipboard."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Act(Message):
        """The reader acts on what is shown: ``approve``, or ``draft`` (its mail is to become one)."""

        def __init__(self, act: str) -> None:
            super().__init__()
            self.act = act

    def open(self, title: str, draw: Draw) -> None:
        """Show what ``draw`` returns. ``title`` is Pepper's own words."""
        self.border_title = title
        self.border_subtitle = "Esc closes"
        self.read_out(draw)

    def action_act(self, act: str) -> None:
        self.post_message(self.Act(act))

    def action_copy(self) -> None:
        self.post_message(self.Copied("\n".join(line.strip() for line in self.words.splitlines())))

    def action_close(self) -> None:
        self.post_message(self.Closed())
