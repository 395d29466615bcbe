"""Waits for whichever of two things comes first."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, Final

WORK: Final = 30_000
"""Characters after which keys and other tasks get their turn: some milliseconds of work."""
_EACH: Final = 2_000  # characters that an item costs beside its own


async def done_before(work: asyncio.Future[Any], sleep: Coroutine[Any, Any, None]) -> bool:
    """Return whether ``work`` finishes before ``sleep`` is over; if not, it keeps running."""
    nap = asyncio.ensure_future(sleep)
    waits: set[asyncio.Future[Any]] = {work, nap}
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        nap.cancel()
    return work.done()


async def either(event: asyncio.Event, sleep: Coroutine[Any, Any, None]) -> None:
    """Return once ``event`` is set or ``sleep`` is over."""
    tasks = {asyncio.ensure_future(sleep), asyncio.ensure_future(event.wait())}
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)  # so that a late cancel of the caller is not lost


class Turns:
    """Gives way to other tasks in a long run of small work: after so much of it, as each turn costs some itself."""

    def __init__(self) -> None:
        self._done = 0

    async def after(self, characters: int) -> None:
        """Count another item of so many characters, and let others go first if it is their turn."""
        self._done += _EACH + characters
        if self._done >= WORK:
            self._done = 0
            await asyncio.sleep(0)
