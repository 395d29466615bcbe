"""A query in Gmail's own words (``q``). What it asks for finds all that match, or more, unless a remark says otherwise.

Each mail that is found is then checked. Gmail's days are in a zone of its own and by when a mail arrived, so times go
as seconds, with a day more on each side.
"""

from __future__ import annotations

import re
from typing import Final

from pepper_tui.domains.mail.search.matching import ANYWHERE, USES
from pepper_tui.domains.mail.search.query import All, MailQuery, Node, Not, Some, Term, inward

ANSWERED: Final = "Gmail does not say which mails were answered"
WHOLE_WORDS: Final = "Gmail looks for whole words, also in recipients and attachments"
_WORD: Final = re.compile(r"[^\W_]+")
_DAY: Final = 86_400
_ELSEWHERE: Final = "-in:inbox -in:sent -in:drafts -in:spam -in:trash"
_PLACES: Final = {
    "inbox": "in:inbox", "sent": "in:sent", "drafts": "in:drafts", "junk": "in:spam", "trash": "in:trash",
    "archive": f"({_ELSEWHERE})",
}  # fmt: skip
_STATES: Final = {"unread": "is:unread", "read": "is:read", "flagged": "is:starred"}

Said = str | bool
"""Words of ``q``; true if all mails may match, false if none can."""


def gmail_query(query: MailQuery, account: str) -> tuple[str | None, list[str]]:
    """Return ``q`` for ``account``, None if none of its mails can match, and remarks on what Gmail takes otherwise."""
    root = inward(query.root)
    said = _said(root, account)
    remarks = [ANSWERED] if any(each.key == "is" and each.value == "answered" for each in query.terms()) else []
    if any(each.key in ("text", "from", "to", "cc", "subject") for each in query.terms()):
        remarks.append(WHOLE_WORDS)
    if said is False:
        return None, []
    return " ".join([*([said] if isinstance(said, str) else []), "in:anywhere"]), remarks


def _said(node: Node, account: str) -> Said:
    match node:
        case Term():
            return _of_term(node, account)
        case Not(Term(key="account")):
            return not _said(node.of, account)
        case Not(Term(key="to") | Term(key="is", value="answered")):
            return True  # its own "to" includes other recipients
        case Not(of):
            said = _said(of, account)
            return not said if isinstance(said, bool) else f"-{said}"
        case All(of):
            every = [_said(each, account) for each in of]
            words = [each for each in every if isinstance(each, str)]
            return False if False in every else _grouped(words, " ") if words else True
        case Some(of):
            every = [_said(each, account) for each in of]
            words = [each for each in every if isinstance(each, str)]
            return True if True in every else _grouped(words, " OR ") if words else False


def _of_term(term: Term, account: str) -> Said:
    if term.span is not None:
        begins, ends = int(term.span[0]), int(term.span[1])
        late, early = f"after:{max(0, begins - _DAY)}", f"before:{max(0, ends + _DAY + 1)}"
        if term.key == "before":
            return f"before:{max(0, begins + _DAY + 1)}"
        return {"after": late, "until": early, "on": f"({late} {early})"}[term.key]
    match term.key:
        case "account":
            return term.value.casefold() == account.casefold()
        case "has":
            return "has:attachment"
        case "is":
            return _STATES.get(term.value, True)
        case "in":
            return _place(term.value)
    words = _WORD.findall(term.value)
    if term.key == "text":
        return words[0] if len(words) == 1 else f'"{" ".join(words)}"' if words else True
    if term.key != "subject" and "@" in term.value and re.fullmatch(r"@?[\w.+-]+(?:@[\w.-]+)?", term.value):
        return f"{term.key}:{term.value.lstrip('@')}"
    return _grouped([f"{term.key}:{word}" for word in words], " ") if words else True


def _place(named: str) -> Said:
    wanted = named.casefold()
    if wanted in ANYWHERE:
        return True
    if wanted in USES:
        return _PLACES[USES[wanted]]
    return "label:" + re.sub(r"[\s/\"(){}]+", "-", wanted.strip("/ "))


def _grouped(words: list[str], between: str) -> str:
    return words[0] if len(words) == 1 else f"({between.join(words)})"
