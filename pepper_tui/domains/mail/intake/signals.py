"""The signal that a mail in ``raw.mail`` makes, by its facts."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC
from typing import Final

from pepper_tui.domains.mail.at_source.folder_uses import says_sent, use_by_name
from pepper_tui.domains.mail.at_source.state import Mark
from pepper_tui.domains.mail.content.gist import about, writer_of
from pepper_tui.domains.mail.content.machines import is_automatic, is_list
from pepper_tui.domains.mail.content.mime import left_out
from pepper_tui.domains.mail.content.reply_text import asks_something, telling_lines
from pepper_tui.domains.mail.intake.raw_mail import NAME
from pepper_tui.feeds.triage import SIGNAL_TEXT, Triage
from pepper_tui.model import (
    BACKLOG,
    Facts,
    Gist,
    Json,
    Priority,
    Signal,
)
from pepper_tui.text import begun, one_line

SIGNAL_ID: Final = "signal_"
"""Prefix of the id of a mail's signal, before the mail's own."""
_DEALT_WITH: Final[dict[Mark, str]] = {
    "draft": "it is a draft",
    "deleted": "it was deleted when Pepper first saw it",
    "answered": "it was answered when Pepper first saw it",
}
_LOGGED_TEXT: Final = 300  # characters of text that a signal keeps if it was only logged


def signal_id(raw: Json) -> str:
    """Return the id of a mail's signal."""
    return f"{SIGNAL_ID}{raw['id']}"


def mail_facts(raw: Json, own: Collection[str] = ()) -> Facts:
    """Return the facts of a mail in ``raw.mail`` that triage may use. ``own``: the user's addresses, in lower case."""
    listed, automatic = is_list(raw), is_automatic(raw)
    return Facts(
        source=NAME,
        sender="" if raw.get("several_senders") else raw["sender"]["address"],  # it is unknown whose it is
        name=raw["sender"]["name"],
        to=[one["address"] for one in raw["to"]],
        cc=[one["address"] for one in raw["cc"]],
        subject=raw["subject"],
        text=raw["reply"],
        labels=[raw["label"]],
        is_list=listed,
        automatic=automatic,
        direct=bool(raw["to"]) and all(one["address"] in own for one in raw["to"]),
        question=not listed and not automatic and asks_something(raw["reply"]),
        silent=_silent(raw),
    )


def _silent(raw: Json) -> str:
    """Return why a mail needs nobody's attention, as it lay at its source when it was first seen; empty if it may."""
    if raw.get("invitation"):
        return "its invitation is told as an event"
    use, marks = raw.get("use") or use_by_name(raw["label"]), raw.get("marks") or []
    if use in ("junk", "trash", "drafts"):
        return f"in the folder {one_line(raw['label'], 40)}"
    if dealt_with := next((words for mark, words in _DEALT_WITH.items() if mark in marks), ""):
        return dealt_with
    return "it was read when Pepper first saw it" if use == "inbox" and "seen" in marks else ""


def by_own_hand(raw: Json) -> bool:
    """Check whether a mail that claims to be from the user is where only the user's own programs put it.

    A mail that a server has delivered may come from anyone, under any name: it answers nothing on the user's behalf.
    Nor does a draft, which nobody has got.
    """
    if (raw.get("use") or use_by_name(raw["label"])) == "drafts":
        return False
    return not raw.get("received") or raw.get("use") == "sent" or says_sent(raw["label"])


def mail_signal(raw: Json, triage: Triage, now: float, facts: Facts) -> Signal:
    """Return the signal of a mail in ``raw.mail``, judged by ``facts``, with the line of one that is only logged."""
    signal = unsaid(raw, triage, now, facts)
    signal.content = plain_line(raw, facts, now)
    return signal


def plain_line(raw: Json, facts: Facts, now: float) -> str:
    gist = Gist(writer_of(raw, known=facts.known), about=about(raw["subject"]))
    return gist.line(UTC, now, first_line(raw))


def unsaid(raw: Json, triage: Triage, now: float, facts: Facts) -> Signal:
    """Return the signal of a mail, without its line."""
    priority, reason, rules = triage.judge(facts)
    if raw.get("backlog"):
        priority, reason, rules = Priority.LOG, BACKLOG, ()
    sender, doubts = raw["sender"], list(raw.get("doubts", []))
    if doubts:
        reason = f"{reason}; careful: {'; '.join(doubts[:3])}"
    if (partly := left_out(raw)) and reason != BACKLOG:
        reason = f"{reason}; not all of it was read: {partly}"
    text = "\n".join(telling_lines(raw["reply"]))
    metadata: Json = {
        "sender": sender["address"],
        "sender_name": sender["name"],
        "subject": raw["subject"],
        "thread": raw["thread"],
        "message_id": raw["message_id"],
        "raw": raw["id"],
        "to": [one["address"] for one in raw["to"]][:20],
        "reply_to": next((one["address"] for one in raw["reply_to"]), sender["address"]),
        "date": raw["date"],
        "text": begun(text, _LOGGED_TEXT if priority is Priority.LOG else SIGNAL_TEXT),
        "attachments": [one["name"] for one in raw["attachments"]][:20],
        "automatic": facts.automatic,
        "list": facts.is_list,
    }
    if triage.is_own(sender["address"]):
        if by_own_hand(raw):
            metadata["kind"] = "own"
        elif reason != BACKLOG:
            reason = "it says that you sent it"
    elif triage.is_vip(facts.sender):
        metadata["kind"] = "vip"
    if doubts:
        metadata["doubts"] = doubts
    if rules:
        metadata["rules"] = list(rules)
    return Signal(
        id=signal_id(raw),
        content="",
        created_at=now,
        priority=priority,
        source=NAME,
        reason=reason,
        matter=f"mail:{raw['thread']}",
        metadata=metadata,
    )


def first_line(raw: Json) -> str:
    return next(iter(telling_lines(raw["reply"])), "")
