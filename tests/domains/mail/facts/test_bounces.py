"""Reports on the user's own mail, and automatic answers to it, join the mail that they are about."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from pepper_tui.clock import ManualClock
from pepper_tui.domains.mail.content.machines import is_absence, is_automatic, is_list
from pepper_tui.domains.mail.content.mime import parse_mail
from pepper_tui.domains.mail.facts.delivery_report import failed, not_arrived, read_report
from tests.domains.mail.box.letters import DAY, ME, START, Maker
from tests.domains.mail.box.machine_mail import report
from tests.domains.mail.facts.living import put, taken
from tests.rules.house import House

DANA = ("Dana Whitfield", "dana@firm.example")
DAEMON = ("Mail Delivery System", "MAILER-DAEMON@firm.example")
AUTOMATIC = {"Auto_Submitted": "auto-replied", "Return_Path": "<>"}


def bounce(maker: Maker, day: float, original: str, **more: Any) -> None:
    message = report(DANA[1], more.pop("status", "5.1.1"), "550 5.1.1 no such user", original, "The gate", **more)
    maker.put("bounce", day, DAEMON, "Undelivered Mail Returned to Sender", "", message=message, **AUTOMATIC)


async def lived(folder: Path, maker: Maker, sent: str = "") -> dict[str, list[dict[str, Any]]]:
    """What there is after the letters came, one after the other, and five days more."""
    house = House(folder, "", clock=ManualClock(start=START))
    async with house:
        if sent:  # as the tool that sends notes it before it sends
            noted = {"id": sent, "call": "call_1", "to": [DANA[1]], "at": START}
            await house.engine.store.store(noted, namespace="mail.sent", context_id=sent)
        for number, letter in enumerate(maker.letters, 1):
            house.clock.jump(letter.at - house.clock.now())
            put(house.maildir, [letter], number)
            await taken(house, number)
        house.clock.jump(5 * DAY)

        async def ended() -> bool:
            return not await house.facts("follow_up", state="open")

        await house.until(ended, step=5.0)
        await taken(house, len(maker.letters))
        found = {each: await house.facts(each) for each in ("follow_up", "signals.mail", "signals.follow_up")}
        return {**found, "notices": await house.notices()}


@pytest.mark.parametrize(
    ("status", "why"),
    [
        ("5.1.1", "there is no such address (5.1.1)"),
        ("5.2.2", "that mailbox is full (5.2.2)"),
        ("5.7.999", "it was refused there (5.7.999)"),
        ("4.4.1", "that mail server did not answer (4.4.1)"),
        ("4.4.9", "that mail server could not be reached (4.4.9)"),
        ("2.9.9", "550 odd words"),
        ("", "550 odd words"),
    ],
)
def test_a_report_says_in_words_why(status: str, why: str) -> None:
    message = report("ann@gone.example", status, "550 odd words", "<a@b>", "Tickets")
    found = parse_mail(message.as_bytes()).report
    assert not_arrived(found) == f"ann@gone.example: {why}"
    assert (found["original"], found["subject"]) == ("<a@b>", "Tickets")


@pytest.mark.parametrize("action", ["delayed", "delivered", "relayed", "expanded"])
def test_only_what_failed_did_not_arrive(action: str) -> None:
    found = parse_mail(report("ann@gone.example", "4.4.1", "will retry", "<a@b>", "Tickets", action).as_bytes()).report
    assert found["recipients"]
    assert not failed(found)
    assert not not_arrived(found)


def test_what_is_no_report_says_nothing() -> None:
    assert parse_mail(b"From: a@b.example\nSubject: Undelivered\n\nFinal-Recipient: rfc822; a@b.example\n").report == {}
    assert read_report([]) == {}


EXIM = """From: Mail Delivery System <Mailer-Daemon@mx.example>
X-Failed-Recipients: dana@firm.example
Auto-Submitted: auto-replied
Subject: Mail delivery failed: returning message to sender

This message was created automatically by mail delivery software.

A message that you sent could not be delivered to one or more of its
recipients. This is a permanent error. The following address(es) failed:

  dana@firm.example
    host mx.firm.example [192.0.2.1]
    SMTP error from remote mail server after RCPT TO:<dana@firm.example>:
    550 5.1.1 no such user

------ This is a copy of the message, including all the headers. ------

Return-path: <me@example.org>
Message-ID: <1@example.org>
Subject: The gate
"""
QMAIL = """From: MAILER-DAEMON@mx.example
Subject: failure notice

Hi. This is the qmail-send program at mx.example.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<dana@firm.example>:
192.0.2.1 does not like recipient.
Remote host said: 550 5.1.1 no such user
Giving up on 192.0.2.1.

--- Below this line is a copy of the message.

Return-Path: <me@example.org>
Message-ID: <1@example.org>
Subject: The gate
"""
STATUS = """Reporting-MTA: dns;mx.example

Original-Recipient: rfc822;dana@firm.example
Final-Recipient: rfc822;dana@firm.example
Action: {action}
Status: {status}
Diagnostic-Code: smtp;{why}
"""
PARTS = """From: postmaster@mx.example
Auto-Submitted: auto-replied
Content-Type: {kind}; boundary=b

--b
Content-Type: text/plain

It did not arrive.
--b
Content-Type: message/delivery-status

{status}
--b
Content-Type: {original}

{head}
--b--
"""
HEAD = "Message-ID:\n <1@example.org>\nSubject: The gate\n"
CODED = "TWVzc2FnZS1JRDogPDFAZXhhbXBsZS5vcmc+ClN1YmplY3Q6IFRoZSBnYXRlCg=="


def parts(kind: str, action: str, status: str, why: str, original: str, head: str) -> str:
    told = STATUS.format(action=action, status=status, why=why)
    return PARTS.format(kind=kind, status=told, original=original, head=head)


@pytest.mark.parametrize(
    "source",
    [
        EXIM,
        QMAIL,
        parts("multipart/report; report-type=delivery-status", "failed", "5.1.1", "550 no", "message/rfc822", HEAD),
        # Exchange's code means something else in RFC 7505
        parts("multipart/report", "failed", "5.1.10", "RESOLVER.ADR.RecipientNotFound", "message/rfc822", HEAD),
        # behind a gateway that adds a footer, with a comment, and coded
        parts("multipart/mixed", "Failed (gave up)", "5.1.1", "550 no", "text/rfc822-headers", HEAD),
        parts("multipart/report", "failed", "5.1.1", "550 no",
              "text/rfc822-headers\nContent-Transfer-Encoding: base64", CODED),
    ],
    ids=["exim", "qmail", "postfix", "exchange", "gateway", "coded"],
)  # fmt: skip
def test_the_reports_of_other_programs_say_the_same(source: str) -> None:
    report = parse_mail(source.encode()).report
    assert not_arrived(report).startswith("dana@firm.example: there is no such address")
    assert (report["original"], report["subject"]) == ("<1@example.org>", "The gate")


@pytest.mark.parametrize(
    ("head", "found"),
    [
        ("Auto-Submitted: auto-replied\nPrecedence: bulk\nX-Autoreply: yes", True),  # Gmail
        ("Auto-Submitted: auto-generated\nX-Auto-Response-Suppress: All", True),  # Exchange
        ("X-Autorespond: The gate", True),
        ("Precedence: auto_reply", True),
        ("Subject: Automatische Antwort: The gate", True),
        ("Subject: =?utf-8?q?R=C3=A9ponse_automatique_=3A?= The gate", True),
        ("Subject: =?utf-8?q?Respuesta_autom=C3=A1tica=3A?= The gate", True),
        ("Subject: Abwesenheitsnotiz", True),
        ("Subject: AUTO: Dana is out of the office (returning Monday)", True),
        ("Subject: Re: Out of office", False),
        ("Subject: Automatic replies in Outlook", False),
        ("Auto-Submitted: auto-generated", False),
        ("X-Auto-Response-Suppress: All", False),
        ("Auto-Submitted: no", False),
    ],
)
def test_automatic_answers_are_known_by_what_programs_write(head: str, found: bool) -> None:
    answer = parse_mail(f"From: dana@firm.example\nIn-Reply-To: <1@example.org>\n{head}\n\nI am away.".encode()).data()
    assert is_absence(answer) is found
    assert not found or is_automatic(answer)
    assert not found or not is_list(answer)
    if head.startswith("Subject"):  # a subject alone says nothing in a mail that answers none
        assert not is_absence({**answer, "in_reply_to": ""})


async def test_a_bounce_says_which_mail_did_not_reach_whom_and_ends_the_wait(tmp_path: Path) -> None:
    maker = Maker(random.Random(5))
    sent = maker.put("own", 1, ME, "The gate", "Could you paint the gate?", to=DANA, folder="Sent")
    bounce(maker, 1.5, sent)
    came = await lived(tmp_path, maker)
    [card] = came["notices"]
    assert card["title"].startswith(
        "Not delivered: your mail “The gate” did not reach dana@firm.example: there is no such"
    )
    assert card["reason"].startswith("your mail “The gate” did not arrive")
    assert card["matter"] == f"mail:{sent}"
    assert [waits["state"] for waits in came["follow_up"]] == ["dropped"]


async def test_a_bounce_of_what_pepper_sent_says_so_and_anybody_elses_nothing(tmp_path: Path) -> None:
    maker = Maker(random.Random(5))
    bounce(maker, 1, "<pepper_1@example.org>")
    bounce(maker, 2, "<somebody@botnet.example>")
    bounce(maker, 3, "<pepper_1@example.org>", action="delayed")
    came = await lived(tmp_path, maker, sent="<pepper_1@example.org>")
    [card] = came["notices"]
    assert "did not reach dana@firm.example" in card["title"]
    assert card["matter"] == "mail:<pepper_1@example.org>"


EXCHANGE = {"Auto_Submitted": "auto-generated", "X_Auto_Response_Suppress": "All"}


@pytest.mark.parametrize(
    ("sender", "headers"), [(DANA, AUTOMATIC), (DANA, EXCHANGE), (("Dana Whitfield", "eve@evil.example"), AUTOMATIC)]
)
async def test_an_absence_is_noted_on_the_wait_and_does_not_end_it(
    tmp_path: Path, sender: tuple[str, str], headers: dict[str, str]
) -> None:
    maker = Maker(random.Random(5))
    sent = maker.put("own", 1, ME, "The gate", "Could you paint the gate?", to=DANA, folder="Sent")
    maker.put("away", 1.2, sender, "Out of office", "I am away until 1 February.", answers=sent, **headers)
    came = await lived(tmp_path, maker)
    [waits], [card], [due] = came["follow_up"], came["notices"], came["signals.follow_up"]
    assert waits["state"] == "due"
    assert card["title"].startswith("No answer from Dana Whitfield: The gate")
    assert "you asked Dana Whitfield something, and no answer came for 4 days" in card["reason"]
    assert "Could you paint the gate?" in card["body"]
    assert due["priority"] == "normal"
    assert ("I am away until 1 February" in card["body"]) is (sender == DANA)


async def test_an_answer_ends_the_wait_without_a_word(tmp_path: Path) -> None:
    maker = Maker(random.Random(5))
    sent = maker.put("own", 1, ME, "The gate", "Could you paint the gate?", to=DANA, folder="Sent")
    maker.put("answer", 2, DANA, "Re: The gate", "Done.", answers=sent)
    came = await lived(tmp_path, maker)
    assert [waits["state"] for waits in came["follow_up"]] == ["answered"]
    assert came["notices"] == []
