"""The tool calls of a run: its tools, the calls that it requests, and their results.

While every open call waits for a person, or in a tool that resumes (for a mail, a slow server), the run releases its
slot and its time stops.
"""

from __future__ import annotations

import asyncio
import fnmatch
from collections.abc import Collection, Sequence
from typing import Final

from pepper_tui.model import (
    WAITS_ITS_TURN,
    CallState,
    Effect,
    Json,
    Namespace,
    RequestedCall,
    RunState,
    ToolCall,
    ToolResult,
    ToolSpec,
)
from pepper_tui.text import one_line
from pepper_tui.workers.kinds import FOR_EVERY_WORKER, NOT_FOR_WORKERS, Kind, KindError
from pepper_tui.workers.parts import Parts
from pepper_tui.workers.prompts import capped
from pepper_tui.workers.run.saved_run import SavedRun

CALLS_PER_STEP: Final = 8  # in progress at the same time; more wait their turn
_FOR_A_PERSON: Final = frozenset({CallState.WAITING_APPROVAL, CallState.UNKNOWN})


class Calls:
    """The calls of one run. The pool sets ``wake`` when one of them changed or has a result."""

    def __init__(self, parts: Parts, saved: SavedRun, kind: Kind) -> None:
        self._parts, self._saved, self._kind = parts, saved, kind
        self.wake = asyncio.Event()

    def tools(self, names: Sequence[str]) -> list[ToolSpec]:
        """Return the tools in ``names``, which may be patterns; if empty, those without outside effects."""
        known = {spec.name: spec for spec in self._parts.specs(None) if spec.name not in NOT_FOR_WORKERS}
        if not names:
            return [spec for spec in known.values() if spec.effect in (Effect.READ, Effect.LOCAL)]
        spelt = (fnmatch.filter(known, name) if "*" in name else [name] for name in names)
        names = list(dict.fromkeys(name for found in spelt for name in found))
        names += sorted(name for name in FOR_EVERY_WORKER & known.keys() if name not in names)
        missing = [name for name in names if name not in known]
        if missing and not self._kind.optional_tools:
            raise KindError(f"the kind {self._kind.name!r} names tools that there are not: {', '.join(missing)}")
        return [known[name] for name in names if name in known]

    def scheduled(self, requested: Sequence[RequestedCall], tools: Sequence[ToolSpec]) -> tuple[list[ToolCall], Json]:
        """Return the calls to store, and the model event that records all requested ones, including refused ones."""
        run, specs = self._saved.run, {spec.name: spec for spec in tools}
        now = self._parts.clock.now()
        matter = str(next((e["matter"] for e in run.events if e["kind"] == "task"), ""))
        calls: list[ToolCall] = []
        asked: list[Json] = []
        refused: list[Json] = []
        for wanted in requested:
            call_id = self._parts.clock.new_id("call")
            asked.append({"id": call_id, "name": wanted.name, "arguments": wanted.arguments})
            spec = specs.get(wanted.name)
            if spec is None:
                words = f"There is no tool {one_line(wanted.name, 60)!r} here."
                refused.append(_result(asked[-1], CallState.FAILED, words, now))
            else:
                calls.append(
                    ToolCall(
                        id=call_id,
                        name=wanted.name,
                        arguments=wanted.arguments,
                        effect=spec.effect,
                        created_at=now,
                        origin=f"run:{run.id}",
                        root=run.root,
                        tainted=run.tainted,
                        matter=matter,
                        deferred="" if len(calls) < CALLS_PER_STEP else WAITS_ITS_TURN,
                    )
                )
        return calls, {"kind": "model", "text": "", "calls": asked, "refused": refused, "at": now}

    async def collect(self, calls: Sequence[Json]) -> None:
        """Wait until each of ``calls`` has its result, and append those as events in the order of the calls."""
        found: dict[str, Json] = {}
        store, run = self._parts.store, self._saved.run
        slow = {spec.name for spec in self._parts.specs(None) if spec.resumes}
        while True:
            self.wake.clear()
            open_calls: list[ToolCall] = []
            for call in calls:
                if call["id"] in found:
                    continue
                context = await store.get(call["id"], namespace=Namespace.TOOL_RESULT)
                if context is not None:
                    result = ToolResult.of(context)
                    run.tainted |= result.tainted
                    text = capped(result.content, result.call)
                    found[call["id"]] = _result(call, result.state, text, result.created_at)
                    continue
                row = await store.get(call["id"], namespace=Namespace.TOOL_CALL)
                if row is not None:
                    open_calls.append(ToolCall.of(row))
            if len(found) == len(calls):
                break
            names = ", ".join(call["name"] for call in calls if call["id"] not in found)
            await self._rest_or_work(open_calls, slow, names)
            await self.wake.wait()
        if not self._saved.slot.held:
            await self._saved.go_on("reading results")
        run.events += [found[call["id"]] for call in calls]
        await self._saved.save()

    async def _rest_or_work(self, calls: Sequence[ToolCall], slow: Collection[str], names: str) -> None:
        """Hold a slot only while some of ``calls`` do work; ``slow`` are the tools that only wait."""
        saved = self._saved
        if calls and all(call.state in _FOR_A_PERSON for call in calls):
            if saved.run.state is RunState.RUNNING:
                await saved.rest(RunState.WAITING_APPROVAL, f"waits for your yes: {names}")
        elif calls and all(call.state in _FOR_A_PERSON or call.deferred or call.name in slow for call in calls):
            if saved.slot.held or saved.run.state is not RunState.RUNNING:
                await saved.rest(RunState.RUNNING, f"waits: {names}")
        elif not saved.slot.held:
            await saved.go_on(names)


def _result(call: Json, state: CallState, text: str, at: float) -> Json:
    return {
        "kind": "result",
        "call": call["id"],
        "name": call["name"],
        "arguments": call["arguments"],
        "state": str(state),
        "text": text,
        "at": at,
    }
