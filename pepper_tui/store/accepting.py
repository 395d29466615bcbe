"""How a store accepts what it is to write: as operations, encoded at the call, alone or collected in a unit of work."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

from pepper_tui.clock import Clock
from pepper_tui.model import Context, Json, Record
from pepper_tui.store.errors import StoreError
from pepper_tui.store.log.content import Write, encode, safe
from pepper_tui.store.protocol import DEDUPE_WINDOW
from pepper_tui.store.unit import Delete, Operation, UnitOfWork, current_unit, enter, leave


class Accepting(ABC):
    """``StoreWriter`` over ``submit``, whatever keeps the log."""

    clock: Clock

    @abstractmethod
    async def submit(self, operations: list[Operation]) -> list[Any]:
        """Commit the operations together, and return their results in order. Raises ``StoreError``; then none is."""

    @abstractmethod
    async def get(
        self, context_id: str, *, namespace: str, version: int | None = None, include_expired: bool = False
    ) -> Context | None:
        """See ``StoreReader.get``."""

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
        dedupe_window: float = DEDUPE_WINDOW,
        expect_version: int | None = None,
    ) -> Context:
        """See ``StoreWriter.store``."""
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
        results = await self.submit([write])
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
        dedupe_window: float = DEDUPE_WINDOW,
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
        """See ``StoreWriter.delete``."""
        operation = Delete(safe(namespace), safe(str(context_id)), self.clock.now(), expect_version)
        unit = self._unit()
        if unit is None:
            results = await self.submit([operation])
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
        """See ``StoreWriter.unit``."""
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
            await self.submit(unit.operations)

    def _unit(self) -> UnitOfWork | None:
        unit = current_unit()
        return unit if unit is not None and unit.store is self else None
