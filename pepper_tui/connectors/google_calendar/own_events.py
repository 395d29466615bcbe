"""What Pepper adds itself: the ids of its events at Google, and how they are known again.

The id is made of the UID, so that the same event is never there twice. The UID goes along as a private property, which
no one but the calendar's own user sees or sets; it counts only on the event whose id is made of it.
"""

from __future__ import annotations

from base64 import b32hexencode
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

PROPERTY: Final = "pepperUid"


def own_id(uid: str) -> str:
    """Return the id at Google of the event that Pepper adds with this UID (base32hex in small letters)."""
    return b32hexencode(sha256(uid.encode()).digest()[:20]).decode().lower()


def uid_of(event: Mapping[str, Any]) -> str:
    """Return an event's UID, Pepper's own for its own; empty if it is not told."""
    ours = str(((event.get("extendedProperties") or {}).get("private") or {}).get(PROPERTY) or "")
    if ours and event.get("id") == own_id(ours):
        return ours
    return str(event.get("iCalUID") or "")


def body_of(event: bytes, uid: str) -> dict[str, Any]:
    """Return what Google is given for a VEVENT of Pepper's. Blocking: imports a library."""
    import icalendar

    component: Any = icalendar.Event.from_ical(event.decode())
    body: dict[str, Any] = {"id": own_id(uid), "extendedProperties": {"private": {PROPERTY: uid}}}
    for ours, theirs in (("SUMMARY", "summary"), ("LOCATION", "location"), ("DESCRIPTION", "description")):
        if ours in component:
            body[theirs] = str(component[ours])
    for ours, theirs in (("DTSTART", "start"), ("DTEND", "end")):
        when = component.decoded(ours)
        body[theirs] = {"dateTime" if isinstance(when, datetime) else "date": when.isoformat()}
    return body
