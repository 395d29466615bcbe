"""Signals of a front: in order at the first, at once at the second, in a process of its own."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from pepper_tui.ui.shared.endings import ENDING

PROGRAM = """
import asyncio, os, sys
from pepper_tui.ui.shared.endings import Endings

def restore():
    os.write(1, b"restored\\n")  # a print may be what the signal has interrupted
    if {breaks}:
        raise OSError("the terminal is gone")

async def main():
    stop = asyncio.Event()
    endings = Endings(lambda: print("ending", flush=True) or stop.set(), restore)
    with endings.watched({more}):
        print("ready", flush=True)
        await stop.wait()
        if {slow}:
            await asyncio.sleep(60)
    if {late}:
        print("closing", flush=True)
        import time
        time.sleep(60)
    sys.exit(128 + endings.number)

asyncio.run(main())
"""


class Front:
    """A front that runs; ``slow``: it takes long to end, ``late``: once it no longer watches."""

    def __init__(self, *, slow: bool = False, late: bool = False, breaks: bool = False, more: str = "") -> None:
        program = PROGRAM.format(slow=slow, late=late, breaks=breaks, more=more)
        self.process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)

    def __enter__(self) -> Front:
        self.says("ready")
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()

    def says(self, words: str) -> None:
        assert self.process.stdout is not None
        assert self.process.stdout.readline().strip() == words

    def end(self) -> tuple[int, str]:
        said, _ = self.process.communicate(timeout=20)
        return self.process.returncode, said


def test_it_ends_by_all_that_ends_a_program() -> None:
    assert set(ENDING) == {signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT}


@pytest.mark.parametrize("number", ENDING)
def test_the_first_signal_ends_it_in_order(number: signal.Signals) -> None:
    with Front() as front:
        front.process.send_signal(number)
        assert front.end() == (128 + number, "ending\n")


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("breaks", [False, True])
@pytest.mark.parametrize("number", ENDING)
def test_the_second_signal_ends_it_at_once_with_a_usable_terminal(
    number: signal.Signals, breaks: bool, late: bool
) -> None:
    with Front(slow=not late, late=late, breaks=breaks) as front:
        front.process.send_signal(signal.SIGTERM)
        front.says("ending")
        if late:
            front.says("closing")
        front.process.send_signal(number)
        assert front.end() == (128 + number, "restored\n")


def test_a_front_may_take_more_signals() -> None:
    with Front(more="__import__('signal').SIGINT") as front:
        front.process.send_signal(signal.SIGINT)
        assert front.end() == (128 + signal.SIGINT, "ending\n")
