"""Live subscriptions: what is committed, as it happens, in memory only.

Each has a bounded ring: a slow reader loses the oldest updates and sees in ``missed`` how many. It never delays a
store.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import contextmanager

from pepper_tui.model import Context, ContextUpdate
from pepper_tui.store.log.content import Row, update_of
from pepper_tui.store.namespaces import matches

RING = 4096


class LiveSubscription:
    """``async for batch in subscription`` yields the updates committed since the last batch, in log order.

    ``missed`` counts updates that were overwritten before they were read. The iteration ends when the subscription or
    the store is closed. Only one reader.
    """

    def __init__(self, namespaces: Sequence[str], size: int = RING) -> None:
        self.missed = 0
        self._namespaces = tuple(namespaces)
        self._ring: deque[Row | ContextUpdate] = deque(maxlen=size)
        self._wake = asyncio.Event()
        self._closed = False

    def offer(self, rows: Iterable[Row]) -> None:
        """Accept committed rows (called by the store)."""
        for row in rows:
            if matches(self._namespaces, row[1]):
                self.missed += len(self._ring) == self._ring.maxlen
                self._ring.append(row)
        if self._ring:
            self._wake.set()

    def tell(self, update: ContextUpdate) -> None:
        """Accept an update that exists in memory only, with seq 0 (called by the store)."""
        if matches(self._namespaces, update.namespace):
            self.missed += len(self._ring) == self._ring.maxlen
            self._ring.append(update)
            self._wake.set()

    def close(self) -> None:
        self._closed = True
        self._wake.set()

    def drain(self) -> list[ContextUpdate]:
        """Return what is there now, without waiting."""
        self._wake.clear()
        batch = [row if isinstance(row, ContextUpdate) else update_of(row) for row in self._ring]
        self._ring.clear()
        return batch

    async def __aiter__(self) -> AsyncIterator[list[ContextUpdate]]:
        while True:
            if not self._ring:
                if self._closed:
                    return
                self._wake.clear()
                await self._wake.wait()
                continue
            yield self.drain()


class LiveSubscriptions:
    """Those of one store, told in the order in which they came: who is told first is not left to chance."""

    def __init__(self) -> None:
        self._open: dict[LiveSubscription, None] = {}

    def __len__(self) -> int:
        return len(self._open)

    @contextmanager
    def watch(self, namespaces: Sequence[str], size: int) -> Iterator[LiveSubscription]:
        """Another one, closed at the exit."""
        subscription = LiveSubscription(namespaces, size)
        self._open[subscription] = None
        try:
            yield subscription
        finally:
            self._open.pop(subscription, None)
            subscription.close()

    def offer(self, rows: Sequence[Row]) -> None:
        """Publish what was committed."""
        if rows:
            for subscription in [*self._open]:
                subscription.offer(rows)

    def tell(self, context: Context) -> None:
        """Publish what is held in memory only."""
        for subscription in [*self._open]:
            subscription.tell(ContextUpdate(0, context))

    def close(self) -> None:
        for subscription in [*self._open]:
            subscription.close()
