"""An event added to a calendar at a server: after the user's yes, once, and known at once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from pepper_tui.clock import ManualClock
from pepper_tui.connectors.caldav.wire import Wire
from pepper_tui.connectors.http_server import Answer, ServerError, UnreachedError
from pepper_tui.model import CallState
from tests.connectors.caldav.servers import Server, event
from tests.connectors.caldav.test_account import CalendarDesk, at_server
from tests.engine.desk import calls

LUNCH = {"title": "Lunch, with Ann", "start": "2027-01-05 12:30", "minutes": 45, "calendar": "work"}


@pytest.fixture
async def desk(tmp_path: Path, server: Server) -> AsyncIterator[CalendarDesk]:
    server.make("work", "Work")
    server.make("home", "Home")
    server.put("work", "a", event("a", "Standup", "20270105T120000Z"))
    async with at_server(tmp_path, ManualClock(1_799_000_000.0), server) as one:

        async def looked() -> bool:
            return bool(await one.signals())

        await one.until(looked)
        yield one


async def asked(desk: CalendarDesk, **changes: Any) -> Any:
    await desk.says("add lunch", calls(("add_event", {**LUNCH, **changes})))
    return await desk.card()


async def ended(desk: CalendarDesk) -> CallState:
    async def over() -> CallState | None:
        call = (await desk.calls("add_event"))[0]
        return call.state if call.state in (CallState.SUCCEEDED, CallState.FAILED, CallState.UNKNOWN) else None

    found: CallState = await desk.until(over, step=1.0)
    return found


def titles(server: Server, calendar: str) -> list[str]:
    texts = server.holds(calendar).values()
    return sorted(line for text in texts for line in text.replace("\r", "").split("\n") if line.startswith("SUMMARY"))


async def test_it_is_added_after_the_yes_once_and_is_no_news(desk: CalendarDesk, server: Server) -> None:
    card = await asked(desk)
    shown = {line.label: line.value for line in card.resolved.lines}
    assert (shown["Calendar"], shown["Overlaps"]) == ("cal/work", "Standup")
    assert titles(server, "work") == ["SUMMARY:Standup"]
    await desk.engine.approve(card.id)
    assert await ended(desk) is CallState.SUCCEEDED
    assert titles(server, "work") == ["SUMMARY:Lunch\\, with Ann", "SUMMARY:Standup"]
    await desk.says("what is on", calls(("agenda", {"start": "2027-01-05"})))
    assert "12:30–13:15: Lunch, with Ann" in (await desk.result("agenda")).content
    await desk.clock.advance(200)
    await desk.restart()
    await desk.clock.advance(200)
    assert [each for each in await desk.signals() if "Lunch" in each and not each.startswith("log: ")] == []
    assert titles(server, "work") == ["SUMMARY:Lunch\\, with Ann", "SUMMARY:Standup"]


@pytest.mark.parametrize("wanted", ["", "home", "HOME", "cal/home"])
async def test_it_goes_where_the_user_names_it(desk: CalendarDesk, server: Server, wanted: str) -> None:
    await desk.engine.approve((await asked(desk, calendar=wanted)).id)
    assert await ended(desk) is CallState.SUCCEEDED
    assert titles(server, "home") == ["SUMMARY:Lunch\\, with Ann"]


async def test_a_calendar_that_there_is_not_is_named_with_those_that_there_are(desk: CalendarDesk) -> None:
    await desk.says("add lunch", calls(("add_event", {**LUNCH, "calendar": "Choir"})))
    result = await desk.result("add_event")
    assert "no calendar 'Choir' to add to; there are: Home, Work" in result.content


@pytest.mark.parametrize("took", [True, False])
async def test_a_lost_answer_is_looked_up_and_the_event_is_never_there_twice(
    desk: CalendarDesk, server: Server, monkeypatch: pytest.MonkeyPatch, took: bool
) -> None:
    ask = Wire.ask

    async def loses(self: Wire, method: str, url: str, *args: Any) -> Answer:
        if method != "PUT":
            return await ask(self, method, url, *args)
        if took:
            await ask(self, method, url, *args)
        raise ServerError("the connection was lost", "")

    card = await asked(desk)
    monkeypatch.setattr(Wire, "ask", loses)
    await desk.engine.approve(card.id)

    async def known() -> bool:
        [call] = await desk.calls("add_event")
        return call.state in (CallState.SUCCEEDED, CallState.FAILED)

    assert await ended(desk) is not CallState.FAILED
    if not await known():
        [call] = await desk.calls("add_event")
        await desk.engine.answer_unknown(call.id, "check")
    await desk.until(known, step=1.0)
    assert len([each for each in titles(server, "work") if "Lunch" in each]) == took


async def test_a_refusal_is_not_told_as_an_event_that_is_there(
    desk: CalendarDesk, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = Wire.ask

    async def refuses(self: Wire, method: str, url: str, *args: Any) -> Answer:
        return Answer(409, url, {}, b"") if method == "PUT" else await ask(self, method, url, *args)

    card = await asked(desk)
    monkeypatch.setattr(Wire, "ask", refuses)
    await desk.engine.approve(card.id)
    assert await ended(desk) is CallState.FAILED
    assert titles(server, "work") == ["SUMMARY:Standup"]


async def test_a_server_that_is_not_reached_has_got_nothing(
    desk: CalendarDesk, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: Any) -> Answer:
        raise UnreachedError("the calendar server can't be reached", "look at the cable")

    card = await asked(desk)
    monkeypatch.setattr(Wire, "ask", away)
    await desk.engine.approve(card.id)
    assert await ended(desk) is CallState.FAILED
    monkeypatch.undo()
    again = await desk.card()  # the same is asked for again
    assert again.id != card.id
    await desk.engine.approve(again.id)

    async def there() -> bool:
        return len(titles(server, "work")) == 2

    await desk.until(there, step=1.0)
