"""The first start offers on one item what facts find in the last days of what was there already."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pepper_tui.clock import ManualClock
from pepper_tui.domains.mail.facts.look_back import DAYS, OFFERED
from tests.domains.mail.box import box
from tests.domains.mail.box.letters import DAY, ME, START, Letter, Maker
from tests.domains.mail.facts.living import put, taken
from tests.rules.house import House

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
