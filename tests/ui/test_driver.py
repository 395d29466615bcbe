"""A terminal that goes away under the screen's driver: told once, and neither thread waits or spins."""

from __future__ import annotations

import asyncio
import os
import pty
import signal
import threading
from collections.abc import Iterator

import pytest
from textual.app import App
from textual.drivers._writer_thread import MAX_QUEUED_WRITES

from pepper_tui.ui.screen.terminal.driver import PepperDriver, Writer
from tests.waiting import until


@pytest.fixture
def ends() -> Iterator[tuple[int, int]]:
    """Both ends of a pseudo-terminal: the master, which the test closes, and what a program has."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTSTP, signal.SIGCONT)}
    master, terminal = pty.openpty()
    yield master, terminal
    os.close(terminal)
    for number, handler in handlers.items():  # Textual's drivers take these for good
        signal.signal(number, handler)


async def ended(thread: threading.Thread) -> None:
    await until(lambda: not thread.is_alive(), 5, "the thread has not ended")


async def test_writing_to_a_terminal_that_is_gone_is_told_once_and_blocks_nobody(ends: tuple[int, int]) -> None:
    master, terminal = ends
    told: list[str] = []
    writer = Writer(os.fdopen(os.dup(terminal), "w"))
    writer.gone = lambda: told.append("gone")
    writer.start()
    writer.write("hello")
    assert await asyncio.to_thread(os.read, master, 5) == b"hello"
    os.close(master)

    def write_more() -> None:
        for _ in range(3 * MAX_QUEUED_WRITES):
            writer.write("x" * 100)

    writing = threading.Thread(target=write_more, daemon=True)
    writing.start()
    await ended(writing)
    await until(lambda: told == ["gone"])
    stopping = threading.Thread(target=writer.stop, daemon=True)
    stopping.start()
    await ended(stopping)
    assert told == ["gone"]


async def test_the_end_of_the_input_is_told_once_and_ends_the_reader(ends: tuple[int, int]) -> None:
    master, terminal = ends
    told: list[str] = []
    driver = PepperDriver(App())
    driver.fileno = terminal
    driver.on_gone = lambda: told.append("gone")  # type: ignore[method-assign]
    reader = threading.Thread(target=driver.run_input_thread, daemon=True)
    reader.start()
    os.close(master)
    try:
        await ended(reader)
    finally:
        driver.exit_event.set()  # so that a reader that spins ends with its test
    await until(lambda: bool(told))
    driver._gone()  # the writer finds out as well
    for _ in range(10):
        await asyncio.sleep(0)
    assert told == ["gone"]
