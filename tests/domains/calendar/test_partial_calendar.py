"""A look at the calendar that could not read everything is never told as a whole one."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from pepper_tui.clock.words import TimeReader
from pepper_tui.connectors.ics.calendar_file import CalendarFiles
from pepper_tui.domains.calendar.agenda import Agenda
from pepper_tui.model import CallState
from tests.domains.calendar.one_file import BERLIN, said
from tests.domains.calendar.test_blind_calendar import COSTLY, QUICK, series
from tests.feeds.test_rules import ics
from tests.tools.bench import Bench


@pytest.mark.parametrize(
    ("name", "nothing"),
    [("agenda", "Nothing that could be read on"), ("find_conflicts", "Nothing that could be read overlaps"),
     ("find_free_time", "free ")],
)  # fmt: skip
async def test_nothing_is_said_only_where_all_was_read(bench: Bench, tmp_path: Path, name: str, nothing: str) -> None:
    day = datetime.fromtimestamp(bench.clock.now(), BERLIN).date() + timedelta(days=3)
    path = tmp_path / "team.ics"
    for source in (ics(COSTLY["since the year 1"]), "<html>502 Bad Gateway</html>", ""):
        path.write_text(source)
        bench.parts.calendar.agenda, bench.time.zone = Agenda([path], BERLIN, parser=QUICK), BERLIN
        words = await said(bench, name, start=day.isoformat())
        assert nothing in words
        assert "Not all of the calendar could be read" in words
        assert "Odd one" in words or "team.ics" in words
    path.write_text(ics(series("FREQ=YEARLY")))
    assert "Not all" not in await said(bench, name, start=day.isoformat())


async def test_the_card_of_a_new_event_says_that_not_all_was_looked_at(bench: Bench, tmp_path: Path) -> None:
    path = tmp_path / "team.ics"
    path.write_text(ics(COSTLY["since the year 1"]))
    bench.parts.calendar.agenda, bench.parts.calendar.calendars = (
        Agenda([path], BERLIN, parser=QUICK),
        CalendarFiles([path], bench.parts.files.looks),
    )
    bench.time.reader = TimeReader(bench.clock, BERLIN)
    call = await bench.schedule("add_event", title="Lunch", start="tomorrow 12:00")
    await bench.state(call, CallState.WAITING_APPROVAL, CallState.FAILED)
    lines = {line.label: line.value for line in (await bench.card(call)).resolved.lines}
    assert "Odd one" in lines["Not looked at"]


async def test_a_file_that_is_broken_and_one_that_is_not_there_are_both_named(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "x.ics").write_text("garbage")
    bench.parts.calendar.agenda = Agenda([tmp_path / "x.ics", tmp_path / "none.ics"], BERLIN)
    words = await said(bench, "agenda", start="2027-01-18")
    assert "x.ics" in words
    assert "none.ics" in words
    assert "Nothing on" not in words
