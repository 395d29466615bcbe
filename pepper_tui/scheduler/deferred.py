"""Signals that arrived while there was no model; a model judges them once when it is available.

A step of the offline model marks what it left alone, in its own commit. The first start with a model turns the marks
into one signal of low priority, and deletes them in the same commit. So they are judged at most once, even after a
crash, and like any other low-priority input: after everything newer and more urgent, and within the budget.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from pepper_tui.clock import Clock
from pepper_tui.model import Context, ContextFilter, Namespace, Priority, Signal
from pepper_tui.store import Store

LATE_NAMESPACE: Final = f"{Namespace.SIGNALS}.{Namespace.UNJUDGED}"
_DAY: Final = 86400.0
_MARK_TTL: Final = 30 * _DAY  # upper bound of `judge_days`
_LOOKED_AT: Final = 1000  # newest marks considered when picking those to judge
_ALL: Final = 100_000
_ORDER: Final = {priority: place for place, priority in enumerate(Priority)}


class Deferred:
    """The marks, and the signal that they become."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock

    async def mark(self, refs: Iterable[str]) -> None:
        """Mark signals (``namespace:id``) as left alone; meant for a step's unit of work."""
        for ref in refs:
            await self._store.store({"signal": ref}, namespace=Namespace.UNJUDGED, context_id=ref, ttl=_MARK_TTL)

    async def enqueue(self, days: float, limit: int) -> None:
        """Queue what was left alone in the last ``days``: at most ``limit`` signals, most urgent and newest first.

        All marks are deleted with that.
        """
        marks = await self._store.query(ContextFilter(namespaces=[Namespace.UNJUDGED], limit=_ALL))
        if not marks:
            return
        since = self._clock.now() - days * _DAY
        recent = [await self._signal(mark.data["signal"]) for mark in marks[:_LOOKED_AT] if mark.created_at >= since]
        found = [signal for signal in recent if signal is not None]
        found.sort(key=lambda signal: (_ORDER.get(signal.data.get("priority", Priority.NORMAL), 2), -signal.seq))
        kept = sorted(found[:limit], key=lambda signal: signal.seq)
        async with self._store.unit():
            for mark in marks:
                await self._store.delete(mark.context_id, namespace=Namespace.UNJUDGED)
            if kept:
                await self._store.put(self._late(kept, len(marks)), namespace=LATE_NAMESPACE)

    def _late(self, signals: list[Context], marks: int) -> Signal:
        of = f" of {marks}" if marks > len(signals) else ""
        return Signal(
            self._clock.new_id("late"),
            f"{len(signals)}{of} signals came while there was no model",
            self._clock.now(),
            Priority.LOW,
            Namespace.UNJUDGED,
            "a model is there now, and judges them once",
            Namespace.UNJUDGED,
            {"signals": [f"{signal.namespace}:{signal.context_id}" for signal in signals]},
        )

    async def originals(self, late: Context) -> list[Context]:
        """Return the signals that ``late`` stands for, as far as they are still stored."""
        found = [await self._signal(str(ref)) for ref in late.data["metadata"]["signals"]]
        return [signal for signal in found if signal is not None]

    async def _signal(self, ref: str) -> Context | None:
        namespace, _, context_id = ref.partition(":")
        return await self._store.get(context_id, namespace=namespace)
