"""Events and to-dos written anew: answered, cancelled, done; and the answer to an invitation (RFC 5546), by icalendar.

The events come from strangers and no library limits its work, so this code runs in a parser process of its own. Each
function takes the events of one UID as they are written, with the texts of the time zones of their calendar.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import icalendar

from pepper_tui.domains.calendar import reading
from pepper_tui.domains.calendar.reading import address_of, opened
from pepper_tui.model import Json
from pepper_tui.text.addresses import untagged

PRODUCT: Final = "-//Pepper//Pepper//EN"


def warm() -> None:
    """Load what is loaded lazily: a sandboxed process can open no file."""
    reading.warm()
    start = b"BEGIN:VEVENT\r\nUID:a\r\nDTSTART;TZID=Europe/Berlin:20260101T090000\r\nEND:VEVENT\r\n"
    reply(start, [], "a@example.org", "A", "accepted", "", 0.0, of=0.0)
    edited(start, [], {"start": 0.0, "end": 1.0}, None, 0.0, "Europe/Berlin", 0.0)
    completed(b"BEGIN:VTODO\r\nUID:a\r\nEND:VTODO\r\n", [], done=True, now=0.0)


def answered(
    source: bytes, zones: list[str], own: list[str], address: str, name: str, answer: str,
    of: float | None = None, zone: str = "UTC",
) -> Json:  # fmt: skip
    """Return ``text``, the calendar with the user's answer.

    ``own`` are the user's addresses, ``address`` the one to answer by. ``of`` is the start of the one time of a series
    that is answered, in the user's ``zone`` if it has none; None: all. No server is to send that answer: Pepper does.
    """
    events = opened(source, zones)[0].walk("VEVENT")
    about = events if of is None else [_one_of(events, of, zone)]
    events += [each for each in about if each not in events]
    for event in about:
        mine = _attendee(event, own) or _added(event, address, name)
        mine.params["PARTSTAT"] = answer.upper()
        mine.params.pop("RSVP", None)
    for event in events:
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


def completed(source: bytes, zones: list[str], *, done: bool, now: float) -> Json:
    """Return ``text``, the calendar with its one to-do done (``now``), or open again.

    Raises ``ValueError`` for one that repeats: how such a series goes on differs between programs.
    """
    todos = opened(source, zones)[0].walk("VTODO")
    if len(todos) != 1 or "RRULE" in todos[0] or "RECURRENCE-ID" in todos[0]:
        raise ValueError("it repeats, and programs differ in how that goes on; do it in your own")
    [todo] = todos
    for name in ("STATUS", "COMPLETED", "PERCENT-COMPLETE"):
        todo.pop(name, None)
    todo.add("STATUS", "COMPLETED" if done else "NEEDS-ACTION")
    if done:
        todo.add("COMPLETED", datetime.fromtimestamp(int(now), UTC))
        todo.add("PERCENT-COMPLETE", 100)
    _renew(todo, now)
    return {"text": _whole(todos, zones)}


def edited(
    source: bytes, zones: list[str], changes: Json, of: float | None, shown: float, zone: str, now: float
) -> Json:  # fmt: skip
    """Return ``text``, the calendar with ``changes``: summary, location, description, start and end (POSIX seconds).

    ``of`` is the start of the one time of a series that is meant; None: all of the event. ``shown`` is the
    start that the user knows, to which the new one is compared; ``zone`` is theirs, ``now`` is when it is written.
    """
    events = opened(source, zones)[0].walk("VEVENT")
    main = next((each for each in events if "RECURRENCE-ID" not in each), events[0])
    own = ZoneInfo(zone)
    target = main if of is None else _occurrence(events, main, of, own)
    if target not in events:
        events.append(target)
    for name in ("SUMMARY", "LOCATION", "DESCRIPTION"):
        if name.lower() in changes:
            target.pop(name, None)
            if changes[name.lower()]:
                target.add(name, changes[name.lower()])
    if "start" in changes:
        start, end = (_as_written(main["DTSTART"].dt, float(changes[each]), own) for each in ("start", "end"))
        if of is None and "RRULE" in main:
            _shift(events, main, start - _as_written(main["DTSTART"].dt, shown, own), end - start)
        else:
            _put_times(target, start, end)
    for each in [target] if of is not None else events:
        _renew(each, now)
    return {"text": _whole(events, zones)}


def removed(source: bytes, zones: list[str], of: float, *, following: bool, zone: str, now: float) -> Json:
    """Return ``text``, the calendar without the time that began at ``of``, or without it and all ``following`` ones.

    Empty if nothing is left.
    """
    events = opened(source, zones)[0].walk("VEVENT")
    main = next((each for each in events if "RECURRENCE-ID" not in each), None)
    own = ZoneInfo(zone)
    if main is None or not ("RRULE" in main or "RDATE" in main):
        return {"text": ""}
    if (moved := _moved_to(events, of, own)) is not None:
        of = _instant(moved["RECURRENCE-ID"].dt, own)
    at = _as_written(main["DTSTART"].dt, of, own)
    kept = [
        each for each in events
        if each is main or not (_instant(each["RECURRENCE-ID"].dt, own) >= of if following
                                else _instant(each["RECURRENCE-ID"].dt, own) == of)
    ]  # fmt: skip
    if following:
        if _instant(main["DTSTART"].dt, own) >= of:
            return {"text": ""}
        if "RRULE" not in main or isinstance(main["RRULE"], list):
            raise ValueError("its times are listed one by one; cancel each")
        rule = main["RRULE"]
        rule.pop("COUNT", None)
        before = at - timedelta(days=1) if not isinstance(at, datetime) else at - timedelta(seconds=1)
        rule["UNTIL"] = [_plain(before)]
    else:
        main.add("EXDATE", at)
    _renew(main, now)
    return {"text": _whole(kept, zones)}


def _one_of(events: Sequence[Any], of: float, zone: str) -> Any:
    """Return the one time of a series that begins then; see ``_occurrence``."""
    main = next((each for each in events if "RECURRENCE-ID" not in each), events[0])
    return _occurrence(events, main, of, ZoneInfo(zone))


def _occurrence(events: Sequence[Any], main: Any, of: float, own: ZoneInfo) -> Any:
    """Return the changed occurrence that there is for this time, or a new one, as the series has it."""
    if (moved := _moved_to(events, of, own)) is not None:
        return moved
    one = icalendar.Event.from_ical(main.to_ical())
    length = _length(main)
    for name in ("RRULE", "RDATE", "EXDATE", "EXRULE", "DTEND", "DURATION"):
        one.pop(name, None)
    start = _as_written(main["DTSTART"].dt, of, own)
    one.pop("DTSTART", None)
    one.add("DTSTART", start)
    one.add("DTEND", start + length)
    one.add("RECURRENCE-ID", start)
    return one


def _moved_to(events: Sequence[Any], of: float, own: ZoneInfo) -> Any:
    """Return the changed occurrence that begins then, or stands for that time."""
    changed = [each for each in events if "RECURRENCE-ID" in each]
    now = (each for each in changed if _instant(each["DTSTART"].dt, own) == of)
    before = (each for each in changed if _instant(each["RECURRENCE-ID"].dt, own) == of)
    return next(now, None) or next(before, None)


def _shift(events: Sequence[Any], main: Any, by: timedelta, length: timedelta) -> None:
    """Move a series: its start, its exceptions, and the times that its changed occurrences stand for."""
    rule = main["RRULE"]
    first = main["DTSTART"].dt
    if isinstance(rule, list) or any(name.startswith("BY") for name in rule if name != "BYSECOND"):
        days = {date.date() if isinstance(date, datetime) else date for date in (first, first + by)}
        if len(days) > 1 or (isinstance(rule, dict) and {"BYHOUR", "BYMINUTE"} & rule.keys()):
            raise ValueError("its rule names its days; move one time of it, or cancel it and add it anew")
    if "UNTIL" in rule:
        rule["UNTIL"] = [until + by if isinstance(until, datetime) else until for until in rule["UNTIL"]]
    _put_times(main, first + by, first + by + length)
    for each in events:
        for name in ("EXDATE", "RDATE", "RECURRENCE-ID"):
            if name not in each:
                continue
            found = each.pop(name)
            for group in found if isinstance(found, list) else [found]:
                values = [one.dt for one in group.dts] if hasattr(group, "dts") else [group.dt]
                each.add(name, [one + by for one in values] if hasattr(group, "dts") else values[0] + by)


def _put_times(event: Any, start: Any, end: Any) -> None:
    for name in ("DTSTART", "DTEND", "DURATION"):
        event.pop(name, None)
    event.add("DTSTART", start)
    event.add("DTEND", end)


def _length(event: Any) -> timedelta:
    start = event["DTSTART"].dt
    if "DTEND" in event and isinstance(event["DTEND"].dt, datetime) == isinstance(start, datetime):
        length: timedelta = event["DTEND"].dt - start
        return length
    if "DURATION" in event:
        return timedelta(seconds=event["DURATION"].dt.total_seconds())
    return timedelta(0) if isinstance(start, datetime) else timedelta(days=1)


def _as_written(like: Any, at: float, own: ZoneInfo) -> Any:
    """Return an instant in the form that ``like`` has: in its zone, without one, or as a day of the user's."""
    if not isinstance(like, datetime):
        return datetime.fromtimestamp(at, own).date()
    if like.tzinfo is None:
        return datetime.fromtimestamp(at, own).replace(tzinfo=None)
    return datetime.fromtimestamp(at, UTC).astimezone(like.tzinfo)


def _instant(when: Any, own: ZoneInfo) -> float:
    if isinstance(when, datetime):
        return (when if when.tzinfo is not None else when.replace(tzinfo=own)).timestamp()
    return datetime(when.year, when.month, when.day, tzinfo=own).timestamp()


def _renew(event: Any, now: float) -> None:
    """Mark it as another edition (RFC 5546, section 2.1.4)."""
    sequence = int(event.pop("SEQUENCE", 0)) + 1
    for name in ("DTSTAMP", "LAST-MODIFIED"):
        event.pop(name, None)
        event.add(name, datetime.fromtimestamp(int(now), UTC))
    event.add("SEQUENCE", sequence)


def reply(
    source: bytes, zones: list[str], address: str, name: str, answer: str, comment: str, stamp: float,
    start: float = 0.0, end: float = 0.0, of: float | None = None, zone: str = "UTC",
) -> Json:  # fmt: skip
    """Return ``text``, the answer to an invitation, for a mail (RFC 5546, section 3.2.3).

    With ``start`` and ``end`` (POSIX seconds), it proposes that time instead (section 3.2.7). ``stamp`` is now. ``of``
    and ``zone`` as in ``answered``.
    """
    calendar = icalendar.Calendar()
    calendar.add("PRODID", PRODUCT)
    calendar.add("VERSION", "2.0")
    calendar.add("METHOD", "COUNTER" if end else "REPLY")
    events = opened(source, zones)[0].walk("VEVENT")
    for asked in events if of is None else [_one_of(events, of, zone)]:
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
