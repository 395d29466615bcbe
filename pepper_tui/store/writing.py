"""What changes the log: contexts stored and deleted, alone or as a unit of work, gone back to, and made of others."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager

from pepper_tui.model import Context, Json, Record
from pepper_tui.store import compose as composing
from pepper_tui.store.compose import Composition, Merge
from pepper_tui.store.errors import StoreError
from pepper_tui.store.log import rollback
from pepper_tui.store.log.content import Write, encode, safe
from pepper_tui.store.reading import LogReading
from pepper_tui.store.unit import Delete, UnitOfWork, current_unit, enter, leave


class LogWriting(LogReading):
    """The log, to be read and written."""

    async def store(
        self,
        data: Json,
        *,
        namespace: str,
        context_id: object = None,
        type: str = "",  # noqa: A002 - the vocabulary's word
        text: str = "",
        tags: Iterable[str] = (),
        metadata: Json | None = None,
        ttl: float | None = None,
        dedupe_key: str | None = None,
        dedupe_window: float = 7 * 86400,
        expect_version: int | None = None,
    ) -> Context:
        """Store one context and return it as it was committed.

        ``context_id`` defaults to ``data["id"]`` where that is text, else to a new id. The same content as the
        current version makes no new update (only its expiry follows the last ``ttl``, in seconds; None = never).
        The same ``dedupe_key`` in the namespace within ``dedupe_window`` seconds makes none either, and returns what
        was stored first. ``expect_version``: the version that must be current, 0 for none; else
        ``VersionConflictError`` and nothing of the unit is written.

        Inside a unit of work it returns at once, with version and seq 0, and is committed with the unit. Raises
        ``StoreError`` where the store is closed or the disk refuses, ``TypeError`` for data that is not JSON.
        """
        if not namespace:
            raise StoreError("a context needs a namespace")
        if context_id is None:
            own = data.get("id")
            context_id = own if isinstance(own, str) and own else self.clock.new_id("ctx")
        now = self.clock.now()
        write = Write(
            namespace=safe(namespace),
            context_id=safe(str(context_id)),
            data=encode(data),
            type=safe(type),
            text=safe(text),
            tags=tuple(sorted({safe(tag) for tag in tags})),
            metadata=encode(metadata or {}),
            at=now,
            expires_at=None if ttl is None else now + ttl,
            dedupe_key=None if dedupe_key is None else safe(dedupe_key),
            dedupe_until=now + dedupe_window,
            expect_version=expect_version,
        )
        unit = self._unit()
        if unit is not None:
            unit.operations.append(write)
            return write.provisional()
        results = await self.file.writer.submit([write])
        stored: Context = results[0]
        return stored

    async def put(
        self,
        record: Record,
        *,
        namespace: str,
        context_id: object = None,
        type: str = "",  # noqa: A002
        text: str = "",
        tags: Iterable[str] = (),
        metadata: Json | None = None,
        ttl: float | None = None,
        dedupe_key: str | None = None,
        dedupe_window: float = 7 * 86400,
        expect_version: int | None = None,
    ) -> Context:
        """``store`` of a record: its data, under its ``id`` where it has one."""
        return await self.store(
            record.data(),
            namespace=namespace,
            context_id=context_id,
            type=type,
            text=text,
            tags=tags,
            metadata=metadata,
            ttl=ttl,
            dedupe_key=dedupe_key,
            dedupe_window=dedupe_window,
            expect_version=expect_version,
        )

    async def delete(self, context_id: str, *, namespace: str, expect_version: int | None = None) -> bool:
        """Delete the current version: an update with ``deleted``. Returns whether there was one to see.

        ``expect_version``: the version that must be current, as ``store`` takes it. Inside a unit the answer goes by
        what is committed and by what the unit itself stores.
        """
        operation = Delete(safe(namespace), safe(str(context_id)), self.clock.now(), expect_version)
        unit = self._unit()
        if unit is None:
            results = await self.file.writer.submit([operation])
            return bool(results[0])
        there = await self.get(context_id, namespace=namespace) is not None
        for earlier in unit.operations:
            if not isinstance(earlier, Write | Delete):
                continue
            if (earlier.namespace, earlier.context_id) == (operation.namespace, operation.context_id):
                there = isinstance(earlier, Write)
        unit.operations.append(operation)
        return there

    @asynccontextmanager
    async def unit(self) -> AsyncIterator[UnitOfWork]:
        """Writes of this task inside are handed over whole at the exit, which returns after their commit.

        An exception inside writes nothing. Nested, it joins the outer unit (an exception takes back only what the
        inner one added).
        """
        outer = self._unit()
        if outer is not None:
            before = list(outer.operations)
            try:
                yield outer
            except BaseException:
                outer.operations[:] = before
                raise
            return
        unit = UnitOfWork(self, asyncio.current_task())
        token = enter(unit)
        try:
            yield unit
        finally:
            unit.closed = True
            leave(token)
        if unit.operations:
            await self.file.writer.submit(unit.operations)

    def _unit(self) -> UnitOfWork | None:
        unit = current_unit()
        return unit if unit is not None and unit.store is self else None

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
