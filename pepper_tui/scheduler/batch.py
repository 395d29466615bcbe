"""A batch: the input of one step, read from the queue's deliveries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Final, Literal

from pepper_tui import config
from pepper_tui.model import Context, Entry, Namespace, QueueRank, Signal, Step, ToolResult, UserMessage
from pepper_tui.scheduler.prompt.history import History
from pepper_tui.scheduler.prompt.prompts import result_entry, signal_entry, user_entry
from pepper_tui.store import Delivery, Store

_MESSAGE_SHARE: Final = 4  # a user message takes at most this fraction of the prompt limit


def question_of(delivery: Delivery) -> str:
    """Return the id of the message to be answered on its own that this is, or is a result for; otherwise empty."""
    context = delivery.update.context
    if context.namespace == Namespace.USER_MESSAGE:
        return context.context_id if context.data.get("alone") else ""
    return str(context.data.get("question") or "") if context.namespace == Namespace.TOOL_RESULT else ""


@dataclass(frozen=True, slots=True)
class Batch:
    """Deliveries of one rank and their entries. ``round`` counts the steps in a row that only results triggered.

    ``inputs`` name, as ``namespace:id``, the source of each entry; one delivery may yield several entries.
    """

    deliveries: tuple[Delivery, ...]
    entries: tuple[Entry, ...]
    inputs: tuple[str, ...]
    round: int

    @property
    def holds_user(self) -> bool:
        return any(entry.kind == "user_msg" for entry in self.entries)

    @property
    def speaks(self) -> bool:
        """Whether the text of this step may be shown, because the user asked for it."""
        return self.holds_user or any(
            entry.kind == "tool_result" and entry.facts["root"] == "user" for entry in self.entries
        )

    @property
    def root(self) -> Literal["user", "signal"]:
        return "user" if self.speaks else "signal"

    @property
    def question(self) -> str:
        return question_of(self.deliveries[0])

    @property
    def key(self) -> int:
        return self.deliveries[0].seq

    @property
    def messages(self) -> frozenset[str]:
        """Ids of the user messages in the batch."""
        return frozenset(entry.facts["id"] for entry in self.entries if entry.kind == "user_msg")

    @property
    def size(self) -> int:
        """Characters that the entries add to the prompt."""
        return sum(len(entry.text) + 1 for entry in self.entries)

    @property
    def matter(self) -> str:
        """The one matter that everything in the batch is about, or empty."""
        matters = {entry.facts.get("matter", "") for entry in self.entries}
        return matters.pop() if len(matters) == 1 else ""


def entry_of(
    context: Context, history: History, zone: tzinfo, limits: config.Scheduler, done: Sequence[str] = ()
) -> Entry:
    """Return a context as an entry of the prompt; ``done``: what code has done about a signal.

    Raises whatever an invalid record causes.
    """
    if context.namespace == Namespace.USER_MESSAGE:
        return user_entry(UserMessage.of(context), zone, limits.prompt_limit // _MESSAGE_SHARE)
    if context.namespace == Namespace.TOOL_RESULT:
        result = ToolResult.of(context)
        return result_entry(result, zone, limits.entry_limit, repeat_call=not history.knows_call(result.call))
    return signal_entry(_signal(context), zone, limits.entry_limit, done)


def _signal(context: Context) -> Signal:
    """Return the signal of a context; fields that a foreign feed omitted are filled in from the context."""
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


async def round_of(rank: int, entries: Sequence[Entry], store: Store) -> int:
    """Return how many steps in a row only results have triggered, this batch's included; 0 for anything else."""
    rounds = [0]
    if rank in (QueueRank.ANSWER, QueueRank.RESULT):
        for origin in {str(entry.facts.get("origin", "")) for entry in entries}:
            step = await store.get(origin.removeprefix("step:"), namespace=Namespace.STEP)
            if step is not None:
                rounds.append(Step.of(step).round + 1)
    return max(rounds)
