"""A turn: the steps that answer one user message, as long as nothing else comes between them.

In the log, calls and results are text. While the turn goes on, its ended calls are shown to the model in the provider's
native form instead, each with the words of the step before, because models are trained on that. Calls that have not
ended are in the tail, as always. This is in memory only: after a restart, or once something else came in between, the
log shows the same as text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from pepper_tui.model import Entry, Json
from pepper_tui.scheduler.prompt.history import HistoryEntry
from pepper_tui.scheduler.prompt.prompts import NEW
from pepper_tui.scheduler.under_way import UnderWay
from pepper_tui.text import as_json


@dataclass(slots=True)
class Turn:
    """One turn. ``begins``: the id of the first history entry that its first step wrote after that step's input."""

    begins: str
    steps: list[str]
    said: str
    messages: list[Json] = field(default_factory=list)

    def follows(self, entries: Sequence[Entry]) -> bool:
        """Return whether a step with the input ``entries`` continues the turn.

        It does if they are results of calls of its steps, each the only one of its call. (A call with an unknown
        outcome can have another result later.)
        """
        origins = {f"step:{step}" for step in self.steps}
        if not entries or any(e.kind != "tool_result" or e.facts.get("origin") not in origins for e in entries):
            return False
        told = [message["tool_call_id"] for message in self.messages if message["role"] == "tool"]
        told += [entry.facts["call"] for entry in entries]
        return len(told) == len(set(told))

    def before(self, history: Sequence[HistoryEntry]) -> int | None:
        """Return how many entries of ``history`` precede the turn.

        ``None`` if something else came since, or the turn's first entry is gone.
        """
        at = next((at for at in range(len(history) - 1, -1, -1) if history[at].id == self.begins), None)
        if at is None or any(entry.id.rpartition(".")[0] not in self.steps for entry in history[at:]):
            return None
        return at

    def with_results(self, entries: Sequence[Entry]) -> list[Json]:
        """Return the turn's messages that follow the log, with ``entries`` as the newest.

        Their texts are used as they are.
        """
        calls = [
            {
                "id": entry.facts["call"],
                "type": "function",
                "function": {"name": entry.facts["name"], "arguments": as_json(entry.facts["arguments"])},
            }
            for entry in entries
        ]
        results: list[Json] = [
            {"role": "tool", "tool_call_id": entry.facts["call"], "content": entry.text} for entry in entries
        ]
        results[0]["content"] = f"{NEW}\n{results[0]['content']}"
        return [*self.messages, {"role": "assistant", "content": self.said or None, "tool_calls": calls}, *results]

    def went_on(self, step: str, entries: Sequence[Entry], said: str) -> None:
        """Record that the step that took ``entries`` is committed, and said ``said``."""
        self.messages = self.with_results(entries)
        self.steps.append(step)
        self.said = said


class Turns:
    """Tracks turns. ``current``: the turn in progress, if any."""

    def __init__(self) -> None:
        self.current: Turn | None = None

    def note(self, under_way: UnderWay, said: str, entries: Sequence[HistoryEntry]) -> None:
        """Record this step's effect on the turn, before its ``entries`` join the history."""
        batch, step = under_way.batch, under_way.step
        behind = entries[len(under_way.opening) + len(batch.entries) :]
        if batch.holds_user and step.calls:
            self.current = Turn(behind[0].id, [step.id], said)
        elif under_way.natively and self.current is not None:
            self.current.went_on(step.id, batch.entries, said)
        else:
            self.current = None
