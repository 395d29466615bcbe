"""Questions in the terminal, which Ctrl+C leaves.

A command runs in an event loop, whose own handler of Ctrl+C only takes note of it: a question that waits for a line
would go on to wait, and take the next line that is typed at the shell.
"""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator

import typer


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
    """Let Ctrl+C end what blocks inside."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def asked(words: str, default: str | None = None, *, shows_default: bool = True) -> str:
    """Return the line that the user types; ``default`` for an empty one. Raises ``typer.Abort`` for Ctrl+C."""
    with _interruptible():
        said: str = typer.prompt(words, default=default, show_default=shows_default)
    return said


def confirmed(words: str, default: bool | None = False) -> bool:
    """Return the user's yes or no. Raises ``typer.Abort`` for Ctrl+C."""
    with _interruptible():
        return typer.confirm(words, default=default)


def unseen(words: str) -> str:
    """Ask for a password; spaces at its ends come from copying. Raises ``typer.Abort`` for Ctrl+C."""
    while True:
        with _interruptible():
            said: str = typer.prompt(words, hide_input=True)
        if said.strip():
            return said.strip()
