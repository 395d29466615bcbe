"""The gist of a mail by facts: the parsed sender, the sentence that asks, the subject, and a time found in the text.

A model's gist of the same mail replaces the sentence and the subject; it can't touch the sender, and for the time it
can only say which words of the text express it.
"""

from __future__ import annotations

from datetime import tzinfo

from pepper_tui.clock.words import Due, deadline_in, read_due, time_asked_for
from pepper_tui.domains.mail.content.reply_text import question_in, sentences
from pepper_tui.model import Facts, Gist, Json
from pepper_tui.text import one_line

_LATE = 7 * 86_400.0  # seconds of delay, up to which words like "tomorrow" are read as of the mail's own date
_AHEAD = 3_600.0  # seconds that a sender's clock may be ahead


def writer_of(raw: Json, *, known: bool) -> str:
    """Return whom a mail is from: the name of somebody ``known``; for anybody else, with the address.

    If the sender is in doubt, the address comes first, as a name may pose as one.
    """
    sender = raw["sender"]
    if raw.get("doubts"):
        return f"{sender['address'] or 'unknown sender'} (its name: {sender['name'] or 'none'})"
    if not sender["name"]:
        return str(sender["address"] or "unknown sender")
    return str(sender["name"]) if known else f"{sender['name']} <{sender['address']}>"


def mail_gist(raw: Json, facts: Facts, who: str, now: float, zone: tzinfo, locale: str) -> Gist:
    """Return the gist of the mail ``raw``, by facts. It reads times: not for the event loop."""
    text, written = raw["reply"], written_at(raw["date"], now)
    asks = question_in(text) if facts.question else ""
    due = deadline_in(text, written, zone, locale)
    if due is None and asks:
        due = time_asked_for(asks, written, zone, locale)
    if due is not None and not asks:
        asks = next((one for one in sentences(text) if due.said.casefold() in one.casefold()), "")
    return _with_due(Gist(who=who, asks=one_line(asks, 300), about=about(raw["subject"])), due)


def model_gist(
    known: Gist, told: Json, text: str, date: object, now: float, model: str, zone: tzinfo, locale: str
) -> Gist:
    """Return ``known`` in the words of ``model`` (``asks``, ``about``, ``due`` of what it ``told``). It reads times.

    ``text`` is what the model has read, ``date`` when the mail says that it was written.
    """
    due = read_due(told["due"], text, written_at(date, now), zone, locale) if told["due"] else None
    asks, name = one_line(told["asks"], 160).rstrip("."), known.who.partition(" <")[0]
    if asks.casefold().startswith(f"{name} ".casefold()):
        asks = asks[len(name) + 1 :].strip()
    gist = Gist(who=known.who, asks=asks, about=one_line(told["about"], 80) or known.about, related=known.related)
    gist.by = model
    if due is None and told["due"]:  # its words are not in the text, or not a time: keep what code has read
        gist.due, gist.whole_day, gist.until, gist.due_said = known.due, known.whole_day, known.until, known.due_said
    return _with_due(gist, due)


def about(subject: str) -> str:
    """Return ``subject`` without the marks of replies."""
    words = one_line(subject, 200)
    while ":" in words and words.partition(":")[0].strip().casefold() in _REPLY_MARKS:
        words = words.partition(":")[2].strip()
    return words or "(no subject)"


def untagged(subject: str) -> str:
    """Return ``subject`` without the name in brackets that a mailing list puts before it."""
    words = subject.strip()
    return words.partition("]")[2].strip() if words.startswith("[") and "]" in words[:60] else words


_REPLY_MARKS = frozenset({"re", "aw", "fw", "fwd", "wg", "sv", "antw", "tr", "r"})


def written_at(date: object, now: float) -> float:
    """Return when a mail was written, if its ``date`` can be believed; otherwise ``now``."""
    if isinstance(date, int | float) and not isinstance(date, bool) and now - _LATE <= date <= now + _AHEAD:
        return float(date)
    return now


def _with_due(gist: Gist, due: Due | None) -> Gist:
    if due is not None:
        gist.due, gist.whole_day, gist.until, gist.due_said = due.at, due.whole_day, due.until, due.said
    return gist
