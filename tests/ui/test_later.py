"""What is to be done later is not done once it was stopped, also where its time has come already."""

from __future__ import annotations

import asyncio

import pytest

from pepper_tui.ui.screen.later import Later
from tests.ui.seat import seat


@pytest.mark.parametrize("last", [False, True])
@pytest.mark.parametrize("again", [False, True])
async def test_what_was_stopped_when_its_call_was_under_way_does_not_come(last: bool, again: bool) -> None:
    done: list[str] = []
    busy, free = asyncio.Event(), asyncio.Event()

    async def long_message() -> None:
        busy.set()
        await free.wait()

    async with seat() as (app, pilot, _, _clock):
        later = Later(app)
        app.call_next(long_message)
        await busy.wait()
        later.after(0.01, lambda: done.append("first"), last=last)
        await asyncio.sleep(0.1)  # its time has come, and the call waits behind the long message
        if again:
            later.after(0.01, lambda: done.append("second"), last=last)
        else:
            later.stop()
        free.set()
        for _ in range(5):
            await pilot.pause(0.05)
        assert done == (["second"] if again else [])
        assert not later.waits


async def test_what_is_left_to_come_comes_once() -> None:
    done: list[str] = []
    async with seat() as (app, pilot, _, _clock):
        later = Later(app)
        later.after(0.01, lambda: done.append("once"))
        assert later.waits
        for _ in range(4):
            await pilot.pause(0.05)
        assert done == ["once"]
        assert not later.waits
