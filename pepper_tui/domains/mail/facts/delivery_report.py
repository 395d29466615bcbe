"""Reports on the delivery of a mail (RFC 3464): to whom it did not go, why, and which mail it was.

A report comes from outside, and may say anything: it counts only for a mail that the user sent.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from email.message import Message
from typing import Any, Final

from pepper_tui.domains.mail.content.mailboxes import Address
from pepper_tui.model import Json
from pepper_tui.text import one_line

_MOST: Final = 20  # recipients of one report
_LONG: Final = 500  # characters of one field
_HEAD: Final = 8_000  # characters of the returned mail's head
_ID: Final = re.compile(r"^message-id:\s{0,20}(<[^<>\s]{1,500}>)", re.IGNORECASE | re.MULTILINE)
_SUBJECT: Final = re.compile(r"^subject:[ \t]{0,20}([^\r\n]{1,300})", re.IGNORECASE | re.MULTILINE)
_QMAILS: Final = re.compile(r"^<([^<>\s]{3,320})>:[ \t]*\n((?:[^\n]{1,500}\n?){1,10})", re.MULTILINE)
_NOBODY: Final = re.compile(r"RecipientNotFound|no mailbox here by that name", re.IGNORECASE)
"""What Exchange says under a status that means something else (5.1.10), and qmail under none."""
_STATUS: Final = re.compile(r"\b([245])\.(\d{1,3})\.(\d{1,3})\b")

_WHY: Final = {
    "1.1": "there is no such address",
    "1.2": "there is no such mail server",
    "1.10": "that domain takes no mail",
    "2.1": "that mailbox is switched off",
    "2.2": "that mailbox is full",
    "2.3": "the mail is too large",
    "3.4": "the mail is too large",
    "4.1": "that mail server did not answer",
    "4.4": "that mail server was not found",
    "4.7": "it was tried for too long",
    "7.1": "it was refused there",
    "7.26": "your sender could not be verified there",
}
_KINDS: Final = {
    "1": "the address is wrong",
    "2": "that mailbox takes no mail",
    "4": "that mail server could not be reached",
    "5": "the mail servers did not understand each other",
    "7": "it was refused there",
}


def read_report(parts: list[Message]) -> Json:
    """Return what the parts of a mail say of a delivery: ``recipients``, ``original``, ``subject``; else empty."""
    recipients: list[Json] = []
    original = subject = ""
    for part in parts:
        kind, payload = part.get_content_type(), part.get_payload()
        if kind in ("message/delivery-status", "message/global-delivery-status") and isinstance(payload, list):
            recipients += [one for block in payload[: _MOST + 1] if (one := _recipient(block))]
        elif kind in ("message/rfc822", "text/rfc822-headers", "message/global", "message/global-headers"):
            head = _head(part)
            original = original or next(iter(_ID.findall(head)), "")
            subject = subject or next((one_line(each, 200) for each in _SUBJECT.findall(head)), "")
    return {"recipients": recipients[:_MOST], "original": original, "subject": subject} if recipients else {}


def read_plain_report(addresses: Sequence[Address], text: str) -> Json:
    """Return what a report says whose form is the program's own, as older Exims write it: the mail is in its text."""
    named = [one.address.lower() for one in addresses if one.address][:_MOST]
    about, _, mail = text[:_HEAD].partition("------ This is a copy of")
    why = one_line(about.rpartition("following address(es) failed:")[2], _LONG)
    return _told([{"address": each, "action": "failed", "status": "", "why": why} for each in named], mail)


def is_qmails(text: str) -> bool:
    """Check whether a text is a report in qmail's form (QSBMF), which has no headers of its own."""
    return text.lstrip()[:40].lower().startswith("hi. this is the ") and _QMAILS.search(text[:_HEAD]) is not None


def read_qmails(text: str) -> Json:
    """Return what a report in qmail's form says: a paragraph for each recipient, and below a line the mail."""
    about, _, mail = text[: 2 * _HEAD].partition("\n--- ")
    found = [
        {"address": match[1].lower(), "action": "failed", "status": "", "why": one_line(match[2], _LONG)}
        for match in _QMAILS.finditer(about)
    ]
    return _told(found[:_MOST], mail)


def _told(recipients: list[Json], mail: str) -> Json:
    original = next(iter(_ID.findall(mail)), "")
    subject = next((one_line(each, 200) for each in _SUBJECT.findall(mail)), "")
    return {"recipients": recipients, "original": original, "subject": subject} if recipients else {}


def _recipient(block: Any) -> Json:
    """Return what a block says of one recipient; empty for the block about the report itself."""

    def field(name: str) -> str:
        return one_line(str(next((v for k, v in block.raw_items() if k.lower() == name), ""))[:_LONG], _LONG)

    if not isinstance(block, Message) or not (said := field("final-recipient") or field("original-recipient")):
        return {}
    address = (field("original-recipient") or said).rpartition(";")[2].strip().strip("<>").lower()
    why = field("diagnostic-code").partition(";")[2].strip() or field("diagnostic-code")
    action = field("action").lower().partition(" ")[0]  # a comment may follow
    return {"address": address, "action": action, "status": field("status"), "why": why}


def _head(part: Message) -> str:
    payload: Any = part.get_payload()
    message = payload[0] if isinstance(payload, list) and payload else payload
    if isinstance(message, Message):
        pairs = ((key, str(value)) for key, value in message.raw_items() if key.lower() in ("message-id", "subject"))
        return "\n".join(f"{key}: {value}" for key, value in pairs)[:_HEAD]
    if isinstance(part, Message) and part.get("content-transfer-encoding"):
        decoded = part.get_payload(decode=True)
        return decoded[:_HEAD].decode("utf-8", "replace") if isinstance(decoded, bytes) else ""
    return str(message)[:_HEAD]


def why(recipient: Json) -> str:
    """Return in words why a mail did not go to ``recipient``."""
    if _NOBODY.search(str(recipient.get("why") or "")):
        status = str(recipient.get("status") or "")
        return f"{_WHY['1.1']} ({status})" if status else _WHY["1.1"]
    found = _STATUS.search(str(recipient.get("status") or "")) or _STATUS.search(str(recipient.get("why") or ""))
    if found is not None:
        words = _WHY.get(f"{found[2]}.{found[3]}") or _KINDS.get(found[2])
        if words:
            return f"{words} ({found[0]})"
    return one_line(str(recipient.get("why") or "no reason is given"), 120)


def failed(report: Json) -> list[Json]:
    """Return the recipients to whom the mail will not go; a delay is no failure."""
    return [one for one in report.get("recipients", []) if one.get("action") == "failed"]


def not_arrived(report: Json) -> str:
    """Return to whom the mail did not go and why, in words; empty if it still may."""
    named = [f"{one_line(str(one.get('address') or 'somebody'), 80)}: {why(one)}" for one in failed(report)]
    more = f", and {len(named) - 3} more" if len(named) > 3 else ""
    return "; ".join(named[:3]) + more
