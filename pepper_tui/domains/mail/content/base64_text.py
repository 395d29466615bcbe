"""Base64 as mails hold it: with strange characters, in several padded pieces, cut at any place."""

from __future__ import annotations

import re
from binascii import a2b_base64
from typing import Final

_STRANGE: Final = re.compile(rb"[^A-Za-z0-9+/=]+")
_ENDS: Final = re.compile(rb"=+")


def base64_bytes(source: bytes) -> bytes:
    """Return the bytes that ``source`` holds. What is no whole byte at the end of a piece is left out."""
    found = []
    for piece in _ENDS.split(_STRANGE.sub(b"", source)):
        whole = piece[: len(piece) - 1] if len(piece) % 4 == 1 else piece
        found.append(a2b_base64(whole + b"=" * (-len(whole) % 4)))
    return b"".join(found)
