"""The model's health as steps find it, reported on change."""

from __future__ import annotations

import contextlib
from typing import Final

from pepper_tui.clock import Clock
from pepper_tui.model import Completed, Health, ModelError, Namespace
from pepper_tui.store import Store, StoreError
from pepper_tui.text import one_line

_PART: Final = "model"
_TOLD_WAIT: Final = 2.0  # shortest wait for the model, in seconds, that the status reports


class ModelHealth:
    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock
        self._told = ""

    async def tell(self, state: str, detail: str, remedy: str) -> None:
        if self._told == state + detail:
            return
        record = Health(_PART, "ok" if state == "ok" else "trouble", detail, remedy, self._clock.now())
        await self._store.store(record.data(), namespace=Namespace.HEALTH, context_id=_PART)
        self._told = state + detail

    async def answered(self, completed: Completed) -> None:
        """Report the health that a response implies for its model."""
        if completed.left_out:
            remedy = "correct that tool's schema, or leave the tool out of what its server may offer"
            await self.tell("trouble", one_line(completed.left_out, 500), remedy)
        elif completed.because:
            words = f"{completed.usage.model} answers instead of {completed.because}"
            await self.tell("trouble", one_line(words, 500), "fix the first one; it is tried again by itself")
        else:
            await self.tell("ok", "", "")

    async def waits(self, error: ModelError, seconds: float) -> None:
        """Report a fault that is waited out."""
        if seconds >= _TOLD_WAIT:
            words = f"{error.words} Trying again in {seconds:.0f} seconds."
            with contextlib.suppress(StoreError):
                await self.tell("trouble", words, "nothing, unless it stays so")
