"""Text to read: drawn for each width, scrolled, and remembered as read once every line has been on the screen."""

from __future__ import annotations

from collections.abc import Callable

from rich.text import Text
from textual import events
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from pepper_tui.ui.screen.ink import Pen, finished, strips

Draw = Callable[[Pen], list[Text]]


class Reader(ScrollView):
    """A text returned by ``draw``. Lines that a jump skips do not count as read."""

    def __init__(self, pen: Callable[[int], Pen], *, id: str) -> None:  # noqa: A002
        super().__init__(id=id)
        self._pen = pen
        self._draw: Draw = lambda _pen: []
        self._strips: list[Strip] = []
        self._width = 0
        self._seen_to = 0
        self.display = False

    def read_out(self, draw: Draw) -> None:
        """Show what ``draw`` returns, from its first line."""
        self._draw = draw
        self.display = True
        self._width = 0  # a hidden widget has no width: it is laid out once it has a size
        self.scroll_to(y=0, animate=False, immediate=True)
        self.lay_out()

    def lay_out(self) -> None:
        """Draw again and forget what was read."""
        width = self.scrollable_content_region.width
        if width < 8:
            return
        self._width = width
        self._strips = finished(strips(self._draw(self._pen(width - 2)), width - 2), width, self.rich_style)
        self.virtual_size = Size(width, len(self._strips))
        self._seen_to = 0
        self.refresh()
        self.call_after_refresh(self._note_seen)

    def restyle(self) -> None:
        """Draw again, for example after a change of theme."""
        self.lay_out()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self._note_seen()

    def on_resize(self, _event: events.Resize) -> None:
        if self.scrollable_content_region.width != self._width:
            self.lay_out()
        else:
            self._note_seen()

    def _note_seen(self) -> None:
        top = round(self.scroll_y)
        if self.display and self.is_on_screen and self.region.area and top <= self._seen_to:
            self._seen_to = max(self._seen_to, top + self.scrollable_content_region.height)
        self.seen_more()

    def seen_more(self) -> None:
        """React to other lines coming into view; called whenever that may have happened."""

    @property
    def read(self) -> bool:
        """Whether each line has been on the screen since it was drawn."""
        return bool(self._strips) and self._seen_to >= len(self._strips)

    @property
    def below(self) -> int:
        """How many lines are below the visible ones."""
        return max(0, len(self._strips) - round(self.scroll_y) - self.scrollable_content_region.height)

    @property
    def words(self) -> str:
        """What is shown, as plain text."""
        return "\n".join(strip.text.rstrip() for strip in self._strips)

    def render_line(self, y: int) -> Strip:
        line = round(self.scroll_y) + y
        return self._strips[line] if line < len(self._strips) else Strip.blank(self._width, self.rich_style)

    def action_line(self, by: int) -> None:
        self.scroll_relative(y=by, animate=False)

    def action_page(self, by: int) -> None:
        self.action_line(by * max(1, self.scrollable_content_region.height - 1))
