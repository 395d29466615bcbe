"""A long day of signals: what is shown stays right over a restart, and memory does not grow with what has passed."""

from __future__ import annotations

import asyncio
import gc
import tracemalloc
from functools import partial
from pathlib import Path

import pytest

from pepper_tui.clock import ManualClock
from pepper_tui.config import parse_config
from pepper_tui.engine.engine import Engine
from pepper_tui.feeds.feed import store_signal
from pepper_tui.model import BACKLOG, Priority, Signal
from pepper_tui.ui.screen.app import PepperApp
from pepper_tui.ui.screen.status import StatusLine
from tests.ui.fake_engine import T0, signal
from tests.ui.seat import seat, until

CONFIG = '[user]\nname = "Alex"\naddresses = ["alex@example.com"]\nzone = "UTC"\n'
COUNT = 1_200  # more than is recalled at a start
LEVELS = (Priority.NORMAL, Priority.LOG, Priority.LOW)


def _started(app: PepperApp) -> bool:
    return app.link.engine is not None


def _shows(line: StatusLine) -> bool:
    return line.facts.silent >= COUNT


async def test_what_was_held_back_is_counted_alike_before_and_after_a_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    clock = ManualClock(T0 + 3600)
    shown = []
    for start in range(2):
        engine = await Engine.open(tmp_path, parse_config(CONFIG, tmp_path / "config.toml"), clock)

        async def factory(engine: Engine = engine) -> Engine:
            return engine

        app = PepperApp(factory, clock=clock)
        async with app.run_test(size=(120, 40)) as pilot:
            line = app.query_one(StatusLine)
            await until(partial(_started, app), pilot, 20)
            if start == 0:
                async with engine.store.unit():
                    for n in range(COUNT + 100):
                        reason = BACKLOG if n < 100 else "from a list"
                        each = Signal(f"s{n}", "News", clock.now(), Priority.LOG, "mail", reason, f"m{n}", {})
                        await store_signal(engine.store, each)
            await until(partial(_shows, line), pilot, 20)
            shown.append(line.facts.silent)
    assert shown == [COUNT, COUNT]


async def test_the_screen_does_not_grow_with_the_signals_that_have_passed() -> None:
    async with seat() as (app, pilot, engine, clock):
        tracemalloc.start(1)
        try:
            held, number = [], 0
            for goal in (8_000, 16_000):
                while number < goal:
                    for _ in range(200):
                        number += 1
                        each = signal(f"signal_mail_{number:032x}", f"Sender {number}: news", LEVELS[number % 3])
                        engine.put("signals.mail", each)
                    engine.contexts.clear()
                    await asyncio.sleep(0)
                    await clock.advance(40)
                await until(partial(app.board.signals.__contains__, each.id), pilot, 30)
                gc.collect()
                held.append(tracemalloc.get_traced_memory()[0])
        finally:
            tracemalloc.stop()
        assert app.board.held_today(clock.now(), app.link.zone) == 5_334
        assert held[1] < held[0] * 1.3, held  # a leak of 100 bytes a signal would be 1.5 times as much
