"""Health: the trouble in the status line, and the page behind Ctrl+L."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from pepper_tui.text import clean, one_line
from pepper_tui.ui.screen.ink import Pen
from pepper_tui.ui.shared.board import Board
from pepper_tui.ui.shared.keys import KeyNames


def trouble_words(board: Board) -> str:
    """Describe the oldest trouble, its remedy, and how many there are; an empty string if all is well."""
    troubles = board.troubles()
    if not troubles:
        return ""
    first = troubles[0]
    words = f"{first.name}: {first.detail}" + (f" · {first.remedy}" if first.remedy else "")
    return words if len(troubles) == 1 else f"{len(troubles)} parts in trouble (Ctrl+L) · {words}"


def progress_words(board: Board) -> str:
    """Describe the progress of a part that is starting; an empty string if none is."""
    starting = sorted((h for h in board.health.values() if h.state == "starting" and h.detail), key=lambda h: h.part)
    return starting[0].detail if starting else ""


def health_lines(
    board: Board, model: str, held: Sequence[str], dead: Sequence[str], names: KeyNames, pen: Pen
) -> list[Text]:
    """Return model, cost, each part's health, what was held back, and the dead letters."""
    ink = pen.ink
    spent = board.spent_today(pen.now, pen.zone)
    lines = [
        Text.assemble(("Model   ", ink.dim), one_line(model)),
        Text.assemble(("Spent   ", ink.dim), f"{spent:.4f} today"),
        Text(""),
        Text("Parts", ink.strong),
    ]
    for health in sorted(board.health.values(), key=lambda h: h.part):
        bad = health.state in ("trouble", "stopped")
        mark = Text.assemble((f"  {'✗' if bad else '✓'} {health.state:<9}", ink.urgent if bad else ink.ok))
        remedy = f" · {health.remedy}" if bad and health.remedy else ""
        lines += pen.hang(mark, Text(one_line(f"{health.name}  {health.detail}{remedy}", 500)))
    for heading, found in (("Held back", held), ("Failed deliveries", dead)):
        lines += [Text(""), Text(heading, ink.strong)]
        lines += [Text("  " + clean(line, 500)) for line in found] or [Text("  none", ink.dim)]
    if dead:
        lines.append(Text(f"  {names.of('pepper.redrive')} tries them again", ink.accent))
    return lines
