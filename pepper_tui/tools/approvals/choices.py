"""Questions that only the user can settle: which of several times or things is meant, one key each.

The tool that can't tell opens the question and fails; the user's key repeats the call with what was chosen. The words
of a choice are made by code from what will be done, never by a model.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Final

from pepper_tui.clock import Clock, iso
from pepper_tui.clock.words import Reading, TimeAskedError
from pepper_tui.model import (
    ASKED,
    OPEN_TAG,
    QUESTION,
    CallState,
    Effect,
    Json,
    Namespace,
    Notification,
    Priority,
    ToolCall,
)
from pepper_tui.store import Store
from pepper_tui.text import one_line
from pepper_tui.tools.errors import ToolError
from pepper_tui.tools.said import BY_USER
from pepper_tui.tools.times import times_of
from pepper_tui.tools.tool import ToolContext

ORIGIN: Final = f"{BY_USER}choice"
"""Origin of a call that the user chose on a card of no other call."""
Announce = Callable[[Notification], Awaitable[object]]
"""A new notification -> what was stored, or ``None`` if the same was announced before. Joins the caller's unit."""


async def ask_which(
    ctx: ToolContext, announce: Announce | None, asked: TimeAskedError, what: str, field: str
) -> ToolError:
    """Ask the user which time they mean, if they ordered the call; return the error to raise, which names the times.

    ``what`` is named in the question; ``field`` is the argument that the chosen time replaces.
    """
    times = times_of(ctx)
    choices: list[Json] = [
        {"words": times.said(each), "arguments": _arguments(ctx, each, field), "field": field} for each in asked.choices
    ]
    return await offered(ctx, announce, f"Which time: {what}?", choices, str(asked))


async def offered(
    ctx: ToolContext, announce: Announce | None, title: str, choices: Sequence[Json], refused: str
) -> ToolError:
    """Ask the user which of ``choices`` they mean, if they ordered the call; return the error to raise.

    A choice has ``words``, the ``arguments`` that it replaces, and the ``field`` that words of the user's replace.
    """
    if ctx.call.root != "user" or announce is None:
        return ToolError(refused)
    question = Notification(
        id=f"ntf_{ctx.call.id}_which",
        title=one_line(title, 120),
        body="\n".join(f"{number}  {choice['words']}" for number, choice in enumerate(choices, 1)),
        reason="you ordered it, and what you said can mean more than one",
        source=f"{Namespace.TOOL_CALL}:{ctx.call.id}",
        created_at=ctx.clock.now(),
        priority=Priority.HIGH,
        kind=QUESTION,
        choices=[*choices],
    )
    if await ctx.store.get(question.id, namespace=Namespace.NOTIFICATION, include_expired=True) is None:
        # in a separate task, outside the call's unit: the call fails, but the question stays
        await asyncio.create_task(_announced(announce, question))
    return ToolError(f"{refused}. {ASKED}")


async def _announced(announce: Announce, question: Notification) -> None:
    await announce(question)


def _arguments(ctx: ToolContext, reading: Reading, field: str) -> Json:
    at = iso(reading.at, ctx.zone)
    chosen: Json = {field: at[:10] if reading.whole_days else at}
    if reading.rrule:
        chosen["repeat"] = reading.rrule
    if reading.end is not None and "minutes" in ctx.call.arguments:
        chosen["minutes"] = max(1, round((reading.end - reading.at) / 60))
    return chosen


async def call_of(
    store: Store, clock: Clock, question: Notification, arguments: Json, typed: list[str] | None = None
) -> ToolCall:
    """Store and return the call made by the answer to a question. Raises ``ToolError``.

    ``arguments`` replace those that led to the question; if its choices name a tool of their own, they are all. What
    the user ``typed`` of them has their authority. Joins the caller's unit, which also closes the question.
    """
    typed = typed or []
    if question.kind != QUESTION or question.awaited:
        raise ToolError("its answer makes no call")
    if tool := next((str(each["tool"]) for each in question.choices if each.get("tool")), ""):
        ident, matter = clock.new_id("call"), question.matter
        offered = ToolCall(
            ident, tool, arguments, Effect.SEND, clock.now(), ORIGIN, root="user", matter=matter, typed=typed
        )
        await store.put(offered, namespace=Namespace.TOOL_CALL, type=tool, tags=[OPEN_TAG], expect_version=0)
        return offered
    namespace, _, ident = question.source.partition(":")
    call = ToolCall.one(await store.get(ident, namespace=namespace, include_expired=True))
    if call is None:
        raise ToolError("what asked this is gone; say it again")
    chosen = replace(
        call,
        id=clock.new_id("call"),
        arguments={**call.arguments, **arguments},
        created_at=clock.now(),
        state=CallState.SCHEDULED,
        started_at=None,
        ended_at=None,
        error="",
        progress="",
        approval="",
    )
    await store.put(chosen, namespace=Namespace.TOOL_CALL, type=chosen.name, tags=[OPEN_TAG], expect_version=0)
    return chosen
