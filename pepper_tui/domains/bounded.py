"""Parsing in the parser process of what no library bounds: mails, and HTML. Blocking: call it in a thread.

The functions at the end run in that process.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Sequence
from typing import Final

from pepper_tui.boundary.process import NotRead, ParserProcess
from pepper_tui.domains.mail.content.mime import Mail, attached_parts, not_read, parse_mail
from pepper_tui.model import Json
from pepper_tui.text.html import html_text

PROCESS: Final = ParserProcess("pepper_tui.domains.bounded")


def parse_mails(sources: Sequence[bytes], max_bytes: int) -> list[Mail]:
    """Parse each of ``sources``. Never raises: for a mail that could not be read, ``defects`` says why."""
    found = PROCESS.parse("mail", sources, max_bytes=max_bytes)
    return [
        not_read(source, max_bytes, data.why) if isinstance(data, NotRead) else Mail.of(data)
        for source, data in zip(sources, found, strict=True)
    ]


def attachments_of(source: bytes) -> list[tuple[str, bytes]] | str:
    """Return name and bytes of each attachment of a mail, in the order of ``Mail.attachments``; or why it can't."""
    [found] = PROCESS.parse("attachments", [source])
    if isinstance(found, NotRead):
        return found.why
    if "failed" in found:
        return str(found["failed"])
    return [(str(name), b64decode(data)) for name, data in found["parts"]]


def shown_text(source: str, defects: list[str]) -> str:
    """Return the text that HTML shows. Never raises: failures are added to ``defects``."""
    [found] = PROCESS.parse("html", [source.encode("utf-8", "replace")])
    if isinstance(found, NotRead):
        defects.append(f"the HTML was not read: {found.why}")
        return ""
    defects += found["defects"]
    return str(found["text"])


def mail(source: bytes, max_bytes: int) -> Json:
    return parse_mail(source, max_bytes).data()


def attachments(source: bytes) -> Json:
    return {"parts": [[name, b64encode(data).decode()] for name, data in attached_parts(source)]}


def html(source: bytes) -> Json:
    defects: list[str] = []
    return {"text": html_text(source.decode("utf-8", "replace"), defects), "defects": defects}


def warm() -> None:
    """Load what is loaded lazily: a header in each form, the parsers of HTML and replies, attached mails."""
    attached_parts(b"Content-Type: message/rfc822\n\nFrom: a@b.c\n\na")
    parse_mail(
        b"From: =?utf-8?q?a?= <a@b.c>\nDate: Thu, 1 Jan 2026 00:00:00 +0000\nContent-Type: text/html\n\n"
        b"<p>a</p><p>Best regards</p>"
    )
