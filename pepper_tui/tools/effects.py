"""Every proposal of an outside effect: its content, the user's decision with its time, and the outcome."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from pepper_tui.model import Approval, ApprovalState, Context, ContextFilter, Namespace, ToolCall

Recall = Callable[[ContextFilter], Awaitable[list[Context]]]


@dataclass(frozen=True, slots=True)
class Proposal:
    """One approval with its call's outcome. Times are POSIX seconds; text is raw.

    ``outcome`` is the call's state if this approval let it happen, otherwise empty.
    """

    approval: Approval
    outcome: str
    ended_at: float | None
    error: str

    @property
    def by_user(self) -> bool:
        """Whether the decision was the user's: a card can also expire, or be withdrawn with its call."""
        return self.approval.state in (ApprovalState.APPROVED, ApprovalState.EDITED, ApprovalState.REJECTED)


async def proposals(recall: Recall, count: int) -> list[Proposal]:
    """Return the ``count`` most recently changed proposals, newest proposal first."""
    cards = await recall(ContextFilter(namespaces=[Namespace.APPROVAL], limit=max(1, count)))
    found = sorted((Approval.of(card) for card in cards), key=lambda card: -card.created_at)
    wanted = list(dict.fromkeys(approval.call for approval in found if approval.call))
    calls: dict[str, ToolCall] = {}
    if wanted:
        asked = ContextFilter(namespaces=[Namespace.TOOL_CALL], context_ids=wanted, limit=len(wanted))
        calls = {context.context_id: ToolCall.of(context) for context in await recall(asked)}
    return [_joined(approval, calls.get(approval.call)) for approval in found]


def _joined(approval: Approval, call: ToolCall | None) -> Proposal:
    if call is None or call.approval != approval.id or approval.state is not ApprovalState.APPROVED:
        return Proposal(approval, "", None, "")
    return Proposal(approval, call.state, call.ended_at, call.error)
