"""Events written anew: with the user's answer, as cancelled, and the answer to an invitation (RFC 5546), by icalendar.

The events come from strangers and no library limits its work, so this code runs in a parser process of its own. Each
function takes the events of one UID as they are written, with the texts of the time zones of their calendar.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

import icalendar

from pepper_tui.domains.calendar import reading
from pepper_tui.domains.calendar.reading import address_of, opened
from pepper_tui.model import Json

PRODUCT: Final = "-//Pepper//Pepper//EN"


def warm() -> None:
    """Load what is loaded lazily: a sandboxed process can open no file."""
    reading.warm()
    start = b"BEGIN:VEVENT\r\nUID:a\r\nDTSTART;TZID=Europe/Berlin:20260101T090000\r\nEND:VEVENT\r\n"
    written(start, [])
    reply(start, [], "a@example.org", "A", "accepted", "", 0.0)


def written(source: bytes, zones: list[str]) -> Json:
    """Return ``text``, a calendar of the events as they are, with the time zones that they name."""
    return {"text": _whole(opened(source, zones)[0].walk("VEVENT"), zones)}


def answered(source: bytes, zones: list[str], own: list[str], address: str, name: str, answer: str) -> Json:
    """Return ``text``, the calendar with the user's answer.

    ``own`` are the user's addresses, ``address`` the one to answer by. No server is to send that answer: Pepper does.
    """
    events = opened(source, zones)[0].walk("VEVENT")
    for event in events:
        mine = _attendee(event, own) or _added(event, address, name)
        mine.params["PARTSTAT"] = answer.upper()
        mine.params.pop("RSVP", None)
        if (organizer := event.get("ORGANIZER")) is not None:
            organizer.params["SCHEDULE-AGENT"] = "CLIENT"  # RFC 6638, section 7.1
    return {"text": _whole(events, zones)}


def cancelled(source: bytes, zones: list[str]) -> Json:
    """Return ``text``, the calendar with its events cancelled."""
    events = opened(source, zones)[0].walk("VEVENT")
    for event in events:
        event.pop("STATUS", None)
        event.add("STATUS", "CANCELLED")
    return {"text": _whole(events, zones)}


def reply(
    source: bytes, zones: list[str], address: str, name: str, answer: str, comment: str, stamp: float,
    start: float = 0.0, end: float = 0.0,
) -> Json:  # fmt: skip
    """Return ``text``, the answer to an invitation, for a mail (RFC 5546, section 3.2.3).

    With ``start`` and ``end`` (POSIX seconds), it proposes that time instead (section 3.2.7). ``stamp`` is now.
    """
    calendar = icalendar.Calendar()
    calendar.add("PRODID", PRODUCT)
    calendar.add("VERSION", "2.0")
    calendar.add("METHOD", "COUNTER" if end else "REPLY")
    for asked in opened(source, zones)[0].walk("VEVENT"):
        event = icalendar.Event()
        event.add("UID", str(asked.get("UID", "")))
        event.add("DTSTAMP", datetime.fromtimestamp(int(stamp), UTC))
        event.add("SEQUENCE", asked.get("SEQUENCE", 0))
        for each in ("DTSTART", "DTEND", "RECURRENCE-ID"):
            if asked.get(each) is not None:
                event.add(each, _plain(asked[each].dt))
        if "DURATION" in asked and "DTEND" not in asked:
            event["DURATION"] = asked["DURATION"]
        if end:
            event.pop("DURATION", None)
            for each, at in (("DTSTART", start), ("DTEND", end)):
                event.pop(each, None)
                event.add(each, datetime.fromtimestamp(int(at), UTC))
        for each in ("ORGANIZER", "SUMMARY", "LOCATION"):
            if each in asked:
                event[each] = asked[each]
        mine = _added(event, address, name)
        mine.params["PARTSTAT"] = answer.upper()
        if comment:
            event.add("COMMENT", comment)
        calendar.add_component(event)
    return {"text": calendar.to_ical().decode()}


def _whole(events: Sequence[Any], zones: list[str]) -> str:
    calendar = icalendar.Calendar()
    calendar.add("PRODID", PRODUCT)
    calendar.add("VERSION", "2.0")
    for text in zones:
        for zone in opened(text.encode("latin-1"), [])[0].walk("VTIMEZONE"):
            calendar.add_component(zone)
    for event in events:
        calendar.add_component(event)
    calendar.add_missing_timezones()
    return str(calendar.to_ical().decode())


def _plain(when: Any) -> Any:
    """Return an instant in UTC, so that it needs no time zone of its own; a day, or a time without zone, as it is."""
    return when.astimezone(UTC) if isinstance(when, datetime) and when.tzinfo is not None else when


def _attendee(event: Any, own: list[str]) -> Any:
    found = event.get("ATTENDEE", [])
    attendees = found if isinstance(found, list) else [found]
    return next((one for one in attendees if untagged(address_of(one)) in own), None)


def _added(event: Any, address: str, name: str) -> Any:
    mine = icalendar.vCalAddress(f"mailto:{address}")
    if name:
        mine.params["CN"] = name
    event.add("ATTENDEE", mine, encode=False)
    return mine


def untagged(address: str) -> str:
    """Return an address without the "+tag" by which mail to it may be sorted."""
    name, _, domain = address.partition("@")
    return f"{name.partition('+')[0]}@{domain}"
