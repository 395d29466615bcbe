"""A query as the search keys of IMAP (RFC 9051, 6.4.4): what it asks for finds all that match, and perhaps more.

Each mail is then checked. Only words go to the server, letters and digits, so that none of them can be a command. Days
are a server's own, in no zone that is known, so they are asked for with one more on each side.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from pepper_tui.domains.mail.search.query import All, MailQuery, Node, Not, Some, Term, all_of, inward, some_of

_WORD: Final = re.compile(r"[^\W_]+")
_DAY: Final = timedelta(days=1)
_MARKS: Final = {
    "unread": ("UNSEEN", "SEEN"),
    "read": ("SEEN", "UNSEEN"),
    "answered": ("ANSWERED", "UNANSWERED"),
    "flagged": ("FLAGGED", "UNFLAGGED"),
}
_IN: Final = {
    "from": ("FROM",),
    "to": ("TO",),
    "cc": ("CC",),
    "subject": ("SUBJECT",),
    "text": ("SUBJECT", "FROM", "BODY"),
}

Keys = list[Any]
Placed = Callable[[Term], bool]
"""Whether the folder that is searched is the one that a term names."""


def criteria(query: MailQuery, placed: Placed) -> Keys | None:
    """Return what to ask of one folder; None if nothing in it can match."""
    found = _keys(inward(query.root), placed)
    return found if isinstance(found, list) else [] if found else None


def charset(keys: Keys) -> str | None:
    """Return the charset that a server must be told; None if it need not be, which some don't understand."""
    return "UTF-8" if any(_is_beyond_ascii(each) for each in keys) else None


def _is_beyond_ascii(key: Any) -> bool:
    return charset(key) is not None if isinstance(key, list) else isinstance(key, bytes) and not key.isascii()


def without_texts(query: MailQuery) -> MailQuery:
    """Return what can be checked of a mail whose text is not all there."""
    return MailQuery(_without_texts(inward(query.root)))


def _without_texts(node: Node) -> Node:
    match node:
        case Term(key="text") | Not(Term(key="text")):
            return All(())
        case All(of):
            return all_of(map(_without_texts, of))
        case Some(of):
            return some_of(map(_without_texts, of))
    return node


def _keys(node: Node, placed: Placed) -> Keys | bool:
    """Return the keys; true if all mails may match, false if none can."""
    match node:
        case Term(key="is", value=value):
            return [_MARKS[value][0]]
        case Not(Term(key="is", value=value)):
            return [_MARKS[value][1]]
        case Term(key="in" | "account"):
            return placed(node)
        case Not(Term(key="in" | "account") as term):
            return not placed(term)
        case Term():
            return _of_term(node)
        case All(of):
            every = [_keys(each, placed) for each in of]
            return False if False in every else _both([each for each in every if isinstance(each, list)])
        case Some(of):
            every = [_keys(each, placed) for each in of]
            return True if True in every else _either([each for each in every if isinstance(each, list)])
    return True  # that a server does not find a part of a word says nothing of the words


def _of_term(term: Term) -> Keys | bool:
    if term.span is not None:
        begins, ends = map(_day, term.span)
        late, early = ("SINCE", begins - _DAY), ("BEFORE", (begins if term.key == "before" else ends) + 2 * _DAY)
        asked = {"after": [late], "before": [early], "until": [early], "on": [late, early]}[term.key]
        # a mail without a date of its own counts from when it arrived
        return _both([["OR", f"SENT{key}", day.date(), key, day.date()] for key, day in asked])
    if term.key not in _IN:
        return True
    words = [each.encode() for each in _WORD.findall(term.value)]
    return _both([_either([[key, word] for key in _IN[term.key]]) for word in words])


def _both(keys: Sequence[Any]) -> Keys | bool:
    return [each for one in keys for each in one] if keys else True


def _either(keys: Sequence[Keys]) -> Any:
    if not keys:
        return False
    found = keys[-1]
    for each in reversed(keys[:-1]):
        found = ["OR", _group(each), _group(found)]
    return found


def _group(keys: Keys) -> Keys:
    """Return keys for one pair of parentheses.

    The library puts the closing one after the last item, and into it if that goes as a literal.
    """
    last = keys[-1]
    return [*keys, "ALL"] if isinstance(last, bytes) and not last.isascii() else keys


def _day(seconds: float) -> datetime:
    """Return the day, within what a server can be asked for."""
    return datetime.fromtimestamp(min(max(seconds, 0.0), 4e9), UTC)
