"""What the user has answered stands in the agenda once the reply is out, however that became known."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from pepper_tui.domains.calendar.objects import put_objects
from pepper_tui.domains.invitations.answering import PARTSTAT
from pepper_tui.domains.invitations.choices import ANSWER_INVITATION
from pepper_tui.domains.invitations.record import invitation_to, object_of, put_invitation
from pepper_tui.feeds.feed import FeedContext
from pepper_tui.model import Approval, CallState, ContextUpdate, Namespace, ToolCall, ToolResult
from pepper_tui.store import Store

SUBSCRIPTION: Final = "feeds.invitations.answers"


def listen_for_answers(ctx: FeedContext) -> None:
    """Register the handler of what became of replies."""

    async def settle(updates: list[ContextUpdate]) -> None:
        for update in updates:
            if not update.deleted:
                async with ctx.processing(update.seq):
                    await _settle(ctx.store, ToolResult.of(update.context))

    # one a unit: a later answer must read what an earlier one has come to
    ctx.subscriber.on_context_batch(
        namespaces=[Namespace.TOOL_RESULT], size=1, longest_wait=0.0, name=SUBSCRIPTION, start="now", wanted=_answers
    )(settle)


def _answers(update: ContextUpdate) -> bool:
    return update.context.data.get("name") == ANSWER_INVITATION


async def _settle(store: Store, result: ToolResult) -> None:
    call = ToolCall.one(await store.get(result.call, namespace=Namespace.TOOL_CALL))
    card = Approval.one(await store.get(call.approval, namespace=Namespace.APPROVAL)) if call else None
    if result.state is not CallState.SUCCEEDED or card is None:
        return
    told = card.resolved.payload["told"]
    known = await invitation_to(store, str(told["uid"]))
    if known is None or known.cancelled or [*known.edition] != told["edition"]:
        return  # the answer was to another edition: the newer one asks again
    answered = replace(known, answer=PARTSTAT[told["answer"]])
    async with store.unit():
        await put_invitation(store, answered)
        if not told["held"] and known.answer != answered.answer:
            await put_objects(store, [object_of(answered, str(told["text"]), first=False)])
