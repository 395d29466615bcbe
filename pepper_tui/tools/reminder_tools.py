"""Reminders: promises to speak at a time. These tools write the records; the attention room keeps their time."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Final

from pepper_tui.clock import iso
from pepper_tui.model import (
    OPEN_TAG,
    REMINDER,
    Context,
    ContextFilter,
    Effect,
    Namespace,
    Reminder,
    ReminderState,
)
from pepper_tui.text import one_line
from pepper_tui.tools.calendar_tools import parse_time
from pepper_tui.tools.tool import ToolContext, ToolError, tool

_ONCE: Final = ("", "none", "never", "once", "no")


def parse_rule(ctx: ToolContext, words: str) -> str:
    """The RRULE that ``words`` mean; empty for once. Raises ``ToolError``."""
    if words.strip().lower() in _ONCE:
        return ""
    if ctx.services.parse_repeat is None:
        raise ToolError("repeating reminders are not available")
    try:
        return ctx.services.parse_repeat(words)
    except ValueError as error:
        raise ToolError(f"{one_line(words, 80)!r} can't be how it repeats: {error}") from error


@tool(effect=Effect.LOCAL)
async def remind(ctx: ToolContext, text: str, when: str, repeat: str = "") -> str:
    """Remind the user of something at a time, once or repeatedly.

    Args:
        text: what to remind of, as the user should read it
        when: the first time, e.g. "in 2 minutes", "tomorrow 9am", "2027-01-31 14:00"
        repeat: empty for once; daily, weekdays, weekly, monthly, "every 2 weeks", "every monday", or an RRULE
    """
    if not text.strip():
        raise ToolError("'text' is empty")
    due, rule = parse_time(ctx, when), parse_rule(ctx, repeat)
    now = ctx.clock.now()
    if due < now - 60:
        raise ToolError(f"{one_line(when, 60)!r} is in the past ({iso(due, ctx.services.zone)})")
    reminder = Reminder(
        # the call's own id: one call makes one reminder
        id=f"reminder_{ctx.call.id}",
        text=text.strip()[:2000],
        due=due,
        zone=ctx.services.zone_name,
        created_at=now,
        rule=rule,
        starts=due,
        call=ctx.call.id,
    )
    await ctx.store.put(reminder, namespace=Namespace.REMINDER, text=reminder.text, tags=[OPEN_TAG])
    return f"Reminder {reminder.id} set for {_when(ctx, due)}{f', repeating ({rule})' if rule else ''}."


@tool(effect=Effect.READ, taints=False)
async def list_reminders(ctx: ToolContext) -> str:
    """List the reminders that still wait."""
    found = await ctx.store.query(
        ContextFilter(namespaces=[Namespace.REMINDER], tags=[OPEN_TAG], newest_first=False, limit=1000)
    )
    reminders = sorted((Reminder.of(context) for context in found), key=lambda each: each.due)
    lines = [
        f"{each.id} | {_when(ctx, each.due)} | {one_line(each.text)}{f' | {each.rule}' if each.rule else ''}"
        for each in reminders
    ]
    return "\n".join(lines) or "No reminders."


@tool(effect=Effect.LOCAL)
async def cancel_reminder(ctx: ToolContext, reminder_id: str) -> str:
    """Cancel a reminder.

    Args:
        reminder_id: as list_reminders gives it, or words of its text that no other reminder has
    """
    context: Context | None = await ctx.store.get(reminder_id, namespace=Namespace.REMINDER)
    if context is None:
        context = await _named(ctx, reminder_id)
    reminder = Reminder.of(context)
    if not REMINDER.allows(reminder.state, ReminderState.CANCELLED):
        raise ToolError(f"that reminder is already {reminder.state}")
    ended = replace(reminder, state=REMINDER.move(reminder.state, ReminderState.CANCELLED))
    await ctx.store.put(ended, namespace=Namespace.REMINDER, text=ended.text, expect_version=context.version)
    return f"Cancelled: {one_line(ended.text)}"


async def _named(ctx: ToolContext, words: str) -> Context:
    """The one waiting reminder whose text holds ``words``. Raises ``ToolError``."""
    waiting = await ctx.store.query(ContextFilter(namespaces=[Namespace.REMINDER], tags=[OPEN_TAG], limit=1000))
    wanted = " ".join(words.casefold().split())
    found = [context for context in waiting if wanted in " ".join(context.text.casefold().split())]
    if not wanted or not found:
        raise ToolError(f"there is no reminder {one_line(words, 80)!r}")
    if len(found) > 1:
        named = "; ".join(one_line(context.text, 60) for context in found[:5])
        raise ToolError(f"{len(found)} reminders say that ({named}); say more of the one that you mean")
    return found[0]


def _when(ctx: ToolContext, at: float) -> str:
    return f"{datetime.fromtimestamp(at, ctx.services.zone):%a %Y-%m-%d %H:%M:%S %Z}"


REMINDER_TOOLS: Final = (remind, list_reminders, cancel_reminder)
