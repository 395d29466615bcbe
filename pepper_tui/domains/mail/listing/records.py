"""What a front is given of the mail list: a window of threads, one thread to read, a mail's head. Texts are raw."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from pepper_tui.model import Context, Json, Record


@dataclass(slots=True)
class ThreadRow(Record):
    """One thread in the list. ``id`` stays the same while it has mail; ``newest`` is the mail that dates it.

    ``mails`` are those that others wrote, oldest first: what an act on the thread is about. ``people`` are the writers,
    the latest last; the user is "". ``subject`` and ``begin`` are of the newest mail.
    """

    id: str
    newest: str
    mails: list[str]
    people: list[str]
    count: int
    unread: int
    at: float
    subject: str = ""
    begin: str = ""
    account: str = ""
    folder: str = ""
    flagged: bool = False
    answered: bool = False
    attached: bool = False
    doubtful: bool = False


@dataclass(slots=True)
class MailPage(Record):
    """A window of the list: ``rows`` begin at the place ``first`` of ``total`` threads.

    ``place`` is that of the thread that was asked for, -1 if it is not in the list. ``unread`` counts threads of the
    whole list, ``mails`` all mail that is known. ``told`` says why the view is partial; empty if it is whole.
    """

    rows: list[ThreadRow] = field(default_factory=list)
    first: int = 0
    total: int = 0
    unread: int = 0
    mails: int = 0
    place: int = -1
    told: str = ""

    @classmethod
    def of(cls, source: Context | Mapping[str, Any]) -> Self:
        values = source.data if isinstance(source, Context) else source
        return cls(**{**values, "rows": [ThreadRow.of(row) for row in values.get("rows", [])]})


@dataclass(slots=True)
class ThreadMail(Record):
    """One mail of a thread. ``sender`` and the recipients are ``{"name", "address"}``, as in ``raw.mail``.

    ``at`` is its date, or when it came. ``headers`` are further ones, as label and value. ``cut`` says what of it was
    not read.
    """

    id: str
    sender: Json
    to: list[Json]
    cc: list[Json]
    subject: str
    at: float
    text: str
    own: bool = False
    unread: bool = False
    marks: list[str] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)
    account: str = ""
    reply_to: list[Json] = field(default_factory=list)
    attachments: list[Json] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)
    headers: list[list[str]] = field(default_factory=list)
    list_post: str = ""
    cut: str = ""


@dataclass(slots=True)
class MailHead(Record):
    """What stands above a mail that the user begins to write.

    ``sender``: name and address; ``doubt``: why it may not be the one expected, or why nobody can write it.
    """

    sender: str = ""
    subject: str = ""
    doubt: str = ""
