"""One model call of a step: it can be interrupted, and it always ends. Retries are up to the model client."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

from pepper_tui.model import Completed, ModelError, ModelEvent, ModelRequest, ReplyDelta, Retrying

Stream = Callable[[ModelRequest], AsyncIterator[ModelEvent]]


class InterruptedByUserError(Exception):
    """The call was ended because the user wants something else."""


@dataclass(slots=True)
class Reply:
    """The reply in progress: its id, the text so far, and what failed attempts have cost."""

    message_id: str
    text: str = ""
    streamed: bool = False
    wasted: float = 0.0


class Asking:
    """Asks the model. ``on_wait`` is called for each fault that is waited out."""

    def __init__(
        self,
        stream: Stream,
        on_reply: Callable[[ReplyDelta], None],
        on_wait: Callable[[ModelError, float], Awaitable[None]],
    ) -> None:
        self._stream, self._on_reply, self._on_wait = stream, on_reply, on_wait

    async def ask(self, request: ModelRequest, reply: Reply, interrupt: asyncio.Event, *, shown: bool) -> Completed:
        """Return the complete response. ``shown``: its text is passed on as it arrives.

        Raises ``InterruptedByUserError`` as soon as ``interrupt`` is set, ``ModelError`` if there is no response.
        """
        if interrupt.is_set():
            raise InterruptedByUserError
        asking = asyncio.create_task(self._asked(request, reply, shown=shown))
        interrupted = asyncio.create_task(interrupt.wait())
        try:
            await asyncio.wait({asking, interrupted}, return_when=asyncio.FIRST_COMPLETED)
            if asking.done():
                if asking.cancelled():  # from inside the call: nothing else holds a reference
                    raise ModelError("cut", "The model call was broken off.", retryable=True)
                return asking.result()
        finally:
            interrupted.cancel()
            if not asking.done():
                asking.cancel()
                await asyncio.wait({asking})
        raise InterruptedByUserError

    async def _asked(self, request: ModelRequest, reply: Reply, *, shown: bool) -> Completed:
        events = self._stream(request)
        try:
            async for event in events:
                if isinstance(event, Completed):
                    if shown and event.text.strip() != reply.text.strip():  # part of it was the model's reasoning
                        self.take_back(reply)
                        self._show(reply, event.text)
                    return event
                if isinstance(event, Retrying):
                    if event.error.usage is not None:
                        reply.wasted += event.error.usage.cost
                    self.take_back(reply)
                    await self._on_wait(event.error, event.pause)
                elif shown:
                    self._show(reply, event.text)
        finally:
            if isinstance(events, AsyncGenerator):
                with contextlib.suppress(RuntimeError):  # it is already closing
                    await events.aclose()
        raise ModelError("cut", "The model's answer broke off.", retryable=True)

    def _show(self, reply: Reply, piece: str) -> None:
        if piece:
            reply.text += piece
            reply.streamed = True
            self._on_reply(ReplyDelta(reply.message_id, piece))

    def take_back(self, reply: Reply) -> None:
        """Void what was shown of ``reply``."""
        if reply.text:
            reply.text = ""
            self._on_reply(ReplyDelta(reply.message_id, "", restart=True))
