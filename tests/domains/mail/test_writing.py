"""Who writes a mail, to whom, and what stands around the user's words: on the card, and on the wire."""

from __future__ import annotations

import email
import email.policy
import hashlib
from dataclasses import replace
from datetime import UTC
from email.message import EmailMessage
from typing import Any

import pytest

from pepper_tui.clock.words import TimeReader
from pepper_tui.config.identities import Identity
from pepper_tui.connectors.smtp import SmtpOutbox
from pepper_tui.domains.mail.content.mime import parse_mail
from pepper_tui.domains.mail.content.reply_text import latest_reply
from pepper_tui.domains.mail.message import MAX_REFERENCES, build_message
from pepper_tui.domains.mail.writing.accounts import MailAccount, MailAccounts
from pepper_tui.domains.mail.writing.quoting import MAX_QUOTED, attribution, quotation
from pepper_tui.domains.mail.writing.recipients import ELSEWHERE, FOLLOW_UP
from pepper_tui.model import CallState, CardLine, ContextFilter, Json, Namespace
from pepper_tui.tools import ApprovalError
from tests.domains.documents.made import pdf
from tests.tools.bench import Bench, mail, outbox
from tests.tools.sink import Sink

S = CallState
ME, WORK, OLD = "me@example.com", "alex@work.example", "alex@old.example"
LONG_ID = f"<{'B' * 80}@x.prod.outlook.example>"


def text_of(written: Any) -> str:
    return str(written.get_body().get_content()).replace("\r\n", "\n")


def people(*addresses: str) -> list[Json]:
    return [{"name": "", "address": each} for each in addresses]


def two_accounts(sink: Sink, **work: Any) -> MailAccounts:
    """The user's own server for ``ME``; the account ``work``, with an alias; ``old`` can't send."""
    own, other = outbox(sink.port), replace(outbox(sink.port), address=WORK)
    identities = [Identity(address=WORK, name="Alex Doe", **work), Identity(address="sales@work.example")]
    return MailAccounts(
        [
            MailAccount("", [Identity(address=ME)], own),
            MailAccount("work", identities, other),
            MailAccount("old", [Identity(address=OLD)]),
        ],
        own=["alex@nowhere.example"],
    )


def given(bench: Bench, message_id: str = "<1@x>", sender: str = "Bob <bob@x.org>", **more: Any) -> None:
    bench.parts.mail.mailbox.mails.append(mail(message_id, sender, "Lunch", "At noon?", **more))  # type: ignore[union-attr]


async def lines_of(bench: Bench, call_id: str) -> dict[str, CardLine]:
    return {line.label: line for line in (await bench.card(call_id)).resolved.lines}


async def refusal(bench: Bench, name: str, **arguments: Any) -> str:
    call_id = await bench.schedule(name, **arguments)
    await bench.state(call_id, S.FAILED)
    assert not [card for card in await bench.cards() if card.call == call_id]
    return (await bench.result(call_id)).content


async def sent(bench: Bench, sink: Sink, call_id: str) -> Any:
    await bench.yes(call_id)
    await bench.state(call_id, S.SUCCEEDED)
    return email.message_from_bytes(sink.taken[-1].message, policy=email.policy.default)


# ------------------------------------------------------------------------------------------------------- identities


@pytest.mark.parametrize(
    ("more", "by"),
    [
        ({"to": people(WORK)}, WORK),
        ({"to": people("bob@x.org"), "cc": people(WORK)}, WORK),
        ({"to": people("Alex+shop@work.example")}, WORK),
        ({"to": people("sales@work.example")}, "sales@work.example"),
        ({"to": people("list@x.org"), "delivered_to": [WORK]}, WORK),
        ({"to": people("list@x.org"), "account": "work"}, WORK),
        ({"to": people(ME, WORK)}, ME),
        ({"to": people("list@x.org")}, ME),
    ],
)
async def test_the_identity_that_was_written_to_answers(bench: Bench, sink: Sink, more: Json, by: str) -> None:
    bench.parts.mail.accounts = two_accounts(sink)
    given(bench, **more)
    call_id = await bench.schedule("draft_reply", message_id="<1@x>", body="yes", reason="r")
    card = await bench.card(call_id)
    line = next(line for line in card.resolved.lines if line.label == "From")
    assert by in line.value
    assert not line.untrusted
    assert card.resolved.account.startswith(ME if by == ME else WORK)
    written = await sent(bench, sink, call_id)
    assert written["From"].addresses[0].addr_spec == sink.taken[-1].sender == by


async def test_an_address_that_no_account_holds_is_told_on_the_card(bench: Bench, sink: Sink) -> None:
    bench.parts.mail.accounts = two_accounts(sink)
    given(bench, to=people("alex@nowhere.example"))
    line = (await lines_of(bench, await bench.schedule("reply_mail", message_id="<1@x>", body="yes")))["From"]
    assert (line.value, line.untrusted) == (ME, True)
    assert "alex@nowhere.example, which no account of yours sends from" in line.warning


async def test_an_account_that_can_not_send_is_not_replaced(bench: Bench, sink: Sink) -> None:
    bench.parts.mail.accounts = two_accounts(sink)
    given(bench, to=people(OLD))
    given(bench, "<2@x>", to=people("list@x.org"), account="old")
    for message_id in ("<1@x>", "<2@x>"):
        words = await refusal(bench, "reply_mail", message_id=message_id, body="yes")
        assert "account old, which can't send; give account old a server" in words
        assert WORK in words
    line = (await lines_of(bench, await bench.schedule("reply_mail", message_id="<1@x>", body="b", sender=WORK)))[
        "From"
    ]
    assert WORK in line.value
    assert line.warning == "not the address that the mail came to"


@pytest.mark.parametrize("sender", ["boss@example.com", "mallory@evil.example", f"{WORK}\r\nBcc: eve@x.org", "x", OLD])
@pytest.mark.parametrize("name", ["send_mail", "reply_mail", "forward_mail"])
async def test_nobody_else_is_written_as(bench: Bench, sink: Sink, sender: str, name: str) -> None:
    bench.parts.mail.accounts = two_accounts(sink)
    given(bench)
    said = {"to": "bob@x.org"} if name != "reply_mail" else {}
    said |= {"subject": "s"} if name == "send_mail" else {"message_id": "<1@x>"}
    assert "you can write from" in await refusal(bench, name, body="b", sender=sender, **said)


async def test_the_user_changes_the_identity_on_the_card(bench: Bench, sink: Sink) -> None:
    bench.parts.mail.accounts = two_accounts(sink, signature="Alex Doe\nWork")
    call_id = await bench.schedule("send_mail", to="bob@x.org", subject="s", body="b")
    card = await bench.card(call_id)
    assert (await lines_of(bench, call_id))["From"].editable
    with pytest.raises(Exception, match="no address that you write from"):
        await bench.approvals.edit(card.id, {"From": "boss@example.com"})
    await bench.approvals.edit(card.id, {"From": f"Somebody <{WORK}>"})
    lines = await lines_of(bench, call_id)
    assert (lines["From"].value, lines["Signature"].value) == (f"Alex Doe <{WORK}>", "Alex Doe\nWork")
    assert (await bench.card(call_id)).resolved.account.startswith(WORK)
    written = await sent(bench, sink, call_id)
    assert str(written["From"]) == f"Alex Doe <{WORK}>"
    assert text_of(written) == "b\n\n-- \nAlex Doe\nWork\n"


async def test_an_identity_that_is_gone_sends_nothing(bench: Bench, sink: Sink) -> None:
    bench.parts.mail.accounts = two_accounts(sink)
    call_id = await bench.schedule("send_mail", to="bob@x.org", subject="s", body="b", sender=WORK)
    await bench.approvals.approve((await bench.card(call_id)).id)
    own = MailAccount("", [Identity(address=ME)], outbox(sink.port))
    bench.parts.mail.accounts = MailAccounts([own, MailAccount("work", [Identity(address=ME)], outbox(sink.port))])
    await bench.settle()
    await bench.clock.advance(10)
    await bench.state(call_id, S.FAILED)
    assert sink.taken == []


# ------------------------------------------------------------------------------------------------------- recipients


@pytest.mark.parametrize(
    ("whom", "more", "to", "cc"),
    [
        ("sender", {}, "bob@x.org", ""),
        ("all", {"to": people(ME, "carol@x.org"), "cc": people("dan@x.org")}, "bob@x.org, carol@x.org", "dan@x.org"),
        ("all", {"cc": people("Bob@X.org", "me+tag@example.com", "dan@x.org", "DAN@x.org")}, "bob@x.org", "dan@x.org"),
        ("all", {"to": people(ME)}, "bob@x.org", ""),
        ("all", {"to": people("carol@x.org"), "cc": people("carol@x.org")}, "bob@x.org, carol@x.org", ""),
        ("all", {"followup_to": people("list@x.org", ME), "cc": people("dan@x.org")}, "list@x.org", ""),
        ("all", {"reply_to": people("list@x.org"), "to": people("list@x.org", ME)}, "list@x.org", ""),
        ("list", {"list_headers": {"list-post": "<mailto:list@x.org>"}}, "list@x.org", ""),
        ("list", {"list_headers": {"list-post": "<https://x.org/>, <mailto:a%2Bb@x.org?subject=x>"}}, "a+b@x.org", ""),
        ("sender", {"reply_to": [{"name": "No address", "address": ""}]}, "bob@x.org", ""),
        ("sender", {"sender": ME, "to": people("carol@x.org", ME)}, "carol@x.org", ""),
        ("sender", {"sender": ME, "to": people(ME)}, ME, ""),
        ("sender", {"sender": ME, "reply_to": people("form@x.org")}, "form@x.org", ""),
        ("all", {"sender": ME, "to": people("c@x.org"), "cc": people("d@x.org")},
         "c@x.org", "d@x.org"),
    ],
)  # fmt: skip
async def test_to_whom_an_answer_goes(bench: Bench, whom: str, more: Json, to: str, cc: str) -> None:
    given(bench, **more)
    lines = await lines_of(
        bench, await bench.schedule("draft_reply", message_id="<1@x>", body="b", reason="r", to=whom)
    )
    assert (lines["To"].value, lines["Cc"].value) == (to, cc)


@pytest.mark.parametrize(
    ("whom", "more", "words"),
    [
        ("all", {"to": people(*(f"p{number}@x.org" for number in range(49))), "cc": people("q@x.org")}, "go to 51"),
        ("all", {"defects": ["only the first 20 of Cc were read"]}, "would miss some"),
        ("list", {}, "names no list"),
        ("list", {"list_headers": {"list-post": "NO (only announcements)"}}, "takes no mail"),
        ("list", {"list_headers": {"list-post": "<mailto:a@x.org%0ABcc:eve@x.org>"}}, "names no list"),
        ("sender", {"sender": "Bob <>"}, "names nobody"),
        ("everybody", {}, "'to'"),
    ],
)  # fmt: skip
async def test_an_answer_that_can_not_go_there_says_why(bench: Bench, whom: str, more: Json, words: str) -> None:
    given(bench, **more)
    assert words in await refusal(bench, "reply_mail", message_id="<1@x>", body="b", to=whom)


async def test_an_answer_to_fifty_goes(bench: Bench) -> None:
    given(bench, to=people(*(f"p{number}@x.org" for number in range(49))))
    assert (await lines_of(bench, await bench.schedule("reply_mail", message_id="<1@x>", body="b", to="all")))["To"]


@pytest.mark.parametrize(
    ("whom", "more", "warning"),
    [
        ("sender", {"reply_to": people("carol@y.org")}, ELSEWHERE),
        ("sender", {"reply_to": people("bob@x.org", "carol@y.org")}, ELSEWHERE),
        ("all", {"reply_to": people("carol@y.org")}, ELSEWHERE),
        ("all", {"followup_to": people("carol@y.org", "bob@x.org")}, FOLLOW_UP),
        ("all", {"cc": people('"carol doe"@y.org')}, 'left out, as they can\'t be written to: "carol doe"@y.org'),
        ("sender", {"doubts": ["it has more than one From"]}, "it has more than one From"),
    ],
)
async def test_a_mail_that_leads_an_answer_elsewhere_is_told_even_of_people_that_are_known(
    bench: Bench, sink: Sink, whom: str, more: Json, warning: str
) -> None:
    first = await bench.schedule("send_mail", to="bob@x.org, carol@y.org", subject="s", body="b")
    await sent(bench, sink, first)
    given(bench, **more)
    call_id = await bench.schedule("reply_mail", message_id="<1@x>", body="b", to=whom)
    line = (await lines_of(bench, call_id))["To"]
    assert (line.untrusted, line.quiet, line.warning) == (True, False, warning)
    await bench.approvals.edit((await bench.card(call_id)).id, {"Body": "other words"})
    assert (await lines_of(bench, call_id))["To"].warning == warning


async def test_each_recipient_that_the_user_does_not_know_is_named(bench: Bench, sink: Sink) -> None:
    await sent(bench, sink, await bench.schedule("send_mail", to="bob@x.org", subject="s", body="b"))
    given(bench, to=people("eve@y.org", ME), cc=people("b0b@x.org"))
    call_id = await bench.schedule("reply_mail", message_id="<1@x>", body="b", to="all")
    named = [line for line in (await bench.card(call_id)).resolved.lines if line.label in ("Not from you", "Cc")]
    assert {line.value: line.warning for line in named if line.untrusted} == {
        "eve@y.org": "",
        "b0b@x.org": "looks like bob@x.org",
    }


# --------------------------------------------------------------------------------------------------- what stands around


@pytest.mark.parametrize(
    ("quote", "text"),
    [
        ("below", "Yes.\n\n-- \nAlex\n\nOn Jan 15, 2027 at 08:00, Bob <bob@x.org> wrote:\n> At noon?\n"),
        ("above", "On Jan 15, 2027 at 08:00, Bob <bob@x.org> wrote:\n> At noon?\n\nYes.\n\n-- \nAlex\n"),
        ("none", "Yes.\n\n-- \nAlex\n"),
    ],
)
async def test_the_answered_mail_is_quoted(bench: Bench, sink: Sink, quote: Any, text: str) -> None:
    signed = Identity(address=ME, signature="Alex")
    bench.parts.mail.accounts = MailAccounts([MailAccount("", [signed], outbox(sink.port))])
    bench.parts.mail.quote = quote
    given(bench)
    call_id = await bench.schedule("reply_mail", message_id="<1@x>", body="Yes.")
    lines = await lines_of(bench, call_id)
    assert lines["Body"].value == "Yes.\n"
    quoted = "On Jan 15, 2027 at 08:00, Bob <bob@x.org> wrote:\n> At noon?"
    assert [line.value for label, line in lines.items() if label == "Quoted"] == ([] if quote == "none" else [quoted])
    await bench.approvals.edit((await bench.card(call_id)).id, {"Body": "No."})
    written = await sent(bench, sink, call_id)
    assert text_of(written) == text.replace("Yes.", "No.")
    if quote == "below":
        assert latest_reply(text_of(written)) == "No."


@pytest.mark.parametrize("locale", ["en", "en-GB", "de", "de_DE", "fr", "es", "it", "nl", "pl"])
def test_the_line_above_a_quotation_is_understood_by_ourselves(locale: str) -> None:
    said = quotation(mail("<1@x>", "Dana <dana@x.org>", "s", "old words"), UTC, locale)
    assert "2027" in said
    assert latest_reply(f"New words.\n\n{said}") == "New words."


def test_a_hostile_mail_is_quoted_as_text() -> None:
    hostile = mail("<1@x>", "Bob <bob@x.org>", "s", "a\r\n.\r\nb\x1b[31m\u202e" + "\nlong" * MAX_QUOTED)
    hostile["sender"]["name"] = "Bob\r\nBcc: eve@x.org"
    said = quotation(hostile, UTC, "en")
    assert len(attribution(hostile, UTC, "en").splitlines()) == 1
    assert len(said) < 2 * MAX_QUOTED
    assert said.endswith("> […]")
    assert "\x1b" not in said
    assert "\u202e" not in said


# ------------------------------------------------------------------------------------------------------------- threads


@pytest.mark.parametrize("ids", [[LONG_ID], ["<a@x>", LONG_ID, "<b@x>"], [f"<{'c' * 70}{n}@x>" for n in range(20)]])
def test_no_id_is_folded_or_encoded(ids: list[str]) -> None:
    built = build_message(
        SmtpOutbox(ME, None), to=["b@x"], cc=[], subject="s", body="b", message_id=LONG_ID, at=0.0,  # type: ignore[arg-type]
        in_reply_to=ids[0], references=ids,
    )  # fmt: skip
    assert all(each in built for each in ids)
    assert f"In-Reply-To: {ids[0]}\r\n" in built
    assert "=?" not in built
    assert max(map(len, built.split("\r\n"))) <= 998
    read = parse_mail(built.encode())
    assert (read.references, read.in_reply_to, read.message_id) == (ids, ids[0], LONG_ID)


def test_ids_that_another_program_has_encoded_are_understood() -> None:
    encoded = "=?utf-8?q?=3CBN8PR04MB=40x=2Eprod=2Eoutlook=2Ecom=3E?="
    read = parse_mail(f"From: a@x\r\nReferences: {encoded}\r\nIn-Reply-To: {encoded}\r\n\r\nhi".encode())
    assert read.references == [read.in_reply_to] == ["<BN8PR04MB@x.prod.outlook.com>"]


async def test_the_root_of_a_long_thread_stays(bench: Bench, sink: Sink) -> None:
    ids = [f"<{number}@t>" for number in range(40)]
    given(bench, references=ids)
    written = await sent(bench, sink, await bench.schedule("reply_mail", message_id="<1@x>", body="b"))
    kept = str(written["References"]).split()
    assert len(kept) == MAX_REFERENCES
    assert kept == [ids[0], *ids[-18:], "<1@x>"]


# ------------------------------------------------------------------------------------------------------------ sent on


def original(*, plain: bool = True) -> bytes:
    message = EmailMessage(policy=email.policy.SMTP)
    message["From"], message["To"], message["Subject"], message["Message-ID"] = "bob@x.org", ME, "Plan", "<1@x>"
    message.set_content("See the plan.", cte="7bit")
    message.add_attachment(b"\x00pdf\xff", maintype="application", subtype="pdf", filename="plan.pdf")
    message.add_attachment("a,b\n", subtype="csv", filename="t.csv")
    return message.as_bytes() if plain else message.as_bytes().replace(b"See", b"S\xe9e")


def with_original(bench: Bench, source: bytes) -> list[bytes]:
    """Give the mailbox a mail whose bytes are what the list holds."""
    lies = [source]

    async def place(_: Json) -> bytes | None:
        return next(iter(lies), None)

    bench.parts.mail.originals = [place]
    read = parse_mail(source).data()
    bench.parts.mail.mailbox.mails.append({**read, "id": "m1", "account": ""})  # type: ignore[union-attr]
    return lies


async def test_a_mail_is_sent_on_with_its_attachments(bench: Bench, sink: Sink) -> None:
    with_original(bench, original())
    call_id = await bench.schedule("forward_mail", message_id="<1@x>", to="carol@y.org", body="FYI")
    card = await bench.card(call_id)
    lines = await lines_of(bench, call_id)
    assert lines["Subject"].value == "Fwd: Plan"
    assert lines["Quoted"].value.splitlines() == [
        "---------- Forwarded message ----------", "From: bob@x.org", "Subject: Plan", f"To: {ME}", "", "See the plan.",
    ]  # fmt: skip
    assert [line.value.split(",")[0] for line in card.resolved.lines if line.label == "Attached"] == [
        "plan.pdf",
        "t.csv",
    ]
    assert not card.resolved.payload["message"]
    await bench.approvals.edit(card.id, {"Body": "For you."})
    written = await sent(bench, sink, call_id)
    assert [part.get_filename() for part in written.iter_attachments()] == ["plan.pdf", "t.csv"]
    assert [part.get_payload(decode=True) for part in written.iter_attachments()] == [b"\x00pdf\xff", b"a,b\r\n"]
    assert text_of(written).startswith("For you.\n\n---------- Forwarded")
    assert written["References"] is None


async def test_an_attachment_is_read_as_text_from_where_the_mail_lies(bench: Bench) -> None:
    message = EmailMessage()
    message["From"], message["Subject"], message["Message-ID"] = "bob@x.org", "Plan", "<1@x>"
    message.set_content("See the plan.")
    message.add_attachment(pdf("one", "two"), maintype="application", subtype="pdf", filename="a.pdf")
    message.add_attachment("<p>Rent<p hidden>obey", subtype="html", filename="page")
    message.add_attachment(email.message_from_bytes(b"Subject: Old\nFrom: c@x.org\n\nInner\n"))
    lies = with_original(bench, message.as_bytes())

    async def said(number: int, **more: int) -> str:
        call = await bench.schedule("read_attachment", message_id="<1@x>", number=number, **more)
        await bench.state(call, CallState.SUCCEEDED, CallState.FAILED)
        result = await bench.result(call)
        assert result.tainted
        return result.content

    assert await said(1) == "attachment 1 of 3: a.pdf\n\nPage 1\none\n\nPage 2\ntwo"
    assert await said(1, first=2) == "attachment 1 of 3: a.pdf\n\nPage 2\ntwo"
    assert (await said(2)).strip() == "attachment 2 of 3: page\n\nRent"
    assert "Subject: Old\n\nInner" in await said(3)
    assert "has 3 attachments" in await said(4)
    lies.clear()
    assert "bytes can't be had" in await said(1)


@pytest.mark.parametrize("plain", [True, False])
async def test_a_mail_is_sent_on_whole_and_unchanged(bench: Bench, sink: Sink, plain: bool) -> None:
    source = original(plain=plain)
    with_original(bench, source)
    call_id = await bench.schedule("forward_mail", message_id="<1@x>", to="carol@y.org", as_attachment=True)
    [line] = [line for line in (await bench.card(call_id)).resolved.lines if line.label == "Attached"]
    assert line.value.startswith(f"Plan.eml, {len(source)} bytes, sha256 {hashlib.sha256(source).hexdigest()[:16]}")
    await sent(bench, sink, call_id)
    [part] = email.message_from_bytes(sink.taken[0].message, policy=email.policy.default).iter_attachments()
    assert part.get_filename() == "Plan.eml"
    if plain:  # a part of that type may not be encoded (RFC 2046, 5.2.1)
        assert part.get_content_type() == "message/rfc822"
        assert part["Content-Transfer-Encoding"] is None
        assert source.rstrip() in sink.taken[0].message
    else:
        assert part.get_content_type() == "application/octet-stream"
        assert part.get_payload(decode=True) == source


@pytest.mark.parametrize("what", ["gone", "changed"])
async def test_what_can_not_be_had_any_more_is_not_sent_on(bench: Bench, sink: Sink, what: str) -> None:
    lies = with_original(bench, original())
    call_id = await bench.schedule("forward_mail", message_id="<1@x>", to="carol@y.org")
    await bench.card(call_id)
    lies[:] = [] if what == "gone" else [original().replace(b"a,b", b"c,d")]
    await bench.yes(call_id)
    back = await bench.returned(call_id)
    assert sink.taken == []
    assert "its mailbox any more" in back.problem if what == "gone" else "no longer the mail" in back.problem
    words = await refusal(bench, "forward_mail", message_id="<1@x>", to="dan@y.org")
    assert "mailbox" in words
    text_alone = await bench.schedule("forward_mail", message_id="<1@x>", to="eve@y.org", attachments=False)
    await sent(bench, sink, text_alone)
    assert len(sink.taken) == 1


# ------------------------------------------------------------------------------------------------------ leaving a list

PAGE = "https://news.example/leave?u=1"


def leaving(bench: Bench, said: str, post: str = "", **more: Any) -> list[tuple[str, str]]:
    """Give the mailbox a mail of a list that is left as ``said``; the list returned is what is posted."""
    posted: list[tuple[str, str]] = []

    async def take(address: str, form: str) -> str:
        posted.append((address, form))
        return "200"

    bench.parts.mail.post = take
    headers = {"list-unsubscribe": said, "list-id": "News <news.example>", "list-unsubscribe-post": post}
    given(bench, list_headers=headers, **more)
    return posted


@pytest.mark.parametrize("said", [f"<{PAGE}>", f"<mailto:leave@news.example>, <{PAGE}>", f"<http://x.org>, <{PAGE}>"])
async def test_a_list_is_left_by_one_click_after_the_yes(bench: Bench, said: str) -> None:
    posted = leaving(bench, said, "List-Unsubscribe=One-Click")
    call_id = await bench.schedule("unsubscribe", message_id="<1@x>")
    lines = await lines_of(bench, call_id)
    assert (lines["Address"].value, lines["Address"].untrusted) == (PAGE, True)
    assert lines["Goes to"].value == "news.example"
    assert posted == []
    await bench.yes(call_id)
    await bench.state(call_id, S.SUCCEEDED)
    assert posted == [(PAGE, "List-Unsubscribe=One-Click")]


async def test_a_list_is_left_by_mail(bench: Bench, sink: Sink) -> None:
    signed = Identity(address=ME, signature="Alex")
    bench.parts.mail.accounts = MailAccounts([MailAccount("", [signed], outbox(sink.port))])
    mailto = "mailto:leave@news.example?subject=off%20u1&cc=eve@x.org&bcc=eve@x.org&body=stop"
    leaving(bench, f"<{mailto}>, <{PAGE}>")
    call_id = await bench.schedule("unsubscribe", message_id="<1@x>")
    lines = await lines_of(bench, call_id)
    assert (lines["To"].value, lines["To"].untrusted, lines["Cc"].value) == ("leave@news.example", True, "")
    await bench.approvals.edit((await bench.card(call_id)).id, {"Body": "please stop"})
    written = await sent(bench, sink, call_id)
    assert (written["Subject"], text_of(written)) == ("off u1", "please stop\n")
    assert sink.taken[0].recipients == ["leave@news.example"]
    assert not await bench.store.count(ContextFilter(namespaces=[Namespace.PEOPLE]))


@pytest.mark.parametrize(
    ("said", "post", "words"),
    [
        ("", "", "does not say how"),
        (f"<{PAGE}>", "", f"open yourself: {PAGE}"),
        ("<http://news.example/x>", "List-Unsubscribe=One-Click", "open yourself: http://news.example/x"),
        ("<https://me:pw@news.example/>", "List-Unsubscribe=One-Click", "open yourself"),
        ("<javascript:alert(1)>", "List-Unsubscribe=One-Click", "does not say how"),
        ("<mailto:a@x.org,b@x.org>", "", "does not say how"),
        ("<mailto:a@x.org%0D%0ABcc:eve@x.org>", "", "line break"),
        ("<mailto:a@x.org?subject=x%0D%0ABcc:eve@x.org>", "", "line break"),
    ],
)
async def test_what_no_list_may_ask_for(bench: Bench, sink: Sink, said: str, post: str, words: str) -> None:
    posted = leaving(bench, said, post)
    assert words in await refusal(bench, "unsubscribe", message_id="<1@x>")
    assert posted == sink.taken == []


# ------------------------------------------------------------------------------------------------------- sent later


async def test_a_mail_is_sent_at_its_time_and_dated_then(bench: Bench, sink: Sink) -> None:
    bench.time.reader = TimeReader(bench.clock, UTC, "en")
    call_id = await bench.schedule("send_mail", to="bob@x.org", subject="s", body="b", send_at="tomorrow 9am")
    lines = await lines_of(bench, call_id)
    assert lines["Send at"].value == "2027-01-16 09:00"
    card = await bench.card(call_id)
    with pytest.raises(ApprovalError, match="not within the next 60 days"):
        await bench.approvals.edit(card.id, {"Send at": "2028-01-01 09:00"})
    await bench.approvals.edit(card.id, {"Send at": "2027-01-15 10:30"})
    await bench.approvals.approve((await bench.card(call_id)).id)
    await bench.settle()
    await bench.clock.advance(9_000 - 1)
    await bench.settle()
    assert sink.taken == []
    await bench.clock.advance(2)
    await bench.state(call_id, S.SUCCEEDED)
    [taken] = sink.taken
    assert b"Date: Fri, 15 Jan 2027 10:30:00 +0000" in taken.message


async def test_a_time_can_be_taken_off_the_card(bench: Bench, sink: Sink) -> None:
    bench.time.reader = TimeReader(bench.clock, UTC, "en")
    call_id = await bench.schedule("send_mail", to="bob@x.org", subject="s", body="b", send_at="tomorrow 9am")
    await bench.approvals.edit((await bench.card(call_id)).id, {"Send at": ""})
    await sent(bench, sink, call_id)
    assert await refusal(bench, "send_mail", to="b@x.org", subject="s", body="b", send_at="whenever")
