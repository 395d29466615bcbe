"""Pieces of replies, passed to every listener as they are written."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from pepper_tui.model import ReplyDelta


class Replies:
    """Broadcasts pieces of replies. ``spread`` never waits for a listener; ``close`` ends them all."""

    def __init__(self) -> None:
        self._listeners: set[asyncio.Queue[ReplyDelta | None]] = set()

    def spread(self, delta: ReplyDelta) -> None:
        for listener in self._listeners:
            listener.put_nowait(delta)

    def close(self) -> None:
        for listener in self._listeners:
            listener.put_nowait(None)

    async def listen(self) -> AsyncIterator[ReplyDelta]:
        """Yield what is spread from now on."""
        pieces: asyncio.Queue[ReplyDelta | None] = asyncio.Queue()
        self._listeners.add(pieces)
        try:
            while (piece := await pieces.get()) is not None:
                yield piece
        finally:
            self._listeners.discard(pieces)
