"""A send that is known not to have happened comes back as a card: nothing that was approved is lost."""

from __future__ import annotations

import email
import email.policy
from dataclasses import replace

import pytest

from pepper_tui.config import Smtp
from pepper_tui.connectors.smtp import SmtpOutbox
from pepper_tui.domains.mail.writing.accounts import MailAccounts
from pepper_tui.model import Approval, ApprovalState, CallState, Effect, ToolCall
from pepper_tui.tools import ApprovalError, NotDoneError, OutdatedError
from tests.tools.bench import Bench, Died
from tests.tools.sink import Sink
from tests.waiting import until

S, A = CallState, ApprovalState


@pytest.mark.parametrize(
    ("mode", "problem"),
    [
        ("busy", "can't accept mail now; try again in some minutes (421 4.3.2 too many connections)"),
        ("bad_sender", "refused (553 5.7.1 you are not me@example.com)"),
        ("grey_rcpt", "does not take mail for bob@x.org yet; try again in some minutes (450 4.2.0 greylisted)"),
        ("refuse_rcpt", "refused the recipient bob@x.org (550 no such person)"),
        ("drop_rcpt", "ended the connection before it had the mail; try again"),
        (
            "grey_data",
            "can't accept mail now; try again in some minutes (451 4.7.1 greylisted, try again in 5 minutes)",
        ),
        ("drop_before", "ended the connection before it had the mail; try again"),
        ("later", "can't accept mail now; try again in some minutes (452 4.3.1 the disk is full)"),
        ("refuse", "refused (554 not wanted)"),
    ],
)
async def test_a_failed_send_is_back_as_it_was_with_the_reason(
    bench: Bench, sink: Sink, mode: str, problem: str
) -> None:
    sink.mode = mode
    asked = ToolCall(
        "c1", "draft_reply", {"message_id": "<m@x>", "body": "a", "reason": "your rule"}, Effect.SEND,
        bench.clock.now(), "step:7", "user", matter="mail:m",
    )  # fmt: skip
    bench.parts.mail.mailbox.mails.append(  # type: ignore[union-attr]
        {"message_id": "<m@x>", "sender": {"name": "Bob", "address": "bob@x.org"}, "subject": "Lunch", "references": []}
    )
    await bench.put(asked)
    first = await bench.card("c1")
    edited = await bench.approvals.edit(first.id, {"Body": "written by hand"})
    await bench.yes("c1")
    back = await bench.returned("c1")
    assert back.problem == f"the mail server 127.0.0.1 {problem}"
    [old] = [card for card in await bench.cards() if card.id == edited]
    assert (back.retry_of, back.state, back.effect, back.digest) == (old.id, A.PENDING, old.effect, old.digest)
    assert (back.reason, back.matter) == ("your rule", "mail:m")
    call = await bench.call(back.call)
    assert (call.origin, call.root, call.state) == ("step:7", "user", S.WAITING_APPROVAL)
    assert call.summary == "Send mail to bob@x.org: Re: Lunch"
    result = await bench.result("c1")
    assert (result.state, result.problem, result.summary) == (S.FAILED, back.problem, call.summary)
    assert "Do not propose it again" in result.content
    with pytest.raises(ApprovalError, match=r"nothing to take back: it was not done \(the mail server"):
        await bench.approvals.take_back(old.id, "approved")
    assert sink.taken == []
    sink.mode = "ok"
    await bench.yes(back.call)
    await bench.state(back.call, S.SUCCEEDED)
    [taken] = sink.taken
    parsed = email.message_from_bytes(taken.message, policy=email.policy.default)
    assert parsed.get_content().strip() == "written by hand"


@pytest.mark.parametrize("code", [150, 220, 250, 334, 350, 355, 421, 450, 451, 452, 500, 503, 550, 552, 554])
async def test_a_server_that_does_not_ask_for_the_message_gets_none(bench: Bench, sink: Sink, code: int) -> None:
    sink.data_reply = f"{code} what was that"
    call_id = await bench.schedule("send_mail", to="bob@x.org", subject="s", body="b")
    await bench.yes(call_id)
    back = await bench.returned(call_id)
    assert str(code) in back.problem
    assert back.state is A.PENDING
    assert sink.taken == []
    sink.data_reply = ""
    await bench.yes(back.call)
    await bench.state(back.call, S.SUCCEEDED)
    assert len(sink.taken) == 1


@pytest.mark.parametrize(
    ("smtp", "problem"),
    [
        (
            Smtp(host="127.0.0.1", port=1, security="none"),
            "127.0.0.1 takes no connections on port 1; check mail.smtp.host and port",
        ),
        (Smtp(host="no.such.invalid", port=25, security="none"), "can't be found"),
    ],
)
async def test_a_server_that_is_not_there(bench: Bench, smtp: Smtp, problem: str) -> None:
    bench.parts.mail.accounts = MailAccounts.of(SmtpOutbox("me@example.com", smtp))
    call_id = await bench.schedule("send_mail", to="bob@x.org", subject="s", body="b")
    for _ in range(3):  # as often as it is tried
        await bench.yes(call_id)
        back = await bench.returned(call_id)
        assert problem in back.problem
        assert "Errno" not in back.problem
        call_id = back.call


async def test_security_that_the_server_does_not_have(bench: Bench, sink: Sink) -> None:
    for security, words in (("starttls", "offers no STARTTLS on port"), ("tls", "does not speak TLS")):
        server = Smtp.model_validate({"host": "127.0.0.1", "port": sink.port, "security": security, "timeout": 3})
        bench.parts.mail.accounts = MailAccounts.of(SmtpOutbox("me@example.com", server))
        call_id = await bench.schedule("send_mail", to="bob@x.org", subject=security, body="b")
        await bench.yes(call_id)
        assert words in (await bench.returned(call_id)).problem


async def test_what_is_back_may_be_above_the_cap_and_leaves_no_room_for_more(bench: Bench) -> None:
    async def pending(count: int) -> list[Approval]:
        found: list[Approval] = []

        async def there() -> bool:
            found[:] = [card for card in await bench.cards() if card.state is A.PENDING]
            return len(found) == count

        await until(there, what=f"{count} cards")
        return found

    async def approve(cards: list[Approval]) -> None:
        for card in cards:
            await bench.approvals.approve(card.id)

    calls = [await bench.schedule("act", what=f"thing {n}") for n in range(20)]
    bench.world.fail = NotDoneError("the link is down.")
    await approve(await pending(5))
    fresh = await pending(5)  # what is approved leaves room
    await bench.settle()
    await bench.clock.advance(10)
    assert sum(bool(card.retry_of) for card in await pending(10)) == 5
    await approve(fresh)
    await bench.settle()
    await bench.clock.advance(10)
    back = await pending(10)
    assert {card.problem for card in back} == {"the link is down"}
    assert len([call_id for call_id in calls if (await bench.call(call_id)).deferred]) == 10
    bench.world.fail = None
    bench.world.deeds.clear()
    for round_ in range(4):
        await approve(back)
        await bench.settle()
        await bench.clock.advance(10)
        back = await pending(5 if round_ < 2 else 0)
    await until(lambda: len(bench.world.deeds) == 20)
    assert {deed["what"] for deed in bench.world.deeds} == {f"thing {n}" for n in range(20)}


async def test_what_could_never_succeed_does_not_come_back(bench: Bench) -> None:
    bench.world.fail = OutdatedError("the file has changed.")
    call_id = await bench.schedule("act", what="x")
    await bench.yes(call_id)
    await bench.state(call_id, S.FAILED)
    assert (await bench.result(call_id)).content == "Not done: the file has changed. Nothing happened."
    assert [card.state for card in await bench.cards()] == [A.APPROVED]


async def test_a_changed_account_refuses_as_before(bench: Bench) -> None:
    call_id = await bench.schedule("send_mail", to="bob@x.org", subject="s", body="b")
    await bench.approvals.approve((await bench.card(call_id)).id)
    sender = bench.parts.mail.accounts.default().outbox
    assert isinstance(sender, SmtpOutbox)
    bench.parts.mail.accounts = MailAccounts.of(replace(sender, address="other@example.com"))
    await bench.settle()
    await bench.clock.advance(10)
    await bench.state(call_id, S.FAILED)
    assert len(await bench.cards()) == 1


async def test_killed_around_the_return_it_is_one_card_or_an_unknown_outcome(bench: Bench) -> None:
    for point, end, cards in (("attempt_committed", S.UNKNOWN, 1), ("card_returned", S.FAILED, 2)):
        before = len(await bench.cards())
        bench.die_at = point
        bench.world.fail = NotDoneError("no link.")
        call_id = await bench.schedule("act", what=point)
        await bench.yes(call_id)
        await bench.state(call_id, S.ATTEMPTED, S.FAILED)
        await until(lambda call_id=call_id: call_id not in bench.engine.running)
        bench.world.fail = None
        await bench.crash()
        await bench.state(call_id, end)
        assert len(await bench.cards()) == before + cards
        if end is S.FAILED:
            back = await bench.returned(call_id)
            await bench.yes(back.call)
            await bench.state(back.call, S.SUCCEEDED)


async def test_a_returned_card_can_be_edited_rejected_and_cancelled(bench: Bench) -> None:
    async def returned(what: str) -> str:
        bench.world.fail = NotDoneError("no link.")
        call_id = await bench.schedule("act", what=what)
        await bench.yes(call_id)
        back = await bench.returned(call_id)
        bench.world.fail = None
        return back.id

    await bench.approvals.reject(await returned("a"))
    again = await bench.schedule("act", what="a")
    await bench.state(again, S.FAILED)
    assert "already rejected" in (await bench.result(again)).content
    new = await bench.approvals.edit(await returned("b"), {"What": "better"})
    [card] = [card for card in await bench.cards() if card.id == new]
    assert card.retry_of
    await bench.yes(card.call)
    await bench.state(card.call, S.SUCCEEDED)
    assert {"what": "better", "n": 0} in bench.world.deeds
    third = await returned("c")
    [card] = [each for each in await bench.cards() if each.id == third]
    assert "cancelled" in await bench.engine.cancel(card.call)


async def test_died_is_no_failure(bench: Bench) -> None:
    bench.world.fail = Died("in the deed")
    call_id = await bench.schedule("act", what="x")
    await bench.yes(call_id)
    await until(lambda: call_id not in bench.engine.running)
    bench.world.fail = None
    await bench.crash()
    await bench.state(call_id, S.UNKNOWN)
