"""An invitation by mail, and calendars at a server: answered through either, once, and never shown twice."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from pepper_tui.clock import ManualClock
from pepper_tui.connectors.caldav.wire import Wire
from pepper_tui.connectors.http_server import Answer, ServerError
from pepper_tui.model import Approval, CallState
from tests.connectors.caldav.servers import PASSWORD, USER, Server
from tests.connectors.caldav.test_account import CONFIG, CalendarDesk
from tests.domains.invitations.invited import BEN, HOUR, SAM, event, invitation
from tests.domains.mail.mails import deliver, make_maildir
from tests.engine.desk import calls
from tests.tools.sink import Sink

MAIL = """[[account]]
id = "mail"
kind = "maildir"
paths = "mail"
address = "sam@home.example"
smtp = {{ host = "127.0.0.1", port = {port}, security = "none" }}
"""
START = 1_799_000_000.0 + 30 * HOUR
ACCEPT = calls(("answer_invitation", {"invitation": "numbers", "answer": "accept"}))


class Both(CalendarDesk):
    """A desk with a calendar account and a Maildir."""

    def __init__(self, home: Path, server: Server, smtp: Sink) -> None:
        self.root, self.smtp, self._count = make_maildir(home / "mail"), smtp, 0
        text = CONFIG.format(url=server.url) + MAIL.format(port=smtp.port)
        super().__init__(home, ManualClock(1_799_000_000.0), text, f"cal = '{PASSWORD}'")

    async def come(self, *events: str, method: str = "REQUEST") -> None:
        self._count += 1
        deliver(self.root, invitation(method, *events, number=self._count), f"{self._count}.host")
        await self.until_told("Cancelled" if method == "CANCEL" else "Invitation")

    async def until_told(self, begin: str) -> None:
        async def there() -> bool:
            return any(line.partition(": ")[2].startswith(begin) for line in await self.signals())

        await self.until(there, 0.5)

    async def accepts(self) -> Approval:
        await self.says("accept it", ACCEPT)
        card: Approval = await self.card()
        return card

    async def ended(self) -> CallState:
        async def over() -> CallState | None:
            call = (await self.calls("answer_invitation"))[-1]
            return call.state if call.state in (CallState.SUCCEEDED, CallState.FAILED, CallState.UNKNOWN) else None

        found: CallState = await self.until(over, step=1.0)
        return found


@pytest.fixture
async def desk(tmp_path: Path, server: Server) -> AsyncIterator[Both]:
    server.make("work", "Work")
    async with Sink() as smtp, Both(tmp_path, server, smtp) as one:

        async def looked() -> bool:
            found = [await one.health(f"feed.{part}") for part in ("cal", "mail")]
            return all(each.startswith("ok") for each in found)

        await one.until(looked, 0.5)
        yield one


def lines(server: Server) -> list[str]:
    """The lines of the one object in the calendar."""
    [text] = server.holds("work").values()
    return text.replace("\r", "").replace("\n ", "").split("\n")


async def test_what_it_overlaps_is_on_the_cards_and_no_news_after_the_yes(desk: Both, server: Server) -> None:
    busy = event(START, "busy-1", "Dentist", attendee="X-A:1", organizer=SAM)
    server.put("work", "busy", f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n{busy}\r\nEND:VCALENDAR\r\n")
    await desk.until_told("New event: Dentist")
    await desk.come(event(START))
    [asks] = await desk.until(desk.questions)
    assert "Overlaps: Dentist" in asks.body
    card = await desk.accepts()
    assert {line.label: line.value for line in card.resolved.lines}["Overlaps"] == "Dentist"
    await desk.engine.approve(card.id)
    assert await desk.ended() is CallState.SUCCEEDED
    for _ in range(3):
        await desk.clock.advance(70)
    assert not [each for each in await desk.signals() if "Conflict" in each and not each.startswith("log: ")]


async def test_what_is_accepted_goes_into_the_first_calendar_and_is_no_news_there(desk: Both, server: Server) -> None:
    await desk.come(event(START))
    card = await desk.accepts()
    shown = {line.label: line.value for line in card.resolved.lines}
    assert shown["Goes into"] == "cal/work"
    assert server.holds("work") == {}
    await desk.engine.approve(card.id)
    assert await desk.ended() is CallState.SUCCEEDED
    assert f"ATTENDEE;PARTSTAT=ACCEPTED:mailto:{SAM}" in lines(server)
    assert f"ORGANIZER;CN=Ben Ort;SCHEDULE-AGENT=CLIENT:mailto:{BEN}" in lines(server)
    assert [taken.recipients for taken in desk.smtp.taken] == [[BEN]]
    for _ in range(4):
        await desk.clock.advance(70)
    await desk.says("what is on", calls(("agenda", {"start": "tomorrow", "days": 2})))
    assert (await desk.result("agenda")).content.count("Quarterly numbers") == 1
    loud = [each for each in await desk.signals() if not each.startswith("log: ")]
    assert [each.split(" — ")[0] for each in loud] == ["normal: Invitation: Quarterly numbers"]


@pytest.mark.parametrize("lost", [False, True])
async def test_what_a_calendar_holds_is_answered_there_once(
    desk: Both, server: Server, lost: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.come(event(START))
    whole = f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n{event(START)}\r\nEND:VCALENDAR\r\n"
    server.put("work", "numbers", whole)  # as Exchange and others do

    async def copied() -> bool:
        return any(row["calendar"] == "cal/work" for row in await desk.rows("raw.calendar"))

    await desk.until(copied, 1.0)
    await desk.says("what is on", calls(("agenda", {"start": "tomorrow", "days": 2})))
    assert (await desk.result("agenda")).content.count("Quarterly numbers") == 1
    card = await desk.accepts()
    ask, to_lose = Wire.ask, [True] if lost else []

    async def loses(self: Wire, method: str, url: str, *args: Any) -> Answer:
        answer = await ask(self, method, url, *args)
        if method == "PUT" and to_lose:
            to_lose.pop()
            raise ServerError("the connection was lost", "")
        return answer

    monkeypatch.setattr(Wire, "ask", loses)
    await desk.engine.approve(card.id)
    if lost:
        await desk.clock.advance(30)
        again: Approval = await desk.card()
        assert "once more does no harm" in again.problem
        assert desk.smtp.taken == []
        await desk.engine.approve(again.id)

    async def sent() -> bool:
        return len(desk.smtp.taken) == 1

    await desk.until(sent, 1.0)
    assert f"ATTENDEE;PARTSTAT=ACCEPTED:mailto:{SAM}" in lines(server)


async def test_what_has_changed_there_meanwhile_is_not_overwritten(desk: Both, server: Server) -> None:
    whole = f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n{event(START)}\r\nEND:VCALENDAR\r\n"
    server.put("work", "numbers", whole)
    await desk.until_told("Invitation: Quarterly numbers")  # a server's own delivery asks, too
    card = await desk.accepts()
    server.put("work", "numbers", whole.replace("Room 4", "Room 5"))
    await desk.engine.approve(card.id)
    assert await desk.ended() is CallState.FAILED
    assert "LOCATION:Room 5" in lines(server)
    assert desk.smtp.taken == []


async def test_what_the_organizer_moves_and_calls_off_after_the_yes_is_changed_there_by_a_yes(
    desk: Both, server: Server
) -> None:
    await desk.come(event(START))
    await desk.engine.approve((await desk.accepts()).id)
    assert await desk.ended() is CallState.SUCCEEDED

    async def asks(begin: str) -> str:
        return next((each.id for each in await desk.questions() if each.title.startswith(begin)), "")

    deliver(desk.root, invitation("REQUEST", event(START + HOUR, sequence=1), number=7), "7.host")
    question = await desk.until(lambda: asks("Moved: Quarterly numbers"), 0.5)
    await desk.engine.choose(f"notification:{question}", 1)
    await desk.engine.approve((await desk.card()).id)

    async def moved() -> bool:
        return "SEQUENCE:1" in lines(server) and len(desk.smtp.taken) == 2

    await desk.until(moved, 1.0)
    assert f"ATTENDEE;PARTSTAT=ACCEPTED:mailto:{SAM}" in lines(server)
    for _ in range(3):
        await desk.clock.advance(70)
    deliver(desk.root, invitation("CANCEL", event(START + HOUR, sequence=2), number=8), "8.host")
    question = await desk.until(lambda: asks("Cancelled: Quarterly numbers"), 0.5)
    assert len(server.holds("work")) == 1, "nothing is removed before a yes"
    await desk.engine.choose(f"notification:{question}", 1)
    await desk.engine.approve((await desk.card()).id)

    async def gone() -> bool:
        return not [*(server.folder / "collection-root" / USER / "work").glob("*.ics")]

    await desk.until(gone, 1.0)
    for _ in range(3):
        await desk.clock.advance(70)
    said = [each for each in await desk.signals() if not each.startswith("log: ")]
    assert [each.split(":")[1] for each in said] == [" Invitation", " Moved", " Cancelled"], "each is told once"


async def test_an_answer_is_thought_better_of(desk: Both, server: Server) -> None:
    await desk.come(event(START))
    await desk.engine.approve((await desk.accepts()).id)
    assert await desk.ended() is CallState.SUCCEEDED
    await desk.says("no, decline", calls(("answer_invitation", {"invitation": "numbers", "answer": "decline"})))
    await desk.engine.approve((await desk.card()).id)

    async def declined() -> bool:
        return f"ATTENDEE;PARTSTAT=DECLINED:mailto:{SAM}" in lines(server) and len(desk.smtp.taken) == 2

    await desk.until(declined, 1.0)


async def test_one_time_of_a_series_is_answered_there_and_again_when_its_organizer_moves_it(
    desk: Both, server: Server
) -> None:
    await desk.come(event(START, more=("RRULE:FREQ=DAILY;COUNT=3",)))
    await desk.engine.approve((await desk.accepts()).id)
    assert await desk.ended() is CallState.SUCCEEDED

    async def copied() -> bool:
        return any(row["calendar"] == "cal/work" for row in await desk.rows("raw.calendar"))

    await desk.until(copied, 1.0)
    await desk.says("not on the 6th", calls(("answer_invitation", {
        "invitation": "numbers", "answer": "decline", "day": "2027-01-06",
    })))  # fmt: skip
    await desk.engine.approve((await desk.card()).id)

    def parts() -> tuple[str, str]:
        """The series, and its one changed time."""
        both = "\n".join(lines(server)).split("BEGIN:VEVENT")
        return both[1], both[2] if len(both) > 2 else ""

    async def declined() -> bool:
        return "PARTSTAT=DECLINED" in parts()[1] and len(desk.smtp.taken) == 2

    await desk.until(declined, 0.1)
    assert "PARTSTAT=ACCEPTED" in parts()[0]
    for _ in range(3):
        await desk.clock.advance(70)
    single = next(line for line in parts()[1].split("\n") if line.startswith("RECURRENCE-ID"))
    moved = event(START + 26 * HOUR, sequence=1, more=(single,))
    deliver(desk.root, invitation("REQUEST", moved, number=7), "7.host")

    async def asks() -> str:
        return next((each.id for each in await desk.questions() if each.title.startswith("Moved")), "")

    await desk.engine.choose(f"notification:{await desk.until(asks, 0.5)}", 1)
    await desk.engine.approve((await desk.card()).id)

    async def accepted() -> bool:
        return "PARTSTAT=ACCEPTED" in parts()[1] and "SEQUENCE:1" in parts()[1] and len(desk.smtp.taken) == 3

    await desk.until(accepted, 0.1)
    assert "SEQUENCE:0" in parts()[0], "the others stay as they are"
    loud = [each.split(" — ")[0] for each in await desk.signals() if not each.startswith("log: ")]
    assert loud == ["normal: Invitation: Quarterly numbers", "normal: Moved: Quarterly numbers"]
