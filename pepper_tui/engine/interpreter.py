"""Process-wide tuning (thread switching, garbage collection, logging), mostly for input latency."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import logging
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue
from typing import Any, Final

from pepper_tui.text.errors import LogLine

TURN: Final = 0.0005  # seconds
HEAPS: Final = 1
_MOST_HEAPS: Final = -8  # M_ARENA_MAX of glibc
COLLECT: Final = (10_000, 20, 100)


def share_threads_fairly() -> None:
    """Make a computing thread (a parse, a query, an import) yield after 0.5 ms instead of 5 ms.

    The event loop must answer keys meanwhile, and each commit switches between the loop and the store's thread.
    """
    sys.setswitchinterval(TURN)


def share_one_heap() -> None:
    """Let all threads take memory from one heap: each would keep what it has freed to itself.

    Few of them run at the same time. Only glibc has several heaps; what a thread has already is kept.
    """
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).mallopt(_MOST_HEAPS, HEAPS)


def collect_seldom() -> None:
    """Exclude existing objects (modules, screen, conversation) from garbage collection, and collect the rest seldom.

    A full collection blocks the loop for 80 to 220 ms on a screen with a thousand messages.
    """
    gc.freeze()
    gc.set_threshold(*COLLECT)


class DaemonThreads(ThreadPoolExecutor):
    """The loop's executor for file operations: a folder that does not answer can't block the exit.

    The standard executor waits for its threads when the loop is closed, and again when the interpreter exits.
    """

    def __init__(self, most: int = 16) -> None:
        super().__init__(max_workers=1)
        self._most, self._threads_now, self._idle = most, 0, 0
        self._work: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._counting = threading.Lock()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()

        def run() -> None:
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(fn(*args, **kwargs))
                except BaseException as error:
                    future.set_exception(error)

        with self._counting:
            if self._idle <= self._work.qsize() and self._threads_now < self._most:
                self._threads_now += 1
                threading.Thread(target=self._serve, name=f"files-{self._threads_now}", daemon=True).start()
        self._work.put(run)
        return future

    def _serve(self) -> None:
        while True:
            with self._counting:
                self._idle += 1
            work = self._work.get()
            with self._counting:
                self._idle -= 1
            work()

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Leave running work alone; it ends with the process."""


def log_cleanly() -> None:
    """Strip terminal control sequences from log output: without a handler, logging writes to stderr."""
    if logging.lastResort is not None:
        logging.lastResort.setFormatter(LogLine())
