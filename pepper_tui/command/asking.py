"""Questions in the terminal, which Ctrl+C leaves.

A command runs in an event loop, whose own handler of Ctrl+C only takes note of it: a question that waits for a line
would go on to wait, and take the next line that is typed at the shell.
"""

from __future__ import annotations

import signal

import typer

from pepper_tui.ui.shared.interrupts import interrupts


def asked(words: str, default: str | None = None, *, shows_default: bool = True) -> str:
    """Return the line that the user types; ``default`` for an empty one. Raises ``typer.Abort`` for Ctrl+C."""
    with interrupts(signal.default_int_handler):
        said: str = typer.prompt(words, default=default, show_default=shows_default)
    return said


def confirmed(words: str, default: bool | None = False) -> bool:
    """Return the user's yes or no. Raises ``typer.Abort`` for Ctrl+C."""
    with interrupts(signal.default_int_handler):
        return typer.confirm(words, default=default)


def unseen(words: str) -> str:
    """Ask for a password; spaces at its ends come from copying. Raises ``typer.Abort`` for Ctrl+C."""
    while True:
        with interrupts(signal.default_int_handler):
            said: str = typer.prompt(words, hide_input=True)
        if said.strip():
            return said.strip()
