"""Gmail's labels, and what they say of a mail: what its place is for, how it is marked, what its folder is called."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from pepper_tui.domains.mail.at_source.state import Copy, Mark, Use

INBOX: Final = "INBOX"
SENT: Final = "SENT"
DRAFT: Final = "DRAFT"
TRASH: Final = "TRASH"
SPAM: Final = "SPAM"
UNREAD: Final = "UNREAD"
STARRED: Final = "STARRED"
ARCHIVE: Final = "Archive"
"""The folder of a mail that has none of the labels below and none of the user's own."""
USES: Final[Mapping[str, Use]] = {TRASH: "trash", SPAM: "junk", DRAFT: "drafts", INBOX: "inbox", SENT: "sent"}
"""What a label is for. A mail may have several: the first counts."""
HIDDEN: Final = frozenset({TRASH, SPAM, DRAFT})
"""Mail with one of these is not taken in, unless the label is watched."""


@dataclass(frozen=True, slots=True)
class LabelNames:
    """The account's labels. A system label's id is its name; ``own`` are the user's, by id."""

    own: Mapping[str, str] = field(default_factory=dict)
    system: Collection[str] = ()

    @classmethod
    def of(cls, answer: Mapping[str, Any]) -> LabelNames:
        """Read the answer to ``labels.list``."""
        labels = [(str(each["id"]), str(each.get("name", ""))) for each in answer.get("labels", [])]
        users = {str(each["id"]) for each in answer.get("labels", []) if each.get("type") == "user"}
        return cls({ident: name for ident, name in labels if ident in users}, {i for i, _ in labels if i not in users})

    def ident(self, name: str) -> str:
        """Return the id of the label called ``name``, in any case; empty if there is none."""
        if name.upper() in self.system:
            return name.upper()
        return next((ident for ident, each in self.own.items() if each.casefold() == name.casefold()), "")

    def folder(self, labels: Collection[str]) -> str:
        """Return the name of the place of a mail with these labels."""
        for label in (TRASH, SPAM, DRAFT, INBOX):
            if label in labels:
                return label
        named = sorted(self.own[label] for label in labels if label in self.own)
        return named[0] if named else SENT if SENT in labels else ARCHIVE


def use_of(labels: Collection[str]) -> Use:
    return next((use for label, use in USES.items() if label in labels), "archive")


def marks_of(labels: Collection[str]) -> list[Mark]:
    said: list[tuple[bool, Mark]] = [
        (UNREAD not in labels, "seen"),
        (STARRED in labels, "flagged"),
        (DRAFT in labels, "draft"),
    ]
    return [mark for there, mark in said if there]


def place_of(account: str, ident: str) -> str:
    """Return how the copy is called everywhere in Pepper. ``ident`` is Gmail's id of the mail."""
    return f"gmail:{account}/{ident}"


def ident_at(account: str, place: str) -> str:
    """Return Gmail's id of the mail at ``place``; empty if that is no place of this account."""
    start = place_of(account, "")
    return place.removeprefix(start) if place.startswith(start) else ""


def copy_of(account: str, ident: str, labels: Sequence[str], names: LabelNames) -> Copy:
    return Copy(place_of(account, ident), account, names.folder(labels), use_of(labels), marks_of(labels))


def is_watched(labels: Iterable[str], watched: Collection[str]) -> bool:
    """Check whether a mail with these labels is to be taken in."""
    there = set(labels)
    return bool(there & set(watched)) and not (there & HIDDEN) - set(watched)
