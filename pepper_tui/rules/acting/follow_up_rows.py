"""Follow-ups as rows. Ending one reads and writes it while holding ``ending``, so that its end is told only once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from pepper_tui.clock import Clock
from pepper_tui.model import FOLLOW_UP, OPEN_TAG, FollowUp, FollowUpState, Namespace
from pepper_tui.store import Store, VersionConflictError


class FollowUpRows:
    """Reads and writes follow-ups. Call ``end`` only while holding ``ending``."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock
        self.ending = asyncio.Lock()

    async def open(self, ident: str) -> tuple[FollowUp, int] | None:
        """Return an open follow-up with its version; ``None`` if there is no open one with that id."""
        saved = await self._store.get(ident, namespace=Namespace.FOLLOW_UP)
        waits = FollowUp.one(saved)
        return (waits, saved.version) if waits and saved and waits.state is FollowUpState.OPEN else None

    async def change(self, ident: str, change: Callable[[FollowUp], FollowUpState | None]) -> FollowUp | None:
        """Apply ``change`` to an open follow-up, and save it in the returned state; ``None`` changes nothing."""
        while True:
            async with self.ending:
                found = await self.open(ident)
                state = change(found[0]) if found is not None else None
                if found is None or state is None:
                    return None
                try:
                    await (self._save(*found) if state is FollowUpState.OPEN else self.end(*found, state))
                except VersionConflictError:
                    continue  # a mail handler ends one in its unit, which is committed after it has released the lock
                return found[0]

    async def end(self, waits: FollowUp, version: int, state: FollowUpState) -> None:
        """Store a follow-up as ended. Raises ``VersionConflictError``."""
        waits.state, waits.ended_at = FOLLOW_UP.move(waits.state, state), self._clock.now()
        await self._save(waits, version)

    async def _save(self, waits: FollowUp, version: int) -> None:
        tags = [f"thread:{waits.thread}", *([OPEN_TAG] if waits.state is FollowUpState.OPEN else [])]
        await self._store.put(waits, namespace=Namespace.FOLLOW_UP, tags=tags, expect_version=version)
