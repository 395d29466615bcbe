"""When an event is, as a card says it."""

from __future__ import annotations

from datetime import datetime, timedelta

from pepper_tui.tools.tool import ToolContext


def when_of(ctx: ToolContext, start: float, end: float, all_day: bool) -> str:
    """Return day and times in the user's zone, which is named; of whole days the first and the last."""
    begins, ends = (datetime.fromtimestamp(each, ctx.zone) for each in (start, end))
    day = f"{begins:%a} {begins.day} {begins:%b %Y}"
    if all_day:
        last = ends - timedelta(seconds=1)
        return day + (f" to {last:%a} {last.day} {last:%b %Y}" if last.date() > begins.date() else "") + ", all day"
    until = f"{ends:%H:%M}" if ends.date() == begins.date() else f"{ends:%a} {ends.day} {ends:%b} {ends:%H:%M}"
    return f"{day}, {begins:%H:%M}–{until} ({ctx.time.zone_name})"
