"""The resources that one server has named, and its list of them as a model reads it.

A server is never asked for what it has not named itself, in a result or in its list: an address that somebody else made
up could tell it something, or make it reach what nobody offered.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from pepper_tui.text import one_line

SHOWN: Final = 200
"""Resources of a list that a model sees."""
MOST_NAMED: Final = 2000
"""URIs remembered per server; the oldest are dropped first."""
LONGEST_URI: Final = 2000


@dataclass(frozen=True)
class Listed:
    """One resource in a server's list; all raw. ``about``: kind, size, description."""

    uri: str
    name: str
    about: Sequence[str] = ()


class Named:
    """The URIs that a server has named while this Pepper runs."""

    def __init__(self) -> None:
        self._uris: dict[str, None] = {}

    def __contains__(self, uri: str) -> bool:
        return uri in self._uris

    def add(self, uris: Iterable[str]) -> None:
        for uri in uris:
            if len(uri) <= LONGEST_URI:
                self._uris.pop(uri, None)
                self._uris[uri] = None
        for oldest in [*self._uris][: max(0, len(self._uris) - MOST_NAMED)]:
            del self._uris[oldest]


def list_words(listed: Sequence[Listed], more: bool, malformed: int) -> str:
    """Return a list of resources as text, one per line, saying what is not shown. ``more``: the list goes on."""
    lines = [f"{each.uri} | {one_line(' | '.join([each.name, *each.about]), 200)}" for each in listed[:SHOWN]]
    if more or len(listed) > SHOWN:
        of = f"more than {len(listed)}" if more else len(listed)
        lines.append(f"[these are {len(lines)} of {of}; the rest is not shown]")
    if malformed:
        lines.append(f"[{malformed} more are left out: what the server says of them is not of the protocol]")
    return "\n".join(lines) or "It lists no resources."
