"""What servers call the marks of mails (RFC 9051, 2.3.2) and the uses of folders (RFC 6154), in Pepper's words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from pepper_tui.domains.mail.at_source.folder_uses import use_by_name
from pepper_tui.domains.mail.at_source.state import Mark, Use

ALL: Final = rb"\all"
"""Gmail's folder of all mail: a mail that is only there is archived."""
USES: Final[dict[bytes, Use]] = {
    rb"\inbox": "inbox",
    rb"\archive": "archive",
    ALL: "archive",
    rb"\sent": "sent",
    rb"\drafts": "drafts",
    rb"\junk": "junk",
    rb"\spam": "junk",
    rb"\trash": "trash",
}
MARKS: Final[dict[bytes, Mark]] = {
    rb"\seen": "seen",
    rb"\answered": "answered",
    rb"\flagged": "flagged",
    rb"\draft": "draft",
    rb"\deleted": "deleted",
    rb"$forwarded": "forwarded",
}
FLAGS: Final[dict[str, bytes]] = {"seen": rb"\Seen", "answered": rb"\Answered", "flagged": rb"\Flagged"}


def marks_of(flags: Iterable[object]) -> tuple[Mark, ...]:
    """Return the marks among a mail's flags."""
    given = {flag.lower() for flag in flags if isinstance(flag, bytes)}
    return tuple(mark for flag, mark in MARKS.items() if flag in given)


def use_said(folder: str, flags: Iterable[bytes]) -> Use:
    """Return what the server says that ``folder`` is for; empty if it does not. ``flags`` are the folder's."""
    if folder.upper() == "INBOX":
        return "inbox"
    given = {flag.lower() for flag in flags}
    return next((use for flag, use in USES.items() if flag in given), "")


def use_of(folder: str, flags: Iterable[bytes]) -> Use:
    """Return what ``folder`` is for: as the server says, else as its name says."""
    return use_said(folder, flags) or use_by_name(folder)


def folder_for(use: Use, listed: Sequence[tuple[str, frozenset[bytes]]], named: Mapping[str, Use]) -> str:
    """Return the folder for ``use``: as the server marks it, else by its name; empty if there is none.

    ``named``: what folders are for by the config.
    """
    marked = [name for name, marks in listed if any(USES.get(mark) == use for mark in marks if mark != ALL)]
    every = [name for name, marks in listed if ALL in marks] if use == "archive" else []
    called = [
        name for name, marks in listed if (named.get(name) or use_of(name, marks)) == use and use_by_name(name) == use
    ]
    return next(iter([*marked, *every, *sorted(called, key=len)]), "")
