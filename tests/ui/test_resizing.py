"""No size, and no way from one to another, breaks the screen or loses what was typed."""

from __future__ import annotations

import pytest

from pepper_tui.model import Namespace
from pepper_tui.ui.screen.chat.composer import Composer
from tests.ui.fake_engine import FakeEngine, approval, note
from tests.ui.seat import seat

WIDTHS = (200, 120, 100, 99, 80, 60, 47, 46, 43, 40, 35, 20, 10, 5, 2, 1)


def some(engine: FakeEngine) -> None:
    engine.put(Namespace.APPROVAL, approval())
    engine.put(Namespace.NOTIFICATION, note())


@pytest.mark.parametrize("narrow", WIDTHS)
async def test_wide_narrow_wide_and_narrow_again(narrow: int) -> None:
    async with seat(some, size=(120, 40)) as (app, pilot, _, _clock):
        composer = app.query_one(Composer)
        for width, height in ((narrow, 40), (120, 40), (narrow, 10), (160, 50), (narrow, 1), (narrow, 40), (120, 40)):
            await pilot.resize_terminal(width, height)
            await pilot.pause(0.05)
        composer.text = "a thought"
        await pilot.resize_terminal(narrow, 12)
        await pilot.pause(0.05)
        await pilot.resize_terminal(120, 40)
        await pilot.pause(0.05)
        assert composer.text == "a thought"
        assert app.return_code is None
