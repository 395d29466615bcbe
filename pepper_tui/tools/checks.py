"""Settles unknown outcomes without asking, where the other side can tell for sure what became of an attempt."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from pepper_tui.clock import Clock

PAUSES: Final = (2.0, 15.0, 120.0)
"""Seconds before each look; after the last the user is the one to ask for a check."""


class Checks:
    """``look`` returns whether the outcome of a call is settled now."""

    def __init__(self, clock: Clock, look: Callable[[str], Awaitable[bool]]) -> None:
        self._clock, self._look = clock, look
        self._tasks: set[asyncio.Task[None]] = set()

    def later(self, call_id: str) -> None:
        """Look in a while what became of the call."""
        task = asyncio.create_task(self._check(call_id), name=f"check {call_id}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def stop(self) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _check(self, call_id: str) -> None:
        for pause in PAUSES:
            await self._clock.sleep(pause)
            if await self._look(call_id):
                return
