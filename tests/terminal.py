"""A program in a real pty, its screen kept by a terminal emulator, every byte that it wrote kept too."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Self

import pyte

KEYS = {
    "enter": "\r",
    "tab": "\t",
    "esc": "\x1b",
    "up": "\x1b[A",
    "down": "\x1b[B",
    "f1": "\x1bOP",
    "f2": "\x1bOQ",
    "f3": "\x1bOR",
    "f4": "\x1bOS",
    "f5": "\x1b[15~",
    "f7": "\x1b[18~",
    "f8": "\x1b[19~",
    "f9": "\x1b[20~",
    "ctrl+c": "\x03",
    "ctrl+l": "\x0c",
    "ctrl+q": "\x11",
    **{f"ctrl+{digit}": f"\x1b[{48 + digit};5u" for digit in range(1, 6)},
}


class Terminal:
    """``Terminal([...]) as screen``: ``screen.wait_for(text)``, ``screen.press("f2")``, ``screen.type(…)``."""

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str] | None = None, size: tuple[int, int] = (120, 40)
    ) -> None:
        self.raw = bytearray()
        columns, rows = size
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        self.status: int | None = None
        window = struct.pack("HHHH", rows, columns, 0, 0)
        ours = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", **(environment or {})}
        ours.update(COLUMNS=str(columns), LINES=str(rows))  # a test runner's own would be believed over the pty's
        self.pid, self._fd = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, window)
            os.execvpe(command[0], list(command), ours)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self.status is None:
            os.kill(self.pid, signal.SIGKILL)
            self.wait_dead(5)
        os.close(self._fd)

    @property
    def text(self) -> str:
        return "\n".join(self._screen.display)

    def press(self, *names: str) -> None:
        for name in names:
            os.write(self._fd, KEYS.get(name, name).encode())
            self._pump(0.05)

    def type(self, text: str) -> None:
        os.write(self._fd, text.encode())
        self._pump(0.05)

    def type_by_hand(self, text: str) -> None:
        """One key after the other, as fast as a person at most: more at once count as a paste."""
        for character in text:
            os.write(self._fd, character.encode())
            self.pump(0.04)

    def wait_for(self, condition: str | Callable[[], bool], seconds: float = 20.0) -> None:
        """Until the text is on screen (or the condition holds), or the test fails with the screen."""
        holds = condition if callable(condition) else lambda: condition in self.text
        deadline = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < deadline, f"not on screen within {seconds} s: {condition}\n{self.text}"
            assert self._pump(0.05), f"the program ended ({self.status}) before: {condition}\n{self.text}"

    def wait_until_unseen(self, prompt: str) -> None:
        """Until a question hides what is typed: only then it writes the blank after itself."""
        self.wait_for(lambda: bytes(self.raw).endswith(f"{prompt}: ".encode()))

    def pump(self, seconds: float) -> None:
        """Read for that long, whatever comes; the test fails where the program ends meanwhile."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            assert self._pump(0.05), f"the program ended ({self.status})\n{self.text}"

    def until_dead(self, act: Callable[[], object], seconds: float = 20.0) -> None:
        """Repeat ``act`` until the program has ended."""
        deadline = time.monotonic() + seconds
        while self._pump(0.05):
            assert time.monotonic() < deadline, f"still running after {seconds} s\n{self.text}"
            with contextlib.suppress(OSError):  # it may end between a look and a key
                act()

    def wait_dead(self, seconds: float = 30.0) -> int:
        """The wait status once the program has ended."""
        deadline = time.monotonic() + seconds
        while self.status is None:
            assert time.monotonic() < deadline, f"still running after {seconds} s\n{self.text}"
            self._pump(0.05)
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = status
        return self.status

    def _pump(self, seconds: float) -> bool:
        """Read what comes within ``seconds``; false where the program has closed the terminal."""
        readable, _, _ = select.select([self._fd], [], [], seconds)
        if readable:
            try:
                data = os.read(self._fd, 65536)
            except OSError:
                data = b""
            if not data:
                return False
            self.raw += data
            self._stream.feed(data)
        return True
