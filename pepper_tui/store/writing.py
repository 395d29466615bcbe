"""What changes the log in a file: contexts stored and deleted, gone back to, and made of others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pepper_tui.model import Context
from pepper_tui.store import compose as composing
from pepper_tui.store.accepting import Accepting
from pepper_tui.store.compose import Composition, Merge
from pepper_tui.store.errors import StoreError
from pepper_tui.store.log import rollback
from pepper_tui.store.log.content import safe
from pepper_tui.store.reading import LogReading
from pepper_tui.store.unit import Operation


class LogWriting(LogReading, Accepting):
    """The log of a file, to be read and written."""

    async def submit(self, operations: list[Operation]) -> list[Any]:
        """Hand the operations to the one writer."""
        return await self.file.writer.submit(operations)

    async def rollback(self, context_id: str, version: int, *, namespace: str) -> Context:
        """Make the content of an earlier version the newest one, as a new update, and return that. It does not expire.

        Raises ``RollbackRefusedError`` for what can't go back (see ``rollback``), ``StoreError`` where that version
        is not kept. Not part of a unit of work.
        """
        name, now = safe(namespace), self.clock.now()
        results = await self.file.writer.decide(
            lambda connection, book: [rollback.plan(connection, book, name, safe(str(context_id)), version, now)]
        )
        stored: Context = results[0]
        return stored

    async def compose(
        self,
        sources: Sequence[tuple[str, str]],
        *,
        namespace: str,
        context_id: object = None,
        strategy: Merge | str = Merge.LAST,
        type: str = "",  # noqa: A002
        ttl: float | None = None,
    ) -> Composition:
        """Store one context made of several: ``sources`` are (namespace, id), their current versions as of one moment.

        ``strategy`` says which value holds where they differ; the composition states where, and the context's metadata
        names sources, versions and conflicts. Without ``ttl`` it expires with the first of its sources. The same made
        again of the same versions is no new update. Joins a unit of work. Raises ``StoreError`` for a source that is
        not there, ``ConflictError`` for ``strict``, ``ValueError`` for an unknown strategy.
        """
        chosen = Merge(strategy)
        if not sources:
            raise StoreError("there is nothing to compose: name at least one source")
        found = await self.current(sources)
        merged = composing.merge(found, chosen)
        expires_at = composing.expiry_of(found) if ttl is None else None
        stored = await self.store(
            merged.data,
            namespace=namespace,
            context_id=context_id,
            type=type,
            text=composing.text_of(found),
            tags=composing.tags_of(found),
            metadata=composing.metadata_of(found, chosen, merged.conflicts),
            ttl=ttl if expires_at is None else expires_at - self.clock.now(),
        )
        return Composition(stored, merged.conflicts)
