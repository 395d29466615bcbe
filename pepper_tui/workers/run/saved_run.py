"""A run and its row: progress is saved before anything depends on it."""

from __future__ import annotations

from collections.abc import Sequence

from pepper_tui.model import OPEN_TAG, WORKER_RUN, Json, Namespace, RunState, ToolCall, WorkerRun
from pepper_tui.store import Store
from pepper_tui.text import one_line
from pepper_tui.workers.parts import Progress
from pepper_tui.workers.run.slot import Slot


class SavedRun:
    """A run with its row. The callbacks in ``progress`` are told what the run is doing."""

    def __init__(self, store: Store, run: WorkerRun, slot: Slot) -> None:
        self._store, self.run, self.slot = store, run, slot
        self.progress: list[Progress] = []

    async def put(self) -> None:
        """Store the run in its current state; joins the caller's unit."""
        run = self.run
        tags = [OPEN_TAG] if run.state in WORKER_RUN.open else []
        await self._store.put(run, namespace=Namespace.RUN, tags=tags, text=f"{run.task}\n{run.answer}".strip())

    async def save(self, calls: Sequence[ToolCall] = ()) -> None:
        """Store the run with the ``calls`` that it schedules, in one unit."""
        self.slot.tick()
        async with self._store.unit():
            await self.put()
            for call in calls:
                await self._store.put(call, namespace=Namespace.TOOL_CALL, tags=[OPEN_TAG])

    async def be(self, state: RunState, doing: str) -> None:
        if self.run.state is not state:
            self.run.state = WORKER_RUN.move(self.run.state, state)
        self.say(doing)
        await self.save()

    def say(self, doing: str) -> None:
        self.run.doing = doing
        for tell in self.progress:
            tell(doing)

    async def rest(self, state: RunState, doing: str) -> None:
        """Release the slot and stop the time, in state ``state``."""
        self.slot.rest()
        await self.be(state, doing)
        self.slot.give_back()

    async def go_on(self, doing: str) -> None:
        """Resume work, with a slot."""
        if not self.slot.held:
            await self.slot.take()
        await self.be(RunState.RUNNING, doing)

    def open_calls(self) -> list[Json]:
        """Return the calls that the run requested and that have no result yet."""
        answered = {event["call"] for event in self.run.events if event["kind"] == "result"}
        asked = [call for event in self.run.events if event["kind"] == "model" for call in event["calls"]]
        return [call for call in asked if call["id"] not in answered]

    def so_far(self) -> str:
        """Summarise what the run has found, if it ends without an answer."""
        said = [e["text"] for e in self.run.events if e["kind"] == "model" and e["text"]]
        found = [f"{e['name']}: {one_line(e['text'], 200)}" for e in self.run.events if e["kind"] == "result"]
        parts = [*(one_line(t, 400) for t in said[-1:]), *found[-3:]]
        return "Nothing was found by then." if not parts else "Unfinished; by then: " + " | ".join(parts)
