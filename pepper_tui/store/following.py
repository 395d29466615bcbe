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
