"""How the program ends when a signal ends it, or its terminal goes: in order, at once, with a usable terminal."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.terminal import Terminal

PEPPER = [sys.executable, "-m", "pepper_tui"]
CONFIG = '[user]\nname = "Alex"\nzone = "UTC"\n'
HANGS = """
import asyncio, time

async def run(ctx):
    await asyncio.to_thread(time.sleep, 600)  # a folder that does not answer
"""
LEFT = (b"\x1b[?1049l", b"\x1b[?25h", b"\x1b[?1000l", b"\x1b[?1003l", b"\x1b[?2004l")
"""What a terminal is told at the end: its own screen, its cursor, no mouse, no paste marks."""
SIGNALS = (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "config.toml").write_text(CONFIG)
    return tmp_path


def code(status: int) -> int:
    return os.waitstatus_to_exitcode(status)


def is_free(home: Path) -> bool:
    """Whether another Pepper could have the home now."""
    asked = subprocess.run(
        [*PEPPER, "--home", str(home), "ask", "hello"], capture_output=True, text=True, timeout=60, check=False
    )
    return asked.returncode == 0


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_leaves_the_screen_in_order(home: Path, number: signal.Signals) -> None:
    with Terminal([*PEPPER, "--home", str(home)]) as screen:
        screen.wait_for("Ask Pepper")
        screen.pump(1.0)
        os.kill(screen.pid, number)
        assert code(screen.wait_dead(15)) == 128 + number
        assert [told for told in LEFT if told not in screen.raw] == []
        assert b"Traceback" not in screen.raw
    assert is_free(home)


def test_a_terminal_that_is_gone_ends_the_screen_and_nothing_spins(home: Path) -> None:
    """As where a wrapper (`make`) ignores SIGHUP: no signal says so, only the end of the input."""
    ignoring = ["sh", "-c", 'trap "" HUP; exec "$@"', "sh", *PEPPER, "--home", str(home)]
    screen = Terminal(ignoring)
    screen.wait_for("Ask Pepper")
    screen.pump(1.0)
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    os.close(screen._fd)
    deadline = time.monotonic() + 20
    while (ended := os.waitpid(screen.pid, os.WNOHANG))[0] == 0:
        assert time.monotonic() < deadline, "still running, without a terminal"
        time.sleep(0.05)
    assert code(ended[1]) in (128 + signal.SIGHUP, -signal.SIGHUP)
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before < 15  # its whole life, and no core at 100 %
    assert is_free(home)


def test_it_is_suspended_and_comes_back_with_what_was_typed(home: Path) -> None:
    with Terminal([*PEPPER, "--home", str(home)]) as screen:
        screen.wait_for("Ask Pepper")
        screen.pump(1.0)
        screen.type("half a thought")
        screen.wait_for("half a thought")
        screen.press("\x1a")
        screen.wait_for(lambda: os.WIFSTOPPED(os.waitpid(screen.pid, os.WUNTRACED | os.WNOHANG)[1]))
        screen.wait_for(lambda: b"\x1b[?1049l" in screen.raw)
        screen.raw.clear()
        os.kill(screen.pid, signal.SIGCONT)
        screen.wait_for(lambda: b"\x1b[?1049h" in screen.raw)
        for words in ("half a thought", "INBOX", "SIGNALS", "CALLS", "WORKERS", "help"):  # drawn anew
            screen.wait_for(lambda words=words: words.encode() in screen.raw)  # type: ignore[misc]
        os.kill(screen.pid, signal.SIGTERM)
        assert code(screen.wait_dead(15)) == 128 + signal.SIGTERM


@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize("front", ["plain", "headless"])
def test_a_signal_ends_the_other_fronts_in_order(home: Path, front: str, number: signal.Signals) -> None:
    arguments = ["--plain"] if front == "plain" else ["run", "--headless"]
    with Terminal([*PEPPER, "--home", str(home), *arguments]) as screen:
        screen.wait_for("Pepper works" if front == "plain" else "Pepper runs")
        os.kill(screen.pid, number)
        assert code(screen.wait_dead(15)) == (0 if number is signal.SIGTERM else 128 + number)
        assert b"Traceback" not in screen.raw
    assert is_free(home)


@pytest.mark.parametrize("front", ["screen", "headless"])
def test_what_never_answers_does_not_hold_up_the_end(home: Path, front: str) -> None:
    (home / "hangs.py").write_text(HANGS)
    (home / "config.toml").write_text(f'{CONFIG}[[feed]]\nname = "hangs"\nfile = "hangs.py"\n')
    arguments = ["run", "--headless"] if front == "headless" else []
    with Terminal([*PEPPER, "--home", str(home), *arguments]) as screen:
        screen.wait_for("Pepper runs" if front == "headless" else "Ask Pepper")
        screen.pump(2.0)
        began = time.monotonic()
        os.kill(screen.pid, signal.SIGTERM)
        assert code(screen.wait_dead(15)) in (0, 128 + signal.SIGTERM)
        assert time.monotonic() - began < 10  # 2 s on a machine that does nothing else
