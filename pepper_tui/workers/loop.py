"""The agent loop of one run: from its saved state to its end.

One step is one model call; a step and the tool calls that it schedules are saved in one unit, so after a crash the run
goes on from its last saved step: events tell which calls are open, and their results stand in ``tool.result``.
Waiting is not work: while every open call waits for a person, or in a tool that resumes (for a mail, a slow server),
the run gives back its slot and its time stands still. Steps, time and spend are bounded; a run that hits a bound fails
and says so. A run's end and its agent's memory are one unit.
"""

from __future__ import annotations

import asyncio
import contextlib
import fnmatch
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Final

from pepper_tui.clock import Clock
from pepper_tui.config import User
from pepper_tui.llm.profile import profile_of
from pepper_tui.model import (
    OPEN_TAG,
    WAITS_ITS_TURN,
    WORKER_RUN,
    AgentState,
    CallState,
    Completed,
    ContextFilter,
    Effect,
    Json,
    ModelError,
    ModelEvent,
    ModelRequest,
    Namespace,
    RequestedCall,
    Retrying,
    RunState,
    Told,
    ToolCall,
    ToolResult,
    ToolSpec,
    WorkerRun,
    instructions,
)
from pepper_tui.store import Store, StoreError, VersionConflictError
from pepper_tui.text import one_line
from pepper_tui.text.errors import Foreseen
from pepper_tui.workers.kinds import (
    FOR_EVERY_WORKER,
    NOT_FOR_WORKERS,
    Kind,
    KindError,
    StatelessWorker,
    ToolFailedError,
)
from pepper_tui.workers.memory import Memory, load_memory
from pepper_tui.workers.own_class import carried_out_by
from pepper_tui.workers.prompts import (
    FINAL,
    FINAL_SPEC,
    MY_ANSWER,
    NO_FINAL,
    NOTHING,
    ONLY_WORDS,
    RESULT_LIMIT,
    capped,
    messages,
    new_entries,
)

CALLS_PER_STEP: Final = 8  # that are under way at once; more wait their turn
LEAST_RESULT: Final = 1000  # characters to which results are cut at most for a model that finds them too long
ABOUT_LIMIT: Final = 4_000  # characters of a prompt that say what is known of the user
REMINDERS: Final = 2  # that words alone are no answer, before they are taken as all that will come
_FOR_A_PERSON: Final = frozenset({CallState.WAITING_APPROVAL, CallState.UNKNOWN})
_ALL: Final = 100_000
_CLOSE: Final = 0.001  # seconds that are no time left: sums of floats, too short to move a clock

_log = logging.getLogger(__name__)

Stream = Callable[[ModelRequest], AsyncIterator[ModelEvent]]
Specs = Callable[[Sequence[str] | None], list[ToolSpec]]
CancelCall = Callable[[str, str], Awaitable[object]]
Progress = Callable[[str], object]


class BoundError(Exception, Foreseen):
    """A run hit a bound; the text says which."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What every run is given of the outside."""

    store: Store
    clock: Clock
    stream: Stream
    specs: Specs
    cancel_call: CancelCall
    slots: asyncio.Semaphore
    zone: tzinfo
    user: User


class RunLoop:
    """Carries out one run. ``done`` is set when the run has ended and is saved, or broke off."""

    def __init__(self, parts: Parts, run: WorkerRun, kind: Kind) -> None:
        self.parts, self.run, self.kind = parts, run, kind
        self.done = asyncio.Event()
        self.broken = False
        """Whether it broke off without an end; then ``done`` is set, too."""
        self.stopped = asyncio.Event()
        """Set by ``stop``."""
        self.wake = asyncio.Event()
        """Set by the pool when a call of this run changed or came to a result."""
        self.progress: list[Progress] = []
        self.memory: Memory | None = None
        self._task: asyncio.Task[None] | None = None
        self._watchdog: asyncio.Task[None] | None = None
        self._has_slot = False
        self._since: float | None = None
        self._moving = asyncio.Event()
        self._verdict: tuple[RunState, str] | None = None
        self._ending = False
        self._hearing = asyncio.Lock()
        self._deaf = False  # nothing that is told from now on would be read
        self._result_limit = 2 * RESULT_LIMIT
        self.about = ""
        """What is known of the user, for the prompt."""
        self.result: str | None = None
        """What a user's own class wants remembered in place of its answer."""

    @property
    def clock(self) -> Clock:
        return self.parts.clock

    # ------------------------------------------------------------------------------------------- life of the run

    async def carry_out(self) -> None:
        """Run to the end. Cancelling the task (a stop of the program) leaves the run as saved, to be resumed."""
        self._task = asyncio.current_task()
        self._watchdog = asyncio.create_task(self._watch_time())
        try:
            state, words = await self._outcome()
            self._ending = True
            async with self._hearing:
                self._deaf = True
                left = [one_line(told.text, 120) for told in await self._unread()]
            await self._end(state, words + "".join(f"\n[It ended before it had read: {each}]" for each in left))
        finally:
            self._watchdog.cancel()
            self._rest_clock()
            if self._has_slot:
                self._has_slot = False
                self.parts.slots.release()
        self.done.set()

    def stop(self, state: RunState, words: str) -> None:
        """End the run as ``state`` as soon as possible; without effect once it is ending."""
        if self._ending or self._verdict is not None:
            return
        self._verdict = (state, words)
        self.stopped.set()
        if self._task is not None:
            self._task.cancel()

    # ------------------------------------------------------------------------------------------- what it is told

    async def hear(self, told: Told) -> None:
        """Keep words for the run's next step. Raises ``ValueError`` where it takes none any more."""
        async with self._hearing:
            if self._deaf or self._verdict is not None:
                raise ValueError("it has just ended")
            with contextlib.suppress(VersionConflictError):  # told again after a crash
                await self.parts.store.put(
                    told, namespace=Namespace.TOLD, tags=[_told_tag(self.run.id)], text=told.text, expect_version=0
                )

    async def _unread(self) -> list[Told]:
        read = {event["id"] for event in self.run.events if event["kind"] == "told"}
        found = await self.parts.store.query(
            ContextFilter(namespaces=[Namespace.TOLD], tags=[_told_tag(self.run.id)], newest_first=False, limit=_ALL)
        )
        return [told for told in Told.readable(found) if told.id not in read]

    def _read(self, words: Sequence[Told]) -> None:
        for told in words:
            self.run.tainted |= told.tainted
            facts = {"id": told.id, "text": told.text, "root": told.root, "at": told.created_at}
            self.run.events.append({"kind": "told", **facts})

    async def _goes_on(self, answer: str) -> bool:
        """Whether the run, which has its ``answer``, was told more meanwhile and has a step left for it."""
        async with self._hearing:
            unread = await self._unread()
            if not unread or self.run.steps >= self.kind.max_steps:
                self._deaf = True
                return False
            self.run.events[-1]["text"] = f"{MY_ANSWER}\n{answer}"
            self._read(unread)
        await self.save()
        return True

    async def _outcome(self) -> tuple[RunState, str]:
        try:
            if self._verdict is not None:
                return self._verdict
            if self.kind.problem:
                raise KindError(self.kind.problem)
            if self.run.state is not RunState.WAITING_APPROVAL:
                await self._take_slot()
                if self.run.state is RunState.QUEUED:
                    await self._be(RunState.RUNNING, "starting")
            self.about = await profile_of(self.parts.store, self.parts.user, ABOUT_LIMIT)
            if self.run.agent:
                self.memory = await load_memory(self.parts.store, self.run.agent)
                self.run.tainted |= self.memory.tainted
            answer = await (self._own(self.kind.worker) if self.kind.worker else self._think())
            return RunState.SUCCEEDED, answer
        except asyncio.CancelledError:
            if self._verdict is None:
                raise
            return self._verdict
        except StoreError:
            raise
        except BoundError as error:
            return RunState.FAILED, f"{error} {self._so_far()}"
        except (ModelError, KindError, ToolFailedError) as error:
            return RunState.FAILED, f"The worker stopped: {error}. {self._so_far()}"
        except Exception as error:
            _log.exception("run %s failed", self.run.id)
            return RunState.FAILED, f"The worker failed ({type(error).__name__}: {error}). {self._so_far()}"

    async def _end(self, state: RunState, words: str) -> None:
        run = self.run
        self._rest_clock()
        if state is RunState.SUCCEEDED and run.state is RunState.WAITING_APPROVAL:
            run.state = WORKER_RUN.move(run.state, RunState.RUNNING)
        run.state = WORKER_RUN.move(run.state, state)
        run.answer, run.doing = words, ""
        async with self.parts.store.unit():
            await self._put()
            await self._remember(state, words)
        for call in await self._open_rows():
            try:
                await self.parts.cancel_call(call, "the worker's end")
            except Exception:
                _log.exception("call %s of run %s could not be cancelled", call, run.id)

    async def _remember(self, state: RunState, words: str) -> None:
        memory = self.memory
        if memory is None or (self.kind.worker and self.result is None):
            return
        if state is not RunState.SUCCEEDED:
            words = f"[{state}] {words}"
        memory.tainted |= self.run.tainted
        memory.remember(
            {
                "task": self.run.task,
                "answer": words if self.result is None else self.result,
                "state": str(state),
                "run": self.run.id,
                "at": self.parts.clock.now(),
            }
        )
        await memory.save(self.parts.store)

    async def _open_rows(self) -> list[str]:
        rows = await self.parts.store.query(
            ContextFilter(namespaces=[Namespace.TOOL_CALL], tags=[OPEN_TAG], limit=_ALL, include_expired=True)
        )
        return [row.context_id for row in rows if row.data.get("origin") == f"run:{self.run.id}"]

    def _so_far(self) -> str:
        said = [e["text"] for e in self.run.events if e["kind"] == "model" and e["text"]]
        found = [f"{e['name']}: {one_line(e['text'], 200)}" for e in self.run.events if e["kind"] == "result"]
        parts = [*(one_line(t, 400) for t in said[-1:]), *found[-3:]]
        return "Nothing was found by then." if not parts else "Unfinished; by then: " + " | ".join(parts)

    # ------------------------------------------------------------------------------------------- slots and time

    async def _take_slot(self) -> None:
        await self.parts.slots.acquire()
        self._has_slot = True
        self._since = self.parts.clock.monotonic()
        self._moving.set()

    def _rest_clock(self) -> None:
        if self._since is not None:
            self.run.active_seconds += self.parts.clock.monotonic() - self._since
            self._since = None
        self._moving.clear()

    def _tick(self) -> None:
        if self._since is not None:
            now = self.parts.clock.monotonic()
            self.run.active_seconds += now - self._since
            self._since = now

    async def _watch_time(self) -> None:
        while True:
            await self._moving.wait()
            self._tick()
            left = self.kind.max_seconds - self.run.active_seconds
            if left < _CLOSE:
                words = f"Stopped after {self.kind.max_seconds:.0f} s of work, the bound of this kind."
                self.stop(RunState.FAILED, f"{words} {self._so_far()}")
                return
            await self.parts.clock.sleep(left)

    async def _rest(self, state: RunState, doing: str) -> None:
        """Give back the slot and stop the time, as ``state``."""
        self._rest_clock()
        await self._be(state, doing)
        if self._has_slot:
            self._has_slot = False
            self.parts.slots.release()

    async def _go_on(self, doing: str) -> None:
        if not self._has_slot:
            await self._take_slot()
        await self._be(RunState.RUNNING, doing)

    # ------------------------------------------------------------------------------------------- saving

    async def _put(self) -> None:
        run = self.run
        tags = [OPEN_TAG] if run.state in WORKER_RUN.open else []
        await self.parts.store.put(run, namespace=Namespace.RUN, tags=tags, text=f"{run.task}\n{run.answer}".strip())

    async def save(self, calls: Sequence[ToolCall] = ()) -> None:
        self._tick()
        async with self.parts.store.unit():
            await self._put()
            for call in calls:
                await self.parts.store.put(call, namespace=Namespace.TOOL_CALL, tags=[OPEN_TAG])

    async def _be(self, state: RunState, doing: str) -> None:
        if self.run.state is not state:
            self.run.state = WORKER_RUN.move(self.run.state, state)
        self.say(doing)
        await self.save()

    def say(self, doing: str) -> None:
        self.run.doing = doing
        for tell in self.progress:
            tell(doing)

    # ------------------------------------------------------------------------------------------- tools

    def tools(self, names: Sequence[str]) -> list[ToolSpec]:
        known = {spec.name: spec for spec in self.parts.specs(None) if spec.name not in NOT_FOR_WORKERS}
        if not names:
            return [spec for spec in known.values() if spec.effect in (Effect.READ, Effect.LOCAL)]
        spelt = (fnmatch.filter(known, name) if "*" in name else [name] for name in names)
        names = list(dict.fromkeys(name for found in spelt for name in found))
        names += sorted(name for name in FOR_EVERY_WORKER & known.keys() if name not in names)
        missing = [name for name in names if name not in known]
        if missing and not self.kind.optional_tools:
            raise KindError(f"the kind {self.kind.name!r} names tools that there are not: {', '.join(missing)}")
        return [known[name] for name in names if name in known]

    def scheduled(self, requested: Sequence[RequestedCall], tools: Sequence[ToolSpec]) -> tuple[list[ToolCall], Json]:
        """The calls to store, and the model event that records all that were asked for, refused ones too."""
        specs = {spec.name: spec for spec in tools}
        now = self.parts.clock.now()
        matter = str(next((e["matter"] for e in self.run.events if e["kind"] == "task"), ""))
        calls: list[ToolCall] = []
        asked: list[Json] = []
        refused: list[Json] = []
        for wanted in requested:
            call_id = self.parts.clock.new_id("call")
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
                        origin=f"run:{self.run.id}",
                        root=self.run.root,
                        tainted=self.run.tainted,
                        matter=matter,
                        deferred="" if len(calls) < CALLS_PER_STEP else WAITS_ITS_TURN,
                    )
                )
        return calls, {"kind": "model", "text": "", "calls": asked, "refused": refused, "at": now}

    def open_calls(self) -> list[Json]:
        answered = {event["call"] for event in self.run.events if event["kind"] == "result"}
        asked = [call for event in self.run.events if event["kind"] == "model" for call in event["calls"]]
        return [call for call in asked if call["id"] not in answered]

    async def collect(self, calls: Sequence[Json]) -> None:
        """Wait until each of ``calls`` has its result, and append those as events in the order of the calls."""
        found: dict[str, Json] = {}
        store = self.parts.store
        slow = {spec.name for spec in self.parts.specs(None) if spec.resumes}
        while True:
            self.wake.clear()
            open_calls: list[ToolCall] = []
            for call in calls:
                if call["id"] in found:
                    continue
                context = await store.get(call["id"], namespace=Namespace.TOOL_RESULT)
                if context is not None:
                    result = ToolResult.of(context)
                    self.run.tainted |= result.tainted
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
        if not self._has_slot:
            await self._go_on("reading results")
        self.run.events += [found[call["id"]] for call in calls]
        await self.save()

    async def _rest_or_work(self, calls: Sequence[ToolCall], slow: Collection[str], names: str) -> None:
        """Hold a slot only while some of ``calls`` is work; ``slow`` are the tools that only wait."""
        if calls and all(call.state in _FOR_A_PERSON for call in calls):
            if self.run.state is RunState.RUNNING:
                await self._rest(RunState.WAITING_APPROVAL, f"waits for your yes: {names}")
        elif calls and all(call.state in _FOR_A_PERSON or call.deferred or call.name in slow for call in calls):
            if self._has_slot or self.run.state is not RunState.RUNNING:
                await self._rest(RunState.RUNNING, f"waits: {names}")
        elif not self._has_slot:
            await self._go_on(names)

    # ------------------------------------------------------------------------------------------- thinking

    async def _own(self, worker: type[StatelessWorker]) -> str:
        if self.run.state is RunState.WAITING_APPROVAL and not self.open_calls():
            await self._go_on("going on")
        return await carried_out_by(worker, self)

    async def _think(self) -> str:
        while True:
            pending = self.open_calls()
            if pending:
                await self.collect(pending)
            elif self.run.state is RunState.WAITING_APPROVAL:
                await self._go_on("thinking")
            self.check_bounds()
            self._read(await self._unread())
            answer = await self._step()
            if answer is not None and not await self._goes_on(answer):
                return answer

    def check_bounds(self) -> None:
        if self.run.steps >= self.kind.max_steps:
            raise BoundError(f"Stopped after {self.run.steps} steps, the bound of this kind.")
        if self.run.spent and self.run.spent >= self.kind.max_cost:
            raise BoundError(f"Stopped at a cost of {self.run.spent:.4f}, the bound of this kind.")

    async def _step(self) -> str | None:
        """One model call and its saving; the final answer, or ``None`` where the run goes on."""
        run, clock = self.run, self.parts.clock
        last = run.steps + 1 >= self.kind.max_steps
        tools = [FINAL_SPEC] if last else [*self.tools(self.kind.tools), FINAL_SPEC]
        memory = self.memory.state if self.memory else AgentState()
        run.tainted |= any(tool.server for tool in tools)
        self.say("thinking")
        completed: Completed | None = None
        while completed is None:
            servers, limit = instructions.told(tools, self._result_limit), self._result_limit
            request = ModelRequest(
                role="worker",
                messages=messages(
                    run, self.kind, memory, clock.now(), self.parts.zone, last, limit, servers, self.about
                ),
                tools=tools,
                entries=new_entries(run),
                now=clock.now(),
                model=self.kind.model,
            )
            try:
                completed = await self.ask(request)
            except ModelError as error:
                if error.kind != "too_long" or self._result_limit < LEAST_RESULT:
                    raise
                self._result_limit //= 4
        run.steps += 1
        final = next((call for call in completed.calls if call.name == FINAL), None)
        calls, event = self.scheduled([c for c in completed.calls if c.name != FINAL] if final is None else [], tools)
        event["text"] = completed.text
        refused = event.pop("refused")
        run.events += [event, *refused]
        if final is not None:
            return str(final.arguments.get("answer") or completed.text or "(no answer)")
        if not completed.calls:
            if completed.text.strip() and (last or self._said_only() > REMINDERS):
                return f"{NO_FINAL}\n{completed.text.strip()}"
            run.events.append({"kind": "trouble", "text": ONLY_WORDS if completed.text.strip() else NOTHING})
        self.say(", ".join(call.name for call in calls) or "thinking")
        await self.save(calls)
        return None

    def _said_only(self) -> int:
        """How many of the last replies in a row were words without a call, this one included."""
        said = 0
        for event in reversed(self.run.events):
            if event["kind"] == "model" and not event["calls"] and event["text"].strip():
                said += 1
            elif event["kind"] != "trouble":
                break
        return said

    async def ask(self, request: ModelRequest) -> Completed:
        """One valid reply; what further attempts cost and wait for is the run's."""
        stream = self.parts.stream(request)
        completed: Completed | None = None
        try:
            async for event in stream:
                if isinstance(event, Retrying):
                    self.run.spent += event.error.usage.cost if event.error.usage else 0.0
                    self.check_bounds()
                    self.say(f"{event.error.words}; again in {event.pause:.0f} s")
                elif isinstance(event, Completed):
                    completed = event
        except ModelError as error:
            self.run.spent += error.usage.cost if error.usage else 0.0
            raise
        finally:
            if isinstance(stream, AsyncGenerator):
                await stream.aclose()
        if completed is None:
            raise ModelError("cut", "The model's reply broke off", retryable=True)
        self.run.spent += completed.usage.cost
        return completed


def _told_tag(run: str) -> str:
    return f"run:{run}"


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
