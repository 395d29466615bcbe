"""What Pepper may do at Google: as little as possible at first, and more when it is first needed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final, Literal

May = Literal["read", "send", "file"]
READ: Final = "https://www.googleapis.com/auth/gmail.readonly"
COMPOSE: Final = "https://www.googleapis.com/auth/gmail.compose"
MODIFY: Final = "https://www.googleapis.com/auth/gmail.modify"
ALL: Final = "https://mail.google.com/"
WORDS: Final[Mapping[May, str]] = {
    "read": "read your mail",
    "send": "write drafts and send mail",
    "file": "archive, mark, label and bin mail",
}
_GIVES: Final[Mapping[str, frozenset[May]]] = {
    READ: frozenset({"read"}),
    COMPOSE: frozenset({"send"}),
    MODIFY: frozenset({"read", "send", "file"}),
    ALL: frozenset({"read", "send", "file"}),
}


def allowed_by(scopes: Collection[str]) -> set[May]:
    """Return what ``scopes`` allow."""
    return {may for scope in scopes for may in _GIVES.get(scope, frozenset())}


def scopes_for(wanted: Collection[May]) -> list[str]:
    """Return the least scopes that allow reading and what is ``wanted``."""
    if "file" in wanted:
        return [MODIFY]
    return [READ, COMPOSE] if "send" in wanted else [READ]


def listed(what: Collection[May]) -> str:
    """Return what is allowed, in words."""
    words = [WORDS[each] for each in WORDS if each in what]
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1] if words else ""]))
