"""An account at Google in a whole engine: what changed there is told, once, and answered from."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pepper_tui.clock import ManualClock
from pepper_tui.setup.accounts.book import AccountBook
from pepper_tui.setup.accounts.desk import AccountDesk
from tests.connectors.caldav.test_account import CalendarDesk
from tests.connectors.google_calendar.account import ALEX, SECRET, allow, at_google, settings_of
from tests.engine.desk import calls
from tests.google import Google
from tests.google.calendar.book import Calendar

BEFORE = [
    "log: New event: Team — Tue 05 Jan 08:00",
    "log: New event: Lunch — Wed 06 Jan, all day",
]


@pytest.fixture
def own(google: Google) -> Calendar:
    own = google.book.calendar("primary")
    own.put("Team", "2027-01-05T09:00:00", "2027-01-05T10:00:00", "team0", recurrence=["RRULE:FREQ=WEEKLY;COUNT=6"])
    own.put("Lunch", "2027-01-06", "2027-01-07", "lunch")
    own.cancel("team0_20270202T080000Z")
    return own


@pytest.fixture
async def desk(tmp_path: Path, clock: ManualClock, google: Google, own: Calendar) -> AsyncIterator[CalendarDesk]:
    async with at_google(tmp_path, clock, google) as one:
        await told(one, 3)
        yield one


async def told(desk: CalendarDesk, count: int) -> list[str]:
    """The signals beyond those at first sight, once there are so many in all."""

    async def there() -> bool:
        return len(await desk.signals()) >= count

    await desk.until(there, step=2.0)
    return (await desk.signals())[3:]


async def test_the_first_look_is_silent_and_each_change_is_told_once(
    desk: CalendarDesk, google: Google, own: Calendar
) -> None:
    assert sorted(await desk.signals()) == sorted([*BEFORE, "log: Cancelled: Team — Tue 02 Feb 08:00"])
    own.put("Review", "2027-01-07T13:00:00", "2027-01-07T14:00:00", "report")
    own.change("lunch", start={"date": "2027-01-08"}, end={"date": "2027-01-09"})
    berlin = {"timeZone": "Europe/Berlin"}
    later = {"dateTime": "2027-01-12T15:00:00+01:00", **berlin}, {"dateTime": "2027-01-12T16:00:00+01:00", **berlin}
    own.patch("team0_20270112T080000Z", {"start": later[0], "end": later[1]})
    own.cancel("team0_20270119T080000Z")
    assert sorted(await told(desk, 7)) == [
        "normal: Cancelled: Team — Tue 19 Jan 08:00",
        "normal: Moved: Lunch — Fri 08 Jan, all day (was Wed 06 Jan, all day)",
        "normal: New event: Review — Thu 07 Jan 12:00",
        "normal: New event: Team — Tue 12 Jan 14:00",
    ]
    own.cancel("report")
    assert (await told(desk, 8))[-1] == "normal: Cancelled: Review — Thu 07 Jan 12:00"
    own.expire_sync_tokens()
    await desk.clock.advance(200)
    await desk.restart()
    await desk.clock.advance(200)
    await desk.says("what is on", calls(("agenda", {"start": "2027-01-12", "days": 10})))
    result = await desk.result("agenda")
    assert "14:00–15:00: Team" in result.content
    assert "08:00" not in result.content
    assert len(await desk.signals()) == 8


async def test_a_calendar_that_the_user_unticks_and_ticks_again_is_no_news(
    desk: CalendarDesk, google: Google, own: Calendar
) -> None:
    team = google.book.add("team@example.com", "Team")
    team.put("Retro", "2027-01-11T13:00:00", "2027-01-11T14:00:00", "retro0")
    assert await told(desk, 4) == ["log: New event: Retro — Mon 11 Jan 12:00"]
    team.selected = False
    assert (await told(desk, 5))[1:] == ["log: Cancelled: Retro — Mon 11 Jan 12:00"]
    team.selected = True
    [again] = (await told(desk, 6))[2:]
    assert again.startswith("log: ")
    team.put("Demo", "2027-01-12T13:00:00", "2027-01-12T14:00:00", "demo00")
    assert (await told(desk, 7))[3:] == ["normal: New event: Demo — Tue 12 Jan 12:00"]


async def test_what_is_off_already_when_a_series_is_heard_of_is_no_news(
    desk: CalendarDesk, google: Google, own: Calendar
) -> None:
    weekly = ["RRULE:FREQ=WEEKLY;COUNT=6"]
    with google.service.lock:  # one look sees both
        own.put("Yoga", "2027-01-07T18:00:00", "2027-01-07T19:00:00", "ioga0", recurrence=weekly)
        own.cancel("ioga0_20270114T170000Z")
    assert sorted(await told(desk, 5)) == [
        "log: Cancelled: Yoga — Thu 14 Jan 17:00",
        "normal: New event: Yoga — Thu 07 Jan 17:00",
    ]


async def test_a_sign_in_that_ended_is_told_and_another_one_goes_on(
    desk: CalendarDesk, google: Google, own: Calendar, tmp_path: Path
) -> None:
    google.service.sign_in.end_grants()

    async def troubled() -> bool:
        return "invalid_grant" in await desk.health("feed.me")

    await desk.until(troubled, step=2.0)
    [row] = [each for each in await desk.rows("health") if each["part"] == "feed.me"]
    assert row["remedy"] == "run: pepper accounts signin me"
    own.put("Review", "2027-01-07T13:00:00", "2027-01-07T14:00:00", "report")
    allow(google, settings_of(google), tmp_path)
    assert await told(desk, 4) == ["normal: New event: Review — Thu 07 Jan 12:00"]

    async def well() -> bool:
        return (await desk.health("feed.me")).startswith(f"ok: looking each 60 s at {ALEX}")

    await desk.until(well, step=2.0)


async def test_a_limit_that_is_reached_is_waited_for(desk: CalendarDesk, google: Google, own: Calendar) -> None:
    google.fault("calendar.*", status=403, times=3, retry_after=20)
    own.put("Review", "2027-01-07T13:00:00", "2027-01-07T14:00:00", "report")
    assert await told(desk, 4) == ["normal: New event: Review — Thu 07 Jan 12:00"]
    assert [asked.status for asked in google.log if asked.command.startswith("calendar.")].count(403) == 3


async def test_the_accounts_screen_lists_and_tests_it(
    tmp_path: Path, clock: ManualClock, google: Google, own: Calendar, monkeypatch: pytest.MonkeyPatch
) -> None:
    google.service.sign_in.now = google.service.now = time.time
    at_google(tmp_path, clock, google)
    google.book.add("team@example.com", "Team")
    accounts = AccountDesk(tmp_path)
    [row] = await accounts.rows()
    assert row.words == f"google_calendar · {ALEX}"
    assert AccountBook(tmp_path).known_address(ALEX, "gmail") == ""  # of mail there is none
    [found] = await accounts.test("me")
    assert (found.state, found.detail) == (
        "ok", f"2 calendars: {ALEX}, Team (read only); Pepper may read your calendars and add or change events",
    )  # fmt: skip
    google.service.sign_in.end_grants()
    [found] = await accounts.test("me")
    assert (found.state, found.remedy) == ("trouble", "run: pepper accounts signin me")
    assert SECRET["CLIENT_SECRET"] not in found.detail
