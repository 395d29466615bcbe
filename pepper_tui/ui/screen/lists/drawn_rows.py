"""The rows of a list: each drawn once, and the line at which each begins."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Final

from rich.style import Style
from rich.text import Text
from textual.strip import Strip

from pepper_tui.ui.screen.ink import Pen, finished, strips

NARROWEST: Final = 4
"""Width in cells below which a list is off screen: it has no lines, so that none is drawn from another row's place."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row.

    ``key`` changes exactly when ``draw`` would return other lines. ``height`` 0 means: as many as drawn. ``inert``: the
    cursor skips it.
    """

    id: str
    key: Hashable
    draw: Callable[[Pen], list[Text]]
    height: int = 0
    inert: bool = False


class DrawnRows:
    """Rows one below the other. Their places count from 0; so do the lines."""

    def __init__(self, pen: Callable[[int], Pen]) -> None:
        self._pen = pen
        self._drawn: dict[tuple[str, Hashable, int], list[Strip]] = {}
        self.rows: Sequence[Row] = ()
        self.index: dict[str, int] = {}
        """The place of each row by its id."""
        self.tops: list[int] = [0]
        """The first line of each row, and the end of the last one, as last measured."""
        self.width = 0

    def put(self, rows: Sequence[Row]) -> None:
        """Replace the rows; they still have to be measured."""
        self.rows = rows
        self.index = {row.id: place for place, row in enumerate(rows)}

    @property
    def ids(self) -> list[str]:
        return [row.id for row in self.rows]

    def measure(self, width: int, style: Style) -> None:
        """Draw what has changed, on the list's own ``style``."""
        self.width = width
        if width < NARROWEST:
            self.tops = [0] * (len(self.rows) + 1)
            return
        keep = {(row.id, row.key, width) for row in self.rows}
        for gone in self._drawn.keys() - keep:
            del self._drawn[gone]
        tops, total = [0], 0
        for row in self.rows:
            total += row.height or len(self.lines(row, style))
            tops.append(total)
        self.tops = tops

    def lines(self, row: Row, style: Style) -> list[Strip]:
        name = (row.id, row.key, self.width)
        found = self._drawn.get(name)
        if found is None:
            lines = strips(row.draw(self._pen(self.width - 2)), self.width - 2)
            found = self._drawn[name] = finished(lines, self.width, style)
        return found

    def forget(self) -> None:
        """Redraw everything, as after a change of theme or zone."""
        self._drawn.clear()

    def at(self, line: int) -> int:
        """Return the place of the row that holds ``line``; past the last one if none does."""
        return bisect_right(self.tops, line) - 1

    def height(self, place: int) -> int:
        return self.tops[place + 1] - self.tops[place]

    def anchor(self, top: int) -> tuple[str, int]:
        """Return the row at ``top``, the first line on the screen, and how many lines of the row are above."""
        if top <= 0 or not self.rows:
            return "", 0
        place = min(self.at(top), len(self.rows) - 1)
        return self.rows[place].id, top - self.tops[place]

    def begun_in(self, top: int, end: int) -> list[str]:
        """Return the rows that begin within these lines."""
        return [row.id for row, at in zip(self.rows, self.tops, strict=False) if top <= at < end]

    def free(self, place: int, by: int) -> Row | None:
        """Return the row nearest to ``place`` that the cursor may stand on, searching in the direction ``by`` first."""
        ahead = range(place, len(self.rows) if by > 0 else -1, by)
        back = range(place - by, -1 if by > 0 else len(self.rows), -by)
        return next((self.rows[n] for n in (*ahead, *back) if 0 <= n < len(self.rows) and not self.rows[n].inert), None)

    def near(self, place: int, by: int) -> Row | None:
        """Return the same for a ``place`` that may be before the first row or after the last."""
        return self.free(min(max(place, 0), len(self.rows) - 1), by)
