"""Runs under delegate, answers, cancel and restart in any order, against a plain model of the run table."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from pepper_tui.clock import ManualClock
from pepper_tui.config import Worker
from pepper_tui.model import CallState, ModelRequest, Namespace, RunState, WorkerRun
from pepper_tui.workers import run_id
from tests.waiting import until
from tests.workers.fakes import House, Model, Reply, final, reply

KINDS = [Worker(name=name, stateful=True, tools=["send_mail"]) for name in ("amy", "bob")]


def script(request: ModelRequest) -> Reply:
    """One proposal, then the answer."""
    asked = any(message["role"] == "tool" for message in request.messages)
    return final("sent") if asked else reply("", ("send_mail", {}))


class RunMachine(RuleBasedStateMachine):
    """The plain model: each name's runs in order; the first that has not ended waits for a yes, the rest are queued."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.folder = tempfile.TemporaryDirectory()
        self.house = House(Path(self.folder.name) / "store.db", ManualClock(), Model(script), KINDS, slots=1)
        self.names: dict[str, str] = {}
        self.ended: dict[str, RunState] = {}
        self.tasks: list[asyncio.Task[Any]] = []

    def run(self, work: Any) -> Any:
        return self.loop.run_until_complete(work)

    @initialize()
    def begin(self) -> None:
        self.run(self.house.open())

    def expected(self) -> dict[str, RunState]:
        waiting: set[str] = set()
        states = {}
        for call, name in self.names.items():
            if call in self.ended:
                states[call] = self.ended[call]
            else:
                states[call] = RunState.QUEUED if name in waiting else RunState.WAITING_APPROVAL
                waiting.add(name)
        return states

    def check(self) -> None:
        async def agrees() -> bool:
            states = {}
            for call in self.names:
                context = await self.house.store.get(run_id(call), namespace=Namespace.RUN)
                if context is None:
                    return False
                states[call] = WorkerRun.of(context).state
            open_cards = {c.origin for c in await self.house.executor.open_calls()}
            wanted = self.expected()
            cards = {f"run:{run_id(c)}" for c, s in wanted.items() if s is RunState.WAITING_APPROVAL}
            return states == wanted and open_cards == cards

        self.run(until(agrees, 10.0, "agreement with the plain model"))

    @rule(name=st.sampled_from(["amy", "bob"]))
    def delegate(self, name: str) -> None:
        call = f"d{len(self.names)}"
        self.names[call] = name
        self.house.clock.jump(1)

        async def begin() -> None:
            self.ask(call)

        self.run(begin())
        self.check()

    def ask(self, call: str) -> None:
        work = self.house.pool.delegate(self.house.call(call), f"task {call}", self.names[call], lambda _: None)
        self.tasks.append(self.loop.create_task(work))

    @rule(pick=st.integers(0, 9), yes=st.booleans())
    def decide(self, pick: int, yes: bool) -> None:
        waiting = [c for c, s in self.expected().items() if s is RunState.WAITING_APPROVAL]
        if not waiting:
            return
        call = waiting[pick % len(waiting)]

        async def answer() -> None:
            [card] = [c for c in await self.house.executor.open_calls() if c.origin == f"run:{run_id(call)}"]
            await self.house.executor.answer(card, CallState.SUCCEEDED if yes else CallState.CANCELLED, "decided")

        self.run(answer())
        self.ended[call] = RunState.SUCCEEDED
        self.check()

    @rule(pick=st.integers(0, 9))
    def cancel(self, pick: int) -> None:
        going = [call for call in self.names if call not in self.ended]
        if not going:
            return
        call = going[pick % len(going)]
        assert self.run(self.house.pool.cancel(call))
        self.ended[call] = RunState.CANCELLED
        self.check()

    @rule()
    def restart(self) -> None:
        self.run(self.drop())
        self.run(self.house.open())
        self.check()

    async def drop(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        self.tasks.clear()
        await self.house.close()

    def teardown(self) -> None:
        if hasattr(self.house, "store"):
            self.run(self.drop())
        self.loop.close()
        self.folder.cleanup()


TestRunTable: Callable[..., Any] = RunMachine.TestCase
RunMachine.TestCase.settings = settings(
    max_examples=12, stateful_step_count=12, deadline=None, suppress_health_check=list(HealthCheck)
)
