"""The copy of an account's calendars in the store: whole, in step with Google, nothing twice, and each series one."""

from __future__ import annotations

from typing import Any

import pytest

from pepper_tui.connectors import calendar_copies
from pepper_tui.connectors.calendar_copies import HOLD
from pepper_tui.connectors.google_account.errors import GoogleError, LostError, SignInError
from pepper_tui.connectors.google_calendar import copying, listing
from pepper_tui.domains.calendar.objects import sources_of
from tests.connectors.google_calendar.account import ALEX, Copy

WEEKLY = ["RRULE:FREQ=WEEKLY;COUNT=6"]
TEAM = ("Team", "2027-01-05T09:00:00", "2027-01-05T10:00:00", "team0")


def occurrence(day: str, hour: str = "08") -> str:
    return f"team0_202701{day}T{hour}0000Z"


@pytest.fixture(autouse=True)
def filled(copy: Copy) -> None:
    own = copy.google.book.calendar("primary")
    own.put("Lunch", "2027-01-06", "2027-01-07", "lunch")
    own.put(*TEAM, recurrence=WEEKLY)


def lines(text: str, *names: str) -> list[str]:
    return [line for line in text.split("\r\n") if line.startswith(names)]


async def test_all_that_is_there_is_copied_and_a_look_without_a_change_stores_nothing(copy: Copy) -> None:
    assert (await copy.look()).titles == [ALEX]
    there = await copy.there()
    assert {name: each.first for name, each in there.items()} == {"lunch": True, "team0": True}
    assert {each.calendar for each in there.values()} == {"me/alex-example-com"}
    assert lines(there["team0"].text, "DTSTART", "RRULE", "SUMMARY") == [
        "DTSTART;TZID=Europe/Berlin:20270105T090000", "RRULE:FREQ=WEEKLY;COUNT=6", "SUMMARY:Team",
    ]  # fmt: skip
    assert there["lunch"].version == copy.google.book.calendar("primary").events["lunch"]["etag"]
    asked = len(copy.google.log)
    assert (await copy.look()).changed == 0
    assert len(copy.google.log) - asked == 2
    assert await copy.updates() == 2


@pytest.mark.parametrize("page", [1, 1000])
async def test_what_comes_changes_and_goes_is_followed(copy: Copy, monkeypatch: pytest.MonkeyPatch, page: int) -> None:
    monkeypatch.setattr(listing, "PAGE", page)
    await copy.look()
    own = copy.google.book.calendar("primary")
    own.change("lunch", summary="Late lunch")
    own.put("Dinner", "2027-01-06", "2027-01-07", "dinner")
    own.put("Tea", "2027-01-06", "2027-01-07", "teatime")
    own.cancel("team0")
    assert (await copy.look()).changed == 4
    there = await copy.there()
    assert sorted(there) == ["dinner", "lunch", "teatime"]
    assert "SUMMARY:Late lunch" in there["lunch"].text
    assert not any(each.first for each in there.values())
    copy.begin()
    assert (await copy.look()).changed == 0


async def test_an_occurrence_told_of_alone_becomes_a_part_of_its_series(copy: Copy) -> None:
    own = copy.google.book.calendar("primary")
    own.patch(occurrence("12"), {"summary": "Team, by phone"})
    await copy.look()
    moved = {"dateTime": "2027-01-19T15:00:00+01:00", "timeZone": "Europe/Berlin"}
    until = {"dateTime": "2027-01-19T16:00:00+01:00", "timeZone": "Europe/Berlin"}
    own.patch(occurrence("19"), {"start": moved, "end": until})
    own.cancel(occurrence("26"))
    assert (await copy.look()).changed == 1
    text = (await copy.there())["team0"].text
    assert lines(text, "UID", "RECURRENCE-ID", "DTSTART", "SUMMARY", "STATUS") == [
        "UID:team0@google.com", "DTSTART;TZID=Europe/Berlin:20270105T090000", "SUMMARY:Team", "STATUS:CONFIRMED",
        "UID:team0@google.com", "RECURRENCE-ID;TZID=Europe/Berlin:20270112T090000",
        "DTSTART;TZID=Europe/Berlin:20270112T090000", "SUMMARY:Team, by phone".replace(",", "\\,"), "STATUS:CONFIRMED",
        "UID:team0@google.com", "RECURRENCE-ID;TZID=Europe/Berlin:20270119T090000",
        "DTSTART;TZID=Europe/Berlin:20270119T150000", "SUMMARY:Team", "STATUS:CONFIRMED",
        "UID:team0@google.com", "RECURRENCE-ID;TZID=Europe/Berlin:20270126T090000",
        "DTSTART;TZID=Europe/Berlin:20270126T090000", "STATUS:CANCELLED", "SUMMARY:Team",
    ]  # fmt: skip
    own.change("team0", summary="Crew")
    await copy.look()
    titles = lines((await copy.there())["team0"].text, "SUMMARY")
    assert titles == ["SUMMARY:Crew", "SUMMARY:Team\\, by phone", "SUMMARY:Team", "SUMMARY:Team"]
    own.expire_sync_tokens()  # what is read anew is the same
    assert (await copy.look()).changed == 0


async def test_an_occurrence_whose_series_comes_later_or_never(copy: Copy) -> None:
    own = copy.google.book.calendar("primary")
    own.patch(occurrence("12"), {"summary": "One of them"})
    series = own.events.pop("team0"), own.versions.pop("team0")  # the user is invited to one of them alone
    await copy.look()
    assert lines((await copy.there())["team0"].text, "SUMMARY", "UID") == [
        "UID:team0@google.com",
        "SUMMARY:One of them",
    ]
    own.events["team0"], _ = series
    own.change("team0", summary="All of them")
    await copy.look()
    assert lines((await copy.there())["team0"].text, "SUMMARY") == ["SUMMARY:All of them", "SUMMARY:One of them"]


async def test_a_mark_that_google_has_forgotten_is_compared(copy: Copy) -> None:
    await copy.look()
    own = copy.google.book.calendar("primary")
    own.cancel("lunch")
    own.put("Dinner", "2027-01-06", "2027-01-07", "dinner")
    own.expire_sync_tokens()
    assert (await copy.look()).changed == 2
    assert [asked.status for asked in copy.google.asked("calendar.events.list")][-2:] == [410, 200]
    assert {name: each.first for name, each in (await copy.there()).items()} == {"dinner": False, "team0": True}
    assert await copy.updates() == 4  # two at first, one gone, one new


@pytest.mark.parametrize(("module", "broken", "at"), [(calendar_copies, "put_objects", 2), (copying, "put_source", 1)])
async def test_a_look_that_breaks_off_costs_a_part_of_it_and_nothing_else(
    copy: Copy, monkeypatch: pytest.MonkeyPatch, module: Any, broken: str, at: int
) -> None:
    monkeypatch.setattr(copying, "CHUNK", 2)
    own = copy.google.book.calendar("primary")
    for number in range(5):
        own.put(f"Number {number}", "2027-01-06", "2027-01-07", f"number{number}")
    real: Any = getattr(module, broken)
    calls = 0

    async def breaks(*args: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == at:
            raise GoogleError("broken off", "")
        return await real(*args)

    monkeypatch.setattr(module, broken, breaks)
    assert [error.words for error in (await copy.look()).failed.values()] == ["broken off"]
    copy.begin()
    assert not (await copy.look()).failed
    there = await copy.there()
    assert len(there) == 7
    assert all(each.first for each in there.values())
    assert await copy.updates() == 7


async def test_those_ticked_at_google_are_read_or_those_that_the_config_names(copy: Copy) -> None:
    book = copy.google.book
    for name, selected, hidden in (("team", True, False), ("off", False, False), ("old", True, True)):
        one = book.add(f"{name}@example.com", name.title())
        one.put(f"At {name}", "2027-01-06", "2027-01-07", f"{name}00000")
        one.selected, one.hidden = selected, hidden
    assert (await copy.look()).titles == [ALEX, "Team"]
    sources = {each.title: each.may_write for each in await sources_of(copy.store, "me")}
    assert sources == {ALEX: True, "Team": False}
    copy.begin("old", "Choir")
    copied = await copy.look()
    assert copied.titles == ["Old"]
    assert {title: error.remedy for title, error in copied.failed.items()} == {
        "Choir": f"fix calendars in account me; there are: {ALEX}, Off, Old, Team"
    }
    assert sorted(await copy.there()) == ["old00000"]


async def test_a_calendar_that_is_no_longer_listed_is_held_for_a_while(copy: Copy) -> None:
    book = copy.google.book
    book.add("team@example.com", "Team").put("Report", "2027-01-06", "2027-01-07", "report")
    await copy.look()
    del book.calendars["team@example.com"]
    await copy.clock.advance(1)
    await copy.look()
    await copy.clock.advance(HOLD - 1)
    await copy.look()
    assert "report" in await copy.there()
    await copy.clock.advance(1)
    await copy.look()
    assert sorted(await copy.there()) == ["lunch", "team0"]


async def test_one_event_that_can_not_be_read_costs_itself_and_is_not_gone(
    copy: Copy, monkeypatch: pytest.MonkeyPatch
) -> None:
    await copy.look()
    own = copy.google.book.calendar("primary")
    own.put("Dinner", "2027-01-06", "2027-01-07", "dinner")
    own.events["lunch"]["recurrence"] = ["RRULE:FREQ=DAILY\nSUMMARY:Evil"]
    own.expire_sync_tokens()
    assert (await copy.look()).unread == 1
    assert (await copy.look()).unread == 1
    there = await copy.there()
    assert sorted(there) == ["dinner", "lunch", "team0"]
    assert lines(there["lunch"].text, "SUMMARY") == ["SUMMARY:Lunch"]


async def test_a_grant_that_ended_and_a_server_that_is_too_busy_are_told(
    copy: Copy, monkeypatch: pytest.MonkeyPatch
) -> None:
    await copy.look()
    copy.google.fault("calendar.events.list", status=503, times=99)

    async def at_once(seconds: float) -> None:
        if seconds >= 100:  # the longest that a call may take
            await real(seconds)

    real = copy.clock.sleep
    monkeypatch.setattr(copy.clock, "sleep", at_once)
    with pytest.raises(LostError):
        await copy.look()
    copy.google.service.faults.clear()
    copy.google.service.sign_in.end_grants()
    with pytest.raises(SignInError, match="invalid_grant") as told:
        await copy.look()
    assert told.value.remedy == "run: pepper accounts signin me"


async def test_one_calendar_that_goes_meanwhile_costs_itself(copy: Copy) -> None:
    book = copy.google.book
    book.add("team@example.com", "Team").put("Report", "2027-01-06", "2027-01-07", "report")
    copy.google.fault("calendar.events.list", meanwhile=lambda: book.calendars.pop("team@example.com"), skip=1)
    copied = await copy.look()
    assert list(copied.failed) == ["Team"]
    assert sorted(await copy.there()) == ["lunch", "team0"]
