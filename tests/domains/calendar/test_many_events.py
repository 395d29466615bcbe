"""Ten years of calendar: all of it is there, and a look costs what has changed."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pytest

from pepper_tui.boundary.process import ParserProcess
from pepper_tui.clock import ManualClock
from pepper_tui.config import Calendar
from pepper_tui.domains.calendar import agenda as agenda_module
from pepper_tui.domains.calendar import shelf
from pepper_tui.domains.calendar.agenda import Agenda
from pepper_tui.domains.calendar.alarms.ringing import AGAIN, JUST, REACH
from pepper_tui.domains.calendar.bounded import CalendarParser
from pepper_tui.domains.calendar.feed import CalendarFeed
from pepper_tui.domains.calendar.index.cutting import cut
from pepper_tui.domains.calendar.objects import CalendarObject, ObjectReader, object_id, put_objects
from pepper_tui.domains.calendar.telling import stored_events
from pepper_tui.domains.calendar.todos import held
from pepper_tui.model import ContextFilter, Json, Priority
from pepper_tui.store import ContextStore
from tests.domains.calendar.test_blind_calendar import COSTLY, Counted, series
from tests.domains.calendar.test_calendar_parser import zone
from tests.feeds.ruled import triage_of
from tests.feeds.test_rules import CONFIG, event, ics, pass_until, run

START = datetime(2026, 11, 29, tzinfo=UTC).timestamp()
HOUR, DAY = 3600.0, 86400.0
READING = "pepper_tui.domains.calendar.reading"


def single(number: int, title: str = "") -> str:
    return f"UID:{number}\r\nSUMMARY:{title or number}\r\nDTSTART:20261129T100000Z"


class Plain(Counted):
    """Reads a single event by itself, at once, as thousands would take the parser process long; else it asks that."""

    def parse(
        self, function: str, sources: Sequence[bytes], *, until: float = float("inf"), **options: object
    ) -> list[object]:
        if function != "event" or any(b"RRULE" in source for source in sources):
            return super().parse(function, sources, until=until, **options)
        self.asked += len(sources)
        return [_said(source) for source in sources]


@cache
def _instant(written: str) -> float:
    return datetime.strptime(written, "%Y%m%dT%H%M%S%z").timestamp()


def _said(source: bytes) -> Json:
    lines = dict(line.split(":", 1) for line in source.decode().splitlines())
    start = _instant(lines["DTSTART"])
    empty = dict.fromkeys(("location", "description", "organizer", "link", "zone"), "")
    fields = {"uid": lines["UID"], "summary": lines["SUMMARY"], "all_day": False, "status": "CONFIRMED", "busy": True}
    fields |= {"attendees": [], "answers": [], "categories": [], "alarms": [], **empty}
    said = {"refusal": "", "broken": [], "rules": "", "periods": 0.0, "repeats": False, "last": 0.0, "recurrence": ""}
    return said | {"uid": lines["UID"], "fields": fields, "times": (start, start + HOUR)}


def agenda_of(paths: list[Path], process: ParserProcess, **more: object) -> Agenda:
    return Agenda(paths, UTC, parser=CalendarParser(process), **more)  # type: ignore[arg-type]


async def test_30_000_events_of_one_file_are_there_and_a_hostile_series_costs_itself(tmp_path: Path) -> None:
    path, plain = tmp_path / "a.ics", Plain(READING, seconds=0.4)
    path.write_text(ics(*map(single, range(30_000)), COSTLY["since the year 1"], single(30_000)), newline="")
    agenda = agenda_of([path], plain)
    assert {one.uid for one in await agenda.events()} == {*map(str, range(30_001)), "Odd one"}
    assert agenda.defects == []
    last = single(30_001).replace("1129T10", "1130T10")
    path.write_text(path.read_text().replace("END:VCALENDAR", f"BEGIN:VEVENT\r\n{last}\r\nEND:VEVENT\r\nEND:VCALENDAR"))
    assert [one.uid for one in await agenda.between(START + DAY, START + 2 * DAY)] == ["30001"]
    assert plain.ended == 1
    assert "Odd one" in agenda.defects[0]
    plain.end()


async def test_all_files_of_a_folder_and_all_objects_are_there_a_part_of_them_at_a_time(
    store: ContextStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shelf, "SLICE", 0.0)
    monkeypatch.setattr(shelf, "_TOGETHER", 3)
    for number in range(10):
        (tmp_path / f"{number}.ics").write_text(ics(single(number)))
    found = [
        CalendarObject(object_id("a", str(number)), "a", "a/work", str(number), "1", ics(single(number)))
        for number in range(10, 20)
    ]
    async with store.unit():
        await put_objects(store, found)
    agenda = agenda_of([tmp_path], Plain(READING), objects=ObjectReader(store))
    assert {one.uid for one in await agenda.events()} == {*map(str, range(20))}
    assert agenda.defects == []


async def test_a_look_after_one_change_asks_for_one_event_and_keeps_the_others(tmp_path: Path) -> None:
    path, plain = tmp_path / "a.ics", Plain(READING)
    path.write_text(ics(*map(single, range(300))), newline="")
    agenda = agenda_of([path], plain)
    before, plain.asked = await agenda.written(), 0
    assert await agenda.written() is before, "nothing has changed"
    path.write_text(ics(*(single(n, "moved" if n == 7 else "") for n in range(300))), newline="")
    after = await agenda.written()
    assert [one.summary for key, one in after.items() if one is not before[key]] == ["moved"]
    assert plain.asked == 1


EVENTS = [single(n).replace(":2026", ";TZID=Own:2026").replace("00Z", "00") for n in range(6)]


def in_zone(*events: str) -> str:
    return ics(*events).replace("BEGIN:VEVENT", f"{zone('Own')}BEGIN:VEVENT", 1)


def todo(number: int, title: str = "") -> str:
    return f"BEGIN:VTODO\r\nUID:todo{number}\r\nSUMMARY:{title or number}\r\nEND:VTODO\r\n"


WHOLE = in_zone(*EVENTS)
WITH_TODO = WHOLE.replace("BEGIN:VEVENT", f"{todo(1)}BEGIN:VEVENT", 1)
EDITS = {
    "none": WHOLE,
    "one changed": in_zone(EVENTS[0], single(1, "x"), *EVENTS[2:]),
    "one more at the end": in_zone(*EVENTS, single(9)),
    "the last one gone": in_zone(*EVENTS[:-1]),
    "the first one gone": in_zone(*EVENTS[1:]),
    "another order": in_zone(*reversed(EVENTS)),
    "one twice": in_zone(*EVENTS, EVENTS[0]),
    "all gone": ics(),
    "another zone": WHOLE.replace("+0300", "+0400"),
    "no end": WHOLE.replace("END:VCALENDAR", ""),
    "one without an end": WHOLE.replace("END:VEVENT\r\n", "", 1),
    "a zone between": WHOLE.replace("END:VEVENT\r\n", f"END:VEVENT\r\n{zone('Other')}", 1),
    "a to-do before": WITH_TODO,
    "a to-do between": WHOLE.replace("END:VEVENT\r\n", f"END:VEVENT\r\n{todo(1)}", 1),
    "a to-do at the end": WHOLE.replace("END:VCALENDAR", f"{todo(1)}END:VCALENDAR"),
    "folded": in_zone(EVENTS[0].replace("SUMMARY:", "SUMMARY:\r\n "), *EVENTS[1:]),
    "line feeds": WHOLE.replace("\r\n", "\n"),
    "Latin-1": in_zone(*EVENTS, single(8, "\udce9")),
}


@pytest.mark.parametrize("edited", EDITS.values(), ids=EDITS)
def test_what_is_cut_again_is_cut_as_it_would_be_at_first(edited: str) -> None:
    first, source = cut(WHOLE.encode(), None), edited.encode("utf-8", "surrogateescape")
    assert first.parts is not None
    again, whole = cut(source, first.parts), cut(source, None)
    assert (again.events, again.ended, [*again.todos]) == (whole.events, whole.ended, [*whole.todos])
    numbers = range(len(whole.events))
    assert [again.piece(number) for number in numbers] == [whole.piece(number) for number in numbers]


def test_todos_stay_when_an_event_of_their_file_is_gone() -> None:
    less = WITH_TODO.replace(f"BEGIN:VEVENT\r\n{EVENTS[-1]}\r\nEND:VEVENT\r\n", "")
    assert less != WITH_TODO
    again = cut(less.encode(), cut(WITH_TODO.encode(), None).parts)
    assert [each.uid for each in again.todos] == ["todo1"]


async def test_a_look_asks_for_no_todo_twice_and_reads_them_a_part_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted, path = Counted("pepper_tui.domains.calendar.todos.reading"), tmp_path / "a.ics"
    monkeypatch.setattr(held, "PROCESS", counted)
    monkeypatch.setattr(agenda_module, "BATCH", 2)

    async def titles(*events: str, seventh: str = "") -> tuple[list[str], int]:
        todos = "".join(todo(number, seventh if number == 7 else "") for number in range(9))
        path.write_text(ics(*events).replace("END:VCALENDAR", f"{todos}END:VCALENDAR"), newline="")
        before = counted.asked
        return [each.summary for each in await agenda.todos.read()], counted.asked - before

    agenda = agenda_of([path], Plain(READING))
    assert await titles(single(1)) == ([*map(str, range(9))], 9)
    assert await titles(single(1, "moved")) == ([*map(str, range(9))], 0)
    assert await titles(single(1), seventh="x") == ([*map(str, range(7)), "x", "8"], 1)
    counted.end()


async def test_alarms_of_two_months_follow_no_series_that_is_followed(tmp_path: Path) -> None:
    counted = Counted(READING)
    (tmp_path / "a.ics").write_text(ics(*(series("FREQ=DAILY", "DTSTART:20260101T090000Z", f"s{n}") for n in range(3))))
    agenda = agenda_of([tmp_path], counted)
    await agenda.between(START, START + HOUR)
    counted.asked = 0
    for now in (START, START + 6 * HOUR):
        assert await agenda.between(now - JUST, now + REACH + AGAIN)
    assert counted.asked == 0
    counted.end()


def test_a_minute_without_change_costs_the_same_however_much_there_is(tmp_path: Path) -> None:
    async def spent(count: int) -> float:
        path = tmp_path / f"{count}.ics"
        path.write_text(ics(*(single(n).replace("20261129", f"2026{n % 12 + 1:02}13") for n in range(count))))
        agenda = agenda_of([path], Plain(READING))
        await agenda.written()
        await agenda.between(START, START + HOUR)
        gc.collect()
        gc.disable()
        try:
            began = time.process_time()
            for minute in range(100):
                await agenda.written()
                await agenda.between(START + 60 * minute, START + 60 * minute + HOUR)
            return time.process_time() - began
        finally:
            gc.enable()

    small, large = (min(asyncio.run(spent(count)) for _ in range(2)) for count in (250, 8_000))
    assert large <= 4 * small, f"{small:.3f} s, and {large:.3f} s with 32 times as many events"


async def test_a_series_that_is_over_is_not_followed_and_its_late_times_are_found(tmp_path: Path) -> None:
    counted = Counted(READING)
    over = series("FREQ=WEEKLY;UNTIL=20261101T000000Z", "DTSTART:20260101T090000Z", "Over")
    late = series("FREQ=WEEKLY;UNTIL=20261101T000000Z", "DTSTART:20260101T090000Z", "Late")
    moved = "UID:Late\r\nSUMMARY:Late\r\nRECURRENCE-ID:20261029T090000Z\r\nDTSTART:20261129T090000Z\r\nDURATION:PT5M"
    to_date = series("FREQ=DAILY;UNTIL=20261129", "DTSTART:20260101T230000Z", "Today")
    (tmp_path / "a.ics").write_text(ics(over, late, moved, to_date))
    agenda = agenda_of([tmp_path], counted)
    await agenda.events()
    counted.asked = 0
    assert [one.uid for one in await agenda.between(START, START + DAY)] == ["Late", "Today"]
    assert counted.asked == 2
    counted.end()


async def test_after_a_start_many_are_compared_some_at_a_time_and_nothing_is_news(
    store: ContextStore, clock: ManualClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored_events, "PAGE", 3)
    path = tmp_path / "a.ics"
    there = [event(str(number), clock.now() + DAY + number * 2 * HOUR) for number in range(8)]
    for more in ([], [event("new", clock.now() + 3 * DAY)]):
        path.write_text(ics(*there, *more))
        config = Calendar(paths=[path], starts_soon=0)
        feeds, subscriber = await run(
            store, clock, CalendarFeed(config, triage_of(CONFIG), agenda_of([path], Plain(READING)))
        )
        told = await pass_until(store, clock, "calendar", 8 + len(more))
        await feeds.stop()
        await subscriber.stop()
    priorities = [each.data["priority"] for each in await store.query(ContextFilter(namespaces=["signals.calendar"]))]
    assert len(told) == 9
    assert [each for each in priorities if each != "log"] == [str(Priority.HIGH)]
