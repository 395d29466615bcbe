"""What the user made of a proposal before the yes, for who proposed it: it believes else that its words went out."""

from __future__ import annotations

from typing import Final

from pepper_tui.model import Approval, ApprovalState
from pepper_tui.text import shorten
from pepper_tui.tools.ledger import Ledger

_MOST: Final = 4000  # characters told of one line that was changed


async def edits_before(ledger: Ledger, approval: Approval) -> str:
    """The lines of ``approval`` that the user changed since it was last proposed, as they are now; empty for none."""
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
    """All cards of one proposal, the oldest first; also those of a call that failed, in whose place it is."""
    cards = await ledger.cards_of(approval.call)
    seen = {approval.call}
    while cards and (earlier := cards[0].retry_of):
        named = await ledger.approval(earlier)
        if named is None or named[0].call in seen:
            break
        seen.add(named[0].call)
        cards = [*await ledger.cards_of(named[0].call), *cards]
    return cards
