"""How each front ends on a signal: properly on the first, immediately on the second, always with a usable terminal.

The exit code after a signal is 128 plus its number, as in a shell; a requested stop (SIGINT and SIGTERM of a front
without a screen) is 0.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable, Iterator
from typing import Final

ENDING: Final = (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
"""Signals sent when the terminal, session or machine goes away: none may leave the terminal broken."""


class Endings:
    """The signals of one front. ``end`` is called on the first; ``restore`` before the process exits on the second."""

    def __init__(self, end: Callable[[], None], restore: Callable[[], None] = lambda: None) -> None:
        self._end, self._restore = end, restore
        self.number = 0
        """The signal that ended it; 0 if none."""

    @contextlib.contextmanager
    def watched(self, *more: signal.Signals) -> Iterator[None]:
        """Handle the signals on the running loop, ``more`` included."""
        loop = asyncio.get_running_loop()
        taken = (*ENDING, *more)
        for number in taken:
            loop.add_signal_handler(number, self._came, int(number))
        try:
            yield
        finally:
            for number in taken:
                loop.remove_signal_handler(number)
                with contextlib.suppress(ValueError, OSError):
                    signal.signal(number, lambda came, _frame: self._came(came))  # until all is closed

    def _came(self, number: int) -> None:
        if self.number:
            with contextlib.suppress(Exception):
                self._restore()
            os._exit(128 + number)
        self.number = number
        self._end()
