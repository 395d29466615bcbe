"""What all tests of the calendar need."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from pepper_tui.clock import Looks
from pepper_tui.clock.words import TimeReader
from pepper_tui.connectors.ics.calendar_file import CalendarFiles
from pepper_tui.domains.calendar import agenda
from pepper_tui.domains.calendar.agenda import Agenda
from tests.domains.calendar.one_file import BERLIN, OneFile
from tests.tools.bench import Bench


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a look take as long as this machine needs: on a busy one the rest would be left for the next look."""
    monkeypatch.setattr(agenda, "DEADLINE", 600.0)
    monkeypatch.setattr(agenda, "Looks", partial(Looks, longest=600.0))


@pytest.fixture
def calendar(bench: Bench, tmp_path: Path) -> OneFile:
    """A calendar file behind a real agenda. It is Friday, 15 January 2027, 09:00 in Berlin."""
    path = tmp_path / "work.ics"
    bench.time.zone, bench.time.zone_name = BERLIN, "Europe/Berlin"
    bench.parts.calendar.agenda = Agenda([path], BERLIN, ["me@example.com"])
    bench.parts.calendar.calendars = CalendarFiles([path], bench.parts.files.looks)
    bench.time.reader = TimeReader(bench.clock, BERLIN)
    return OneFile(path)
