"""What is set once for the whole process: how the interpreter shares its time, so that a key never waits long for what
is none of its business, and how it logs.
"""

from __future__ import annotations

import gc
import logging
import sys
from typing import Final

from pepper_tui.text import clean

TURN: Final = 0.0005  # seconds
COLLECT: Final = (10_000, 20, 100)


def share_threads_fairly() -> None:
    """Let a thread that computes (a parse, a query, an import) give way after half a millisecond, not after five: the
    event loop must answer keys meanwhile, and each commit hands over between the loop and the store's thread."""
    sys.setswitchinterval(TURN)


def collect_seldom() -> None:
    """Leave out of garbage collection what stands by now (modules, the screen, the conversation), and look through
    the rest seldom: a full collection holds the loop for 80 to 220 ms on a screen of a thousand messages."""
    gc.freeze()
    gc.set_threshold(*COLLECT)


class _Clean(logging.Formatter):
    """Tracebacks quote what came from outside."""

    def format(self, record: logging.LogRecord) -> str:
        return clean(super().format(record))


def log_cleanly() -> None:
    """Let nothing that is logged be obeyed by the terminal: without a handler of its own, logging writes to stderr."""
    if logging.lastResort is not None:
        logging.lastResort.setFormatter(_Clean())
