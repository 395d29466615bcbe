"""A projection that stays current: it receives what is committed, and is rebuilt after any fault."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from pepper_tui.model import ContextUpdate
from pepper_tui.store.protocol import Store

log = logging.getLogger(__name__)
PAUSE: Final = 5.0  # seconds between a fault and the next try


class Following:
    """Calls ``resume`` for the current state, then ``take`` with each batch of updates, from ``start`` to ``stop``.

    If updates were missed, or either call fails (a full disk, for example), ``resume`` is called again: it must
    tolerate what it has already seen.
    """

    def __init__(
        self,
        store: Store,
        namespaces: Sequence[str],
        *,
        resume: Callable[[], Awaitable[None]],
        take: Callable[[list[ContextUpdate]], Awaitable[None]],
        name: str,
    ) -> None:
        self._store, self._namespaces, self._name = store, namespaces, name
        self._resume, self._take = resume, take
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start following; return once nothing new can be missed."""
        ready = asyncio.Event()
        self._task = asyncio.create_task(self._follow(ready), name=self._name)
        await ready.wait()

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def _follow(self, ready: asyncio.Event) -> None:
        while True:
            try:
                async with self._store.watch(self._namespaces) as live:
                    await self._resume()
                    ready.set()
                    missed = live.missed
                    async for batch in live:
                        if live.missed != missed:
                            missed = live.missed
                            await self._resume()
                        await self._take(batch)
                    return
            except Exception:
                log.exception("following %s failed; it starts again", ", ".join(self._namespaces))
            await self._store.clock.sleep(PAUSE)
