"""Occurrences of a repeating reminder: wall times in the reminder's zone, as instants.

Rules run on the zone's wall clock, so "every day at 9" stays at 9 when summer time begins. A wall time that the change
skips is read with the offset before it (02:30 becomes 03:30); one that occurs twice means the first. Hourly rules
without BYHOUR count real hours. Expansion is bounded: only frequencies of an hour or longer, at most ``HORIZON`` ahead,
and no more steps than lead there, whether or not any of them is an occurrence.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import islice
from typing import Final
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr

from pepper_tui.text import one_line

HORIZON: Final = timedelta(days=366 * 9)  # the longest gap of a valid rule: 29 February across 2100
MAX_STEPS: Final = 200_000  # per expansion: hourly for more than twenty years
_PERIODS: Final = {
    "YEARLY": timedelta(days=365),
    "MONTHLY": timedelta(days=28),
    "WEEKLY": timedelta(days=7),
    "DAILY": timedelta(days=1),
    "HOURLY": timedelta(hours=1),
}
_FREQUENCIES: Final = tuple(_PERIODS)
_SMALL: Final = r"[1-9]\d{0,2}"
_SHAPES: Final = {
    name: re.compile(shape)
    for name, shape in {
        "FREQ": "|".join(_FREQUENCIES),
        "INTERVAL": _SMALL,
        "COUNT": r"[1-9]\d{0,3}",
        "UNTIL": r"\d{8}(?:T\d{6}Z?)?",
        "BYMONTH": r"\d{1,2}(?:,\d{1,2})*",
        "BYMONTHDAY": r"[+-]?\d{1,2}(?:,[+-]?\d{1,2})*",
        "BYYEARDAY": rf"[+-]?{_SMALL}(?:,[+-]?{_SMALL})*",
        "BYWEEKNO": r"[+-]?\d{1,2}(?:,[+-]?\d{1,2})*",
        "BYDAY": r"(?:[+-]?\d{1,2})?(?:MO|TU|WE|TH|FR|SA|SU)(?:,(?:[+-]?\d{1,2})?(?:MO|TU|WE|TH|FR|SA|SU))*",
        "BYHOUR": r"\d{1,2}(?:,\d{1,2})*",
        "BYMINUTE": r"\d{1,2}",
        "BYSECOND": r"0",
        "BYSETPOS": rf"[+-]?{_SMALL}(?:,[+-]?{_SMALL})*",
        "WKST": r"MO|TU|WE|TH|FR|SA|SU",
    }.items()
}


def instant(wall: datetime, zone: tzinfo) -> float:
    """Return the POSIX time of a naive wall time in ``zone``."""
    return wall.replace(tzinfo=zone, fold=0).timestamp()


def wall_time(at: float, zone: tzinfo) -> datetime:
    """Return the naive wall time in ``zone`` at a POSIX time."""
    return datetime.fromtimestamp(at, zone).replace(tzinfo=None)


def check_rule(rule: str) -> str:
    """Return ``rule`` as a plain RRULE value (RFC 5545 3.3.10).

    Raises ``ValueError`` with an explanation if it is invalid, too frequent or never occurs.
    """
    value = rule.strip().upper().removeprefix("RRULE:")
    parts = dict(part.partition("=")[::2] for part in value.split(";") if part)
    frequency = parts.get("FREQ", "")
    if frequency in ("SECONDLY", "MINUTELY"):
        raise ValueError("a reminder repeats at most once an hour; try 'every hour' or 'every day'")
    if frequency not in _FREQUENCIES:
        raise ValueError(f"the rule needs FREQ, one of {', '.join(_FREQUENCIES)}; e.g. FREQ=WEEKLY;BYDAY=MO")
    if parts.get("BYSECOND", "0") != "0" or "," in parts.get("BYMINUTE", ""):
        raise ValueError("a reminder repeats at most once an hour: no BYSECOND, one BYMINUTE")
    try:
        start = datetime(2024, 1, 1)
        following = next(_expand(value, start, UTC, start + HORIZON), None)
    except (ValueError, TypeError, KeyError) as error:
        raise ValueError(f"not a repeat rule: {one_line(rule, 80)!r} ({error}); e.g. FREQ=WEEKLY;BYDAY=MO") from error
    if following is None and "UNTIL" not in parts:
        raise ValueError(f"the rule {one_line(rule, 80)!r} never comes due")
    return value


def newest_and_next(rule: str, starts: float, due: float, now: float, zone: tzinfo) -> tuple[float, float | None]:
    """Return the newest occurrence up to ``now`` (at least ``due``), and the first one after ``now``, if any."""
    newest, following = due, None
    for at in _instants(rule, starts, due, max(now, due), zone):
        if at <= due:
            continue
        if at > now:
            following = at
            break
        newest = at
    return newest, following


def first_after(rule: str, starts: float, after: float, zone: tzinfo) -> float | None:
    """Return the first occurrence of ``rule``, counted from ``starts``, that is later than ``after``."""
    return next((at for at in _instants(rule, starts, after, max(after, starts), zone) if at > after), None)


def _instants(rule: str, starts: float, since: float, known: float, zone: tzinfo) -> Iterator[float]:
    """Yield the occurrences of ``rule``, counted from ``starts``, up to ``HORIZON`` after ``known``.

    All those after ``since`` are included, and perhaps some before.
    """
    counted_hours = "FREQ=HOURLY" in rule and "BYHOUR" not in rule
    base: tzinfo = UTC if counted_hours else zone
    start = _nearer(rule, wall_time(starts, base), wall_time(since, base))
    for wall in _expand(rule, start, base, wall_time(known, base) + HORIZON):
        yield instant(wall, base) + starts % 1  # dateutil counts in whole seconds and drops the rest


def _expand(rule: str, start: datetime, zone: tzinfo, last: datetime) -> Iterator[datetime]:
    """Expand the rule from ``start`` in naive wall time, ending at ``last`` at the latest.

    Raises ``ValueError``.
    """
    pairs = [part.partition("=")[::2] for part in rule.split(";") if part]
    for name, said in pairs:
        if name not in _SHAPES or not _SHAPES[name].fullmatch(said):
            raise ValueError(f"{name}={said}")
    parts = dict(pairs)
    if len(parts) < len(pairs):
        raise ValueError("a part of it is there twice")
    until, count = parts.pop("UNTIL", None), parts.pop("COUNT", None)
    ends = min(_until(until, zone), last) if until else last
    if ends < start:
        return iter(())
    bounded = ";".join(f"{name}={said}" for name, said in parts.items())
    rule_of_dateutil = rrulestr(f"{bounded};UNTIL={ends:%Y%m%dT%H%M%S}", dtstart=start)
    rule_of_dateutil._interval = _Steps(parts.get("INTERVAL", "1"), parts["FREQ"], ends - start)
    walls = _until_beyond(rule_of_dateutil)
    return islice(walls, int(count)) if count else walls


class _BeyondError(Exception):
    """All steps up to the end have been taken."""


class _Steps(int):
    """An INTERVAL that can be added only as often as needed to cross ``span``.

    dateutil checks the end only when it has found an occurrence: for a rule that never occurs it would run on to the
    year 9999.
    """

    left: int
    whole: bool

    def __new__(cls, interval: str, frequency: str, span: timedelta) -> _Steps:
        made = super().__new__(cls, interval)
        needed = int(span / _PERIODS[frequency] / made) + 32  # a few spare: a day may be tried hour by hour
        made.left, made.whole = min(needed, MAX_STEPS), needed <= MAX_STEPS
        return made

    def _step(self) -> None:
        self.left -= 1
        if self.left < 0:
            if not self.whole:
                raise ValueError("it takes too long to follow")
            raise _BeyondError

    def __radd__(self, other: int) -> int:
        self._step()
        return other + int(self)

    def __mul__(self, other: int) -> int:  # for weeks
        self._step()
        return int(self) * other


def _until_beyond(walls: Iterable[datetime]) -> Iterator[datetime]:
    try:
        yield from walls
    except _BeyondError:
        return


def _nearer(rule: str, start: datetime, since: datetime) -> datetime:
    """Return a later start with the same occurrences after ``since``, so that a long past is skipped."""
    parts = dict(part.partition("=")[::2] for part in rule.split(";"))
    period = _PERIODS.get(parts.get("FREQ", ""))
    interval = parts.get("INTERVAL", "1")
    if period is None or period > _PERIODS["WEEKLY"] or "COUNT" in parts or not re.fullmatch(_SMALL, interval):
        return start
    step = period * int(interval)
    return start + max(0, (since - start) // step - 1) * step


def _until(value: str, zone: tzinfo) -> datetime:
    if "T" not in value:
        return datetime.strptime(value, "%Y%m%d") + timedelta(days=1, seconds=-1)
    at = datetime.strptime(value.rstrip("Z"), "%Y%m%dT%H%M%S")
    return at.replace(tzinfo=UTC).astimezone(zone).replace(tzinfo=None) if value.endswith("Z") else at


def zone_of(name: str, fallback: tzinfo) -> tzinfo:
    """Return the zone called ``name``; ``fallback`` if this machine's database lacks it."""
    try:
        return ZoneInfo(name) if name else fallback
    except (KeyError, ValueError, OSError):
        return fallback
