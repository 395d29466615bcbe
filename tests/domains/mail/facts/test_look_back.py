"""The first start offers on one item what facts find in the last days of what was there already."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pepper_tui.clock import ManualClock
from pepper_tui.domains.mail.at_source.answering import Answering
from pepper_tui.domains.mail.facts.look_back import DAYS
from pepper_tui.domains.mail.facts.looked_back import OFFERED
from pepper_tui.model import Written
from tests.domains.mail.box import box
from tests.domains.mail.box.letters import DAY, ME, START, Letter, Maker
from tests.domains.mail.facts.living import put, taken
from tests.domains.mail.mails import make_maildir
from tests.rules.house import House
from tests.tools.sink import Sink

NOW = START + 12.5 * DAY


async def offered(house: House, count: int) -> dict[str, Any]:
    await taken(house, count)

    async def told() -> list[dict[str, Any]]:
        return await house.notices()

    [item] = await house.until(told, seconds=30)
    return item


async def test_the_first_start_offers_a_few_mails_on_one_item(tmp_path: Path) -> None:
    letters = [letter for letter in box() if letter.at < NOW]
    house = House(tmp_path, "", clock=ManualClock(start=NOW))
    count = put(house.maildir, letters)
    async with house:
        item = await offered(house, count)
        signals = {f"signals.mail:{each['id']}": each["metadata"] for each in await house.facts("signals.mail")}
        [record] = await house.facts("mail.look_back")
        told = [signals[each]["message_id"] for each in record["signals"]]
        labels = {letter.message_id: letter for letter in letters}
        assert 0 < len(told) <= OFFERED
        wrong = [(labels[each].kind, item["body"]) for each in told if not labels[each].facts]
        assert not wrong
        assert all(labels[each].facts and labels[each].at >= NOW - DAYS * DAY for each in told)
        assert len({signals[each]["thread"] for each in record["signals"]}) == len(told)
        assert item["body"].count("•") == len(told)
        assert item["priority"] == "low"
        why = await house.engine.why(f"notification:{item['id']}")
        assert "looked back" in "\n".join(why)
        await house.restart(3_600)
        await taken(house, count)
        assert len(await house.notices()) == 1


def letters(*kinds: str) -> list[Letter]:
    """Mails of the last days: whoever wrote is known by an older mail to them."""
    import random

    maker, dana = Maker(random.Random(3)), ("Dana Whitfield", "dana@firm.example")
    maker.put("own", 1, ME, "Hello", "Hello Dana.", to=dana, folder="Sent")
    asks = {"folder": "Trash"} if "thrown away" in kinds else {}
    question = maker.put("question", 10, dana, "The roof", "Who signs for the roof?", **asks)
    if "answered" in kinds:
        maker.put("own", 11, ME, "Re: The roof", "I do.", to=dana, folder="Sent", answers=question)
    if "old" in kinds:
        maker.letters[-1].at -= 9 * DAY
        maker.letters[-1].source = maker.letters[-1].source.replace(b"25 Jan", b"16 Jan")
    if "asked" in kinds:
        maker.put("own", 7, ME, "The gate", "Could you paint the gate?", to=dana, folder="Sent")
    return maker.letters


@pytest.mark.parametrize(
    ("kind", "found"),
    [("plain", 1), ("answered", 0), ("thrown away", 0), ("old", 0), ("asked", 2)],
)
async def test_what_was_answered_or_thrown_away_is_not_offered(tmp_path: Path, kind: str, found: int) -> None:
    house = House(tmp_path, "", clock=ManualClock(start=NOW))
    some = letters(kind)
    count = put(house.maildir, some)
    async with house:
        await taken(house, count)
        await house.clock.advance(5)
        await taken(house, count)
        bodies = [each["body"] for each in await house.notices()]
        assert sum(body.count("•") for body in bodies) == found
        if kind == "asked":
            assert "you asked Dana Whitfield" in bodies[0]


async def test_it_can_be_switched_off(tmp_path: Path) -> None:
    house = House(tmp_path, "[mail.facts]\nlook_back = false", clock=ManualClock(start=NOW))
    count = put(house.maildir, letters())
    async with house:
        await taken(house, count)
        await house.clock.advance(5)
        assert not await house.notices()


def waiting() -> tuple[list[Letter], Letter]:
    """Two questions to the user, one of the user's own; and an answer to that, to be delivered later."""
    import random

    maker, dana, kim = Maker(random.Random(3)), ("Dana Whitfield", "dana@firm.example"), ("Kim Lee", "kim@firm.example")
    for who in (dana, kim):
        maker.put("own", 1, ME, "Hello", "Hello.", to=who, folder="Sent")
    maker.put("question", 10, dana, "The roof", "Who signs for the roof?")
    maker.put("question", 11, kim, "The door", "Could you open the door?")
    gate = maker.put("own", 7, ME, "The gate", "Could you paint the gate?", to=dana, folder="Sent")
    maker.put("answer", 12, dana, "Re: The gate", "Yes.", answers=gate)
    *there, answer = maker.letters
    return there, answer


async def item_now(house: House) -> dict[str, Any]:
    [item] = [each for each in await house.facts("notification") if each["id"] == "ntf_look_back"]
    return item


async def lines_are(house: House, *names: str) -> None:
    """Until the item is open with lines of exactly these mails, and counts them; without names: until it has ended."""

    async def told() -> bool:
        item = await item_now(house)
        there = [name for name in ("roof", "door", "gate") if f"The {name}" in item["body"]]
        if not names:
            return bool(item["state"] == "done")
        many = f"{len(names)} mails" if len(names) > 1 else "1 mail "
        return item["state"] in ("new", "seen") and sorted(there) == sorted(names) and many in item["title"]

    await house.until(told, seconds=30)


def marked(house: House, letters: list[Letter], subject: str, marks: str, folder: str = "") -> None:
    """What another program does to a mail: it marks it, and may move it."""
    [source] = [each.source for each in letters if f"Subject: The {subject}".encode() in each.source]
    [path] = [path for path in house.maildir.rglob("*.box*") if path.read_bytes() == source]
    root = make_maildir(house.maildir / folder) if folder else path.parent.parent
    path.rename(root / "cur" / f"{path.name.partition(':')[0]}:2,{marks}")


async def test_a_line_ends_with_its_mail_and_comes_back_with_it_and_the_item_ends_with_the_last(tmp_path: Path) -> None:
    house = House(tmp_path, "", clock=ManualClock(start=NOW))
    there, answer = waiting()
    count = put(house.maildir, there)
    async with house:
        await offered(house, count)
        await lines_are(house, "roof", "door", "gate")
        marked(house, there, "roof", "S")
        marked(house, there, "door", "RS")  # answered in another program
        await lines_are(house, "roof", "gate")  # a question that was only read still waits
        marked(house, there, "door", "S")
        await lines_are(house, "roof", "door", "gate")
        marked(house, there, "door", "RS")
        marked(house, there, "roof", "S", ".Trash")
        await lines_are(house, "gate")
        await house.restart(60)
        put(house.maildir, [answer], 900)
        await lines_are(house)
        why = "\n".join(await house.engine.why("notification:ntf_look_back"))
        assert "you have dealt with the mail that it named" in why
        marked(house, there, "roof", "S", ".")
        await lines_are(house, "roof")  # out of the trash again
        await house.engine.dismiss("notification:ntf_look_back")
        marked(house, there, "door", "S")
        await house.calm()
        assert (await item_now(house))["state"] == "dismissed"  # what the user ended stays so


async def test_a_line_ends_with_the_answer_that_pepper_sends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Answering, "listen", lambda *_: None)  # as at an account that can't mark a mail as answered
    there, answer = waiting()
    async with Sink() as sink:
        house = House(tmp_path, "", clock=ManualClock(start=NOW), port=sink.port)
        count = put(house.maildir, there)
        async with house:
            await offered(house, count)
            [roof] = [each for each in await house.facts("raw.mail") if each["subject"] == "The roof"]
            await house.engine.write_mail("reply", roof["id"], {"body": Written("I do.")})
            [card] = await house.until(house.cards)
            await house.engine.approve(card["id"])
            await lines_are(house, "door", "gate")
            await house.restart(60)
            put(house.maildir, [answer], 900)
            await lines_are(house, "door")
