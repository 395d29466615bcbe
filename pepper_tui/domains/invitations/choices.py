"""The answers that the card of an invitation, or of a to-do that is due, offers, one key each."""

from __future__ import annotations

from typing import Final

from pepper_tui.domains.calendar.event import by_uid
from pepper_tui.model import Json, Signal

ANSWER_INVITATION: Final = "answer_invitation"
"""The tool that answers."""
_ANSWERS: Final = {"Accept": "accept", "Maybe": "tentative", "Decline": "decline"}


def answer_by(signal: Signal) -> float | None:
    """Return when the invitation of ``signal`` is over, so that an answer comes too late; None if that is not known."""
    at = signal.metadata.get("answer_by")
    return float(at) if isinstance(at, int | float) else None


def choices_of(signal: Signal) -> list[Json]:
    """Return the answers to the invitation or to-do of ``signal``; none if it is neither.

    Other words than these propose another time. Each opens the card of the reply: nothing is sent before its yes.
    """
    if signal.source != "calendar":
        return []
    uid = by_uid(str(signal.metadata.get("uid")))
    if signal.metadata.get("kind") == "called off":
        return [{"words": "Remove it", "tool": "cancel_event", "arguments": {"event": uid, "which": "all"}}]
    if signal.metadata.get("kind") == "due":
        done = {"words": "Done", "tool": "complete_todo", "arguments": {"todo": uid}}
        return [done] if signal.metadata.get("may_be_done") else []
    if not signal.metadata.get("asks"):
        return []
    day = {"day": str(said)} if (said := signal.metadata.get("day")) else {}
    return [
        {
            "words": words,
            "tool": ANSWER_INVITATION,
            "arguments": {"invitation": uid, "answer": answer, **day},
            "field": "propose",
        }
        for words, answer in _ANSWERS.items()
    ]
