"""Pepper's own themes: calm, with one accent.

``pepper-ansi`` uses the sixteen colours of the terminal's own palette, and its background; Textual's other themes work
too.
"""

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
CONTRAST: Final = Theme(
    name="pepper-contrast",
    primary="#ffb454",
    accent="#ffb454",
    secondary="#9ad1ff",
    foreground="#ffffff",
    background="#000000",
    surface="#141414",
    panel="#8c8c8c",
    success="#7ddf64",
    warning="#ffd866",
    error="#ff7b72",
    dark=True,
    variables={"pepper-dim": "#c8c8c8"},
)
ANSI: Final = Theme(
    name="pepper-ansi",
    ansi=True,
    primary="ansi_blue",
    accent="ansi_cyan",
    secondary="ansi_blue",
    foreground="ansi_default",
    background="ansi_default",
    surface="ansi_default",
    panel="ansi_bright_black",
    success="ansi_green",
    warning="ansi_yellow",
    error="ansi_red",
    dark=True,
    variables={
        "pepper-dim": "ansi_default",  # drawn dim: some palettes have no grey of their own
        "ansi-background": "ansi_black",
        "ansi-foreground": "ansi_white",
        "input-cursor-background": "ansi_default",
        "input-cursor-foreground": "ansi_default",
        "input-cursor-text-style": "reverse",
    },
)
THEMES: Final = (DARK, LIGHT, CONTRAST, ANSI)
