"""Tells the proposer how the user changed a proposal before approving; otherwise it believes its own words went out."""

from __future__ import annotations

from typing import Final

from pepper_tui.model import Approval, ApprovalState
from pepper_tui.text import shorten
from pepper_tui.tools.ledger import Ledger

_MOST: Final = 4000  # characters reported per changed line


async def edits_before(ledger: Ledger, approval: Approval) -> str:
    """Return the lines of ``approval`` that the user changed since the last proposal, with their current text.

    Empty if there are none.
    """
    cards = await _cards(ledger, approval)
    if not any(card.state is ApprovalState.EDITED for card in cards):
        return ""
    last = next((card for card in reversed(cards) if card.revises), cards[0])
    proposed = {line.label: line.value for line in last.resolved.lines if line.editable}
    changed = [
        f"{line.label}: {shorten(line.value, _MOST)}"
        for line in approval.resolved.lines
        if line.label in proposed and line.value != proposed[line.label]
    ]
    head = "\nThe user changed your proposal before the yes. What was done has:"
    return "\n".join([head, *changed]) if changed else ""


async def _cards(ledger: Ledger, approval: Approval) -> list[Approval]:
    """Return all cards of one proposal, oldest first; including those of the failed calls that it replaces."""
    cards = await ledger.cards_of(approval.call)
    seen = {approval.call}
    while cards and (earlier := cards[0].retry_of):
        named = await ledger.approval(earlier)
        if named is None or named[0].call in seen:
            break
        seen.add(named[0].call)
        cards = [*await ledger.cards_of(named[0].call), *cards]
    return cards
