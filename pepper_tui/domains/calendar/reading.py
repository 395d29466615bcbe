"""The content of one piece of a calendar file, by icalendar; the dates of a series, by recurring-ical-events.

Neither library limits its work, so this code runs in the parser process. Instants are POSIX seconds; times without a
zone and whole days are wall times in ISO form, because their zone is the user's. Rules that repeat by the second or
minute (or more often in a day than it has hours) are refused.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import chain, islice
from typing import Any, Final
from zoneinfo import ZoneInfo, available_timezones

import icalendar
import recurring_ical_events
from icalendar.timezone import tzp
from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

from pepper_tui.domains.calendar.alarms.alarm import alarms_of, with_few
from pepper_tui.domains.calendar.meeting.link import link_of
from pepper_tui.domains.calendar.mending import (
    A_DAY,
    apart,
    count_the_start,
    date_alike,
    end_as_started,
    exclude,
    interval,
    let_rule_mean,
    let_until_be_that_day,
    listed,
    mended,
    number,
    part_of,
    rules_of,
    times_of,
    too_often,
    zone_named,
)
from pepper_tui.domains.calendar.pieces import HOME
from pepper_tui.model import Json

_PROBED: Final = (1970, 2000, 2026, 2038)  # years for which a time zone must know its offset
MAX_ANSWERS: Final = 500
_SAFE: Final = 3 * 86400.0  # seconds by which a zone, and the day itself, may differ
_zones: list[bytes] = []  # time zones of the file that are in use
_known: list[ZoneInfo] = []
# as the library has it for events: one line that can't be read costs itself, not its alarm, event or to-do
for _kind in (icalendar.Alarm, icalendar.Todo):
    _kind.ignore_exceptions = True


def warm() -> None:
    """Load what is loaded lazily, and each of the machine's time zones: a sandboxed process can open no file."""
    _known.extend(ZoneInfo(name) for name in available_timezones())
    zone_named("(UTC+01:00) Berlin")
    link_of({"LOCATION": "https://z\u043e.example/"})
    start = "BEGIN:VEVENT\r\nUID:a\r\nDTSTART;TZID=Europe/Berlin:20260101T090000\r\nRRULE:FREQ=DAILY\r\nEND:VEVENT\r\n"
    event(start.encode(), [])
    series(start.encode(), [], 0.0, 2_000_000_000.0, 2)
    zone(
        b"BEGIN:VTIMEZONE\r\nTZID:A\r\nBEGIN:STANDARD\r\nDTSTART:19700101T000000\r\nTZOFFSETFROM:+0100\r\n"
        b"TZOFFSETTO:+0100\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n"
    )


def zone(source: bytes) -> bool:
    """Check whether the time zone in ``source`` can be used. Raises, or runs long, if it can't."""
    if source.startswith(HOME):
        return True  # the name alone; ``mended`` looks it up
    [component] = _parsed(source).walk("VTIMEZONE")
    made = component.to_tz(lookup_tzid=False)
    return all(made.utcoffset(datetime(year, 7, 1)) is not None for year in _PROBED)


def event(source: bytes, zones: list[str]) -> Json:
    """Return the one event in ``source``: ``times``, other fields, its recurrence, and what can't be read."""
    calendar, unknown = opened(with_few(source), zones)
    [component] = calendar.walk("VEVENT")
    if component.subcomponents and any(one.name == "VEVENT" for one in component.subcomponents):
        raise ValueError("an event within an event")
    broken = [name for name, _ in component.errors if name]
    broken += [f"time zone {name!r}, taken as yours," for name in unknown]
    broken += ["alarm"] if any(one.errors for one in component.subcomponents if one.name == "VALARM") else []
    if not end_as_started(component):
        broken.append("DTEND")
    if not exclude(component, timedelta(0)):
        broken.append("EXRULE")
    refusal = ""
    if _fixed(component):
        refusal = _refusal(component)
    else:
        broken.append("RRULE")
    rules = rules_of(component)
    organizer = component.get("ORGANIZER")
    found: Json = {
        "edition": [number(component.get("SEQUENCE")), _stamp(component)],
        "sent_by": address_of(getattr(organizer, "params", {}).get("SENT-BY", "")),
        "comment": str(next(iter(listed(component.get("COMMENT"))), ""))[:2000],
        "refusal": refusal,
        "broken": list(dict.fromkeys(broken)),
        "rules": "; ".join(rule.to_ical().decode() for rule in rules),
        "periods": sum(map(_periods, rules)),
        "repeats": "RRULE" in component or "RDATE" in component,
        "last": _last(component),
        "recurrence": _changed(component),
        "uid": str(component.get("UID", ""))[:500],
    }
    try:
        return found | {"fields": _fields(component), "times": _times(component)}
    except Exception as error:
        return found | {"unread": type(error).__name__}


def series(source: bytes, zones: list[str], start: float, end: float, limit: int) -> Json:
    """Return the occurrences of the events in ``source``, all of one UID.

    They reach from a day before ``start`` to a day after ``end``: the different fields, and for each occurrence the
    number of its fields, its times and its own recurrence; ``more``: there are more than ``limit``.
    """
    calendar, _ = opened(with_few(source), zones)
    components = calendar.walk("VEVENT")
    # a day more on both sides: whole days and times without a zone are compared in UTC there
    day = timedelta(days=1)
    first, last = datetime.fromtimestamp(start, UTC) - day, datetime.fromtimestamp(end, UTC) + day
    for component in components:
        _fixed(component)
        end_as_started(component)
        for rule in rules_of(component):
            let_rule_mean(component, rule)
        count_the_start(component)
        exclude(component, last)
    date_alike(components)
    each_series = (recurring_ical_events.of(each).between(first, last) for each in apart(calendar))
    found = list(islice(chain.from_iterable(each_series), limit + 1))
    fields: list[Json] = []
    numbers: dict[tuple[str, ...], int] = {}
    occurrences = []
    for component in found[:limit]:
        mine = _fields(component)
        key = tuple(map(str, mine.values()))
        if key not in numbers:
            numbers[key] = len(fields)
            fields.append(mine)
        occurrences.append([numbers[key], *_times(component), _changed(component)])
    return {"fields": fields, "occurrences": occurrences, "more": len(found) > limit}


def opened(source: bytes, zones: list[str]) -> tuple[Any, list[str]]:
    """Return the calendar that holds only the events in ``source``, and the names of zones that nobody knows."""
    source, more, unknown = mended(source, zones, WINDOWS_TO_OLSON)
    _use([*zones, *more])
    return _parsed(source), unknown


def _parsed(source: bytes) -> Any:
    """Return the calendar that holds only ``source``."""
    wrapped = b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n" + source.rstrip() + b"\r\nEND:VCALENDAR\r\n"
    return icalendar.Calendar.from_ical(wrapped)


def _use(zones: list[str]) -> None:
    """Register the time zones of the file, and of no other: two files may give one name to two zones."""
    wanted = [text for each in zones if not (text := each.encode("latin-1")).startswith(HOME)]
    if wanted != _zones:
        tzp.use_zoneinfo()
        for source in wanted:
            _parsed(source)
        _zones[:] = wanted


def _fields(component: Any) -> Json:
    """Return all fields except the times."""
    categories = component.get("CATEGORIES", [])
    start = component["DTSTART"]
    return {
        "uid": str(component.get("UID", ""))[:500],
        "summary": str(component.get("SUMMARY", ""))[:500],
        "all_day": not isinstance(component.decoded("DTSTART"), datetime)
        or str(component.get("X-MICROSOFT-CDO-ALLDAYEVENT", "")).upper() == "TRUE",
        "location": str(component.get("LOCATION", ""))[:500],
        "description": str(component.get("DESCRIPTION", ""))[:10_000],
        "status": str(component.get("STATUS", "CONFIRMED")).upper()[:20],
        "organizer": address_of(component.get("ORGANIZER", "")),
        "organizer_name": str(getattr(component.get("ORGANIZER"), "params", {}).get("CN", ""))[:200],
        "attendees": [address_of(one) for one in listed(component.get("ATTENDEE"))][:100],
        "answers": [
            # RFC 5545 reads a missing answer as NEEDS-ACTION, but exports of Outlook leave out all answers
            [address_of(one), str(one.params.get("PARTSTAT", "")).lower()[:20]]
            for one in listed(component.get("ATTENDEE"))
        ][:MAX_ANSWERS],
        "categories": [str(name)[:100] for group in listed(categories) for name in getattr(group, "cats", [group])][
            :50
        ],
        "link": link_of(component),
        "alarms": alarms_of(component, instant),
        "zone": str(start.params.get("TZID", "")),
        "busy": str(component.get("TRANSP", "")).upper() != "TRANSPARENT"
        and str(component.get("X-MICROSOFT-CDO-BUSYSTATUS", "")).upper() != "FREE",
    }


def _times(component: Any) -> tuple[float | str, float | str]:
    """Return start and end; if a clock change skips the start, the event is as long as on other days."""
    start = component.decoded("DTSTART")
    end = _end(component, start)
    begins, ends = instant(start), instant(end)
    if isinstance(begins, str) or isinstance(ends, str):
        return begins, ends
    if ends <= begins and start.tzinfo == end.tzinfo:
        ends = max(ends, begins + (end.replace(tzinfo=None) - start.replace(tzinfo=None)).total_seconds())
    return begins, ends


def instant(when: date) -> float | str:
    """Return an instant in POSIX seconds; without a zone, the wall time in ISO form."""
    if isinstance(when, datetime) and when.tzinfo is not None:
        return when.timestamp()
    return (when if isinstance(when, datetime) else datetime(when.year, when.month, when.day)).isoformat()


def _end(component: Any, start: Any) -> Any:
    if "DTEND" in component:
        end = component.decoded("DTEND")
        if isinstance(end, datetime) == isinstance(start, datetime):
            return end
    if "DURATION" in component:
        return start + component.decoded("DURATION")
    return start if isinstance(start, datetime) else start + timedelta(days=1)


def _fixed(component: Any) -> bool:
    """Check whether the rules of ``component`` can be read; if not, remove them."""
    try:
        for rule in rules_of(component):
            let_until_be_that_day(component, rule)
            rule.to_ical()
            _periods(rule)
        _refusal(component)
    except Exception:
        component.pop("RRULE", None)
        return False
    return True


def _changed(component: Any) -> str:
    one = component.get("RECURRENCE-ID")
    return one.to_ical().decode() if one is not None else ""


def _stamp(component: Any) -> float:
    """Return when it was written (POSIX seconds); 0 if it does not say."""
    when = getattr(component.get("DTSTAMP"), "dt", None)
    return when.timestamp() if isinstance(when, datetime) and when.tzinfo is not None else 0.0


def address_of(value: Any) -> str:
    """Return whom a value names: Apple's programs write an id, and the address beside it."""
    said = str(value).lower().strip()
    beside = str(getattr(value, "params", {}).get("EMAIL", "")).lower().strip()
    return (beside if beside and not said.startswith("mailto:") else said.removeprefix("mailto:"))[:320]


def _periods(rule: Any) -> float:
    """Estimate how many steps per day it takes to follow ``rule``."""
    hourly = part_of(rule, "FREQ").upper() == "HOURLY"
    names = ("BYMINUTE", "BYSECOND", *(() if hourly else ("BYHOUR",)))
    return (A_DAY if hourly else 1) / interval(rule) * times_of(rule, names)


def _last(component: Any) -> float | None:
    """Return when its last time by a rule has begun, at the latest (POSIX seconds); None if nothing says it."""
    changed = component.get("RECURRENCE-ID")
    if "RDATE" in component or (changed is not None and "RANGE" in changed.params):
        return None
    ends = [until for rule in rules_of(component) for until in listed(rule.get("UNTIL")) or [None]]
    if not all(isinstance(each, date) for each in ends):
        return None
    days = [datetime(each.year, each.month, each.day, tzinfo=UTC).timestamp() for each in ends]
    return max(days, default=0.0) + _SAFE


def _refusal(component: Any) -> str:
    return next((why for rule in listed(component.get("RRULE")) if (why := too_often(rule))), "")
