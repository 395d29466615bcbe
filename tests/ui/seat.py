"""A person in front of the app: waiting, pressing, and what reached the engine."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from textual.pilot import Pilot

from pepper_tui.clock import ManualClock
from pepper_tui.ui.screen.app import PepperApp
from pepper_tui.ui.screen.status import StatusLine
from tests.ui.fake_engine import T0, FakeEngine

Seat = tuple[PepperApp, Pilot[str], FakeEngine, ManualClock]


async def until(condition: Callable[[], bool], pilot: Pilot[str], seconds: float = 5.0) -> None:
    """Return once ``condition`` holds."""
    end = asyncio.get_running_loop().time() + seconds
    while not condition():
        assert asyncio.get_running_loop().time() < end, "the condition never held"
        await pilot.pause(0.02)


@asynccontextmanager
async def seat(
    prepare: Callable[[FakeEngine], None] | None = None, size: tuple[int, int] = (120, 40)
) -> AsyncIterator[Seat]:
    """A person in front of a started app whose cards have stood for a while."""
    engine, clock = FakeEngine(), ManualClock(T0)
    if prepare:
        prepare(engine)

    async def factory() -> FakeEngine:
        return engine

    app = PepperApp(factory, clock=clock)
    async with app.run_test(size=size) as pilot:
        await until(lambda: app.link.engine is not None and not app.query_one(StatusLine).facts.words, pilot)
        await pilot.pause(0.15)
        await clock.advance(5)
        yield app, pilot, engine, clock


async def press(pilot: Pilot[str], *keys: str) -> None:
    """Keys as a person presses them: none in the same moment as another."""
    for key in keys:
        await pilot.press(key)
        await asyncio.sleep(0.07)
        await pilot.pause()


def acts(engine: FakeEngine, *names: str) -> list[tuple[object, ...]]:
    return [c for c in engine.calls if c[0] in names]
