"""Whether one mail matches a query, by what is known of it. What is unknown neither matches nor fails to.

Words are compared as the index does it: without case and accents. Of a name or an address the beginning of a word is
enough, but a value with ``@`` is a whole address, or a whole domain.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from pepper_tui.domains.mail.at_source.state import MailState, Use
from pepper_tui.domains.mail.search.query import All, Key, MailQuery, Node, Not, Some, Term, inward
from pepper_tui.model import Json

_TOKEN: Final = re.compile(r"[^\W_]+")
USES: Final[Mapping[str, Use]] = {
    "inbox": "inbox", "archive": "archive", "sent": "sent", "drafts": "drafts", "draft": "drafts",
    "junk": "junk", "spam": "junk", "trash": "trash", "bin": "trash",
}  # fmt: skip
"""Names by which ``in:`` means a folder of this use, whatever it is called."""
ANYWHERE: Final = ("anywhere", "any", "all")
Known = bool | None
"""Whether it matches; None where that can't be known."""


def matches(query: MailQuery, mail: Json, state: MailState | None) -> Known:
    """Check whether ``mail`` matches a query whose dates are resolved."""
    return _holds(inward(query.root), mail, state)


def _holds(node: Node, mail: Json, state: MailState | None) -> Known:
    match node:
        case Term():
            return _TERMS[node.key](node, mail, state)
        case Not(of):
            found = _holds(of, mail, state)
            return None if found is None else not found
        case All(of):
            every = [_holds(each, mail, state) for each in of]
            return False if False in every else None if None in every else True
        case Some(of):
            every = [_holds(each, mail, state) for each in of]
            return True if True in every else None if None in every else False


def words_of(text: str) -> str:
    """Return the words of ``text`` as they are compared, each between spaces."""
    plain = "".join(each for each in unicodedata.normalize("NFKD", text) if not unicodedata.combining(each))
    return f" {'  '.join(_TOKEN.findall(plain.casefold()))} "


def has_words(wanted: str, text: str, *, begun: bool = False) -> bool:
    """Check whether ``wanted`` stands in ``text``, word by word; ``begun``: the last may be a word's beginning."""
    phrase = words_of(wanted)
    return bool(phrase.strip()) and (phrase.rstrip() if begun else phrase) in words_of(text)


def text_of(mail: Json) -> str:
    """Return what words are looked for in: as in the index."""
    return f"{mail.get('subject', '')}\n{_named(mail.get('sender'))}\n{mail.get('text', '')}"


def is_person(wanted: str, name: str, address: str) -> bool:
    """Check whether ``wanted`` is a person's name or address. A name never passes for an address."""
    if "@" in wanted:
        whole, own = wanted.casefold().strip(), address.casefold()
        return own == whole or (whole.startswith("@") and own.endswith(whole))
    return has_words(wanted, name, begun=True) or has_words(wanted, address, begun=True)


def in_time(term: Term, date: float) -> bool:
    """Check a date against a term; the term must be resolved."""
    if term.span is None:
        raise ValueError(f"{term.key}:{term.value} was not resolved")
    begins, ends = term.span
    match term.key:
        case "before":
            return date < begins
        case "after":
            return date >= begins
        case "until":
            return date < ends
    return begins <= date < ends


def when(mail: Json) -> float:
    """Return the mail's own date, else when it arrived."""
    return date_of(mail.get("date"), mail.get("arrived"))


def date_of(date: Any, arrived: Any) -> float:
    return float(date if date is not None else arrived or 0.0)


def is_folder(wanted: str, folder: str) -> bool:
    """Check whether ``wanted`` is a folder's name, or the last part of it."""
    name, plain = folder.casefold(), wanted.casefold().strip().strip("/")
    return name == plain or name.endswith((f"/{plain}", f".{plain}"))


def is_in(wanted: str, label: Any, state: MailState | None) -> bool:
    """Check whether a copy is in that folder, or in one of that use; where none is known, where it was first seen."""
    if wanted.casefold() in ANYWHERE:
        return True
    if state is None:
        return is_folder(wanted, str(label or ""))
    use = USES.get(wanted.casefold())
    return any((use is not None and copy.use == use) or is_folder(wanted, copy.folder) for copy in state.copies)


def is_of(wanted: str, account: Any, state: MailState | None) -> bool:
    accounts = {str(account or ""), *(copy.account for copy in state.copies)} if state else {str(account or "")}
    return wanted.casefold() in {each.casefold() for each in accounts}


def is_marked(wanted: str, state: MailState | None) -> Known:
    """Check how a mail is marked; None if that is unknown."""
    if state is None:
        return None
    match wanted:
        case "unread":
            return state.unread
        case "read":
            return state.has("seen")
        case "answered":
            return state.has("answered")
    return state.has("flagged")


_Test = Callable[[Term, Json, MailState | None], Known]
_TERMS: Final[Mapping[Key, _Test]] = {
    "text": lambda term, mail, _: has_words(term.value, text_of(mail), begun=term.begun),
    "from": lambda term, mail, _: _is_one(term.value, [mail.get("sender")], doubted=bool(mail.get("doubts"))),
    "to": lambda term, mail, _: _is_one(term.value, mail.get("to") or ()),
    "cc": lambda term, mail, _: _is_one(term.value, mail.get("cc") or ()),
    "subject": lambda term, mail, _: has_words(term.value, str(mail.get("subject") or ""), begun=term.begun),
    **dict.fromkeys(("before", "after", "on", "until"), lambda term, mail, _: in_time(term, when(mail))),
    "has": lambda _, mail, __: bool(mail.get("attachments")),
    "is": lambda term, _, state: is_marked(term.value, state),
    "in": lambda term, mail, state: is_in(term.value, mail.get("label"), state),
    "account": lambda term, mail, state: is_of(term.value, mail.get("account"), state),
}


def _is_one(wanted: str, people: Iterable[Any], *, doubted: bool = False) -> bool:
    of = ((str(each.get("name") or ""), str(each.get("address") or "")) for each in people if isinstance(each, Mapping))
    return any(is_person(wanted, "" if doubted else name, address) for name, address in of)


def _named(person: Any) -> str:
    return f"{person.get('name', '')} {person.get('address', '')}".strip() if isinstance(person, Mapping) else ""
