"""Reads the newest contexts of a namespace page by page, so that the loop is never blocked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Final

from pepper_tui.model import Context, ContextFilter
from pepper_tui.store import Store

_PAGE: Final = 50
_AT_ONCE: Final = 5  # contexts yielded before other tasks get their turn


class Newest:
    """The newest ``most`` contexts that match ``wanted``, the oldest of them first. ``cut``: there were more."""

    def __init__(self, store: Store, wanted: ContextFilter, most: int) -> None:
        self._store, self._most = store, most
        self._wanted = replace(wanted, newest_first=False, limit=_PAGE)
        self.cut = False

    async def each(self) -> AsyncIterator[Context]:
        after = await self._begin()
        number = 0
        while page := await self._store.query(replace(self._wanted, after_seq=after)):
            for context in page:
                number += 1
                yield context
                if number % _AT_ONCE == 0:
                    await asyncio.sleep(0)
            after = page[-1].seq

    async def _begin(self) -> int:
        """Return the place in the log after which the newest ``most`` come."""
        if await self._count(0) <= self._most:
            return 0
        self.cut = True
        [last] = await self._store.query(replace(self._wanted, newest_first=True, limit=1))
        low, high = 0, last.seq
        while low < high:
            middle = (low + high) // 2
            if await self._count(middle) > self._most:
                low = middle + 1
            else:
                high = middle
        return low

    async def _count(self, after: int) -> int:
        return await self._store.count(replace(self._wanted, after_seq=after))
