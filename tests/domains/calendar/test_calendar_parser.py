"""Each event, time zone and series of a calendar is an item of the parser process: it costs no other anything."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from pepper_tui.clock import ManualClock
from pepper_tui.config import Calendar
from pepper_tui.domains.calendar import agenda as agenda_module
from pepper_tui.domains.calendar import reading
from pepper_tui.domains.calendar.agenda import Agenda
from pepper_tui.domains.calendar.bounded import CalendarParser
from pepper_tui.domains.calendar.feed import CalendarFeed
from pepper_tui.domains.calendar.pieces import pieces
from pepper_tui.store import ContextStore
from tests.domains.calendar.test_blind_calendar import COSTLY, QUICK, Counted
from tests.feeds.ruled import triage_of
from tests.feeds.test_rules import CONFIG, event, ics, pass_until, run

BERLIN = ZoneInfo("Europe/Berlin")
START = datetime(2026, 11, 29, tzinfo=UTC).timestamp()
HOUR = 3600.0


def crowded(title: str, count: int = 60_000) -> str:
    """An event that takes seconds to read."""
    many = "\r\n".join(f"ATTENDEE;CN=x:mailto:{n}@example.org" for n in range(count))
    return f"UID:{title}\r\nSUMMARY:{title}\r\nDTSTART:20261129T100000Z\r\n{many}"


def zone(name: str, rule: str = "FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU") -> str:
    parts = "".join(
        f"BEGIN:{part}\r\nDTSTART:1970{month}01T000000\r\nRRULE:{rule}\r\nTZOFFSETFROM:+0300\r\nTZOFFSETTO:+0300\r\n"
        f"END:{part}\r\n"
        for part, month in (("STANDARD", "01"), ("DAYLIGHT", "03"))
    )
    return f"BEGIN:VTIMEZONE\r\nTZID:{name}\r\n{parts}END:VTIMEZONE\r\n"


@pytest.fixture
def counted() -> Iterator[Counted]:
    made = Counted("pepper_tui.domains.calendar.reading", seconds=0.4)
    yield made
    made.end()


async def test_an_event_that_takes_too_long_is_named_once_and_the_others_are_read(
    counted: Counted, tmp_path: Path
) -> None:
    path = tmp_path / "team.ics"
    agenda = Agenda([path], BERLIN, parser=CalendarParser(counted))
    for title in ("a", "b"):  # the file changes, that event does not
        path.write_text(ics(event("first", START), crowded("Crowd"), event(title, START + HOUR)))
        assert [one.uid for one in await agenda.events()] == ["first", title]
        assert agenda.defects == ["team.ics: Crowd: not read: it takes more than 0.4 s of processor time"]
        assert agenda.is_unread("team", "Crowd")
        assert not agenda.is_unread("team", title)
    assert counted.ended == 1


async def test_an_event_that_takes_too_much_memory_is_named(tmp_path: Path) -> None:
    path = tmp_path / "team.ics"
    path.write_text(ics(crowded("Crowd", 80_000), event("a", START)))
    small = Counted("pepper_tui.domains.calendar.reading", seconds=30, megabytes=16)
    agenda = Agenda([path], BERLIN, parser=CalendarParser(small))
    try:
        assert [one.uid for one in await agenda.events()] == ["a"]
    finally:
        small.end()
    assert agenda.defects == ["team.ics: Crowd: not read: it takes more than 16 MB of memory"]


async def test_what_can_not_be_read_any_more_is_not_told_as_cancelled(
    store: ContextStore, clock: ManualClock, tmp_path: Path
) -> None:
    path = tmp_path / "team.ics"
    agenda = Agenda([path], BERLIN, parser=QUICK)
    feed = CalendarFeed(Calendar(paths=[path], starts_soon=0), triage_of(CONFIG), agenda)
    path.write_text(ics(event("Crowd", clock.now() + 9000), event("b", clock.now() + 20000)))
    feeds, subscriber = await run(store, clock, feed)
    await pass_until(store, clock, "calendar", 2)
    path.write_text(ics(crowded("Crowd"), event("c", clock.now() + 30000)))
    told = await pass_until(store, clock, "calendar", 4)
    assert sorted(one.split(":")[0] for one in told) == ["Cancelled", "New event", "New event", "New event"]
    assert not any("Cancelled" in one and "Crowd" in one for one in told)
    await feeds.stop()
    await subscriber.stop()


async def test_a_file_whose_events_end_the_process_holds_no_other_up(
    counted: Counted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agenda_module, "DEADLINE", 0.1)
    (tmp_path / "a.ics").write_text(ics(*(crowded(f"Crowd {n}", 40_000) for n in range(3)), event("late", START)))
    (tmp_path / "b.ics").write_text(ics(event("own", START)))
    agenda = Agenda([tmp_path], BERLIN, parser=CalendarParser(counted))
    assert sorted(one.uid for one in await agenda.events()) == ["late", "own"]
    assert counted.ended == 1
    assert "a.ics: 2 of its events are not read yet" in agenda.defects
    assert agenda.is_unread("a", "late"), "it may come again in what is not read yet"
    (tmp_path / "c.ics").write_text(ics(crowded("Large", 5_000)))
    assert sorted(one.uid for one in await agenda.events()) == ["Large", "late", "own"]
    assert counted.ended == 2
    await agenda.events()
    assert not agenda.is_unread("a", "late")
    assert len(agenda.defects) == counted.ended == 3


async def test_a_series_that_takes_too_long_leaves_no_conflict_unsaid(tmp_path: Path) -> None:
    path = tmp_path / "team.ics"
    path.write_text(ics(COSTLY["since the year 1"], event("a", START), event("b", START)))
    agenda = Agenda([path], BERLIN, parser=QUICK)
    [(one, other)] = await agenda.conflicts(START, START + HOUR)
    assert {one.uid, other.uid} == {"a", "b"}
    assert "Odd one" in agenda.defects[0]


async def test_a_time_zone_that_takes_too_long_is_not_used_and_its_events_are_told(
    counted: Counted, tmp_path: Path
) -> None:
    path = tmp_path / "team.ics"
    hostile = zone("Slow", "FREQ=HOURLY;BYMONTH=2;BYMONTHDAY=30")
    events = [
        f"UID:{n}\r\nSUMMARY:In {name}\r\nDTSTART;TZID={name}:20261129T100000\r\nDURATION:PT5M"
        for n, name in enumerate(["Slow", "Own", "Slow"])
    ]
    path.write_text(ics(*events).replace("BEGIN:VEVENT", hostile + zone("Own") + "BEGIN:VEVENT", 1))
    agenda = Agenda([path], BERLIN, parser=CalendarParser(counted))
    found = {one.uid: one for one in await agenda.events()}
    assert counted.ended == 1
    assert found["1"].start == datetime(2026, 11, 29, 7, tzinfo=UTC).timestamp()
    assert sum("In Slow" in each for each in agenda.defects) == 2


async def test_one_name_is_another_time_zone_in_another_file(tmp_path: Path) -> None:
    lines = "UID:{0}\r\nSUMMARY:x\r\nDTSTART;TZID=Custom:20261129T100000\r\nDURATION:PT5M"
    for name, offset in (("a", "+0300"), ("b", "-0800")):
        own = zone("Custom").replace("+0300", offset)
        text = ics(lines.format(name)).replace("BEGIN:VEVENT", own + "BEGIN:VEVENT")
        (tmp_path / f"{name}.ics").write_text(text)
    found = {one.uid: one.start for one in await Agenda([tmp_path], BERLIN).events()}
    assert found["b"] - found["a"] == 11 * HOUR


async def test_later_looks_ask_no_parser(counted: Counted, tmp_path: Path) -> None:
    path = tmp_path / "c.ics"
    rule = "\r\nRRULE:FREQ=DAILY"
    path.write_text(ics(event("daily", START, rule), event("once", START)))
    agenda = Agenda([path], BERLIN, parser=CalendarParser(counted))
    first = await agenda.between(START, START + 60 * 86400)
    counted.asked = 0
    for day in range(60):
        at = START + day * 86400
        assert await agenda.between(at, at + HOUR) == [one for one in first if at <= one.start < at + HOUR]
    assert counted.asked == 0
    late = await agenda.between(START + 400 * 86400, START + 401 * 86400)
    assert [one.summary for one in late] == ["Sync daily"]
    assert counted.asked == 1
    path.write_text(ics(event("daily", START + HOUR, rule)))
    assert [one.start for one in await agenda.between(START, START + 86400)] == [START + HOUR]


async def test_the_user_has_declined(tmp_path: Path) -> None:
    path = tmp_path / "c.ics"
    declined = "\r\nATTENDEE;PARTSTAT=DECLINED:mailto:Me@example.org\r\nATTENDEE:mailto:bob@example.org"
    path.write_text(ics(event("a", START, declined), event("b", START, declined + "\r\nRRULE:FREQ=DAILY")))
    for mine, busy in ((["me@example.org"], [False, False]), (["bob@example.org"], [True, True])):
        assert [one.busy for one in await Agenda([path], BERLIN, mine).between(START, START + HOUR)] == busy


@pytest.mark.parametrize("rule", ["", "\r\nRRULE:FREQ=DAILY"])
async def test_times_without_a_zone_are_the_users(tmp_path: Path, rule: str) -> None:
    path = tmp_path / "c.ics"
    starts = {"timed": "DTSTART:20261129T100000\r\nDURATION:PT1H", "whole": "DTSTART;VALUE=DATE:20261129"}
    path.write_text(ics(*(f"UID:{uid}\r\nSUMMARY:{uid}\r\n{at}{rule}" for uid, at in starts.items())))
    for name in ("Europe/Berlin", "America/New_York"):
        midnight = datetime(2026, 11, 29, tzinfo=ZoneInfo(name))
        day = [midnight.timestamp(), (midnight + timedelta(days=1)).timestamp() - 1]
        found = {one.uid: one for one in await Agenda([path], ZoneInfo(name)).between(*day)}
        assert found["timed"].start == midnight.timestamp() + 10 * HOUR
        assert (found["whole"].start, found["whole"].end) == (midnight.timestamp(), day[1] + 1)
        assert found["whole"].all_day


CUT = {
    "sound": (ics(event("a", START), event("b", START)), ["a", "b"]),
    "lower case": (ics(event("a", START)).lower(), ["a"]),
    "line feeds": (ics(event("a", START)).replace("\r\n", "\n"), ["a"]),
    "two calendars": (ics(event("a", START)) + ics(event("b", START)), ["a", "b"]),
    "a mark at the beginning": ("\ufeff" + ics(event("a", START)), ["a"]),
    "an event without an end": (ics(event("a", START), event("b", START)).replace("END:VEVENT\r\n", "", 1), ["a", "b"]),
    "an alarm with a UID of its own": (
        ics("BEGIN:VALARM\r\nUID:alarm\r\nEND:VALARM\r\n" + event("a", START)), ["a"]
    ),
    "a folded UID": (ics(event("a", START).replace("UID:a", "UID:\r\n a")), ["a"]),
    "a line that looks like one": (ics(event("a", START, "\r\nDESCRIPTION:x\r\n BEGIN:VEVENT")), ["a"]),
}  # fmt: skip


@pytest.mark.parametrize(("source", "uids"), CUT.values(), ids=CUT)
def test_a_file_is_cut_into_its_events(source: str, uids: list[str]) -> None:
    found = pieces(source.encode())
    assert [each.uid for each in found] == uids
    whole = [each for each in found if each.whole]
    assert [reading.event(each.text, [])["uid"] for each in whole] == [each.uid for each in whole]


@pytest.mark.parametrize(
    "source", ["", "<html>502</html>", "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:a", "END:VCALENDAR"]
)
def test_what_is_no_calendar_is_refused(source: str) -> None:
    with pytest.raises(ValueError, match=r"no calendar|no end"):
        pieces(source.encode())
