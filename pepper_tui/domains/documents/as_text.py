"""Files of any kind as text, whoever wrote them: one way for a mail's attachments and for the user's own files.

A document is read in a process of its own, which can open no file and no socket. Its text is text from outside, as any
mail's. Blocking: call it in a thread.
"""

from __future__ import annotations

from pathlib import PurePath
from typing import Final

from pepper_tui.boundary.process import NotRead, ParserProcess
from pepper_tui.domains.bounded import parse_mails, shown_text
from pepper_tui.domains.documents.file_text import FileText
from pepper_tui.domains.documents.kinds import ENCRYPTED, OLD, may_be_document
from pepper_tui.text.charsets import decoded
from pepper_tui.text.errors import Foreseen, PepperError

MAX_BYTES: Final = 25_000_000
"""Bytes of a document. Half of one is none: its directory stands at the end."""
MAX_PLAIN: Final = 1_000_000
"""Bytes of a text file that are read."""
GET_IT: Final = "pip install 'pepper-tui[documents]'"
_ELSEWHERE: Final = "open it with its own program"
_HTML: Final = frozenset({".html", ".htm", ".xhtml"})
_MAIL: Final = ".eml"

PROCESS: Final = ParserProcess("pepper_tui.domains.documents.reading", seconds=8.0, megabytes=512)


class NotTextError(PepperError, Foreseen):
    """The file can't be read as text, with the reason, and the way out if there is one."""


def as_text(source: bytes, name: str, *, size: int | None = None, first: int = 1) -> FileText:
    """Return the text of a file. Raises ``NotTextError``.

    ``source`` holds its first bytes, ``MAX_BYTES`` + 1 at most; ``size`` is that of the whole file. The
    reading begins with the page, sheet or slide ``first``. ``name`` tells HTML and mails, its bytes tell a document.
    """
    whole = len(source) if size is None else size
    if may_be_document(source):
        return _document(source, whole, first)
    if first > 1:
        raise NotTextError("it has no pages, sheets or slides", "leave the first one out")
    ending = PurePath(name).suffix.casefold()
    if ending == _MAIL:
        return _mail(source)
    notes: list[str] = []
    if whole > MAX_PLAIN:
        source = source[:MAX_PLAIN]
        notes.append(f"only the first {MAX_PLAIN} of {whole} bytes were read")
    text = plain_text(source, notes)
    return FileText(shown_text(text, notes) if ending in _HTML else text, notes)


def plain_text(source: bytes, notes: list[str]) -> str:
    """Decode the bytes of a text file. Raises ``NotTextError``."""
    if source.startswith((b"\xff\xfe", b"\xfe\xff")):
        return decoded(source, "utf-16", notes)
    if source.startswith(OLD):
        if ENCRYPTED in source:
            raise NotTextError("it is encrypted with a password", _ELSEWHERE)
        raise NotTextError(
            "it is an Office file of the form before 2007, which is not read",
            f"{_ELSEWHERE}, or ask for it as .docx, .xlsx or .pptx",
        )
    if b"\x00" in source[:8192] or may_be_document(source):
        raise NotTextError(f"it is no text ({len(source)} bytes)")
    return decoded(source, "utf-8-sig" if source.startswith(b"\xef\xbb\xbf") else "", notes)


def _document(source: bytes, size: int, first: int) -> FileText:
    if size > MAX_BYTES:
        raise NotTextError(f"it is a document of more than {MAX_BYTES // 1_000_000} MB", _ELSEWHERE)
    [found] = PROCESS.parse("document", [source], first=first)
    if isinstance(found, NotRead):
        raise NotTextError(f"it can't be read: {found.why}", _ELSEWHERE)
    if why := str(found.get("no") or found.get("failed") or ""):
        raise NotTextError(why, GET_IT if found.get("extra") else "")
    return FileText(str(found["text"]).strip(), [str(each) for each in found["notes"]])


def _mail(source: bytes) -> FileText:
    [mail] = parse_mails([source], MAX_BYTES)
    head = [f"From: {mail.sender['name']} <{mail.sender['address']}>", f"Subject: {mail.subject}"]
    if mail.attachments:
        head.append(f"Attached: {', '.join(str(each['name']) for each in mail.attachments)}")
    return FileText("\n".join([*head, "", mail.text]), mail.defects)
