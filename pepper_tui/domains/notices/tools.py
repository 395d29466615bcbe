"""Speaking unasked: the only way to reach the user outside a reply, always with a reason and a source."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pepper_tui.domains.memory.context_tools import find_context
from pepper_tui.model import FROM_MODEL, OF_CALL, OPEN_TAG, Effect, Namespace, Notification, Priority, Step
from pepper_tui.text import one_line
from pepper_tui.tools.approvals.choices import Announce
from pepper_tui.tools.errors import ToolError
from pepper_tui.tools.tool import Tool, ToolContext, tool


@dataclass(slots=True)
class NoticeParts:
    announce: Announce | None = None


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
    source = await _source(ctx, source)
    notification = Notification(
        id=f"{OF_CALL}{ctx.call.id}",
        title=one_line(title),
        body=body,
        reason=reason,
        source=source,
        created_at=ctx.clock.now(),
        priority=Priority(priority),
        kind=kind,
        matter=ctx.call.matter,
        origin=FROM_MODEL,
    )
    announce = ctx.of(NoticeParts).announce
    if announce is None:
        await ctx.store.put(notification, namespace=Namespace.NOTIFICATION, text=f"{title}\n{body}", tags=[OPEN_TAG])
    elif await announce(notification) is None:
        return "Not shown: the user was told the same before."
    return f"Shown as {notification.id}."


async def _source(ctx: ToolContext, said: str) -> str:
    """Return the notice's source as ``namespace:id``: what a model names, if it exists, else its step's last input.

    A mistyped id costs no notice, and "why?" never leads to something that never existed.
    """
    found = await find_context(ctx, said.strip())
    if found is not None:
        return f"{found.namespace}:{found.context_id}"
    kind, _, ident = ctx.call.origin.partition(":")
    step = Step.one(await ctx.store.get(ident, namespace=Namespace.STEP)) if kind == "step" else None
    return step.inputs[-1] if step is not None and step.inputs else f"{Namespace.TOOL_CALL}:{ctx.call.id}"


def notice_tools(parts: NoticeParts) -> list[Tool]:
    return [notify.with_given(parts)]
