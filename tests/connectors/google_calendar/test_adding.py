"""An event added to a calendar at Google: after the user's yes, once, and known at once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from pepper_tui.clock import ManualClock
from pepper_tui.connectors.google_calendar import copying
from pepper_tui.connectors.google_calendar.calendars import GoogleCalendars
from pepper_tui.connectors.google_calendar.own_events import own_id
from pepper_tui.connectors.google_calendar.service import READ
from pepper_tui.domains.calendar.objects import OBJECTS
from pepper_tui.model import CallState, ContextFilter
from pepper_tui.tools.errors import NotDoneError
from tests.connectors.caldav.test_account import CalendarDesk
from tests.connectors.caldav.test_adding import ended
from tests.connectors.google_calendar.account import Copy, allow, at_google, kept, settings_of
from tests.engine.desk import calls
from tests.google import Google
from tests.google.calendar.book import OWN_ID

LUNCH = {"title": "Lunch, with Ann", "start": "2027-01-05 12:30", "minutes": 45, "location": "Luigi's", "notes": "a\nb"}
COPIED = ContextFilter(namespaces=[OBJECTS], limit=None)
INSERT = "calendar.events.insert"


UID, PLACE = "pepper-0123", "google:me/alex-example-com:pepper-0123"
TIMES = b"DTSTART:20270105T123000Z\r\nDTEND:20270105T130000Z\r\n"
TEA = b"BEGIN:VEVENT\r\nUID:pepper-0123\r\n" + TIMES + b"SUMMARY:Tea\r\nEND:VEVENT\r\n"


async def begun(desk: CalendarDesk) -> None:
    async def looked() -> bool:
        return bool(await desk.signals())

    await desk.until(looked, step=2.0)


@pytest.fixture
async def desk(tmp_path: Path, clock: ManualClock, google: Google) -> AsyncIterator[CalendarDesk]:
    google.book.calendar("primary").put("Standup", "2027-01-05T13:00:00", "2027-01-05T14:00:00", "standup")
    google.book.add("holidays@example.com", "Holidays")
    google.book.add("aaa@example.com", "Aaa", "writer")
    async with at_google(tmp_path, clock, google) as one:
        await begun(one)
        yield one


async def asked(desk: CalendarDesk, **changes: Any) -> Any:
    await desk.says("add lunch", calls(("add_event", {**LUNCH, **changes})))
    return await desk.card()


def titles(google: Google) -> list[str]:
    events = google.book.calendar("primary").events.values()
    return sorted(each["summary"] for each in events if each["status"] != "cancelled")


async def test_it_is_added_after_the_yes_once_and_is_no_news(desk: CalendarDesk, google: Google) -> None:
    card = await asked(desk)
    shown = {line.label: line.value for line in card.resolved.lines}
    assert (shown["Calendar"], shown["Overlaps"]) == ("me/alex-example-com", "Standup")
    assert titles(google) == ["Standup"]
    await desk.engine.approve(card.id)
    assert await ended(desk) is CallState.SUCCEEDED
    assert titles(google) == ["Lunch, with Ann", "Standup"]
    [made] = [each for each in google.book.calendar("primary").events.values() if "Lunch" in each["summary"]]
    assert (made["location"], made["description"]) == ("Luigi's", "a\nb")
    await desk.says("what is on", calls(("agenda", {"start": "2027-01-05"})))
    assert "12:30–13:15: Lunch, with Ann" in (await desk.result("agenda")).content
    before = [context.version for context in await desk.engine.store.query(COPIED)]
    await desk.clock.advance(200)
    await desk.restart()
    await desk.clock.advance(200)
    assert [context.version for context in await desk.engine.store.query(COPIED)] == before
    assert [each for each in await desk.signals() if "Lunch" in each and not each.startswith("log: ")] == []


async def test_whole_days_are_days_at_google(desk: CalendarDesk, google: Google) -> None:
    card = await asked(desk, start="2027-01-05", all_day=True, minutes=2 * 1440)
    await desk.engine.approve(card.id)
    assert await ended(desk) is CallState.SUCCEEDED
    [made] = [each for each in google.book.calendar("primary").events.values() if "Lunch" in each["summary"]]
    assert (made["start"], made["end"]) == ({"date": "2027-01-05"}, {"date": "2027-01-07"})


@pytest.mark.parametrize("took", [True, False])
async def test_a_lost_answer_is_looked_up_and_the_event_is_never_there_twice(
    desk: CalendarDesk, google: Google, took: bool
) -> None:
    card = await asked(desk)
    google.fault(INSERT, drop=True, when="after" if took else "before")
    await desk.engine.approve(card.id)

    async def known() -> bool:
        [call] = await desk.calls("add_event")
        return call.state in (CallState.SUCCEEDED, CallState.FAILED)

    assert await ended(desk) is not CallState.FAILED
    if not await known():
        [call] = await desk.calls("add_event")
        await desk.engine.answer_unknown(call.id, "check")
    await desk.until(known, step=1.0)
    assert len([each for each in titles(google) if "Lunch" in each]) == took
    assert len(google.asked(INSERT)) == 1


async def test_the_same_event_is_taken_for_the_same_and_one_that_was_deleted_is_told(
    copy: Copy, google: Google
) -> None:
    await copy.look()
    calendars = GoogleCalendars(copy.account, copy.store)
    assert not await calendars.holds(PLACE, UID)
    assert await calendars.add(PLACE, UID, TEA, "") == "Added to alex@example.com of me."
    assert await calendars.add(PLACE, UID, TEA, "") == "It is in alex@example.com already."
    assert titles(google) == ["Tea"]
    google.book.calendar("primary").cancel(own_id(UID))
    assert not await calendars.holds(PLACE, UID)
    with pytest.raises(NotDoneError, match="has been deleted"):
        await calendars.add(PLACE, UID, TEA, "")
    assert OWN_ID.fullmatch(own_id(UID))


async def test_what_is_added_while_a_calendar_is_read_anew_stays(
    copy: Copy, google: Google, monkeypatch: pytest.MonkeyPatch
) -> None:
    await copy.look()
    google.book.calendar("primary").expire_sync_tokens()
    calendars, changes = GoogleCalendars(copy.account, copy.store), copying.changes

    async def then_added(*args: Any) -> Any:
        found = await changes(*args)
        await calendars.add(PLACE, UID, TEA, "")
        return found

    monkeypatch.setattr(copying, "changes", then_added)
    await copy.look()
    assert list(await copy.there()) == [own_id(UID)]


async def test_a_refusal_and_a_server_that_is_away_have_done_nothing(desk: CalendarDesk, google: Google) -> None:
    card = await asked(desk)
    google.book.calendar("primary").role = "reader"
    await desk.engine.approve(card.id)
    assert await ended(desk) is CallState.FAILED
    assert titles(google) == ["Standup"]


async def test_what_was_not_allowed_is_asked_for_at_the_next_sign_in(
    tmp_path: Path, clock: ManualClock, google: Google
) -> None:
    google.book.calendar("primary").put("Standup", "2027-01-05T13:00:00", "2027-01-05T14:00:00", "standup")
    async with at_google(tmp_path, clock, google, READ) as desk:
        await begun(desk)
        await desk.says("add lunch", calls(("add_event", LUNCH)))
        result = await desk.result("add_event")
        assert "Pepper may not add or change events at alex@example.com yet" in result.content
        assert "pepper accounts signin me" in result.content
        grant = kept(settings_of(google), tmp_path)
        assert grant is not None
        assert grant.wanted == ["add"]
        allow(google, settings_of(google), tmp_path)
        await desk.engine.approve((await asked(desk)).id)

        async def there() -> bool:
            return "Lunch, with Ann" in titles(google)

        await desk.until(there, step=1.0)


async def test_a_calendar_that_is_read_only_takes_nothing(desk: CalendarDesk) -> None:
    await desk.says("add lunch", calls(("add_event", {**LUNCH, "calendar": "Holidays"})))
    result = await desk.result("add_event")
    assert "no calendar 'Holidays' to add to; there are: alex@example.com, Aaa" in result.content
