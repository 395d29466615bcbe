"""A batch: what one step is given, read from the queue's deliveries."""

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

_MESSAGE_SHARE: Final = 4  # a message of the user's takes at most this fraction of the prompt's limit


def question_of(delivery: Delivery) -> str:
    """The id of the message that wants answers of its own, and that this is, or is a result for; else empty."""
    context = delivery.update.context
    if context.namespace == Namespace.USER_MESSAGE:
        return context.context_id if context.data.get("alone") else ""
    return str(context.data.get("question") or "") if context.namespace == Namespace.TOOL_RESULT else ""


@dataclass(frozen=True, slots=True)
class Batch:
    """Deliveries of one rank and their entries. ``round`` counts the steps in a row that only results have started.

    ``inputs`` name, as ``namespace:id``, what each entry is made of; a delivery may have become several entries.
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
        """Whether the text of this step may be shown: somebody asked for it."""
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
        """Ids of the user's messages in it."""
        return frozenset(entry.facts["id"] for entry in self.entries if entry.kind == "user_msg")

    @property
    def size(self) -> int:
        """Characters that its entries add to the prompt."""
        return sum(len(entry.text) + 1 for entry in self.entries)

    @property
    def matter(self) -> str:
        """The one matter that all of it is about, or empty."""
        matters = {entry.facts.get("matter", "") for entry in self.entries}
        return matters.pop() if len(matters) == 1 else ""


def entry_of(
    context: Context, history: History, zone: tzinfo, limits: config.Scheduler, done: Sequence[str] = ()
) -> Entry:
    """The entry that a context becomes in the prompt; ``done``: what code has done about a signal.

    Raises whatever a context that is no such record leads to.
    """
    if context.namespace == Namespace.USER_MESSAGE:
        return user_entry(UserMessage.of(context), zone, limits.prompt_limit // _MESSAGE_SHARE)
    if context.namespace == Namespace.TOOL_RESULT:
        result = ToolResult.of(context)
        return result_entry(result, zone, limits.entry_limit, repeat_call=not history.knows_call(result.call))
    return signal_entry(_signal(context), zone, limits.entry_limit, done)


def _signal(context: Context) -> Signal:
    """The signal of a context, with what a foreign feed left out filled in from the context itself."""
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
    """Which round of steps that only results have started a batch of these entries is; 0 for anything else."""
    rounds = [0]
    if rank in (QueueRank.ANSWER, QueueRank.RESULT):
        for origin in {str(entry.facts.get("origin", "")) for entry in entries}:
            step = await store.get(origin.removeprefix("step:"), namespace=Namespace.STEP)
            if step is not None:
                rounds.append(Step.of(step).round + 1)
    return max(rounds)
