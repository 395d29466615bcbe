"""Lines from the keyboard, and news that waits while one is being typed.

A line is read only when the last one has been dealt with. Lines that come faster than a person types are one text:
a paste never acts. One line that is pasted can't be told from one that is typed; what comes from a pipe was not typed.
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
        """Read from now on, in a thread of its own, which may be left in the midst of a line."""
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
        """The next line; None where no more will come."""
        self._wanted.set()
        return await self._lines.get()

    def say(self, text: str) -> None:
        """Print ``text`` now; while a line is begun, once that is entered."""
        self._waiting += text.split("\n")
        if not (self._prompted and self._begun()):
            self.flush()

    def flush(self) -> None:
        """Print what has waited; a prompt that stands there is said again below it."""
        if not self._waiting:
            return
        lines, self._waiting = self._waiting, []
        if self._prompted:
            lines[0] = "\r" + lines[0].ljust(len(PROMPT))
        sys.stdout.write("\n".join(lines) + "\n" + (PROMPT if self._prompted else ""))
        sys.stdout.flush()


def _line_so_far() -> Callable[[], str]:
    """What readline holds; without it nothing is known of a begun line."""
    try:
        import readline
    except ImportError:
        return lambda: ""
    module: Any = readline
    get: Callable[[], str] = module.get_line_buffer
    return get
