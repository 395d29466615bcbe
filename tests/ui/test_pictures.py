"""Pictures of the screen at three sizes, on a still clock. ``pytest --snapshot-update`` accepts new ones."""

from __future__ import annotations

from typing import Any

import pytest
from textual.pilot import Pilot

from pepper_tui.clock import ManualClock
from pepper_tui.ui.app import PepperApp
from tests.ui.fake_engine import T0, FakeEngine, fill


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)], ids=lambda s: f"{s[0]}x{s[1]}")
@pytest.mark.parametrize("keys", [(), ("ctrl+t",)], ids=["typing", "inbox"])
def test_picture(snap_compare: Any, size: tuple[int, int], keys: tuple[str, ...]) -> None:
    async def factory() -> FakeEngine:
        engine = FakeEngine()
        fill(engine)
        return engine

    async def settle(pilot: Pilot[str]) -> None:
        await pilot.pause(0.4)
        await pilot.press(*keys)
        await pilot.pause(0.3)

    assert snap_compare(PepperApp(factory, clock=ManualClock(T0)), terminal_size=size, run_before=settle)
