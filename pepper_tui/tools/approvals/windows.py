"""The window between an approval and its attempt, in which the user can undo it.

It lasts the config's ``undo_seconds``, or until the effect's own time if that is later, and ends at the approval's
``acts_at``. After a restart it starts over; if that is too ``LATE``, the card asks again.
"""

from __future__ import annotations

import contextlib
from dataclasses import replace
from datetime import datetime
from typing import Final

from pepper_tui.clock import Clock
from pepper_tui.model import Approval, ApprovalState, CallState, Effect, ResolvedEffect, ToolCall
from pepper_tui.tools.approvals.cards import WAITING, ApprovalError, Cards
from pepper_tui.tools.user_time import UserTime

APPROVED: Final = "approved"
LATE: Final = 900.0  # seconds after the window's end from which the card asks again


class Windows:
    """Undo windows of approved cards. ``seconds``: how long a window is, for acts that have one."""

    def __init__(self, cards: Cards, clock: Clock, time: UserTime, seconds: float) -> None:
        self._cards, self._clock, self._user_time, self._seconds = cards, clock, time, seconds

    def length(self, call: ToolCall) -> float:
        return 0.0 if call.effect is Effect.LOCAL else self._seconds

    def ends(self, call: ToolCall, effect: ResolvedEffect) -> float:
        """Return when a window that begins now ends."""
        return max(self._clock.now() + self.length(call), effect.not_before)

    def acts_at(self, approval: Approval) -> float:
        """Return when the undo window of an approved card ends."""
        if approval.acts_at is not None:
            return approval.acts_at
        return (approval.decided_at or 0.0) + self._seconds  # stored by an older version

    async def resume(self) -> None:
        """Restart each window that was open when the program ended; ask again about those that are too late."""
        for waiting in await self._cards.ledger.open_calls():
            if waiting.state is not CallState.WAITING_APPROVAL:
                continue
            with contextlib.suppress(ApprovalError):
                card = await self._cards.load(waiting.approval)
                approval = card.approval
                if approval.state is not ApprovalState.APPROVED or card.call.state is not CallState.WAITING_APPROVAL:
                    continue
                effect = approval.resolved
                due = max((approval.decided_at or 0.0) + self.length(card.call), effect.not_before)
                if self._clock.now() - due > LATE:
                    await self.ask_again(approval.id, "but Pepper was not running then")
                    continue
                again = replace(approval, acts_at=self.ends(card.call, effect))
                await self._cards.decide(card, again, progress=APPROVED)

    async def ask_again(self, approval_id: str, why: str) -> None:
        """Make an approved card that was not carried out in time pending again; ``why`` is shown on the card."""
        card = await self._cards.load(approval_id)
        approval = card.approval
        if approval.state is not ApprovalState.APPROVED or card.call.state is not CallState.WAITING_APPROVAL:
            return
        problem = f"approved at {self.time(approval.decided_at)}, {why}; still wanted?"
        back = self._cards.pending_again(approval, problem=problem, acts_at=None)
        await self._cards.decide(card, back, progress=WAITING)

    def time(self, at: float | None) -> str:
        """Return a time to the user: the hour, and the day if that is another."""
        zone = self._user_time.zone
        then, today = datetime.fromtimestamp(at or 0.0, zone), datetime.fromtimestamp(self._clock.now(), zone).date()
        return f"{then:%H:%M}" if then.date() == today else f"{then:%H:%M} on {then:%a} {then.day} {then:%b}"
