"""Events as Google gives them, written as iCalendar (RFC 5545), which the agenda reads.

Every value is a stranger's: none can begin a line of its own. Times keep the zone that they are in, by its name. Beside
what iCalendar knows, an event has Google's id and etag.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo

from pepper_tui.connectors.google_calendar.descriptions import plain
from pepper_tui.connectors.google_calendar.own_events import uid_of

Json = Mapping[str, Any]
ID: Final = "X-GOOGLE-EVENT-ID"
ETAG: Final = "X-GOOGLE-ETAG"
CANCELLED: Final = "STATUS:CANCELLED"
_RULE: Final = re.compile(r"(?:RRULE|EXRULE|RDATE|EXDATE)[;:][\x20-\x7e]{1,100000}")
_ADDRESS: Final = re.compile(r"[!-~]{1,2000}")
_ZONE: Final = re.compile(r"[\w+-]{1,40}(?:/[\w+-]{1,40}){0,3}", re.ASCII)
_CONTROLS: Final = "".join(map(chr, (*range(32), *range(0x7F, 0xA0), 0x2028, 0x2029)))
_QUOTED: Final = str.maketrans({'"': "'", **dict.fromkeys(_CONTROLS, "")})
_ESCAPED: Final = _QUOTED | str.maketrans(
    {'"': '"', "\\": "\\\\", ";": "\\;", ",": "\\,", "\n": "\\n", "\t": " ", "\u2028": "\\n", "\u2029": "\\n"}
)
ANSWERS: Final = {
    "accepted": "ACCEPTED", "declined": "DECLINED", "tentative": "TENTATIVE", "needsAction": "NEEDS-ACTION",
}  # fmt: skip
_KINDS: Final = {
    "birthday": "birthday", "focusTime": "focus time", "outOfOffice": "out of office",
    "workingLocation": "working location",
}  # fmt: skip
_FREE: Final = frozenset({"birthday", "workingLocation"})
"""Kinds of events that take nobody's time, whatever they say of it."""
_LINKS: Final = {"video": "VIDEO", "phone": "PHONE", "sip": "AUDIO"}


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known of a calendar. ``own``: the user's address, if the calendar is their own.

    ``only_busy``: it shows when there is something, not what.
    """

    own: str = ""
    only_busy: bool = False

    @classmethod
    def of(cls, address: str, place: str, role: str = "") -> Seen:
        """Return what the user with ``address`` sees of the calendar ``place``, to which they have ``role``."""
        return cls(address if place.casefold() == address.casefold() else "", role == "freeBusyReader")


def series_of(event: Json) -> str:
    """Return the id under which an event is kept: that of its series. Raises ``KeyError``."""
    return str(event.get("recurringEventId") or event["id"])


def vevent(event: Json, seen: Seen) -> str:
    """Return the lines of one event. Raises ``ValueError``, or another error, for one that can't be read.

    Of a cancelled occurrence Google tells its id and its original time, and maybe no more. It has no UID then.
    """
    lines = [f"{ID}:{_plain(event['id'])}", f"{ETAG}:{_plain(event.get('etag', ''))}"]
    if uid := uid_of(event):
        lines.append(f"UID:{_text(uid)}")
    lines.append(f"DTSTAMP:{_stamp(event)}")
    if event.get("recurringEventId"):
        lines.append(_time("RECURRENCE-ID", event["originalStartTime"]))
    if event.get("status") == "cancelled":
        lines += [_time("DTSTART", event["originalStartTime"]), CANCELLED]
        return _joined(lines)
    repeats = bool(event.get("recurrence"))
    lines.append(_time("DTSTART", event["start"], repeats=repeats))
    if not event.get("endTimeUnspecified"):
        lines.append(_time("DTEND", event["end"], repeats=repeats))
    lines += [_rule(each) for each in event.get("recurrence") or ()]
    lines += _words(event, seen)
    lines += _people(event, seen)
    lines += _links(event)
    return _joined(lines)


def _words(event: Json, seen: Seen) -> Iterable[str]:
    kind = event.get("eventType", "")
    hidden = seen.only_busy or (event.get("visibility") == "private" and not seen.own)
    title = event.get("summary") or ("Busy" if hidden else "")
    told = {"SUMMARY": title, "LOCATION": event.get("location"), "DESCRIPTION": plain(event.get("description") or "")}
    for name, value in told.items():
        if value:
            yield f"{name}:{_text(value)}"
    yield "STATUS:TENTATIVE" if event.get("status") == "tentative" else "STATUS:CONFIRMED"
    free = event.get("transparency") == "transparent" or kind in _FREE
    yield f"TRANSP:{'TRANSPARENT' if free else 'OPAQUE'}"
    if kind in _KINDS:
        yield f"CATEGORIES:{_KINDS[kind]}"
    yield f"SEQUENCE:{int(event.get('sequence') or 0)}"


def _people(event: Json, seen: Seen) -> Iterable[str]:
    """Yield who is invited, and by whom. The user's own entry has their address, whatever alias was invited."""
    guests = [each for each in event.get("attendees") or () if each.get("email")]
    organizer = event.get("organizer") or {}
    if organizer.get("email") and (guests or not organizer.get("self")):
        yield f"ORGANIZER{_named(organizer)}:mailto:{_plain(organizer['email'])}"
    for each in guests:
        email = seen.own if seen.own and each.get("self") else each["email"]
        kind = ";CUTYPE=RESOURCE" if each.get("resource") else ""
        role = ";ROLE=OPT-PARTICIPANT" if each.get("optional") else ""
        answer = ANSWERS.get(str(each.get("responseStatus")), "NEEDS-ACTION")
        yield f"ATTENDEE{_named(each)}{kind}{role};PARTSTAT={answer}:mailto:{_plain(email)}"


def _links(event: Json) -> Iterable[str]:
    """Yield where its conference is (RFC 7986, 5.11)."""
    points = (event.get("conferenceData") or {}).get("entryPoints") or ()
    found = [(str(each.get("entryPointType")), str(each.get("uri") or "")) for each in points]
    if not any(kind == "video" for kind, _ in found):
        found.insert(0, ("video", str(event.get("hangoutLink") or "")))
    for kind, uri in found:
        if kind in _LINKS and _ADDRESS.fullmatch(uri):
            yield f"CONFERENCE;VALUE=URI;FEATURE={_LINKS[kind]}:{uri}"


def _time(name: str, told: Json, *, repeats: bool = False) -> str:
    if "date" in told:
        return f"{name};VALUE=DATE:{_day(date.fromisoformat(told['date']))}"
    at = datetime.fromisoformat(told["dateTime"])
    called = str(told.get("timeZone") or "")
    zone = zone_of(called)
    if at.tzinfo is None:
        at = at.replace(tzinfo=zone or UTC)
    wall = at.astimezone(zone or UTC)
    if zone is None or (wall.fold and not repeats):  # a wall time in zone would not say which of two is meant
        wall = at.astimezone(UTC)
        return f"{name}:{_day(wall)}T{wall:%H%M%S}Z"
    return f"{name};TZID={called}:{_day(wall)}T{wall:%H%M%S}"


def _day(day: date) -> str:
    return f"{day.year:04}{day.month:02}{day.day:02}"


@lru_cache(maxsize=1000)
def zone_of(name: str) -> ZoneInfo | None:
    """Return the time zone of this name, if there is one."""
    try:
        return ZoneInfo(name) if _ZONE.fullmatch(name) else None
    except (OSError, ValueError, KeyError):  # the last where nobody knows it
        return None


def _stamp(event: Json) -> str:
    told = event.get("updated") or event.get("created")
    at = datetime.fromisoformat(told).astimezone(UTC) if told else datetime(1970, 1, 1, tzinfo=UTC)
    return f"{_day(at)}T{at:%H%M%S}Z"


def _rule(line: str) -> str:
    if not _RULE.fullmatch(line):
        raise ValueError("it repeats by a rule that is none")
    return line


def _named(person: Json) -> str:
    name = str(person.get("displayName") or "").translate(_QUOTED).strip()
    return f';CN="{name[:200]}"' if name else ""


def _text(value: object) -> str:
    return str(value).replace("\r\n", "\n").replace("\r", "\n").translate(_ESCAPED)


def _plain(value: object) -> str:
    """Return a value that has no reason to hold anything but visible characters."""
    found = str(value)
    if found and not _ADDRESS.fullmatch(found):
        found = "".join(each for each in found if each.isprintable() and not each.isspace())
    return found


def _joined(lines: Iterable[str]) -> str:
    text = "".join(f"{line}\r\n" for line in ("BEGIN:VEVENT", *lines, "END:VEVENT"))
    return text.encode("utf-8", "replace").decode()
