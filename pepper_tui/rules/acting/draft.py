"""Drafts from templates: the recipient, the text, and which mail gets no draft.

Mail from machines is not answered (``text.addresses``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from pepper_tui.text import one_line
from pepper_tui.text.addresses import nobody_reads

_FILL: Final = re.compile(r"\{(name|first_name|subject|me)\}")


def unanswerable(facts: Mapping[str, Any]) -> str:
    """Explain why the mail with these facts (a signal's metadata) gets no draft; an empty string if it may have one."""
    sender = str(facts.get("sender") or "")
    if not facts.get("message_id") and not facts.get("raw"):
        return "only mail can be answered"
    if facts.get("automatic"):
        return "an automatic mail is not answered"
    if facts.get("list"):
        return "a mailing list is not answered"
    for address in (sender, str(facts.get("reply_to") or "")):
        if nobody_reads(address):
            return f"nobody reads {one_line(address, 80)}"
    if facts.get("kind") == "own":
        return "you wrote it yourself"
    return ""


def filled(template: str, facts: Mapping[str, Any], me: str) -> str:
    """Return ``template`` with its placeholders filled: ``{name}``, ``{first_name}``, ``{subject}``, ``{me}``."""
    address = str(facts.get("sender") or "")
    name = one_line(str(facts.get("sender_name") or address.partition("@")[0]), 80)
    fills = {
        "name": name,
        "first_name": name.split()[0] if name.split() else "",
        "subject": one_line(str(facts.get("subject", "")), 200),
        "me": me,
    }
    return _FILL.sub(lambda found: fills[found[1]], template)
