"""The content of one piece of a calendar file, by icalendar; the dates of a series, by recurring-ical-events.

Neither library limits its work, so this code runs in the parser process. Instants are POSIX seconds; times without a
zone and whole days are wall times in ISO form, because their zone is the user's. Rules that repeat by the second or
minute (or more often in a day than it has hours) are refused.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import chain, islice
from typing import Any, Final
from zoneinfo import ZoneInfo, available_timezones

import icalendar
import recurring_ical_events
from dateutil.rrule import rrulestr
from icalendar.error import BrokenCalendarProperty
from icalendar.timezone import tzp
from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

from pepper_tui.domains.calendar.mending import mended, zone_named
from pepper_tui.domains.calendar.pieces import HOME
from pepper_tui.model import Json

_STRANGE_RULES: Final = ("SECONDLY", "MINUTELY")
_WEEKDAYS: Final = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_A_DAY: Final = 24  # occurrences of a rule allowed in a day
_PROBED: Final = (1970, 2000, 2026, 2038)  # years for which a time zone must know its offset
MAX_ANSWERS: Final = 500
_zones: list[bytes] = []  # time zones of the file that are in use
_known: list[ZoneInfo] = []


def warm() -> None:
    """Load what is loaded lazily, and each of the machine's time zones: a sandboxed process can open no file."""
    _known.extend(ZoneInfo(name) for name in available_timezones())
    zone_named("(UTC+01:00) Berlin")
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
    calendar, unknown = opened(source, zones)
    [component] = calendar.walk("VEVENT")
    if component.subcomponents and any(one.name == "VEVENT" for one in component.subcomponents):
        raise ValueError("an event within an event")
    broken = [name for name, _ in component.errors if name]
    broken += [f"time zone {name!r}, taken as yours," for name in unknown]
    if not _ended(component):
        broken.append("DTEND")
    if "EXRULE" in component:
        broken.append("EXRULE")
    refusal = ""
    if _fixed(component):
        refusal = _refusal(component)
    else:
        broken.append("RRULE")
    rules = _rules(component)
    organizer = component.get("ORGANIZER")
    found: Json = {
        "edition": [_number(component.get("SEQUENCE")), _stamp(component)],
        "organizer_name": str(getattr(organizer, "params", {}).get("CN", ""))[:200],
        "sent_by": address_of(getattr(organizer, "params", {}).get("SENT-BY", "")),
        "comment": str(next(iter(_listed(component.get("COMMENT"))), ""))[:2000],
        "refusal": refusal,
        "broken": list(dict.fromkeys(broken)),
        "rules": "; ".join(rule.to_ical().decode() for rule in rules),
        "periods": sum(map(_periods, rules)),
        "repeats": "RRULE" in component or "RDATE" in component,
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
    calendar, _ = opened(source, zones)
    components = calendar.walk("VEVENT")
    for component in components:
        _fixed(component)
        _ended(component)
        for rule in _rules(component):
            _as_meant(component, rule)
        _count_the_start(component)
    _dated_alike(components)
    # a day more on both sides: whole days and times without a zone are compared in UTC there
    day = timedelta(days=1)
    first, last = datetime.fromtimestamp(start, UTC) - day, datetime.fromtimestamp(end, UTC) + day
    apart = (recurring_ical_events.of(each).between(first, last) for each in _apart(calendar))
    found = list(islice(chain.from_iterable(apart), limit + 1))
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
        "attendees": [address_of(one) for one in _listed(component.get("ATTENDEE"))][:100],
        "answers": [
            # RFC 5545 reads a missing answer as NEEDS-ACTION, but exports of Outlook leave out all answers
            [address_of(one), str(one.params.get("PARTSTAT", "")).lower()[:20]]
            for one in _listed(component.get("ATTENDEE"))
        ][:MAX_ANSWERS],
        "categories": [str(name)[:100] for group in _listed(categories) for name in getattr(group, "cats", [group])][
            :50
        ],
        "zone": str(start.params.get("TZID", "")),
        "busy": str(component.get("TRANSP", "")).upper() != "TRANSPARENT"
        and str(component.get("X-MICROSOFT-CDO-BUSYSTATUS", "")).upper() != "FREE",
    }


def _times(component: Any) -> tuple[float | str, float | str]:
    """Return start and end; if a clock change skips the start, the event is as long as on other days."""
    start = component.decoded("DTSTART")
    end = _end(component, start)
    begins, ends = _instant(start), _instant(end)
    if isinstance(begins, str) or isinstance(ends, str):
        return begins, ends
    if ends <= begins and start.tzinfo == end.tzinfo:
        ends = max(ends, begins + (end.replace(tzinfo=None) - start.replace(tzinfo=None)).total_seconds())
    return begins, ends


def _instant(when: date) -> float | str:
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
        for rule in _rules(component):
            _until_that_day(component, rule)
            rule.to_ical()
            _periods(rule)
        _refusal(component)
    except Exception:
        component.pop("RRULE", None)
        return False
    return True


def _until_that_day(component: Any, rule: Any) -> None:
    """Let a rule of a timed event that ends by a date go to the end of that day, as whoever wrote it means it.

    An end without a zone is in that of the start.
    """
    start = _when(component, "DTSTART")
    for at, until in enumerate(_listed(rule.get("UNTIL"))):
        if not isinstance(start, datetime):
            continue
        if not isinstance(until, datetime):
            last = datetime(until.year, until.month, until.day, 23, 59, 59, tzinfo=start.tzinfo)
        elif until.tzinfo is None:
            last = until.replace(tzinfo=start.tzinfo)
        else:
            continue
        rule["UNTIL"][at] = last.astimezone(UTC) if start.tzinfo is not None else last


def _as_meant(component: Any, rule: Any) -> None:
    """Let a rule mean to the library what RFC 5545, 3.3.10, and other calendar programs mean by it."""
    start = _when(component, "DTSTART")
    if start is None:
        return
    yearly = _part(rule, "FREQ").upper() == "YEARLY"
    given = {name for name in rule if name.startswith("BY")} - {"BYHOUR", "BYMINUTE", "BYSECOND"}
    if not isinstance(start, datetime):  # such parts "MUST be ignored"
        for name in ("BYHOUR", "BYMINUTE", "BYSECOND"):
            rule.pop(name, None)
    if yearly and given == {"BYMONTHDAY"}:  # what a rule leaves open, the start says
        rule["BYMONTH"] = [start.month]
    if yearly and "BYWEEKNO" in given and given <= {"BYWEEKNO", "BYMONTH"}:
        rule["BYDAY"] = [_WEEKDAYS[start.weekday()]]
    days = [str(day).upper() for day in _listed(rule.get("BYDAY"))]
    if len({day in _WEEKDAYS for day in days}) == 2:  # the library takes "3MO,WE" as both at once
        most = 53 if yearly and "BYMONTH" not in given else 5
        each = [[f"{at}{day}" for at in range(1, most + 1)] if day in _WEEKDAYS else [day] for day in days]
        rule["BYDAY"] = [*chain.from_iterable(each)]


def _count_the_start(component: Any) -> None:
    """Let COUNT count a start that the rule does not make: RFC 5545, 3.3.10; clearer in RFC 8984, 4.3.3."""
    rules, start = _rules(component), _when(component, "DTSTART")
    if start is None or len(rules) != 1 or not _part(rules[0], "COUNT").isdecimal() or "UNTIL" in rules[0]:
        return
    wall = start.replace(tzinfo=None) if isinstance(start, datetime) else datetime.combine(start, time())
    if next(iter(rrulestr(rules[0].to_ical().decode(), dtstart=wall)), None) == wall:
        return
    count = int(_part(rules[0], "COUNT")) - 1
    if count > 0:
        rules[0]["COUNT"] = [count]
    else:
        del component["RRULE"]


def _ended(component: Any) -> bool:
    """Let an event end as it starts, by a day or at a time; if it ends before it starts, remove the end.

    Returns False in that case.
    """
    start, end = _when(component, "DTSTART"), _when(component, "DTEND")
    if start is None or end is None:
        return True
    if not isinstance(start, datetime):
        if isinstance(end, datetime):
            end = end.date() + timedelta(days=end.time() != time())
        early = end < start
        end = max(end, start + timedelta(days=1))
    else:
        if not isinstance(end, datetime):
            end = datetime(end.year, end.month, end.day, tzinfo=start.tzinfo)
        early = (start.tzinfo is None) == (end.tzinfo is None) and end < start
    del component["DTEND"]
    if not early:
        component.add("DTEND", end)
    return not early


def _apart(calendar: Any) -> list[Any]:
    """Return a calendar for each series among events of one UID: the library knows but one.

    Of several editions only the newest counts. Changed occurrences are of the first series.
    """
    masters = [one for one in calendar.walk("VEVENT") if "RECURRENCE-ID" not in one]
    newest = max((_number(one.get("SEQUENCE")) for one in masters), default=0)
    masters = [one for one in masters if _number(one.get("SEQUENCE")) == newest]
    different = {one.to_ical(): one for one in masters} if len(masters) > 1 else {}
    if len(different) < 2:
        return [calendar]
    found: list[Any] = []
    for one in sorted(different.values(), key=lambda one: "RRULE" not in one and "RDATE" not in one):
        alone = icalendar.Calendar()
        alone.add_component(one)
        for changed in () if found else calendar.walk("VEVENT"):
            if "RECURRENCE-ID" in changed:
                alone.add_component(changed)
        found.append(alone)
    return found


def _dated_alike(components: Sequence[Any]) -> None:
    """Let exceptions be days where their series is of days, and times where it is of times."""
    starts = [start for one in components if "RECURRENCE-ID" not in one and (start := _when(one, "DTSTART"))]
    timed = next((start for start in starts if isinstance(start, datetime)), None)
    for one in components:
        changed = _when(one, "RECURRENCE-ID")
        if timed is not None and changed is not None and not isinstance(changed, datetime):
            del one["RECURRENCE-ID"]
            one.add("RECURRENCE-ID", timed.replace(year=changed.year, month=changed.month, day=changed.day))
        if starts and timed is None:
            if isinstance(changed, datetime):
                del one["RECURRENCE-ID"]
                one.add("RECURRENCE-ID", _day_meant(changed))
            for name in ("EXDATE", "RDATE"):
                dates = [when.dt for each in _listed(one.get(name)) for when in getattr(each, "dts", [])]
                if any(isinstance(when, datetime) for when in dates):
                    del one[name]
                    one.add(name, [_day_meant(when) if isinstance(when, datetime) else when for when in dates])


def _when(component: Any, name: str) -> date | None:
    """Return the day or time of a property; None if it is absent, there twice, or broken."""
    try:
        found = getattr(component.get(name), "dt", None)
    except BrokenCalendarProperty:
        return None
    return found if isinstance(found, date) else None


def _day_meant(when: datetime) -> date:
    """Return the day that ``when`` stands for: in UTC it is the midnight of a zone that nobody names."""
    in_utc = when.tzinfo is not None and when.utcoffset() == timedelta(0)
    return (when + timedelta(hours=12) if in_utc else when).date()


def _rules(component: Any) -> list[Any]:
    return [rule for rule in _listed(component.get("RRULE")) if hasattr(rule, "to_ical")]


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _part(rule: Any, name: str) -> str:
    return str(next(iter(_listed(rule.get(name))), ""))


def _changed(component: Any) -> str:
    one = component.get("RECURRENCE-ID")
    return one.to_ical().decode() if one is not None else ""


def _number(value: Any) -> int:
    try:
        return max(0, int(value))
    except (TypeError, ValueError):
        return 0


def _stamp(component: Any) -> float:
    """Return when it was written (POSIX seconds); 0 if it does not say."""
    when = getattr(component.get("DTSTAMP"), "dt", None)
    return when.timestamp() if isinstance(when, datetime) and when.tzinfo is not None else 0.0


def address_of(value: Any) -> str:
    """Return whom a value names: Apple's programs write an id, and the address beside it."""
    said = str(value).lower().strip()
    beside = str(getattr(value, "params", {}).get("EMAIL", "")).lower().strip()
    return (beside if beside and not said.startswith("mailto:") else said.removeprefix("mailto:"))[:320]


def _interval(rule: Any) -> int:
    said = _part(rule, "INTERVAL")
    return int(said) if said.isdecimal() and int(said) else 1


def _many(rule: Any, names: Collection[str]) -> int:
    times = 1
    for name in names:
        times *= max(1, len(_listed(rule.get(name))))
    return times


def _periods(rule: Any) -> float:
    """Estimate how many steps per day it takes to follow ``rule``."""
    hourly = _part(rule, "FREQ").upper() == "HOURLY"
    names = ("BYMINUTE", "BYSECOND", *(() if hourly else ("BYHOUR",)))
    return (_A_DAY if hourly else 1) / _interval(rule) * _many(rule, names)


def _refusal(component: Any) -> str:
    for rule in _listed(component.get("RRULE")):
        frequency = _part(rule, "FREQ").upper()
        if frequency in _STRANGE_RULES:
            return "repeats by the second or minute; refused"
        hourly = frequency == "HOURLY" and "BYHOUR" not in rule
        often = _A_DAY // min(_A_DAY, _interval(rule)) if hourly else 1
        if often * _many(rule, ("BYHOUR", "BYMINUTE", "BYSECOND")) > _A_DAY:
            return "repeats more than 24 times a day; refused"
    return ""
