"""A list drawn line by line over plain rows: the base of the inbox, the signals, the calls and the workers.

The selection follows a row's id, not its place; what is being read does not move when rows arrive above it. No
timer runs here, and nothing is drawn that did not change.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from rich.style import Style
from rich.text import Text
from textual import events
from textual.binding import BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import var
from textual.strip import Strip

from pepper_tui.ui.screen.filtering import Narrowed
from pepper_tui.ui.screen.ink import Ink, Pen, finished, marked, strips
from pepper_tui.ui.shared.keys import bindings

_UNCUT: Final = 2000
"""Cells in which a row is drawn to be searched or copied: nothing is cut there."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row: ``key`` changes exactly when ``draw`` would give other lines. ``height`` 0 means: as many as drawn.
    ``inert``: the cursor passes it over."""

    id: str
    key: Hashable
    draw: Callable[[Pen], list[Text]]
    height: int = 0
    inert: bool = False


class LiveList(Narrowed, can_focus=True):
    """Rows with a cursor. ``empty`` teaches what will appear here."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("list")]
    BORDER_TITLE = ""
    selected: var[str] = var("")

    class Details(Message):
        """Enter on a row, or a click on the selected one."""

        def __init__(self, sender: LiveList, row: str) -> None:
            super().__init__()
            self.list, self.row = sender, row

    class Why(Details):
        """``w`` on a row."""

    class Back(Message):
        """Esc: the user wants to type again."""

    def __init__(self, title: str, empty: str, pen: Callable[[int], Pen], *, id: str, follow: bool = False) -> None:  # noqa: A002
        super().__init__(id=id)
        self.name_shown, self.empty, self.follow = title, empty, follow
        self._pen = pen
        self._all: Sequence[Row] = ()
        self._rows: Sequence[Row] = ()
        self._count: int | None = None
        self._aside = ""
        self._index: dict[str, int] = {}
        self._tops: list[int] = [0]
        self._drawn: dict[tuple[str, Hashable, int], list[Strip]] = {}
        self._width = 0
        self._taught: list[Strip] = []

    # ------------------------------------------------------------------------------------------------ rows

    def show_rows(self, rows: Sequence[Row], count: int | None = None, aside: str = "") -> None:
        """Replace the rows; selection and reading position stay where they were. ``aside`` goes after the title."""
        self._all, self._count, self._aside = rows, count, aside
        self.narrowed()

    def narrowed(self) -> None:
        anchor, inside = self._anchor()
        place = self._index.get(self.selected, 0)
        rows = [row for row in self._all if self.holds((row.id, row.key), lambda row=row: self.words_of(row))]  # type: ignore[misc]
        self._rows = rows
        self._index = {row.id: i for i, row in enumerate(rows)}
        if self.selected and self.selected not in self._index:
            self.lost(place)
        elif not self.selected and rows and self.has_focus:
            self.choose_first()
        number = len(self._all) if self._count is None else self._count
        heading = f"{self.name_shown} {number}" if number else self.name_shown
        self.entitle(f"{heading} · {self._aside}" if self._aside else heading)
        self.lay_out()
        if anchor in self._index and self.scroll_y > 0:
            self.scroll_to(y=self._tops[self._index[anchor]] + inside, animate=False, immediate=True, force=True)
        elif self.scroll_y > (last := max(0, self._tops[-1] - self.scrollable_content_region.height)):
            self.scroll_to(y=last, animate=False, immediate=True, force=True)

    def lost(self, place: int) -> None:
        """The selected row, which stood at ``place``, is no longer there."""
        row = self._free(min(place, len(self._rows) - 1), 1)
        self.selected = self._rows[row].id if row is not None else ""

    def choose_first(self) -> None:
        """Select the first row that can be."""
        row = self._free(0, 1)
        self.selected = self._rows[row].id if row is not None else ""

    def _free(self, place: int, by: int) -> int | None:
        """The row nearest to ``place`` that the cursor may stand on, looked for in the direction ``by`` first."""
        ahead = range(place, len(self._rows) if by > 0 else -1, by)
        back = range(place - by, -1 if by > 0 else len(self._rows), -by)
        return next((n for n in (*ahead, *back) if 0 <= n < len(self._rows) and not self._rows[n].inert), None)

    def tally(self) -> tuple[int, int]:
        return len(self._rows), len(self._all)

    def words_of(self, row: Row) -> str:
        """What the row says, to search and to copy."""
        pen = self._pen(_UNCUT)
        return "\n".join(" ".join(line.plain.split()) for line in row.draw(pen))

    def _anchor(self) -> tuple[str, int]:
        top = round(self.scroll_y)
        if top <= 0 or not self._rows:
            return "", 0
        place = min(bisect_right(self._tops, top) - 1, len(self._rows) - 1)
        return self._rows[place].id, top - self._tops[place]

    def lay_out(self) -> None:
        """Measure the rows and redraw."""
        self._width = max(0, self.scrollable_content_region.width)
        if self._width < 4:  # not on screen: no lines, so that none is drawn from another row's place
            self._tops, self._taught = [0] * (len(self._rows) + 1), []
            return
        nothing = "Nothing here holds these words. Esc shows all." if self._all else self.empty
        self._taught = [] if self._rows else taught(nothing, self._pen(self._width), self.rich_style)
        keep = {(row.id, row.key, self._width) for row in self._rows}
        for gone in self._drawn.keys() - keep:
            del self._drawn[gone]
        tops, total = [0], 0
        for row in self._rows:
            total += row.height or len(self._strips(row))
            tops.append(total)
        self._tops = tops
        self.extend_to(Size(self._width, total))
        self.refresh()

    def _strips(self, row: Row) -> list[Strip]:
        name = (row.id, row.key, self._width)
        found = self._drawn.get(name)
        if found is None:
            lines = strips(row.draw(self._pen(self._width - 2)), self._width - 2)
            found = self._drawn[name] = finished(lines, self._width, self.rich_style)
        return found

    def restyle(self) -> None:
        """Draw all anew, as after a change of theme or zone."""
        self._drawn.clear()
        self.lay_out()

    def on_resize(self, _event: events.Resize) -> None:
        self.lay_out()

    def render_line(self, y: int) -> Strip:
        if not self._rows and y < len(self._taught):
            return self._taught[y]
        line = round(self.scroll_y) + y
        place = bisect_right(self._tops, line) - 1
        if self._width >= 4 and place < len(self._rows):
            row = self._rows[place]
            lines, inside = self._strips(row), line - self._tops[place]
            if inside == 0 and lines and (label := self.labels.get(row.id)):
                return marked(lines[0], f"{label:<2}", self._pen(1).ink.label)
            if inside < len(lines):
                chosen = row.id == self.selected and self.has_focus
                return marked(lines[inside], "▌ ", self._pen(1).ink.accent) if chosen else lines[inside]
        return Strip.blank(self._width, self.rich_style)

    # -------------------------------------------------------------------------------------------- selection

    def rows_in_view(self) -> list[str]:
        if not self.is_on_screen or not self.region.area:
            return []
        top = round(self.scroll_y)
        end = top + self.scrollable_content_region.height
        return [row.id for row, at in zip(self._rows, self._tops, strict=False) if top <= at < end]

    @property
    def row_ids(self) -> list[str]:
        return [row.id for row in self._rows]

    def select(self, row: str) -> None:
        """Put the cursor on ``row`` and bring it into view."""
        if row in self._index and not self._rows[self._index[row]].inert:
            self.selected = row
            self.lay_out()
            self.reveal(row)

    def reveal(self, row: str) -> None:
        """Scroll so that ``row`` is in view, its first line at the latest."""
        place = self._index.get(row)
        if place is None:
            return
        top, height = self._tops[place], self._tops[place + 1] - self._tops[place]
        room = self.scrollable_content_region.height
        if height > room:
            self.scroll_to(y=top, animate=False, immediate=True, force=True)
        else:
            self.scroll_to_region(Region(0, top, max(1, self._width), height), animate=False, immediate=True)

    def in_view(self, row: str) -> bool:
        """Whether the first line of ``row`` is on the screen."""
        place = self._index.get(row)
        if place is None or not self.is_on_screen or not self.region.area:
            return False
        return 0 <= self._tops[place] - round(self.scroll_y) < self.scrollable_content_region.height

    def watch_selected(self) -> None:
        self.refresh()

    def watch_has_focus(self, _has_focus: bool) -> None:
        super().watch_has_focus(_has_focus)
        if _has_focus and not self.selected and self._rows:
            self.choose_first()
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        place = bisect_right(self._tops, round(self.scroll_y) + event.y - self.gutter.top) - 1
        if 0 <= place < len(self._rows):
            again = self._rows[place].id == self.selected
            self.select(self._rows[place].id)
            if again:
                self.action_details()

    # ------------------------------------------------------------------------------------------------ keys

    def action_cursor(self, by: int) -> None:
        if not self._rows:
            return
        place = self._index.get(self.selected, 0)
        height = self._tops[place + 1] - self._tops[place]
        room = self.scrollable_content_region.height
        low = self._tops[place] + height > round(self.scroll_y) + room
        high = self._tops[place] < round(self.scroll_y)
        if height > room and ((by > 0 and low) or (by < 0 and high)):
            self.scroll_relative(y=by, animate=False, immediate=True)  # read a tall row before leaving it
            return
        to = self._free(min(max(place + by, 0), len(self._rows) - 1), by)
        if to is not None:
            self.select(self._rows[to].id)

    def action_page(self, by: int) -> None:
        line = self._tops[self._index.get(self.selected, 0)] + by * max(1, self.scrollable_content_region.height - 1)
        place = bisect_right(self._tops, max(0, line)) - 1
        to = self._free(min(max(place, 0), len(self._rows) - 1), by)
        if to is not None:
            self.select(self._rows[to].id)

    def action_edge(self, by: int) -> None:
        to = self._free(len(self._rows) - 1 if by > 0 else 0, -by)
        if to is not None:
            self.select(self._rows[to].id)

    def action_details(self) -> None:
        if self.selected in self._index:
            self.post_message(self.Details(self, self.selected))

    def action_why(self) -> None:
        if self.selected in self._index:
            self.post_message(self.Why(self, self.selected))

    def action_copy(self) -> None:
        if self.selected in self._index:
            self.post_message(self.Copied(self.words_of(self._rows[self._index[self.selected]])))

    def action_back(self) -> None:
        if self.filtering:
            self.show_all()
        else:
            self.post_message(self.Back())


def taught(words: str, pen: Pen, style: Style) -> list[Strip]:
    """What an empty pane says, in lines as wide as ``pen``."""
    return finished(strips([Text(words, pen.ink.dim)], pen.width - 2), pen.width, style)


def ink_of(app: Any) -> Ink:
    """The ink of the app's theme."""
    return Ink.of(app.theme_variables)
