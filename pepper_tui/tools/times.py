"""Times in words, as tools are given them."""

from __future__ import annotations

from pepper_tui.clock.words import TimeReader
from pepper_tui.tools.errors import ToolError
from pepper_tui.tools.tool import ToolContext


def times_of(ctx: ToolContext) -> TimeReader:
    """The reader of times in words. Raises ``ToolError`` where there is none."""
    if ctx.time.reader is None:
        raise ToolError("times in words are not available")
    return ctx.time.reader


async def parse_time(ctx: ToolContext, words: str) -> float:
    """The one time that ``words`` name, POSIX seconds. Raises ``ToolError``, with both where it can mean two."""
    try:
        return await times_of(ctx).moment(words)
    except ValueError as error:
        raise ToolError(str(error)) from error
