"""Reports on the delivery of a mail (RFC 3464): to whom it did not go, why, and which mail it was.

A report comes from outside, and may say anything: it counts only for a mail that the user sent.
"""

from __future__ import annotations

import re
from email.message import Message
from typing import Any, Final

from pepper_tui.model import Json
from pepper_tui.text import one_line

_MOST: Final = 20  # recipients of one report
_LONG: Final = 500  # characters of one field
_HEAD: Final = 8_000  # characters of the returned mail's head
_ID: Final = re.compile(r"^message-id:\s{0,20}(<[^<>\s]{1,500}>)", re.IGNORECASE | re.MULTILINE)
_SUBJECT: Final = re.compile(r"^subject:[ \t]{0,20}([^\r\n]{1,300})", re.IGNORECASE | re.MULTILINE)
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
            head = _head(payload)
            original = original or next(iter(_ID.findall(head)), "")
            subject = subject or next((one_line(each, 200) for each in _SUBJECT.findall(head)), "")
    return {"recipients": recipients[:_MOST], "original": original, "subject": subject} if recipients else {}


def _recipient(block: Any) -> Json:
    """Return what a block says of one recipient; empty for the block about the report itself."""

    def field(name: str) -> str:
        return one_line(str(next((v for k, v in block.raw_items() if k.lower() == name), ""))[:_LONG], _LONG)

    if not isinstance(block, Message) or not (said := field("final-recipient") or field("original-recipient")):
        return {}
    address = (field("original-recipient") or said).rpartition(";")[2].strip().strip("<>").lower()
    why = field("diagnostic-code").partition(";")[2].strip() or field("diagnostic-code")
    return {"address": address, "action": field("action").lower(), "status": field("status"), "why": why}


def _head(payload: Any) -> str:
    message = payload[0] if isinstance(payload, list) and payload else payload
    if isinstance(message, Message):
        pairs = ((key, str(value)) for key, value in message.raw_items() if key.lower() in ("message-id", "subject"))
        return "\n".join(f"{key}: {value}" for key, value in pairs)[:_HEAD]
    return str(message)[:_HEAD]


def why(recipient: Json) -> str:
    """Return in words why a mail did not go to ``recipient``."""
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
