"""Search by meaning: decides when the log is embedded, and answers queries.

Stored contexts are embedded in small portions, each followed by a rest, only while nobody waits for a reply; a crash
costs at most one portion. An embedder is loaded for a search, or once ``BEHIND`` contexts wait, and is released after a
while without use. Nothing here can make a search fail: if meaning is unavailable it finds nothing, search goes on by
words alone, and the health of its part says why.
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
"""The name of its health part."""
BEHIND: Final = 256  # contexts that wait before an embedder is loaded for them
QUERIES: Final = 64  # query vectors that are cached


@dataclass(frozen=True, slots=True)
class Pace:
    """How gently it works, in seconds.

    ``rest``: pause after each portion, and at least ``share`` times as long as it took. ``patience``: how long a search
    waits for a vector. ``release``: how long unused memory is kept. ``failed``: pause until the next try, doubling.
    """

    start: float = 5.0
    quiet: float = 3.0
    rest: float = 0.05
    share: float = 4.0
    patience: float = 5.0
    release: float = 300.0
    failed: float = 60.0
    failed_cap: float = 3600.0


class Meaning:
    """Search by meaning for one store. ``start`` it; ``stop`` it before the store is closed."""

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
        """Set up the search.

        ``most``: how many of the newest vectors are kept. ``keep``: load at the start, and never release. ``busy``:
        tells whether somebody waits for a reply.
        """
        self._store, self._embedder, self._keep, self._busy = store, embedder, keep, busy
        self._pace = pace or Pace()
        self.embedding = Embedding(store.file, embedder, most)
        self._queries: OrderedDict[str, Vectors] = OrderedDict()
        self._preparing: asyncio.Task[None] | None = None
        self._releasing: asyncio.Task[None] | None = None
        self._following: asyncio.Task[None] | None = None
        self._used = 0.0
        self._again = 0.0  # monotonic time before which no query is tried, after a failed one
        self._told = ""  # the reported problem

    # --------------------------------------------------------------------------------------------------- life

    async def start(self) -> None:
        """Begin to follow the log, after a while."""
        known = await self._store.get(PART, namespace=Namespace.HEALTH)
        self._told = str(known.data["detail"]) if known else ""
        self._following = asyncio.create_task(self._follow(), name=PART)

    async def stop(self) -> None:
        """Stop immediately; the next start continues from there."""
        tasks = [task for task in (self._following, self._preparing, self._releasing) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._embedder.close()

    async def _follow(self) -> None:
        async with self._store.watch(MEANT, size=1) as live:  # a ring of one: only whether there is anything new
            await self._store.clock.sleep(self._pace.start)
            updates = aiter(live)
            while True:
                await self._catch_up()
                if await anext(updates, None) is None:
                    return
                await self._store.clock.sleep(self._pace.quiet)

    async def _catch_up(self) -> None:
        """Embed what waits, if it is enough to be worthwhile; after a failure, later."""
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
        """Embed one portion once nobody waits, and rest; return whether there is more."""
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
        """Return the seqs of contexts that match the filter and are nearest to ``text`` in meaning, nearest first.

        Empty if that is not possible now: no embedder, none in time, or nothing near enough.
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
            return []  # loading continues, for the next search
        self._preparing.result()
        try:
            query = await asyncio.wait_for(self._query(text), self._pace.patience)
        except TimeoutError:
            words = f"{self._embedder.id} gave no answer within {self._pace.patience:g} seconds"
            raise EmbeddingError(words, "check that it runs, and that it is fast enough") from None
        return await self.embedding.nearest(query, wanted, limit) if query.any() else []

    async def _prepare(self) -> None:
        """Load what a search needs, and embed what is missing if that takes milliseconds."""
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
        """Report the outcome as health, if it has changed."""
        detail = "" if error is None else f"{error.words}; search continues by words only"
        if self._told == detail:
            return
        now = self._store.clock.now()
        health = Health(PART, "trouble" if error else "ok", detail, error.remedy if error else "", now)
        try:
            await self._store.store(health.data(), namespace=Namespace.HEALTH, context_id=PART, type="health")
            self._told = detail
        except StoreError as failure:
            log.warning("%s: %s (%s)", PART, detail, failure)
