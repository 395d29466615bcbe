"""The database of a simulation: real SQLite in memory, that lives on when its engine is dropped.

Each connection works off its jobs in order, each job whole, after a wait that the seed picks, as a thread of its own
would; a caller that is cancelled does not stop its job. ``kill`` cuts every connection of one life.
"""

from __future__ import annotations

import asyncio
import random
import sqlite3
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from pepper_tui.store import StoreError

T = TypeVar("T")
_WAITS = (0.0,) * 6 + (0.0005, 0.002, 0.01, 0.1)


class Disk:
    """What outlives a crash: the committed state. ``after_write`` is called after each job of a write connection."""

    def __init__(self, name: str, chance: random.Random) -> None:
        self._uri = f"file:{name}?mode=memory&cache=shared"
        self.chance = chance
        self.eye = self.connect()  # reads for the checks; keeps the database alive
        self.after_write: Callable[[], None] = lambda: None
        self.full_until = 0.0  # virtual time until which no write succeeds
        self.unreadable_until = 0.0  # virtual time until which most reads fail
        self._open: list[SimulatedDatabase] = []

    def connect(self) -> sqlite3.Connection:
        return sqlite3.connect(self._uri, uri=True, isolation_level=None, cached_statements=256)

    async def open(self, path: Path) -> SimulatedDatabase:
        """A ``DatabaseFactory``: the first connection of a life is the one that writes."""
        made = SimulatedDatabase(self, self.connect(), writes=not self._open)
        self._open.append(made)
        return made

    def kill(self) -> None:
        for each in self._open:
            each.cut()
        self._open.clear()

    def close(self) -> None:
        self.kill()
        self.eye.close()


class SimulatedDatabase:
    """One connection of one life."""

    def __init__(self, disk: Disk, connection: sqlite3.Connection, *, writes: bool) -> None:
        self._disk, self._connection, self._writes = disk, connection, writes
        self._jobs: deque[tuple[Callable[[sqlite3.Connection], Any], asyncio.Future[Any]]] = deque()
        self._closed = False

    async def run(self, function: Callable[[sqlite3.Connection], T]) -> T:
        if self._closed:
            raise StoreError("the store is closed")
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.create_future()
        self._jobs.append((function, done))
        if len(self._jobs) == 1:
            loop.call_later(self._disk.chance.choice(_WAITS), self._work, loop)
        return await done

    def _work(self, loop: asyncio.AbstractEventLoop) -> None:
        if not self._jobs:
            return
        function, done = self._jobs[0]
        try:
            if self._writes and loop.time() < self._disk.full_until:
                raise sqlite3.OperationalError("database or disk is full")
            if not self._writes and loop.time() < self._disk.unreadable_until and self._disk.chance.random() < 0.7:
                raise sqlite3.OperationalError("disk I/O error")
            result = function(self._connection)
        except Exception as error:
            if not done.done():
                done.set_exception(error)
        else:
            if not done.done():
                done.set_result(result)
        self._jobs.popleft()
        if self._jobs:
            loop.call_later(self._disk.chance.choice(_WAITS), self._work, loop)
        if self._writes:
            self._disk.after_write()

    async def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._connection.close()

    def cut(self) -> None:
        self._closed = True
        self._jobs.clear()
        self._connection.close()
