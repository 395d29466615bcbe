"""The screen in a real pty: how soon it is there, and how soon a key is on it while much goes on.

``python -m bench.screen`` prints the rows; ``rows()`` returns them. The start is held against an empty Textual app that
starts in turn with Pepper. The first frame is the first paint that holds the composer; the prompt is usable when a
character that was typed then has come back. A key's time is from its byte written to its character read, on a screen
that holds 1,000 messages and a streaming reply and takes 1,000 updates a second (see ``bench.busy_screen``).
"""

from __future__ import annotations

import fcntl
import os
import pty
import random
import select
import signal
import statistics
import struct
import sys
import tempfile
import termios
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench.measured import Measured, percentile

TURNS = 9
SIZE = (120, 40)
KEYS = 300
SETTLE = 6.0  # seconds for which the busy screen runs before the first key
LIMIT = 30.0
EMPTY_APP = """
from textual.app import App
from textual.widgets import Static
class Empty(App):
    def compose(self):
        yield Static("READY")
Empty().run()
"""
COMPOSER = b"sk Pepper"  # of its placeholder; the cursor stands on the first letter
TYPED = "ж"
ALPHABET = [chr(code) for code in (*range(0x0410, 0x0450), *range(0x0531, 0x0557), *range(0x10D0, 0x10F0))]
"""Characters that nothing else on the screen holds; each is a new one until the line is cleared."""


class Program:
    """A program in a pty, and what it has written since ``forget``."""

    def __init__(self, arguments: Sequence[str]) -> None:
        self.began = time.perf_counter()
        self.pid, self._fd = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", SIZE[1], SIZE[0], 0, 0))
            terminal = {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
            os.execve(sys.executable, [sys.executable, *arguments], {**os.environ, **terminal})
        self._seen = b""

    def write(self, text: str) -> None:
        os.write(self._fd, text.encode())

    def forget(self) -> None:
        self._seen = b""

    @property
    def seen(self) -> bytes:
        """What it has written since ``forget``."""
        return self._seen

    def read(self, seconds: float) -> None:
        if select.select([self._fd], [], [], seconds)[0]:
            self._seen += os.read(self._fd, 1 << 16)

    def until(self, text: bytes) -> float:
        """Milliseconds since the start at which ``text`` has been read."""
        asked = time.perf_counter()
        while text not in self._seen:
            if time.perf_counter() - asked > LIMIT:
                raise TimeoutError(f"{text!r} never came")
            self.read(0.5)
        return (time.perf_counter() - self.began) * 1000

    @property
    def memory(self) -> float:
        """Megabytes of resident memory."""
        status = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii")
        return int(status.partition("VmRSS:")[2].split()[0]) / 1024

    def end(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self._fd)


@contextmanager
def running(*arguments: str) -> Iterator[Program]:
    program = Program(arguments)
    try:
        yield program
    finally:
        program.end()


def start() -> list[Measured]:
    """First line, first frame and usable prompt, against an empty app."""
    lines: list[float] = []
    frames: list[float] = []
    prompts: list[float] = []
    empties: list[float] = []
    with tempfile.TemporaryDirectory(prefix="pepper-bench-") as folder:
        home = Path(folder)
        (home / "config.toml").write_text("", encoding="utf-8")
        for turn in range(TURNS + 1):
            with running("-c", EMPTY_APP) as program:
                empty = program.until(b"READY")
            with running("-m", "pepper_tui", "--home", folder) as program:
                line = program.until(b"Pepper starts")
                frame = program.until(COMPOSER)
                program.forget()
                program.write(TYPED)
                prompt = program.until(TYPED.encode())
            if turn:  # the first turn fills the file cache
                for found, value in ((empties, empty), (lines, line), (frames, frame), (prompts, prompt)):
                    found.append(value)
    empty, frame, prompt = map(statistics.median, (empties, frames, prompts))
    return [
        Measured("screen.empty", empty, "ms", "first frame of an empty Textual app"),
        Measured("screen.line", statistics.median(lines), "ms", "first line on the terminal"),
        Measured("screen.frame", frame, "ms", "<= 500: the first paint that holds the composer"),
        Measured("screen.frame.ratio", frame / empty, "x", "<= 1.5 x the empty app"),
        Measured("screen.prompt", prompt, "ms", "<= 600: a typed character is on the screen"),
    ]


def typed(program: Program, keys: int) -> list[float]:
    """Milliseconds from each key to its character on the screen."""
    pauses = random.Random(1)
    found: list[float] = []
    letters: list[str] = []
    for _ in range(keys):
        if not letters:
            program.write("\x15")  # to the beginning of the line
            letters = pauses.sample(ALPHABET, 30)
        quiet = time.perf_counter() + pauses.uniform(0.03, 0.09)
        while time.perf_counter() < quiet:
            program.read(0.005)
        program.forget()
        letter = letters.pop()
        began = time.perf_counter()
        program.write(letter)
        program.until(letter.encode())
        found.append((time.perf_counter() - began) * 1000)
    return found


def keys() -> list[Measured]:
    """Key latency and memory on the busy screen."""
    with running("-m", "bench.busy_screen") as program:
        program.until(COMPOSER)
        settled = time.perf_counter() + SETTLE
        while time.perf_counter() < settled:
            program.read(0.1)
        found = typed(program, KEYS)
        memory = program.memory
    return [
        Measured("screen.key.p50", percentile(found, 0.5), "ms", "< 20, under load"),
        Measured("screen.key.p95", percentile(found, 0.95), "ms", "< 50, under load"),
        Measured("screen.key.p99", percentile(found, 0.99), "ms", "under load"),
        Measured("screen.memory", memory, "MB", "<= 120, under load, without an engine"),
    ]


def rows() -> list[Measured]:
    """The figures, in the order of the table."""
    return [*start(), *keys()]


if __name__ == "__main__":
    for row in rows():
        print(f"{row.name:24} {row.value:12,.2f} {row.unit:9} {row.goal}".rstrip())
