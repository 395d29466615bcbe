"""The checkpoints of the kill tests: a process that kills itself at a named boundary."""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Callable
from typing import Final

KILL_AT: Final = "PEPPER_KILL_AT"
"""``name`` or ``name:count``: SIGKILL oneself the count-th time this boundary is passed. For kill tests only."""


def kill_switch() -> Callable[[str], None]:
    """Return the checkpoint that every part calls at its boundaries: a no-op except in kill tests."""
    wanted, _, count = os.environ.get(KILL_AT, "").partition(":")
    if not wanted:
        return lambda name: None
    passed: Counter[str] = Counter()

    def checkpoint(name: str) -> None:
        passed[name] += 1
        if name == wanted and passed[name] == int(count or 1):
            os.kill(os.getpid(), signal.SIGKILL)

    return checkpoint
