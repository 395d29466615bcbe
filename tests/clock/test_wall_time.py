"""Waiting for a wall time: a suspend does not stretch it, and a clock that is set wakes whoever waits."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import time
from collections.abc import Awaitable, Callable

import pytest

from pepper_tui.clock import ManualClock, SystemClock, Timers, clock, either
from tests.waiting import until

HOURS = 3 * 3600.0
linux = pytest.mark.skipif(sys.platform != "linux", reason="alarms on the wall clock are Linux's")


class Suspended(asyncio.SelectorEventLoop):
    """A loop whose own time stands still, as it does while the machine is suspended."""

    def time(self) -> float:
        return 0.0


def while_suspended(work: Callable[[], Awaitable[None]], seconds: float = 10.0) -> None:
    """Run ``work`` on such a loop; fail where it has not ended after ``seconds``."""
    with asyncio.Runner(loop_factory=Suspended) as runner:

        async def watched() -> None:
            task = asyncio.ensure_future(work())
            loop = asyncio.get_running_loop()
            watch = threading.Timer(seconds, lambda: loop.call_soon_threadsafe(task.cancel))
            watch.start()
            try:
                await task
            finally:
                watch.cancel()

        try:
            runner.run(watched())
        except asyncio.CancelledError:
            pytest.fail(f"nothing woke within {seconds} s")


@linux
def test_a_wait_for_a_wall_time_is_over_then_though_the_loops_time_stands_still() -> None:
    at = time.time() + 0.3

    async def wait() -> None:
        await SystemClock().sleep_until(at)

    while_suspended(wait)
    assert 0 <= time.time() - at < 2


@linux
def test_a_timer_runs_within_two_seconds_of_the_wake() -> None:
    at, ran = time.time() + 0.3, list[float]()

    async def wait() -> None:
        rang = asyncio.Event()

        async def ring() -> None:
            ran.append(time.time())
            rang.set()

        timers = Timers(SystemClock())
        await timers.start()
        timers.schedule("far", at + 86_400, ring)
        timers.schedule("near", at, ring)
        await rang.wait()
        await timers.stop()

    while_suspended(wait)
    assert len(ran) == 1
    assert 0 <= ran[0] - at < 2


@linux
async def test_a_wait_that_is_given_up_leaves_no_descriptor() -> None:
    def count() -> int:
        return len(os.listdir("/proc/self/fd"))  # noqa: PTH208

    before = count()
    waits = [asyncio.create_task(SystemClock().sleep_until(at)) for at in (time.time() + 60, float("inf"))]
    await until(lambda: count() == before + 2)
    for wait in waits:
        wait.cancel()
    await asyncio.gather(*waits, return_exceptions=True)
    assert count() == before
    await SystemClock().sleep_until(time.time() - 1)


async def test_without_such_an_alarm_it_looks_again_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "elsewhere")
    monkeypatch.setattr(clock, "LONGEST_SLEEP", 0.05)
    began = time.monotonic()
    await SystemClock().sleep_until(time.time() + 3600)
    assert time.monotonic() - began < 5


async def test_what_fell_due_in_a_suspend_runs_at_the_wake(clock: ManualClock) -> None:
    ran: list[str] = []
    timers = Timers(clock)
    await timers.start()

    def note(name: str) -> Callable[[], Awaitable[None]]:
        async def run() -> None:
            ran.append(name)

        return run

    timers.schedule("due", clock.now() + HOURS - 1, note("due"))
    timers.schedule("later", clock.now() + HOURS + 3600, note("later"))
    await until(lambda: bool(clock.sleepers))
    clock.jump(HOURS)
    await until(lambda: ran == ["due"])
    assert timers.jumped == pytest.approx(HOURS)
    await until(lambda: bool(clock.sleepers))
    clock.jump(-HOURS)  # the clock is set back: what is to come goes on waiting
    await clock.advance(HOURS)
    assert ran == ["due"]
    await until(lambda: bool(clock.sleepers))
    await clock.advance(HOURS)
    await until(lambda: ran == ["due", "later"])
    await timers.stop()


@pytest.mark.parametrize("first", ["event", "sleep"])
async def test_whichever_comes_first(clock: ManualClock, first: str) -> None:
    event = asyncio.Event()
    waiting = asyncio.create_task(either(event, clock.sleep(10)))
    await until(lambda: bool(clock.sleepers))
    assert not waiting.done()
    if first == "event":
        event.set()
    else:
        await clock.advance(10)
    await asyncio.wait_for(waiting, 5)
