"""Making text from outside safe to show, log, notice or prompt."""

from __future__ import annotations

import json
import re
from typing import Final

# ECMA-48 sequences: CSI, then the string kinds (OSC, DCS, SOS, PM, APC) up to BEL or ST, then two-byte escapes.
# A body excludes ESC and every C1 opener: no character is read for two of them, so hostile text costs linear time.
_SEQUENCE: Final = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"
    r"|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x1b\x07\x90\x98\x9b-\x9f]{0,4096}(?:\x1b\\|\x07|\x9c)"
    r"|\x1b[ -/]{0,8}[0-~]"
)

_DROPPED: Final = [
    *range(0x00, 0x09),
    *range(0x0B, 0x20),
    *range(0x7F, 0xA0),  # C0 but tab and newline, DEL, C1
    0xAD,
    0x061C,
    0x180E,
    *range(0x200B, 0x2010),
    *range(0x202A, 0x202F),
    *range(0x2060, 0x2070),
    0xFEFF,
    *range(0xFFF9, 0xFFFC),
    *range(0xE0000, 0xE0080),
    *range(0xD800, 0xE000),
]
_TABLE: Final[dict[int, str | None]] = {**dict.fromkeys(_DROPPED), 0x2028: "\n", 0x2029: "\n", 0x85: "\n"}
_PROMPT_TABLE: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def clean(text: str, limit: int | None = None) -> str:
    """``text`` without any byte that a terminal, a widget or a reader's eye would obey.

    Whole escape sequences go first, then each control (but newline and tab), bidirectional, zero-width, tag and
    surrogate character. Linear in the length. ``limit`` caps the result in characters, with an ellipsis.
    """
    if limit is not None and len(text) > limit * 4 + 4096:
        text = text[: limit * 4 + 4096]
    text = _SEQUENCE.sub("", text.replace("\r\n", "\n")).translate(_TABLE)
    return text if limit is None else shorten(text, limit)


def one_line(text: str, limit: int = 200) -> str:
    """``text`` cleaned, with each run of white space as one space, at most ``limit`` characters."""
    return shorten(" ".join(clean(text, limit * 8).split()), limit)


def shorten(text: str, limit: int) -> str:
    """``text``, or its first ``limit - 1`` characters and an ellipsis."""
    return text if len(text) <= limit else text[: max(0, limit - 1)] + "…"


def as_json(value: object, limit: int | None = None, indent: int | None = None) -> str:
    """``value`` as JSON with every string and key in it cleaned first, so that no sequence is spelt out instead."""
    text = json.dumps(_cleaned(value), ensure_ascii=False, indent=indent, default=str)
    return text if limit is None else shorten(text, limit)


def _cleaned(value: object) -> object:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, dict):
        return {clean(str(key)): _cleaned(each) for key, each in value.items()}
    return [_cleaned(each) for each in value] if isinstance(value, list | tuple) else value


def escape(text: str) -> str:
    """``text`` cleaned and escaped for a tagged prompt: it can neither open nor close a tag."""
    return clean(text).translate(_PROMPT_TABLE)
