"""Series in a calendar file: refused where they come too often, and as long on the day of a clock change as else."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from pepper_tui.domains.calendar.agenda import Agenda
from pepper_tui.domains.calendar.event import Event

BERLIN = ZoneInfo("Europe/Berlin")


def write(path: Path, lines: str) -> None:
    path.write_text(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//EN\r\nBEGIN:VEVENT\r\nUID:a\r\nDTSTAMP:20260101T000000Z\r\n"
        f"{lines}\r\nSUMMARY:S\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )


async def seen(path: Path, lines: str, day: datetime) -> tuple[list[Event], list[str]]:
    """The events of three days of a calendar with one series, and what could not be read."""
    write(path, lines)
    agenda = Agenda([path], BERLIN)
    found = await agenda.between(day.timestamp(), (day + timedelta(days=3)).timestamp())
    return found, agenda.defects


@pytest.mark.parametrize(
    ("rule", "taken"),
    [
        ("FREQ=HOURLY", True),
        ("FREQ=HOURLY;INTERVAL=2;BYMINUTE=0,30", True),
        ("FREQ=HOURLY;BYHOUR=9,10;BYMINUTE=0,30", True),
        ("FREQ=DAILY;BYHOUR=9,10;BYMINUTE=0,30", True),
        ("FREQ=HOURLY;BYMINUTE=0,30", False),
        ("FREQ=HOURLY;BYMINUTE=" + ",".join(str(n) for n in range(24)), False),
        ("FREQ=DAILY;BYHOUR=9,10,11,12,13;BYMINUTE=0,10,20,30,40", False),
        ("FREQ=MINUTELY", False),
    ],
)
async def test_what_comes_more_than_24_times_a_day_is_refused(tmp_path: Path, rule: str, taken: bool) -> None:
    start = "DTSTART;TZID=Europe/Berlin:20261128T100000\r\nDURATION:PT5M\r\nRRULE:"
    found, defects = await seen(tmp_path / "c.ics", start + rule, datetime(2026, 11, 28, tzinfo=BERLIN))
    assert bool(found) == taken
    assert bool(defects) != taken


@pytest.mark.parametrize("end", ["DTEND;TZID=Europe/Berlin:20270327T030000", "DURATION:PT30M"])
async def test_a_series_is_as_long_on_the_day_whose_hour_is_skipped(tmp_path: Path, end: str) -> None:
    lines = f"DTSTART;TZID=Europe/Berlin:20270327T023000\r\n{end}\r\nRRULE:FREQ=DAILY;COUNT=3"
    found, _ = await seen(tmp_path / "c.ics", lines, datetime(2027, 3, 27, tzinfo=BERLIN))
    assert [event.end - event.start for event in found] == [1800] * 3
    starts = [datetime.fromtimestamp(event.start, BERLIN) for event in found]
    assert [f"{start:%d %H:%M}" for start in starts] == ["27 02:30", "28 03:30", "29 02:30"]


@pytest.mark.parametrize("rule", ["", "\r\nRRULE:FREQ=DAILY;COUNT=2"])
async def test_an_end_before_the_start_is_no_end_and_said(tmp_path: Path, rule: str) -> None:
    lines = "DTSTART;TZID=Europe/Berlin:20261128T100000\r\nDTEND;TZID=Europe/Berlin:20261128T090000" + rule
    found, defects = await seen(tmp_path / "c.ics", lines, datetime(2026, 11, 28, tzinfo=BERLIN))
    assert {(f"{datetime.fromtimestamp(each.start, BERLIN):%H:%M}", each.end - each.start) for each in found} == {
        ("10:00", 0)
    }
    assert defects == ["c.ics: S: its DTEND can't be read, so what is known of it is incomplete"]
