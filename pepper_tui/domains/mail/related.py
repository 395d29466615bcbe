"""What the store holds on the same matter as a mail: of its thread, of its sender, notes and events by its words.

It takes a few look-ups by indexed tags and one search by words, never by meaning, which may cost a model call. It is
only for what has passed triage, and in a burst only for the first few, so that much mail is taken in just as fast.
"""

from __future__ import annotations

from datetime import tzinfo
from typing import Final

from pepper_tui.clock import day, moment
from pepper_tui.domains.mail.content.gist import about
from pepper_tui.llm.offline.briefs import keywords
from pepper_tui.model import Context, ContextFilter, Json, Namespace, Related
from pepper_tui.store import SearchHit, Store
from pepper_tui.text import one_line

_MAIL: Final = f"{Namespace.RAW}.mail"
_EVENTS: Final = f"{Namespace.RAW}.calendar"
_OF_A_KIND: Final = 2
_HITS: Final = 8
_PAST: Final = 7 * 86_400.0  # seconds after its end in which an event still counts
_LABEL: Final = 50


async def related_to(store: Store, raw: Json, now: float, zone: tzinfo) -> list[Related]:
    """Return what else is known about the mail ``raw``, at most two of a kind, as references with a label."""
    found: dict[str, Related] = {}
    for tag in (f"thread:{raw['thread']}", f"sender:{raw['sender']['address']}" if raw["sender"]["address"] else ""):
        wanted = ContextFilter(namespaces=[_MAIL], tags=[tag], limit=_OF_A_KIND + 1)
        for mail in await store.query(wanted) if tag else ():
            if mail.context_id != raw["id"] and len(found) < _OF_A_KIND:
                found.setdefault(mail.context_id, Related(f"{_MAIL}:{mail.context_id}", _of_mail(mail.data, now, zone)))
    return [*found.values(), *await _by_words(store, about(raw["subject"]), now, zone)]


async def _by_words(store: Store, subject: str, now: float, zone: tzinfo) -> list[Related]:
    """Return notes and events that share the words of ``subject``: all of them, or two."""
    words = keywords(subject).casefold().split()
    if not words or subject == about(""):
        return []
    wanted = ContextFilter(namespaces=[Namespace.NOTE, _EVENTS])
    hits = await store.search(" ".join(words), wanted, _HITS, by_meaning=False)
    near = [hit.context for hit in hits if hit.whole or _shares(hit, words)]
    notes = [_related(each, f"note “{_note(each.data)}”") for each in near if each.namespace == Namespace.NOTE]
    events = [
        _related(each, f"event “{_cut(each.data['summary'])}”, {moment(each.data['start'], zone, now)}")
        for each in near
        if each.type == "event" and not each.data.get("gone") and each.data["end"] >= now - _PAST
    ]
    return [*notes[:_OF_A_KIND], *events[:_OF_A_KIND]]


def _shares(hit: SearchHit, words: list[str]) -> bool:
    data = hit.context.data
    said = " ".join(str(data.get(key) or "") for key in ("title", "text", "summary", "description")).casefold()
    return sum(word in said for word in words) >= _OF_A_KIND


def _of_mail(mail: Json, now: float, zone: tzinfo) -> str:
    sender = mail["sender"]
    at = mail["date"] if mail.get("date") is not None else mail.get("arrived", now)
    who = _cut(sender["name"] or sender["address"] or "unknown sender")
    return f"mail “{_cut(about(mail['subject']))}” from {who}, {day(at, zone, now)}"


def _note(data: Json) -> str:
    return _cut(str(data.get("title") or data.get("text") or ""))


def _cut(words: str) -> str:
    return one_line(words, _LABEL)


def _related(context: Context, label: str) -> Related:
    return Related(f"{context.namespace}:{context.context_id}", label)
