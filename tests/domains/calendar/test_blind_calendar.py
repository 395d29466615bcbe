"""A calendar with one item that can't be read: the others are told, and the answer, the card and health name it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from pepper_tui.boundary.process import NotRead, ParserProcess
from pepper_tui.clock import ManualClock
from pepper_tui.config import Calendar
from pepper_tui.domains.calendar import shelf as shelf_module
from pepper_tui.domains.calendar.agenda import Agenda
from pepper_tui.domains.calendar.bounded import CalendarParser
from pepper_tui.domains.calendar.feed import CalendarFeed
from pepper_tui.domains.calendar.index import occurrences
from pepper_tui.model import Namespace
from pepper_tui.store import ContextStore
from tests.feeds.ruled import triage_of
from tests.feeds.test_rules import CONFIG, event, ics, pass_until, run
from tests.waiting import until

BERLIN = ZoneInfo("Europe/Berlin")
HOUR = 3600.0


def series(rule: str, start: str = "DTSTART:20200101T090000Z", title: str = "Odd one") -> str:
    return f"UID:{title}\r\nSUMMARY:{title}\r\n{start}\r\nDURATION:PT5M\r\nRRULE:{rule}"


NEVER = [
    "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=31",
    "FREQ=DAILY;COUNT=3;BYMONTH=2;BYMONTHDAY=31",
    "FREQ=HOURLY;BYMONTH=2;BYMONTHDAY=30",
]
"""Rules that never come due, which a library looks for until the year 9999."""
COSTLY = {
    "since the year 1": series("FREQ=HOURLY", "DTSTART:00010101T090000Z"),
    "on mondays since the year 1": series("FREQ=HOURLY;BYDAY=MO", "DTSTART:00010101T090000Z"),
}
"""Series that no parser follows in its time."""
QUICK = CalendarParser(ParserProcess("pepper_tui.domains.calendar.reading", seconds=0.4))
"""Gives each item so little time that a test need not wait for two seconds."""
UNREADABLE = {
    "an hour that is none": series("FREQ=DAILY;BYHOUR=25"),
    "no such frequency": series("FREQ=FORTNIGHTLY"),
    "no such day": series("FREQ=WEEKLY;BYDAY=XX"),
    "no such end": series("FREQ=WEEKLY;UNTIL=99999999"),
    "seconds": series("FREQ=SECONDLY"),
    "never closed": "UID:x\r\nSUMMARY:Odd one\r\nDTSTART:20200101T090000Z\r\nBEGIN:VALARM",
}


class Counted(ParserProcess):
    """Counts what it is asked, and the items that ended it."""

    ended = asked = 0

    def parse(
        self, function: str, sources: Sequence[bytes], *, until: float = float("inf"), **options: object
    ) -> list[object]:
        found = super().parse(function, sources, until=until, **options)
        self.asked += len(sources)
        self.ended += sum(isinstance(one, NotRead) for one in found)
        return found


async def look(tmp_path: Path, start: float, *events: str, days: float = 1) -> tuple[list[str], list[str]]:
    path = tmp_path / "team.ics"
    path.write_text(ics(*events))
    agenda = Agenda([path], BERLIN, parser=QUICK)
    await agenda.events()
    found = await agenda.between(start, start + days * 86400)
    return [one.summary for one in found], agenda.defects


@pytest.mark.parametrize("rule", NEVER)
async def test_a_rule_that_never_comes_due_is_given_up_once(tmp_path: Path, rule: str) -> None:
    start = datetime(2026, 11, 29, tzinfo=UTC).timestamp()
    path = tmp_path / "team.ics"
    path.write_text(ics(series(rule), event("a", start)))
    counted = Counted("pepper_tui.domains.calendar.reading", seconds=0.4)
    agenda = Agenda([path], BERLIN, parser=CalendarParser(counted))
    for title in ("a", "a", "b"):
        path.write_text(ics(series(rule), event(title, start)))
        assert [one.summary for one in await agenda.between(start, start + 86400)] == [f"Sync {title}"]
        [defect] = agenda.defects
        assert "Odd one" in defect
        assert "never comes due" in defect
    assert counted.ended == 1, "it is not tried again, also when another event of its file has changed"
    counted.end()
    path.write_text(ics(event("a", start)))
    await agenda.between(start, start + 86400)
    assert agenda.defects == []


@pytest.mark.parametrize("odd", [*COSTLY.values(), *UNREADABLE.values()], ids=[*COSTLY, *UNREADABLE])
async def test_what_can_not_be_read_is_named_and_takes_nothing_else_with_it(tmp_path: Path, odd: str) -> None:
    start = datetime(2026, 11, 29, tzinfo=UTC).timestamp()
    weekly = series("FREQ=WEEKLY", f"DTSTART:{datetime.fromtimestamp(start, UTC):%Y%m%dT%H%M%SZ}", "Weekly")
    found, defects = await look(tmp_path, start, odd, event("a", start + HOUR), weekly)
    assert [each for each in found if each != "Odd one"] == ["Weekly", "Sync a"]
    assert any("Odd one" in each or "team.ics" in each for each in defects), defects


async def test_what_repeats_beyond_reading_still_has_its_first_time(tmp_path: Path) -> None:
    start = datetime(2026, 11, 29, tzinfo=UTC).timestamp()
    first = f"DTSTART:{datetime.fromtimestamp(start + HOUR, UTC):%Y%m%dT%H%M%SZ}"
    for rule in ("FREQ=FORTNIGHTLY", "FREQ=DAILY;BYHOUR=25"):
        assert (await look(tmp_path, start, series(rule, first)))[0] == ["Odd one"]


async def test_a_series_that_fills_the_look_leaves_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(occurrences, "MAX_OCCURRENCES", 50)
    monkeypatch.setattr(occurrences, "MAX_OF_SERIES", 40)
    start = datetime(2026, 11, 29, tzinfo=UTC).timestamp()
    floods = [series("FREQ=HOURLY", "DTSTART:20261128T090000Z", f"Flood {n}") for n in range(5)]
    found, defects = await look(tmp_path, start, *floods, event("a", start + HOUR), days=30)
    assert "Sync a" in found
    assert len(defects) == 5, "each that is not whole is named"
    assert any("left out" in each for each in defects)


async def test_times_beyond_what_a_look_gives_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(occurrences, "MAX_OCCURRENCES", 50)
    start = datetime(2026, 11, 29, tzinfo=UTC).timestamp()
    floods = [series("FREQ=DAILY", f"DTSTART:20261128T0{n}0000Z", f"Flood {n}") for n in (8, 9)]
    found, defects = await look(tmp_path, start, *floods, days=40)
    assert len(found) == 50
    left_out = [re.fullmatch(r"team: Flood [89]: (\d+) of its times are left out, as .*", each) for each in defects]
    assert sum(int(each[1]) for each in left_out if each) == 80 - 50


async def test_of_too_many_events_the_newest_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shelf_module, "MAX_EVENTS", 3)
    start = datetime(2026, 11, 29, tzinfo=UTC).timestamp()
    old = [event(f"old{n}", start - n * 86400) for n in range(1, 5)]
    found, defects = await look(tmp_path, start, *old, event("a", start + HOUR))
    assert found == ["Sync a"]
    assert "only the newest 3 of 5" in defects[0]


async def test_health_names_it_and_the_start_of_another_is_still_told(
    store: ContextStore, clock: ManualClock, tmp_path: Path
) -> None:
    path = tmp_path / "team.ics"
    path.write_text(ics(COSTLY["since the year 1"], series(NEVER[0], title="Never"), event("a", clock.now() + 7200)))
    feeds, subscriber = await run(
        store, clock, CalendarFeed(Calendar(paths=[path]), triage_of(CONFIG), Agenda([path], BERLIN, parser=QUICK))
    )

    async def troubled() -> bool:
        health = await store.get("feed.calendar", namespace=Namespace.HEALTH)
        words = str(health.data) if health is not None else ""
        return "trouble" in words and "Odd one" in words and "Never" in words

    await until(troubled, what="health")
    told = await pass_until(store, clock, "calendar", 4, 60)
    assert any(one.startswith("Starts") and "Sync a" in one for one in told)
    assert await troubled()
    await feeds.stop()
    await subscriber.stop()
