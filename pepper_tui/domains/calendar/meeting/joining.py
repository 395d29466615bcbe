"""The words about where an event can be joined."""

from __future__ import annotations

from urllib.parse import urlsplit

from pepper_tui.text import one_line
from pepper_tui.text.organisation import organisation

_LONGEST = 500


def owner_of(link: str) -> str:
    """Return who a link belongs to: the registered part of its host, or the host where there is none."""
    host = urlsplit(link).hostname or ""
    return one_line(organisation(host) or host, 80)


def joined_at(link: str) -> str:
    """Return the link after its owner, so that a look-alike shows."""
    return f"({owner_of(link)}) {one_line(link, _LONGEST)}"
