"""A reminder of a mail that nobody answered: the card that comes of it, by what is known of the mail."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pepper_tui.clock import ManualClock
from pepper_tui.config import MailFacts
from pepper_tui.domains.mail.facts.awaited import Awaited
from pepper_tui.model import (
    Approval,
    ApprovalState,
    CallState,
    Effect,
    EngineError,
    FollowUp,
    FollowUpState,
    Namespace,
    Notification,
    ResolvedEffect,
    ToolCall,
)
from tests.domains.mail.mails import mail, make_maildir
from tests.engine.box import Box
from tests.engine.desk import Desk

OURS, GIVEN = "<pepper1@example.com>", "<given@mail.gmail.com>"


@pytest.fixture
async def box(tmp_path: Path, clock: ManualClock) -> AsyncIterator[Box]:
    make_maildir(tmp_path / "mail")
    async with Desk(tmp_path, clock) as desk:
        yield Box(desk)


async def unanswered(box: Box, message_id: str, said: str, who: str = "Ann Lee", **more: object) -> str:
    """A card that says that Ann has not answered; its ref."""
    store, now = box.desk.engine.store, box.desk.clock.now()
    waits = FollowUp("follow_1", f"mail:{message_id}", message_id, "The plan", ["ann@example.com"], [message_id], now,
                     now, who=who, said=said, quiet=True, **{"state": FollowUpState.DUE, **more})  # type: ignore[arg-type]  # fmt: skip
    await store.put(waits, namespace=Namespace.FOLLOW_UP)
    notice = Notification("n9", "No answer", "", "", "signals.follow_up:signal_follow_1", now, matter=waits.matter)
    await box.desk.engine.parts.notices.inbox.announce(notice)
    return "notification:n9"


@pytest.mark.parametrize(
    ("said", "who", "body"),
    [
        ("Kannst du mir den Plan schicken?", "Ann Lee",
         "Hallo Ann,\n\ndarf ich hieran erinnern? „Kannst du mir den Plan schicken?“\n\n"
         "Gibt es dazu etwas Neues?\n\nSam\n"),
        ("Could you {me} send it?", "ann@example.com",
         "Hi,\n\nmay I come back to this? “Could you {me} send it?”\n\nIs there any news?\n\nSam\n"),
    ],
)  # fmt: skip
async def test_it_is_in_the_mails_language_and_goes_to_whom_the_mail_went(
    box: Box, said: str, who: str, body: str
) -> None:
    await box.take(1, source=mail("Sam <sam@example.com>", "Ann Lee <ann@example.com>", "The plan", said, 1))
    ref = await unanswered(box, "<m1@example.com>", said, who)
    await box.desk.engine.write_mail("nudge", ref, {})
    fields = (await box.desk.card()).resolved.payload["fields"]
    assert (fields["to"], fields["subject"], fields["body"]) == (["ann@example.com"], "Re: The plan", body)
    assert fields["in_reply_to"] == "<m1@example.com>"


@pytest.mark.parametrize("renamed", [False, True])
async def test_what_pepper_sent_needs_no_copy_to_be_reminded_of(box: Box, renamed: bool) -> None:
    """A server may put its own Message-ID in place of Pepper's: the reminder names that one."""
    store, now = box.desk.engine.store, box.desk.clock.now()
    fields = {"to": ["ann@example.com"], "cc": ["bob@example.com"], "subject": "The plan", "body": "Can you send it?",
              "from": "sam@example.com", "in_reply_to": "", "references": []}  # fmt: skip
    effect = ResolvedEffect("send_mail", "", "sam", "Send", [], {"fields": fields, "message_id": OURS})
    call = ToolCall("call_0", "send_mail", {}, Effect.SEND, now, "step:s", state=CallState.SUCCEEDED, approval="apr_0")
    noted = {"id": OURS, "call": call.id, "to": fields["to"], "at": now}
    yes = Approval("apr_0", call.id, effect.data(), effect.digest, now, 1e12, state=ApprovalState.APPROVED)
    await store.put(yes, namespace=Namespace.APPROVAL)
    await store.put(call, namespace=Namespace.TOOL_CALL)
    await store.store(noted, namespace=Namespace.SENT, context_id=OURS)
    if renamed:
        alias = {**noted, "id": GIVEN, "original": OURS}
        await store.store(alias, namespace=Namespace.SENT, context_id=GIVEN, tags={f"original:{OURS}"})
    await box.desk.engine.write_mail("nudge", await unanswered(box, OURS, "Can you send it?"), {})
    made = (await box.desk.card()).resolved.payload["fields"]
    assert (made["to"], made["subject"], made["from"]) == (["ann@example.com"], "Re: The plan", "sam@example.com")
    assert made["in_reply_to"] == (GIVEN if renamed else OURS)


@pytest.mark.parametrize("renamed", [False, True])
async def test_a_mail_is_waited_for_once_whatever_its_server_calls_it(box: Box, renamed: bool) -> None:
    """Pepper's own send begins the wait, or the copy in the folder of sent mail: it is the same one."""
    store, found = box.desk.engine.store, []
    people = [{"name": "Ann", "address": "ann@example.com"}]
    for message_id in (OURS, GIVEN if renamed else OURS):
        raw = {"id": "m", "list_headers": {}, "date": 0.0, "to": people, "cc": [], "reply": "Can you send it?",
               "subject": "The plan", "message_id": message_id, "thread": message_id}  # fmt: skip
        await Awaited(MailFacts(), ["sam@example.com"]).own_mail(store, raw, box.desk.clock.now())
        found.append([each["message_ids"] for each in await box.desk.rows(Namespace.FOLLOW_UP)])
        alias = {"id": GIVEN, "call": "c", "to": [], "at": 0.0, "original": OURS}
        await store.store(alias, namespace=Namespace.SENT, context_id=GIVEN)
    assert found == [[[OURS]], [[OURS]]]


async def test_nobody_is_reminded_who_has_answered_or_whom_nobody_waits_for(box: Box) -> None:
    await box.take(1)
    answered = await unanswered(box, "<m1@example.com>", "When?", state=FollowUpState.ANSWERED)
    for ref, why in ((answered, "an answer has come"), ("notification:n1", "nobody to remind"), ("x", "nobody")):
        with pytest.raises(EngineError, match=why):
            await box.desk.engine.write_mail("nudge", ref, {})
