"""What the end of a follow-up tells: an answer as a notice, a silence as a signal."""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import Final

from pepper_tui.model import Facts, FollowUp, Json, Match, Namespace, Notification, Priority, Signal
from pepper_tui.rules.book import RuleBook
from pepper_tui.store import Store
from pepper_tui.text import one_line

SOURCE: Final = "follow_up"


def answer_notice(waits: FollowUp, mail: Json, now: float) -> Notification:
    """Return the notice about the awaited answer."""
    who = one_line(str(mail["sender"]["name"] or mail["sender"]["address"]), 80)
    subject = one_line(str(mail["subject"] or "(no subject)"), 120)
    return Notification(
        id=f"ntf_{waits.id}_answered",
        title=one_line(f"{who} {'wrote again' if waits.wrote is None else 'answered'}: {subject}", 160),
        body="\n".join(one_line(line, 200) for line in str(mail["reply"]).splitlines() if line.strip())[:500],
        reason=f"your rule {waits.rule_name!r} waited for this answer",
        source=f"{Namespace.SIGNALS}.mail:signal_{mail['id']}",
        created_at=now,
        priority=Priority.HIGH,
        matter=waits.matter,
        who=who,
        sender=str(mail["sender"]["address"]).lower(),
        subject=subject,
    )


async def due_signal(store: Store, book: RuleBook, waits: FollowUp, now: float, zone: tzinfo) -> Signal:
    """Return the signal that nobody answered in time, with everything the rule's acts need."""
    since = datetime.fromtimestamp(waits.since, zone)
    when = f"{since:%a} {since.day} {since:%b %H:%M}"
    content = f"No answer from {waits.who}: {waits.subject}, waited for since {when}"
    reason = f"your rule {waits.rule_name!r} asked to be told"
    if waits.quiet:
        days = max(1, round((waits.due - waits.since) / 86_400))
        reason = f"you asked {waits.who} something, and no answer came for {days} day{'s' if days > 1 else ''}"
    away = f"An automatic answer came: “{waits.away}”" if waits.away else ""
    asked = f"You asked: “{waits.said}”" if waits.said else ""
    began = await _beginning(store, waits)
    metadata: Json = {
        **began,
        "kind": SOURCE,
        "rules": [_own_match(waits, bool(began)).data()],
        "text": "\n".join(filter(None, [f"Since {when} nobody has answered in this thread.", asked, away])),
    }
    facts = Facts(SOURCE, subject=waits.subject, after=waits.rule_name)
    metadata["rules"] += book.matches(book.matching(facts), facts)
    return Signal(
        id=f"signal_{waits.id}",
        content=one_line(content, 320),
        created_at=now,
        priority=Priority.NORMAL if waits.quiet else Priority.HIGH,
        source=SOURCE,
        reason=reason,
        matter=waits.matter,
        metadata=metadata,
    )


async def _beginning(store: Store, waits: FollowUp) -> Json:
    """Return the facts of the mail that began the wait, as its signal holds them: a nudge goes to its sender."""
    namespace, _, ident = waits.source.partition(":")
    saved = await store.get(ident, namespace=namespace)
    if (signal := Signal.one(saved)) is not None:
        kept = ("sender", "sender_name", "subject", "thread", "message_id", "to", "reply_to", "raw")
        return {key: signal.metadata[key] for key in kept if key in signal.metadata}
    return {"sender": waits.parties[0], "sender_name": waits.who, "subject": waits.subject, "thread": waits.thread}


def _own_match(waits: FollowUp, began: bool) -> Match:
    nudges = bool(waits.nudge_template.strip()) and began
    return Match(
        rule=waits.rule,
        version=f"follow-up {waits.id}",
        name=waits.rule_name,
        acts=["notify", "draft"] if nudges else ["notify"],
        draft=waits.nudge,
        template=waits.nudge_template,
    )
