"""Pepper's own themes: calm, one accent. Textual's others, the terminal's own colours among them, work too."""

from __future__ import annotations

from typing import Final

from textual.theme import Theme

DARK: Final = Theme(
    name="pepper",
    primary="#d97757",
    accent="#e08a6d",
    secondary="#8fa3ad",
    foreground="#d8d4cf",
    background="#16181b",
    surface="#1b1e22",
    panel="#33383f",
    success="#8fb573",
    warning="#e0b45c",
    error="#e5675f",
    dark=True,
    variables={"pepper-dim": "#858b92"},
)
LIGHT: Final = Theme(
    name="pepper-light",
    primary="#b4502f",
    accent="#b4502f",
    secondary="#4e626c",
    foreground="#26282b",
    background="#faf8f5",
    surface="#f3f0eb",
    panel="#d5d0c8",
    success="#4c7a2f",
    warning="#8f6400",
    error="#b8332b",
    dark=False,
    variables={"pepper-dim": "#6b7076"},
)
