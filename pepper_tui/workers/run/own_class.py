"""A run carried out by a user's own class.

Each of its calls and thoughts is saved before its answer is used, so after a crash ``execute_task`` runs again from the
top, and what was saved is replayed in order until it is used up.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

from pepper_tui.clock import Clock
from pepper_tui.model import AgentState, CallState, Json, ModelRequest, RequestedCall
from pepper_tui.text import escape
from pepper_tui.workers.kinds import Kind, StatelessWorker, ToolFailedError
from pepper_tui.workers.memory import Memory
from pepper_tui.workers.prompts import new_entries, system_prompt
from pepper_tui.workers.run.asking import Asking
from pepper_tui.workers.run.calls import Calls
from pepper_tui.workers.run.saved_run import SavedRun


class OwnRun:
    """What the run provides to the class. Concurrent calls run one after the other."""

    def __init__(
        self,
        clock: Clock,
        saved: SavedRun,
        kind: Kind,
        calls: Calls,
        asking: Asking,
        memory: Memory | None,
        about: str,
    ) -> None:
        self._clock, self._saved, self._kind, self._calls = clock, saved, kind, calls
        self._asking, self._memory, self._about = asking, memory, about
        self._events = saved.run.events
        self._tools: tuple[str, ...] = kind.tools
        self._replayed: set[int] = set()
        self._one = asyncio.Lock()
        self.remembered: str | None = None
        """What the class wants remembered instead of its answer."""

    async def answer(self, worker: type[StatelessWorker]) -> str:
        """Return a new ``worker``'s answer to the run's task."""
        own = worker()
        self._tools = self._kind.tools or tuple(own.tools)
        own.attach(self)
        return _as_text(await own.execute_task(self._saved.run.task))

    def _replay(self, matches: Callable[[Json], bool]) -> Json | None:
        """Return the first saved event that ``matches`` and was not replayed since the last start."""
        for number, event in enumerate(self._events):
            if number not in self._replayed and matches(event):
                self._replayed.add(number)
                return event
        return None

    async def call_tool(self, name: str, arguments: dict[str, Any]) -> str:
        async with self._one:
            asked = {"name": name, "arguments": arguments}
            event = self._replay(
                lambda e: e["kind"] == "model" and [{k: c[k] for k in asked} for c in e["calls"]] == [asked]
            )
            if event is None:
                self._asking.check_bounds()
                calls, event = self._calls.scheduled(
                    [RequestedCall("", name, arguments)], self._calls.tools(self._tools)
                )
                self._saved.run.steps += 1
                self._replayed.add(len(self._events))
                self._events += [event, *event.pop("refused")]
                self._saved.say(name)
                await self._saved.save(calls)
            call = event["calls"][0]
            if any(open_call["id"] == call["id"] for open_call in self._saved.open_calls()):
                await self._calls.collect([call])
            result = next(e for e in self._events if e["kind"] == "result" and e["call"] == call["id"])
            if result["state"] != CallState.SUCCEEDED:
                raise ToolFailedError(f"{name}: {result['text']}")
            return str(result["text"])

    async def think(self, prompt: str) -> str:
        async with self._one:
            event = self._replay(lambda e: e["kind"] == "thought" and e["prompt"] == prompt)
            if event is None:
                self._asking.check_bounds()
                self._saved.say("thinking")
                now = self._clock.now()
                chat: list[Json] = [
                    {"role": "system", "content": system_prompt(self._kind, self._about)},
                    {"role": "user", "content": escape(prompt)},  # parts of a task or a result in it come from outside
                ]
                completed = await self._asking.ask(
                    ModelRequest("worker", chat, entries=new_entries(self._saved.run), now=now, model=self._kind.model)
                )
                self._saved.run.steps += 1
                event = {"kind": "thought", "prompt": prompt, "text": completed.text, "at": now}
                self._replayed.add(len(self._events))
                self._events.append(event)
                await self._saved.save()
            return str(event["text"])

    async def load_state(self) -> AgentState | None:
        memory = self._memory
        if memory is None or not (memory.state.events or memory.state.summary):
            return None
        return AgentState(list(memory.state.events), memory.state.summary)

    async def save_state(self, result: Any) -> None:
        self.remembered = _as_text(result)


def _as_text(result: Any) -> str:
    return result if isinstance(result, str) else json.dumps(result, ensure_ascii=False, default=str)
