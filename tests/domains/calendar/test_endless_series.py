"""A series whose rule comes to no end holds no look, no lock and no other event, and goes with its file."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from pepper_tui.domains.calendar.agenda import Agenda
from tests.domains.calendar.test_blind_calendar import series
from tests.feeds.test_rules import event, ics

DAY = datetime(2026, 11, 29, tzinfo=UTC).timestamp()


@pytest.mark.parametrize("freq", ["WEEKLY", "DAILY"])
async def test_an_interval_of_nothing_takes_no_other_event_with_it(tmp_path: Path, freq: str) -> None:
    odd, good = tmp_path / "odd.ics", tmp_path / "good.ics"
    odd.write_text(ics(series(f"FREQ={freq};INTERVAL=0", "DTSTART:20260601T100000Z")))
    good.write_text(ics(event("a", DAY)))
    agenda = Agenda([odd, good], ZoneInfo("UTC"))
    found = [one.summary for one in await agenda.between(DAY, DAY + 86400)]
    assert [each for each in found if each != "Odd one"] == ["Sync a"]
    assert any("Odd one" in defect for defect in agenda.defects)
    odd.unlink()
    assert [one.summary for one in await agenda.between(DAY, DAY + 86400)] == ["Sync a"]
    assert not any("Odd one" in defect for defect in agenda.defects)
