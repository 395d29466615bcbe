"""Waits for whichever of two things comes first."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any


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
