"""The undo journal: the user's acts, newest first, undone and redone through the state tables of each part.

An act is recorded in one commit with its changes, so undo and redo work after a restart, and a crash leaves both or
neither. Undo takes back the newest act that still can be. An act that can't be any more is settled: it is skipped,
named once, and never tried again. An undone act can be redone until the user acts again. Redo never repeats an
approval.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Final, Literal, Protocol

from pepper_tui.clock import Clock
from pepper_tui.engine.acts.under_way import UnderWayError
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
"""How many of the newest acts undo and redo consider."""

Way = Literal["back", "again"]


class Room(Protocol):
    """The owner of the records that an act moves.

    Both methods write in the caller's unit, and raise ``SettledError`` or ``UnderWayError`` before they write.
    """

    async def back(self, moved: Sequence[Moved]) -> str:
        """Undo what one act moved in this namespace; return the outcome in words."""
        ...

    async def again(self, moved: Sequence[Moved]) -> str:
        """Redo what one act moved in this namespace; return the outcome in words."""
        ...


@dataclass(slots=True)
class Recording:
    """An act in progress: the caller fills in its words and moves. An act without moves is not recorded."""

    words: str = ""
    moved: list[Moved] = field(default_factory=list)


class UndoJournal:
    """Records, undoes and redoes acts. ``rooms`` are keyed by the namespace of the records that they move."""

    def __init__(self, store: ContextStore, clock: Clock, rooms: Mapping[str, Room]) -> None:
        self._store, self._clock, self._rooms = store, clock, dict(rooms)
        self._one_at_a_time = asyncio.Lock()
        self._waits = False  # an undo or redo waits for what its act began

    @asynccontextmanager
    async def recording(self) -> AsyncIterator[Recording]:
        """Record everything moved inside as one act: one commit with its record, or nothing at all.

        Raises ``EngineError`` if one of the records was changed concurrently.
        """
        act = Recording()
        async with in_one_commit(self._store):
            yield act
            if act.moved:
                await self.record(act.words, act.moved)

    async def record(self, words: str, moved: Sequence[Moved]) -> None:
        """Record an act in the caller's unit. Acts undone before it can't be redone any more."""
        async with self._store.unit():
            for _, undone in await self._newest(UserActState.UNDONE):
                await self._put(undone, UserActState.SETTLED)
            act = UserAct(
                self._clock.new_id("act"), one_line(words, 200), self._clock.now(), [*moved], decided_by=acted_through()
            )
            await self._put(act)

    async def names(self, ident: str) -> bool:
        """Return whether a recorded act that has not been undone moved the record with that id."""
        return any(moved.id == ident for _, act in await self._newest(UserActState.DONE) for moved in act.moved)

    async def undo(self) -> str:
        """Undo the newest act that can be; return words on it and on the skipped ones. Raises ``EngineError``."""
        return await self._turned(UserActState.DONE, UserActState.UNDONE, "back", "there is nothing to take back")

    async def redo(self) -> str:
        """Redo the act that was undone last, if possible; otherwise as ``undo``."""
        return await self._turned(UserActState.UNDONE, UserActState.DONE, "again", "there is nothing to do again")

    async def _turned(self, now: UserActState, to: UserActState, way: Way, nothing: str) -> str:
        """Turn the newest act. One press turns one act: what is still under way is waited for."""
        if self._waits:
            raise EngineError("the last act is being taken back this moment")
        try:
            return await self._turned_now(now, to, way, nothing)
        except UnderWayError as error:
            self._waits = True
            try:
                if not await error.over():
                    raise
            finally:
                self._waits = False
        return await self._turned_now(now, to, way, nothing)

    async def _turned_now(self, now: UserActState, to: UserActState, way: Way, nothing: str) -> str:
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
        """Return what was moved, in words, and why other moves of the act were not."""
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
        """Return the acts in that state, the last moved first."""
        found = await self._store.query(ContextFilter(namespaces=[Namespace.UNDO], tags=[state.value], limit=DEPTH))
        return [(context, act) for context in found for act in UserAct.readable([context])]

    async def _put(self, act: UserAct, to: UserActState = UserActState.DONE, expect_version: int | None = None) -> None:
        state = to if to is act.state else USER_ACT.move(act.state, to)
        await self._store.put(
            replace(act, state=state), namespace=Namespace.UNDO, tags=[state.value], expect_version=expect_version
        )


@asynccontextmanager
async def in_one_commit(store: ContextStore) -> AsyncIterator[None]:
    """Make everything written inside one commit, or nothing. Raises ``EngineError`` on a concurrent change."""
    try:
        async with store.unit():
            yield
    except VersionConflictError as error:
        raise EngineError("this changed in the same moment; look again") from error
