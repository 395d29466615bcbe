"""Calls that are scheduled but may not begin yet. A limit delays calls, it never drops them.

A call waits its turn while its step has as many earlier calls in progress as one step may have; a call that waits for a
person, for room, or in a tool that only ``waits`` is not in progress. A call whose card has no room waits until a card
is decided, expires or is withdrawn. Both proceed in the order of the requests. Why a call waits is stored in
``ToolCall.deferred``, so it survives a restart.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Callable, Iterable
from itertools import takewhile
from typing import Final

from pepper_tui.clock import Clock
from pepper_tui.model import CALL_OPEN, CALL_UNDER_WAY, ResolvedEffect, ToolCall
from pepper_tui.store import Store, StoreError, VersionConflictError
from pepper_tui.tools.approvals.policy import Policy
from pepper_tui.tools.ledger import Ledger
from pepper_tui.tools.tool import Tool

log = logging.getLogger(__name__)

_REMEDY_PAUSE: Final = 10.0  # seconds from a failure to the next try


class WaitingRoom:
    """Tracks which calls wait, and whose turn it is.

    The engine reports each change. ``start_call`` begins a call that waited for room, and must ignore one that already
    runs. ``only_waits`` tells by a tool's name whether its calls do no work.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        ledger: Ledger,
        policy: Policy,
        at_once: int,
        *,
        only_waits: Callable[[str], bool],
        start_call: Callable[[str], None],
    ) -> None:
        self._store, self._clock, self._ledger, self._policy = store, clock, ledger, policy
        self._at_once, self._only_waits, self._start_call = at_once, only_waits, start_call
        self._open: dict[str, ToolCall] = {}  # in order of arrival
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._work(), name="waiting room")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    # ------------------------------------------------------------------------------------------------- what changed

    def begin(self, calls: Iterable[ToolCall]) -> None:
        """Track exactly ``calls``, which are all open calls; known ones keep their place."""
        now = {call.id: call for call in calls if call.state in CALL_OPEN}
        self._open = {ident: now[ident] for ident in self._open if ident in now} | now
        self.look()

    def take(self, call: ToolCall) -> None:
        """Track ``call`` in its current state."""
        if call.state in CALL_OPEN:
            self._open[call.id] = call
        else:
            self._open.pop(call.id, None)
        self.look()

    def look(self) -> None:
        """Signal a change that others may be waiting for."""
        if any(call.deferred for call in self._open.values()):
            self._changed.set()

    # ------------------------------------------------------------------------------------------------- whose turn it is

    async def admit(self, call: ToolCall, tool: Tool, effect: ResolvedEffect) -> str:
        """Return why the card of ``call`` must wait, in words; empty if it may open now. Raises ``RefusedError``."""
        before = takewhile(lambda other: other.id != call.id, self._open.values())
        return await self._policy.admit(call, tool, effect, [other for other in before if other.waits_for_room])

    async def _work(self) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            try:
                await self._give_turns()
                await self._fill_room()
            except VersionConflictError:
                self._changed.set()  # one of them was cancelled concurrently
            except Exception as error:
                if isinstance(error, StoreError):  # such as a full disk
                    log.warning("calls that wait can't go on yet: %s", error)
                else:
                    log.exception("calls that wait can't go on yet")
                await self._clock.sleep(_REMEDY_PAUSE)
                self._changed.set()

    async def _give_turns(self) -> None:
        busy = Counter(call.origin for call in self._open.values() if self._is_busy(call))
        turn = []
        for call in self._open.values():
            if call.waits_its_turn and busy[call.origin] < self._at_once:
                busy[call.origin] += 1
                turn.append(call.id)
        if not turn:
            return
        begun = []
        async with self._store.unit():
            for ident in turn:
                found = await self._ledger.call(ident)
                if found is not None and found[0].waits_its_turn:
                    begun.append(await self._ledger.put_call(*found, deferred=""))
        for call in begun:  # the store's update arrives later; it must not get a second turn
            if call.id in self._open:
                self._open[call.id] = call

    async def _fill_room(self) -> None:
        waiting = [call for call in self._open.values() if call.waits_for_room]
        if not waiting:
            return
        room = await self._policy.room()
        for call in waiting:
            if not await self._policy.take(room, call):
                self._start_call(call.id)

    def _is_busy(self, call: ToolCall) -> bool:
        return call.state in CALL_UNDER_WAY and not call.deferred and not self._only_waits(call.name)
