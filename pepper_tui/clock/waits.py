"""Waits for whichever of two things comes first."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any


async def either(event: asyncio.Event, sleep: Coroutine[Any, Any, None]) -> None:
    """Return once ``event`` is set or ``sleep`` is over."""
    tasks = {asyncio.ensure_future(sleep), asyncio.ensure_future(event.wait())}
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)  # a cancel of the caller that comes only now must not be lost
