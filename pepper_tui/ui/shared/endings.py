"""How each front ends by a signal: in order at the first, at once at the second, with a usable terminal either way.

The exit code of an end by signal is 128 and its number, as a shell counts it; a stop that was asked for (SIGINT and
SIGTERM of a front that has no screen) is 0.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable, Iterator
from typing import Final

ENDING: Final = (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
"""What ends a program whose terminal, session or machine goes: never a reason to leave a terminal broken."""


class Endings:
    """Signals of one front. ``end`` is called at the first; ``restore`` before the process is left at the second."""

    def __init__(self, end: Callable[[], None], restore: Callable[[], None] = lambda: None) -> None:
        self._end, self._restore = end, restore
        self.number = 0
        """The signal that ended it; 0: none."""

    @contextlib.contextmanager
    def watched(self, *more: signal.Signals) -> Iterator[None]:
        """Take the signals on the running loop, ``more`` with them."""
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
                    signal.signal(number, lambda came, _frame: self._came(came))  # while the rest is closed

    def _came(self, number: int) -> None:
        if self.number:
            with contextlib.suppress(Exception):
                self._restore()
            os._exit(128 + number)
        self.number = number
        self._end()
