"""What a run is told while it works: read before its next step, and once more before it ends.

Everything it accepts is read, or reported as unread in its answer.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Final

from pepper_tui.model import ContextFilter, Namespace, Told
from pepper_tui.store import Store, VersionConflictError
from pepper_tui.workers.prompts import MY_ANSWER
from pepper_tui.workers.run.saved_run import SavedRun

_ALL: Final = 100_000


class Hearing:
    """Accepts words for one run. ``stopped`` is set once the run is to end as soon as possible."""

    def __init__(self, store: Store, saved: SavedRun, max_steps: int, stopped: asyncio.Event) -> None:
        self._store, self._saved, self._max_steps, self._stopped = store, saved, max_steps, stopped
        self._one = asyncio.Lock()
        self.deaf = False
        """Whether words told from now on would no longer be read."""

    async def hear(self, told: Told) -> None:
        """Keep words for the run's next step. Raises ``ValueError`` if it accepts none any more."""
        async with self._one:
            if self.deaf or self._stopped.is_set():
                raise ValueError("it has just ended")
            with contextlib.suppress(VersionConflictError):  # told again after a crash
                await self._store.put(
                    told, namespace=Namespace.TOLD, tags=[self._tag], text=told.text, expect_version=0
                )

    async def read(self) -> None:
        """Add what was told since the last read to the run."""
        self._take(await self._unread())

    async def goes_on(self, answer: str) -> bool:
        """Return whether the run, which has its ``answer``, was told more meanwhile and has a step left for it."""
        async with self._one:
            run, unread = self._saved.run, await self._unread()
            if not unread or run.steps >= self._max_steps:
                self.deaf = True
                return False
            run.events[-1]["text"] = f"{MY_ANSWER}\n{answer}"
            self._take(unread)
        await self._saved.save()
        return True

    async def end(self) -> list[Told]:
        """Accept no more words; return what was never read."""
        async with self._one:
            self.deaf = True
            return await self._unread()

    async def _unread(self) -> list[Told]:
        read = {event["id"] for event in self._saved.run.events if event["kind"] == "told"}
        found = await self._store.query(
            ContextFilter(namespaces=[Namespace.TOLD], tags=[self._tag], newest_first=False, limit=_ALL)
        )
        return [told for told in Told.readable(found) if told.id not in read]

    def _take(self, words: Sequence[Told]) -> None:
        run = self._saved.run
        for told in words:
            run.tainted |= told.tainted
            facts = {"id": told.id, "text": told.text, "root": told.root, "at": told.created_at}
            run.events.append({"kind": "told", **facts})

    @property
    def _tag(self) -> str:
        return f"run:{self._saved.run.id}"
