"""What work costs, compared with the same work on less: a ratio holds on any machine, a number of seconds does not."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from typing import Any

TIMES = 16
MOST = 40.0
LEAST = 0.004  # seconds below which a figure is noise


def spent(work: Callable[[Any], Any], given: Any, turns: int = 3) -> float:
    """Processor seconds, the least of all turns, without garbage collection: a test process has much to search."""
    found: list[float] = []
    gc.disable()
    try:
        while len(found) < turns and sum(found) < 2.0:
            began = time.process_time()
            work(given)
            found.append(time.process_time() - began)
    finally:
        gc.enable()
    return min(found)


def check_growth(work: Callable[[Any], Any], make: Callable[[int], Any], size: int) -> None:
    """Work on ``make(16 * size)`` costs at most 40 times what it costs on ``make(size)``."""
    work(make(size))
    large = make(size * TIMES)
    many = spent(work, large, 1)
    if many <= MOST * LEAST:
        return
    most = MOST * max(spent(work, make(size)), LEAST)
    if many > most:  # once more: the machine may have been busy with something else
        many = min(many, spent(work, large))
    assert many <= most, f"{most / MOST * 1000:.1f} ms, at 16 times the size {many * 1000:.1f} ms"
