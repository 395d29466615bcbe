"""A moment in writing: for people ("Fri 4 Dec 15:00"), for programs (ISO 8601), and for models, which need both."""

from __future__ import annotations

from datetime import datetime, tzinfo
from zoneinfo import ZoneInfo


def iso(seconds: float, zone: tzinfo | None = None) -> str:
    """Return ``seconds`` as ISO 8601 with offset, to the second; in UTC unless a zone is given."""
    return datetime.fromtimestamp(seconds, zone or ZoneInfo("UTC")).isoformat(timespec="seconds")


def weekday_iso(seconds: float, zone: tzinfo) -> str:
    """Return ``seconds`` for a model, e.g. "Fri 2026-12-04T15:00+01:00", so that it need not work out weekdays."""
    wall = datetime.fromtimestamp(seconds, zone)
    return f"{wall:%a} {wall.isoformat(timespec='minutes')}"


def weekday_date(seconds: float, zone: tzinfo) -> str:
    """Return only the day, for example "Fri 2026-12-04"."""
    return f"{datetime.fromtimestamp(seconds, zone):%a %Y-%m-%d}"


def day(seconds: float, zone: tzinfo, now: float) -> str:
    """Return the day, for example "Fri 4 Dec", or "Sat 28 Aug 2027" in another year."""
    wall, this = datetime.fromtimestamp(seconds, zone), datetime.fromtimestamp(now, zone)
    return f"{wall:%a} {wall.day} {wall:%b}" + ("" if wall.year == this.year else f" {wall.year}")


def moment(seconds: float, zone: tzinfo, now: float) -> str:
    """Return the moment, for example "Mon 30 Nov 08:00", or "Sat 28 Aug 2027 09:00" in another year."""
    wall = datetime.fromtimestamp(seconds, zone)
    return f"{day(seconds, zone, now)} " + (f"{wall:%H:%M:%S}" if wall.second else f"{wall:%H:%M}")
