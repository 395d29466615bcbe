"""Timers: each runs once at its time, a failing one is tried again later each time, and none holds another up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from pepper_tui.clock import ManualClock, Timers
from tests.waiting import until


class Log:
    """What ran, and when; the first ``failures`` runs of a key fail."""

    def __init__(self, clock: ManualClock, failures: int = 0) -> None:
        self.clock, self.failures = clock, failures
        self.runs: list[tuple[str, float]] = []

    def of(self, key: str):  # type: ignore[no-untyped-def]
        async def run() -> None:
            self.runs.append((key, self.clock.monotonic()))
            if len([1 for name, _ in self.runs if name == key]) <= self.failures:
                raise RuntimeError("the store is away")

        return run


@pytest.fixture
async def timers(clock: ManualClock) -> AsyncIterator[Timers]:
    made = Timers(clock)
    await made.start()
    yield made
    await made.stop()


async def passing(clock: ManualClock, seconds: float, step: float = 0.5) -> None:
    """Let time pass in steps, each of which whoever sleeps can see."""
    for _ in range(round(seconds / step)):
        await clock.advance(step)
        for _ in range(20):
            await asyncio.sleep(0)


async def test_a_failing_one_is_tried_again_later_each_time_and_then_is_done(
    timers: Timers, clock: ManualClock
) -> None:
    log, start = Log(clock, failures=8), clock.now()
    timers.schedule("a", start + 10, log.of("a"))
    await passing(clock, 400)
    times = [at for _, at in log.runs]
    assert times == pytest.approx([10, 11, 13, 17, 25, 41, 73, 133, 193], abs=1.0)
    assert timers.due("a") is None
    await passing(clock, 200)
    assert len(log.runs) == 9


async def test_one_that_fails_holds_up_no_other(timers: Timers, clock: ManualClock) -> None:
    log, broken, start = Log(clock), Log(clock, failures=100), clock.now()
    timers.schedule("broken", start + 1, broken.of("broken"))
    timers.schedule("fine", start + 1, log.of("fine"))
    timers.schedule("later", start + 5, log.of("later"))
    await passing(clock, 8)
    assert [name for name, _ in log.runs] == ["fine", "later"]
    assert len(broken.runs) > 2


async def test_what_was_scheduled_anew_takes_the_place_of_another_try(timers: Timers, clock: ManualClock) -> None:
    log, start = Log(clock), clock.now()

    async def fails_and_is_scheduled_anew() -> None:
        timers.schedule("a", start + 30, log.of("new"))
        raise RuntimeError

    timers.schedule("a", start + 1, fails_and_is_scheduled_anew)
    await passing(clock, 25)
    assert log.runs == []
    assert timers.due("a") == start + 30
    await passing(clock, 10)
    assert [name for name, _ in log.runs] == ["new"]


async def test_one_that_was_cancelled_after_it_failed_is_not_tried_again(timers: Timers, clock: ManualClock) -> None:
    log, start = Log(clock, failures=100), clock.now()
    timers.schedule("a", start + 1, log.of("a"))
    await passing(clock, 1.5)
    assert len(log.runs) == 1
    timers.cancel("a")
    await passing(clock, 120)
    assert len(log.runs) == 1


@pytest.mark.parametrize("first", [5.0, 20.0])
async def test_the_latest_schedule_of_a_key_holds(timers: Timers, clock: ManualClock, first: float) -> None:
    log, start = Log(clock), clock.now()
    timers.schedule("a", start + first, log.of("first"))
    timers.schedule("a", start + 10, log.of("second"))
    await passing(clock, 60)
    assert [(name, pytest.approx(at, abs=1.0)) for name, at in log.runs] == [("second", 10.0)]


async def test_what_is_due_before_the_one_that_is_slept_for_runs_first(timers: Timers, clock: ManualClock) -> None:
    log, start = Log(clock), clock.now()
    timers.schedule("late", start + 20, log.of("late"))
    await until(lambda: bool(clock.sleepers))
    timers.schedule("soon", start + 2, log.of("soon"))
    await passing(clock, 3)
    assert [name for name, _ in log.runs] == ["soon"]


@pytest.mark.parametrize("gap", [-600.0, 600.0])
async def test_a_jump_of_the_wall_clock_is_seen_and_nothing_runs_early(
    timers: Timers, clock: ManualClock, gap: float
) -> None:
    log, start = Log(clock), clock.now()
    timers.schedule("a", start + 300, log.of("a"))
    await until(lambda: bool(clock.sleepers))
    clock.jump(gap)
    await passing(clock, 31)
    assert timers.jumped == pytest.approx(gap, abs=1.0)
    assert len(log.runs) == (gap > 0)
