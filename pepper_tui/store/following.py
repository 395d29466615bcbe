"""A projection that stays alive: what is committed, taken in as it comes, and taken up anew after any fault."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from pepper_tui.model import ContextUpdate

from .context_store import ContextStore

log = logging.getLogger(__name__)
PAUSE: Final = 5.0  # seconds between a fault and the next try


class Following:
    """``follow`` as a task of its own, from ``start`` to ``stop``."""

    def __init__(
        self,
        store: ContextStore,
        namespaces: Sequence[str],
        *,
        take_up: Callable[[], Awaitable[None]],
        take: Callable[[list[ContextUpdate]], Awaitable[None]],
        name: str,
    ) -> None:
        self._store, self._namespaces, self._name = store, namespaces, name
        self._take_up, self._take = take_up, take
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Return once nothing new can be missed."""
        ready = asyncio.Event()
        following = follow(self._store, self._namespaces, take_up=self._take_up, take=self._take, ready=ready)
        self._task = asyncio.create_task(following, name=self._name)
        await ready.wait()

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None


async def follow(
    store: ContextStore,
    namespaces: Sequence[str],
    *,
    take_up: Callable[[], Awaitable[None]],
    take: Callable[[list[ContextUpdate]], Awaitable[None]],
    ready: asyncio.Event | None = None,
) -> None:
    """Call ``take_up`` for what stands by now, then ``take`` with each batch of updates, until the store is closed.

    ``ready`` is set once nothing new can be missed. Where updates were missed, or either call fails (a full disk, say),
    ``take_up`` is called again: it must not mind what it has seen before.
    """
    while True:
        try:
            async with store.watch(namespaces) as live:
                await take_up()
                if ready is not None:
                    ready.set()
                missed = live.missed
                async for batch in live:
                    if live.missed != missed:
                        missed = live.missed
                        await take_up()
                    await take(batch)
                return
        except Exception:
            log.exception("following %s failed; it is taken up anew", ", ".join(namespaces))
        await store.clock.sleep(PAUSE)
