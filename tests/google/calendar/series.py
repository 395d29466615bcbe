"""Times of events, and the instances of a series: at the wall time of its zone, through summer and winter."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr

from tests.google.errors import Refused

Event = dict[str, Any]


def bad(message: str, reason: str = "invalid") -> Refused:
    return Refused(400, reason, message)


def instant(text: str) -> datetime:
    """A time of a parameter, which must hold an offset."""
    read = datetime.fromisoformat(text)
    if read.tzinfo is None:
        raise bad("Bad Request")
    return read


def when(told: Mapping[str, Any], zone: str) -> datetime:
    """The instant that a start or an end means; a day begins in the calendar's zone."""
    if "date" in told:
        return datetime.combine(date.fromisoformat(told["date"]), time(), ZoneInfo(zone))
    read = datetime.fromisoformat(told["dateTime"])
    return read if read.tzinfo else read.replace(tzinfo=ZoneInfo(told.get("timeZone", zone)))


def check(event: Event, zone: str) -> None:
    """Refuse what Google refuses of an event's times and recurrence."""
    for name in ("start", "end"):
        told = event.get(name)
        if not told or ("date" in told) == ("dateTime" in told):
            raise bad(f"Missing {name} time." if not told else f"Invalid {name} time.", "required")
        if "dateTime" in told and datetime.fromisoformat(told["dateTime"]).tzinfo is None and not told.get("timeZone"):
            raise bad(f"Missing time zone definition for {name} time.", "required")
    if ("date" in event["start"]) != ("date" in event["end"]):
        raise bad("Invalid start and end times: one is a day, one a time.")
    if when(event["end"], zone) < when(event["start"], zone):
        raise bad("The specified time range is empty.", "timeRangeEmpty")
    if event.get("recurrence"):
        if "dateTime" in event["start"] and not event["start"].get("timeZone"):
            raise bad("Missing time zone definition for start time.", "required")
        try:
            _rule(event, zone)
        except ValueError as error:
            raise bad("Invalid recurrence rule.") from error


def instances(event: Event, zone: str, until: datetime) -> Iterator[Event]:
    """The instances of a series that begin before a time, each an event of its own."""
    home, first = _zone_of(event, zone), when(event["start"], zone)
    begins, ends = (at.astimezone(home).replace(tzinfo=None) for at in (first, when(event["end"], zone)))
    length = ends - begins
    for local in _rule(event, zone):
        start = local.replace(tzinfo=home)
        if start >= until:
            return
        made = {name: value for name, value in event.items() if name != "recurrence"}
        made["start"], made["end"] = _told(event["start"], start, home), _told(event["end"], start + length, home)
        made |= {"id": instance_id(event["id"], made["start"]), "recurringEventId": event["id"]}
        made["originalStartTime"] = made["start"]
        yield made


def instance_id(series: str, start: Mapping[str, Any]) -> str:
    if "date" in start:
        return f"{series}_{start['date'].replace('-', '')}"
    return f"{series}_{datetime.fromisoformat(start['dateTime']).astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _rule(event: Event, zone: str) -> Any:
    """Its rule, on wall times without a zone; times in UTC among its lines are brought to that wall."""
    home = _zone_of(event, zone)
    first = when(event["start"], zone).astimezone(home).replace(tzinfo=None)
    lines = [_walled(line, home) for line in event["recurrence"]]
    return rrulestr("\n".join(lines), dtstart=first, forceset=True)


def _walled(line: str, home: tzinfo) -> str:
    head, _, values = line.partition(":")
    head = head.partition(";")[0]
    if head == "RRULE":
        parts = dict(part.split("=", 1) for part in values.split(";"))
        if "UNTIL" in parts:
            parts["UNTIL"] = _wall(parts["UNTIL"], home)
        return "RRULE:" + ";".join(f"{name}={value}" for name, value in parts.items())
    return f"{head}:" + ",".join(_wall(value, home) for value in values.split(","))


def _wall(text: str, home: tzinfo) -> str:
    if not text.endswith("Z"):
        return text if "T" in text else f"{text}T000000"
    read = datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    return f"{read.astimezone(home):%Y%m%dT%H%M%S}"


def _zone_of(event: Event, zone: str) -> ZoneInfo:
    return ZoneInfo(event["start"].get("timeZone", zone))


def _told(pattern: Mapping[str, Any], at: datetime, home: tzinfo) -> dict[str, Any]:
    if "date" in pattern:
        return {"date": at.date().isoformat()}
    zone = {"timeZone": pattern["timeZone"]} if "timeZone" in pattern else {}
    return {"dateTime": at.astimezone(home).isoformat(), **zone}


DAY = timedelta(days=1)
