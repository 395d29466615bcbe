"""Search by meaning: when the log is embedded, and what a query is nearest to.

What is stored is embedded in small portions, each followed by a rest, only while nobody waits for a reply; a crash
costs at most one portion. An embedder that is not loaded is loaded for a search, or once ``BEHIND`` contexts wait; what
nobody used for a while is let go of. Nothing here can fail a search: where meaning can't be told it finds nothing, the
words go on alone, and the health of its part says why.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pepper_tui.model import ContextFilter, Health, Namespace
from pepper_tui.store.errors import StoreError
from pepper_tui.store.search.embedder import Embedder, EmbeddingError
from pepper_tui.store.search.embedding import Embedding, plain
from pepper_tui.store.search.embeddings import MEANT

if TYPE_CHECKING:
    from pepper_tui.store.context_store import ContextStore
    from pepper_tui.store.search.embedder import Vectors

log = logging.getLogger(__name__)
PART: Final = "search by meaning"
"""What its health is called."""
BEHIND: Final = 256  # contexts that wait before an embedder is loaded for them
QUERIES: Final = 64  # whose vectors are kept


@dataclass(frozen=True, slots=True)
class Pace:
    """How gently it works, in seconds. ``rest``: after each portion, and at least ``share`` times as long as it took.
    ``patience``: what a search waits for a vector. ``release``: unused, memory is let go of. ``failed``: until the next
    try, doubling."""

    start: float = 5.0
    quiet: float = 3.0
    rest: float = 0.05
    share: float = 4.0
    patience: float = 5.0
    release: float = 300.0
    failed: float = 60.0
    failed_cap: float = 3600.0


class Meaning:
    """Search by meaning of one store. ``start`` it; ``stop`` it before the store is closed."""

    def __init__(
        self,
        store: ContextStore,
        embedder: Embedder,
        *,
        most: int,
        keep: bool = False,
        busy: Callable[[], bool] = lambda: False,
        pace: Pace | None = None,
    ) -> None:
        """``most``: the newest vectors that are kept. ``keep``: load at the start, and never let go. ``busy``: whether
        somebody waits for a reply."""
        self._store, self._embedder, self._keep, self._busy = store, embedder, keep, busy
        self._pace = pace or Pace()
        self.embedding = Embedding(store.file, embedder, most)
        self._queries: OrderedDict[str, Vectors] = OrderedDict()
        self._preparing: asyncio.Task[None] | None = None
        self._releasing: asyncio.Task[None] | None = None
        self._following: asyncio.Task[None] | None = None
        self._used = 0.0
        self._again = 0.0  # monotonic time before which no query is tried, after one that failed
        self._told = ""  # what is wrong

    # --------------------------------------------------------------------------------------------------- life

    async def start(self) -> None:
        """Begin to follow the log, after a while."""
        known = await self._store.get(PART, namespace=Namespace.HEALTH)
        self._told = str(known.data["detail"]) if known else ""
        self._following = asyncio.create_task(self._follow(), name=PART)

    async def stop(self) -> None:
        """End where it is; the next start goes on from there."""
        tasks = [task for task in (self._following, self._preparing, self._releasing) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._embedder.close()

    async def _follow(self) -> None:
        async with self._store.watch(MEANT, size=1) as live:  # only whether there is something
            await self._store.clock.sleep(self._pace.start)
            updates = aiter(live)
            while True:
                await self._catch_up()
                if await anext(updates, None) is None:
                    return
                await self._store.clock.sleep(self._pace.quiet)

    async def _catch_up(self) -> None:
        """Take in what waits, if it is enough to be worth it; after a failure, later."""
        pause = self._pace.failed
        while not self._store.closed:
            after = 0.0
            try:
                if self._keep:
                    await self._embedder.open()
                    await self.embedding.load_signs()
                if not self._embedder.loaded and await self.embedding.waiting(BEHIND) < BEHIND:
                    return
                while await self._portion():
                    pause = self._pace.failed
                return
            except EmbeddingError as error:
                await self._tell(error)
                after = error.retry_after or 0.0
            except StoreError as error:
                log.warning("embeddings stay behind for now: %s", error)
            except Exception:
                log.exception("embeddings stay behind for now")
            await self._store.clock.sleep(max(after, pause))
            pause = min(self._pace.failed_cap, 2 * pause)

    async def _portion(self) -> bool:
        """Take in one portion once nobody waits, and rest; whether there is more."""
        clock = self._store.clock
        while self._busy():
            await clock.sleep(max(self._pace.rest, 0.25))
        began = clock.monotonic()
        more = await self.embedding.portion()
        self._use()
        if more:
            await self._tell(None)
        await clock.sleep(max(self._pace.rest, self._pace.share * (clock.monotonic() - began)))
        return more

    # ----------------------------------------------------------------------------------------------------- search

    async def search(self, text: str, wanted: ContextFilter, limit: int) -> list[int]:
        """The seqs of the contexts that the filter picks and whose meaning is nearest to ``text``, nearest first.

        Empty where that can't be told now: no embedder, none in time, or nothing near enough.
        """
        said, clock = plain(text), self._store.clock
        if not said or limit <= 0 or self._store.closed or clock.monotonic() < self._again:
            return []
        try:
            return await self._search(said, wanted, limit)
        except EmbeddingError as error:
            self._again = clock.monotonic() + (error.retry_after or min(30.0, self._pace.failed))
            await self._tell(error)
        except StoreError as error:
            log.warning("no search by meaning for now: %s", error)
        return []

    async def _search(self, text: str, wanted: ContextFilter, limit: int) -> list[int]:
        if self._preparing is None or self._preparing.done():
            self._preparing = asyncio.create_task(self._prepare(), name=f"{PART}, loading")
        await asyncio.wait({self._preparing}, timeout=self._pace.patience)
        if not self._preparing.done():
            return []  # it goes on, for the next search
        self._preparing.result()
        try:
            query = await asyncio.wait_for(self._query(text), self._pace.patience)
        except TimeoutError:
            words = f"{self._embedder.id} gave no answer within {self._pace.patience:g} seconds"
            raise EmbeddingError(words, "check that it runs, and that it is quick enough") from None
        return await self.embedding.nearest(query, wanted, limit) if query.any() else []

    async def _prepare(self) -> None:
        """Load what a search needs, and make up what is missing where that takes milliseconds."""
        self._use()
        await self._embedder.open()
        if self._embedder.local and not self.embedding.busy:
            for _ in range(BEHIND // self._embedder.batch):
                if not await self.embedding.portion():
                    break
        await self.embedding.load_signs()

    async def _query(self, text: str) -> Vectors:
        known = self._queries.get(text)
        if known is None:
            [known] = await self._embedder.embed([text], waits=True)
            cursor = await self.embedding.cursor()
            if cursor.dimensions and known.shape[-1] != cursor.dimensions:
                raise self.embedding.other_dimensions(known.shape[-1], cursor)
            self._queries[text] = known
            while len(self._queries) > QUERIES:
                self._queries.popitem(last=False)
            await self._tell(None)
        return known

    # ---------------------------------------------------------------------------------------------------- the rest

    def _use(self) -> None:
        self._used = self._store.clock.monotonic()
        if not self._keep and (self._releasing is None or self._releasing.done()):
            self._releasing = asyncio.create_task(self._release(), name=f"{PART}, release")

    async def _release(self) -> None:
        clock = self._store.clock
        while (left := self._used + self._pace.release - clock.monotonic()) > 0:
            await clock.sleep(left)
        self._queries.clear()
        await self.embedding.release()

    async def _tell(self, error: EmbeddingError | None) -> None:
        """Say what became of it, where that is news."""
        detail = "" if error is None else f"{error.words}; search goes on by words alone"
        if self._told == detail:
            return
        now = self._store.clock.now()
        health = Health(PART, "trouble" if error else "ok", detail, error.remedy if error else "", now)
        try:
            await self._store.store(health.data(), namespace=Namespace.HEALTH, context_id=PART, type="health")
            self._told = detail
        except StoreError as failure:
            log.warning("%s: %s (%s)", PART, detail, failure)
