"""Lines to read in the conversation's place: details, why, help, health. Esc closes; nothing is decided here."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from rich.segment import Segment
from rich.text import Text
from textual import events
from textual.binding import BindingType
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from pepper_tui.ui.ink import Pen, strips
from pepper_tui.ui.keys import bindings

Draw = Callable[[Pen], list[Text]]


class DetailView(ScrollView, can_focus=True):
    """A titled text, drawn anew at each width."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("detail")]

    class Closed(Message):
        """The reader is done."""

    class Approved(Message):
        """``y``: the reader says yes to what is shown."""

    def __init__(self, pen: Callable[[int], Pen], *, id: str) -> None:  # noqa: A002
        super().__init__(id=id)
        self._pen = pen
        self._draw: Draw = lambda _pen: []
        self._strips: list[Strip] = []
        self.display = False
        self._seen_to = 0

    def open(self, title: str, draw: Draw) -> None:
        """Show what ``draw`` gives. ``title`` is Pepper's own words."""
        self.border_title = title
        self.border_subtitle = "Esc closes"
        self._draw = draw
        self.display = True
        self._seen_to = 0
        self.scroll_to(y=0, animate=False, immediate=True)
        self.lay_out()

    def lay_out(self) -> None:
        width = self.scrollable_content_region.width
        if width < 8:
            return
        self._strips = strips(self._draw(self._pen(width - 2)), width - 2)
        self.virtual_size = Size(width, len(self._strips))
        self._seen_to = 0
        self.refresh()
        self.call_after_refresh(self._note_seen)

    def restyle(self) -> None:
        """Draw anew, as after a change of theme."""
        self.lay_out()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self._note_seen()

    def _note_seen(self) -> None:
        top = round(self.scroll_y)
        if self.display and self.region.area and top <= self._seen_to:
            self._seen_to = max(self._seen_to, top + self.scrollable_content_region.height)

    @property
    def read(self) -> bool:
        """Whether each line has been on the screen since it was opened at this width."""
        return bool(self._strips) and self._seen_to >= len(self._strips)

    @property
    def words(self) -> str:
        """What is shown, as plain text."""
        return "\n".join(strip.text.rstrip() for strip in self._strips)

    def on_resize(self, _event: events.Resize) -> None:
        self.lay_out()

    def render_line(self, y: int) -> Strip:
        line, width = round(self.scroll_y) + y, self.scrollable_content_region.width
        body = self._strips[line] if line < len(self._strips) else Strip([])
        return Strip([Segment("  "), *body]).apply_style(self.rich_style).adjust_cell_length(width, self.rich_style)

    def action_line(self, by: int) -> None:
        self.scroll_relative(y=by, animate=False)

    def action_approve(self) -> None:
        self.post_message(self.Approved())

    def action_page(self, by: int) -> None:
        self.action_line(by * max(1, self.scrollable_content_region.height - 1))

    def action_close(self) -> None:
        self.post_message(self.Closed())
