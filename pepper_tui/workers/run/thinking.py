"""The steps of a run driven by a model: each is one model call, saved with the tool calls that it schedules."""

from __future__ import annotations

from typing import Final

from pepper_tui.model import AgentState, Completed, ModelError, ModelRequest, RunState, ToolSpec, instructions
from pepper_tui.workers.kinds import Kind
from pepper_tui.workers.parts import Parts
from pepper_tui.workers.prompts import (
    FINAL,
    FINAL_SPEC,
    NO_FINAL,
    NOTHING,
    ONLY_WORDS,
    RESULT_LIMIT,
    messages,
    new_entries,
)
from pepper_tui.workers.run.asking import Asking
from pepper_tui.workers.run.calls import Calls
from pepper_tui.workers.run.hearing import Hearing
from pepper_tui.workers.run.saved_run import SavedRun

LEAST_RESULT: Final = 1000  # results are not cut further below this many characters if the model finds them too long
REMINDERS: Final = 2  # that text alone is no answer, before it is accepted as the final one


class Thinking:
    """Steps by a model. ``memory`` is that of the run's agent, ``about`` what is known of the user."""

    def __init__(
        self,
        parts: Parts,
        saved: SavedRun,
        kind: Kind,
        calls: Calls,
        hearing: Hearing,
        asking: Asking,
        memory: AgentState,
        about: str,
    ) -> None:
        self._parts, self._saved, self._kind, self._calls = parts, saved, kind, calls
        self._hearing, self._asking, self._memory, self._about = hearing, asking, memory, about
        self._result_limit = 2 * RESULT_LIMIT

    async def think(self) -> str:
        """Return the run's answer, after as many steps as it takes."""
        while True:
            pending = self._saved.open_calls()
            if pending:
                await self._calls.collect(pending)
            elif self._saved.run.state is RunState.WAITING_APPROVAL:
                await self._saved.go_on("thinking")
            self._asking.check_bounds()
            await self._hearing.read()
            answer = await self._step()
            if answer is not None and not await self._hearing.goes_on(answer):
                return answer

    async def _step(self) -> str | None:
        """Make one model call and save it; return the final answer, or ``None`` if the run continues."""
        run = self._saved.run
        last = run.steps + 1 >= self._kind.max_steps
        tools = [FINAL_SPEC] if last else [*self._calls.tools(self._kind.tools), FINAL_SPEC]
        run.tainted |= any(tool.server for tool in tools)
        self._saved.say("thinking")
        completed = await self._ask(tools, last=last)
        run.steps += 1
        final = next((call for call in completed.calls if call.name == FINAL), None)
        wanted = [call for call in completed.calls if call.name != FINAL] if final is None else []
        calls, event = self._calls.scheduled(wanted, tools)
        event["text"] = completed.text
        refused = event.pop("refused")
        run.events += [event, *refused]
        if final is not None:
            return str(final.arguments.get("answer") or completed.text or "(no answer)")
        if not completed.calls:
            if completed.text.strip() and (last or self._said_only() > REMINDERS):
                return f"{NO_FINAL}\n{completed.text.strip()}"
            run.events.append({"kind": "trouble", "text": ONLY_WORDS if completed.text.strip() else NOTHING})
        self._saved.say(", ".join(call.name for call in calls) or "thinking")
        await self._saved.save(calls)
        return None

    async def _ask(self, tools: list[ToolSpec], *, last: bool) -> Completed:
        """Return the reply to the run's current state; results are cut shorter if the model finds it too long."""
        run, clock = self._saved.run, self._parts.clock
        while True:
            limit = self._result_limit
            servers = instructions.told(tools, limit)
            request = ModelRequest(
                role="worker",
                messages=messages(
                    run, self._kind, self._memory, clock.now(), self._parts.zone, last, limit, servers, self._about
                ),
                tools=tools,
                entries=new_entries(run),
                now=clock.now(),
                model=self._kind.model,
            )
            try:
                return await self._asking.ask(request)
            except ModelError as error:
                if error.kind != "too_long" or self._result_limit < LEAST_RESULT:
                    raise
                self._result_limit //= 4

    def _said_only(self) -> int:
        """Return how many of the last replies in a row were text without a call, including this one."""
        said = 0
        for event in reversed(self._saved.run.events):
            if event["kind"] == "model" and not event["calls"] and event["text"].strip():
                said += 1
            elif event["kind"] != "trouble":
                break
        return said
