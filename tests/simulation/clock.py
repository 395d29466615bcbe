"""The clock of a simulation: over the loop's virtual time, with jumps of the wall clock and ids from the seed."""

from __future__ import annotations

import asyncio
import random

EPOCH = 1_800_000_000.0


class SimulatedClock:
    """One for a seed: it outlives the engine's crashes. ``loop`` is the present one."""

    def __init__(self, chance: random.Random) -> None:
        self.loop: asyncio.AbstractEventLoop | None = None
        self.time = 0.0
        self._offset = 0.0
        self._until: dict[asyncio.Future[None], None] = {}  # those who wait for a wall time
        self._chance = chance
        self._made = 0

    @property
    def offset(self) -> float:
        """Seconds by which the wall clock has jumped."""
        return self._offset

    @offset.setter
    def offset(self, seconds: float) -> None:
        self._offset = seconds
        waiting, self._until = self._until, {}
        for woken in waiting:
            if not woken.done() and not woken.get_loop().is_closed():
                woken.set_result(None)

    def elapsed(self) -> float:
        """Virtual seconds since the beginning of the seed."""
        return self.loop.time() if self.loop is not None else self.time

    def now(self) -> float:
        return EPOCH + self.elapsed() + self.offset

    def monotonic(self) -> float:
        return self.elapsed()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(0.0, seconds))

    async def sleep_until(self, at: float) -> None:
        loop = asyncio.get_running_loop()
        woken: asyncio.Future[None] = loop.create_future()
        alarm = loop.call_later(min(max(0.0, at - self.now()), 1e9), lambda: woken.done() or woken.set_result(None))
        self._until[woken] = None
        try:
            await woken
        finally:
            alarm.cancel()
            self._until.pop(woken, None)

    def new_id(self, prefix: str) -> str:
        self._made += 1
        return f"{prefix}_{self._made:05x}{self._chance.getrandbits(32):08x}"

    def jitter(self) -> float:
        return self._chance.random()
