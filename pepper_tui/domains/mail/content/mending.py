"""Headers that some programs write wrong, mended before a parser sees them: else the rest of them would be text."""

from __future__ import annotations

import re
from typing import Final

MAX_LINES: Final = 5_000

_FIELD: Final = re.compile(rb"[!-9;-~]{1,200}:")
_SPACED: Final = re.compile(rb"([!-9;-~]{1,200})[ \t]+:")
_KNOWN: Final = re.compile(
    rb"(?:from|to|cc|subject|date|message-id|mime-version|content-type|content-transfer-encoding|received|reply-to)"
    rb"[ \t]*:",
    re.IGNORECASE,
)
_ENVELOPE: Final = re.compile(rb">?From ")
_MOST_WRONG: Final = 5
_BEFORE: Final = re.compile(rb"(?:\xef\xbb\xbf)?[\r\n]{0,20}(?=[A-Za-z][A-Za-z-]{1,60}:)")


def mended(source: bytes, defects: list[str]) -> bytes:
    """Return ``source`` with headers that can be read; what was put right is added to ``defects``.

    A mark of the encoding, or empty lines, before the first header go; so does a space before a header's colon, and a
    line without a colon between two headers.
    """
    if (before := _BEFORE.match(source)) and before[0]:
        source = source[before.end() :]
    end = min((at for at in map(source.find, (b"\n\n", b"\n\r\n")) if at >= 0), default=len(source))
    lines = source[:end].split(b"\n")
    if len(lines) > MAX_LINES or all(_FIELD.match(line) or line[:1] in (b" ", b"\t") for line in lines):
        return source
    last = max((at for at, line in enumerate(lines) if _KNOWN.match(line)), default=-1)
    kept: list[bytes] = []
    wrong = 0
    for at, line in enumerate(lines):
        if at > last or _FIELD.match(line) or line[:1] in (b" ", b"\t") or (at == 0 and _ENVELOPE.match(line)):
            kept.append(line)
        elif _SPACED.match(line):
            kept.append(_SPACED.sub(rb"\1:", line, count=1))
        else:
            wrong += 1
    if wrong > _MOST_WRONG:  # this is text without an empty line before it
        return source
    if wrong:
        defects.append("a header line without a colon was left out")
    return b"\n".join(kept) + source[end:]
