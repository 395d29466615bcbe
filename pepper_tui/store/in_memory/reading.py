"""Reading the log in memory: see ``StoreReader``."""

from __future__ import annotations

from itertools import islice

from pepper_tui.clock import Clock
from pepper_tui.model import Context, ContextFilter, ContextUpdate
from pepper_tui.store import filter as filters
from pepper_tui.store.in_memory import asking
from pepper_tui.store.in_memory.log import MemoryLog
from pepper_tui.store.log.content import safe
from pepper_tui.store.protocol import EVERYTHING
from pepper_tui.store.search.full_text import SearchHit


class MemoryReading:
    """The answers of a store in memory."""

    clock: Clock
    _log: MemoryLog

    async def _look(self) -> None:
        """Let others run, as every look into a file does."""
        raise NotImplementedError

    async def get(
        self, context_id: str, *, namespace: str, version: int | None = None, include_expired: bool = False
    ) -> Context | None:
        """See ``StoreReader.get``."""
        await self._look()
        name = (safe(namespace), safe(str(context_id)))
        if version is not None:
            kept = (each for each in asking.versions(self._log, *name) if not each.deleted)
            return next((each.context for each in kept if each.context.version == version), None)
        return asking.current(self._log, *name, None if include_expired else self.clock.now())

    async def query(self, filter: ContextFilter = EVERYTHING) -> list[Context]:  # noqa: A002
        """See ``StoreReader.query``."""
        now = self.clock.now()
        wanted = filters.as_of(filter, now)
        await self._look()
        return asking.select(self._log, wanted, now)

    async def versions(self, context_id: str, *, namespace: str, limit: int = 100) -> list[ContextUpdate]:
        """See ``StoreReader.versions``."""
        await self._look()
        return [*islice(asking.versions(self._log, safe(namespace), safe(str(context_id))), limit)]

    async def count(self, filter: ContextFilter = EVERYTHING) -> int:  # noqa: A002
        """See ``StoreReader.count``."""
        now = self.clock.now()
        wanted = filters.as_of(filter, now)
        await self._look()
        return sum(1 for _ in asking.picked(self._log, wanted, now))

    async def search(
        self,
        text: str,
        filter: ContextFilter | None = None,  # noqa: A002
        limit: int = 10,
        *,
        by_meaning: bool = True,
    ) -> list[SearchHit]:
        """See ``StoreReader.search``. It knows no meanings."""
        now = self.clock.now()
        wanted = filters.as_of(filter or EVERYTHING, now)
        await self._look()
        return asking.search(self._log, text, wanted, limit, now)

    async def having(self, words: str, filter: ContextFilter, *, begun: bool = False) -> set[str]:  # noqa: A002
        """See ``StoreReader.having``."""
        now = self.clock.now()
        wanted = filters.as_of(filter, now)
        await self._look()
        return asking.having(self._log, words, wanted, now, begun=begun)

    async def values(self, filter: ContextFilter, *keys: str) -> list[filters.Values]:  # noqa: A002
        """See ``StoreReader.values``."""
        now = self.clock.now()
        wanted = filters.as_of(filter, now)
        await self._look()
        return asking.values(self._log, wanted, now, keys)
