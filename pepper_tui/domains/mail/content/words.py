"""Text of a header: encoded words (RFC 2047) in any charset, and raw bytes that no header may hold but many do."""

from __future__ import annotations

import re
from binascii import Error
from typing import Final

from pepper_tui.domains.mail.content.base64_text import base64_bytes
from pepper_tui.text.charsets import decoded

_WORD: Final = re.compile(r"=\?([^?\s]{1,80})\?([bq])\?([^?]*)\?=", re.IGNORECASE)
_HEX: Final = re.compile(rb"=([0-9a-f]{2})", re.IGNORECASE)


def readable(source: bytes, charset: str = "") -> str:
    """Decode a header's raw bytes: as UTF-8, else as the mail's own ``charset``, else as the commonest code page."""
    try:
        return source.decode("utf-8")
    except UnicodeError:
        return decoded(source, charset, [])


def words(raw: str, charset: str = "") -> str:
    """Return ``raw``, a header's value, decoded. ``charset`` is that of the mail's body, for bytes without a name."""
    text = raw if raw.isascii() else readable(raw.encode("utf-8", "surrogateescape"), charset)
    if "=?" not in text:
        return text
    found: list[str] = []
    at, pending, named = 0, b"", ""
    for word in _WORD.finditer(text):
        between, name = text[at : word.start()], word[1].partition("*")[0]
        apart = bool(between.strip()) or not at
        if pending and (apart or name.casefold() != named.casefold()):
            found.append(decoded(pending, named, []))
            pending = b""
        if apart:
            found.append(between)
        pending, named, at = pending + _bytes(word[2], word[3]), name, word.end()
    if pending:
        found.append(decoded(pending, named, []))
    return "".join([*found, text[at:]])


def _bytes(coding: str, content: str) -> bytes:
    source = content.encode("utf-8", "surrogateescape")
    if coding in "bB":
        try:
            return base64_bytes(source)
        except Error:
            return source
    return _HEX.sub(lambda found: bytes.fromhex(found[1].decode()), source.replace(b"_", b" "))
