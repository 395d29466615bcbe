"""Google counts units, 6,000 a minute and user, and each command has its price. Background work takes three quarters of
that, so that what the user does now, here or elsewhere, finds room."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from typing import Final

from pepper_tui.clock import Clock

PRICES: Final[Mapping[str, int]] = {
    "getProfile": 1,
    "drafts.create": 10,
    "drafts.delete": 10,
    "drafts.get": 5,
    "drafts.list": 5,
    "drafts.send": 100,
    "drafts.update": 15,
    "history.list": 2,
    "labels.create": 5,
    "labels.get": 1,
    "labels.list": 1,
    "messages.attachments.get": 5,
    "messages.batchModify": 50,
    "messages.get": 20,
    "messages.list": 5,
    "messages.modify": 5,
    "messages.send": 100,
    "messages.trash": 5,
    "messages.untrash": 5,
    "settings.sendAs.list": 1,
    "threads.get": 40,
    "threads.list": 10,
    "threads.modify": 10,
}
"""What Pepper asks of Gmail, and what it costs. There are no others."""
UNITS: Final = 6_000
MINUTE: Final = 60.0
SHARE: Final = 0.75


class Pace:
    """Lets calls through as fast as the units allow, in their order; urgent ones pass those that wait."""

    def __init__(self, clock: Clock, units: int = UNITS) -> None:
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
