"""Time, ids and randomness: everything that varies, behind one injectable object.

All times in Pepper are POSIX seconds in UTC as ``float``; zones appear only where a person reads or writes a time.
"""

from __future__ import annotations

import asyncio
import os
import random
import secrets
import time
from typing import Final, Protocol
from zoneinfo import ZoneInfo

LONGEST_SLEEP: Final = 30.0
"""Seconds after which a wait for a wall time checks again, on systems without a wall clock alarm."""


class Clock(Protocol):
    """The engine's source of time, ids and randomness."""

    def now(self) -> float:
        """Return the wall-clock time in POSIX seconds; it may jump."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never go back; they stop while the machine is suspended."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Return after ``seconds`` of monotonic time (immediately if not positive)."""
        ...

    async def sleep_until(self, at: float) -> None:
        """Return when the wall clock reaches ``at``, or earlier.

        It may return early after a clock change, a suspend, or a while: the caller must check the time again.
        """
        ...

    def new_id(self, prefix: str) -> str:
        """Return a fresh id such as ``call_3f9a…``, unique in this home."""
        ...

    def jitter(self) -> float:
        """Return a number in [0, 1), for back-off."""
        ...


class SystemClock:
    """The real clock.

    Ids grow with time, so that new rows lie together in the store's indexes and a commit touches few pages. An id has
    44 bits of milliseconds and 20 random bits, and never repeats in a process.
    """

    _last_id = 0

    def now(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(0.0, seconds))

    async def sleep_until(self, at: float) -> None:
        left = at - self.now()
        if left <= 0:
            await asyncio.sleep(0)
            return
        from pepper_tui.clock.wall_alarm import alarm

        try:
            await alarm(time.time() + left)
        except OSError:  # a system without such alarms, or no free descriptor
            await asyncio.sleep(min(left, LONGEST_SLEEP))

    def new_id(self, prefix: str) -> str:
        fresh = (time.time_ns() // 1_000_000 << 20) | secrets.randbits(20)
        self._last_id = fresh if fresh > self._last_id else self._last_id + 1 + secrets.randbits(8)
        return f"{prefix}_{self._last_id:016x}"

    def jitter(self) -> float:
        return random.random()


class ManualClock:
    """A clock that stands still until told to move; ids and jitter come from a seed.

    ``advance`` wakes each sleeper in the order of its due time, giving the loop a turn after each.
    """

    def __init__(self, start: float = 1_800_000_000.0, seed: int = 0) -> None:
        self._now = start
        self._monotonic = 0.0
        self._random = random.Random(seed)
        self._count = 0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._until: list[asyncio.Future[None]] = []  # those of the sleepers that wait for a wall time

    @property
    def sleepers(self) -> list[float]:
        """When each sleeper is due, on the monotonic clock."""
        return sorted(at for at, _, woken in self._sleepers if not woken.done())

    @property
    def waiting_for_a_time(self) -> int:
        """How many sleepers wait for a time on the wall clock."""
        return len(self._until)

    def now(self) -> float:
        return self._now

    def monotonic(self) -> float:
        return self._monotonic

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        await self._asleep(seconds, asyncio.get_running_loop().create_future())

    async def _asleep(self, seconds: float, woken: asyncio.Future[None]) -> None:
        self._count += 1
        sleeper = (self._monotonic + seconds, self._count, woken)
        self._sleepers.append(sleeper)
        try:
            await woken
        finally:
            if sleeper in self._sleepers:
                self._sleepers.remove(sleeper)

    async def sleep_until(self, at: float) -> None:
        if at <= self._now:
            await asyncio.sleep(0)
            return
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._until.append(woken)
        try:
            await self._asleep(at - self._now, woken)
        finally:
            self._until.remove(woken)

    def new_id(self, prefix: str) -> str:
        return f"{prefix}_{self._random.getrandbits(64):016x}"

    def jitter(self) -> float:
        return self._random.random()

    async def advance(self, seconds: float) -> None:
        """Let ``seconds`` pass on both clocks."""
        target = self._monotonic + seconds
        while True:
            due = sorted(s for s in self._sleepers if s[0] <= target)
            if not due:
                break
            at, _, woken = due[0]
            self._sleepers.remove(due[0])
            self._now += at - self._monotonic
            self._monotonic = at
            if not woken.done():
                woken.set_result(None)
            for _ in range(5):
                await asyncio.sleep(0)
        self._now += target - self._monotonic
        self._monotonic = target
        await asyncio.sleep(0)

    def jump(self, seconds: float) -> None:
        """Move only the wall clock, as a suspend or a correction does, and wake everyone waiting for a wall time."""
        self._now += seconds
        for woken in self._until:
            self._sleepers = [each for each in self._sleepers if each[2] is not woken]
            if not woken.done():
                woken.set_result(None)


def local_zone(name: str = "") -> ZoneInfo:
    """Return the zone called ``name``; if empty the machine's own, or UTC if that has no name (``zone_trouble``).

    Raises ``ZoneInfoNotFoundError`` for a name that the zone database lacks.
    """
    return ZoneInfo(name) if name else _machine_zone() or ZoneInfo("UTC")


def _machine_zone() -> ZoneInfo | None:
    from tzlocal import get_localzone

    try:
        return get_localzone()
    except (LookupError, ValueError, OSError):  # TZ is a POSIX rule or misspelt, or system files contradict each other
        return None


ZONE_REMEDY: Final = 'set zone under [user] in config.toml, as in zone = "Europe/Berlin"'


def zone_trouble(name: str = "") -> str:
    """Explain why times are in UTC although nobody chose that; an empty string if they are not."""
    if name or _machine_zone() is not None:
        return ""
    said = os.environ.get("TZ", "")
    why = f"TZ={said} is not the name of a time zone" if said else "this machine's time zone has no name"
    return f"{why}: times are read and shown in UTC"


def local_locale() -> str:
    """Return the machine's locale for dates, such as "en-GB"; "en" if none is set (POSIX: LC_ALL, LC_TIME, LANG)."""
    said = next((os.environ[name] for name in ("LC_ALL", "LC_TIME", "LANG") if os.environ.get(name)), "")
    language = said.partition(".")[0].partition("@")[0].replace("_", "-")
    return language if language[:2].islower() and len(language) in (2, 5) else "en"
