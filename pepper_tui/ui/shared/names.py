"""The names used in lists: who, and about what. Addresses are on the card, so a list shows a name or a local part.

A name that came with a mail is only its sender's claim; that is why the card shows the address.
"""

from __future__ import annotations

from datetime import tzinfo
from typing import Final

from pepper_tui.model import QUESTION, Approval, CardLine, FollowUp, Json, Notification, Signal, ToolCall, Trust
from pepper_tui.text import as_name, one_line
from pepper_tui.ui.shared.matters import MORE, InboxItem

LONGEST: Final = 40
"""Longest name, in characters."""
_KINDS: Final = {
    "brief": "brief",
    "reminder": "reminder",
    "offer": "missed",
    "trouble": "trouble",
    "unknown": "did it happen?",
}
_STRANGERS: Final = {
    Trust.USER: "you",
    Trust.VIP: "VIPs",
    Trust.WRITTEN_TO: "people you wrote to",
    Trust.KNOWN: "known senders",
    Trust.UNKNOWN: "unknown senders",
}


_SAYS_IT_ALL: Final = frozenset({"task", "text", "title", "query"})


def arguments_line(arguments: Json, limit: int = 120) -> str:
    """Return a call's arguments in one line, without empty ones; self-explanatory ones go without their name."""
    told = [
        str(value) if key in _SAYS_IT_ALL else f"{key}: {value}"
        for key, value in arguments.items()
        if value not in ("", None, [])
    ]
    return one_line(", ".join(told), limit)


def name_of(item: InboxItem) -> str:
    """Return whose item it is, or what kind of thing."""
    record, head = item.record, item.head
    if item.kind == "unknown":
        return _KINDS["unknown"]
    if item.inert:
        return _proposed(record) if isinstance(record, Approval) else f"→ {_sent_to(record)}"
    if item.kind == MORE:
        return "notices"
    if head is None:
        return _proposed(record) if isinstance(record, Approval) else one_line(record.id, LONGEST)
    if head.kind == QUESTION:
        return question_words(head)
    return sender_name(head) or _KINDS.get(head.kind, "notice")


def question_words(question: Notification) -> str:
    """Say what kind of question it is: only one with times as answers asks which time."""
    if any(choice.get("tool") for choice in question.choices):
        return "your answer?"
    return "asks you" if question.awaited else "which time?"


def _proposed(approval: Approval) -> str:
    return f"→ {recipient(approval)}" if goes_to_somebody(approval) else recipient(approval)


def count_of(item: InboxItem) -> str:
    """Return how many requests the item has, if several: " (3)"."""
    count = len(item.notices) + sum(number for _, number in item.folded)
    return f" ({count})" if count > 1 else ""


def subject_of(item: InboxItem) -> str:
    """Return what the item is about, without its name."""
    record, head = item.record, item.head
    if item.kind == MORE:
        return more_words(item)
    if head is not None:
        subject, title = one_line(head.subject), _without_name(one_line(head.title), head)
        bare = subject.casefold().removeprefix("re: ")
        return subject if bare and title.casefold().startswith(bare) else title or subject
    if isinstance(record, Approval):
        return approval_subject(record)
    return call_words(record) if isinstance(record, ToolCall) else ""


def _without_name(title: str, notice: Notification) -> str:
    """Return a title without the sender's name, which has its own column."""
    name = sender_name(notice)
    for start in (f"{name} <{one_line(notice.sender)}>", name):
        rest = title.removeprefix(start)
        if name and rest != title and (not rest or rest.startswith((":", " "))):
            return rest.lstrip(": ")
    return title


def sender_name(notice: Notification) -> str:
    """Return the sender's name, else the local part of the address; an empty string if nobody sent it."""
    return one_line(notice.who, LONGEST) or one_line(notice.sender.partition("@")[0], LONGEST)


def sender_in_full(notice: Notification) -> str:
    """Return name and address, and a note if the user does not know them."""
    who, address = one_line(notice.who, 80), one_line(notice.sender)
    full = f"{who} <{address}>" if who and address else who or address
    return f"{full} · unknown sender" if full and notice.trust == Trust.UNKNOWN else full


def recipient(approval: Approval) -> str:
    """Return an effect's recipient: of a mail the first, and how many more; else the first words of its summary."""
    line = _line(approval, "to")
    if line is None:
        return one_line(_summary(approval).partition(": ")[0], LONGEST)
    value, untrusted = line
    first, *more = [part for part in one_line(value, 400).split(",") if part.strip()] or [""]
    name, _, address = first.rpartition("<")
    local = address.strip(" >").partition("@")[0]
    shown = local if untrusted else name.strip(' "') or local
    return one_line(shown or first, LONGEST) + (f" +{len(more)}" if more else "")


def goes_to_somebody(approval: Approval) -> bool:
    """Check whether an effect has a recipient, as a mail does."""
    return _line(approval, "to") is not None


def not_done(approval: Approval) -> str:
    """Return words for an effect that did not happen."""
    return "not sent" if goes_to_somebody(approval) else "not done"


def approval_subject(approval: Approval) -> str:
    """Return what an effect is about, besides ``recipient``."""
    if subject := _line(approval, "subject"):
        return one_line(subject[0])
    summary = _summary(approval)
    return summary.partition(": ")[2] or summary


def call_words(call: ToolCall) -> str:
    """Describe a call for a person: its card's line, else its name and arguments."""
    if call.summary:
        return one_line(call.summary)
    with_what = arguments_line(call.arguments)
    return one_line(call.name, LONGEST) + (f" ({with_what})" if with_what else "")


def signal_name(signal: Signal) -> str:
    """Return who a signal is from: the sender, or the feed."""
    facts = signal.metadata
    name = one_line(str(facts.get("sender_name") or ""), LONGEST)
    local = one_line(str(facts.get("sender") or ""), LONGEST * 2).partition("@")[0]
    return name or one_line(local, LONGEST) or one_line(signal.source, LONGEST)


def signal_subject(signal: Signal) -> str:
    """Return what a signal says, without its name and its time."""
    if signal.gist is not None and signal.gist.asks:
        return one_line(signal.gist.asked).lstrip(": ")
    subject = one_line(str(signal.metadata.get("subject") or ""))
    has_sender = bool(signal.metadata.get("sender_name") or signal.metadata.get("sender"))
    return subject if subject and has_sender else one_line(signal.content)


def gist_facts(signal: Signal, zone: tzinfo) -> list[tuple[str, str]]:
    """Return the sources of a signal's line, if they say more than the line."""
    gist = signal.gist
    if gist is None:
        return []
    read = f" (read from “{one_line(gist.due_said)}”)" if gist.due_said else ""
    return [
        *([("due" if gist.until else "for", f"{gist.when(zone, signal.created_at)}{read}")] if gist.due else []),
        *([("words of", one_line(gist.by))] if gist.by else []),
        *(("related", one_line(each.label)) for each in gist.related),
    ]


def more_from(trust: str) -> str:
    """Name the senders of a level of trust, as in "12 more from …"."""
    return _STRANGERS.get(Trust(trust), "others") if trust in set(Trust) else "others"


def awaited_from(follow_up: FollowUp) -> str:
    """Return whose answer a follow-up waits for."""
    who = one_line(follow_up.who, LONGEST) or ", ".join(one_line(party, LONGEST) for party in follow_up.parties[:2])
    return who or "somebody"


def _sent_to(record: object) -> str:
    """Return the recipient in a call's summary: "Send mail to a@b: subject"."""
    summary = call_words(record) if isinstance(record, ToolCall) else ""
    words = summary.partition(": ")[0]
    _, _, to = words.rpartition(" to ")
    address = to.partition(",")[0].strip()
    return one_line(address.partition("@")[0] or words, LONGEST)


def _line(approval: Approval, label: str) -> tuple[str, bool] | None:
    """Return the value of a card's line, and whether it is untrusted."""
    for line in approval.effect.get("lines", []):
        if isinstance(line, dict) and str(line.get("label", "")).casefold() == label and line.get("value"):
            return str(line["value"]), bool(line.get("untrusted"))
    return None


def _summary(approval: Approval) -> str:
    return one_line(str(approval.effect.get("summary", "")) or "An approval without a summary")


def shown_value(line: CardLine) -> str:
    """Return the value of a line as a card shows it: of a folded one, how it begins."""
    first = line.value.split("\n", _UNFOLDED)
    if not line.folded or "\n" not in first[-1]:
        return line.value
    return "\n".join([*first[:_UNFOLDED], f"… {first[_UNFOLDED].count(chr(10)) + 1} more lines, sent as they are"])


_UNFOLDED: Final = 3  # lines


def label_words(line: CardLine) -> str:
    """Return the label of a line; one from outside is marked as such, and complete."""
    return f"argument ‹{as_name(line.label)}›" if line.outside else one_line(line.label, 40)


def trust_words(line: CardLine, *, aloud: bool = False) -> str:
    """Explain why a value from outside is marked; ``aloud``: without a glyph."""
    if line.quiet:
        return one_line(line.warning)
    warning = f": {one_line(line.warning)}" if line.warning else ": it came from outside" if aloud else ""
    return f"{'' if aloud else '⚠ '}untrusted{warning}"


def more_words(item: InboxItem) -> str:
    """Return the text of the item that holds the rest of one origin."""
    head = item.notices[0]
    kind, _, name = head.origin.partition(":")
    named = {"sender": sender_in_full(head) or "unknown senders", "calendar": f"the calendar {one_line(name, 60)}"}
    who = named.get(kind) or (f"the feed {one_line(name, 60)}" if name else "the model")
    return f"{len(item.notices)} more from {who}"
