"""Pieces of replies as they are written, handed to every listener."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from pepper_tui.model import ReplyDelta


class Replies:
    """``spread`` never waits for a listener. ``close`` ends them all."""

    def __init__(self) -> None:
        self._listeners: set[asyncio.Queue[ReplyDelta | None]] = set()

    def spread(self, delta: ReplyDelta) -> None:
        for listener in self._listeners:
            listener.put_nowait(delta)

    def close(self) -> None:
        for listener in self._listeners:
            listener.put_nowait(None)

    async def listen(self) -> AsyncIterator[ReplyDelta]:
        """What is spread from here on."""
        pieces: asyncio.Queue[ReplyDelta | None] = asyncio.Queue()
        self._listeners.add(pieces)
        try:
            while (piece := await pieces.get()) is not None:
                yield piece
        finally:
            self._listeners.discard(pieces)
