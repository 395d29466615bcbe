"""Reminders: promises to speak at a certain time. These tools write the records; ``keeper`` fires them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from pepper_tui.clock.words import Reading, TimeAskedError, said
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
from pepper_tui.text import one_line, shorten
from pepper_tui.tools.approvals.choices import Announce, ask_which
from pepper_tui.tools.errors import ToolError
from pepper_tui.tools.said import read_in_turn, typed_in_turn
from pepper_tui.tools.times import times_of
from pepper_tui.tools.tool import Tool, ToolContext, tool

LISTED: Final = 1000
_ONCE: Final = ("", "none", "never", "once", "no")


@dataclass(slots=True)
class ReminderParts:
    """``announce`` asks which time is meant."""

    announce: Announce | None = None


async def _first_time(ctx: ToolContext, text: str, when: str, repeat: str) -> Reading:
    """Return when it first comes, and its rule. Raises ``ToolError``."""
    times = times_of(ctx)
    try:
        if repeat.strip().lower() in _ONCE:
            return await times.start(when)
        return await times.repeated(when, repeat)
    except TimeAskedError as asked:
        raise await ask_which(ctx, ctx.of(ReminderParts).announce, asked, one_line(text, 80), "when") from asked
    except ValueError as error:
        raise ToolError(str(error)) from error


@tool(effect=Effect.LOCAL)
async def remind(ctx: ToolContext, text: str, when: str, repeat: str = "") -> str:
    """Remind the user of something at a time, once or repeatedly.

    Args:
        text: what to remind of, as the user should read it
        when: the time in the user's words, e.g. "in 2 minutes", "tomorrow at 7", "every monday at 8", "2027-01-31 9:00"
        repeat: how often, where 'when' does not say it: "every 2 weeks", "every monday", or an RRULE; empty for once
    """
    if not text.strip():
        raise ToolError("'text' is empty")
    reading = await _first_time(ctx, text, when, repeat)
    now = ctx.clock.now()
    reminder = Reminder(
        # the call's own id: one call makes one reminder
        id=f"reminder_{ctx.call.id}",
        text=shorten(text.strip(), 2000),
        due=reading.at,
        zone=ctx.time.zone_name,
        created_at=now,
        rule=reading.rrule,
        starts=reading.at,
        call=ctx.call.id,
        root=ctx.call.root,
        tainted=ctx.call.tainted,
        typed=await typed_in_turn(ctx.store, ctx.call, text),
        read=await read_in_turn(ctx.store, ctx.call) if ctx.call.tainted else [],
    )
    await ctx.store.put(reminder, namespace=Namespace.REMINDER, text=reminder.text, tags=[OPEN_TAG])
    return f"Reminder {reminder.id} set for {_said(ctx, reminder)}."


@tool(effect=Effect.READ, taints=False)
async def list_reminders(ctx: ToolContext) -> str:
    """List the reminders that still wait."""
    found = await ctx.store.query(
        ContextFilter(namespaces=[Namespace.REMINDER], tags=[OPEN_TAG], newest_first=False, limit=LISTED)
    )
    reminders = sorted((Reminder.of(context) for context in found), key=lambda each: each.due)
    lines = [f"{each.id} | {_said(ctx, each)} | {one_line(each.text)}" for each in reminders]
    if len(reminders) == LISTED:
        lines.append(f"[only the {LISTED} that were set first; there may be more]")
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
    """Return the one waiting reminder whose text holds ``words``. Raises ``ToolError``."""
    waiting = await ctx.store.query(ContextFilter(namespaces=[Namespace.REMINDER], tags=[OPEN_TAG], limit=1000))
    wanted = " ".join(words.casefold().split())
    found = [context for context in waiting if wanted in " ".join(context.text.casefold().split())]
    if not wanted or not found:
        raise ToolError(f"there is no reminder {one_line(words, 80)!r}")
    if len(found) > 1:
        named = "; ".join(one_line(context.text, 60) for context in found[:5])
        raise ToolError(f"{len(found)} reminders say that ({named}); say more of the one that you mean")
    return found[0]


def _said(ctx: ToolContext, reminder: Reminder) -> str:
    return said(Reading(reminder.due, reminder.rule), ctx.zone, ctx.clock.now())


def reminder_tools(parts: ReminderParts) -> list[Tool]:
    return [each.with_given(parts) for each in (remind, list_reminders, cancel_reminder)]
