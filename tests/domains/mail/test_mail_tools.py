"""Sending by SMTP to a real sink: exactly what the card shows, once, and what is known of a failure."""

from __future__ import annotations

import asyncio
import email
import email.policy
import hashlib
import os
import ssl
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pepper_tui.config import Config, Smtp
from pepper_tui.connectors.smtp import SmtpOutbox
from pepper_tui.domains.files.folders import Folders
from pepper_tui.domains.mail.message import build_message, one_header, parse_addresses
from pepper_tui.domains.mail.writing.accounts import MailAccounts
from pepper_tui.model import CallState, ContextFilter, Effect, Json, Namespace, ToolCall
from pepper_tui.tools import ApprovalError, ToolError
from tests.tools.bench import Bench, mail, outbox
from tests.tools.sink import Sink
from tests.waiting import until

S = CallState


async def test_send_is_what_the_card_shows(bench: Bench, sink: Sink) -> None:
    body = "Grüße,\n.\n..dots\n" + "long " * 300
    call_id = await bench.schedule(
        "send_mail", to="bob@x.org, Eve <carol@y.org>", subject="Ünïcode", body=body, cc="d@z.org"
    )
    card = await bench.card(call_id)
    lines = {line.label: line.value for line in card.resolved.lines}
    assert lines["To"] == "bob@x.org, carol@y.org"
    assert sink.taken == []
    await bench.yes(call_id)
    await bench.state(call_id, S.SUCCEEDED)
    [taken] = sink.taken
    assert taken.sender == "me@example.com"
    assert taken.recipients == ["bob@x.org", "carol@y.org", "d@z.org"]
    assert taken.message.rstrip() == card.resolved.payload["message"].encode().rstrip()
    parsed = email.message_from_bytes(taken.message, policy=email.policy.default)
    assert parsed["Subject"] == lines["Subject"] == "Ünïcode"
    assert parsed.get_content().replace("\r\n", "\n").rstrip() == lines["Body"].rstrip()
    sent = await bench.store.get(parsed["Message-ID"], namespace=Namespace.SENT)
    assert sent is not None
    assert await bench.store.count(ContextFilter(namespaces=[Namespace.PEOPLE])) == 3
    again = await bench.schedule("send_mail", to="bob@x.org", subject="second", body="b")
    assert not any(line.untrusted for line in (await bench.card(again)).resolved.lines)


async def test_reply_goes_into_the_thread_and_marks_a_strange_recipient(bench: Bench, sink: Sink) -> None:
    box = bench.parts.mail.mailbox
    box.mails.append(
        mail(
            "<1@x>",
            "Bob <bob@x.org>",
            "Lunch",
            "hi",
            reply_to=[{"name": "", "address": "evil@bad.org"}],
            references=["<0@x>"],
        )
    )  # type: ignore[union-attr]
    call_id = await bench.schedule("draft_reply", message_id="<1@x>", body="yes", reason="you wanted it")
    card = await bench.card(call_id)
    assert card.reason == "you wanted it"
    to = next(line for line in card.resolved.lines if line.label == "To")
    assert (to.value, to.untrusted) == ("evil@bad.org", True)
    new = await bench.approvals.edit(card.id, {"To": "bob@x.org", "Body": "yes!"})
    await bench.yes(call_id)
    await bench.state(call_id, S.SUCCEEDED)
    parsed = email.message_from_bytes(sink.taken[0].message, policy=email.policy.default)
    assert sink.taken[0].recipients == ["bob@x.org"]
    assert (parsed["In-Reply-To"], parsed["References"], parsed["Subject"]) == ("<1@x>", "<0@x> <1@x>", "Re: Lunch")
    assert parsed.get_content().strip() == "yes!"
    assert new != card.id


@pytest.mark.parametrize(
    ("mode", "end", "taken"),
    [
        ("refuse_rcpt", S.FAILED, 0),
        ("drop_before", S.FAILED, 0),
        ("refuse", S.FAILED, 0),
        ("drop_after", S.UNKNOWN, 1),
        ("hang", S.UNKNOWN, 1),
    ],
)
async def test_what_is_known_of_a_failure(bench: Bench, sink: Sink, mode: str, end: CallState, taken: int) -> None:
    sink.mode = mode
    call_id = await bench.schedule("send_mail", to="bob@x.org", subject="s", body="b")
    await bench.yes(call_id)
    await bench.state(call_id, end)
    assert len(sink.taken) == taken
    await bench.crash()
    assert (await bench.call(call_id)).state is end
    assert len(sink.taken) == taken
    sink.mode = "ok"
    again = await bench.schedule("send_mail", to="bob@x.org", subject="s", body="b")
    if end is S.FAILED:
        await bench.state(again, S.FAILED)
        assert "already waits" in (await bench.result(again)).content
        back = await bench.returned(call_id)
        await bench.yes(back.call)
        await bench.state(back.call, S.SUCCEEDED)
    else:
        await bench.state(again, S.FAILED)
        assert "can't be checked" in await bench.engine.answer_unknown(call_id, "check")
        message_id = next(card for card in await bench.cards() if card.call == call_id).effect["payload"]["message_id"]
        bench.parts.mail.mailbox.mails.append(mail(message_id, "me@example.com", "s", "b"))  # type: ignore[union-attr]
        assert "did happen" in await bench.engine.answer_unknown(call_id, "check")
    assert len(sink.taken) == 1


@pytest.mark.parametrize(("point", "count"), [("attempt_committed", 0), ("data_sent", 1)])
async def test_killed_around_data(bench: Bench, sink: Sink, point: str, count: int) -> None:
    bench.die_at = point
    call_id = await bench.schedule("send_mail", to="bob@x.org", subject="s", body="b")
    await bench.yes(call_id)
    await bench.state(call_id, S.ATTEMPTED)
    while call_id in bench.engine.running:
        await bench.settle()
    await bench.crash()
    await bench.state(call_id, S.UNKNOWN)
    assert len(sink.taken) == count


async def test_no_server_is_known_not_to_have_sent(bench: Bench) -> None:
    call_id = await bench.schedule("send_mail", to="bob@x.org", subject="s", body="b")
    await bench.card(call_id)
    bench.parts.mail.accounts = MailAccounts.of(
        SmtpOutbox("me@example.com", Smtp(host="127.0.0.1", port=1, security="none"))
    )
    with pytest.raises(Exception, match="account has changed"):
        await bench.yes(call_id)
    other = await bench.schedule("send_mail", to="bob@x.org", subject="s2", body="b")
    await bench.yes(other)
    await bench.state(other, S.FAILED)
    assert "the mail server 127.0.0.1 takes no connections on port" in (await bench.result(other)).content


@pytest.mark.parametrize(
    "arguments",
    [
        {"to": "bob@x.org\r\nBcc: evil@bad.org"},
        {"to": "bob@x.org\nevil@bad.org"},
        {"to": "bob@x.org", "cc": "a@b.c\nBcc: evil@bad.org"},
        {"to": "bob@x.org", "subject": "hi\r\nBcc: evil@bad.org"},
        {"to": "bob@x.org", "subject": "hi\u2028Bcc: evil@bad.org"},
        {"to": "bob@x.org> RCPT TO:<evil@bad.org"},
        {"to": "<evil@bad.org> bob@x.org"},
        {"to": "@bad.org:bob@x.org"},
        {"to": "group: evil@bad.org;"},
        {"to": "bob"},
        {"to": ""},
        {"to": "bob@x.org", "body": " "},
    ],
)
async def test_headers_can_not_be_injected(bench: Bench, arguments: dict) -> None:
    call_id = await bench.schedule("send_mail", **{"subject": "s", "body": "b", **arguments})
    await bench.state(call_id, S.FAILED)
    assert await bench.cards() == []


@settings(max_examples=150, deadline=None)
@given(to=st.text(max_size=60), subject=st.text(max_size=60), body=st.text(max_size=200))
def test_any_text_gives_only_the_headers_that_were_meant(to: str, subject: str, body: str) -> None:
    sender = SmtpOutbox("me@example.com", Smtp(host="h"))
    try:
        recipients = [*parse_addresses(to, "to"), "bob@x.org"]
        built = build_message(
            sender, to=recipients, cc=[], subject=one_header(subject, "s"), body=body, message_id="<1@x>", at=0.0
        )
    except ToolError:
        return
    parsed = email.message_from_string(built, policy=email.policy.default)
    wanted = [
        "From",
        "To",
        "Subject",
        "Date",
        "Message-ID",
        "Content-Type",
        "Content-Transfer-Encoding",
        "MIME-Version",
    ]
    assert sorted(parsed.keys()) == sorted(wanted)
    assert not parsed.defects
    assert [a.addr_spec for a in parsed["To"].addresses] == recipients


async def test_wait_for_mail(bench: Bench) -> None:
    call_id = await bench.schedule("wait_for_mail", sender="bob@x.org", hours=2)
    other = await bench.schedule("wait_for_mail", thread="<7@x>", hours=2)
    await bench.settle()
    await bench.store.store(mail("<8@x>", "eve@x.org", "no", "no"), namespace="raw.mail", context_id="8")
    assert (await bench.call(call_id)).state is S.SCHEDULED
    await bench.crash()
    await bench.store.store(mail("<9@x>", "Bob <bob@x.org>", "here", "it is"), namespace="raw.mail", context_id="9")
    await bench.state(call_id, S.SUCCEEDED)
    assert "it is" in (await bench.result(call_id)).content
    await bench.settle()
    await bench.clock.advance(2 * 3600 + 1)
    await bench.state(other, S.SUCCEEDED)
    assert "No such mail" in (await bench.result(other)).content


@pytest.mark.parametrize("stopped", [True, False])
async def test_what_waits_goes_on_after_an_end_that_an_attempt_holds_up(
    bench: Bench, caplog: pytest.LogCaptureFixture, stopped: bool
) -> None:
    """The store closes, whatever has not come to its end by then."""
    bench.world.gate = asyncio.Event()
    waits = await bench.schedule("wait_for_mail", sender="bob@x.org", hours=2)
    deed = await bench.schedule("act", what="x")
    await bench.yes(deed)
    await bench.state(deed, S.ATTEMPTED)
    ended = bench.engine
    if stopped:
        stopping = asyncio.create_task(ended.stop())
        await bench.settle()
        stopping.cancel()
        await asyncio.wait({stopping})
    await bench.store.close()
    await bench.settle()
    if not stopped:
        await ended.stop()
    assert [record.message for record in caplog.records if "mail" in record.message] == []
    await bench.open()
    await bench.store.store(mail("<9@x>", "Bob <bob@x.org>", "here", "it is"), namespace="raw.mail", context_id="9")
    await bench.state(waits, S.SUCCEEDED)


STRANGERS = [
    ("thread", "Eve <eve@y.org>", {"references": ["<1@x>"]}),
    ("thread", '"bob@x.org" <eve@y.org>', {"references": ["<1@x>"]}),
    ("thread", "Bob <bob@x.org>", {"references": ["<1@x>"], "auto_submitted": "auto-replied"}),
    ("thread", "me@example.com", {"references": ["<1@x>"]}),
    ("sender", "Eve <eve@y.org>", {}),
    ("sender", '"bob@x.org" <eve@y.org>', {}),
    ("sender", "Bob <notbob@x.org>", {}),
    ("sender", "Bob <bob@x.org.evil>", {}),
]


@pytest.mark.parametrize(("by", "sender", "more"), STRANGERS)
async def test_nobody_else_ends_a_wait(bench: Bench, by: str, sender: str, more: Json) -> None:
    bench.parts.mail.mailbox.mails.append(mail("<1@x>", "Bob <bob@x.org>", "Lunch", "see you"))  # type: ignore[union-attr]
    call_id = await bench.schedule("wait_for_mail", **{by: "<1@x>" if by == "thread" else "bob@x.org"}, hours=2)
    await bench.settle()
    await bench.store.store(mail("<8@y>", sender, "no", "no", **more), namespace="raw.mail", context_id="8")
    await bench.settle()
    assert (await bench.call(call_id)).state is S.SCHEDULED
    theirs = mail("<9@x>", "Bob <bob@x.org>", "here", "it is", references=["<1@x>"])
    await bench.store.store(theirs, namespace="raw.mail", context_id="9")
    await bench.state(call_id, S.SUCCEEDED)
    assert "it is" in (await bench.result(call_id)).content


async def test_the_id_of_its_signal_names_a_mail(bench: Bench) -> None:
    bench.parts.mail.mailbox.mails.append(mail("<1@x>", "Bob <bob@x.org>", "Lunch", "see you"))  # type: ignore[union-attr]
    waits = await bench.schedule("wait_for_mail", thread="signal_1@x", hours=2)
    card = await bench.card(await bench.schedule("draft_reply", message_id="signal_1@x", body="Yes."))
    assert card.resolved.payload["recipients"] == ["bob@x.org"]
    await bench.settle()
    theirs = mail("<9@x>", "Bob <bob@x.org>", "here", "it is", references=["<1@x>"])
    await bench.store.store(theirs, namespace="raw.mail", context_id="9")
    await bench.state(waits, S.SUCCEEDED)
    assert "it is" in (await bench.result(waits)).content


async def test_who_claimed_a_thread_is_told_with_the_end_of_a_wait(bench: Bench) -> None:
    bench.parts.mail.mailbox.mails.append(mail("<1@x>", "Bob <bob@x.org>", "Lunch", "see you"))  # type: ignore[union-attr]
    call_id = await bench.schedule("wait_for_mail", thread="<1@x>", hours=2)
    await bench.settle()
    theirs = mail("<8@y>", "Eve <eve@y.org>", "no", "no", references=["<1@x>"])
    await bench.store.store(theirs, namespace="raw.mail", context_id="8")
    await bench.settle()
    await bench.clock.advance(2 * 3600 + 1)
    await bench.state(call_id, S.SUCCEEDED)
    assert "not in that thread: eve@y.org" in (await bench.result(call_id)).content


async def test_a_doubtful_sender_is_loud_on_the_card(bench: Bench) -> None:
    doubts = ["the name in From is another address: bob@x.org"]
    theirs = mail("<1@x>", "Bob <eve@y.org>", "Lunch", "pay", doubts=doubts)
    bench.parts.mail.mailbox.mails.append(theirs)  # type: ignore[union-attr]
    card = await bench.card(await bench.schedule("draft_reply", message_id="<1@x>", body="Yes."))
    [line] = [line for line in card.resolved.lines if line.label == "To"]
    assert (line.untrusted, line.quiet, line.warning) == (True, False, doubts[0])


async def test_a_thread_is_read_from_its_newest_mail_on_and_that_one_whole(bench: Bench) -> None:
    for n in range(33):
        quoted = f"new words {n}\n> old words {n - 1}\n"
        more = {"references": ["<0@x>"], "reply": f"new words {n}"}
        bench.parts.mail.mailbox.mails.append(mail(f"<{n}@x>", "Bob <bob@x.org>", "Lunch", quoted, **more))  # type: ignore[union-attr]
    call_id = await bench.schedule("read_thread", message_id="<0@x>")
    await bench.state(call_id, S.SUCCEEDED)
    content = (await bench.result(call_id)).content
    assert content.index("new words 32") < content.index("new words 31") < content.index("new words 4")
    assert content.endswith("new words 3")
    assert "> old words 31" in content  # of the newest
    assert "> old words 30" not in content
    assert content.startswith("[3 older mails left out]")


async def test_reading(bench: Bench) -> None:
    bench.parts.mail.mailbox.mails.append(mail("<1@x>", "Bob <bob@x.org>", "Lunch", "see you"))  # type: ignore[union-attr]
    for name, arguments in (
        ("search_mail", {"query": "see"}),
        ("read_mail", {"message_id": "<1@x>"}),
        ("read_thread", {"message_id": "<1@x>"}),
    ):
        call_id = await bench.schedule(name, **arguments)
        await bench.state(call_id, S.SUCCEEDED)
        result = await bench.result(call_id)
        assert "Lunch" in result.content
        assert result.tainted


async def test_a_certificate_that_is_not_valid(bench: Bench, tmp_path: Path) -> None:
    key, cert = tmp_path / "key.pem", tmp_path / "cert.pem"
    made = await asyncio.create_subprocess_exec(
        "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost",
        "-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(cert),
        stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    assert await made.wait() == 0
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(cert, key)
    async with Sink(tls=context) as sink:
        server = Smtp(host="localhost", port=sink.port, security="tls", timeout=5)
        for trusted, end in (("", S.FAILED), (str(cert), S.SUCCEEDED)):
            bench.parts.mail.accounts = MailAccounts.of(SmtpOutbox("me@example.com", server, tls_ca=trusted))
            call_id = await bench.schedule("send_mail", to="bob@x.org", subject=f"s{len(trusted)}", body="b")
            await bench.yes(call_id)
            await bench.state(call_id, end)
            content = (await bench.result(call_id)).content
            assert ("certificate" in content) == (end is S.FAILED), content
        assert len(sink.taken) == 1


async def test_an_answer_to_a_name_with_a_comma(bench: Bench) -> None:
    sender = {"name": "Doe, <x@y.z> John", "address": "john@x.org"}
    bench.parts.mail.mailbox.mails.append({**mail("<2@x>", "", "Hi", "hi"), "sender": sender})  # type: ignore[union-attr]
    call_id = await bench.schedule("reply_mail", message_id="<2@x>", body="yes")
    assert (await bench.card(call_id)).resolved.payload["recipients"] == ["john@x.org"]


@pytest.mark.parametrize(("utf8", "end"), [(True, S.SUCCEEDED), (False, S.FAILED)])
async def test_an_address_that_is_not_ascii(bench: Bench, utf8: bool, end: CallState) -> None:
    async with Sink(utf8=utf8) as sink:
        bench.parts.mail.accounts = MailAccounts.of(outbox(sink.port))
        call_id = await bench.schedule("send_mail", to="用户@exämple.org", subject="Grüße", body="b", cc="bob@x.org")
        card = await bench.card(call_id)
        assert card.resolved.payload["recipients"] == ["用户@xn--exmple-cua.org", "bob@x.org"]
        await bench.yes(call_id)
        await bench.state(call_id, end)
        if utf8:
            [taken] = sink.taken
            assert taken.recipients == ["用户@xn--exmple-cua.org", "bob@x.org"]
            parsed = email.message_from_string(taken.message.decode(), policy=email.policy.SMTPUTF8)
            assert parsed["To"].addresses[0].username == "用户"
            assert parsed["Subject"] == "Grüße"
        else:
            assert sink.taken == []
            assert "no SMTPUTF8" in (await bench.result(call_id)).content
    for odd in ("us\u202eer@x.org", "a\u200bb@x.org", "ev il@x.org", "用户@x.org\r\nBcc: evil@bad.org"):
        refused = await bench.schedule("send_mail", to=odd, subject="s", body="b")
        await bench.state(refused, S.FAILED)


async def test_the_user_may_blank_subject_and_body(bench: Bench, sink: Sink) -> None:
    call_id = await bench.schedule("send_mail", to="bob@x.org", subject="Hello", body="text")
    await bench.approvals.edit((await bench.card(call_id)).id, {"Subject": "", "Body": ""})
    await bench.yes(call_id)
    await bench.state(call_id, S.SUCCEEDED)
    parsed = email.message_from_bytes(sink.taken[0].message, policy=email.policy.default)
    assert (parsed["Subject"] or "").strip() == ""
    assert parsed.get_content().strip() == ""


async def test_killed_right_after_the_send_the_recipient_is_known(bench: Bench, sink: Sink) -> None:
    bench.die_at = "data_sent"
    call_id = await bench.schedule("send_mail", to="bob@x.org", subject="s", body="b")
    await bench.yes(call_id)
    await until(lambda: len(sink.taken) == 1)
    while call_id in bench.engine.running:
        await bench.settle()
    await bench.crash()
    again = await bench.schedule("send_mail", to="Bob@x.org", subject="other", body="b")
    assert not [line for line in (await bench.card(again)).resolved.lines if line.untrusted]


async def test_addresses_of_a_vip_domain_are_trusted(bench: Bench) -> None:
    await bench.close()
    bench.config = Config.model_validate({"user": {"addresses": ["me@example.com"], "vips": ["@firm.example"]}})
    await bench.open()
    for to, bad in (("ann@firm.example", False), ("ann@notfirm.example", True), ("ann@firm.example.evil.org", True)):
        call_id = await bench.schedule("send_mail", to=to, subject="s", body="b")
        assert any(line.untrusted for line in (await bench.card(call_id)).resolved.lines) is bad


@pytest.mark.parametrize(("inputs", "result"), [(True, True), (False, False)])
async def test_an_answer_is_as_trusted_as_its_inputs(bench: Bench, inputs: bool, result: bool) -> None:
    async def answer(call: object, task: str, agent: str | None, progress: object) -> str:
        return "done"

    async def tainted(call_id: str) -> bool:
        return inputs

    bench.parts.workers.delegate, bench.parts.workers.delegate_tainted = answer, tainted
    call = ToolCall("d", "delegate", {"task": "t"}, Effect.READ, bench.clock.now(), "step:1", "user", tainted=False)
    await bench.put(call)
    await bench.state("d", S.SUCCEEDED)
    assert (await bench.result("d")).tainted is result


async def test_attachments_come_from_allowed_folders_and_are_bound_by_hash(
    bench: Bench, sink: Sink, tmp_path: Path
) -> None:
    allowed, secret = tmp_path / "allowed", tmp_path / "secret.txt"
    allowed.mkdir()
    secret.write_text("the key")
    (allowed / "plan ü.pdf").write_bytes(b"%PDF one")
    (allowed / "link.txt").symlink_to(secret)
    (allowed / "big.bin").write_bytes(bytes(5_000_001))
    os.mkfifo(allowed / "pipe")
    given = {"to": "bob@x.org", "subject": "s", "body": "b"}
    refused = await bench.schedule("send_mail", **given, attachments=["plan ü.pdf"])
    await bench.state(refused, S.FAILED)
    assert "mail.attach_from" in (await bench.result(refused)).content
    bench.parts.mail.attach_from = Folders([allowed], may="attached from", setting="mail.attach_from")
    odd = ["link.txt", str(secret), "../secret.txt", "/etc/passwd", "big.bin", "pipe", ".", "", "gone", "a\x00b"]
    for name in odd:
        refused = await bench.schedule("send_mail", **given, attachments=[name])
        await bench.state(refused, S.FAILED)
    assert await bench.cards() == []
    call_id = await bench.schedule("send_mail", **given, attachments=["plan ü.pdf"])
    card = await bench.card(call_id)
    [line] = [line for line in card.resolved.lines if line.label == "Attached"]
    assert "plan ü.pdf, 8 bytes, sha256" in line.value
    assert str(allowed) in line.value
    (allowed / "plan ü.pdf").write_bytes(b"%PDF two")
    with pytest.raises(ApprovalError, match="has changed since"):
        await bench.approvals.edit(card.id, {"Subject": "t"})
    other = await bench.schedule("send_mail", **given, attachments=["plan ü.pdf"])
    assert (await bench.card(other)).digest != card.digest
    await bench.yes(call_id)
    back = await bench.returned(call_id)
    assert sink.taken == []
    assert "plan ü.pdf changed" in (await bench.call(call_id)).error
    assert back.digest != card.digest, "a yes to the card that is back is a yes to what the file holds now"
    assert "sha256 " + hashlib.sha256(b"%PDF two").hexdigest()[:16] in next(
        line.value for line in back.resolved.lines if line.label == "Attached"
    )
    await bench.yes(back.call)
    await bench.state(back.call, S.SUCCEEDED)
    parsed = email.message_from_bytes(sink.taken[0].message, policy=email.policy.default)
    [part] = parsed.iter_attachments()
    assert (part.get_filename(), part.get_content()) == ("plan ü.pdf", b"%PDF two")
    assert parsed.get_body().get_content().strip() == "b"  # type: ignore[union-attr]


def test_more_recipients_than_a_mail_may_have_are_refused() -> None:
    with pytest.raises(ToolError, match="more than 50"):
        parse_addresses(",".join(f"a{number}@x.org" for number in range(20_000)), "to")
