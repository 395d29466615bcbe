"""Events at a server moved and cancelled: as they were read, once, and no news."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pepper_tui.clock import ManualClock
from pepper_tui.connectors.caldav.wire import Wire
from pepper_tui.connectors.http_server import Answer, ServerError
from pepper_tui.domains.calendar.objects import put_source, sources_of
from pepper_tui.model import CallState
from tests.connectors.caldav.servers import Server, event
from tests.connectors.caldav.test_account import CalendarDesk, at_server
from tests.engine.desk import calls

MOVE = ("change_event", {"event": "standup", "start": "2027-01-06 15:00"})
CANCEL = ("cancel_event", {"event": "standup"})


@pytest.fixture
async def desk(tmp_path: Path, server: Server) -> AsyncIterator[CalendarDesk]:
    server.make("work", "Work")
    server.put("work", "a", event("a", "Standup", "20270105T120000Z"))
    server.put("work", "b", event("b", "Review", "20270105T140000Z"))
    async with at_server(tmp_path, ManualClock(1_799_000_000.0), server) as one:

        async def looked() -> bool:
            return len(await one.signals()) == 2

        await one.until(looked)
        yield one


async def asked(desk: CalendarDesk, call: tuple[str, dict[str, Any]]) -> Any:
    await desk.says("do it", calls(call))
    return await desk.card()


async def ended(desk: CalendarDesk, tool: str) -> CallState:
    async def over() -> CallState | None:
        call = (await desk.calls(tool))[-1]
        return call.state if call.state in (CallState.SUCCEEDED, CallState.FAILED, CallState.UNKNOWN) else None

    found: CallState = await desk.until(over, step=1.0)
    return found


@pytest.mark.parametrize("call", [MOVE, CANCEL], ids=["moved", "cancelled"])
async def test_it_is_done_there_after_the_yes_and_is_no_news(desk: CalendarDesk, server: Server, call: Any) -> None:
    card = await asked(desk, call)
    assert {line.label: line.value for line in card.resolved.lines}["Calendar"] == "cal/work"
    before = server.holds("work")
    await desk.engine.approve(card.id)
    assert await ended(desk, call[0]) is CallState.SUCCEEDED
    after = server.holds("work")
    assert after["b.ics"] == before["b.ics"]
    if call is MOVE:
        assert "DTSTART:20270106T150000Z" in after["a.ics"]
        assert "SEQUENCE:1" in after["a.ics"]
    else:
        assert "a.ics" not in after
    await desk.says("what is on", calls(("agenda", {"start": "2027-01-05", "days": 2})))
    assert ("15:00–16:00: Standup" in (await desk.result("agenda")).content) is (call is MOVE)

    async def noticed() -> bool:
        return len(await desk.signals()) > 2

    await desk.until(noticed, step=2.0)
    for _ in range(4):
        await desk.clock.advance(70)
    assert [each for each in await desk.signals() if not each.startswith("log: ")] == []


@pytest.mark.parametrize("call", [MOVE, CANCEL], ids=["moved", "cancelled"])
async def test_what_has_changed_there_meanwhile_stays(desk: CalendarDesk, server: Server, call: Any) -> None:
    card = await asked(desk, call)
    server.put("work", "a", event("a", "Long standup", "20270105T120000Z"))
    await desk.engine.approve(card.id)
    assert await ended(desk, call[0]) is CallState.FAILED
    assert "SUMMARY:Long standup" in server.holds("work")["a.ics"]


@pytest.mark.parametrize("call", [MOVE, CANCEL], ids=["moved", "cancelled"])
async def test_once_more_after_a_lost_answer_does_no_harm(
    desk: CalendarDesk, server: Server, call: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask, to_lose = Wire.ask, [True]

    async def loses(self: Wire, method: str, url: str, *args: Any) -> Answer:
        answer = await ask(self, method, url, *args)
        if method in ("PUT", "DELETE") and to_lose:
            to_lose.pop()
            raise ServerError("the connection was lost", "")
        return answer

    card = await asked(desk, call)
    monkeypatch.setattr(Wire, "ask", loses)
    await desk.engine.approve(card.id)
    await desk.clock.advance(30)
    again = await desk.card()
    assert "once more does no harm" in again.problem
    await desk.engine.approve(again.id)

    async def succeeded() -> bool:
        return any(each.state is CallState.SUCCEEDED for each in await desk.calls(call[0]))

    await desk.until(succeeded, step=1.0)
    assert len(server.holds("work")) == (2 if call is MOVE else 1)


async def test_a_calendar_that_may_only_be_read_is_left_alone(desk: CalendarDesk, server: Server) -> None:
    [source] = await sources_of(desk.engine.store, "cal")
    await put_source(desk.engine.store, replace(source, may_write=False))
    await desk.says("do it", calls(MOVE))
    assert "can't be written to from here" in (await desk.result("change_event")).content


async def test_a_series_is_moved_as_a_whole_and_is_no_news(desk: CalendarDesk, server: Server) -> None:
    server.put("work", "s", event("s", "Choir", "20270104T180000Z", "RRULE:FREQ=DAILY;COUNT=4\r\n"))

    async def told() -> bool:
        return any("Choir" in each for each in await desk.signals())

    await desk.until(told, step=1.0)
    before = await desk.signals()
    card = await asked(
        desk, ("change_event", {"event": "choir", "day": "2027-01-05", "start": "2027-01-05 19:00", "which": "all"})
    )
    await desk.engine.approve(card.id)
    assert await ended(desk, "change_event") is CallState.SUCCEEDED
    assert "DTSTART:20270104T190000Z" in server.holds("work")["s.ics"]

    async def seen() -> bool:
        return len(await desk.signals()) > len(before)

    await desk.until(seen, step=1.0)
    assert [each for each in (await desk.signals())[len(before) :] if not each.startswith("log: ")] == []


async def test_a_to_do_is_done_at_the_server_after_the_yes(tmp_path: Path, server: Server) -> None:
    server.make("work", "Work")
    todo = event("t", "Pay the rent", "20270105T120000Z").replace("VEVENT", "VTODO").replace("DTEND", "DUE")
    server.put("work", "t", todo)
    server.put("work", "a", event("a", "Standup", "20270105T120000Z"))
    async with at_server(tmp_path, ManualClock(1_799_000_000.0), server) as desk:

        async def looked() -> bool:
            return len(await desk.signals()) == 1

        await desk.until(looked)
        card = await asked(desk, ("complete_todo", {"todo": "rent"}))
        assert {line.label: line.value for line in card.resolved.lines}["Calendar"] == "cal/work"
        assert "STATUS" not in server.holds("work")["t.ics"]
        await desk.engine.approve(card.id)
        assert await ended(desk, "complete_todo") is CallState.SUCCEEDED
        assert "STATUS:COMPLETED" in server.holds("work")["t.ics"]
        await desk.says("what is there to do", calls(("list_todos", {})))
        assert (await desk.result("list_todos")).content == "No to-dos."
