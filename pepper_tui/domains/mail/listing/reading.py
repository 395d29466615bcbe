"""A thread as it is read: each mail of ``raw.mail`` with what became of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from pepper_tui.domains.mail.at_source.state import MailState
from pepper_tui.domains.mail.content.mime import left_out
from pepper_tui.domains.mail.listing.records import ThreadMail
from pepper_tui.model import Json
from pepper_tui.text import one_line

BEGIN: Final = 160
"""Characters of a text that its row may show."""
SHOWN: Final = ("subject", "reply")
"""The fields of a mail that a row shows."""
_HEADERS: Final = {
    "message_id": "Message-ID",
    "in_reply_to": "In-Reply-To",
    "references": "References",
    "auto_submitted": "Auto-Submitted",
    "path": "Where",
}


def begin_of(text: object) -> str:
    """Return the first words of a mail's own text."""
    return one_line(str(text or "")[: BEGIN * 4], BEGIN)


def read_mail(raw: Json, state: MailState | None, own: Collection[str]) -> ThreadMail:
    """Return the mail ``raw`` to be read. ``own``: the user's addresses, in lower case."""
    sender = raw.get("sender") or {"name": "", "address": ""}
    date = raw.get("date") if raw.get("date") is not None else raw.get("arrived")
    copies = state.copies if state is not None else []
    folders = [copy.folder for copy in copies] or [str(raw.get("label") or "")]
    marks = dict.fromkeys(mark for copy in copies for mark in copy.marks)
    lists: Mapping[str, str] = raw.get("list_headers") or {}
    headers = [[label, _joined(raw.get(name))] for name, label in _HEADERS.items() if raw.get(name)]
    headers += [[name.title(), str(value)] for name, value in lists.items()]
    return ThreadMail(
        id=str(raw["id"]),
        sender=sender,
        to=list(raw.get("to") or ()),
        cc=list(raw.get("cc") or ()),
        subject=str(raw.get("subject") or ""),
        at=float(date or 0.0),
        text=str(raw.get("text") or raw.get("reply") or ""),
        own=str(sender.get("address") or "").lower() in own,
        unread=state is not None and state.unread,
        marks=[*marks],
        folders=[*dict.fromkeys(folders)],
        account=copies[0].account if copies else str(raw.get("account") or ""),
        reply_to=list(raw.get("reply_to") or ()),
        attachments=list(raw.get("attachments") or ()),
        doubts=list(raw.get("doubts") or ()),
        headers=headers,
        list_post=str(lists.get("list-post") or ""),
        cut=left_out(raw),
    )


def _joined(value: object) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value or "")
