"""A batch: what one step is given, read from the queue's deliveries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Literal

from pepper_tui.model import Entry, Namespace, QueueRank, Signal, Step, ToolResult, UserMessage
from pepper_tui.scheduler.history import History
from pepper_tui.scheduler.prompts import result_entry, signal_entry, user_entry
from pepper_tui.store import ContextStore, Delivery


@dataclass(frozen=True, slots=True)
class Batch:
    """Deliveries of one rank and their entries. ``round`` counts the steps in a row that only results have started."""

    deliveries: tuple[Delivery, ...]
    entries: tuple[Entry, ...]
    round: int

    @property
    def holds_user(self) -> bool:
        return any(entry.kind == "user_msg" for entry in self.entries)

    @property
    def speaks(self) -> bool:
        """Whether the text of this step may be shown: somebody asked for it."""
        return self.holds_user or any(
            entry.kind == "tool_result" and entry.facts["root"] == "user" for entry in self.entries
        )

    @property
    def root(self) -> Literal["user", "signal"]:
        return "user" if self.speaks else "signal"

    @property
    def key(self) -> int:
        return self.deliveries[0].seq

    @property
    def inputs(self) -> list[str]:
        contexts = (delivery.update.context for delivery in self.deliveries)
        return [f"{context.namespace}:{context.context_id}" for context in contexts]

    @property
    def matter(self) -> str:
        """The one matter that all of it is about, or empty."""
        matters = {entry.facts.get("matter", "") for entry in self.entries}
        return matters.pop() if len(matters) == 1 else ""


def entry_of(delivery: Delivery, history: History, zone: tzinfo, limit: int) -> Entry:
    """The entry that a delivery becomes in the prompt."""
    context = delivery.update.context
    if context.namespace == Namespace.USER_MESSAGE:
        return user_entry(UserMessage.of(context), zone)
    if context.namespace == Namespace.TOOL_RESULT:
        result = ToolResult.of(context)
        return result_entry(result, zone, limit, repeat_call=not history.knows_call(result.call))
    return signal_entry(_signal(delivery), zone, limit)


def _signal(delivery: Delivery) -> Signal:
    """The signal of a context, with what a foreign feed left out filled in from the context itself."""
    context = delivery.update.context
    given = context.data
    filled = {
        "id": context.context_id,
        "content": context.text or str(given)[:500],
        "created_at": context.created_at,
        "priority": "normal",
        "source": context.namespace.partition(".")[2] or context.namespace,
        "reason": "no reason given by its feed",
        "matter": f"{context.namespace}:{context.context_id}",
        **given,
    }
    if filled["priority"] not in {"urgent", "high", "normal", "low", "log"}:
        filled["priority"] = "normal"
    return Signal.of(filled)


async def batch_of(
    deliveries: Sequence[Delivery], store: ContextStore, history: History, zone: tzinfo, limit: int
) -> Batch:
    entries = tuple(entry_of(delivery, history, zone, limit) for delivery in deliveries)
    rounds = [0]
    if deliveries[0].rank in (QueueRank.ANSWER, QueueRank.RESULT):
        for origin in {str(entry.facts.get("origin", "")) for entry in entries}:
            step = await store.get(origin.removeprefix("step:"), namespace=Namespace.STEP)
            if step is not None:
                rounds.append(Step.of(step).round + 1)
    return Batch(tuple(deliveries), entries, max(rounds))
