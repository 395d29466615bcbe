"""The tool to request tools that a step does not offer; the scheduler reads the topics from the call."""

from __future__ import annotations

from typing import Final

from pepper_tui.model import MORE_TOOLS, Effect
from pepper_tui.tools.tool import ToolContext, tool


@tool(effect=Effect.READ, taints=False, name=MORE_TOOLS)
async def more_tools(ctx: ToolContext, topics: list[str]) -> str:
    """Have the tools of other topics offered too, from the next step on. Call it before you say that something can't
    be done.

    Args:
        topics: names of topics
    """
    return "From this step on they are offered, as far as there are such topics. Go on with what you were at."


TOPIC_TOOLS: Final = (more_tools,)
