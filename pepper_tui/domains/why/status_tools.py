"""What is going on right now."""

from __future__ import annotations

from typing import Final

from pepper_tui.clock import iso
from pepper_tui.model import (
    OPEN_TAG,
    Approval,
    ContextFilter,
    Effect,
    Health,
    Namespace,
    Notification,
    Reminder,
    ToolCall,
    WorkerRun,
)
from pepper_tui.text import one_line
from pepper_tui.tools.tool import ToolContext, tool

_LIMIT: Final = 20
_LOOKED: Final = 200


@tool(effect=Effect.READ)
async def current_status(ctx: ToolContext) -> str:
    """Say what runs, what waits for the user, which reminders wait, and whether every part is in order."""
    zone = ctx.zone
    calls = [ToolCall.of(c) for c in await ctx.store.query(_open(Namespace.TOOL_CALL))]
    cards = [Approval.of(c) for c in await ctx.store.query(_open(Namespace.APPROVAL))]
    notices = [Notification.of(c) for c in await ctx.store.query(_open(Namespace.NOTIFICATION))]
    reminders = [Reminder.of(c) for c in await ctx.store.query(_open(Namespace.REMINDER))]
    runs = [WorkerRun.of(c) for c in await ctx.store.query(_open(Namespace.RUN))]
    parts = [Health.of(c) for c in await ctx.store.query(ContextFilter(namespaces=[Namespace.HEALTH], limit=200))]
    sections = {
        "running calls": [
            f"{c.id} {c.name} ({c.deferred or c.state})" + (f": {one_line(c.summary, 120)}" if c.summary else "")
            for c in calls
            if c.id != ctx.call.id
        ],
        "waiting for the user's approval": [f"{a.id} {one_line(a.resolved.summary, 120)}" for a in cards],
        "notifications not yet dealt with": [f"{n.id} {one_line(n.title, 120)}" for n in notices],
        "reminders": [
            f"{r.id} {iso(r.due, zone)} {one_line(r.text, 80)}" for r in sorted(reminders, key=lambda r: r.due)
        ],
        "workers": [f"{r.id} {r.agent or r.kind} ({r.state}): {one_line(r.task, 80)}" for r in runs],
        "parts in trouble": [
            f"{h.name}: {one_line(h.detail, 120)}; {one_line(h.remedy, 120)}" for h in parts if h.state == "trouble"
        ],
    }
    lines = [f"now: {iso(ctx.clock.now(), zone)}"]
    for title, entries in sections.items():
        least = "at least " if len(entries) >= _LOOKED - 1 else ""  # the call that asks is not counted
        lines.append(f"{title}: {least}{len(entries) or 'none'}")
        lines += [f"  {entry}" for entry in entries[:_LIMIT]]
        if len(entries) > _LIMIT:
            lines.append(f"  and {least}{len(entries) - _LIMIT} more")
    return "\n".join(lines)


def _open(namespace: str) -> ContextFilter:
    return ContextFilter(namespaces=[namespace], tags=[OPEN_TAG], limit=_LOOKED)


STATUS_TOOLS: Final = (current_status,)
