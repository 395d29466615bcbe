"""A mail as Gmail's API shows it, in each of its four formats.

The text of a part is UTF-8, whatever its header says; whatever has a file name is an attachment, behind a key that is
another one at each look, while the older ones stay good; the snippet is escaped for HTML.
"""

from __future__ import annotations

import html
import re
from base64 import urlsafe_b64encode
from collections.abc import Collection, Iterator
from email.header import decode_header, make_header
from email.message import Message
from typing import Any

from tests.google.errors import invalid
from tests.google.gmail.mailbox import Mail

SNIPPET = 200


def encoded(data: bytes) -> str:
    return urlsafe_b64encode(data).decode()


def short(mail: Mail) -> dict[str, Any]:
    return {"id": mail.id, "threadId": mail.thread}


def labelled(mail: Mail) -> dict[str, Any]:
    return {**short(mail), "labelIds": list(mail.labels)}


def resource(mail: Mail, form: str, headers: Collection[str] = ()) -> dict[str, Any]:
    parsed = mail.parsed
    shown: dict[str, Any] = {
        **labelled(mail),
        "snippet": snippet(parsed),
        "sizeEstimate": len(mail.raw),
        "historyId": str(mail.history),
        "internalDate": str(mail.at),
    }
    if form == "raw":
        shown["raw"] = encoded(mail.raw)
    elif form == "metadata":
        shown["payload"] = {"mimeType": parsed.get_content_type(), "headers": _headers(parsed, headers)}
    elif form == "full":
        shown["payload"] = _part(parsed, "", mail)
    return shown


def attachment(mail: Mail, key: str) -> dict[str, Any]:
    match = re.fullmatch(r"ANGjdJ[\w-]{8}_([0-9.]*)", key)
    for ident, part in _walk(mail.parsed, ""):
        if match and match[1] == ident:
            data = _bytes(part)
            return {"size": len(data), "data": encoded(data)}
    raise invalid("Invalid attachment token")


def snippet(parsed: Message) -> str:
    for _, part in _walk(parsed, ""):
        if part.get_content_maintype() == "text" and not part.get_filename():
            text = _text(part)
            if part.get_content_subtype() == "html":
                text = html.unescape(re.sub(r"<[^>]*>", " ", text))
            return html.escape(" ".join(text.split())[:SNIPPET]).replace("&#x27;", "&#39;")
    return ""


def _part(part: Message, ident: str, mail: Mail) -> dict[str, Any]:
    name = _filename(part)
    shown: dict[str, Any] = {
        "partId": ident,
        "mimeType": part.get_content_type(),
        "filename": name,
        "headers": _headers(part),
    }
    if part.is_multipart():
        shown["body"] = {"size": 0}
        shown["parts"] = [_part(each, _below(ident, number), mail) for number, each in enumerate(_children(part))]
        return shown
    data = _bytes(part)
    if name:
        shown["body"] = {"attachmentId": f"ANGjdJ{_look():08x}_{ident}", "size": len(data)}
    else:
        data = _text(part).encode() if part.get_content_maintype() == "text" else data
        shown["body"] = {"size": len(data), "data": encoded(data)}
    return shown


_looks = 0


def _look() -> int:
    """Counts the looks at attachments, of all mailboxes."""
    global _looks  # noqa: PLW0603
    _looks += 1
    return _looks


def _walk(part: Message, ident: str) -> Iterator[tuple[str, Message]]:
    if not part.is_multipart():
        yield ident, part
        return
    for number, each in enumerate(_children(part)):
        yield from _walk(each, _below(ident, number))


def _below(ident: str, number: int) -> str:
    return f"{ident}.{number}" if ident else str(number)


def _children(part: Message) -> list[Message]:
    payload = part.get_payload()
    return [each for each in payload if isinstance(each, Message)] if isinstance(payload, list) else []


def _headers(part: Message, wanted: Collection[str] = ()) -> list[dict[str, str]]:
    names = {name.lower() for name in wanted}
    return [
        {"name": name, "value": _decoded(value)} for name, value in part.items() if not names or name.lower() in names
    ]


def _decoded(value: object) -> str:
    """Unfolded, with its encoded words read, as far as they can be."""
    flat = re.sub(r"\r?\n[ \t]*", " ", str(value))
    try:
        text = str(make_header(decode_header(flat)))
    except (ValueError, LookupError):
        text = flat
    return text.encode("utf-8", "replace").decode()


def _filename(part: Message) -> str:
    try:
        name = part.get_filename()
    except (ValueError, LookupError):
        name = None
    return _decoded(name) if name else ""


def _bytes(part: Message) -> bytes:
    data = part.get_payload(decode=True)
    return data if isinstance(data, bytes) else b""


def _text(part: Message) -> str:
    data = _bytes(part)
    try:
        return data.decode(part.get_content_charset("utf-8"), "replace")
    except (LookupError, UnicodeError):
        return data.decode("utf-8", "replace")
