"""A step under way, and what its batch has come through so far. Nothing of it is stored before the commit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from pepper_tui.clock import Clock
from pepper_tui.model import Step
from pepper_tui.scheduler.asking import Reply
from pepper_tui.scheduler.batch import Batch


@dataclass(slots=True)
class UnderWay:
    """``opening``: what stands in the log between the last step and what this one is given. ``natively``: its request
    tells of its results as calls of the turn. ``reads_servers``: its prompt describes tools of MCP servers."""

    batch: Batch
    step: Step
    reply: Reply
    opening: list[str]
    natively: bool = False
    reads_servers: bool = False


class Tries:
    """What is kept for the case that a batch comes again: how often it was pre-empted, how often the model found its
    prompt too long, the words of the faults over it, and the id of its reply."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.preempted: Counter[int] = Counter()
        self.fitted: Counter[int] = Counter()
        self._faults: dict[int, list[str]] = {}
        self._reply_ids: dict[int, str] = {}

    def reply_id(self, batch: Batch) -> str:
        """The id of its reply: the same until it is committed."""
        if batch.key not in self._reply_ids:
            self._reply_ids[batch.key] = self._clock.new_id("msg")
        return self._reply_ids[batch.key]

    def failed(self, batch: Batch, words: str) -> None:
        """Note a fault over it."""
        self._faults.setdefault(batch.key, []).append(words)

    def faults(self, batch: Batch) -> Sequence[str]:
        return self._faults.get(batch.key, ())

    def forget(self, batch: Batch) -> None:
        """It is settled."""
        self.preempted.pop(batch.key, None)
        self.fitted.pop(batch.key, None)
        self._faults.pop(batch.key, None)
        self._reply_ids.pop(batch.key, None)
