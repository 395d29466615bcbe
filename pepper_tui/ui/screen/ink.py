"""The colours of drawn lines: one accent and a few meanings, each always beside a word or a glyph."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Final

from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual.color import Color, ColorParseError
from textual.strip import Strip

NAME: Final = 18
"""Cells of a name in a list."""
ROOMY: Final = 60
"""Width in cells from which a list shows whole names."""
_WRAPPER: Final = Console(file=io.StringIO(), width=200, color_system="truecolor", legacy_windows=False)
"""Only wraps text; never prints."""


@dataclass(frozen=True, slots=True)
class Ink:
    """Styles made from the theme's variables."""

    plain: Style
    strong: Style
    dim: Style
    accent: Style
    urgent: Style
    warn: Style
    ok: Style
    label: Style

    @classmethod
    def of(cls, variables: Mapping[str, str]) -> Ink:
        """Return the ink of a theme. A colour that a Rich style can't hold falls back to the terminal's own."""

        def style(name: str, bold: bool | None = None) -> Style:
            try:
                color = Color.parse(variables.get(name, "ansi_default"))
            except ColorParseError:
                return Style(bold=bold)
            return Style(color=color.rich_color, bold=bold) if color.a else Style(bold=bold)

        dim = style("pepper-dim")
        return cls(
            plain=Style(),
            strong=Style(bold=True),
            dim=dim if dim.color and not dim.color.is_default else Style(dim=True),
            accent=style("accent"),
            urgent=style("error", bold=True),
            warn=style("warning"),
            ok=style("success"),
            label=style("accent", bold=True) + Style(reverse=True),
        )


@dataclass(frozen=True, slots=True)
class Pen:
    """What a row needs to draw itself: the ink, the width in cells, the zone of its times, and the time now."""

    ink: Ink
    width: int
    zone: tzinfo
    now: float

    def hour(self, at: float) -> str:
        """Return ``at`` as HH:MM, preceded by the day if that is not today."""
        then, today = datetime.fromtimestamp(at, self.zone), datetime.fromtimestamp(self.now, self.zone)
        if then.date() == today.date():
            return f"{then:%H:%M}"
        return f"{then:%a %H:%M}" if abs(self.now - at) < 6 * 86400 else f"{then:%d %b %H:%M}"

    def until(self, at: float) -> str:
        """Return a future time in short words: 17:00, tomorrow 09:00, Mon 30 Nov 17:00."""
        return until(at, self.now, self.zone)

    def columns(self, mark: Text, name: Text, rest: Text, age: str, count: str = "", due: Text | None = None) -> Text:
        """Return one line of a list: a mark, a name (with a count that is never cut), and what it is about.

        At the right edge stand the time it is ``due`` and its age.
        """
        room = NAME if self.width >= ROOMY else max(10, self.width // 3)
        first = name.copy()
        first.truncate(room - len(count), overflow="ellipsis")
        first.append(count)
        first.truncate(room, pad=True)
        ends = Text.assemble(due or "", (f"{age:>4}" if due is None else f" {age:>4}", self.ink.dim))
        return self.between(Text.assemble(mark, first, " ", rest), ends)

    def between(self, left: Text, right: Text) -> Text:
        """Return ``left``, cut if necessary, and ``right`` at the right edge, in one line."""
        room = max(1, self.width - right.cell_len - 1)
        line = left.copy()
        line.truncate(room, overflow="ellipsis", pad=True)
        return Text.assemble(line, " ", right, no_wrap=True)

    def cut(self, line: Text) -> Text:
        """Return ``line`` cut to one line, with an ellipsis if it is too long."""
        line = line.copy()
        line.truncate(self.width, overflow="ellipsis")
        line.no_wrap = True
        return line

    def hang(self, prefix: Text, body: Text) -> list[Text]:
        """Return ``body`` wrapped beside ``prefix``, with a hanging indent of its width."""
        indent = min(prefix.cell_len, self.width // 2)
        parts = wrap(body, max(8, self.width - indent))
        return [Text.assemble(prefix if i == 0 else " " * indent, part) for i, part in enumerate(parts)]


def age(at: float, now: float) -> str:
    """Return how long ago ``at`` was: now, 2m, 3h, 4d."""
    seconds = now - at
    if seconds < 60:
        return "now"
    if seconds < 3600:
        return f"{int(seconds // 60)}m"
    return f"{int(seconds // 3600)}h" if seconds < 86_400 else f"{int(seconds // 86_400)}d"


def until(at: float, now: float, zone: tzinfo) -> str:
    """Return a future time in short words."""
    then, today = datetime.fromtimestamp(at, zone), datetime.fromtimestamp(now, zone)
    if then.date() == today.date():
        return f"{then:%H:%M}"
    if then.date() == today.date() + timedelta(days=1):
        return f"tomorrow {then:%H:%M}"
    year = "" if then.year == today.year else f" {then.year}"
    return f"{then:%a} {then.day} {then:%b}{year} {then:%H:%M}"


def due_words(at: float, whole_day: bool, now: float, zone: tzinfo) -> str:
    """Return a due time as short as possible: 17:00, today, Fri, 4 Dec, Dec 2027."""
    then, today = datetime.fromtimestamp(at, zone), datetime.fromtimestamp(now, zone)
    days = (then.date() - today.date()).days
    if days == 0:
        return "today" if whole_day else f"{then:%H:%M}"
    if 0 < days < 7:
        return f"{then:%a}"
    return f"{then.day} {then:%b}" if then.year == today.year or 0 < days < 180 else f"{then:%b %Y}"


def wrap(text: Text, width: int) -> list[Text]:
    """Wrap ``text`` to lines of at most ``width`` cells; long words are broken."""
    if text.no_wrap:
        line = text.copy()
        line.truncate(width, overflow="ellipsis")
        return [line]
    return list(text.wrap(_WRAPPER, max(1, width), overflow="fold")) or [Text("")]


def strips(lines: list[Text], width: int) -> list[Strip]:
    """Wrap ``lines`` and render them for a Line-API widget."""
    parts = (part for line in lines for part in wrap(line, width))
    return [Strip(list(Text.assemble(part).render(_WRAPPER, end=""))) for part in parts]  # alone, it drops its style


def finished(lines: list[Strip], width: int, style: Style) -> list[Strip]:
    """Return ``lines`` on the widget's own ``style``, indented and padded to its width. Cached, they cost nothing."""
    return [Strip([Segment("  "), *line]).apply_style(style).adjust_cell_length(max(0, width), style) for line in lines]


def marked(line: Strip, mark: str, style: Style) -> Strip:
    """Return a finished line with ``mark``, two cells wide, in its indent."""
    first, *rest = line
    return Strip([Segment(mark, (first.style or Style()) + style), *rest], line.cell_length)


def taught(words: str, pen: Pen, style: Style) -> list[Strip]:
    """Return the hint of an empty pane, in lines as wide as ``pen``."""
    return finished(strips([Text(words, pen.ink.dim)], pen.width - 2), pen.width, style)
