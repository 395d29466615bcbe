"""A turn: the steps that answer one message of the user's, as long as nothing else comes between them.

In the log, what was called and came back is text. While the turn goes on, its ended calls are told to the model in the
provider's native form instead, each with the words of the step before: models are trained on that. A call that has not
ended stands in the tail, as always. Only in memory: after a restart, or once something else came in between, the log
tells the same as text.
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
    """``begins``: the id of the history's first entry that the turn's first step wrote behind what it was given."""

    begins: str
    steps: list[str]
    said: str
    messages: list[Json] = field(default_factory=list)

    def follows(self, entries: Sequence[Entry]) -> bool:
        """Whether a step that is given ``entries`` goes on with the turn: they are results of calls of its steps, each
        the only one of its call. (What came of a call that was unknown comes as one more.)"""
        origins = {f"step:{step}" for step in self.steps}
        if not entries or any(e.kind != "tool_result" or e.facts.get("origin") not in origins for e in entries):
            return False
        told = [message["tool_call_id"] for message in self.messages if message["role"] == "tool"]
        told += [entry.facts["call"] for entry in entries]
        return len(told) == len(set(told))

    def before(self, history: Sequence[HistoryEntry]) -> int | None:
        """How many of ``history`` came before the turn; ``None`` where something else came since, or it is gone."""
        at = next((at for at in range(len(history) - 1, -1, -1) if history[at].id == self.begins), None)
        if at is None or any(entry.id.rpartition(".")[0] not in self.steps for entry in history[at:]):
            return None
        return at

    def with_results(self, entries: Sequence[Entry]) -> list[Json]:
        """The turn's messages behind the log, with ``entries`` as the newest. Their texts count as they are."""
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
        """The step that took ``entries`` is committed, and said ``said``."""
        self.messages = self.with_results(entries)
        self.steps.append(step)
        self.said = said


class Turns:
    """``current``: the turn at hand, where there is one."""

    def __init__(self) -> None:
        self.current: Turn | None = None

    def note(self, under_way: UnderWay, said: str, entries: Sequence[HistoryEntry]) -> None:
        """Note what the turn has come to by this step, before its ``entries`` join the history."""
        batch, step = under_way.batch, under_way.step
        behind = entries[len(under_way.opening) + len(batch.entries) :]
        if batch.holds_user and step.calls:
            self.current = Turn(behind[0].id, [step.id], said)
        elif under_way.natively and self.current is not None:
            self.current.went_on(step.id, batch.entries, said)
        else:
            self.current = None
