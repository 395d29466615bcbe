"""Calendar: what is on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Annotated, Any, Final

from pydantic import Field

from pepper_tui.model import Effect, Json, Record
from pepper_tui.text import one_line
from pepper_tui.tools.tool import ToolContext, ToolError, tool


@tool(effect=Effect.READ)
async def agenda(ctx: ToolContext, start: str = "today", days: Annotated[int, Field(ge=1, le=62)] = 1) -> str:
    """List the events of some days.

    Args:
        start: first day: today, tomorrow, a weekday, or a date such as 2027-01-31
        days: how many days
    """
    if ctx.services.agenda is None:
        raise ToolError("no calendar is configured; set calendar.paths")
    zone = ctx.services.zone
    today = datetime.fromtimestamp(ctx.clock.now(), zone).date()
    words = start.strip().lower()
    if words in ("", "today", "now"):
        first = today
    elif words == "tomorrow":
        first = today + timedelta(days=1)
    else:
        try:
            first = datetime.strptime(words, "%Y-%m-%d").date()
        except ValueError:
            first = datetime.fromtimestamp(parse_time(ctx, start), zone).date()
    begins = datetime(first.year, first.month, first.day, tzinfo=zone)
    after = first + timedelta(days=days)
    ends = datetime(after.year, after.month, after.day, tzinfo=zone)
    events = await ctx.services.agenda.between(begins.timestamp(), ends.timestamp())
    if not events:
        last = first + timedelta(days=days - 1)
        return (
            f"Nothing on {_day(first, today)}."
            if days == 1
            else f"Nothing {_day(first, today)} to {_day(last, today)}."
        )
    now = ctx.clock.now()
    lines = [_event(event.data(), now, today, zone) for event in events]
    free = _free_until(events, now, today, zone) if first <= today < after else ""
    return "\n".join([*([free] if free else []), *lines])


def parse_time(ctx: ToolContext, words: str) -> float:
    """The time that ``words`` name, POSIX seconds. Raises ``ToolError``."""
    if ctx.services.parse_when is None:
        raise ToolError("times in words are not available")
    try:
        return ctx.services.parse_when(words, ctx.clock.now(), ctx.services.zone)
    except ValueError as error:
        raise ToolError(f"{one_line(words, 80)!r} is not a time that I understand: {error}") from error


def _event(event: Json, now: float, today: date, zone: tzinfo) -> str:
    """One event in a line of its own: day, times, title, place, and whether it is on or over."""
    start, end = _wall(event.get("start"), zone), _wall(event.get("end"), zone)
    title = one_line(str(event.get("summary") or event.get("title") or "(no title)"), 200)
    if start is None:
        return f"At an unknown time: {title}"
    when = _day(start.date(), today)
    if event.get("all_day"):
        last = (end - timedelta(seconds=1)).date() if end and end > start else start.date()
        when += (f" to {_day(last, today)}" if last > start.date() else "") + ", all day"
    else:
        when += f", {start:%H:%M}"
        if end and end > start:
            when += f"–{end:%H:%M}" if end.date() == start.date() else f" to {_day(end.date(), today)}, {end:%H:%M}"
    place = f", {one_line(str(event['location']), 200)}" if event.get("location") else ""
    notes = ["tentative"] if event.get("status") == "TENTATIVE" else []
    if not event.get("all_day") and start.timestamp() <= now:
        notes.append("now" if end and end.timestamp() > now else "over")
    return f"{when}: {title}{place}" + (f" ({', '.join(notes)})" if notes else "")


def _free_until(events: Sequence[Record], now: float, today: date, zone: tzinfo) -> str:
    """The words on how long nothing is on today; empty where something is on."""
    timed = [event for event in (one.data() for one in events) if not event.get("all_day")]
    spans = [(s, _wall(event.get("end"), zone) or s) for event in timed if (s := _wall(event.get("start"), zone))]
    if any(start.timestamp() <= now < end.timestamp() for start, end in spans):
        return ""
    ahead = [start for start, _ in spans if start.timestamp() > now and start.date() == today]
    if ahead:
        return f"Nothing until {min(ahead):%H:%M} today."
    return "Nothing more today." if any(start.date() == today for start, _ in spans) else ""


def _day(day: date, today: date) -> str:
    words = {0: "today, ", 1: "tomorrow, "}.get((day - today).days, "")
    return f"{words}{day:%a} {day.day} {day:%b %Y}"


def _wall(value: Any, zone: tzinfo) -> datetime | None:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    return datetime.fromtimestamp(float(value), UTC).astimezone(zone)


CALENDAR_TOOLS: Final = (agenda,)
