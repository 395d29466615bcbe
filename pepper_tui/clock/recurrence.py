"""Occurrences of a repeating reminder: wall times in the reminder's zone, as instants.

Rules run on the zone's wall clock, so "every day at 9" stays at 9 across a change to summer time. A wall time that a
change skips is read with the offset before it (02:30 becomes 03:30), one that comes twice means its first. Hourly rules
without BYHOUR count real hours. Expansion is bounded: only frequencies of an hour or longer, ``HORIZON`` ahead.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr

from pepper_tui.text import one_line

HORIZON: Final = timedelta(days=366 * 9)  # the longest gap of a sound rule: 29 February across 2100
_FREQUENCIES: Final = ("YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY")
_UNTIL: Final = re.compile(r"UNTIL=([0-9TZ]+)")


def instant(wall: datetime, zone: tzinfo) -> float:
    """The POSIX time of a naive wall time in ``zone``."""
    return wall.replace(tzinfo=zone, fold=0).timestamp()


def wall_time(at: float, zone: tzinfo) -> datetime:
    """The naive wall time in ``zone`` at a POSIX time."""
    return datetime.fromtimestamp(at, zone).replace(tzinfo=None)


def check_rule(rule: str) -> str:
    """``rule`` as a plain RRULE value. Raises ``ValueError`` in words where it is unsound, too frequent or empty."""
    value = rule.strip().upper().removeprefix("RRULE:")
    parts = dict(part.split("=", 1) for part in value.split(";") if "=" in part)
    frequency = parts.get("FREQ", "")
    if frequency in ("SECONDLY", "MINUTELY"):
        raise ValueError("a reminder repeats at most once an hour; try 'every hour' or 'every day'")
    if frequency not in _FREQUENCIES:
        raise ValueError(f"the rule needs FREQ, one of {', '.join(_FREQUENCIES)}; e.g. FREQ=WEEKLY;BYDAY=MO")
    if parts.get("BYSECOND", "0") != "0" or "," in parts.get("BYMINUTE", ""):
        raise ValueError("a reminder repeats at most once an hour: no BYSECOND, one BYMINUTE")
    try:
        start = datetime(2024, 1, 1)
        following = _expand(value, start, UTC, start + HORIZON).after(start - timedelta(seconds=1), inc=True)
    except (ValueError, TypeError, KeyError) as error:
        raise ValueError(f"not a repeat rule: {one_line(rule, 80)!r} ({error}); e.g. FREQ=WEEKLY;BYDAY=MO") from error
    if following is None and "UNTIL" not in parts:
        raise ValueError(f"the rule {one_line(rule, 80)!r} never comes due")
    return value


def newest_and_next(rule: str, starts: float, due: float, now: float, zone: tzinfo) -> tuple[float, float | None]:
    """The newest occurrence not after ``now`` (at least ``due``), and the first one after ``now``, if there is one."""
    newest, following = due, None
    counted_hours = "FREQ=HOURLY" in rule and "BYHOUR" not in rule
    base: tzinfo = UTC if counted_hours else zone
    last = wall_time(max(now, due), base) + HORIZON
    for wall in _expand(rule, wall_time(starts, base), base, last):
        at = instant(wall, base) + starts % 1  # a rule counts in whole seconds and drops the rest
        if at <= due:
            continue
        if at > now:
            following = at
            break
        newest = at
    return newest, following


def first_after(rule: str, starts: float, after: float, zone: tzinfo) -> float | None:
    """The first occurrence of ``rule``, counted from ``starts``, that is later than ``after``."""
    base: tzinfo = UTC if "FREQ=HOURLY" in rule and "BYHOUR" not in rule else zone
    last = wall_time(max(after, starts), base) + HORIZON
    for wall in _expand(rule, wall_time(starts, base), base, last):
        at = instant(wall, base) + starts % 1
        if at > after:
            return at
    return None


def _expand(rule: str, start: datetime, zone: tzinfo, last: datetime) -> _Rule:
    """The rule from ``start`` in naive wall time, ending at ``last`` at the latest."""
    found = _UNTIL.search(rule)
    until = last
    if found:
        stated = _until(found[1], zone)
        until = min(stated, last)
        rule = _UNTIL.sub("", rule)
    rule = ";".join(part for part in rule.split(";") if part)
    if "COUNT=" in rule:
        return _Rule(rule, start, until)
    return _Rule(f"{rule};UNTIL={until:%Y%m%dT%H%M%S}", start, until)


def _until(value: str, zone: tzinfo) -> datetime:
    if "T" not in value:
        return datetime.strptime(value, "%Y%m%d") + timedelta(days=1, seconds=-1)
    at = datetime.strptime(value.rstrip("Z"), "%Y%m%dT%H%M%S")
    return at.replace(tzinfo=UTC).astimezone(zone).replace(tzinfo=None) if value.endswith("Z") else at


class _Rule:
    """An expansion that ends at ``until`` even where COUNT stands in the rule (RFC 5545 allows only one of them)."""

    def __init__(self, rule: str, start: datetime, until: datetime) -> None:
        self._rule = rrulestr(rule, dtstart=start)
        self._until = until

    def __iter__(self) -> _Rule:
        self._walls = iter(self._rule)
        return self

    def __next__(self) -> datetime:
        wall: datetime = next(self._walls)
        if wall > self._until:
            raise StopIteration
        return wall

    def after(self, at: datetime, inc: bool = False) -> datetime | None:
        return next((wall for wall in self if wall > at or (inc and wall == at)), None)


def zone_of(name: str, fallback: tzinfo) -> tzinfo:
    """The zone called ``name``; ``fallback`` where this machine's database does not hold it."""
    try:
        return ZoneInfo(name) if name else fallback
    except (KeyError, ValueError, OSError):
        return fallback
