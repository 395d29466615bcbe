"""The available kinds of workers, built-in and the user's own: offered, looked up and reported as health."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from pepper_tui.clock import Clock
from pepper_tui.config import Worker as WorkerConfig
from pepper_tui.model import Health, Namespace, ToolSpec, WorkerRun
from pepper_tui.store import Store
from pepper_tui.text import one_line
from pepper_tui.workers.kinds import GENERAL, Kind, described, load_kinds
from pepper_tui.workers.memory import agent_name, memory_namespace


class KnownKinds:
    """The available kinds. ``entries`` are the config's; they are loaded by ``load``."""

    def __init__(self, store: Store, clock: Clock, entries: Sequence[WorkerConfig]) -> None:
        self._store, self._clock = store, clock
        self._entries = list(entries)
        self._kinds: dict[str, Kind] = load_kinds(())
        self._offered: tuple[ToolSpec, ToolSpec] | None = None

    async def load(self) -> None:
        """Load the user's own kinds, and report the health of each."""
        self._kinds = await asyncio.to_thread(load_kinds, self._entries)
        self._offered = None
        await self._report_health()

    def offer(self, spec: ToolSpec) -> ToolSpec:
        """Return ``spec``, of the tool that delegates work, with the available kinds of workers."""
        if self._offered is None or self._offered[0] is not spec:
            kinds = described(self._kinds.values())
            self._offered = spec, replace(spec, description=f"{spec.description}\n\nWorkers, by name:\n{kinds}")
        return self._offered[1]

    async def wanted(self, agent: str | None) -> tuple[Kind, str]:
        """Return the kind to use and the name of its memory (empty: stateless).

        Raises ``ValueError`` for a name that matches neither a kind nor a memory of earlier work.
        """
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

    def of(self, run: WorkerRun) -> Kind:
        """Return the kind of an existing run; if it was removed, one with a problem."""
        kind = self._kinds.get(run.kind)
        if kind is None:
            problem = f"the kind {run.kind!r} stands no more in the config"
            return Kind(run.kind, bool(run.agent), "", problem=problem)
        return kind

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
