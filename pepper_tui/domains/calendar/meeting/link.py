"""Where an event can be joined: the one address that it names for that, and who it really belongs to.

The text is a stranger's. So the address is kept in its one spelling, in ASCII, and is always shown with the part of its
host that somebody has registered: a look-alike shows as what it is. Nothing here is ever fetched.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import islice
from typing import Any, Final
from urllib.parse import parse_qs, quote, urlsplit

from pepper_tui.text.web_address import canonical

KNOWN: Final = (
    "zoom.us", "zoomgov.com", "zoom.com", "meet.google.com", "teams.microsoft.com", "teams.live.com",
    "teams.cloud.microsoft", "gov.teams.microsoft.us", "webex.com", "whereby.com", "meet.jit.si", "8x8.vc",
    "gotomeeting.com",
    "meet.goto.com", "bluejeans.com", "chime.aws", "facetime.apple.com", "join.skype.com", "meet.lync.com",
    "call.element.io", "v.ringcentral.com", "meetings.ringcentral.com", "riverside.fm", "gather.town",
    "meet.proton.me", "talk.nextcloud.com", "discord.gg",
)  # fmt: skip
"""Hosts, and those below them, of which an address in an event's words is a meeting."""
_WRITTEN: Final = re.compile(r"https?://[^\s<>\"\\`]{1,2000}", re.I)
_OF_PROGRAMS: Final = ("X-GOOGLE-CONFERENCE", "X-MICROSOFT-SKYPETEAMSMEETINGURL", "X-MICROSOFT-ONLINEMEETINGCONFLINK")
_WRAPPED: Final = ".safelinks.protection.outlook.com"
_EDGE: Final = ".,;:!?)]}'*_"
_MOST: Final = 50  # addresses in the words of an event that are looked at
_ONLINE: Final = re.compile(
    r"\b(?:online|virtual\w*|remote|video\w*|webinar|zoom|teams|google meet|meet|webex|skype|jitsi|whereby|facetime"
    r"|hangouts?|phone|call|telefon\w*|anruf)\b",
    re.I,
)
_PARTS: Final = re.compile(r"[;\n]")


def link_of(component: Any) -> str:
    """Return the address at which an event can be joined; empty if it names none."""
    conferences = [
        (str(each), "VIDEO" in str(getattr(each, "params", {}).get("FEATURE", "")).upper())
        for each in _values(component, "CONFERENCE")
    ]
    named = [each for each, _ in sorted(conferences, key=lambda one: not one[1])]
    named += [str(each) for name in _OF_PROGRAMS for each in _values(component, name)]
    own = [str(each) for each in _values(component, "URL")]
    place = "\n".join(map(str, _values(component, "LOCATION")))[:2000]
    words = "\n".join(map(str, _values(component, "DESCRIPTION")))[:10_000]
    return _first(tuple(named), tuple(own), place, words)


@lru_cache(maxsize=16)  # the times of a series come one after the other, with the same words
def _first(named: tuple[str, ...], own: tuple[str, ...], place: str, words: str) -> str:
    meetings = (each for each in _addresses([*own, place, words]) if is_meeting(each))
    whole = [place.strip()] if _WRITTEN.fullmatch(place.strip()) else []
    return next(iter([*_addresses(named)] or [*islice(meetings, 1)] or [*_addresses([*whole, *own])]), "")


def is_meeting(address: str) -> bool:
    """Check whether a canonical address is at a host that is known for meetings."""
    host = urlsplit(address).hostname or ""
    return any(host == each or host.endswith(f".{each}") for each in KNOWN)


def is_place(location: str) -> bool:
    """Check whether a location names a place that one has to go to, and not only how to join from anywhere."""
    parts = (_WRITTEN.sub(" ", each).strip() for each in _PARTS.split(location[:2000]))
    return any(re.search(r"\w", each) and not _ONLINE.search(each) for each in parts)


def _addresses(texts: Iterable[str]) -> Iterator[str]:
    found = (each[0] for text in texts for each in _WRITTEN.finditer(text))
    for written in islice(found, _MOST):
        try:
            yield _told(written.rstrip(_EDGE))
        except ValueError:
            continue


def _told(written: str) -> str:
    """Return the one spelling of an address, with its fragment, without what Outlook wraps it in."""
    address, _, fragment = written.partition("#")
    found = canonical(address)
    parts = urlsplit(found)
    if (parts.hostname or "").endswith(_WRAPPED) and (inner := parse_qs(parts.query[:2000]).get("url")):
        return canonical(inner[0])
    return f"{found}#{quote(fragment, safe=_IN_FRAGMENT)}" if fragment else found


_IN_FRAGMENT: Final = "!$&'()*+,;=:@/?~%-._"


def _values(component: Any, name: str) -> list[Any]:
    value = component.get(name)
    return value if isinstance(value, list) else [] if value is None else [value]
