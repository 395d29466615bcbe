"""A scripted model and a tool executor that answers calls in the store, as the tool engine does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC
from pathlib import Path

from pepper_tui.clock import ManualClock
from pepper_tui.config import User, Worker
from pepper_tui.llm.attempts import Attempts, Source
from pepper_tui.model import (
    OPEN_TAG,
    TOOL_CALL,
    CallState,
    Completed,
    ContextFilter,
    Effect,
    ModelError,
    ModelEvent,
    ModelRequest,
    Namespace,
    RequestedCall,
    ToolCall,
    ToolResult,
    ToolSpec,
    Usage,
)
from pepper_tui.store import ContextStore
from pepper_tui.workers import WorkerPool

OBJECT = {"type": "object", "properties": {}}
SPECS = [
    ToolSpec("look", "Look.", OBJECT, Effect.READ),
    ToolSpec("note", "Note.", OBJECT, Effect.LOCAL),
    ToolSpec("wait_for_mail", "Wait.", OBJECT, Effect.READ, resumes=True),
    ToolSpec("send_mail", "Send.", OBJECT, Effect.SEND),
    ToolSpec("delegate", "Delegate.", OBJECT, Effect.READ),
    ToolSpec("more_tools", "Offer more.", OBJECT, Effect.READ),
]

Reply = Completed | ModelError
Script = Callable[[ModelRequest], Reply]


def reply(text: str = "", *calls: tuple[str, dict[str, object]], cost: float = 0.01) -> Completed:
    requested = tuple(RequestedCall(f"m{n}", name, dict(arguments)) for n, (name, arguments) in enumerate(calls))
    return Completed(text, requested, Usage("fake", "worker", 10, 0, 5, cost, 0.0))


def final(answer: str) -> Completed:
    return reply("", ("return_final_answer", {"answer": answer}))


class Model:
    """Answers by ``script``; keeps the requests. ``gate`` clear: replies wait."""

    def __init__(self, script: Script | Sequence[Reply]) -> None:
        if not callable(script):
            left = list(script)
            self.script: Script = lambda request: left.pop(0)
        else:
            self.script = script
        self.requests: list[ModelRequest] = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def stream(self, request: ModelRequest) -> AsyncIterator[ModelEvent]:
        self.requests.append(request)
        await self.gate.wait()
        answer = self.script(request)
        if isinstance(answer, ModelError):
            raise answer
        yield answer


class Executor:
    """Answers open calls of runs; holds those whose tool is in ``held`` and puts sends before a person. ``taints`` are
    the tools whose results hold what others may have written."""

    def __init__(self, store: ContextStore, clock: ManualClock) -> None:
        self.store, self.clock = store, clock
        self.held: set[str] = set()
        self.taints: set[str] = set()
        self.performed: list[str] = []
        self.cancelled: list[str] = []
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        ready = asyncio.Event()
        self._task = asyncio.create_task(self._watch(ready))
        await ready.wait()

    async def stop(self) -> None:
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def open_calls(self) -> list[ToolCall]:
        rows = await self.store.query(ContextFilter(namespaces=[Namespace.TOOL_CALL], tags=[OPEN_TAG], limit=1000))
        return [call for call in map(ToolCall.of, rows) if call.origin.startswith("run:")]

    async def _watch(self, ready: asyncio.Event) -> None:
        async with self.store.watch([Namespace.TOOL_CALL]) as live:
            ready.set()
            for call in await self.open_calls():
                await self._consider(call)
            async for batch in live:
                for update in batch:
                    call = ToolCall.of(update.context)
                    if call.origin.startswith("run:"):
                        await self._consider(call)

    async def _consider(self, call: ToolCall) -> None:
        if call.state is not CallState.SCHEDULED or call.name in self.held:
            return
        if call.effect is Effect.SEND:
            call.state = TOOL_CALL.move(call.state, CallState.WAITING_APPROVAL)
            await self.store.put(call, namespace=Namespace.TOOL_CALL, tags=[OPEN_TAG])
        else:
            self.performed.append(call.name)
            await self.answer(call, CallState.SUCCEEDED, f"<b>{call.name}</b> says ok")

    async def answer(self, call: ToolCall, state: CallState, content: str) -> None:
        if call.state is CallState.WAITING_APPROVAL and state is CallState.SUCCEEDED:
            call.state = TOOL_CALL.move(call.state, CallState.ATTEMPTED)
        call.state = TOOL_CALL.move(call.state, state)
        tainted = call.tainted or call.name in self.taints
        result = ToolResult(
            call.id, call.name, call.arguments, state, content, self.clock.now(), call.origin, call.root, tainted
        )
        async with self.store.unit():
            await self.store.put(call, namespace=Namespace.TOOL_CALL)
            await self.store.put(result, namespace=Namespace.TOOL_RESULT, context_id=call.id)

    async def cancel(self, call_id: str, by: str) -> None:
        saved = await self.store.get(call_id, namespace=Namespace.TOOL_CALL)
        assert saved is not None
        call = ToolCall.of(saved)
        if call.state in (CallState.SCHEDULED, CallState.WAITING_APPROVAL):
            self.cancelled.append(call_id)
            await self.answer(call, CallState.CANCELLED, f"cancelled by {by}")


class House:
    """Store, executor and pool in one home, which can be closed and opened again."""

    user = User(name="Ada Lovelace", addresses=["ada@example.org"])

    def __init__(self, path: Path, clock: ManualClock, model: Model, kinds: Sequence[Worker] = (), slots: int = 4):
        self.path, self.clock, self.model, self.kinds, self.slots = path, clock, model, kinds, slots

    async def open(self, held: Sequence[str] = ()) -> House:
        self.store = await ContextStore.open(self.path, self.clock)
        self.executor = Executor(self.store, self.clock)
        self.executor.held = set(held)
        self.pool = WorkerPool(
            self.store,
            self.clock,
            Attempts(self.clock, Source("fake", self.model.stream)).stream,
            lambda names: SPECS,
            self.kinds,
            self.slots,
            UTC,
            self.user,
            cancel_call=self.executor.cancel,
        )
        await self.executor.start()
        await self.pool.start()
        return self

    async def close(self) -> None:
        await self.pool.stop()
        await self.executor.stop()
        await self.store.close()

    def call(self, name: str = "d1") -> ToolCall:
        return ToolCall(name, "delegate", {}, Effect.READ, self.clock.now(), "step:s1", root="user", tainted=False)
