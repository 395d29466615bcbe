"""The undo journal: what the user did, newest first, taken back and done again through the rooms' own state tables.

An act is recorded in one commit with what it moves, so undo and redo work after a restart, and a crash leaves both or
neither. Undo takes back the newest act that still can be; one that can't any more is settled: passed over, named once,
and never looked at again. An undone act is done again until the user acts anew. A yes is never done again by redo.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Final, Literal, Protocol

from pepper_tui.clock import Clock
from pepper_tui.model import (
    USER_ACT,
    Context,
    ContextFilter,
    EngineError,
    Moved,
    Namespace,
    SettledError,
    UserAct,
    UserActState,
    acted_through,
)
from pepper_tui.store import ContextStore, VersionConflictError
from pepper_tui.text import one_line

DEPTH: Final = 50
"""The newest acts among which undo and redo look."""

Way = Literal["back", "again"]


class Room(Protocol):
    """Whose records an act moves. Both write in the caller's unit, and raise ``SettledError`` before they write."""

    async def back(self, moved: Sequence[Moved]) -> str:
        """Take back what one act moved of this room's; what came of it in words."""
        ...

    async def again(self, moved: Sequence[Moved]) -> str:
        """Move it again, as the act did; what came of it in words."""
        ...


@dataclass(slots=True)
class Recording:
    """An act under way: the caller fills in its words and what it moved. What moved nothing is not recorded."""

    words: str = ""
    moved: list[Moved] = field(default_factory=list)


class UndoJournal:
    """``rooms`` are by the namespace of the records that they move."""

    def __init__(self, store: ContextStore, clock: Clock, rooms: Mapping[str, Room]) -> None:
        self._store, self._clock, self._rooms = store, clock, dict(rooms)
        self._one_at_a_time = asyncio.Lock()

    @asynccontextmanager
    async def recording(self) -> AsyncIterator[Recording]:
        """What is moved inside is one act: one commit with its record, or nothing at all.

        Raises ``EngineError`` where one of the records changed in the same moment.
        """
        act = Recording()
        async with in_one_commit(self._store):
            yield act
            if act.moved:
                await self.record(act.words, act.moved)

    async def record(self, words: str, moved: Sequence[Moved]) -> None:
        """Note an act in the caller's unit. What was undone before it can't be done again any more."""
        async with self._store.unit():
            for _, undone in await self._newest(UserActState.UNDONE):
                await self._put(undone, UserActState.SETTLED)
            act = UserAct(
                self._clock.new_id("act"), one_line(words, 200), self._clock.now(), [*moved], decided_by=acted_through()
            )
            await self._put(act)

    async def names(self, ident: str) -> bool:
        """Whether an act that stands has moved the record of that id."""
        return any(moved.id == ident for _, act in await self._newest(UserActState.DONE) for moved in act.moved)

    async def undo(self) -> str:
        """Take back the newest act that can be; words on it and on those passed over. Raises ``EngineError``."""
        return await self._turned(UserActState.DONE, UserActState.UNDONE, "back", "there is nothing to take back")

    async def redo(self) -> str:
        """Do again what was undone last, where that can be; as ``undo``."""
        return await self._turned(UserActState.UNDONE, UserActState.DONE, "again", "there is nothing to do again")

    async def _turned(self, now: UserActState, to: UserActState, way: Way, nothing: str) -> str:
        passed: list[str] = []
        async with self._one_at_a_time:
            for context, act in await self._newest(now):
                async with in_one_commit(self._store):
                    words, why = await self._each(act, way)
                    await self._put(act, to if words else UserActState.SETTLED, context.version)
                if words:
                    said = "; ".join((*words, *why))
                    return f"{said} (passed over: {'; '.join(passed)})" if passed else said
                passed.append("; ".join(why))
        raise EngineError("; ".join(passed) or nothing)

    async def _each(self, act: UserAct, way: Way) -> tuple[list[str], list[str]]:
        """What was turned, in words, and why other moves of the act were not."""
        words: list[str] = []
        why: list[str] = []
        for namespace in dict.fromkeys(moved.namespace for moved in act.moved):
            room = self._rooms[namespace]
            of_it = [moved for moved in act.moved if moved.namespace == namespace]
            try:
                words.append(await (room.back(of_it) if way == "back" else room.again(of_it)))
            except SettledError as error:
                why.append(str(error))
        return words, why if act.moved else [f"{act.words}: this can't be taken back"]

    async def _newest(self, state: UserActState) -> list[tuple[Context, UserAct]]:
        """The acts in that state, the last moved first."""
        found = await self._store.query(ContextFilter(namespaces=[Namespace.UNDO], tags=[state.value], limit=DEPTH))
        return [(context, act) for context in found for act in UserAct.readable([context])]

    async def _put(self, act: UserAct, to: UserActState = UserActState.DONE, expect_version: int | None = None) -> None:
        state = to if to is act.state else USER_ACT.move(act.state, to)
        await self._store.put(
            replace(act, state=state), namespace=Namespace.UNDO, tags=[state.value], expect_version=expect_version
        )


@asynccontextmanager
async def in_one_commit(store: ContextStore) -> AsyncIterator[None]:
    """What is written inside is one commit, or nothing. Raises ``EngineError`` where it changed in the same moment."""
    try:
        async with store.unit():
            yield
    except VersionConflictError as error:
        raise EngineError("this changed in the same moment; look again") from error
