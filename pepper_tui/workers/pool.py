"""The pool: which runs are open, who may go on, and who waits.

A run's id is made of the delegate call that it answers, so a call that runs again after a crash finds its run and
re-attaches. No agent name: stateless, gone when done. A name: memory under that name, one run at a time a name, others
queue first come, first served. ``slots`` limits the runs at work; a run that waits, for a person or in a tool that
resumes, holds none but keeps its name. Everything open resumes at ``start``. A run whose delegate call ended otherwise
is cancelled, and so are the calls (and cards) that it left open.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
from collections.abc import Sequence
from dataclasses import replace
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
    Health,
    Namespace,
    RunState,
    Told,
    ToolCall,
    ToolSpec,
    WorkerRun,
)
from pepper_tui.store import Following, Store
from pepper_tui.text import one_line
from pepper_tui.text.errors import Foreseen
from pepper_tui.workers.kinds import GENERAL, Kind, described, load_kinds
from pepper_tui.workers.loop import CancelCall, Parts, Progress, RunLoop, Specs, Stream
from pepper_tui.workers.memory import agent_name, memory_namespace

_ALL: Final = 100_000
_REMEDY_PAUSE: Final = 5.0  # seconds before a run that broke off is taken up again
_ENDED: Final = frozenset({RunState.SUCCEEDED, RunState.FAILED, RunState.CANCELLED})

MOST_TOLD: Final = 8_000  # characters that one telling may have
_INSTEAD: Final = "what it found is the result of its delegate call; delegate anew, with all that is to be known"

_log = logging.getLogger(__name__)


class RunFailedError(RuntimeError, Foreseen):
    """A run ended without an answer; the text says why and what was found by then."""


def run_id(call_id: str) -> str:
    """The id of the run that answers a delegate call."""
    return f"run_{call_id}"


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
        self._entries = list(kinds)
        self._kinds: dict[str, Kind] = load_kinds(())
        self._offered: tuple[ToolSpec, ToolSpec] | None = None
        self._runs: dict[str, RunLoop] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._names: dict[str, asyncio.Lock] = {}
        self._admission = asyncio.Lock()
        self._following = Following(
            store,
            [Namespace.TOOL_CALL, Namespace.TOOL_RESULT],
            take_up=self._wake_all,
            take=self._take_in,
            name="workers.watch",
        )
        self._started = False

    @property
    def kinds(self) -> dict[str, Kind]:
        """The kinds by name, built-in and own."""
        return dict(self._kinds)

    def offer(self, spec: ToolSpec) -> ToolSpec:
        """``spec``, of the tool that hands work over, with the kinds of workers that there are."""
        if self._offered is None or self._offered[0] is not spec:
            kinds = described(self._kinds.values())
            self._offered = spec, replace(spec, description=f"{spec.description}\n\nWorkers, by name:\n{kinds}")
        return self._offered[1]

    async def start(self) -> None:
        """Load the kinds, resume what is open, and follow the calls of runs."""
        self._kinds = await asyncio.to_thread(load_kinds, self._entries)
        self._offered = None
        await self._report_health()
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
        """The answer to ``task``. Cancelling the caller leaves the run going.

        Raises ``ValueError`` for an impossible name, ``RunFailedError`` where the run failed or was cancelled.
        """
        if not self._started:
            raise RuntimeError("the worker pool is not started")
        run = await self._attend(call, task, agent, progress)
        while run is None:  # the store failed under it (a full disk, say); it goes on from its last saved step
            await self._clock.sleep(_REMEDY_PAUSE)
            run = await self._attend(call, task, agent, progress)
        if run.state is not RunState.SUCCEEDED:
            raise RunFailedError(run.answer)
        return run.answer

    async def _attend(self, call: ToolCall, task: str, agent: str | None, progress: Progress) -> WorkerRun | None:
        """The call's run once it has ended; None where it broke off."""
        loop = await self._admit(call, task, agent)
        if not isinstance(loop, RunLoop):
            return loop
        loop.progress.append(progress)
        try:
            await loop.done.wait()
        finally:
            loop.progress.remove(progress)
        return None if loop.broken else loop.run

    async def tell(self, call: ToolCall, ref: str, text: str) -> str:
        """Tell a run that is under way more, for its next step: ``ref`` is its id, that of the call that began it, or a
        worker's name. Told again by the same ``call`` it is told once. Raises ``ValueError`` in words."""
        if not self._started:
            raise ValueError("the worker pool is not started")
        loop = self._runs.get(ref) or self._runs.get(run_id(ref)) or await self._broken_off(ref) or self._named(ref)
        if loop is None:
            if await self._store.get(call.id, namespace=Namespace.TOLD) is not None:
                return "Told; it has ended since. What it made of it is in the result of its delegate call."
            raise ValueError(await self._over(ref))
        if loop.kind.worker is not None:
            raise ValueError(f"the worker {loop.run.kind} is a class of the user's own: it reads only its task")
        if len(text) > MOST_TOLD:
            raise ValueError(f"'text' has more than {MOST_TOLD:,} characters; nothing was told")
        words = Told(call.id, loop.run.id, text, self._clock.now(), call.root, call.tainted)
        try:
            await loop.hear(words)
        except ValueError as error:
            raise ValueError(f"{error}; {_INSTEAD}") from error
        waits = ", ".join(f"{open_call['name']} ({open_call['id']})" for open_call in loop.open_calls())
        held = f" It waits for {waits} first: cancel_call ends what it should not wait for." if waits else ""
        return f"Told {loop.run.agent or loop.run.kind}; it reads it at its next step.{held}"

    def _named(self, name: str) -> RunLoop | None:
        """The run of the worker of that name, where it has one that is under way."""
        plain = name.strip().lower()
        named = [loop for loop in self._runs.values() if plain and plain in (loop.run.agent, loop.run.kind)]
        at_work = [loop for loop in named if loop.run.state is not RunState.QUEUED]
        found = at_work if len(named) > 1 else named
        return found[0] if len(found) == 1 else None

    async def _over(self, ref: str) -> str:
        """Why there is nobody to tell, and what to do instead."""
        for ident in (ref, run_id(ref)):
            run = WorkerRun.one(await self._store.get(ident, namespace=Namespace.RUN))
            if run is not None:
                return f"the worker has ended ({run.state}); {_INSTEAD}"
        there = ", ".join(f"{loop.run.agent or loop.run.kind} ({loop.run.call})" for loop in self._runs.values())
        named = one_line(ref, 60)
        return f"no worker {named!r} is at work; at work now: {there}" if there else f"no worker is at work; {_INSTEAD}"

    async def tainted(self, call_id: str) -> bool:
        """Whether anything that went into the answer of this delegate call came from outside (true where unknown)."""
        context = await self._store.get(run_id(call_id), namespace=Namespace.RUN)
        return WorkerRun.of(context).tainted if context else True

    async def cancel(self, ref: str, by: str = "the user") -> bool:
        """Cancel a run by its id or its delegate call's; its open calls and cards end too. False where it has ended."""
        loop = self._runs.get(ref) or self._runs.get(run_id(ref)) or await self._broken_off(ref)
        if loop is None:
            return False
        loop.stop(RunState.CANCELLED, f"Cancelled by {by}.")
        await loop.done.wait()
        return loop.run.state is RunState.CANCELLED

    async def _broken_off(self, ref: str) -> RunLoop | None:
        """The open run that nobody carries out for the moment: the store failed under it."""
        for ident in (ref, run_id(ref)):
            saved = await self._store.get(ident, namespace=Namespace.RUN)
            if saved is not None and WorkerRun.of(saved).state not in _ENDED:
                async with self._admission:
                    return self._runs.get(ident) or self._spawn(WorkerRun.of(saved))
        return None

    # ------------------------------------------------------------------------------------------- admission

    async def _admit(self, call: ToolCall, task: str, agent: str | None) -> RunLoop | WorkerRun:
        async with self._admission:  # equal calls find each other; names queue in the order of arrival
            wanted = run_id(call.id)
            if wanted in self._runs:
                return self._runs[wanted]
            saved = await self._store.get(wanted, namespace=Namespace.RUN)
            if saved is not None:
                run = WorkerRun.of(saved)
                return run if run.state in _ENDED else self._spawn(run)
            kind, name = await self._kind_for(agent)
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

    async def _kind_for(self, agent: str | None) -> tuple[Kind, str]:
        """The kind to use and the name to remember under (empty: stateless). Raises ``ValueError`` for a name that
        neither a kind has nor a memory of earlier work."""
        if not agent or not agent.strip():
            return self._kinds[GENERAL], ""
        kind = self._kinds.get(agent.strip()) or self._kinds.get(agent_name(agent))
        if kind is None:
            name = agent_name(agent)
            if await self._store.get(name, namespace=memory_namespace(name)) is None:
                there = ", ".join(sorted(each.name for each in self._kinds.values() if not each.problem))
                raise ValueError(f"there is no worker {one_line(agent, 60)!r}; there are: {there}")
            return self._kinds[GENERAL], name
        return kind, agent_name(agent) if kind.stateful else ""

    def _spawn(self, run: WorkerRun) -> RunLoop:
        kind = self._kinds.get(run.kind)
        if kind is None:
            kind = Kind(run.kind, bool(run.agent), "", problem=f"the kind {run.kind!r} stands no more in the config")
        loop = RunLoop(self._parts, run, kind)
        self._runs[run.id] = loop
        # An empty context: a run belongs to no handler's unit of work.
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
        """Cancel open calls of runs that have ended: a crash may come between a run's end and that of its calls."""
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
            loop.wake.set()

    async def _take_in(self, updates: list[ContextUpdate]) -> None:
        for update in updates:
            self._follow(update)

    def _follow(self, update: ContextUpdate) -> None:
        context = update.context
        origin = str(context.data.get("origin", ""))
        if origin.startswith("run:"):
            loop = self._runs.get(origin.removeprefix("run:"))
            if loop is not None:
                loop.wake.set()
        own = self._runs.get(run_id(context.context_id))
        if own is not None and CallState(context.data["state"]) not in CALL_OPEN:
            own.stop(RunState.CANCELLED, "Cancelled with the call that asked for it.")

    async def _report_health(self) -> None:
        for kind in self._kinds.values():
            if kind.name not in {entry.name for entry in self._entries}:
                continue
            part = f"worker.{kind.name}"
            remedy = "fix the file and start Pepper again" if kind.problem else ""
            known = await self._store.get(part, namespace=Namespace.HEALTH)
            state = "trouble" if kind.problem else "ok"
            if known is None or (known.data["state"], known.data["detail"]) != (state, kind.problem):
                health = Health(part, "trouble" if kind.problem else "ok", kind.problem, remedy, self._clock.now())
                await self._store.put(health, namespace=Namespace.HEALTH, context_id=part)
