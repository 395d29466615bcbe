"""The streaming reply: plain text, whose whole lines are drawn once and whose last line is redrawn each time."""

from __future__ import annotations

from typing import Final

from rich.text import Text
from textual.strip import Strip

from pepper_tui.text import clean
from pepper_tui.ui.screen.chat.message_lines import LONGEST, MOST_LINES, Page
from pepper_tui.ui.screen.ink import strips

LONGEST_LINE: Final = 8000
"""Maximum characters of the line that streams now: it is redrawn each time."""


class Tail:
    """The reply so far. ``lines``: as last drawn."""

    def __init__(self) -> None:
        self.id = self.text = ""
        self.done = False
        self.lines: list[Strip] = []
        self._whole: list[Strip] = []
        self._at = 0  # index of the first character after the whole lines

    def add(self, message_id: str, text: str, *, restart: bool, done: bool) -> None:
        """Add ``text`` to the message; another message, or a ``restart``, begins anew."""
        if message_id != self.id or restart:
            self.id, self.text, self.done = message_id, "", False
            self.begin_again()
        self.text += text
        self.done = self.done or done

    def clear(self) -> None:
        """Discard it: it is among the messages now."""
        self.id, self.text, self.done, self.lines = "", "", False, []
        self.begin_again()

    def begin_again(self) -> None:
        """Redraw all of it the next time, as after a change of width or colours."""
        self._whole, self._at = [], 0

    @property
    def streaming(self) -> bool:
        return bool(self.id) and not self.done

    def draw(self, page: Page) -> None:
        """Draw what was added since the last time."""
        pen, ink = page.pen, page.pen.ink
        mark = "" if self.done else " ▍"
        head = Text.assemble(("pepper", ink.accent), ("" if self.done else " · speaking", ink.dim))
        ends = self.text.rfind("\n", self._at, LONGEST)
        if ends >= 0:
            whole = clean(self.text[self._at : ends]).split("\n")[-MOST_LINES:]
            self._whole += page.finished(strips([Text("\n".join(whole))], pen.width))
            self._at = ends + 1
        line = self.text[self._at : LONGEST]
        cut = "…" if len(line) > LONGEST_LINE else ""
        body = Text.assemble(cut, clean(line[-LONGEST_LINE:]), (mark, ink.accent))
        top, rest = (page.finished(strips(lines, pen.width)) for lines in ([head], [body, Text("")]))
        self.lines = [*top, *self._whole, *rest]
