"""Telling a run more while it works: which run is meant, and why none can be told."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from pepper_tui.clock import Clock
from pepper_tui.model import Namespace, RunState, Told, ToolCall, WorkerRun
from pepper_tui.store import Store
from pepper_tui.text import one_line
from pepper_tui.workers.run.loop import RunLoop
from pepper_tui.workers.run_ids import run_id

MOST_TOLD: Final = 8_000  # characters per message
_INSTEAD: Final = "what it found is the result of its delegate call; delegate anew, with all that is to be known"


class Telling:
    """Tells runs more. ``runs`` are those in progress, by id.

    ``find`` returns a run by its id or its call's, broken or not.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        runs: Mapping[str, RunLoop],
        find: Callable[[str], Awaitable[RunLoop | None]],
    ) -> None:
        self._store, self._clock, self._runs, self._find = store, clock, runs, find

    async def tell(self, call: ToolCall, ref: str, text: str) -> str:
        """Tell a running run more, for its next step. Raises ``ValueError`` in words.

        ``ref`` is its id, that of the call that began it, or a worker's name. Repeated with the same ``call``, it is
        told only once.
        """
        loop = await self._find(ref) or self._named(ref)
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
            await loop.hearing.hear(words)
        except ValueError as error:
            raise ValueError(f"{error}; {_INSTEAD}") from error
        waits = ", ".join(f"{open_call['name']} ({open_call['id']})" for open_call in loop.saved.open_calls())
        held = f" It waits for {waits} first: cancel_call ends what it should not wait for." if waits else ""
        return f"Told {loop.run.agent or loop.run.kind}; it reads it at its next step.{held}"

    def _named(self, name: str) -> RunLoop | None:
        """Return the one run of the worker with that name; of several, the one that is not queued."""
        plain = name.strip().lower()
        named = [loop for loop in self._runs.values() if plain and plain in (loop.run.agent, loop.run.kind)]
        at_work = [loop for loop in named if loop.run.state is not RunState.QUEUED]
        found = at_work if len(named) > 1 else named
        return found[0] if len(found) == 1 else None

    async def _over(self, ref: str) -> str:
        """Explain why no run can be told, and what to do instead."""
        for ident in (ref, run_id(ref)):
            run = WorkerRun.one(await self._store.get(ident, namespace=Namespace.RUN))
            if run is not None:
                return f"the worker has ended ({run.state}); {_INSTEAD}"
        there = ", ".join(f"{loop.run.agent or loop.run.kind} ({loop.run.call})" for loop in self._runs.values())
        named = one_line(ref, 60)
        return f"no worker {named!r} is at work; at work now: {there}" if there else f"no worker is at work; {_INSTEAD}"
