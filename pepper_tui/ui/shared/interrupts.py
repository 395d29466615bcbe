"""What Ctrl+C does for a while, where it must not do what the event loop does with it."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType


@contextlib.contextmanager
def interrupts(handler: Callable[[int, FrameType | None], object]) -> Iterator[None]:
    """Give Ctrl+C to ``handler`` meanwhile; without effect outside the main thread, which alone gets it.

    Programs started meanwhile get Ctrl+C as usual: a handler is not inherited, which ``SIG_IGN`` would be.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
