"""The life of one run: from its saved state to its end.

One step is one model call; a step and the tool calls that it schedules are saved in one unit, so after a crash the run
continues from its last saved step: its events tell which calls are open, and their results are in ``tool.result``.
Steps, time and cost are bounded; a run that hits a bound fails and says so. A run's end and its agent's memory are one
unit.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from pepper_tui.llm.profile import profile_of
from pepper_tui.model import (
    OPEN_TAG,
    WORKER_RUN,
    AgentState,
    ContextFilter,
    ModelError,
    Namespace,
    RunState,
    WorkerRun,
)
from pepper_tui.store import StoreError
from pepper_tui.text import one_line
from pepper_tui.workers.kinds import Kind, KindError, ToolFailedError
from pepper_tui.workers.memory import Memory, load_memory
from pepper_tui.workers.parts import Parts
from pepper_tui.workers.run.asking import Asking, BoundError
from pepper_tui.workers.run.calls import Calls
from pepper_tui.workers.run.hearing import Hearing
from pepper_tui.workers.run.own_class import OwnRun
from pepper_tui.workers.run.saved_run import SavedRun
from pepper_tui.workers.run.slot import Slot
from pepper_tui.workers.run.thinking import Thinking

ABOUT_LIMIT: Final = 4_000  # characters of a prompt about the user
_ALL: Final = 100_000

_log = logging.getLogger(__name__)


class RunLoop:
    """Carries out one run. ``done`` is set when the run has ended and is saved, or broke."""

    def __init__(self, parts: Parts, run: WorkerRun, kind: Kind) -> None:
        self._parts, self.run, self.kind = parts, run, kind
        self.done = asyncio.Event()
        self.broken = False
        """Whether the run broke without an end; then ``done`` is set, too."""
        self.stopped = asyncio.Event()
        """Set by ``stop``."""
        self._slot = Slot(run, parts.slots, parts.clock)
        self.saved = SavedRun(parts.store, run, self._slot)
        self.calls = Calls(parts, self.saved, kind)
        self.hearing = Hearing(parts.store, self.saved, kind.max_steps, self.stopped)
        self._asking = Asking(parts.stream, self.saved, kind)
        self._memory: Memory | None = None
        self._own: OwnRun | None = None
        self._task: asyncio.Task[None] | None = None
        self._verdict: tuple[RunState, str] | None = None
        self._ending = False

    async def carry_out(self) -> None:
        """Run to the end. Cancelling the task (the program stops) leaves the run as saved, to be resumed."""
        self._task = asyncio.current_task()
        watchdog = asyncio.create_task(self._watch_time())
        try:
            state, words = await self._outcome()
            self._ending = True
            left = [one_line(told.text, 120) for told in await self.hearing.end()]
            await self._end(state, words + "".join(f"\n[It ended before it had read: {each}]" for each in left))
        finally:
            watchdog.cancel()
            self._slot.rest()
            self._slot.give_back()
        self.done.set()

    def stop(self, state: RunState, words: str) -> None:
        """End the run as ``state`` as soon as possible; no effect once it is ending."""
        if self._ending or self._verdict is not None:
            return
        self._verdict = (state, words)
        self.stopped.set()
        if self._task is not None:
            self._task.cancel()

    async def _watch_time(self) -> None:
        await self._slot.used_up(self.kind.max_seconds)
        words = f"Stopped after {self.kind.max_seconds:.0f} s of work, the bound of this kind."
        self.stop(RunState.FAILED, f"{words} {self.saved.so_far()}")

    async def _outcome(self) -> tuple[RunState, str]:
        try:
            if self._verdict is not None:
                return self._verdict
            return RunState.SUCCEEDED, await self._answer()
        except asyncio.CancelledError:
            if self._verdict is None:
                raise
            return self._verdict
        except StoreError:
            raise
        except BoundError as error:
            return RunState.FAILED, f"{error} {self.saved.so_far()}"
        except (ModelError, KindError, ToolFailedError) as error:
            return RunState.FAILED, f"The worker stopped: {error}. {self.saved.so_far()}"
        except Exception as error:
            _log.exception("run %s failed", self.run.id)
            return RunState.FAILED, f"The worker failed ({type(error).__name__}: {error}). {self.saved.so_far()}"

    async def _answer(self) -> str:
        parts, run, kind, saved = self._parts, self.run, self.kind, self.saved
        if kind.problem:
            raise KindError(kind.problem)
        if run.state is not RunState.WAITING_APPROVAL:
            await self._slot.take()
            if run.state is RunState.QUEUED:
                await saved.be(RunState.RUNNING, "starting")
        about = await profile_of(parts.store, parts.user, ABOUT_LIMIT)
        memory = AgentState()
        if run.agent:
            self._memory = await load_memory(parts.store, run.agent)
            run.tainted |= self._memory.tainted
            memory = self._memory.state
        if kind.worker is None:
            return await Thinking(parts, saved, kind, self.calls, self.hearing, self._asking, memory, about).think()
        if run.state is RunState.WAITING_APPROVAL and not saved.open_calls():
            await saved.go_on("going on")
        self._own = OwnRun(parts.clock, saved, kind, self.calls, self._asking, self._memory, about)
        return await self._own.answer(kind.worker)

    async def _end(self, state: RunState, words: str) -> None:
        run = self.run
        self._slot.rest()
        if state is RunState.SUCCEEDED and run.state is RunState.WAITING_APPROVAL:
            run.state = WORKER_RUN.move(run.state, RunState.RUNNING)
        run.state = WORKER_RUN.move(run.state, state)
        run.answer, run.doing = words, ""
        async with self._parts.store.unit():
            await self.saved.put()
            await self._remember(state, words)
        for call in await self._open_rows():
            try:
                await self._parts.cancel_call(call, "the worker's end")
            except Exception:
                _log.exception("call %s of run %s could not be cancelled", call, run.id)

    async def _remember(self, state: RunState, words: str) -> None:
        memory, own = self._memory, self._own.remembered if self._own else None
        if memory is None or (self.kind.worker and own is None):
            return
        if state is not RunState.SUCCEEDED:
            words = f"[{state}] {words}"
        memory.tainted |= self.run.tainted
        memory.remember(
            {
                "task": self.run.task,
                "answer": words if own is None else own,
                "state": str(state),
                "run": self.run.id,
                "at": self._parts.clock.now(),
            }
        )
        await memory.save(self._parts.store)

    async def _open_rows(self) -> list[str]:
        rows = await self._parts.store.query(
            ContextFilter(namespaces=[Namespace.TOOL_CALL], tags=[OPEN_TAG], limit=_ALL, include_expired=True)
        )
        return [row.context_id for row in rows if row.data.get("origin") == f"run:{self.run.id}"]
