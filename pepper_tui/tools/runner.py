"""Runs one call, from scheduled to its end, or to the card that asks for approval.

A ``read`` runs immediately, a ``local`` call in one unit with its result. One that reaches outside is resolved first:
then it is deferred, or its card is opened, or, if it only reads what the user named, it is done immediately.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial

from pepper_tui.clock import Clock
from pepper_tui.llm.endpoint.tool_names import unknown_words
from pepper_tui.model import CallState, Effect, Json, ResolvedEffect, ToolCall
from pepper_tui.store import Store, StoreUnavailableError, VersionConflictError
from pepper_tui.text import one_line
from pepper_tui.tools.approvals.approvals import Approvals
from pepper_tui.tools.approvals.attempts import CONFLICT_RETRIES
from pepper_tui.tools.approvals.policy import Policy
from pepper_tui.tools.approvals.provenance import Provenance
from pepper_tui.tools.approvals.waiting_room import WaitingRoom
from pepper_tui.tools.bodies import Bodies, as_text, error_words
from pepper_tui.tools.errors import ToolError
from pepper_tui.tools.ledger import Ledger
from pepper_tui.tools.registry import ToolRegistry
from pepper_tui.tools.tool import ToolContext

log = logging.getLogger(__name__)

Ordered = Callable[[ToolCall, Sequence[tuple[str, str]]], Awaitable[None]]
"""Called in its unit of work for a local call from the user's words, with what it writes (namespace, id)."""


class CallRunner:
    """Runs scheduled calls. ``ordered`` returns the callback for local calls, if there is one."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        registry: ToolRegistry,
        ledger: Ledger,
        bodies: Bodies,
        approvals: Approvals,
        provenance: Provenance,
        waiting: WaitingRoom,
        *,
        ordered: Callable[[], Ordered | None],
        checkpoint: Callable[[str], None],
    ) -> None:
        self._store, self._clock, self._registry, self._ledger = store, clock, registry, ledger
        self._bodies, self._approvals, self._provenance, self._waiting = bodies, approvals, provenance, waiting
        self._ordered, self._checkpoint = ordered, checkpoint
        self._opening = asyncio.Lock()
        self._leaving = asyncio.Lock()

    async def run(self, call_id: str) -> None:
        """Run the call. If what it writes is changed concurrently, run it again, up to ``CONFLICT_RETRIES`` times."""
        for _ in range(CONFLICT_RETRIES):
            if await self._run_once(call_id):
                return
        found = await self._ledger.call(call_id)
        if found is not None and found[0].state is CallState.SCHEDULED:
            words = "what it would change kept changing meanwhile"
            await self._ledger.end(*found, CallState.FAILED, words, error=words)

    async def _run_once(self, call_id: str) -> bool:
        """Run the call; return whether no other run is needed.

        A version conflict in a ``local`` body changes nothing.
        """
        found = await self._ledger.call(call_id)
        if found is None or found[0].state is not CallState.SCHEDULED:
            return True
        call, version = found
        tool = self._registry.get(call.name)
        try:
            if tool is None:
                raise ToolError(unknown_words(one_line(call.name, 60), self._registry.names()))
            call = replace(call, effect=tool.effect, started_at=self._clock.now())
            arguments = tool.validate(call.arguments)
            context = self._bodies.context(call, tool)
            if tool.needs_yes:
                await self._ask_first(context, version, arguments)
            elif tool.effect is Effect.LOCAL and not tool.rerunnable:
                await self._run_locally(context, version, partial(tool.body, context, **arguments))
            else:
                async with self._bodies.slot(tool):
                    content = await self._bodies.timed(tool, tool.body(context, **arguments))
                taints = await tool.tainted(context) if tool.tainted is not None else tool.taints
                await self._ledger.end(call, version, CallState.SUCCEEDED, as_text(content), taints=taints)
        except VersionConflictError:
            return False
        except StoreUnavailableError:
            raise  # the call itself is fine: it is resumed once the store works
        except Exception as error:
            if not self._store.closed:  # otherwise it failed only because Pepper stops; it resumes at the next start
                await self._failed(call, version, error)
        return True

    async def _failed(self, call: ToolCall, version: int, error: Exception) -> None:
        if not isinstance(error, ToolError):
            log.warning("tool %s failed", one_line(call.name, 60), exc_info=error)
        words = error_words(error)
        with contextlib.suppress(VersionConflictError):
            await self._ledger.end(call, version, CallState.FAILED, words, error=one_line(words), taints=True)

    async def _run_locally(self, context: ToolContext, version: int, body: Callable[[], Awaitable[object]]) -> None:
        tool, call = context.tool, context.call
        async with self._bodies.slot(tool), self._store.unit() as unit:
            content = await self._bodies.timed(tool, body())
            ordered = self._ordered()
            if ordered is not None and call.root == "user" and call.origin.startswith("step:") and not tool.asks:
                await ordered(call, unit.written)
            await self._ledger.end(call, version, CallState.SUCCEEDED, as_text(content), taints=tool.taints)

    async def _ask_first(self, context: ToolContext, version: int, arguments: Json) -> None:
        tool = context.tool
        assert tool.resolve is not None
        async with self._bodies.slot(tool):
            effect = await self._bodies.timed(tool, tool.resolve(context, **arguments))
        effect = replace(effect, tool=tool.name, definition=tool.definition, lines=list(effect.lines))
        if tool.about is not None:
            matter = await tool.about(context, arguments) or context.call.matter
            context = replace(context, call=replace(context.call, matter=matter))
        if tool.ordered is not None and await tool.ordered(context, effect):
            ordered = self._bodies.context(replace(context.call, summary=effect.summary), tool, approved=True)
            await self._run_locally(ordered, version, partial(tool.body, ordered, effect))
            return
        if tool.effect_of is not None:
            context = replace(context, call=replace(context.call, effect=tool.effect_of(effect.payload)))
            if context.call.effect is Effect.READ:
                await self._ledger.put_call(context.call, version)
                await self._read_at_once(context, version + 1, effect)
                return
        if tool.reaches is not None:
            address = tool.reaches(effect.payload)
            async with self._leaving:  # one at a time, so that a typed address admits only one call
                leave = await self._provenance.leave(address, context.call)
                call = replace(context.call, effect=Policy.effect_of(tool, typed=bool(leave)), leave=leave)
                if leave:
                    call = await self._ledger.put_call(call, version)
                    version += 1
            if call.effect is Effect.READ:
                await self._read_at_once(replace(context, call=call), version, effect)
                return
            effect.lines = [replace(line, untrusted=line.value == address) for line in effect.lines]
        await self._open_card(context, version, effect, str(arguments.get("reason") or ""))

    async def _read_at_once(self, context: ToolContext, version: int, effect: ResolvedEffect) -> None:
        """Carry out without a card an effect that only reads, though its tool could do more."""
        tool, call = context.tool, context.call
        try:
            async with self._bodies.slot(tool):
                content = await self._bodies.timed(tool, tool.body(context, effect))
        except StoreUnavailableError:
            raise
        except Exception as error:  # the version differs from the caller's
            await self._failed(call, version, error)
            return
        await self._ledger.end(call, version, CallState.SUCCEEDED, as_text(content), taints=tool.taints)

    async def _open_card(self, context: ToolContext, version: int, effect: ResolvedEffect, reason: str) -> None:
        tool, call = context.tool, context.call
        effect.lines = await self._provenance.mark(effect.lines, call.typed, once=tool.asks)
        effect = ResolvedEffect.of(json.loads(json.dumps(effect.data())))  # bind exactly what is stored
        async with self._opening:  # one at a time, so that caps and duplicates are counted correctly
            wait = await self._waiting.admit(call, tool, effect)
            if wait:
                await self._ledger.put_call(call, version, deferred=wait, started_at=None, summary=effect.summary)
                return
            await self._approvals.open(call, version, tool, effect, reason=reason, matter=call.matter)
        self._checkpoint("approval_open")
