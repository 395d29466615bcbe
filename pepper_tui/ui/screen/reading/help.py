"""Help, generated from the key table."""

from __future__ import annotations

from rich.text import Text

from pepper_tui.ui.screen.ink import Pen
from pepper_tui.ui.shared.keys import KeyNames


def help_lines(pen: Pen, names: KeyNames) -> list[Text]:
    """List every key, by group."""
    lines = [
        Text("Pepper watches, thinks and proposes; only you approve. Nothing goes out without your yes.", pen.ink.dim),
        Text(""),
    ]
    for group, rows in names.groups().items():
        lines.append(Text(group, pen.ink.strong))
        for keys, description in rows:
            lines += pen.hang(Text(f"  {keys:<20}", pen.ink.accent), Text(description))
        lines.append(Text(""))
    lines.append(
        Text("Single letters act only where nothing is typed. Space and Esc never decide anything.", pen.ink.dim)
    )
    return lines
