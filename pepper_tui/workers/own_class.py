"""A run that a user's own class carries out.

Each call and thought of it is saved before its answer is used, so after a crash ``execute_task`` runs again from the
top, and what was saved is handed out again, in its order, until it is used up.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from pepper_tui.clock import Clock
from pepper_tui.model import (
    AgentState,
    CallState,
    Completed,
    Json,
    ModelRequest,
    RequestedCall,
    ToolCall,
    ToolSpec,
    WorkerRun,
)
from pepper_tui.text import escape
from pepper_tui.workers.kinds import Kind, StatelessWorker, ToolFailedError
from pepper_tui.workers.memory import Memory
from pepper_tui.workers.prompts import new_entries, system_prompt


class Run(Protocol):
    """A run, as far as the class that carries it out needs it; see ``RunLoop``."""

    about: str
    result: str | None
    memory: Memory | None

    @property
    def run(self) -> WorkerRun: ...

    @property
    def kind(self) -> Kind: ...

    @property
    def clock(self) -> Clock: ...

    def check_bounds(self) -> None: ...

    def tools(self, names: Sequence[str], /) -> list[ToolSpec]: ...

    def scheduled(
        self, requested: Sequence[RequestedCall], tools: Sequence[ToolSpec], /
    ) -> tuple[list[ToolCall], Json]: ...

    def open_calls(self) -> list[Json]: ...

    async def collect(self, calls: Sequence[Json], /) -> None: ...

    def say(self, doing: str, /) -> None: ...

    async def save(self, calls: Sequence[ToolCall] = (), /) -> None: ...

    async def ask(self, request: ModelRequest, /) -> Completed: ...


async def carried_out_by(worker: type[StatelessWorker], loop: Run) -> str:
    """The answer of a new ``worker`` to the run's task."""
    own = worker()
    own.attach(_Hands(loop, loop.kind.tools or tuple(own.tools)))
    return _as_text(await own.execute_task(loop.run.task))


class _Hands:
    """What the run lends to the class. Calls at the same time run one after the other."""

    def __init__(self, loop: Run, tools: tuple[str, ...]) -> None:
        self._loop, self._tools = loop, tools
        self._events = loop.run.events
        self._replayed: set[int] = set()
        self._one = asyncio.Lock()

    def _replay(self, matches: Callable[[Json], bool]) -> Json | None:
        """The first saved event that ``matches`` and was not given out since the last start."""
        for number, event in enumerate(self._events):
            if number not in self._replayed and matches(event):
                self._replayed.add(number)
                return event
        return None

    async def call_tool(self, name: str, arguments: dict[str, Any]) -> str:
        loop = self._loop
        async with self._one:
            asked = {"name": name, "arguments": arguments}
            event = self._replay(
                lambda e: e["kind"] == "model" and [{k: c[k] for k in asked} for c in e["calls"]] == [asked]
            )
            if event is None:
                loop.check_bounds()
                calls, event = loop.scheduled([RequestedCall("", name, arguments)], loop.tools(self._tools))
                loop.run.steps += 1
                self._replayed.add(len(self._events))
                self._events += [event, *event.pop("refused")]
                loop.say(name)
                await loop.save(calls)
            call = event["calls"][0]
            if any(open_call["id"] == call["id"] for open_call in loop.open_calls()):
                await loop.collect([call])
            result = next(e for e in self._events if e["kind"] == "result" and e["call"] == call["id"])
            if result["state"] != CallState.SUCCEEDED:
                raise ToolFailedError(f"{name}: {result['text']}")
            return str(result["text"])

    async def think(self, prompt: str) -> str:
        loop = self._loop
        async with self._one:
            event = self._replay(lambda e: e["kind"] == "thought" and e["prompt"] == prompt)
            if event is None:
                loop.check_bounds()
                loop.say("thinking")
                now = loop.clock.now()
                chat: list[Json] = [
                    {"role": "system", "content": system_prompt(loop.kind, loop.about)},
                    {"role": "user", "content": escape(prompt)},  # what it holds of a task or a result is from outside
                ]
                completed = await loop.ask(
                    ModelRequest("worker", chat, entries=new_entries(loop.run), now=now, model=loop.kind.model)
                )
                loop.run.steps += 1
                event = {"kind": "thought", "prompt": prompt, "text": completed.text, "at": now}
                self._replayed.add(len(self._events))
                self._events.append(event)
                await loop.save()
            return str(event["text"])

    async def load_state(self) -> AgentState | None:
        memory = self._loop.memory
        if memory is None or not (memory.state.events or memory.state.summary):
            return None
        return AgentState(list(memory.state.events), memory.state.summary)

    async def save_state(self, result: Any) -> None:
        self._loop.result = _as_text(result)


def _as_text(result: Any) -> str:
    return result if isinstance(result, str) else json.dumps(result, ensure_ascii=False, default=str)
