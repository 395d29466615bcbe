"""Threads drawn line by line: of 50,000 only a window is held, and only what is in view is drawn."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, Self

from textual import events
from textual.geometry import Size
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from pepper_tui.domains.mail.listing.records import ThreadRow
from pepper_tui.ui.screen.ink import Pen, finished, marked, strips, taught
from pepper_tui.ui.screen.lists.row_cursor import RowCursor
from pepper_tui.ui.screen.mail.thread_lines import face, height_at, row_words, thread_lines

NEAR: Final = 40
"""Rows beyond the view that are to be held."""
DRAWN: Final = 2_000
"""Drawn rows that are kept."""
_NARROWEST: Final = 12


class HeldRows:
    """The rows of the window by place, and how many there are in all."""

    def __init__(self) -> None:
        self.first, self.total = 0, 0
        self.rows: list[ThreadRow] = []
        self.height = 1

    def at(self, place: int) -> ThreadRow | None:
        within = place - self.first
        return self.rows[within] if 0 <= within < len(self.rows) else None

    def place(self, thread: str) -> int:
        """Return where the thread is, -1 if it is not held."""
        return next((self.first + at for at, row in enumerate(self.rows) if row.id == thread), -1)

    @property
    def ids(self) -> list[str]:
        return [row.id for row in self.rows]

    def begun_in(self, top: int, end: int) -> list[str]:
        places = range(-(-top // self.height), -(-end // self.height))
        return [row.id for row in map(self.at, places) if row is not None]


class ThreadRows(RowCursor):
    """The rows as they are drawn. It asks for what it lacks by ``Lacks``."""

    class Lacks(Message):
        """Rows in or near the view are not held: a window is wanted that begins at ``first``."""

        def __init__(self, first: int) -> None:
            super().__init__()
            self.first = first

    def __init__(self, pen: Callable[[int], Pen], *, id: str) -> None:  # noqa: A002
        super().__init__(id=id)
        self.pen = pen
        self.drawn: HeldRows = HeldRows()
        self.selection: dict[str, ThreadRow] = {}
        """The threads that the user has selected; an act is on all of them."""
        self.empty = "Reading your mail…"
        """What is shown where there are no rows."""
        self.instead: Callable[[], Widget | None] = lambda: None
        """What has the focus in the list's place, if anything."""
        self._lines: dict[object, list[Strip]] = {}
        self._width = 0
        self._taught: list[Strip] = []
        self._asked = -1

    def focus(self, scroll_visible: bool = True) -> Self:
        """Take the focus, or leave it to the mail that is read instead of the list."""
        instead = self.instead()
        if instead is not None:
            instead.focus(scroll_visible)
        else:
            super().focus(scroll_visible)
        return self

    @property
    def top(self) -> int:
        """The place at the top of the view."""
        return round(self.scroll_y) // self.drawn.height

    @property
    def topmost(self) -> str:
        """The thread that the view holds on to."""
        row = self.drawn.at(self.top)
        return row.id if row is not None else ""

    @property
    def rows_seen(self) -> int:
        """How many rows the view has room for."""
        return self.scrollable_content_region.height // self.drawn.height

    def held(self, thread: str) -> ThreadRow | None:
        """Return the thread's row, if it is in the window."""
        return self.drawn.at(self.drawn.place(thread))

    def said_in(self, row: str) -> str:
        held = self.held(row)
        pen = self.pen(80)
        return row_words(held, pen.now, pen.zone) if held is not None else ""

    def unselect(self) -> None:
        self.selection = {}
        self.refresh()

    def add(self, rows: Iterable[ThreadRow]) -> None:
        """Select these, too."""
        self.selection |= {row.id: row for row in rows}
        self.refresh()

    def answered(self) -> None:
        """Note that a window came: what is lacking now may be asked for."""
        self._asked = -1

    def lay_out(self) -> None:
        """Measure and redraw."""
        width = max(0, self.scrollable_content_region.width)
        if width != self._width:
            self._width, self._lines = width, {}
        if width < _NARROWEST:
            return
        place, inside = divmod(round(self.scroll_y), self.drawn.height)
        height = height_at(width)
        changed, self.drawn.height = height != self.drawn.height, height
        self._taught = [] if self.drawn.total else taught(self.empty, self.pen(width), self.rich_style)
        self.extend_to(Size(width, self.drawn.total * height))
        if changed:
            self.scroll_to(y=place * height + min(inside, height - 1), animate=False, immediate=True, force=True)
        self.refresh()

    def restyle(self) -> None:
        """Redraw everything, as after a change of theme or zone."""
        self._lines = {}
        self.lay_out()

    def on_resize(self, _event: events.Resize) -> None:
        self.lay_out()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self.look_ahead()

    def look_ahead(self) -> None:
        """Ask for what is soon to be seen."""
        drawn = self.drawn
        low, high = max(0, self.top - NEAR), min(drawn.total, self.top + self.rows_seen + 1 + NEAR)
        if (drawn.at(low) is None or drawn.at(high - 1) is None) and high > low and low != self._asked:
            self._asked = low
            self.post_message(self.Lacks(low))

    def render_line(self, y: int) -> Strip:
        drawn, width = self.drawn, self._width
        if not drawn.total and y < len(self._taught):
            return self._taught[y]
        place, inside = divmod(round(self.scroll_y) + y, drawn.height)
        row = drawn.at(place)
        if row is None or width < _NARROWEST:
            return Strip.blank(width, self.rich_style)
        line = self._drawn(row)[inside]
        if inside == 0 and (label := self.labels.get(row.id)):
            return marked(line, f"{label:<2}", self.pen(1).ink.label)
        if row.id == self.selected and (self.has_focus or not self.labels):
            ink = self.pen(1).ink
            return marked(line, "▌ ", ink.accent if self.has_focus else ink.dim)
        return line

    def _drawn(self, row: ThreadRow) -> list[Strip]:
        pen = self.pen(self._width - 2)
        selected = row.id in self.selection
        name = (row.id, face(row), selected, int(pen.now // 86_400))
        found = self._lines.get(name)
        if found is None:
            if len(self._lines) > DRAWN:
                self._lines.clear()
            lines = strips(thread_lines(row, pen, selected=selected), self._width - 2)
            found = finished(lines[: self.drawn.height], self._width, self.rich_style)
            found += [Strip.blank(self._width, self.rich_style)] * (self.drawn.height - len(found))
            self._lines[name] = found
        return found
