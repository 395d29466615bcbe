"""Reading the log: contexts by name, by filter, by words and by meaning."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from pepper_tui.model import Context, ContextFilter, ContextUpdate
from pepper_tui.store import filter as filters
from pepper_tui.store.errors import StoreError
from pepper_tui.store.filter import Values
from pepper_tui.store.log import lookup
from pepper_tui.store.log.content import safe
from pepper_tui.store.log.store_file import StoreFile
from pepper_tui.store.namespaces import resolve
from pepper_tui.store.protocol import EVERYTHING
from pepper_tui.store.query_cache import key_of
from pepper_tui.store.search import full_text
from pepper_tui.store.search.full_text import ByMeaning, SearchHit
from pepper_tui.store.upkeep import removal


class LogReading:
    """The log of ``file``, read-only: nothing here writes, and each answer shows only committed data."""

    def __init__(self, file: StoreFile) -> None:
        self.file = file
        self.clock = file.clock
        self.meaning: ByMeaning | None = None  # a second way to search, if available

    async def get(
        self, context_id: str, *, namespace: str, version: int | None = None, include_expired: bool = False
    ) -> Context | None:
        """See ``StoreReader.get``."""
        now, name = self.clock.now(), safe(namespace)

        def find(connection: sqlite3.Connection) -> Context | None:
            ns = self.file.known(connection).get(name)
            if ns is None:
                return None
            key = (ns, safe(str(context_id)))
            if version is None:
                return lookup.current(connection, *key, None if include_expired else now)
            return lookup.at_version(connection, *key, version)

        return await self.file.read(find)

    async def query(self, filter: ContextFilter = EVERYTHING) -> list[Context]:  # noqa: A002
        """See ``StoreReader.query``."""
        now = self.clock.now()
        filter = filters.as_of(filter, now)  # noqa: A001
        return await self.file.cache.answer(
            ("query", key_of(filter)),
            filter.namespaces,
            lambda: self.file.read(
                lambda c: filters.select(c, filter, resolve(filter.namespaces, self.file.known(c)), now)
            ),
            contexts=lambda found: found,
        )

    retrieve = query

    async def versions(self, context_id: str, *, namespace: str, limit: int = 100) -> list[ContextUpdate]:
        """See ``StoreReader.versions``."""
        name, ident = safe(namespace), safe(str(context_id))

        def find(connection: sqlite3.Connection) -> list[ContextUpdate]:
            ns = self.file.known(connection).get(name)
            return [] if ns is None else lookup.versions(connection, ns, ident, limit)

        return await self.file.read(find)

    async def named(self, ref: str) -> list[tuple[str, str]]:
        """Return (namespace, id) of the contexts, even deleted, that ``ref`` names: ``namespace:id`` or an id."""
        return await self.file.read(lambda connection: lookup.named(connection, self.file.known(connection), safe(ref)))

    async def count(self, filter: ContextFilter = EVERYTHING) -> int:  # noqa: A002
        """See ``StoreReader.count``."""
        now = self.clock.now()
        filter = filters.as_of(filter, now)  # noqa: A001
        return await self.file.read(
            lambda c: filters.count(c, filter, resolve(filter.namespaces, self.file.known(c)), now), 1
        )

    async def count_at(self, *wanted: ContextFilter) -> tuple[int, int]:
        """Return how many contexts the filters pick together, and the last seq of the log at that moment."""
        now = self.clock.now()
        wanted = tuple(filters.as_of(each, now) for each in wanted)

        def counted(connection: sqlite3.Connection) -> tuple[int, int]:
            connection.execute("BEGIN")  # one snapshot for both answers
            try:
                found = [
                    filters.count(connection, each, resolve(each.namespaces, self.file.known(connection)), now)
                    for each in wanted
                ]
                return sum(found), removal.last_seq(connection)
            finally:
                connection.execute("COMMIT")

        return await self.file.read(counted, 1)

    async def search(
        self,
        text: str,
        filter: ContextFilter | None = None,  # noqa: A002
        limit: int = 10,
        *,
        by_meaning: bool = True,
    ) -> list[SearchHit]:
        """See ``StoreReader.search``."""
        wanted = filters.as_of(filter or EVERYTHING, self.clock.now())
        if (
            self.meaning is not None and by_meaning
        ):  # it caches query vectors itself, and finds more as its own work goes on
            return await self._search(text, wanted, limit)
        return await self.file.cache.answer(
            ("search", text, limit, key_of(wanted)),
            (),  # any commit: the ranking weighs all texts
            lambda: self._search(text, wanted, limit, by_meaning=False),
            contexts=lambda hits: (hit.context for hit in hits),
        )

    async def having(self, words: str, filter: ContextFilter, *, begun: bool = False) -> set[str]:  # noqa: A002
        """See ``StoreReader.having``."""
        now = self.clock.now()
        wanted = filters.as_of(filter, now)
        await self.file.index()

        def find(connection: sqlite3.Connection) -> set[str]:
            spaces = resolve(wanted.namespaces, self.file.known(connection))
            return full_text.having(connection, words, wanted=wanted, spaces=spaces, now=now, begun=begun)

        return await self.file.read(find, 1)

    async def values(self, filter: ContextFilter, *keys: str) -> list[Values]:  # noqa: A002
        """See ``StoreReader.values``."""
        now = self.clock.now()
        wanted = filters.as_of(filter, now)
        return await self.file.read(
            lambda c: filters.values(c, wanted, resolve(wanted.namespaces, self.file.known(c)), now, keys), 1
        )

    async def _search(
        self, text: str, wanted: ContextFilter, limit: int, *, by_meaning: bool = True
    ) -> list[SearchHit]:
        now = self.clock.now()
        await self.file.index()

        def find(connection: sqlite3.Connection) -> list[SearchHit]:
            spaces = resolve(wanted.namespaces, self.file.known(connection)) if wanted.namespaces else None
            return full_text.search(connection, text, wanted=wanted, spaces=spaces, now=now, limit=limit)

        hits = await self.file.read(find, 1)
        meaning = self.meaning if by_meaning else None
        near = await meaning.search(text, wanted, limit) if meaning is not None else []
        return await self.file.read(lambda c: full_text.joined(c, text, hits, near, limit), 1) if near else hits

    async def current(self, names: Sequence[tuple[str, str]]) -> list[Context]:
        """Return the current versions of (namespace, id), as of one moment. Raises ``StoreError`` if one is missing."""
        now = self.clock.now()

        def find(connection: sqlite3.Connection) -> list[Context | None]:
            connection.execute("BEGIN")
            try:
                known = self.file.known(connection)
                return [lookup.current(connection, known.get(safe(space)), safe(ident), now) for space, ident in names]
            finally:
                connection.execute("COMMIT")

        found = await self.file.read(find)
        missing = [f"{space}:{ident}" for (space, ident), context in zip(names, found, strict=True) if context is None]
        if missing:
            raise StoreError(f"nothing to compose under {', '.join(missing)}")
        return [context for context in found if context is not None]
