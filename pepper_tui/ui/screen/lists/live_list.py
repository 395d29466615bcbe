"""A list drawn line by line over plain rows: the base of the inbox, the signals, the calls and the workers.

The selection follows a row's id, not its place; rows that arrive above do not move what is being read. No timer runs
here, and unchanged rows are not redrawn.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar, Final

from textual import events
from textual.binding import BindingType
from textual.geometry import Region, Size
from textual.strip import Strip

from pepper_tui.ui.screen.ink import Pen, marked, taught
from pepper_tui.ui.screen.lists.drawn_rows import NARROWEST, DrawnRows, Row
from pepper_tui.ui.screen.lists.row_cursor import RowCursor
from pepper_tui.ui.shared.keys import bindings

_UNCUT: Final = 2000
"""Width in cells at which a row is drawn for search and copy: nothing is cut there."""


class LiveList(RowCursor):
    """Rows with a cursor. ``empty`` explains what will appear here."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("list")]
    BORDER_TITLE = ""
    drawn: DrawnRows

    def __init__(self, title: str, empty: str, pen: Callable[[int], Pen], *, id: str) -> None:  # noqa: A002
        super().__init__(id=id)
        self.name_shown, self.empty = title, empty
        self._pen = pen
        self._count: int | None = None
        self._aside = ""
        self.drawn = DrawnRows(pen)
        self._taught: list[Strip] = []

    # ------------------------------------------------------------------------------------------------ rows

    def show_rows(self, rows: Sequence[Row], count: int | None = None, aside: str = "") -> None:
        """Replace the rows; selection and reading position stay where they were. ``aside`` follows the title."""
        self._all, self._count, self._aside = rows, count, aside
        self.narrowed()

    def narrowed(self) -> None:
        drawn = self.drawn
        anchor, inside = drawn.anchor(round(self.scroll_y))
        place = drawn.index.get(self.selected, 0)
        drawn.put([row for row in self._all if self.holds((row.id, row.key), lambda row=row: self.words_of(row))])  # type: ignore[misc]
        if self.selected and self.selected not in drawn.index:
            self.choose_first() if self._turned else self.lost(place)
        elif not self.selected and drawn.rows and self.has_focus:
            self.choose_first()
        number = len(self._all) if self._count is None else self._count
        heading = f"{self.name_shown} {number}" if number else self.name_shown
        self.entitle(f"{heading} · {self._aside}" if self._aside else heading)
        self.lay_out()
        if anchor in drawn.index and self.scroll_y > 0:
            line = drawn.tops[drawn.index[anchor]] + inside
            self.scroll_to(y=line, animate=False, immediate=True, force=True)
        elif self.scroll_y > (last := max(0, drawn.tops[-1] - self.scrollable_content_region.height)):
            self.scroll_to(y=last, animate=False, immediate=True, force=True)

    def lost(self, place: int) -> None:
        """React to the loss of the selected row, which was at ``place``."""
        row = self.drawn.free(min(place, len(self.drawn.rows) - 1), 1)
        self.selected = row.id if row is not None else ""

    @property
    def none_chosen(self) -> str:
        words = super().none_chosen
        inert = self.drawn.rows and self.drawn.free(0, 1) is None
        return "Nothing here waits for a key" if words and inert else words

    def choose_first(self) -> None:
        """Select the first selectable row."""
        row = self.drawn.free(0, 1)
        self.selected = row.id if row is not None else ""

    def words_of(self, row: Row) -> str:
        """Return the row's words, for search and copy."""
        pen = self._pen(_UNCUT)
        return "\n".join(" ".join(line.plain.split()) for line in row.draw(pen))

    def said_in(self, row: str) -> str:
        return self.words_of(self.drawn.rows[self.drawn.index[row]])

    # ---------------------------------------------------------------------------------------------- drawing

    def lay_out(self) -> None:
        """Measure the rows and redraw."""
        width, drawn = max(0, self.scrollable_content_region.width), self.drawn
        drawn.measure(width, self.rich_style)
        self._taught = []
        if width < NARROWEST:
            return
        if not drawn.rows:
            nothing = "Nothing here holds these words. Esc shows all." if self._all else self.empty
            self._taught = taught(nothing, self._pen(width), self.rich_style)
        self.extend_to(Size(width, drawn.tops[-1]))
        self.refresh()

    def restyle(self) -> None:
        """Redraw everything, as after a change of theme or zone."""
        self.drawn.forget()
        self.lay_out()

    def on_resize(self, _event: events.Resize) -> None:
        self.lay_out()

    def render_line(self, y: int) -> Strip:
        drawn = self.drawn
        if not drawn.rows and y < len(self._taught):
            return self._taught[y]
        line = round(self.scroll_y) + y
        place = drawn.at(line)
        if drawn.width >= NARROWEST and place < len(drawn.rows):
            row = drawn.rows[place]
            lines, inside = drawn.lines(row, self.rich_style), line - drawn.tops[place]
            if inside == 0 and lines and (label := self.labels.get(row.id)):
                return marked(lines[0], f"{label:<2}", self._pen(1).ink.label)
            if inside < len(lines):
                chosen = row.id == self.selected and self.has_focus
                return marked(lines[inside], "▌ ", self._pen(1).ink.accent) if chosen else lines[inside]
        return Strip.blank(drawn.width, self.rich_style)

    # -------------------------------------------------------------------------------------------- selection

    def select(self, row: str) -> None:
        place = self.drawn.index.get(row)
        if place is None or self.drawn.rows[place].inert:
            return
        self.selected = row
        self.lay_out()
        top, height, room = self.drawn.tops[place], self.drawn.height(place), self.scrollable_content_region.height
        if height > room:  # too tall: show it from its first line
            self.scroll_to(y=top, animate=False, immediate=True, force=True)
        else:
            region = Region(0, top, max(1, self.drawn.width), height)
            self.scroll_to_region(region, animate=False, immediate=True)

    def watch_has_focus(self, _has_focus: bool) -> None:
        super().watch_has_focus(_has_focus)
        if _has_focus and not self.selected and self.drawn.rows:
            self.choose_first()
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        place = self.drawn.at(round(self.scroll_y) + event.y - self.gutter.top)
        if 0 <= place < len(self.drawn.rows):
            row = self.drawn.rows[place].id
            again = row == self.selected
            self.select(row)
            if again:
                self.action_details()

    # ------------------------------------------------------------------------------------------------ keys

    def action_cursor(self, by: int) -> None:
        drawn = self.drawn
        if not drawn.rows:
            return
        place = drawn.index.get(self.selected, 0)
        room, top = self.scrollable_content_region.height, round(self.scroll_y)
        low, high = drawn.tops[place + 1] > top + room, drawn.tops[place] < top
        if drawn.height(place) > room and ((by > 0 and low) or (by < 0 and high)):
            self.scroll_relative(y=by, animate=False, immediate=True)  # scroll through a tall row before leaving it
        elif (row := drawn.near(place + by, by)) is not None:
            self.select(row.id)

    def action_page(self, by: int) -> None:
        drawn = self.drawn
        line = drawn.tops[drawn.index.get(self.selected, 0)] + by * max(1, self.scrollable_content_region.height - 1)
        if (row := drawn.near(drawn.at(max(0, line)), by)) is not None:
            self.select(row.id)

    def action_edge(self, by: int) -> None:
        if (row := self.drawn.free(len(self.drawn.rows) - 1 if by > 0 else 0, -by)) is not None:
            self.select(row.id)
