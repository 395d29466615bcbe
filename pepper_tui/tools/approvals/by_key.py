"""The user's own key on named items: proposal and yes in one.

The call and its approval are stored together, in the unit of the user's act. The approval binds the effect by digest
and is valid for one attempt, like every other. It has no window: such an act is undone by its inverse.
"""

from __future__ import annotations

import json
from typing import Final

from pepper_tui.clock import Clock
from pepper_tui.model import Approval, ApprovalState, CallState, Effect, Json, ResolvedEffect, ToolCall
from pepper_tui.tools.approvals.cards import Cards, moved
from pepper_tui.tools.approvals.policy import Why, repeated
from pepper_tui.tools.approvals.windows import APPROVED

_NOT_NOW: Final = {
    Why.UNKNOWN: "whether this was done is not known: answer that first",
    Why.UNDER_WAY: "this is being done already",
}


class ByKey:
    """Orders by the user's own key."""

    def __init__(self, cards: Cards, clock: Clock) -> None:
        self._cards, self._clock = cards, clock

    async def order(self, effect: ResolvedEffect, arguments: Json, origin: str) -> ToolCall:
        """Store a new call of ``effect`` with its approval, in the caller's unit if there is one; return the call."""
        effect = ResolvedEffect.of(json.loads(json.dumps(effect.data())))  # what is stored, which the approval binds
        ident, now, ledger = self._clock.new_id("call"), self._clock.now(), self._cards.ledger
        call = ToolCall(ident, effect.tool, arguments, Effect.WRITE, now, origin, root="user", tainted=False)
        approval = moved(self._cards.new(call, effect), ApprovalState.APPROVED, decided_at=now, acts_at=now)
        async with self._cards.deciding():
            scheduled = await ledger.put_call(call, 0)
            await self._cards.put(approval, 0)
            changes = {"approval": approval.id, "progress": APPROVED, "summary": effect.summary}
            await ledger.put_call(scheduled, 1, CallState.WAITING_APPROVAL, **changes)
        return call

    async def not_now(self, effect: ResolvedEffect) -> str:
        """Return why the key must not order ``effect`` now, in words; empty if it may."""
        earlier = await repeated(self._cards.ledger, "", self._cards.same_key(effect))
        return _NOT_NOW.get(earlier.why, "") if earlier is not None else ""

    async def card(self, approval_id: str) -> Approval | None:
        found = await self._cards.ledger.approval(approval_id)
        return found[0] if found else None

    async def asked_again(self, approval_id: str) -> Approval | None:
        """Return the newest card that asks again for what this one asked, whose attempt did nothing."""
        card = await self.card(approval_id)
        alike = await self._cards.ledger.alike(self._cards.same_key(card.resolved)) if card is not None else []
        return next((each for each in alike if each.retry_of == approval_id), None)
