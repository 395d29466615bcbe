"""Google counts units a minute and user, and each command has its price. Background work takes three quarters of them,
so that what the user does now, here or elsewhere, finds room."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Final

from pepper_tui.clock import Clock

MINUTE: Final = 60.0
SHARE: Final = 0.75


class Pace:
    """Lets calls through as fast as the units allow, in their order; urgent ones pass those that wait."""

    def __init__(self, clock: Clock, units: int) -> None:
        self._clock, self._units = clock, units
        self._spent: deque[tuple[float, int]] = deque()
        self._rest_until = 0.0
        self._turn = asyncio.Lock()

    async def take(self, price: int, *, urgent: bool = False) -> None:
        """Return when ``price`` may be spent; it is spent then."""
        if urgent:
            await self._wait(price, self._units)
            return
        async with self._turn:
            await self._wait(price, int(self._units * SHARE))

    def rest(self, seconds: float) -> None:
        """Nothing goes through for so long, as Google said that it was too much."""
        self._rest_until = max(self._rest_until, self._clock.monotonic() + seconds)

    async def _wait(self, price: int, units: int) -> None:
        while (seconds := self._seconds_until(price, units)) > 0:
            await self._clock.sleep(seconds)
        self._spent.append((self._clock.monotonic(), price))

    def _seconds_until(self, price: int, units: int) -> float:
        now = self._clock.monotonic()
        while self._spent and self._spent[0][0] + MINUTE <= now:
            self._spent.popleft()
        room, seconds = units - sum(each for _, each in self._spent), self._rest_until - now
        for at, each in self._spent:
            if room >= price:
                break
            room, seconds = room + each, max(seconds, at + MINUTE - now)
        return seconds
