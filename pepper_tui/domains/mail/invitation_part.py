"""The calendar part of a mail that asks for an answer, or brings one (iMIP, RFC 6047), as its text.

Nothing of it is read here but its method: ``domains/invitations`` reads it, in a process of its own.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from pepper_tui.domains.mail.content.leaves import Leaf, bytes_of, header_of
from pepper_tui.text.charsets import decoded

MAX_INVITATION: Final = 200_000
"""Bytes of a calendar part; a longer one is left unread, and the mail says so."""
METHODS: Final = ("REQUEST", "CANCEL", "REPLY", "COUNTER", "DECLINECOUNTER", "ADD", "REFRESH")
"""What makes it more than an event that somebody sends along (RFC 5546, section 1.4)."""
_KINDS: Final = ("text/calendar", "application/ics")
_METHOD: Final = re.compile(rb"^METHOD[ \t]*:[ \t]*([A-Z]{1,20})[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)


def method_of(source: bytes) -> str:
    """Return what a calendar part is for, in capitals (RFC 5545, section 3.7.2); empty if it does not say."""
    found = _METHOD.search(source, 0, MAX_INVITATION)
    return found[1].decode().upper() if found is not None else ""


def read_invitation(leaves: Sequence[Leaf], defects: list[str]) -> str:
    """Return the first calendar part that has one of ``METHODS``; empty if there is none."""
    for kind in _KINDS:  # many programs send the same twice, the second time as a file
        for leaf in leaves:
            if leaf.kind != kind or not (source := bytes_of(leaf.part)):
                continue
            if method_of(source) not in METHODS:
                continue
            if len(source) > MAX_INVITATION:
                defects.append(f"its invitation is longer than {MAX_INVITATION:,} bytes and was not read")
                continue
            charset = header_of(leaf.part, "content-type").parameters.get("charset") or "utf-8"
            return decoded(source, charset, defects)
    return ""
