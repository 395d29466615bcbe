"""A step in progress, and what its batch has been through. Nothing of it is stored before the commit."""

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
    """A step in progress.

    ``opening``: the log entries between the last step and this one's input. ``natively``: its request shows its results
    as native calls of the turn. ``reads_servers``: its prompt describes tools of MCP servers.
    """

    batch: Batch
    step: Step
    reply: Reply
    opening: list[str]
    natively: bool = False
    reads_servers: bool = False


class Tries:
    """What is kept in case a batch is delivered again.

    How often it was pre-empted, how often its prompt was too long for the model, the words of its faults, and the id of
    its reply.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.preempted: Counter[int] = Counter()
        self.fitted: Counter[int] = Counter()
        self._faults: dict[int, list[str]] = {}
        self._reply_ids: dict[int, str] = {}

    def reply_id(self, batch: Batch) -> str:
        """Return the id of the batch's reply; it stays the same until the commit."""
        if batch.key not in self._reply_ids:
            self._reply_ids[batch.key] = self._clock.new_id("msg")
        return self._reply_ids[batch.key]

    def failed(self, batch: Batch, words: str) -> None:
        """Record a fault of the batch."""
        self._faults.setdefault(batch.key, []).append(words)

    def faults(self, batch: Batch) -> Sequence[str]:
        return self._faults.get(batch.key, ())

    def forget(self, batch: Batch) -> None:
        """Forget a batch that is settled."""
        self.preempted.pop(batch.key, None)
        self.fitted.pop(batch.key, None)
        self._faults.pop(batch.key, None)
        self._reply_ids.pop(batch.key, None)
