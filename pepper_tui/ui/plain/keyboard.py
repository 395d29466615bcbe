"""Lines from the keyboard, and news that waits while one is being typed.

A line is read only after the last one has been dealt with. Lines that come faster than a person types are one text: a
paste never acts. A single pasted line can't be told from a typed one; input from a pipe does not count as typed.
"""

from __future__ import annotations

import asyncio
import contextlib
import select
import sys
import threading
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from pepper_tui.model import Origin

PROMPT: Final = "You: "
BURST: Final = 0.05
"""Seconds within which a next line belongs to the same paste."""


class Line(NamedTuple):
    """What was entered; ``pasted``: several lines at once."""

    text: str
    pasted: bool
    origin: Origin


class Keyboard:
    """The terminal's lines."""

    def __init__(self) -> None:
        self._begun = _line_so_far()
        self._lines: asyncio.Queue[Line | None] = asyncio.Queue()
        self._wanted = threading.Event()
        self._prompted = False
        self._waiting: list[str] = []

    def begin(self) -> None:
        """Start reading, in a thread of its own, which may be abandoned in the middle of a line."""
        loop = asyncio.get_running_loop()

        def enqueue(line: Line | None) -> None:
            with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
                loop.call_soon_threadsafe(self._lines.put_nowait, line)

        def read() -> None:
            while True:
                self._wanted.wait()
                self._wanted.clear()
                try:
                    enqueue(self._read())
                except (EOFError, OSError, ValueError):
                    enqueue(None)
                    return

        threading.Thread(target=read, name="keyboard", daemon=True).start()

    def _read(self) -> Line:
        self._prompted = True
        try:
            lines = [input(PROMPT)]
            while select.select([sys.stdin], [], [], BURST)[0]:
                lines.append(input())
        finally:
            self._prompted = False
        text = "\n".join(lines)
        pasted = "\n" in text.strip()
        origin = Origin.PASTED if pasted else Origin.TYPED
        return Line(text, pasted, origin if sys.stdin.isatty() else Origin.PIPED)

    async def next(self) -> Line | None:
        """Return the next line; None at the end of input."""
        self._wanted.set()
        return await self._lines.get()

    def say(self, text: str) -> None:
        """Print ``text`` now, or, while a line is being typed, after it is entered."""
        self._waiting += text.split("\n")
        if not (self._prompted and self._begun()):
            self.flush()

    def flush(self) -> None:
        """Print what has waited, and repeat the prompt below it if there is one."""
        if not self._waiting:
            return
        lines, self._waiting = self._waiting, []
        if self._prompted:
            lines[0] = "\r" + lines[0].ljust(len(PROMPT))
        sys.stdout.write("\n".join(lines) + "\n" + (PROMPT if self._prompted else ""))
        sys.stdout.flush()


def _line_so_far() -> Callable[[], str]:
    """Return a reader of the line in readline's buffer; without readline a begun line is unknown."""
    try:
        import readline
    except ImportError:
        return lambda: ""
    module: Any = readline
    get: Callable[[], str] = module.get_line_buffer
    return get
