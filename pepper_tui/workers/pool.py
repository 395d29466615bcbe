"""The pool: which runs are open, which may continue, and which wait.

A run's id is derived from the delegate call that it answers, so a call that runs again after a crash finds its run and
re-attaches. Without an agent name a run is stateless and gone when done. With a name it has memory under that name;
only one run per name works at a time, the others queue in order of arrival. ``slots`` limits the runs at work; a run
that waits, for a person or in a tool that resumes, takes no slot but keeps its name. All open runs resume at ``start``.
If a run's delegate call has ended otherwise, the run is cancelled, and so are the calls (and cards) that it left open.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
from collections.abc import Sequence
from datetime import tzinfo
from typing import Final

from pepper_tui.clock import Clock
from pepper_tui.config import User
from pepper_tui.config import Worker as WorkerConfig
from pepper_tui.model import (
    CALL_OPEN,
    OPEN_TAG,
    CallState,
    ContextFilter,
    ContextUpdate,
    Namespace,
    RunState,
    ToolCall,
    ToolSpec,
    WorkerRun,
)
from pepper_tui.store import Following, Store
from pepper_tui.text.errors import Foreseen, PepperError
from pepper_tui.workers.known_kinds import KnownKinds
from pepper_tui.workers.parts import CancelCall, Parts, Progress, Specs, Stream
from pepper_tui.workers.run.loop import RunLoop
from pepper_tui.workers.run_ids import run_id
from pepper_tui.workers.telling import Telling

_ALL: Final = 100_000
_REMEDY_PAUSE: Final = 5.0  # seconds before a broken run is resumed
_ENDED: Final = frozenset({RunState.SUCCEEDED, RunState.FAILED, RunState.CANCELLED})

_log = logging.getLogger(__name__)


class RunFailedError(PepperError, RuntimeError, Foreseen):
    """A run ended without an answer; the text says why and what it had found so far."""


class WorkerPool:
    """Carries out delegated tasks. ``cancel_call(call id, by)`` ends an open tool call with its card."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        stream: Stream,
        specs: Specs,
        kinds: Sequence[WorkerConfig],
        slots: int,
        zone: tzinfo,
        user: User,
        *,
        cancel_call: CancelCall,
    ) -> None:
        self._store, self._clock = store, clock
        self._parts = Parts(store, clock, stream, specs, cancel_call, asyncio.Semaphore(slots), zone, user)
        self._kinds = KnownKinds(store, clock, kinds)
        self._runs: dict[str, RunLoop] = {}
        self._telling = Telling(store, clock, self._runs, self._find)
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._names: dict[str, asyncio.Lock] = {}
        self._admission = asyncio.Lock()
        self._following = Following(
            store,
            [Namespace.TOOL_CALL, Namespace.TOOL_RESULT],
            resume=self._wake_all,
            take=self._take_in,
            name="workers.watch",
        )
        self._started = False

    def offer(self, spec: ToolSpec) -> ToolSpec:
        """Return ``spec``, of the tool that delegates work, with the available kinds of workers."""
        return self._kinds.offer(spec)

    async def start(self) -> None:
        """Load the kinds, resume open runs, and follow the calls of runs."""
        await self._kinds.load()
        await self._following.start()
        await self._resume()
        self._started = True

    async def stop(self) -> None:
        """Stop all runs where they are; they resume at the next start."""
        await self._following.stop()
        tasks = [*self._tasks.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._started = False

    async def delegate(self, call: ToolCall, task: str, agent: str | None, progress: Progress) -> str:
        """Return the answer to ``task``. Cancelling the caller leaves the run going.

        Raises ``ValueError`` for an invalid name, ``RunFailedError`` if the run failed or was cancelled.
        """
        if not self._started:
            raise RuntimeError("the worker pool is not started")
        run = await self._attend(call, task, agent, progress)
        while run is None:  # the store failed (such as a full disk); the run continues from its last saved step
            await self._clock.sleep(_REMEDY_PAUSE)
            run = await self._attend(call, task, agent, progress)
        if run.state is not RunState.SUCCEEDED:
            raise RunFailedError(run.answer)
        return run.answer

    async def _attend(self, call: ToolCall, task: str, agent: str | None, progress: Progress) -> WorkerRun | None:
        """Return the call's run once it has ended; None if it broke."""
        loop = await self._admit(call, task, agent)
        if not isinstance(loop, RunLoop):
            return loop
        loop.saved.progress.append(progress)
        try:
            await loop.done.wait()
        finally:
            loop.saved.progress.remove(progress)
        return None if loop.broken else loop.run

    async def tell(self, call: ToolCall, ref: str, text: str) -> str:
        """Tell a running run more, for its next step. Raises ``ValueError`` in words.

        ``ref`` is its id, that of the call that began it, or a worker's name. Repeated with the same ``call``, it is
        told only once.
        """
        if not self._started:
            raise ValueError("the worker pool is not started")
        return await self._telling.tell(call, ref, text)

    async def tainted(self, call_id: str) -> bool:
        """Return whether any input of this delegate call's answer came from outside (true if unknown)."""
        context = await self._store.get(run_id(call_id), namespace=Namespace.RUN)
        return WorkerRun.of(context).tainted if context else True

    async def cancel(self, ref: str, by: str = "the user") -> bool:
        """Cancel a run by its id or its delegate call's, with its open calls and cards. False if it has ended."""
        loop = await self._find(ref)
        if loop is None:
            return False
        loop.stop(RunState.CANCELLED, f"Cancelled by {by}.")
        await loop.done.wait()
        return loop.run.state is RunState.CANCELLED

    async def _find(self, ref: str) -> RunLoop | None:
        """Return the open run by its id or its call's; resume it if the store failed under it."""
        loop = self._runs.get(ref) or self._runs.get(run_id(ref))
        if loop is not None:
            return loop
        for ident in (ref, run_id(ref)):
            saved = await self._store.get(ident, namespace=Namespace.RUN)
            if saved is not None and WorkerRun.of(saved).state not in _ENDED:
                async with self._admission:
                    return self._runs.get(ident) or self._spawn(WorkerRun.of(saved))
        return None

    # ------------------------------------------------------------------------------------------- admission

    async def _admit(self, call: ToolCall, task: str, agent: str | None) -> RunLoop | WorkerRun:
        async with self._admission:  # equal calls share a run; names queue in order of arrival
            wanted = run_id(call.id)
            if wanted in self._runs:
                return self._runs[wanted]
            saved = await self._store.get(wanted, namespace=Namespace.RUN)
            if saved is not None:
                run = WorkerRun.of(saved)
                return run if run.state in _ENDED else self._spawn(run)
            kind, name = await self._kinds.wanted(agent)
            now = self._clock.now()
            run = WorkerRun(
                id=wanted,
                call=call.id,
                agent=name,
                kind=kind.name,
                task=task,
                created_at=now,
                root=call.root,
                tainted=call.tainted,
                doing="queued",
                events=[{"kind": "task", "matter": call.matter, "at": now}],
            )
            await self._store.put(run, namespace=Namespace.RUN, tags=[OPEN_TAG], text=task)
            return self._spawn(run)

    def _spawn(self, run: WorkerRun) -> RunLoop:
        loop = RunLoop(self._parts, run, self._kinds.of(run))
        self._runs[run.id] = loop
        # An empty context: a run must not join a handler's unit of work.
        task = asyncio.get_running_loop().create_task(
            self._carry_out(loop), name=f"worker {run.id}", context=contextvars.Context()
        )
        self._tasks[run.id] = task
        return loop

    async def _carry_out(self, loop: RunLoop) -> None:
        run = loop.run
        try:
            if run.agent:
                await self._with_name(loop)
            else:
                await loop.carry_out()
        except asyncio.CancelledError:
            raise
        except Exception:
            _log.exception("run %s broke off; it is taken up again from its last saved step", run.id)
            loop.broken = True
        finally:
            self._runs.pop(run.id, None)
            self._tasks.pop(run.id, None)
            if loop.broken:
                loop.done.set()

    async def _with_name(self, loop: RunLoop) -> None:
        lock = self._names.setdefault(loop.run.agent, asyncio.Lock())
        turn = asyncio.ensure_future(lock.acquire())
        stopped = asyncio.ensure_future(loop.stopped.wait())
        try:
            await asyncio.wait((turn, stopped), return_when=asyncio.FIRST_COMPLETED)
            await loop.carry_out()
        finally:
            stopped.cancel()
            if turn.done() and not turn.cancelled():
                lock.release()
            else:
                turn.cancel()

    # ------------------------------------------------------------------------------------------- the store's side

    async def _resume(self) -> None:
        rows = await self._store.query(
            ContextFilter(namespaces=[Namespace.RUN], tags=[OPEN_TAG], limit=_ALL, include_expired=True)
        )
        runs = sorted(WorkerRun.readable(rows), key=lambda r: (r.state is RunState.QUEUED, r.created_at))
        async with self._admission:
            for run in runs:
                if run.id in self._runs:
                    continue
                call = await self._store.get(run.call, namespace=Namespace.TOOL_CALL)
                loop = self._spawn(run)
                if call is not None and CallState(call.data["state"]) not in CALL_OPEN:
                    loop.stop(RunState.CANCELLED, "Cancelled with the call that asked for it.")
        await self._end_orphans()

    async def _end_orphans(self) -> None:
        """Cancel open calls of ended runs: a crash can come between a run's end and that of its calls."""
        rows = await self._store.query(
            ContextFilter(namespaces=[Namespace.TOOL_CALL], tags=[OPEN_TAG], limit=_ALL, include_expired=True)
        )
        for row in rows:
            origin = str(row.data.get("origin", ""))
            if not origin.startswith("run:") or origin.removeprefix("run:") in self._runs:
                continue
            saved = await self._store.get(origin.removeprefix("run:"), namespace=Namespace.RUN)
            if saved is not None and WorkerRun.of(saved).state in _ENDED:
                await self._parts.cancel_call(row.context_id, "the worker's end")

    async def _wake_all(self) -> None:
        for loop in self._runs.values():
            loop.calls.wake.set()

    async def _take_in(self, updates: list[ContextUpdate]) -> None:
        for update in updates:
            self._follow(update)

    def _follow(self, update: ContextUpdate) -> None:
        context = update.context
        origin = str(context.data.get("origin", ""))
        if origin.startswith("run:"):
            loop = self._runs.get(origin.removeprefix("run:"))
            if loop is not None:
                loop.calls.wake.set()
        own = self._runs.get(run_id(context.context_id))
        if own is not None and CallState(context.data["state"]) not in CALL_OPEN:
            own.stop(RunState.CANCELLED, "Cancelled with the call that asked for it.")
