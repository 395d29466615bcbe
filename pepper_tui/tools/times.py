"""Times in words, as given to tools."""

from __future__ import annotations

from pepper_tui.clock.words import TimeReader
from pepper_tui.tools.errors import ToolError
from pepper_tui.tools.tool import ToolContext


def times_of(ctx: ToolContext) -> TimeReader:
    """Return the reader of times in words. Raises ``ToolError`` if there is none."""
    if ctx.time.reader is None:
        raise ToolError("times in words are not available")
    return ctx.time.reader


async def parse_time(ctx: ToolContext, words: str) -> float:
    """Return the one time that ``words`` name, in POSIX seconds. Raises ``ToolError``; if ambiguous, it names both."""
    try:
        return await times_of(ctx).moment(words)
    except ValueError as error:
        raise ToolError(str(error)) from error
