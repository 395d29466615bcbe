"""What running calls report about their progress. Live only: it is not history."""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from pepper_tui.clock import Clock
from pepper_tui.model import Namespace
from pepper_tui.store import Store, StoreError
from pepper_tui.text import one_line

log = logging.getLogger(__name__)

_PROGRESS_EVERY: Final = 0.25
_PROGRESS_TTL: Final = 3600.0


class ProgressBoard:
    """The latest progress of the running calls, stored at most four times a second, all in one unit.

    So a hundred calls cost no more commits than one.
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._changed: dict[str, str] = {}
        self._shown: dict[str, str] = {}
        self._writing: asyncio.Task[None] | None = None

    @property
    def tasks(self) -> list[asyncio.Task[None]]:
        return [self._writing] if self._writing is not None else []

    def show(self, call_id: str, text: str) -> None:
        text = one_line(text)
        if self._shown.get(call_id) != text:
            self._changed[call_id] = self._shown[call_id] = text
        if self._changed and (self._writing is None or self._writing.done()):
            self._writing = asyncio.create_task(self._write(), name="progress")

    def drop(self, call_id: str) -> None:
        """Forget a call that has ended."""
        self._changed.pop(call_id, None)
        self._shown.pop(call_id, None)

    async def _write(self) -> None:
        while self._changed:
            changed, self._changed = self._changed, {}
            try:
                async with self._store.unit():
                    for call_id, text in changed.items():
                        data = {"call": call_id, "text": text, "at": self._clock.now()}
                        await self._store.store(
                            data, namespace=Namespace.PROGRESS, context_id=call_id, ttl=_PROGRESS_TTL
                        )
            except StoreError as error:
                log.error("progress could not be stored", exc_info=error)
            await self._clock.sleep(_PROGRESS_EVERY)
