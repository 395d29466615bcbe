"""What stands above a mail that the user begins to write: who writes it, and its subject.

It is said before the words are written. What is sent is resolved anew from the call, and shown on the card.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pepper_tui.domains.mail.listing.records import MailHead
from pepper_tui.domains.mail.message import MAX_SUBJECT
from pepper_tui.domains.mail.writing.accounts import MailAccounts
from pepper_tui.text import sendable
from pepper_tui.tools.errors import ToolError

_KNOWN: Final = {"Re": ("re:",), "Fwd": ("fwd:", "fw:")}


def head_of(accounts: MailAccounts, kind: str, mail: Mapping[str, Any] | None) -> MailHead:
    """Return what stands above a mail of that ``kind`` about ``mail`` (as in ``raw.mail``), or above a new one."""
    subject = "" if mail is None else marked(mail, "Fwd" if kind == "forward" else "Re")
    try:
        writer = accounts.default() if mail is None else accounts.answering(mail)
    except ToolError as error:
        return MailHead("", subject, str(error))
    return MailHead(writer.words, subject, writer.warning)


def marked(mail: Mapping[str, Any], mark: str) -> str:
    """Return the subject of an answer to ``mail`` ("Re"), or of what sends it on ("Fwd")."""
    subject = " ".join(sendable(str(mail.get("subject", ""))).split())[: MAX_SUBJECT - 5]
    return subject if subject.lower().startswith(_KNOWN[mark]) else f"{mark}: {subject}".strip()
