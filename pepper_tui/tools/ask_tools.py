"""Asks the user: a question in the inbox whose answer is the result of the call that asks.

The call waits like an approval. The question is a row named after the call, so after a restart it is found and not
asked twice. The user's answer ends the call in its own commit (``ToolEngine.answer_question``), so nothing can come
between them. Without an answer the call ends here, saying so: the user closed the question, or it expired. A dismissal
counts once its undo window is over.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from itertools import takewhile
from math import inf
from typing import Annotated, Final

from pydantic import Field

from pepper_tui.clock import done_before
from pepper_tui.model import (
    CALL_OPEN,
    FROM_MODEL,
    OPEN_TAG,
    QUESTION,
    SETTLED,
    ContextFilter,
    ContextUpdate,
    Effect,
    Json,
    Namespace,
    Notification,
    NotificationState,
    Origin,
    Priority,
    ToolCall,
    UserAnswer,
    WorkerRun,
)
from pepper_tui.text import one_line
from pepper_tui.tools.approvals.choices import Announce
from pepper_tui.tools.approvals.policy import Room, asker_of
from pepper_tui.tools.errors import ToolError
from pepper_tui.tools.said import question_id
from pepper_tui.tools.tool import Tool, ToolContext, tool

ASK: Final = "ask_user"
OPEN_QUESTIONS: Final = 3
"""Open questions per asker; for all of one root the cap is wider, as with cards."""
_OPTIONS: Final = 4
_LONGEST: Final = 600  # characters per question
_LONGEST_OPTION: Final = 120
_TITLE: Final = 120
_CLOSED: Final = frozenset({NotificationState.DONE, NotificationState.DISMISSED})
_NOTHING: Final = "The user did not say{why}. Do not ask the same again: go on without, or say what is missing."


@dataclass(slots=True)
class AskParts:
    """The dependencies of ``ask_user``.

    ``announce`` opens a question; ``close_notice`` withdraws one, given the id of an open notification and why in
    words. ``settle`` records that a question of this id and version stays closed; False if the version has changed.
    ``answer_within``: seconds that a question waits; ``undo_seconds``: seconds in which a dismissal can be undone.
    """

    announce: Announce | None = None
    close_notice: Callable[[str, str], Awaitable[object]] | None = None
    settle: Callable[[str, int], Awaitable[bool]] | None = None
    answer_within: float = 3 * 86400.0
    undo_seconds: float = 10.0


async def _withdraw(ctx: ToolContext) -> None:
    if (close := ctx.of(AskParts).close_notice) is not None:
        await close(question_id(ctx.call.id), "who asked does not wait for it any more")


@tool(effect=Effect.READ, resumes=True, waits=True, taints=False, on_cancel=_withdraw)
async def ask_user(
    ctx: ToolContext, question: str, options: Annotated[tuple[str, ...], Field(max_length=_OPTIONS)] = ()
) -> str:
    """Ask the user one question and get their answer as the result; other work goes on meanwhile. Use it where you
    can't go on without what only they know or decide. In the reply to a message of theirs ask in plain text instead; to
    tell something use notify; what sends or writes asks for its own yes, so never ask whether you may.

    Args:
        question: one question that can be understood without anything else
        options: up to four short answers to choose from, one key each; they may always answer in their own words
    """
    plain = one_line(question, _LONGEST)
    choices = list(dict.fromkeys(filter(None, (one_line(each, _LONGEST_OPTION) for each in options))))
    if not plain:
        raise ToolError("'question' is empty")
    announce = ctx.of(AskParts).announce
    if announce is None:
        raise ToolError("nobody can be asked here")
    ident = question_id(ctx.call.id)
    if await ctx.store.get(ident, namespace=Namespace.NOTIFICATION, include_expired=True) is None:
        await _must_have_room(ctx, plain)
        await announce(await _asked(ctx, plain, choices))
        ctx.checkpoint("question_open")
    ctx.progress("waits for your answer")
    return await _answer(ctx, ident)


async def _must_have_room(ctx: ToolContext, question: str) -> None:
    """Raise ``ToolError`` if the same is already asked, or too many questions wait."""
    found = await ctx.store.query(
        ContextFilter(namespaces=[Namespace.TOOL_CALL], tags=[OPEN_TAG], newest_first=False, limit=None)
    )
    asking = [call for call in ToolCall.readable(found) if call.name == ASK and call.state in CALL_OPEN]
    room = Room(OPEN_QUESTIONS)
    for other in takewhile(lambda call: call.id != ctx.call.id, asking):
        if _alike(str(other.arguments.get("question") or "")) == _alike(question):
            raise ToolError(f"exactly this is asked already, by the call {other.id}: it is not asked twice")
        room.count(asker_of(other.origin), other.root)
    if room.take(ctx.call):
        raise ToolError("too many questions wait for the user already: go on without this one, or wait for an answer")


def _alike(question: str) -> str:
    return " ".join("".join(c if c.isalnum() else " " for c in question.casefold()).split())


async def _asked(ctx: ToolContext, question: str, options: list[str]) -> Notification:
    now = ctx.clock.now()
    choices: list[Json] = [{"words": words} for words in options]
    lines = [question] if len(question) > _TITLE else []
    lines += [f"{number}  {words}" for number, words in enumerate(options, 1)]
    return Notification(
        id=question_id(ctx.call.id),
        title=one_line(question, _TITLE),
        body="\n".join(lines),
        reason=await _reason(ctx),
        source=f"{Namespace.TOOL_CALL}:{ctx.call.id}",
        created_at=now,
        priority=Priority.HIGH,
        kind=QUESTION,
        choices=choices,
        origin=FROM_MODEL,
        expires_at=now + ctx.of(AskParts).answer_within,
    )


async def _reason(ctx: ToolContext) -> str:
    """Return who asks, what for, and whether untrusted text may have influenced the question."""
    kind, _, ident = ctx.call.origin.partition(":")
    run = WorkerRun.one(await ctx.store.get(ident, namespace=Namespace.RUN)) if kind == "run" else None
    if run is not None:
        who = f"the worker {run.agent or run.kind} needs it for: {one_line(run.task, 160)}"
    elif ctx.call.root == "user":
        who = "Pepper needs it for what you asked"
    else:
        who = "Pepper needs it for what came in"
    return f"{who}; it had read text of others before it asked" if ctx.call.tainted else who


async def _answer(ctx: ToolContext, ident: str) -> str:
    """Wait for the outcome of the question, and return it in words."""
    async with ctx.store.watch([Namespace.NOTIFICATION, Namespace.USER_ANSWER]) as updates:
        following = aiter(updates)
        change = asyncio.create_task(_next(following))
        try:
            while True:
                words, look_at = await _state(ctx, ident)
                if words:
                    return words
                if look_at == inf:
                    await asyncio.wait({change})
                else:
                    await done_before(change, ctx.clock.sleep(look_at - ctx.clock.now()))
                if change.done():
                    change.result()
                    change = asyncio.create_task(_next(following))
        finally:
            change.cancel()
            await asyncio.wait({change})


async def _next(updates: AsyncIterator[list[ContextUpdate]]) -> list[ContextUpdate]:
    return await anext(updates)


async def _state(ctx: ToolContext, ident: str) -> tuple[str, float]:
    """Return the result in words, if there is one; otherwise when to check again without a change."""
    answer = UserAnswer.one(await ctx.store.get(ident, namespace=Namespace.USER_ANSWER))
    if answer is not None:
        return answer_words(answer)[0], 0.0  # the call ended with it
    context = await ctx.store.get(ident, namespace=Namespace.NOTIFICATION, include_expired=True)
    question = Notification.one(context)
    if context is None or question is None:
        return _NOTHING.format(why=""), 0.0
    if question.state not in _CLOSED:
        return "", inf
    if withdrawn := str(context.metadata.get("withdrawn") or ""):
        return _NOTHING.format(why=f": {withdrawn}"), 0.0
    if context.metadata.get(SETTLED):
        return _NOTHING.format(why=", and closed the question"), 0.0
    parts = ctx.of(AskParts)
    counts = context.updated_at + parts.undo_seconds
    if counts > ctx.clock.now():
        return "", counts
    if parts.settle is not None and not await parts.settle(ident, context.version):
        return "", 0.0  # an undo came first
    return _NOTHING.format(why=", and closed the question"), 0.0


def answer_words(answer: UserAnswer) -> tuple[str, bool]:
    """Return an answer as text for the asker, and whether the user typed or chose all of it."""
    if answer.chosen:
        return f"The user chose {answer.chosen}: {answer.text}", True
    typed = all(origin is Origin.TYPED for _, origin in answer.written.parts())
    return f"The user answered{'' if typed else ', partly in words that they did not type'}: {answer.text}", typed


def ask_tools(parts: AskParts) -> list[Tool]:
    return [ask_user.with_given(parts)]
