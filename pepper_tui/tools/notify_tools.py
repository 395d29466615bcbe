"""Speaking unasked: the only way to reach the user outside a reply, never without a reason and a source."""

from __future__ import annotations

from typing import Final, Literal

from pepper_tui.model import OPEN_TAG, Effect, Namespace, Notification, Priority
from pepper_tui.text import one_line
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
        source: what it comes from, as namespace:id, e.g. the id of a signal
        priority: urgent only where waiting an hour would hurt
        kind: brief for a preparation, offer for a question, else notice
    """
    for name, value in (("title", title), ("reason", reason), ("source", source)):
        if not value.strip():
            raise ToolError(f"'{name}' is empty; nothing is shown without it")
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


NOTIFY_TOOLS: Final = (notify,)
