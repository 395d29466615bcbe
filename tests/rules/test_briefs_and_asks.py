"""A brief is put together by code; a prompt of the user's waits for a model, and what it finds is a notice."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from pepper_tui.model import Namespace
from tests.llm.server import ModelServer
from tests.rules.house import House
from tests.rules.test_acts import WAITS

HOUR = 3600.0
DAILY = """
[[rule]]
name = "morning"
cron = "0 8 * * *"
brief = true
ask = "Sum up last night's mail in five lines."
"""


def event(path: Path, start: float) -> None:
    at = datetime.fromtimestamp(start, UTC)
    path.write_text(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:e1\r\nSUMMARY:Roadmap review\r\n"
        f"DTSTART:{at:%Y%m%dT%H%M%SZ}\r\nDURATION:PT30M\r\nLOCATION:Room Vega\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )


async def test_a_brief_is_there_before_the_event_without_a_step_of_a_model(tmp_path: Path) -> None:
    calendar = tmp_path / "c.ics"
    rule = f'[calendar]\npaths = ["{calendar}"]\n[[rule]]\nname = "reviews"\nwords = ["review"]\nbrief = 15\n'
    with ModelServer(default=WAITS) as server:
        house = House(tmp_path, rule, model=server.url)
        event(calendar, house.clock.now() + HOUR)
        async with house:
            house.mail(sender="Nora <nora@example.com>", subject="Roadmap review: the slides")
            await house.calm()
            await house.clock.advance(HOUR - 16 * 60)
            await house.calm()
            assert [each for each in await house.notices() if each["kind"] == "brief"] == []
            await house.clock.advance(61)
            [brief] = await house.until(lambda: house.facts(Namespace.NOTIFICATION, kind="brief"))
            assert brief["title"] == "Brief: Roadmap review"
            assert "Where: Room Vega" in brief["body"]
            assert "Nora" in brief["body"]
            assert "slides" in brief["body"]
            assert "<m1@" not in brief["body"]
            assert brief["reason"] == "your rule 'reviews' asks for it"
            assert await house.facts(Namespace.RUN) == []


async def test_a_time_briefs_by_facts_and_asks_when_there_is_a_model(tmp_path: Path) -> None:
    async with House(tmp_path, DAILY) as house:
        house.mail(sender="Nora <nora@example.com>", subject="Numbers")
        await house.calm()
        await house.clock.advance(24 * HOUR)
        await house.until(lambda: house.facts(Namespace.NOTIFICATION, kind="brief"))
        await house.calm()
        states = {act["act"]: (act["state"], act["detail"]) for act in await house.acts()}
        assert states == {"brief": ("done", ""), "ask": ("deferred", "waits for a model")}
        await house.clock.advance(24 * HOUR)
        await house.until(lambda: _two_asks(house))
        await house.calm()
    answers = {"calls": [{"name": "return_final_answer", "arguments": {"answer": "Nora sent the numbers."}}]}
    with ModelServer(default=WAITS) as server:
        server.choose = lambda body: answers if "You are a worker" in str(body["messages"][0]) else WAITS
        async with House(tmp_path, DAILY, model=server.url, clock=house.clock) as again:
            [told] = await again.until(lambda: again.facts(Namespace.NOTIFICATION, kind="notice"))
            await again.calm()
            assert told["body"] == "Nora sent the numbers."
            assert told["reason"] == "your rule 'morning' asks for it"
            asks = [act["state"] for act in await again.acts("ask")]
            assert asks == ["withdrawn", "done"]  # of several times only the newest is asked
            assert await again.facts(Namespace.ASSISTANT_MESSAGE) == []


async def _two_asks(house: House) -> bool:
    return len(await house.acts("ask")) == 2


async def test_what_a_rule_tells_by_the_clock_is_told_at_each_time(tmp_path: Path) -> None:
    """The words are the same each time; that the last ones are closed, or still stand, changes nothing."""
    rule = '[[rule]]\nname = "stretch"\ncron = "0 8 * * *"\ntext = "stretch"\nnotify = true\n'
    async with House(tmp_path, rule) as house:
        for day in range(1, 5):
            await house.clock.advance(86_400)
            told = await house.until(lambda: house.acts("notify"))
            await house.until(lambda day=day: _done(house, day))
            [notice] = await house.notices()  # of those that stand the newest
            assert notice["title"] == "stretch: stretch"
            if day % 2:
                await house.engine.done(f"notification:{notice['id']}")
        assert {each["state"] for each in told} == {"done"}


async def _done(house: House, times: int) -> bool:
    return [act["state"] for act in await house.acts("notify")] == ["done"] * times
