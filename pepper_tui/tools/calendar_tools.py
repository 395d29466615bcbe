"""Calendar: what is on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final

from pydantic import Field

from pepper_tui.model import Effect, Json
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
        return f"Nothing from {first} for {days} day{'s' if days > 1 else ''}."
    return "\n".join(_event(ctx, event.data()) for event in events)


def parse_time(ctx: ToolContext, words: str) -> float:
    """The time that ``words`` name, POSIX seconds. Raises ``ToolError``."""
    if ctx.services.parse_when is None:
        raise ToolError("times in words are not available")
    try:
        return ctx.services.parse_when(words, ctx.clock.now(), ctx.services.zone)
    except ValueError as error:
        raise ToolError(f"{one_line(words, 80)!r} is not a time that I understand: {error}") from error


def _event(ctx: ToolContext, event: Json) -> str:
    title = event.get("summary") or event.get("title") or "(no title)"
    if event.get("all_day"):
        day = datetime.fromtimestamp(float(event["start"]), ctx.services.zone) if _number(event.get("start")) else None
        when = f"{day:%a %Y-%m-%d} all day" if day else f"{event.get('start')} all day"
    else:
        when = f"{_moment(ctx, event.get('start'))} to {_moment(ctx, event.get('end'))}"
    parts = [when, one_line(str(title), 200)]
    parts += [one_line(str(event[key]), 200) for key in ("location",) if event.get(key)]
    parts += ["tentative"] if event.get("status") == "TENTATIVE" else []
    return " | ".join(parts)


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _moment(ctx: ToolContext, value: Any) -> str:
    if _number(value):
        return f"{datetime.fromtimestamp(float(value), UTC).astimezone(ctx.services.zone):%a %Y-%m-%d %H:%M}"
    return str(value or "?")


CALENDAR_TOOLS: Final = (agenda,)
