"""What others answered to the user's own invitations, and what came in vain, as signals of the calendar."""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import Final

from pepper_tui.domains.invitations.message import Message
from pepper_tui.domains.invitations.record import Invitation
from pepper_tui.feeds.triage import Triage
from pepper_tui.model import BACKLOG, Facts, Json, Priority, Signal
from pepper_tui.text import one_line

SOURCE: Final = "calendar"
_ANSWERS: Final = {
    "accepted": ("accepts", "answer", Priority.LOG),
    "tentative": ("may come to", "answer", Priority.LOW),
    "declined": ("declines", "declined", Priority.NORMAL),
    "delegated": ("sends somebody else to", "answer", Priority.LOW),
}
"""By PARTSTAT: the verb, the kind of the signal, and how much it matters."""


def when(message: Message, zone: tzinfo) -> str:
    """Return when the event of ``message`` begins, as far as it says."""
    start = message.main["times"][0]
    at = datetime.fromisoformat(start).replace(tzinfo=zone) if isinstance(start, str) else None
    at = at or datetime.fromtimestamp(float(start), zone)
    return f"{at:%a} {at.day} {at:%b}" + ("" if message.fields["all_day"] else f" {at:%H:%M}")


def title_of(message: Message) -> str:
    return one_line(message.fields["summary"] or "(no title)", 150)


def answered(raw: Json, message: Message, zone: tzinfo, *, known: bool) -> tuple[str, str, Priority]:
    """Return the words, kind and priority of an answer. ``known``: the event is in a calendar of the user's."""
    sender = str(raw["sender"]["address"])
    answers = {str(who): str(answer) for who, answer in message.fields["answers"]}
    about, who = f"{title_of(message)} — {when(message, zone)}", _name(raw)
    comment = f" “{one_line(message.main['comment'], 120)}”" if message.main["comment"] else ""
    if not known:
        return f"{who} answers about an event that is in none of your calendars: {about}", "answer", Priority.LOW
    if message.method == "COUNTER":
        return f"{who} proposes another time: {about}{comment}", "counter", Priority.NORMAL
    attendee = sender if sender in answers else next(iter(answers), sender)
    verb, kind, priority = _ANSWERS.get(answers.get(attendee, ""), ("answers about", "answer", Priority.LOW))
    if attendee != sender:
        return f"{who} says that {one_line(attendee, 80)} {verb}: {about}{comment}", kind, Priority.NORMAL
    return f"{who} {verb}: {about}{comment}", kind, Priority.LOW if comment and priority is Priority.LOG else priority


def changed(raw: Json, message: Message, known: Invitation, calendar: str, zone: tzinfo) -> tuple[str, str, Priority]:
    """Return what the organizer has done to an event that lies in ``calendar``: the words, kind and priority."""
    title, at = title_of(message), when(message, zone)
    if message.method == "CANCEL":
        return f"Cancelled: {title} — {at}; it still stands in {one_line(calendar, 60)}", "called off", Priority.NORMAL
    before = datetime.fromtimestamp(known.start, zone)
    was = f"{before:%a} {before.day} {before:%b}" + ("" if known.all_day else f" {before:%H:%M}")
    moved = was != at
    return (
        f"{'Moved' if moved else 'Changed'}: {title} — {at}{f' (was {was})' if moved else ''}; "
        f"{one_line(calendar, 60)} still has it as it was",
        "asked again",
        Priority.NORMAL,
    )


def signal(
    raw: Json,
    words: str,
    kind: str,
    priority: Priority,
    triage: Triage,
    now: float,
    uid: str = "",
    ends: float = 0.0,
    day: str = "",
) -> Signal:
    """Return the signal of a mail's calendar part.

    ``ends``: the event, if that is known. ``day``: the one time of a series that it asks about.
    """
    facts = Facts(
        source=SOURCE, sender=str(raw["sender"]["address"]), name=str(raw["sender"]["name"]), subject=words,
        text=str(raw["reply"]), labels=[str(raw["label"])], priority=priority, reason="it came by mail",
    )  # fmt: skip
    priority, reason, rules = triage.judge(facts)
    if raw.get("backlog"):
        priority, reason, rules = Priority.LOG, BACKLOG, ()
    metadata: Json = {"mail": raw["id"], "kind": kind, "sender": facts.sender, "with_others": True, "uid": uid}
    metadata["asks"] = kind == "asked again"
    metadata["answer_by"] = ends or None
    if day:
        metadata["day"] = day
    if rules:
        metadata["rules"] = list(rules)
    return Signal(
        id=f"signal_{raw['id']}_{kind}",
        content=one_line(words, 320),
        created_at=now,
        priority=priority,
        source=SOURCE,
        reason=reason,
        matter=f"event:mail:{uid}" if uid else f"mail:{raw['thread']}",
        metadata=metadata,
    )


def _name(raw: Json) -> str:
    """Return who writes; a name that may not be theirs is not used."""
    sender = raw["sender"]
    return one_line(str(sender["address"] if raw.get("doubts") else sender["name"] or sender["address"]), 80)
