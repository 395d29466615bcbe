"""The conversation, drawn line by line: one entry per message, without a widget for each.

Finished messages are Markdown, wrapped once per width, the newest first and the older ones a few at a time. The message
that streams is a plain tail, redrawn at most eight times a second. The reader's place holds unless they are at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar, Final

from textual import events
from textual.binding import BindingType
from textual.geometry import Size
from textual.strip import Strip

from pepper_tui.text import clean
from pepper_tui.ui.screen.chat.drawn_messages import EAGER, DrawnMessages
from pepper_tui.ui.screen.chat.message_lines import OLDER, Page
from pepper_tui.ui.screen.chat.tail import Tail
from pepper_tui.ui.screen.ink import Pen, marked, taught
from pepper_tui.ui.screen.later import Later
from pepper_tui.ui.screen.lists.row_cursor import RowCursor
from pepper_tui.ui.shared.keys import bindings
from pepper_tui.ui.shared.records import Message

CHUNK_PAUSE: Final = 0.03
"""Seconds between two chunks, so that keys are handled in between."""
TAIL_INTERVAL: Final = 0.125


class Transcript(RowCursor):
    """Messages and, while Pepper speaks, the reply so far."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("list", "chat")]
    name_shown = "CONVERSATION"
    without_details = frozenset({OLDER})
    drawn: DrawnMessages

    def __init__(self, empty: str, pen: Callable[[int], Pen], *, id: str) -> None:  # noqa: A002
        super().__init__(id=id)
        self.empty = empty
        self._pen = pen
        self.drawn = DrawnMessages(self.page)
        self.tail = Tail()
        self._wraps, self._draws = Later(self), Later(self)
        self._extending = False
        self.at_end = True
        """Whether the reader is at the end, and stays there as more comes."""
        self._taught: list[Strip] = []

    def page(self) -> Page:
        """Return what is drawn on now."""
        width = self.drawn.width
        return Page(self._pen(max(8, width - 2)), width, self.rich_style, self.app.console)

    # --------------------------------------------------------------------------------------------- content

    def show_messages(self, messages: Sequence[Message]) -> None:
        """Replace the finished messages. The stored form of the streamed one takes the tail's place."""
        self._all = messages
        self.narrowed()

    def narrowed(self) -> None:
        drawn, tail = self.drawn, self.tail
        shown = [m.id for m in self._all if self.holds((m.id, m.text), lambda m=m: clean(m.text))]  # type: ignore[misc]
        drawn.put(self._all, shown)
        if tail.id in drawn.messages and (tail.done or not drawn.messages[tail.id].unfinished):
            tail.clear()
        if self.filtering and shown and self.selected not in shown:
            self.selected = shown[-1]
        self.entitle("")
        self._lay_out()

    def show_all(self) -> None:
        """Remove the filter, and scroll to the selected message in its place."""
        found = self.selected if self.filtering and self.has_focus else ""
        super().show_all()
        if found and found != self.row_ids[-1]:
            self.at_end = False
            self.call_after_refresh(self.select, found)  # scrolling works only after the layout

    def said_in(self, row: str) -> str:
        return self.drawn.messages[row].text

    def stream(self, message_id: str, text: str, *, restart: bool, done: bool) -> None:
        """Add to the reply that streams now."""
        stored = self.drawn.messages.get(message_id)
        if stored is not None and not stored.unfinished:
            return
        self.tail.add(message_id, text, restart=restart, done=done)
        if not self._draws.waits:
            self._draws.after(TAIL_INTERVAL, self._draw_tail)

    def _draw_tail(self) -> None:
        if self.tail.id:
            self.tail.draw(self.page())
            self._extend()

    # ---------------------------------------------------------------------------------------------- layout

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        if not self._extending:
            self.at_end = new_value >= self.max_scroll_y - 1

    def on_resize(self, _event: events.Resize) -> None:
        width = self.scrollable_content_region.width
        if width == self.drawn.width:
            self._extend()
            return
        self.drawn.width = width
        self.restyle()
        self._draw_tail()

    def restyle(self) -> None:
        """Redraw everything, as after a change of theme or zone."""
        self.tail.begin_again()
        self.drawn.forget()
        self._lay_out()

    def _lay_out(self) -> None:
        width = self.drawn.width
        if width < 8:
            return
        nothing = "No message holds these words. Esc shows all." if self._all else self.empty
        self._taught = [] if self.row_ids else taught(nothing, self._pen(width), self.rich_style)
        self._extend(self.drawn.measure(max(0, len(self.row_ids) - EAGER)))

    def _wrap_older(self, newest_left: int) -> None:
        drawn, line = self.drawn, round(self.scroll_y)
        place = drawn.at(line)
        anchor, inside = (drawn.ids[place], line - drawn.tops[place]) if place >= 0 else ("", 0)
        self._extend(drawn.wrap_some(newest_left))
        if not self.at_end and anchor:
            top = drawn.tops[drawn.ids.index(anchor)]
            self.scroll_to(y=top + inside, animate=False, immediate=True, force=True)

    def _extend(self, newest_left: int = -1) -> None:
        """Take the size of what is drawn; the messages from the place ``newest_left`` on are wrapped later."""
        if newest_left >= 0 and not self._wraps.waits:
            self._wraps.after(CHUNK_PAUSE, lambda: self._wrap_older(newest_left))
        self._extending = True
        self.extend_to(Size(self.drawn.width, self.drawn.tops[-1] + len(self.tail.lines)))
        if self.at_end:
            # forced: the first overflow comes before the scrollbar exists
            self.scroll_end(animate=False, immediate=True, x_axis=False, force=True)
        self._extending = False
        self.refresh()

    def render_line(self, y: int) -> Strip:
        drawn, line = self.drawn, round(self.scroll_y) + y
        blank = Strip.blank(drawn.width, self.rich_style)
        if not drawn.ids and not self.tail.id:
            return self._taught[y] if y < len(self._taught) else blank
        key = ""
        if line < drawn.tops[-1]:
            place = drawn.at(line)
            key = drawn.ids[place]
            lines, inside = drawn.lines(key), line - drawn.tops[place]
        else:
            lines, inside = self.tail.lines, line - drawn.tops[-1]
        if not 0 <= inside < len(lines):
            return blank
        ink = self._pen(1).ink
        if key and inside == 0 and (label := self.labels.get(key)):
            return marked(lines[0], f"{label:<2}", ink.label)
        chosen = key and key == self.selected and self.has_focus
        mine = key and drawn.messages[key].speaker == "you"
        if (chosen or mine) and inside < len(lines) - 1:
            return marked(lines[inside], "▌ ", ink.accent if chosen else ink.dim)
        return lines[inside]

    # ------------------------------------------------------------------------------------------------ keys

    def select(self, row: str) -> None:
        if row not in self.row_ids:
            return
        place = self.row_ids.index(row)
        self.selected = row
        top, end = self.drawn.tops[place], self.drawn.tops[place + 1]
        room = self.scrollable_content_region.height
        if top < self.scroll_y or end - top > room:
            self.scroll_to(y=top, animate=False, immediate=True, force=True)
        elif end > self.scroll_y + room:
            self.scroll_to(y=end - room, animate=False, immediate=True, force=True)

    def watch_has_focus(self, _has_focus: bool) -> None:
        super().watch_has_focus(_has_focus)
        if _has_focus and self.row_ids and self.selected not in self.drawn.messages:
            self.selected = self.row_ids[-1]
        self.refresh()

    def action_cursor(self, by: int) -> None:
        rows = self.row_ids
        if rows:
            place = rows.index(self.selected) if self.selected in rows else len(rows) - by
            self.select(rows[min(max(place + by, 0), len(rows) - 1)])

    def action_page(self, by: int) -> None:
        self.scroll_relative(y=by * max(1, self.scrollable_content_region.height - 1), animate=False)

    def action_edge(self, by: int) -> None:
        if self.row_ids:
            self.select(self.row_ids[-1 if by > 0 else 0])
