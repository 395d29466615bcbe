"""What common programs write into a calendar against the rules, put right before it is read. One event at a time.

- Time zones by names that no list has: offsets ("UTC-06:00"), Outlook's display names ("(UTC+01:00) Berlin"), IANA
  names behind a prefix ("/mozilla.org/…/Europe/Berlin"). A zone of the file itself goes before (RFC 5545, 3.8.3.1).
- Times without a zone, and series in UTC, of a calendar that names its own zone (``X-WR-TIMEZONE``).
- Repeat rules with spaces, parts of other vendors, or RFC 7529's words for what is the rule anyway.

Then, once it is parsed: its end, what its rules mean to other programs and not to the library that follows them, and
exceptions written otherwise than their series.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import chain
from typing import Any, Final
from zoneinfo import ZoneInfo, available_timezones

import icalendar
from dateutil.rrule import rrulestr
from icalendar.error import BrokenCalendarProperty

from pepper_tui.domains.calendar.pieces import HOME

_NAMED: Final = re.compile(rb';TZID=(?:"([^"\r\n]{1,300})"|([^"\r\n;,]{1,300}?))(?=(?:;[^:\r\n]{0,200})?:\d{8})', re.I)
_DEFINED: Final = re.compile(rb"^TZID(?:;[^:\r\n]{0,200})?:([^\r\n]{1,300}?)[ \t]*\r?$", re.I | re.M)
_UTC: Final = re.compile(r"(?:tzone://microsoft/)?(?:utc|gmt|z|zulu|etc/utc)", re.I)
_OFFSET: Final = re.compile(r"\(?(?:UTC|GMT)?[ ]?([+-])(\d{1,2})(?::?(\d{2}))?\)?", re.I)
_RULE: Final = re.compile(rb"^(RRULE|EXRULE)((?:;[^:\r\n]{0,200})?):([^\r\n]{1,2000})", re.I | re.M)
_PLAIN_PARTS: Final = frozenset({b"RSCALE=GREGORIAN", b"SKIP=OMIT"})
_EVENT: Final = re.compile(rb"^(?=BEGIN:(?:VEVENT|VTODO))", re.I | re.M)
_REPEATS: Final = re.compile(rb"^RRULE[;:]", re.I | re.M)
_LOCAL: Final = re.compile(
    rb"^(DTSTART|DTEND|DUE|RECURRENCE-ID|EXDATE|RDATE)((?:;(?:VALUE=DATE-TIME|RANGE=THISANDFUTURE)){0,2})"
    rb":(?=\d{8}T\d{6}(?:,\d{8}T\d{6})*[ \t]*\r?$)",
    re.I | re.M,
)
_IN_UTC: Final = re.compile(rb"^(DTSTART|DTEND|DUE)(?:;VALUE=DATE-TIME)?:(\d{8}T\d{6})Z[ \t]*(?=\r?$)", re.I | re.M)
_STRANGE_RULES: Final = ("SECONDLY", "MINUTELY")
_WEEKDAYS: Final = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
A_DAY: Final = 24
"""How often a rule may come in a day."""
_WORD: Final = re.compile(r"[^\W\d_]+(?:[ -][^\W\d_]+){0,3}")
_ZONE: Final = (
    "BEGIN:VTIMEZONE\r\nTZID:{name}\r\nBEGIN:STANDARD\r\nDTSTART:19700101T000000\r\nTZOFFSETFROM:{offset}\r\n"
    "TZOFFSETTO:{offset}\r\nEND:STANDARD\r\nEND:VTIMEZONE"
)


def mended(source: bytes, zones: Sequence[str], windows: Mapping[str, str]) -> tuple[bytes, list[str], list[str]]:
    """Return an event with names of zones that can be used and rules that can be read.

    ``zones`` are those of its ``Piece``, ``windows`` the IANA names by those of Windows. Returned with it are the texts
    of further zones, and the names that nobody knows.
    """
    home = next((text.removeprefix(HOME.decode()) for text in zones if text.startswith(HOME.decode())), "")
    if home := home.partition("\n")[0].strip()[:200]:
        source = _at_home(source, home, windows.get(home) or zone_named(home))
    own = {name.strip().decode("utf-8", "replace") for text in zones for name in _DEFINED.findall(text.encode())}
    more: dict[str, str] = {}
    unknown: dict[str, None] = {}

    def named(found: re.Match[bytes]) -> bytes:
        name = (found[1] or found[2]).strip().decode("utf-8", "replace")
        if name in own or name in _iana():
            return found[0]
        meant = windows.get(name) or zone_named(name)
        if meant is None:
            unknown[name] = None
            return b""
        if meant.startswith(("+", "-")):
            more[meant] = _ZONE.format(name=f"UTC{meant}", offset=meant)
            meant = f"UTC{meant}"
        return f";TZID={meant}".encode()

    return _RULE.sub(_rule, _NAMED.sub(named, source)), [*more.values()], [*unknown]


def _at_home(source: bytes, home: str, meant: str | None) -> bytes:
    """Return an event whose times without a zone, and whose series in UTC, are in the zone of its calendar."""
    parameter = b';TZID="' + home.replace('"', "").encode() + b'"'
    source = _LOCAL.sub(lambda found: found[1] + found[2] + parameter + b":", source)
    if meant not in _iana():
        return source
    zone = ZoneInfo(str(meant))

    def moved(found: re.Match[bytes]) -> bytes:
        try:
            there = datetime.fromisoformat(found[2].decode()).replace(tzinfo=UTC).astimezone(zone)
        except (ValueError, OverflowError):
            return found[0]
        return found[1] + parameter + f":{there:%Y%m%dT%H%M%S}".encode()

    events = _EVENT.split(source)
    return b"".join(_IN_UTC.sub(moved, one) if _REPEATS.search(one) else one for one in events)


def _rule(found: re.Match[bytes]) -> bytes:
    parts = [part.strip().replace(b" ", b"") for part in found[3].split(b";")]
    kept = [part for part in parts if part and part.upper() not in _PLAIN_PARTS and not part.upper().startswith(b"X-")]
    return found[1] + found[2] + b":" + b";".join(kept)


@lru_cache(maxsize=500)
def zone_named(name: str) -> str | None:
    """Return the IANA name that ``name`` means, or its fixed offset as ``+0530``; None if nobody knows."""
    if _UTC.fullmatch(name):
        return "UTC"
    parts = name.strip("/").split("/")
    for count in (3, 2, 1):
        if (tail := "/".join(parts[-count:])) in _iana() and "/" in tail:
            return tail
    offset = _OFFSET.match(name)
    if offset is None:
        return None
    hours, minutes = int(offset[2]), int(offset[3] or 0)
    if hours > 14 or minutes > 59:
        return None
    away = timedelta(hours=hours, minutes=minutes) * (-1 if offset[1] == "-" else 1)
    for city in _WORD.findall(name[offset.end() :]):
        meant = _cities().get(city.casefold())
        if meant is not None and ZoneInfo(meant).utcoffset(datetime(2026, 1, 15)) == away:
            return meant
    return f"{offset[1]}{hours:02}{minutes:02}"


@lru_cache(maxsize=1)
def _iana() -> frozenset[str]:
    return frozenset(available_timezones())


@lru_cache(maxsize=1)
def _cities() -> dict[str, str]:
    return {name.rpartition("/")[2].replace("_", " ").casefold(): name for name in sorted(_iana()) if "/" in name}


def end_as_started(component: Any) -> bool:
    """Let an event end as it starts, by a day or at a time; if it ends before it starts, remove the end.

    Returns False in that case.
    """
    start, end = when_of(component, "DTSTART"), when_of(component, "DTEND")
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


def let_until_be_that_day(component: Any, rule: Any) -> None:
    """Let a rule of a timed event that ends by a date go to the end of that day, as whoever wrote it means it.

    An end without a zone is in that of the start.
    """
    start = when_of(component, "DTSTART")
    for at, until in enumerate(listed(rule.get("UNTIL"))):
        if not isinstance(start, datetime):
            continue
        if not isinstance(until, datetime):
            last = datetime(until.year, until.month, until.day, 23, 59, 59, tzinfo=start.tzinfo)
        elif until.tzinfo is None:
            last = until.replace(tzinfo=start.tzinfo)
        else:
            continue
        rule["UNTIL"][at] = last.astimezone(UTC) if start.tzinfo is not None else last


def let_rule_mean(component: Any, rule: Any) -> None:
    """Let a rule mean to the library what RFC 5545, 3.3.10, and other calendar programs mean by it."""
    start = when_of(component, "DTSTART")
    if start is None:
        return
    yearly = part_of(rule, "FREQ").upper() == "YEARLY"
    given = {name for name in rule if name.startswith("BY")} - {"BYHOUR", "BYMINUTE", "BYSECOND"}
    if not isinstance(start, datetime):  # such parts "MUST be ignored"
        for name in ("BYHOUR", "BYMINUTE", "BYSECOND"):
            rule.pop(name, None)
    if yearly and given == {"BYMONTHDAY"}:  # what a rule leaves open, the start says
        rule["BYMONTH"] = [start.month]
    if yearly and "BYWEEKNO" in given and given <= {"BYWEEKNO", "BYMONTH"}:
        rule["BYDAY"] = [_WEEKDAYS[start.weekday()]]
    days = [str(day).upper() for day in listed(rule.get("BYDAY"))]
    if len({day in _WEEKDAYS for day in days}) == 2:  # the library takes "3MO,WE" as both at once
        most = 53 if yearly and "BYMONTH" not in given else 5
        each = [[f"{at}{day}" for at in range(1, most + 1)] if day in _WEEKDAYS else [day] for day in days]
        rule["BYDAY"] = [*chain.from_iterable(each)]


def count_the_start(component: Any) -> None:
    """Let COUNT count a start that the rule does not make: RFC 5545, 3.3.10; clearer in RFC 8984, 4.3.3."""
    rules, start = rules_of(component), when_of(component, "DTSTART")
    if start is None or len(rules) != 1 or not part_of(rules[0], "COUNT").isdecimal() or "UNTIL" in rules[0]:
        return
    wall = start.replace(tzinfo=None) if isinstance(start, datetime) else datetime.combine(start, time())
    if next(iter(rrulestr(rules[0].to_ical().decode(), dtstart=wall)), None) == wall:
        return
    count = int(part_of(rules[0], "COUNT")) - 1
    if count > 0:
        rules[0]["COUNT"] = [count]
    else:
        del component["RRULE"]


def exclude(component: Any, last: datetime | timedelta) -> bool:
    """Make exceptions of what the EXRULEs give up to ``last``: RFC 2445 has them, and old files.

    Returns whether they can be read. As a span, ``last`` is after the start.
    """
    start = when_of(component, "DTSTART")
    rules = listed(component.pop("EXRULE", None))
    if start is None or not rules:
        return True
    first = start if isinstance(start, datetime) else datetime.combine(start, time())
    end = first + last if isinstance(last, timedelta) else last.replace(tzinfo=first.tzinfo and last.tzinfo)
    try:
        for rule in rules:
            if too_often(rule):
                return False
            let_until_be_that_day(component, rule)
            dates = rrulestr(rule.to_ical().decode(), dtstart=first).between(first, end, inc=True)
            if dates:
                component.add("EXDATE", dates if isinstance(start, datetime) else [each.date() for each in dates])
    except Exception:
        return False
    return True


def too_often(rule: Any) -> str:
    """Return why a rule is not followed, as it comes too often; empty if it does not."""
    frequency = part_of(rule, "FREQ").upper()
    if frequency in _STRANGE_RULES:
        return "repeats by the second or minute; refused"
    hourly = frequency == "HOURLY" and "BYHOUR" not in rule
    often = A_DAY // min(A_DAY, interval(rule)) if hourly else 1
    if often * times_of(rule, ("BYHOUR", "BYMINUTE", "BYSECOND")) > A_DAY:
        return "repeats more than 24 times a day; refused"
    return ""


def date_alike(components: Sequence[Any]) -> None:
    """Let exceptions be days where their series is of days, and times where it is of times."""
    starts = [start for one in components if "RECURRENCE-ID" not in one and (start := when_of(one, "DTSTART"))]
    timed = next((start for start in starts if isinstance(start, datetime)), None)
    for one in components:
        changed = when_of(one, "RECURRENCE-ID")
        if timed is not None and changed is not None and not isinstance(changed, datetime):
            del one["RECURRENCE-ID"]
            one.add("RECURRENCE-ID", timed.replace(year=changed.year, month=changed.month, day=changed.day))
        if starts and timed is None:
            if isinstance(changed, datetime):
                del one["RECURRENCE-ID"]
                one.add("RECURRENCE-ID", _day_meant(changed))
            for name in ("EXDATE", "RDATE"):
                dates = [when.dt for each in listed(one.get(name)) for when in getattr(each, "dts", [])]
                if any(isinstance(when, datetime) for when in dates):
                    del one[name]
                    one.add(name, [_day_meant(when) if isinstance(when, datetime) else when for when in dates])


def _day_meant(when: datetime) -> date:
    """Return the day that ``when`` stands for: in UTC it is the midnight of a zone that nobody names."""
    in_utc = when.tzinfo is not None and when.utcoffset() == timedelta(0)
    return (when + timedelta(hours=12) if in_utc else when).date()


def apart(calendar: Any) -> list[Any]:
    """Return a calendar for each series among events of one UID: the library knows but one.

    Of several editions only the newest counts. Changed occurrences are of the first series.
    """
    masters = [one for one in calendar.walk("VEVENT") if "RECURRENCE-ID" not in one]
    newest = max((number(one.get("SEQUENCE")) for one in masters), default=0)
    masters = [one for one in masters if number(one.get("SEQUENCE")) == newest]
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


def when_of(component: Any, name: str) -> date | None:
    """Return the day or time of a property; None if it is absent, there twice, or broken."""
    try:
        found = getattr(component.get(name), "dt", None)
    except BrokenCalendarProperty:
        return None
    return found if isinstance(found, date) else None


def rules_of(component: Any) -> list[Any]:
    return [rule for rule in listed(component.get("RRULE")) if hasattr(rule, "to_ical")]


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def part_of(rule: Any, name: str) -> str:
    return str(next(iter(listed(rule.get(name))), ""))


def number(value: Any) -> int:
    try:
        return max(0, int(value))
    except (TypeError, ValueError):
        return 0


def interval(rule: Any) -> int:
    said = part_of(rule, "INTERVAL")
    return int(said) if said.isdecimal() and int(said) else 1


def times_of(rule: Any, names: Collection[str]) -> int:
    times = 1
    for name in names:
        times *= max(1, len(listed(rule.get(name))))
    return times
