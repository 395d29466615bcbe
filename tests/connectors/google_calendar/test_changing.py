"""Events at Google moved, changed and cancelled: as they were read, field by field, once, and no news."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from pepper_tui.clock import ManualClock
from pepper_tui.connectors.google_calendar.calendars import GoogleCalendars
from pepper_tui.connectors.google_calendar.service import READ
from pepper_tui.domains.calendar.pieces import Piece, pieces
from pepper_tui.domains.calendar.writing.rewriter import Rewriter
from pepper_tui.model import CallState
from pepper_tui.tools.errors import ToolError
from tests.connectors.caldav.test_account import CalendarDesk
from tests.connectors.caldav.test_changing import asked, ended
from tests.connectors.google_calendar.account import ALEX, Copy, allow, at_google, settings_of
from tests.engine.desk import calls
from tests.google import Google

Call = tuple[str, dict[str, Any]]
GUESTS = [
    {"email": ALEX, "self": True, "responseStatus": "accepted"},
    {"email": "ann@example.com", "responseStatus": "tentative", "comment": "from the train", "additionalGuests": 1},
]
MORE: dict[str, Any] = {
    "attendees": GUESTS,
    "conferenceData": {"conferenceId": "abc", "entryPoints": [{"entryPointType": "video", "uri": "https://meet.x/a"}]},
    "reminders": {"useDefault": False, "overrides": [{"method": "popup", "minutes": 3}]},
    "description": "<b>Bring</b> the numbers",
    "colorId": "7",
    "guestsCanInviteOthers": False,
}
"""What must still be there after every change."""
DAILY = ["RRULE:FREQ=DAILY;COUNT=4"]
PATCH, DELETE = "calendar.events.patch", "calendar.events.delete"


@pytest.fixture
async def desk(tmp_path: Path, clock: ManualClock, google: Google) -> AsyncIterator[CalendarDesk]:
    own = google.book.calendar("primary")
    own.put("Standup", "2027-01-05T13:00:00", "2027-01-05T14:00:00", "standup", **MORE)
    own.put("Sync", "2027-01-12T09:00:00", "2027-01-12T09:30:00", "series0", recurrence=DAILY, **MORE)
    holidays = google.book.add("holidays@example.com", "Holidays")
    holidays.put("Epiphany", "2027-01-06", "2027-01-07", "three0")
    async with at_google(tmp_path, clock, google) as one:

        async def looked() -> bool:
            return len(await one.signals()) == 3

        await one.until(looked, step=2.0)
        yield one


def there(google: Google) -> list[str]:
    """The events as Google shows them, by the wall of Berlin."""
    own = google.book.calendar("primary")
    found = []
    for event in own.events.values():
        made = [event]
        if event.get("recurrence") and event["status"] != "cancelled":
            made = [each for each in instances(google, event["id"]) if each["id"] not in own.events]
        found += [each for each in made if each["status"] != "cancelled"]
    return sorted(
        f"{each['start'].get('dateTime', each['start'].get('date'))[8:16]} {each['summary']}" for each in found
    )


def instances(google: Google, ident: str) -> list[dict[str, Any]]:
    from tests.google.client import calendar

    found: list[dict[str, Any]] = (
        calendar(google).events().instances(calendarId="primary", eventId=ident).execute()["items"]
    )
    return found


async def done(desk: CalendarDesk, call: Call) -> None:
    card = await asked(desk, call)
    await desk.engine.approve(card.id)
    assert await ended(desk, call[0]) is CallState.SUCCEEDED, (await desk.calls(call[0]))[-1].error


def change(event: str, **arguments: Any) -> Call:
    return "change_event", {"event": event, **arguments}


def cancel(event: str, **arguments: Any) -> Call:
    return "cancel_event", {"event": event, **arguments}


STANDUP = "05T13:00 Standup"
SYNCS = [f"{day}T09:00 Sync" for day in (12, 13, 14, 15)]
CASES: dict[str, tuple[Call, list[str]]] = {
    "moved": (change("standup", start="2027-01-06 15:00"), ["06T16:00 Standup", *SYNCS]),
    "renamed": (change("standup", title="Long standup"), ["05T13:00 Long standup", *SYNCS]),
    "one time moved": (
        change("sync", day="2027-01-13", start="2027-01-13 10:00"),
        [STANDUP, SYNCS[0], "13T11:00 Sync", *SYNCS[2:]],
    ),
    "all times moved": (
        change("sync", start="2027-01-12 10:00", which="all"),
        [STANDUP, *(f"{day}T11:00 Sync" for day in (12, 13, 14, 15))],
    ),
    "all times renamed": (
        change("sync", title="Chat", which="all"),
        [STANDUP, *(f"{day}T09:00 Chat" for day in (12, 13, 14, 15))],
    ),
    "cancelled": (cancel("standup"), SYNCS),
    "one time cancelled": (cancel("sync", day="2027-01-13"), [STANDUP, SYNCS[0], *SYNCS[2:]]),
    "the rest cancelled": (cancel("sync", day="2027-01-14", which="following"), [STANDUP, *SYNCS[:2]]),
    "all times cancelled": (cancel("sync", which="all"), [STANDUP]),
}


@pytest.mark.parametrize("case", CASES)
async def test_it_is_done_there_after_the_yes_and_nothing_else(desk: CalendarDesk, google: Google, case: str) -> None:
    call, after = CASES[case]
    card = await asked(desk, call)
    assert {line.label: line.value for line in card.resolved.lines}["Calendar"] == "me/alex-example-com"
    assert there(google) == sorted([STANDUP, *SYNCS])
    await desk.engine.approve(card.id)
    assert await ended(desk, call[0]) is CallState.SUCCEEDED, (await desk.calls(call[0]))[-1].error
    assert there(google) == sorted(after)
    [asked_once] = [*google.asked(PATCH), *google.asked(DELETE)]
    assert asked_once.query["sendUpdates"] == ["none"]
    own = google.book.calendar("primary")
    for event in own.events.values():
        if event["status"] != "cancelled":
            assert {name: event[name] for name in MORE} == MORE
            assert event["start"]["timeZone"] == event["end"]["timeZone"] == "Europe/Berlin"
    assert own.invitations == []

    async def noticed() -> bool:
        return len(await desk.signals()) > 3

    await desk.until(noticed, step=2.0)
    for _ in range(2):
        await desk.clock.advance(70)
    assert [each for each in await desk.signals() if not each.startswith("log: ")] == []


@pytest.mark.parametrize("case", ["moved", "one time moved", "all times moved", "one time cancelled", "cancelled"])
async def test_what_has_changed_there_meanwhile_stays(desk: CalendarDesk, google: Google, case: str) -> None:
    call, _ = CASES[case]
    card = await asked(desk, call)
    own = google.book.calendar("primary")
    own.change("standup", summary="Other")
    own.change("series0_20270113T080000Z" if case.startswith("one") else "series0", summary="Other")
    before = there(google)
    await desk.engine.approve(card.id)
    assert await ended(desk, call[0]) is CallState.FAILED
    assert "otherwise by now" in (await desk.calls(call[0]))[-1].error
    assert there(google) == before


@pytest.mark.parametrize("case", ["moved", "one time moved", "one time cancelled", "the rest cancelled", "cancelled"])
async def test_what_changes_between_the_look_and_the_change_stays(
    desk: CalendarDesk, google: Google, case: str
) -> None:
    call, _ = CASES[case]
    card = await asked(desk, call)
    own = google.book.calendar("primary")

    def meanwhile() -> None:
        own.change("standup", summary="Other")
        own.change("series0", summary="Other")

    google.fault(PATCH, meanwhile=meanwhile)
    google.fault(DELETE, meanwhile=meanwhile)
    await desk.engine.approve(card.id)
    assert await ended(desk, call[0]) is CallState.FAILED
    assert [each.status for each in (*google.asked(PATCH), *google.asked(DELETE))] == [412]
    assert len([each for each in there(google) if "Other" in each]) == 5


@pytest.mark.parametrize("case", CASES)
async def test_once_more_after_a_lost_answer_does_no_harm(desk: CalendarDesk, google: Google, case: str) -> None:
    call, after = CASES[case]
    card = await asked(desk, call)
    google.fault(PATCH, drop=True, when="after")
    google.fault(DELETE, drop=True, when="after")
    await desk.engine.approve(card.id)
    await desk.clock.advance(30)
    again = await desk.card()
    assert "once more does no harm" in again.problem
    await desk.engine.approve(again.id)

    async def succeeded() -> bool:
        return any(each.state is CallState.SUCCEEDED for each in await desk.calls(call[0]))

    await desk.until(succeeded, step=1.0)
    assert there(google) == sorted(after)
    assert len([*google.asked(PATCH), *google.asked(DELETE)]) == 1


async def test_each_change_builds_on_the_one_before_at_once(desk: CalendarDesk, google: Google) -> None:
    await done(desk, change("standup", start="2027-01-06 15:00"))
    await done(desk, change("standup", title="Long standup"))
    await done(desk, change("sync", day="2027-01-13", start="2027-01-13 10:00"))
    await done(desk, change("sync", day="2027-01-13", start="2027-01-13 11:00"))
    await done(desk, cancel("sync", day="2027-01-14"))
    await done(desk, change("sync", day="2027-01-12", title="Chat", which="all"))
    after = ["06T16:00 Long standup", "12T09:00 Chat", "13T12:00 Sync", "15T09:00 Chat"]
    assert there(google) == after
    await done(desk, cancel("sync", day="2027-01-13"))
    assert there(google) == [after[0], after[1], after[3]]
    await done(desk, change("chat", start="2027-01-12 07:00", which="all"))
    assert there(google) == [after[0], "12T08:00 Chat", "15T08:00 Chat"]
    await done(desk, cancel("chat", day="2027-01-12"))
    assert there(google) == [after[0], "15T08:00 Chat"]


async def test_times_that_were_changed_one_by_one_are_not_lost_by_moving_all(
    desk: CalendarDesk, google: Google
) -> None:
    await done(desk, change("sync", day="2027-01-13", start="2027-01-13 10:00"))
    before = there(google)
    card = await asked(desk, change("sync", day="2027-01-12", start="2027-01-12 10:00", which="all"))
    await desk.engine.approve(card.id)
    await desk.clock.advance(30)
    again = await desk.card()
    assert "move them one by one" in again.problem
    assert there(google) == before
    await desk.engine.reject(again.id)
    await done(desk, cancel("sync", day="2027-01-13", which="following"))
    assert there(google) == [STANDUP, SYNCS[0]]


async def test_whole_days_stay_days_and_times_stay_in_their_zone(desk: CalendarDesk, google: Google) -> None:
    own = google.book.calendar("primary")
    own.put("Trip", "2027-01-20", "2027-01-22", "trip0")
    own.put("Fast", "2027-01-25", "2027-01-26", "fast0", recurrence=DAILY)
    call = {"dateTime": "2027-01-19T09:00:00-05:00", "timeZone": "America/New_York"}
    ends = {**call, "dateTime": "2027-01-19T10:00:00-05:00"}
    own.insert({"summary": "Call", "id": "call0", "start": call, "end": ends})

    async def read() -> bool:
        return {"Trip", "Fast", "Call"} <= {row["summary"] for row in await desk.rows("raw.calendar")}

    await desk.until(read, step=5.0)
    await done(desk, change("trip", start="2027-01-21"))
    assert (own.events["trip0"]["start"], own.events["trip0"]["end"]) == (
        {"date": "2027-01-21"},
        {"date": "2027-01-23"},
    )
    await done(desk, cancel("fast", day="2027-01-26"))
    await done(desk, change("fast", day="2027-01-27", title="Feast"))
    assert [each for each in there(google) if "ast" in each] == ["25 Fast", "27 Feast", "28 Fast"]
    await done(desk, change("call", start="2027-01-19 16:00"))
    assert own.events["call0"]["start"] == {**call, "dateTime": "2027-01-19T11:00:00-05:00"}


async def test_a_calendar_that_may_only_be_read_is_left_alone(desk: CalendarDesk) -> None:
    await desk.says("do it", calls(change("epiphany", title="Day off")))
    assert "can't be written to from here" in (await desk.result("change_event")).content


async def test_what_became_of_a_change_can_be_looked_up(copy: Copy, google: Google) -> None:
    google.book.calendar("primary").put(
        "Sync", "2027-01-12T09:00:00", "2027-01-12T09:30:00", "series0", recurrence=DAILY, **MORE
    )
    await copy.look()
    calendars, rewriter, second = GoogleCalendars(copy.account, copy.store), Rewriter(), 1_799_827_200.0
    zone = {"zone": "Europe/Berlin", "now": copy.clock.now()}
    wanted: list[Callable[[list[Piece]], str]] = [
        lambda held: rewriter.edited(held, {"summary": "Chat"}, None, second, **zone),
        lambda held: rewriter.edited(held, {"summary": "Talk"}, second, second, **zone),
        lambda held: rewriter.removed(held, second, following=False, **zone),
        lambda held: rewriter.removed(held, second, following=True, **zone),
        lambda held: "",
    ]
    for want in wanted:
        held = await calendars.held("me/alex-example-com", "series0@google.com")
        assert held is not None
        text = await asyncio.to_thread(want, pieces(held.text.encode()))
        assert not await calendars.stands(held, text)
        assert " in alex@example.com of me." in await calendars.rewrite(held, text)
        assert await calendars.stands(held, text)
        assert await calendars.rewrite(held, text) == "It is so in alex@example.com already."
    assert await calendars.held("me/alex-example-com", "series0@google.com") is None


async def test_what_was_not_allowed_is_said_before_the_card(copy: Copy, google: Google) -> None:
    google.book.calendar("primary").put("Trip", "2027-01-20", "2027-01-22", "trip0")
    allow(google, settings_of(google), copy.home, READ)
    copy.begin()
    await copy.look()
    with pytest.raises(ToolError, match=r"may not add or change events at .*; run: pepper accounts signin me"):
        await GoogleCalendars(copy.account, copy.store).held("me/alex-example-com", "trip0@google.com")
