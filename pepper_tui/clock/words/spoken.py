"""The wording of a rhythm in Pepper's answers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from typing import Final

_DAYS: Final = {"MO": "Monday", "TU": "Tuesday", "WE": "Wednesday", "TH": "Thursday", "FR": "Friday",
                "SA": "Saturday", "SU": "Sunday"}  # fmt: skip
_MONTHS: Final = ("", "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
                  "November", "December")  # fmt: skip
_UNITS: Final = {"HOURLY": "hour", "DAILY": "day", "WEEKLY": "week", "MONTHLY": "month", "YEARLY": "year"}
_WORKDAYS: Final = "MO,TU,WE,TH,FR"


def rhythm(rrule: str, zone: tzinfo) -> str:
    """Return a rhythm in words, e.g. "every Monday and Thursday", "on the last Friday of every month".

    Returns the rule itself if there are no words for it, and an empty string for no rule.
    """
    if not rrule:
        return ""
    parts = dict(part.split("=", 1) for part in rrule.split(";") if "=" in part)
    words = _how_often(parts)
    if words is None:
        return f"by the rule {rrule}"
    if hours := parts.get("BYHOUR"):
        minute = int(parts.get("BYMINUTE", "0"))
        words += " at " + _listed([f"{int(hour):02}:{minute:02}" for hour in hours.split(",")])
    if count := parts.get("COUNT"):
        words += f", {count} times"
    if until := parts.get("UNTIL"):
        day = _until(until, zone)
        words += f", until {day.day} {day:%b %Y}"
    return words


def _until(said: str, zone: tzinfo) -> datetime:
    if not said.endswith("Z"):
        return datetime.strptime(said[:8], "%Y%m%d")
    return datetime.strptime(said, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).astimezone(zone)


def _how_often(parts: Mapping[str, str]) -> str | None:
    unit, every = _UNITS.get(parts.get("FREQ", "")), int(parts.get("INTERVAL", "1"))
    known = {"FREQ", "INTERVAL", "BYDAY", "BYMONTHDAY", "BYMONTH", "BYSETPOS", "BYHOUR", "BYMINUTE", "BYSECOND",
             "COUNT", "UNTIL", "WKST"}  # fmt: skip
    if unit is None or parts.keys() - known:
        return None
    days, month_days, month = parts.get("BYDAY", ""), parts.get("BYMONTHDAY", ""), parts.get("BYMONTH", "")
    plain = f"every {unit}" if every == 1 else f"every {every} {unit}s"
    if unit == "month" and (which := _which(days, parts.get("BYSETPOS", ""), month_days)):
        return f"on the {which} of every month" if every == 1 else f"on the {which}, {plain}"
    if unit == "year" and month.isdigit():
        if month_days.lstrip("-").isdigit() and not days:
            return f"every year on {month_days} {_MONTHS[int(month)]}"
        which = _which(days, parts.get("BYSETPOS", ""), "")
        return f"every year on the {which} of {_MONTHS[int(month)]}" if which else None
    if month or month_days or parts.get("BYSETPOS"):
        return None
    if not days:
        return plain
    if unit != "week" or any(day not in _DAYS for day in days.split(",")):
        return None
    if every == 1:
        return "every weekday" if days == _WORKDAYS else f"every {_listed([_DAYS[day] for day in days.split(',')])}"
    named = "weekdays" if days == _WORKDAYS else _listed([_DAYS[day] for day in days.split(",")])
    return f"{plain} on {named}"


def _which(days: str, position: str, month_days: str) -> str:
    if month_days and not days:
        return _listed(["last day" if each == "-1" else _ordinal(int(each)) for each in month_days.split(",")])
    if position and days == _WORKDAYS:
        return f"{_ordinal(int(position))} weekday"
    number, name = days[:-2], days[-2:]
    if month_days or position or name not in _DAYS or not number.lstrip("+-").isdigit():
        return ""
    return f"{_ordinal(int(number))} {_DAYS[name]}"


def _ordinal(n: int) -> str:
    if n == -1:
        return "last"
    ending = "th" if 10 <= n % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(n % 10, "th")
    return f"{n}{ending}"


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
