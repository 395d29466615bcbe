"""The time range that a tool looks back on, as a model gives it: in words or as ISO 8601, in the user's zone."""

from __future__ import annotations

from pepper_tui.clock.words import TimeReader, TimeRefusedError
from pepper_tui.tools.errors import ToolError
from pepper_tui.tools.tool import ToolContext


async def looked_back(ctx: ToolContext, since: str, until: str) -> tuple[float | None, float | None]:
    """Return begin and end (exclusive) of the range, in POSIX seconds; ``None`` for one that was left open.

    Raises ``ToolError`` in words.
    """
    times = ctx.time.reader or TimeReader(ctx.clock, ctx.zone)
    try:
        begins = (await times.past(since)).begins if since.strip() else None
        ends = (await times.past(until)).ends if until.strip() else None
    except TimeRefusedError as error:
        raise ToolError(str(error)) from error
    if begins is not None and ends is not None and ends <= begins:
        raise ToolError("'until' is not after 'since'")
    return begins, ends
