"""The near end of the parser process: asks it, ends it, and says of what it could not read why.

Blocking: to be called in a thread. The process is started at the first request, ends itself when it is not asked for a
while, and with Pepper, whose end closes its input. An item that takes too much processor time or memory ends it: that
item is told as not read, and the next ones go to a new process.
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

SECONDS: Final = 2.0  # of processor time, for one item
MEGABYTES: Final = 256  # above what the process has taken once it is ready
IDLE: Final = 60.0  # seconds without a request after which it ends
LONGEST: Final = 60.0  # seconds of wall time in which one item must be answered, on a machine that is busy
BATCH_BYTES: Final = 4_000_000  # sources of one message


@dataclass(frozen=True, slots=True)
class NotRead:
    """An item that could not be read, and why, in words."""

    why: str


class ParserProcess:
    """Parses by the functions of one module, each ``(source: bytes, **options) -> JSON``, in a process of its own.

    The module has a function ``warm`` that loads what it loads late.
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
        """For each of ``sources`` what ``function`` makes of it, or ``NotRead``.

        After ``until`` (monotonic) an item that ends the process is the last one: what has come so far is returned.
        """
        found: list[Any] = []
        while len(found) < len(sources):
            with self._asking:  # others have their turn in between
                found += self._asked(function, _batch(sources[len(found) :]), options)
            if found and isinstance(found[-1], NotRead) and time.monotonic() > until:
                break
        return found

    def end(self) -> None:
        """End the process, if there is one; the next request starts another."""
        with self._asking:
            self._end()

    def _asked(self, function: str, sources: Sequence[bytes], options: dict[str, Any]) -> list[Any]:
        """What became of the first few, at least of one."""
        fresh = self._child is None
        child = self._child or self._start()
        assert child.stdin is not None
        assert child.stdout is not None
        found: list[Any] = []
        try:
            put(child.stdin, {"function": function, "options": options}, sources)
            answers = _Answers(child.stdout.fileno())
            while len(found) < len(sources) and (answer := take(answers)) is not None:
                found.append(answer[0])
        except BrokenPipeError:
            pass
        if len(found) == len(sources):
            return found
        status = self._end()
        if status == 0 and not fresh:  # it had ended of itself: nobody had asked
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
            start_new_session=True,  # Ctrl+C is for Pepper: it ends the process by closing its input
        )
        return self._child

    def _end(self) -> int:
        """End it and return its status."""
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


_MOMENT: Final = 0.5  # seconds for an end in order


class _Answers:
    """What the process writes, as it comes, until it is silent for too long."""

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
