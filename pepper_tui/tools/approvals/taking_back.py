"""Undo and redo of the user's acts on a card.

An approval can be undone until its attempt begins. Redo never repeats it: the card asks again.
"""

from __future__ import annotations

from dataclasses import replace

from pepper_tui.model import ApprovalState, CallState, Json
from pepper_tui.tools.approvals.cards import WAITING, ApprovalError, Card, Cards, state_words, too_late
from pepper_tui.tools.approvals.decisions import Decisions
from pepper_tui.tools.approvals.edits import Edits


class TakingBack:
    def __init__(self, cards: Cards, decisions: Decisions, edits: Edits) -> None:
        self._cards, self._decisions, self._edits = cards, decisions, edits

    async def take_back(self, approval_id: str, was: str) -> str:
        """Undo what the user did with a card, if it still stands.

        ``was`` is ``snoozed``, ``rejected``, ``approved`` (until its attempt begins) or ``edited`` (the card shows
        again exactly what it showed before).
        """
        card = await self._cards.load(await self._cards.latest(approval_id))
        state = card.approval.state
        if was == "edited":
            await self._edits.as_it_was(approval_id, card)
            return "the card is as it was before you edited it"
        if was == "snoozed" and state is ApprovalState.PENDING:
            return await self._snoozed(card)
        if was == "approved" and state is ApprovalState.APPROVED:
            return await self._approved(card)
        if was == "rejected" and state is ApprovalState.REJECTED:
            return await self._rejected(card)
        raise ApprovalError(too_late(card.call) if state is ApprovalState.APPROVED else f"it is {state}")

    async def do_again(self, approval_id: str, what: str, detail: Json) -> str:
        """Redo what was undone, on the card that replaces it now. An approval is never repeated."""
        ident = await self._cards.latest(approval_id)
        match what:
            case "snoozed":
                return await self._decisions.snooze(ident, float(detail["until"]))
            case "rejected":
                return await self._decisions.reject(ident, str(detail.get("note", "")))
            case "edited":
                await self._edits.edit(ident, dict(detail["fields"]), list(detail.get("typed", [])))
                return "edited again; it still waits for your yes"
        raise ApprovalError("a yes is not said again: approve the card itself")

    async def _snoozed(self, card: Card) -> str:
        if card.approval.snoozed_until is None:
            raise ApprovalError("its snooze is over already")
        async with self._cards.deciding():
            await self._cards.put(replace(card.approval, snoozed_until=None), card.version)
        return "back in the inbox"

    async def _approved(self, card: Card) -> str:
        if card.call.state is not CallState.WAITING_APPROVAL:
            raise ApprovalError(too_late(card.call))
        back = self._cards.pending_again(card.approval, acts_at=None)
        await self._cards.decide(card, back, progress=WAITING)
        return "approval taken back; nothing was done"

    async def _rejected(self, card: Card) -> str:
        if card.call.state is not CallState.CANCELLED or card.call.approval != card.approval.id:
            raise ApprovalError(f"too late to take back: the call is {state_words(card.call)}")
        back = self._cards.pending_again(card.approval, decision_note="")
        words = "Correction: the user took the rejection back; this waits for approval again."
        async with self._cards.deciding():
            opened = await self._cards.ledger.put_call(
                card.call,
                card.call_version,
                CallState.WAITING_APPROVAL,
                progress=WAITING,
                error="",
                ended_at=None,
            )
            await self._cards.ledger.put_result(opened, words)
            await self._cards.put(back, card.version)
        return "rejection taken back"
