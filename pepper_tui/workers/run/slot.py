"""A run's slot among the working runs, and its working time.

Waiting is not work: without a slot, the time stops.
"""

from __future__ import annotations

import asyncio
from typing import Final

from pepper_tui.clock import Clock
from pepper_tui.model import WorkerRun

_CLOSE: Final = 0.001  # seconds that count as none: float rounding, too short to move a clock


class Slot:
    """A run's slot. ``held``: whether the run is working."""

    def __init__(self, run: WorkerRun, slots: asyncio.Semaphore, clock: Clock) -> None:
        self._run, self._slots, self._clock = run, slots, clock
        self.held = False
        self._since: float | None = None
        self._moving = asyncio.Event()

    async def take(self) -> None:
        await self._slots.acquire()
        self.held = True
        self._since = self._clock.monotonic()
        self._moving.set()

    def give_back(self) -> None:
        if self.held:
            self.held = False
            self._slots.release()

    def rest(self) -> None:
        """Stop the time."""
        self.tick()
        self._since = None
        self._moving.clear()

    def tick(self) -> None:
        """Add the time until now to the run."""
        if self._since is not None:
            now = self._clock.monotonic()
            self._run.active_seconds += now - self._since
            self._since = now

    async def used_up(self, most: float) -> None:
        """Return once the run has worked for ``most`` seconds."""
        while True:
            await self._moving.wait()
            self.tick()
            left = most - self._run.active_seconds
            if left < _CLOSE:
                return
            await self._clock.sleep(left)
