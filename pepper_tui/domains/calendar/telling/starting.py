"""What is said of an event that begins soon, or whose alarm rings: when, why, and what one needs to be there."""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import Final

from pepper_tui.domains.calendar.meeting.joining import joined_at
from pepper_tui.domains.calendar.meeting.link import is_place
from pepper_tui.model import Json
from pepper_tui.text import one_line

_PLACE: Final = 160


def starting(raw: Json, zone: tzinfo) -> tuple[str, str]:
    """Return the first words of its line, and the day. The hour is said, as a count of minutes would soon be wrong."""
    start, end = (datetime.fromtimestamp(raw[name], zone) for name in ("start", "end"))
    if raw["all_day"]:
        return "Starts", f"{start:%a %d %b}, all day"
    if raw.get("rang", raw["start"]) > raw["start"]:
        return f"Ends {end:%H:%M}", f"{end:%a %d %b}"
    return f"Starts {start:%H:%M}", f"{start:%a %d %b}"


def why_told(raw: Json) -> str:
    """Return why it is told now."""
    if "rang" in raw:
        return f"its alarm in your calendar {one_line(raw['calendar'], 60)}"
    return "it starts soon"


def before_it(raw: Json, zone: tzinfo) -> str:
    """Return where it is, how it can be joined and when to leave, in lines; empty if there is nothing to know."""
    lines: list[str] = []
    if raw["location"] and (is_place(raw["location"]) or not raw.get("link")):
        lines.append(f"Where: {one_line(raw['location'], _PLACE)}")
    minutes = raw.get("before", 0)
    if minutes and is_place(raw["location"]):
        leave = datetime.fromtimestamp(raw["start"] - minutes * 60, zone)
        lines.append(f"Leave by {leave:%H:%M}: {minutes} minutes to get there")
    if raw.get("link"):
        lines.append(f"Join: {joined_at(raw['link'])}")
    return "\n".join(lines)
