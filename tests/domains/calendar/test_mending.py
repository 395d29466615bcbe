"""What programs write into calendars against the rules, read as it is meant; and what nobody can know is said."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from pepper_tui.clock import ManualClock
from pepper_tui.domains.calendar.agenda import Agenda
from pepper_tui.domains.calendar.event import Event
from pepper_tui.domains.calendar.shelf import HOLD

ZONE = ZoneInfo("Europe/Berlin")
DEFINED = (
    "BEGIN:VTIMEZONE\r\nTZID:Customized Time Zone\r\nBEGIN:STANDARD\r\nDTSTART:19700101T000000\r\n"
    "TZOFFSETFROM:-0800\r\nTZOFFSETTO:-0800\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n"
)


def at(said: str) -> float:
    return datetime.fromisoformat(said).replace(tzinfo=ZONE).timestamp()


def written(event: str, header: str = "") -> str:
    return (
        f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{header}{DEFINED}BEGIN:VEVENT\r\nUID:a\r\nDTSTAMP:20260101T000000Z\r\n"
        f"SUMMARY:T\r\n{event}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )


async def read(tmp_path: Path, text: str, start: str = "2026-12-01", end: str = "2027-01-01") -> tuple[list[str], str]:
    """The starts in Berlin, and what could not be read."""
    (tmp_path / "a.ics").write_text(text)
    agenda = Agenda([tmp_path / "a.ics"], ZONE, ["me@example.com"])
    found = await agenda.between(at(start), at(end))
    return [f"{datetime.fromtimestamp(each.start, ZONE):%d %H:%M}" for each in found], "; ".join(agenda.defects)


@pytest.mark.parametrize(
    ("name", "hour"),
    [
        ('"tzone://Microsoft/Utc"', "10"), ("UTC", "10"), ("GMT", "10"), ('"(UTC+01:00) Berlin"', "09"),
        ("(UTC+01:00) Berlin", "09"), ('"+02:00"', "08"), ("+02:00", "08"), ("UTC-06:00", "16"), ("GMT+2", "08"),
        ("UTC+3", "07"), ("UTC+0530", "04"), ("W. Europe Standard Time", "09"), ('"Eastern Standard Time"', "15"),
        ("/mozilla.org/20070129_1/America/New_York", "15"), ("Europe/Berlin", "09"), ('"(UTC-08:00) Tijuana"', "18"),
        ("Customized Time Zone", "18"),
    ],
)  # fmt: skip
async def test_a_zone_by_any_name_that_says_where_it_is(tmp_path: Path, name: str, hour: str) -> None:
    found, defects = await read(tmp_path, written(f"DTSTART;TZID={name}:20261207T090000"))
    assert [each[:5] for each in found] == [f"07 {hour}"]
    assert defects == ""


async def test_an_outlook_name_of_a_city_follows_its_summer_time(tmp_path: Path) -> None:
    text = written('DTSTART;TZID="(UTC+01:00) Amsterdam, Berlin, Bern, Rome":20260707T090000')
    assert await read(tmp_path, text, "2026-07-01", "2026-08-01") == (["07 09:00"], "")


@pytest.mark.parametrize("name", ["Foo/Bar", "tzone://Microsoft/Custom", "Mitteleuropäische Zeit", "UTC+99"])
async def test_a_zone_that_nobody_knows_is_taken_as_the_users_and_said(tmp_path: Path, name: str) -> None:
    found, defects = await read(tmp_path, written(f'DTSTART;TZID="{name}":20261207T090000'))
    assert found == ["07 09:00"]
    assert f"time zone '{name}', taken as yours" in defects


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=WEEKLY; BYDAY=MO", "FREQ=WEEKLY;X-NAME=1;BYDAY=MO", "RSCALE=GREGORIAN;FREQ=WEEKLY;SKIP=OMIT;BYDAY=MO",
        "FREQ=WEEKLY;BYDAY=MO;UNTIL=20261228", "FREQ=WEEKLY;UNTIL=20261228T090000;BYDAY=MO",
    ],
)  # fmt: skip
async def test_a_rule_that_others_understand(tmp_path: Path, rule: str) -> None:
    text = written(f"DTSTART;TZID=Europe/Berlin:20261207T090000\r\nRRULE:{rule}")
    assert await read(tmp_path, text) == (["07 09:00", "14 09:00", "21 09:00", "28 09:00"], "")


async def test_a_changed_occurrence_that_names_its_day_alone_stands_for_it(tmp_path: Path) -> None:
    series = "DTSTART;TZID=Europe/Berlin:20261207T090000\r\nRRULE:FREQ=DAILY;COUNT=3"
    changed = "RECURRENCE-ID;VALUE=DATE:20261208\r\nDTSTART;TZID=Europe/Berlin:20261208T150000\r\nSUMMARY:moved"
    text = written(f"{series}\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nUID:a\r\n{changed}")
    assert await read(tmp_path, text) == (["07 09:00", "08 15:00", "09 09:00"], "")


AT_HOME = [  # the zone of the calendar, an event, and when it is in Berlin
    (
        "Europe/Berlin",
        "DTSTART:20260601T150000Z\r\nRRULE:FREQ=WEEKLY;BYDAY=MO",
        ["07 17:00", "14 17:00", "21 17:00", "28 17:00"],
    ),
    ("Europe/Berlin", "RRULE:FREQ=WEEKLY;INTERVAL=4\r\nDTSTART:20260601T223000Z", ["15 00:30"]),
    ("Europe/Berlin", "DTSTART:20261207T150000Z", ["07 16:00"]),
    ("America/New_York", "DTSTART:20261207T090000", ["07 15:00"]),
    ("Eastern Standard Time", "DTSTART:20261207T090000\r\nDTEND:20261207T100000", ["07 15:00"]),
    ("Customized Time Zone", "DTSTART:20261207T090000", ["07 18:00"]),
    (
        "America/New_York",
        "DTSTART:20261207T170000\r\nRRULE:FREQ=DAILY;UNTIL=20261210T170000\r\nEXDATE:20261208T170000,20261209T170000",
        ["07 23:00", "10 23:00"],
    ),
    ("America/New_York", "DTSTART;TZID=Europe/Berlin:20261207T090000", ["07 09:00"]),
    ("America/New_York", "DTSTART;VALUE=DATE:20261207", ["07 00:00"]),
]


@pytest.mark.parametrize(("home", "event", "starts"), AT_HOME)
async def test_a_calendar_that_names_its_zone_means_it(
    tmp_path: Path, home: str, event: str, starts: list[str]
) -> None:
    assert await read(tmp_path, written(event, f"X-WR-TIMEZONE:{home}\r\n")) == (starts, "")


async def test_a_zone_of_a_calendar_that_nobody_knows_is_said(tmp_path: Path) -> None:
    text = written("DTSTART:20261207T090000", "X-WR-TIMEZONE:Foo/Bar\r\n")
    found, defects = await read(tmp_path, text)
    assert found == ["07 09:00"]
    assert "time zone 'Foo/Bar', taken as yours" in defects


DAYS = [  # an event, and the days that it takes
    ("DTSTART;VALUE=DATE:20261207\r\nDTEND:20261207T060000\r\nRRULE:FREQ=DAILY;COUNT=2", ["07-08", "08-09"]),
    ("DTSTART;VALUE=DATE:20261207\r\nDTEND:20261208T060000", ["07-09"]),
    ("DTSTART;VALUE=DATE:20261207\r\nDTEND:20261208T000000", ["07-08"]),
    ("DTSTART;VALUE=DATE:20261207\r\nDTEND;VALUE=DATE:20261207\r\nRRULE:FREQ=DAILY;COUNT=2", ["07-08", "08-09"]),
    ("DTSTART;VALUE=DATE:20261207\r\nRRULE:FREQ=DAILY;COUNT=3\r\nEXDATE:20261208T000000Z", ["07-08", "09-10"]),
    ("DTSTART;VALUE=DATE:20261207\r\nRRULE:FREQ=DAILY;COUNT=3\r\nEXDATE:20261207T230000Z", ["07-08", "09-10"]),
    ("DTSTART;VALUE=DATE:20261207\r\nRRULE:FREQ=DAILY;COUNT=3\r\nEXDATE:20261208T050000Z", ["07-08", "09-10"]),
    (
        "DTSTART;VALUE=DATE:20261207\r\nRRULE:FREQ=DAILY;COUNT=2\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nUID:a\r\n"
        "RECURRENCE-ID:20261207T230000Z\r\nDTSTART;VALUE=DATE:20261210",
        ["07-08", "10-11"],
    ),
    ("DTSTART:20261206T230000Z\r\nDTEND:20261207T230000Z\r\nX-MICROSOFT-CDO-ALLDAYEVENT:TRUE", ["07-08"]),
]


@pytest.mark.parametrize(("event", "days"), DAYS)
async def test_whole_days_stay_whole_days(tmp_path: Path, event: str, days: list[str]) -> None:
    (tmp_path / "a.ics").write_text(written(event))
    agenda = Agenda([tmp_path / "a.ics"], ZONE)
    found = await agenda.between(at("2026-12-01"), at("2027-01-01"))
    assert agenda.defects == []
    assert all(each.all_day for each in found)
    spans = [(datetime.fromtimestamp(each.start, ZONE), datetime.fromtimestamp(each.end, ZONE)) for each in found]
    assert [f"{start:%d}-{end:%d}" for start, end in spans] == days
    assert {f"{each:%H:%M}" for span in spans for each in span} == {"00:00"}


TOGETHER = {
    "two rules": ("RRULE:FREQ=WEEKLY;COUNT=2\r\nRRULE:FREQ=DAILY;COUNT=2", ["07 09:00", "08 09:00", "14 09:00"]),
    "two series": (
        "RRULE:FREQ=WEEKLY;COUNT=2\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nUID:a\r\nDTSTART:20261209T140000Z\r\n"
        "RRULE:FREQ=WEEKLY;COUNT=2",
        ["07 09:00", "09 15:00", "14 09:00", "16 15:00"],
    ),
    "a series and one more": (
        "RRULE:FREQ=WEEKLY;COUNT=2\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nUID:a\r\nDTSTART:20261209T140000Z",
        ["07 09:00", "09 15:00", "14 09:00"],
    ),
    "two editions of a series": (
        "RRULE:FREQ=WEEKLY;COUNT=2\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nUID:a\r\nSEQUENCE:2\r\n"
        "DTSTART:20261209T140000Z\r\nRRULE:FREQ=WEEKLY;COUNT=2",
        ["09 15:00", "16 15:00"],
    ),
}


@pytest.mark.parametrize(("lines", "starts"), TOGETHER.values(), ids=TOGETHER)
async def test_what_one_uid_holds_together(tmp_path: Path, lines: str, starts: list[str]) -> None:
    text = written(f"DTSTART;TZID=Europe/Berlin:20261207T090000\r\n{lines}")
    assert await read(tmp_path, text) == (starts, "")


@pytest.mark.parametrize(
    ("start", "excluded"),
    [
        ("DTSTART:20261207T080000Z", "FREQ=WEEKLY;BYDAY=TU,TH"),
        ("DTSTART;TZID=Europe/Berlin:20261207T090000", "FREQ=WEEKLY;UNTIL=20261210;BYDAY=TU,TH"),
        ("DTSTART:20261207T090000", "FREQ=DAILY;INTERVAL=2;COUNT=2\r\nEXRULE:FREQ=DAILY;COUNT=1"),
        ("DTSTART;VALUE=DATE:20261207", "FREQ=MONTHLY;BYMONTHDAY=8,10"),
    ],
)
async def test_what_a_rule_excludes(tmp_path: Path, start: str, excluded: str) -> None:
    found, defects = await read(tmp_path, written(f"{start}\r\nRRULE:FREQ=DAILY;COUNT=5\r\nEXRULE:{excluded}"))
    days = {each[:2] for each in found}
    assert days == ({"08", "10", "11"} if "INTERVAL" in excluded else {"07", "09", "11"})
    assert defects == ""


async def test_an_excluding_rule_that_comes_too_often_is_said(tmp_path: Path) -> None:
    text = written("DTSTART:20261207T080000Z\r\nRRULE:FREQ=DAILY;COUNT=2\r\nEXRULE:FREQ=SECONDLY")
    found, defects = await read(tmp_path, text)
    assert len(found) == 2
    assert "its EXRULE can't be read" in defects


async def test_a_file_without_an_end_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    whole, path, clock = written("DTSTART:20261207T080000Z"), tmp_path / "a.ics", ManualClock()
    begun = whole.replace("END:VCALENDAR\r\n", "BEGIN:VEVENT\r\nUID:b\r\nDTSTART:20261208T0")
    path.write_text(begun)
    agenda = Agenda([path], ZONE, clock=clock)

    async def found() -> tuple[list[str], list[str]]:
        return [each.uid for each in await agenda.between(at("2026-12-01"), at("2027-01-01"))], agenda.defects

    said = ["a.ics: it has no end; only the events that have one were read"]
    assert await found() == (["a"], said)
    assert agenda.is_unread("a", "b"), "what came after the cut is not told as cancelled"
    path.write_text(whole.replace("UID:a", "UID:new"))
    assert await found() == (["new"], [])
    path.write_text(begun + "0")  # written anew, just now
    assert (await found())[0] == ["new"]
    await clock.advance(HOLD)
    assert await found() == (["a"], said)


@pytest.mark.parametrize(
    "lines",
    [
        "DTSTART;VALUE=DATE:20261207\r\nDTEND;VALUE=DATE:20261208",
        "DTSTART:20261207T210000Z\r\nDTEND:20261207T230000Z",
        "DTSTART:20261207T090000Z\r\nDTEND:20261207T230000Z",
    ],
)
async def test_what_ends_at_midnight_is_not_on_the_next_day(tmp_path: Path, lines: str) -> None:
    assert (await read(tmp_path, written(lines), "2026-12-08", "2026-12-09"))[0] == []
    assert len((await read(tmp_path, written(lines), "2026-12-07", "2026-12-08"))[0]) == 1


def test_a_moment_belongs_to_the_day_that_it_begins() -> None:
    moment = Event("a", "T", 100.0, 100.0)
    assert [moment.touches(*span) for span in ((0, 100), (100, 200), (50, 150))] == [False, True, True]


@pytest.mark.parametrize(
    ("lines", "answer", "busy"),
    [
        ("ATTENDEE;PARTSTAT=DECLINED:mailto:me@example.com", "declined", False),
        ("ATTENDEE;PARTSTAT=DECLINED:MAILTO:Me+cal@example.com", "declined", False),
        ("ATTENDEE;PARTSTAT=TENTATIVE;EMAIL=me@example.com:urn:uuid:1", "tentative", True),
        ("ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:me@example.com", "needs-action", True),
        ("ATTENDEE:mailto:me@example.com", "", True),
        ("ATTENDEE;PARTSTAT=DECLINED:mailto:you@example.com", "", True),
        ("TRANSP:TRANSPARENT", "", False),
    ],
)
async def test_the_users_own_answer_is_known(tmp_path: Path, lines: str, answer: str, busy: bool) -> None:
    (tmp_path / "a.ics").write_text(written(f"DTSTART:20261207T090000Z\r\n{lines}"))
    agenda = Agenda([tmp_path / "a.ics"], ZONE, ["me@example.com"])
    [event] = await agenda.between(at("2026-12-01"), at("2027-01-01"))
    assert (event.answer, event.busy) == (answer, busy)
