"""The caller's side of the parser process: it sends requests, ends the process, and says why an item was not read.

Blocking: call it in a thread. The process starts at the first request. It exits when it is idle for a while, and with
Pepper, whose exit closes its input. An item that takes too much processor time or memory ends it: that item is reported
as not read, and the next ones go to a new process.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from pepper_tui.boundary.frames import OUT_OF_MEMORY, put, take

SECONDS: Final = 2.0  # processor time for one item
MEGABYTES: Final = 256  # on top of what the process uses once it is ready
IDLE: Final = 60.0  # seconds without a request after which it exits
LONGEST: Final = 60.0  # seconds of wall time in which one item must be answered, even on a busy machine
BATCH_BYTES: Final = 4_000_000  # bytes of the sources in one message


@dataclass(frozen=True, slots=True)
class NotRead:
    """An item that could not be read, and why, in words."""

    why: str


class ParserProcess:
    """Parses with the functions of one module, each ``(source: bytes, **options) -> JSON``, in a separate process.

    The module has a function ``warm`` that loads whatever it would import late.
    """

    def __init__(
        self, module: str, *, seconds: float = SECONDS, megabytes: int = MEGABYTES, idle: float = IDLE
    ) -> None:
        self._module, self._seconds, self._megabytes, self._idle = module, seconds, megabytes, idle
        self._child: subprocess.Popen[bytes] | None = None
        self._asking = threading.Lock()

    def parse(
        self, function: str, sources: Sequence[bytes], *, until: float = float("inf"), **options: Any
    ) -> list[Any]:
        """Return the result of ``function`` for each of ``sources``, or ``NotRead``.

        After ``until`` (monotonic), an item that ends the process is the last one: the results so far are returned.
        """
        found: list[Any] = []
        each_at_once = len(sources) == 1
        while len(found) < len(sources):
            with self._asking:  # released between batches, so that other threads get their turn
                answers = self._asked(function, _batch(sources[len(found) :]), options, each_at_once)
                # answers that were held back are lost with the process, and nobody knows which item has ended it
                each_at_once = self._child is None and not (answers and isinstance(answers[-1], NotRead))
            found += answers
            if found and isinstance(found[-1], NotRead) and time.monotonic() > until:
                break
        return found

    def end(self) -> None:
        """End the process, if it runs; the next request starts a new one."""
        with self._asking:
            self._end()

    def _asked(self, function: str, sources: Sequence[bytes], options: dict[str, Any], each_at_once: bool) -> list[Any]:
        """Return the results for the first few sources: at least for one, if each is answered at once."""
        fresh = self._child is None
        child = self._child or self._start()
        assert child.stdin is not None
        assert child.stdout is not None
        found: list[Any] = []
        try:
            put(child.stdin, {"function": function, "options": options, "each_at_once": each_at_once}, sources)
            child.stdin.flush()
            answers = _Answers(child.stdout.fileno())
            while len(found) < len(sources) and (answer := take(answers)) is not None:
                found.append(answer[0])
        except BrokenPipeError:
            pass
        if len(found) == len(sources):
            return found
        status = self._end()
        if (status == 0 and not fresh) or not each_at_once:  # it had exited because it was idle; or see ``parse``
            return found
        return [*found, NotRead(self._why(status))]

    def _why(self, status: int) -> str:
        if status == -signal.SIGPROF:
            return f"it takes more than {self._seconds:g} s of processor time"
        if status == OUT_OF_MEMORY:
            return f"it takes more than {self._megabytes} MB of memory"
        return "its parser did not answer" if status == -signal.SIGKILL else f"its parser ended ({status})"

    def _start(self) -> subprocess.Popen[bytes]:
        limits = [str(self._seconds), str(self._megabytes), str(self._idle)]
        self._child = subprocess.Popen(
            [sys.executable, "-m", "pepper_tui.boundary.child", self._module, *limits],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "LC_ALL": "C.UTF-8"},
            cwd="/",
            start_new_session=True,  # Ctrl+C is for Pepper, which ends the process by closing its input
        )
        return self._child

    def _end(self) -> int:
        """End the process and return its exit status."""
        child, self._child = self._child, None
        if child is None:
            return 0
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except BrokenPipeError:
                    continue
        try:
            return child.wait(_MOMENT)
        except subprocess.TimeoutExpired:
            child.kill()
            return child.wait()


_MOMENT: Final = 0.5  # seconds for an orderly exit


class _Answers:
    """Reads what the process writes, until it has been silent for too long."""

    def __init__(self, file: int) -> None:
        self._file, self._held = file, bytearray()

    def read(self, size: int) -> bytes:
        while len(self._held) < size:
            if not select.select([self._file], [], [], LONGEST)[0]:
                break
            piece = os.read(self._file, 1 << 16)
            if not piece:
                break
            self._held += piece
        given = bytes(self._held[:size])
        del self._held[:size]
        return given


def _batch(sources: Sequence[bytes]) -> Sequence[bytes]:
    total = 0
    for number, source in enumerate(sources):
        total += len(source)
        if total > BATCH_BYTES and number:
            return sources[:number]
    return sources
