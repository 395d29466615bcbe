"""The record of each model call: one ``Usage`` context in ``llm.usage``.

It is written with the next unit of work opened here, or shortly afterwards if there is none.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Coroutine
from contextvars import Context as EmptyContext
from dataclasses import dataclass
from typing import Any, Final

from pepper_tui.clock import Clock
from pepper_tui.model import Namespace, Usage
from pepper_tui.store import Store, StoreError, UnitOfWork

log = logging.getLogger(__name__)

_WITHIN: Final = 0.05  # seconds that a record waits to be written with a unit
_PAUSE_CAP: Final = 60.0  # seconds between attempts while the store refuses


@dataclass(frozen=True, slots=True)
class UsageRecord:
    """The cost of one call, not yet known to be on disk."""

    id: str
    usage: Usage
    priced: bool


class UsageRecords:
    """Writes the records. ``writes`` are the tasks in progress."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock
        self._unwritten: list[UsageRecord] = []
        self._waiting: asyncio.Task[Any] | None = None  # waits for a unit to write the records with
        self.writes: set[asyncio.Task[Any]] = set()

    def add(self, record: UsageRecord) -> None:
        self._unwritten.append(record)
        self._write_soon()

    @contextlib.asynccontextmanager
    async def unit(self) -> AsyncIterator[UnitOfWork]:
        """Open a unit of work of the store that also takes the unwritten records of calls.

        Not to be nested in another one. If it fails, the records are written separately.
        """
        records, self._unwritten = self._unwritten, []
        try:
            async with self._store.unit() as unit:
                for record in records:
                    await self._write(record)
                yield unit
        except BaseException:
            # It may have been committed all the same (a cancelled wait): storing it again makes no second record.
            self._unwritten += records
            self._write_soon()
            raise

    async def _write(self, record: UsageRecord) -> None:
        await self._store.store(
            record.usage.data(),
            namespace=Namespace.USAGE,
            context_id=record.id,
            type="usage",
            metadata={"priced": record.priced},
        )

    def _write_soon(self) -> None:
        if self._unwritten and self._waiting is None:
            self._waiting = self.spawn(self._write_later())

    async def _write_later(self) -> None:
        pause = _WITHIN
        while self._unwritten:
            await self._clock.sleep(pause)
            pause = min(_PAUSE_CAP, pause * 4)
            try:
                await self._write_all()
            except StoreError as error:
                log.error("%d calls could not be recorded yet", len(self._unwritten), exc_info=error)
        self._waiting = None

    async def _write_all(self) -> None:
        if self._unwritten:
            async with self.unit():
                pass

    def spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run ``work`` in the background, in an empty context.

        A call's cost is true whether or not the surrounding unit of work is committed.
        """
        task = asyncio.get_running_loop().create_task(work, context=EmptyContext())
        self.writes.add(task)
        task.add_done_callback(self.writes.discard)
        task.add_done_callback(_seen)  # the waiting caller may have been cancelled meanwhile
        return task

    async def apart(self, work: Coroutine[Any, Any, Any]) -> None:
        """Spawn ``work`` and wait for it; if the caller is cancelled, the work goes on."""
        await asyncio.shield(self.spawn(work))

    async def flush(self) -> None:
        """Return when every call that has ended is on record."""
        while True:
            waiting, self._waiting = self._waiting, None
            if waiting is not None:
                waiting.cancel()
            if not self.writes:
                break
            # a task cancelled during a write has put its records back, and waits anew: check again
            await asyncio.gather(*self.writes, return_exceptions=True)
        await self._write_all()


def _seen(task: asyncio.Task[Any]) -> None:
    if not task.cancelled():
        task.exception()
