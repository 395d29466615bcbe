"""The marks that mail programs write into the headers of an mbox file's mails, and what the file is for."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from pepper_tui.domains.mail.at_source.folder_uses import use_by_name
from pepper_tui.domains.mail.at_source.state import Mark, Use

_HEADER: Final = re.compile(rb"^(Status|X-Status|X-Mozilla-Status):[ \t]*([^\r\n]*)", re.IGNORECASE | re.MULTILINE)
_LETTERS: Final[dict[str, dict[str, Mark]]] = {
    "status": {"R": "seen", "D": "deleted"},
    "x-status": {"A": "answered", "F": "flagged", "T": "draft", "D": "deleted"},
}
_BITS: Final[dict[int, Mark]] = {0x1: "seen", 0x2: "answered", 0x4: "flagged", 0x8: "deleted", 0x1000: "forwarded"}
_SPOOLS: Final = ("/var/mail", "/var/spool/mail")


def marks_in(headers: bytes) -> list[Mark]:
    """Return the marks that the headers of a mail hold, in a fixed order."""
    found: set[Mark] = set()
    for match in _HEADER.finditer(headers):
        name, value = match[1].decode().lower(), match[2].decode("latin-1").strip()
        if name in _LETTERS:
            found |= {mark for letter, mark in _LETTERS[name].items() if letter in value.upper()}
        elif re.fullmatch(r"[0-9a-fA-F]{1,8}", value):
            found |= {mark for bit, mark in _BITS.items() if int(value, 16) & bit}
    return sorted(found)


def use_of(path: Path) -> Use:
    """Return what the file is for, by its name or, for a spool, by its place."""
    return use_by_name(path.name) or ("inbox" if str(path.parent) in _SPOOLS else "")
