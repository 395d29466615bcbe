"""Timers: one sleeper that wakes at the next due time.

A timer has no row of its own: the row is the context that holds the time (a reminder's due time, a snooze's end), and
its owner schedules it again at each start. Due times are wall time: the sleeper wakes at the due time, after a suspend
and when the clock is set. Whatever fell due meanwhile runs at once; what has moved into the future again keeps waiting.
A failing callback is retried with growing delays.
"""

from __future__ import annotations

import asyncio
import heapq
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from pepper_tui.clock.clock import Clock
from pepper_tui.clock.waits import either

JUMP: Final = 2.0  # seconds by which the clocks must differ to count as a jump, above any scheduling delay
_RETRY_BASE: Final = 1.0
_RETRY_CAP: Final = 60.0

_log = logging.getLogger(__name__)

Callback = Callable[[], Awaitable[None]]


@dataclass(slots=True)
class _Timer:
    due: float
    callback: Callback
    failures: int = 0


class Timers:
    """Runs callbacks at wall times: one timer per key, the latest ``schedule`` wins."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._timers: dict[str, _Timer] = {}
        self._heap: list[tuple[float, str]] = []
        self._changed = asyncio.Event()
        self._sleeper: asyncio.Task[None] | None = None
        self._running: set[asyncio.Task[None]] = set()
        self.jumped: float = 0.0
        """Seconds of the last suspend or jump noticed; negative if the wall clock went back."""

    def schedule(self, key: str, due: float, callback: Callback) -> None:
        """Run ``callback`` once when the wall clock reaches ``due``, replacing the timer of this key."""
        known = self._timers.get(key)
        self._timers[key] = _Timer(due, callback)
        if known is not None and known.due == due:
            return
        heapq.heappush(self._heap, (due, key))
        self._changed.set()

    def cancel(self, key: str) -> None:
        """Forget the timer of ``key``, if any."""
        self._timers.pop(key, None)

    def due(self, key: str) -> float | None:
        """Return when the timer of ``key`` is due, or ``None``."""
        timer = self._timers.get(key)
        return timer.due if timer else None

    async def start(self) -> None:
        if self._sleeper is None:
            self._sleeper = asyncio.create_task(self._sleep(), name="timers")

    async def stop(self) -> None:
        """Stop the sleeper and the running callbacks; their rows stay as they are."""
        tasks = [*self._running, *([self._sleeper] if self._sleeper else [])]
        self._sleeper = None
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _sleep(self) -> None:
        while True:
            self._changed.clear()
            self._run_due()
            due = self._next()
            if due is None:
                await self._changed.wait()
                continue
            wall, monotonic = self._clock.now(), self._clock.monotonic()
            await either(self._changed, self._clock.sleep_until(due))
            gap = (self._clock.now() - wall) - (self._clock.monotonic() - monotonic)
            if abs(gap) >= JUMP:
                self.jumped = gap
                _log.info("the clock jumped by %+.0f s; timers compared again", gap)

    def _next(self) -> float | None:
        while self._heap:
            due, key = self._heap[0]
            timer = self._timers.get(key)
            if timer is not None and timer.due == due:
                return due
            heapq.heappop(self._heap)  # rescheduled or cancelled meanwhile
        return None

    def _run_due(self) -> None:
        now = self._clock.now()
        while (due := self._next()) is not None and due <= now:
            _, key = heapq.heappop(self._heap)
            timer = self._timers.pop(key)
            task = asyncio.create_task(self._run(key, timer), name=f"timer {key}")
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    async def _run(self, key: str, timer: _Timer) -> None:
        try:
            await timer.callback()
        except Exception:
            timer.failures += 1
            wait = min(_RETRY_CAP, _RETRY_BASE * 2 ** (timer.failures - 1))
            _log.exception("timer %s failed; again in %.0f s", key, wait)
            if key not in self._timers:
                timer.due = self._clock.now() + wait
                self._timers[key] = timer
                heapq.heappush(self._heap, (timer.due, key))
                self._changed.set()
