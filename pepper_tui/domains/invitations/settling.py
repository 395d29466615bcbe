"""What the user has answered stands in the agenda once the reply is out, however that became known."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from pepper_tui.domains.calendar.objects import OBJECTS, CalendarObject, put_objects
from pepper_tui.domains.calendar.pieces import pieces_of
from pepper_tui.domains.calendar.writing.rewriter import Rewriter
from pepper_tui.domains.invitations.answering import PARTSTAT
from pepper_tui.domains.invitations.choices import ANSWER_INVITATION
from pepper_tui.domains.invitations.record import Invitation, invitation_to, object_of, put_invitation
from pepper_tui.feeds.feed import FeedContext
from pepper_tui.model import Approval, CallState, ContextUpdate, Json, Namespace, ToolCall, ToolResult

SUBSCRIPTION: Final = "feeds.invitations.answers"


def listen_for_answers(ctx: FeedContext, rewriter: Rewriter, own: Callable[[], Sequence[str]]) -> None:
    """Register the handler of what became of replies. ``own``: the user's addresses."""

    async def settle(updates: list[ContextUpdate]) -> None:
        for update in updates:
            if not update.deleted:
                async with ctx.processing(update.seq):
                    await _settle(ctx, ToolResult.of(update.context), rewriter, own())

    # one a unit: a later answer must read what an earlier one has come to
    ctx.subscriber.on_context_batch(
        namespaces=[Namespace.TOOL_RESULT], size=1, longest_wait=0.0, name=SUBSCRIPTION, start="now", wanted=_answers
    )(settle)


def _answers(update: ContextUpdate) -> bool:
    return update.context.data.get("name") == ANSWER_INVITATION


async def _settle(ctx: FeedContext, result: ToolResult, rewriter: Rewriter, own: Sequence[str]) -> None:
    store = ctx.store
    call = ToolCall.one(await store.get(result.call, namespace=Namespace.TOOL_CALL))
    card = Approval.one(await store.get(call.approval, namespace=Namespace.APPROVAL)) if call else None
    if result.state is not CallState.SUCCEEDED or card is None:
        return
    told = card.resolved.payload["told"]
    known = await invitation_to(store, str(told["uid"]))
    if known is None or known.cancelled or [*known.edition] != told["edition"]:
        return  # the answer was to another edition: the newer one asks again
    answered = replace(known, answer=PARTSTAT[told["answer"]])
    if told.get("of") is not None:
        await _settle_one(ctx, known, answered, told, rewriter, own)
        return
    async with store.unit():
        await put_invitation(store, answered)
        if not told["held"] and known.answer != answered.answer:
            await put_objects(store, [object_of(answered, str(told["text"]), first=False)])


async def _settle_one(
    ctx: FeedContext, known: Invitation, answered: Invitation, told: Json, rewriter: Rewriter, own: Sequence[str]
) -> None:  # fmt: skip
    """Note the answer to one time of a series: the others, and what was answered to them meanwhile, stay as they are.

    If it was the one that the organizer has asked about last, that is answered.
    """
    there = CalendarObject.one(await ctx.store.get(known.id, namespace=OBJECTS))
    text = ""
    if there is not None and not there.gone:
        address, name = told["who"]
        text = await asyncio.to_thread(
            rewriter.answered, pieces_of(there.text), own, address, name, answered.answer, told["of"], str(ctx.zone)
        )
    asked_last = not known.repeats and [known.start, known.end] == told["after"][1:]
    async with ctx.store.unit():
        if asked_last:
            await put_invitation(ctx.store, answered)
        if text:
            await put_objects(ctx.store, [object_of(answered if asked_last else known, text, first=False)])
