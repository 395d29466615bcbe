"""Calls that the user's act has begun and that have not ended: what takes the act back waits for them, not for long."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

from pepper_tui.clock import Clock, done_before
from pepper_tui.model import CallState, EngineError, Namespace, ToolCall
from pepper_tui.store import ContextStore, LiveSubscription

PATIENCE: Final = 10.0
"""Seconds that an undo waits for the attempt that it is about."""
UNDER_WAY: Final = frozenset({CallState.SCHEDULED, CallState.ATTEMPTED})


class UnderWayError(EngineError):
    """What an act began has not ended yet. ``over`` waits for that, not for long; it returns whether it has ended."""

    def __init__(self, words: str, over: Callable[[], Awaitable[bool]]) -> None:
        super().__init__(words)
        self.over = over


class CallsUnderWay:
    """Tells whether a call is under way, and waits for its end."""

    def __init__(self, store: ContextStore, clock: Clock) -> None:
        self._store, self._clock = store, clock

    def refuse(self, call: ToolCall, what: str) -> None:
        """Raise ``UnderWayError`` if the attempt of ``call`` has not ended; ``what``: the subject of its words."""
        if call.state in UNDER_WAY:
            words = f"{what} this moment; press once more"
            raise UnderWayError(words, partial(self._ended, call.id))

    async def _ended(self, call_id: str) -> bool:
        """Wait until the attempt of a call has ended, for ``PATIENCE`` seconds at most; return whether it has."""
        async with self._store.watch([Namespace.TOOL_CALL]) as updates:
            ended = asyncio.ensure_future(self._until_ended(call_id, updates))
            try:
                return await done_before(ended, self._clock.sleep(PATIENCE))
            finally:
                ended.cancel()

    async def _until_ended(self, call_id: str, updates: LiveSubscription) -> None:
        if await self._is_under_way(call_id):
            async for _ in updates:
                if not await self._is_under_way(call_id):
                    return

    async def _is_under_way(self, call_id: str) -> bool:
        call = ToolCall.one(await self._store.get(call_id, namespace=Namespace.TOOL_CALL))
        return call is not None and call.state in UNDER_WAY
