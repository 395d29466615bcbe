"""When a fact raises a card: once a mail, unless it is switched off, paused, out of sight, or judged low."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from pepper_tui.clock import ManualClock
from tests.domains.mail.box.letters import FAIL, ME, START, Maker
from tests.domains.mail.facts.living import put, taken
from tests.llm.server import ModelServer, Reply
from tests.rules.house import House

DANA = ("Dana Whitfield", "dana@firm.example")
BOSS = ("The Boss", "boss@example.com")
RULE = '[[rule]]\nname = "roofs"\nsender = ["dana@firm.example"]\nnotify = true\n'


def mails(sender: tuple[str, str] = DANA, **more: Any) -> Maker:
    """A mail to somebody, and later a question from them."""
    maker = Maker(random.Random(9))
    maker.put("own", 0, ME, "The roof", "Hello.", to=sender, folder="Sent")
    maker.put("question", 0.2, sender, "The roof", "Who signs for the roof?", **more)
    return maker


async def came(house: House, maker: Maker) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The cards, and the last mail's signal."""
    for number, letter in enumerate(sorted(maker.letters, key=lambda each: each.at), 1):
        put(house.maildir, [letter], number)
        await taken(house, number)
    signals = await house.facts("signals.mail")
    return await house.notices(), signals[-1]


async def test_a_card_says_why_and_why_leads_to_the_sentence(tmp_path: Path) -> None:
    async with House(tmp_path, "", clock=ManualClock(START)) as house:
        [card], signal = await came(house, mails())
        assert card["reason"] == "Dana Whitfield, whom you know, asks you something"
        assert card["priority"] == signal["priority"] == "normal"
        assert card["trust"] == "written to"
        assert "Who signs for the roof?" in "\n".join(await house.engine.why(f"notification:{card['id']}"))


@pytest.mark.parametrize(
    ("more", "letter", "cards"),
    [
        ("[mail.facts]\nquestion = false", {}, 0),
        ("", {"folder": "Junk"}, 0),
        ("", {"folder": "Papierkorb"}, 0),
        ("", {"folder": "Gesendete Spam"}, 0),
        (RULE, {}, 1),
        ("", {"sender": BOSS}, 1),
    ],
)
async def test_a_mail_has_one_card_or_none(tmp_path: Path, more: str, letter: dict[str, Any], cards: int) -> None:
    async with House(tmp_path, more, clock=ManualClock(START)) as house:
        notices, signal = await came(house, mails(**letter))
        assert len(notices) == cards
        if cards:  # a rule, or a VIP, spoke first; the fact is beside it
            assert signal["metadata"]["fact"] == "question"
            assert notices[0]["reason"].endswith("; " + "{}, whom you know, asks you something".format(
                letter.get("sender", DANA)[0]))  # fmt: skip


@pytest.mark.parametrize(("flags", "reason"), [("S", "it was read"), ("RS", "it was answered"), ("F", "")])
async def test_a_mail_that_comes_in_read_is_raised_by_no_fact(tmp_path: Path, flags: str, reason: str) -> None:
    async with House(tmp_path, "", clock=ManualClock(START)) as house:
        own, question = sorted(mails().letters, key=lambda each: each.at)
        put(house.maildir, [own])
        await taken(house, 1)
        (house.maildir / "cur" / f"2.box:2,{flags}").write_bytes(question.source)
        await taken(house, 2)
        signal = (await house.facts("signals.mail"))[-1]
        assert signal["metadata"]["fact"] == "question"
        assert len(await house.notices()) == (not reason)
        assert signal["reason"].startswith(reason)


async def test_the_built_in_rule_can_be_paused(tmp_path: Path) -> None:
    async with House(tmp_path, "", clock=ManualClock(START)) as house:
        await house.engine.pause_rule("facts")
        notices, signal = await came(house, mails())
        assert notices == []
        assert signal["metadata"]["kind"] == "fact"


async def test_signs_stand_on_the_card_and_in_what_is_read(tmp_path: Path) -> None:
    async with House(tmp_path, "", clock=ManualClock(START)) as house:
        maker = mails(auth=FAIL, Reply_To="desk@payments.example")
        for number in range(12):  # from which the user's own server is known
            maker.put("other", 0.1, (f"P{number}", f"p{number}@x{number}.example"), "Hello", "Hello.")
        [card], signal = await came(house, maker)
        careful = card["reason"].partition("; careful: ")[2]
        assert "your mail server says that it is not from there" in careful
        assert "an answer would go elsewhere, to desk@payments.example" in careful
        mailbox = house.engine.parts.tools.mail.mailbox
        assert mailbox is not None
        mail = await mailbox.read(signal["id"])
        assert mail is not None
        assert mail["signs"] == careful.split("; ")


@pytest.mark.parametrize(("priority", "cards"), [("low", 0), ("normal", 1), ("high", 1)])
async def test_a_model_judges_with_the_fact_at_hand_and_nothing_is_told_twice(
    tmp_path: Path, priority: str, cards: int
) -> None:
    verdict = {"n": 1, "priority": priority, "reason": "as it is", "asks": "", "about": "", "due": ""}

    def choose(body: dict[str, Any]) -> Reply:
        if "judge" in str(body.get("tools")):
            return {"calls": [{"name": "judge", "arguments": {"verdicts": [verdict]}}]}
        signal = "signals.mail:x"
        tell = {"title": "Dana asks", "body": "", "reason": "she asks", "source": signal}
        told = priority != "low"
        return {"calls": [{"name": "notify", "arguments": tell} if told else {"name": "wait", "arguments": {}}]}

    with ModelServer() as server:
        server.choose = choose
        async with House(tmp_path, "[judging]\nwait = 0.2", model=server.url, clock=ManualClock(START)) as house:
            notices, signal = await came(house, mails())
            await house.calm()
            notices = await house.notices()
            assert len(notices) == cards
            assert "whom you know, asks you something" in signal["reason"]
            assert any("asks you something" in str(body["messages"]) for body in server.requests)
