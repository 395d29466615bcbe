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
        self.offset = 0.0
        self._chance = chance
        self._made = 0

    def elapsed(self) -> float:
        """Virtual seconds since the beginning of the seed."""
        return self.loop.time() if self.loop is not None else self.time

    def now(self) -> float:
        return EPOCH + self.elapsed() + self.offset

    def monotonic(self) -> float:
        return self.elapsed()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(0.0, seconds))

    def new_id(self, prefix: str) -> str:
        self._made += 1
        return f"{prefix}_{self._made:05x}{self._chance.getrandbits(32):08x}"

    def jitter(self) -> float:
        return self._chance.random()
