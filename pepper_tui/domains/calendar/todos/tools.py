"""To-dos as tools: what there is to do, and marking one as done, or as open again, after a yes.

The effect binds what was read, so a card can't overwrite what another program has changed meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from pepper_tui.domains.calendar.event import uid_in
from pepper_tui.domains.calendar.parts import CalendarParts
from pepper_tui.domains.calendar.pieces import TODO, pieces_of
from pepper_tui.domains.calendar.todos.listing import listed, unread_todos
from pepper_tui.domains.calendar.todos.todo import HasTodos, Todo
from pepper_tui.domains.calendar.writer import A_TODO, Held, Rewritable
from pepper_tui.domains.calendar.writing.rewriter import Rewriter
from pepper_tui.model import CardLine, Effect, Json, ResolvedEffect
from pepper_tui.text import one_line
from pepper_tui.tools.errors import NotDoneError, ToolError
from pepper_tui.tools.times import times_of
from pepper_tui.tools.tool import Tool, ToolContext, tool

_NAMED: Final = 5
_REWRITER: Final = Rewriter()


@tool(effect=Effect.READ)
async def list_todos(ctx: ToolContext) -> str:
    """List the user's to-dos that are not done, also those that are due at no time."""
    found = await _all(ctx)
    now, zone = ctx.clock.now(), ctx.zone
    lines = listed([each for each in found if not each.done], now, zone, ctx.of(CalendarParts).named)
    agenda, copies = ctx.of(CalendarParts).agenda, ctx.of(CalendarParts).copies
    if left_out := unread_todos(agenda):
        lines.append(f"Not all to-dos could be read: {left_out}.")
    return "\n".join([*(lines or ["No to-dos."]), *(await copies() if copies is not None else ())])


async def _all(ctx: ToolContext) -> Sequence[Todo]:
    agenda = ctx.of(CalendarParts).agenda
    if not isinstance(agenda, HasTodos):
        raise ToolError("no calendar is configured; set calendar.paths")
    return await agenda.todos.read()


async def resolve_todo(
    ctx: ToolContext, todo: str, day: str = "", done: bool = True, reason: str = ""
) -> ResolvedEffect:
    """Args:
    todo: words of its title
    day: which day it is due on, e.g. "friday", if the title alone does not say
    done: true marks it as done, false as open again
    reason: why, shown to the user
    """  # noqa: D415
    meant = await _meant(ctx, todo, day, done=done)
    if meant.repeats or meant.recurrence:
        raise ToolError(f"“{meant.title}” repeats, and programs differ in how that goes on; do it in your own")
    calendars = ctx.of(CalendarParts).calendars
    held = await calendars.held(meant.calendar, meant.uid, A_TODO) if isinstance(calendars, Rewritable) else None
    if held is None:
        raise ToolError(f"“{meant.title}” is in {meant.calendar}, which can't be written to from here")
    try:
        text = await asyncio.to_thread(
            _REWRITER.completed, pieces_of(held.text, TODO), done=done, now=ctx.clock.now()
        )  # fmt: skip
    except ValueError as error:
        raise ToolError(str(error)) from error
    due = f", due {_due(ctx, meant)}" if meant.due is not None else ""
    lines = [
        CardLine("To-do", f"{meant.title}{due}", settled=True),
        CardLine("Marked as", "done" if done else "open again"),
        CardLine("Calendar", meant.calendar, settled=True),
    ]
    payload: Json = {
        "held": {"place": held.place, "at": held.at, "version": held.version, "kind": held.kind}, "text": text,
        "uid": meant.uid, "calendar": meant.calendar, "done": done,
    }  # fmt: skip
    summary = one_line(f"Mark {meant.title} as {'done' if done else 'open again'} in {meant.calendar}", 200)
    return ctx.effect(account="", summary=summary, lines=lines, payload=payload)


async def _meant(ctx: ToolContext, words: str, day: str, *, done: bool) -> Todo:
    """Return the to-do that ``words`` of its title name. Raises ``ToolError`` if none is meant, or several are."""
    wanted = words.casefold().split()
    if not wanted:
        raise ToolError("'todo' is empty; say words of its title")
    there = [each for each in await _all(ctx) if each.done is not done]
    if uid := uid_in(words):
        found = [each for each in there if each.uid == uid]
    else:
        found = [each for each in there if all(word in each.summary.casefold() for word in wanted)]
    if day.strip():
        found = [each for each in found if each.due is not None and await _is_on(ctx, each.due, day)]
    found = [each for each in found if each.summary.casefold().split() == wanted] or found
    if not found:
        raise ToolError(f"no {'open' if done else 'done'} to-do is called {one_line(words, 60)!r}")
    if len(found) > 1:
        named = ", ".join(
            f"“{one_line(each.summary, 60)}”" + (f" due {_due(ctx, each)}" if each.due is not None else "")
            for each in found[:_NAMED]
        )
        more = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
        raise ToolError(f"several to-dos are meant: {named}{more}; say which, with its day")
    return found[0]


async def _is_on(ctx: ToolContext, due: float, day: str) -> bool:
    try:
        at = (await times_of(ctx).read(day)).at
    except ValueError as error:
        raise ToolError(str(error)) from error
    first = datetime.fromtimestamp(at, ctx.zone).replace(hour=0, minute=0, second=0, microsecond=0)
    return first.timestamp() <= due < (first + timedelta(days=1)).timestamp()


def _due(ctx: ToolContext, todo: Todo) -> str:
    at = datetime.fromtimestamp(todo.due or 0.0, ctx.zone)
    return f"{at:%a} {at.day} {at:%b %Y}" + ("" if todo.all_day else f" {at:%H:%M}")


async def probe_todo(ctx: ToolContext, effect: ResolvedEffect) -> bool | None:
    """Check whether the calendar has it as approved."""
    calendars = ctx.of(CalendarParts).calendars
    if not isinstance(calendars, Rewritable):
        return None
    return await calendars.stands(Held(**effect.payload["held"]), str(effect.payload["text"]))


def same_todo(payload: Json) -> Json:
    """Return what is marked, without what is new each time."""
    return {name: payload[name] for name in ("uid", "calendar", "done")}


@tool(
    effect=Effect.WRITE, resolve=resolve_todo, probe=probe_todo, same=same_todo, taints=False, name="complete_todo"
)  # fmt: skip
async def complete_todo(ctx: ToolContext, effect: ResolvedEffect) -> str:
    """Mark a to-do of the user's as done, or as open again. The user approves it first."""
    calendars = ctx.of(CalendarParts).calendars
    if not isinstance(calendars, Rewritable):
        raise NotDoneError("no calendar is configured any more")
    return await calendars.rewrite(Held(**effect.payload["held"]), str(effect.payload["text"]))


def todo_tools(parts: CalendarParts) -> list[Tool]:
    """Return all tools of to-dos."""
    return [each.with_given(parts) for each in (list_todos, complete_todo)]
