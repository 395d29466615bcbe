"""Speaking unasked: the only way to reach the user outside a reply, never without a reason and a source."""

from __future__ import annotations

from typing import Final, Literal

from pepper_tui.model import OPEN_TAG, Effect, Namespace, Notification, Priority
from pepper_tui.text import one_line
from pepper_tui.tools.context_tools import find_context
from pepper_tui.tools.tool import ToolContext, ToolError, tool


@tool(effect=Effect.LOCAL)
async def notify(
    ctx: ToolContext,
    title: str,
    body: str,
    reason: str,
    source: str,
    priority: Literal["urgent", "high", "normal", "low"] = "normal",
    kind: Literal["notice", "brief", "offer"] = "notice",
) -> str:
    """Tell the user something that they did not ask for, in their inbox. Only what they would want to know now.

    Args:
        title: one line that says it all
        body: what more there is to say
        reason: why the user should see this now
        source: the id of the signal, result or message that it comes from, as the log gives it
        priority: urgent only where waiting an hour would hurt
        kind: brief for a preparation, offer for a question, else notice
    """
    for name, value in (("title", title), ("reason", reason), ("source", source)):
        if not value.strip():
            raise ToolError(f"'{name}' is empty; nothing is shown without it")
    source = await _known(ctx, source)
    notification = Notification(
        id=f"notification_{ctx.call.id}",
        title=one_line(title),
        body=body,
        reason=reason,
        source=source,
        created_at=ctx.clock.now(),
        priority=Priority(priority),
        kind=kind,
        matter=ctx.call.matter,
        origin="model",
    )
    if ctx.services.announce is None:
        await ctx.store.put(notification, namespace=Namespace.NOTIFICATION, text=f"{title}\n{body}", tags=[OPEN_TAG])
    elif await ctx.services.announce(notification) is None:
        return "Not shown: the user was told the same before."
    return f"Shown as {notification.id}."


async def _known(ctx: ToolContext, source: str) -> str:
    """``source`` as ``namespace:id``. Raises ``ToolError`` for what never was: "why?" would lead nowhere."""
    found = await find_context(ctx, source.strip())
    if found is None:
        named = one_line(source, 80)
        raise ToolError(f"there is nothing with the id {named!r}; give that of a signal, result or message in the log")
    return f"{found.namespace}:{found.context_id}"


NOTIFY_TOOLS: Final = (notify,)
