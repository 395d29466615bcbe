"""The store's own health, kept in memory: the alarm must not depend on what is broken.

A write or a read that fails because of the disk, another program's lock or the file is trouble immediately. Then the
store is probed every few seconds, with a sizeable write and a read on each connection, and is healthy again once that
succeeds. A damaged store stays in trouble: it needs manual repair, and a restart.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from pepper_tui.clock import Clock
from pepper_tui.model import Context, Health, Namespace
from pepper_tui.store.errors import RefusedError, StoreDamagedError, StoreError

log = logging.getLogger(__name__)
PART: Final = "store"
TRY_EVERY: Final = 2.0  # seconds


class Condition:
    """``try_out`` raises while the store still fails; ``tell`` is called with each change."""

    def __init__(self, clock: Clock, try_out: Callable[[], Awaitable[None]], tell: Callable[[Context], None]) -> None:
        self._clock, self._try_out, self._tell = clock, try_out, tell
        self._health = Health(PART, "ok", "", "", clock.now())
        self._version = 1
        self._trying: asyncio.Task[None] | None = None

    def context(self) -> Context:
        """Return the health as a context, as if it were in the log."""
        health = self._health
        return Context(
            PART,
            Namespace.HEALTH,
            health.data(),
            type="health",
            version=self._version,
            created_at=health.at,
            updated_at=health.at,
        )

    def failed(self, error: Exception) -> None:
        """Record a store error, unless it is not the store's own fault."""
        if not isinstance(error, RefusedError) or not error.detail:
            return
        if self._health.state == "ok":
            log.warning("the store is in trouble: %s", error)
        self._become(Health(PART, "trouble", error.detail, error.remedy, self._clock.now()))
        if self._trying is None and not isinstance(error, StoreDamagedError):
            self._trying = asyncio.create_task(self._try(), name="store-condition")

    async def stop(self) -> None:
        if self._trying is not None:
            self._trying.cancel()
            await asyncio.gather(self._trying, return_exceptions=True)

    def _become(self, health: Health) -> None:
        before, self._health = self._health, health
        if (before.state, before.detail, before.remedy) != (health.state, health.detail, health.remedy):
            self._version += 1
            self._tell(self.context())
        else:
            self._health = before

    async def _try(self) -> None:
        while True:
            await self._clock.sleep(TRY_EVERY)
            try:
                await self._try_out()
            except StoreDamagedError as error:
                self.failed(error)
                return
            except StoreError as error:
                self.failed(error)
                continue
            self._trying = None
            log.warning("the store works again")
            self._become(Health(PART, "ok", "", "", self._clock.now()))
            return
