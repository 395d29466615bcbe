"""Reports on the user's own mail, and automatic answers to it, join the mail that they are about."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from pepper_tui.clock import ManualClock
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


@pytest.mark.parametrize("sender", [DANA, ("Dana Whitfield", "eve@evil.example")])
async def test_an_absence_is_noted_on_the_wait_and_does_not_end_it(tmp_path: Path, sender: tuple[str, str]) -> None:
    maker = Maker(random.Random(5))
    sent = maker.put("own", 1, ME, "The gate", "Could you paint the gate?", to=DANA, folder="Sent")
    maker.put("away", 1.2, sender, "Out of office", "I am away until 1 February.", answers=sent, **AUTOMATIC)
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
