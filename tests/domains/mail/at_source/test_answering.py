"""A mail is marked as answered where it lies once Pepper's answer was sent; drafts end when it was answered there."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from pepper_tui.clock import ManualClock
from pepper_tui.domains.mail.at_source.answering import Answering
from pepper_tui.domains.mail.at_source.filing import Filed, Filing, FilingAct
from pepper_tui.domains.mail.at_source.state import Copy, Mark, note_copies, noting
from pepper_tui.model import OPEN_TAG, Approval, ApprovalState, CallState, Effect, Namespace, ResolvedEffect, ToolCall
from pepper_tui.store import ContextStore, Subscriber
from pepper_tui.tools.errors import NotDoneError
from tests.domains.mail.at_source.test_elsewhere import Desk
from tests.waiting import until


class Files:
    """An account that files, and notes what it is told."""

    def __init__(self, account: str, *acts: FilingAct, fails: int = 0) -> None:
        self.account, self.acts, self._fails = account, acts, fails
        self.filed: list[tuple[FilingAct, list[str]]] = []

    async def folders(self) -> list[str]:
        return []

    async def file(self, filing: Filing, places: Sequence[str]) -> dict[str, Filed]:
        if self._fails:
            self._fails -= 1
            raise NotDoneError("the server is away")
        self.filed.append((filing.act, list(places)))
        return {place: Filed(place) for place in places}

    async def is_done(self, filing: Filing, places: Sequence[str]) -> bool | None:
        return None


async def mail(store: ContextStore, ident: str, sender: str, *copies: Copy) -> None:
    async with noting(store):
        await store.store(
            {"id": ident, "message_id": "<m1@x.org>", "sender": {"name": "", "address": sender}},
            namespace="raw.mail",
            context_id=ident,
            tags=["message:<m1@x.org>"],
        )
        await note_copies(store, {ident: copies})


def copy(account: str, *marks: Mark) -> Copy:
    return Copy(f"{account}/1", account, "INBOX", "inbox", list(marks))


async def card(
    store: ContextStore, *, call: CallState, approval: ApprovalState, effect: Effect = Effect.SEND, root: str = "user",
    in_reply_to: str = "<m1@x.org>", tag: str = "",
) -> None:  # fmt: skip
    resolved = ResolvedEffect("reply_mail", "", "work", "Reply", [], {"fields": {"in_reply_to": in_reply_to}})
    made = ToolCall("call_1", "reply_mail", {}, effect, 0.0, "step:s", state=call, approval="apr_1", root=root)  # type: ignore[arg-type]
    saved = Approval("apr_1", "call_1", resolved.data(), resolved.digest, 0.0, 1e12, state=approval)
    await store.put(made, namespace=Namespace.TOOL_CALL)
    await store.put(saved, namespace=Namespace.APPROVAL, tags=[tag] if tag else [])


async def result(store: ContextStore, state: CallState) -> None:
    await store.store(
        {"call": "call_1", "name": "reply_mail", "arguments": {}, "state": state, "content": "", "created_at": 0.0,
         "origin": "", "root": "user"}, namespace=Namespace.TOOL_RESULT, context_id="call_1"
    )  # fmt: skip


@pytest.mark.parametrize(
    ("marks", "state", "effect", "in_reply_to", "filed"),
    [
        ([], CallState.SUCCEEDED, Effect.SEND, "<m1@x.org>", [("answered", ["work/1"])]),
        (["answered"], CallState.SUCCEEDED, Effect.SEND, "<m1@x.org>", []),
        ([], CallState.UNKNOWN, Effect.SEND, "<m1@x.org>", []),
        ([], CallState.FAILED, Effect.SEND, "<m1@x.org>", []),
        ([], CallState.SUCCEEDED, Effect.WRITE, "<m1@x.org>", []),
        ([], CallState.SUCCEEDED, Effect.SEND, "", []),
        ([], CallState.SUCCEEDED, Effect.SEND, "<other@x.org>", []),
    ],
)
async def test_the_mail_that_was_answered_is_marked(
    store: ContextStore,
    clock: ManualClock,
    marks: list[Mark],
    state: CallState,
    effect: Effect,
    in_reply_to: str,
    filed: list[tuple[FilingAct, list[str]]],
) -> None:
    """Only where it can be, also if the server is away at first, and no other's mail with the same id."""
    able, unable = Files("work", "read", "answered", fails=1), Files("home", "read")
    subscriber = Subscriber(store)
    Answering(store, [unable, able]).listen(subscriber)
    await subscriber.start()
    try:
        await mail(store, "m1", "ann@x.org", copy("work", *marks), copy("home"))
        await mail(store, "m2", "eve@evil.example", Copy("work/2", "work", "INBOX", "inbox"))
        await card(store, call=state, approval=ApprovalState.APPROVED, effect=effect, in_reply_to=in_reply_to)
        await result(store, state)

        async def handled() -> bool:
            await clock.advance(10)
            return not any((await store.waiting("mail.")).values())

        await until(handled, 30)
        assert (able.filed, unable.filed) == (filed, [])
    finally:
        await subscriber.stop()


@pytest.mark.parametrize(
    ("mark", "root", "late", "state", "ends"),
    [
        ("answered", "signal", False, ApprovalState.PENDING, True),
        ("answered", "user", False, ApprovalState.PENDING, True),
        ("deleted", "signal", False, ApprovalState.PENDING, True),
        ("seen", "signal", False, ApprovalState.PENDING, False),
        ("answered", "signal", False, ApprovalState.APPROVED, False),
        ("answered", "signal", True, ApprovalState.PENDING, True),
        ("answered", "user", True, ApprovalState.PENDING, False),
    ],
)
async def test_a_draft_of_an_answer_ends(
    store: ContextStore, clock: ManualClock, mark: Mark, root: str, late: bool, state: ApprovalState, ends: bool
) -> None:
    """Not one that the user has approved, nor one that the user asked for after the mail was answered."""
    withdrawn: list[str] = []

    class Noting(Desk):
        async def withdraw(self, approval: str, why: str) -> None:
            withdrawn.append(approval)

    async with Noting(store, clock) as desk:
        await mail(store, "m1", "ann@x.org", copy("work"))
        if not late:
            await card(store, call=CallState.WAITING_APPROVAL, approval=state, root=root, tag=OPEN_TAG)
            await desk.settle()
        async with noting(store):
            await note_copies(store, {"m1": [copy("work", mark)]})
        await desk.settle()
        if late:
            await card(store, call=CallState.WAITING_APPROVAL, approval=state, root=root, tag=OPEN_TAG)
            await desk.settle()
    assert withdrawn == (["apr_1"] if ends else [])
