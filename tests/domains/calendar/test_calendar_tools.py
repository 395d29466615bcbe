"""Free time, conflicts, and adding an event to a real calendar file."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import icalendar
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pepper_tui.clock.words import TimeReader
from pepper_tui.connectors.ics.calendar_file import CalendarFiles
from pepper_tui.domains.calendar.free_time import free_spans, window
from pepper_tui.domains.calendar.parts import WorkingHours
from pepper_tui.model import OPEN_TAG, CallState, Namespace, Reminder
from pepper_tui.tools import ApprovalError
from tests.domains.calendar.one_file import OneFile, at, said
from tests.feeds.test_rules import event, ics
from tests.tools.bench import Bench

BERLIN = ZoneInfo("Europe/Berlin")
MINUTE = 60.0


# -------------------------------------------------------------------------------------------------------- free time

minutes = st.integers(0, 400)
spans = st.lists(st.tuples(minutes, minutes).map(lambda pair: (min(pair), max(pair))), max_size=8)


@given(spans, spans, st.integers(1, 60))
def test_free_time_is_what_a_grid_of_minutes_says(wanted: Any, busy: Any, least: int) -> None:
    wanted = [span for n, span in enumerate(sorted(wanted)) if not any(w[1] > span[0] for w in sorted(wanted)[:n])]
    grid = [
        any(start <= minute < end for start, end in wanted) and not any(s <= minute < e for s, e in busy)
        for minute in range(401)
    ]
    expected = []
    for start, end in wanted:
        minute = start
        while minute < end:
            stop = minute
            while stop < end and grid[stop]:
                stop += 1
            if stop - minute >= least:
                expected.append((minute * MINUTE, stop * MINUTE))
            minute = max(stop, minute + 1)
    seconds = [[(s * MINUTE, e * MINUTE) for s, e in each] for each in (wanted, busy)]
    assert free_spans(*seconds, least * MINUTE) == expected


def test_a_day_of_clock_change_is_as_long_as_it_is() -> None:
    for day, hours in ((date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 6, 1), 24)):
        start, end = window(day, 0, 1440, BERLIN)
        assert end - start == hours * 3600
    start, end = window(date(2026, 10, 25), 9 * 60, 17 * 60, BERLIN)
    assert datetime.fromtimestamp(start, UTC).hour == 8
    assert end - start == 8 * 3600


async def test_each_of_a_few_days_without_an_event_says_so(bench: Bench, calendar: OneFile) -> None:
    calendar.write(ics(event("b", at(16, 13))))
    assert (await said(bench, "agenda", start="today and tomorrow")).splitlines() == [
        "Nothing today, Fri 15 Jan 2027.", "tomorrow, Sat 16 Jan 2027, 13:00–13:30: Sync b",
    ]  # fmt: skip
    assert (await said(bench, "agenda", days=3)).splitlines()[2:] == ["Nothing on Sun 17 Jan 2027."]
    assert len((await said(bench, "agenda", days=4)).splitlines()) == 1


async def test_when_the_user_is_free(bench: Bench, calendar: OneFile) -> None:
    away = "UID:w\r\nSUMMARY:Away\r\nDTSTART;VALUE=DATE:20270119\r\nDTEND;VALUE=DATE:20270120"
    birthday = "UID:x\r\nSUMMARY:Birthday\r\nDTSTART;VALUE=DATE:20270118\r\nTRANSP:TRANSPARENT"
    declined = "\r\nATTENDEE;PARTSTAT=DECLINED:mailto:me@example.com"
    calendar.write(
        ics(event("a", at(15, 8, 45)), event("b", at(15, 13)), event("no", at(15, 15), declined), away, birthday,
            event("weekly", at(11, 10), "\r\nRRULE:FREQ=WEEKLY"),
            "UID:ny\r\nSUMMARY:Call\r\nDTSTART;TZID=America/New_York:20270118T100000\r\nDURATION:PT1H")
    )  # fmt: skip
    assert await said(bench, "find_free_time") == (
        "today, Fri 15 Jan 2027: free 09:15–13:00, 13:30–17:00; taken: 09:00–09:15 Sync a, 13:00–13:30 Sync b"
    )
    assert await said(bench, "find_free_time", part="afternoon", minutes=240) == (
        "today, Fri 15 Jan 2027: free 13:30–18:00; taken: 13:00–13:30 Sync b"
    )
    assert (await said(bench, "find_free_time", start="tomorrow", days=4)).splitlines() == [
        "Mon 18 Jan 2027: free 09:00–10:00, 10:30–16:00; taken: 10:00–10:30 Sync weekly, 16:00–17:00 Call",
        "Tue 19 Jan 2027: not free; taken: all day Away",
    ]
    assert await said(bench, "find_free_time", start="2027-01-16") == "tomorrow, Sat 16 Jan 2027: free 09:00–17:00"
    await bench.clock.advance(12 * 3600)
    assert await said(bench, "find_free_time") == "No working hours are left today, Fri 15 Jan 2027."
    bench.parts.calendar.working = WorkingHours(0, 1440, frozenset({5}))
    assert await said(bench, "find_free_time", start="2027-01-23") == "Sat 23 Jan 2027: free 00:00–24:00"


async def test_what_overlaps(bench: Bench, calendar: OneFile) -> None:
    calendar.write(ics(event("a", at(18, 10)), event("b", at(18, 10, 15)), event("c", at(19, 10))))
    assert await said(bench, "find_conflicts") == (
        "Mon 18 Jan 2027, 10:00–10:30: Sync a overlaps with Mon 18 Jan 2027, 10:15–10:45: Sync b"
    )
    assert await said(bench, "find_conflicts", start="2027-01-19", days=1) == "Nothing overlaps, Tue 19 Jan 2027."


async def test_without_a_calendar_it_says_what_to_set(bench: Bench) -> None:
    for name, arguments in (("find_free_time", {}), ("find_conflicts", {}), ("agenda", {})):
        assert "set calendar.paths" in await said(bench, name, **arguments)
    bench.time.reader = TimeReader(bench.clock, BERLIN)
    assert "set calendar.paths" in await said(bench, "add_event", title="x", start="tomorrow 9am")


# ---------------------------------------------------------------------------------------------------- adding an event

FOREIGN = (
    'BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Other//EN\r\nX-WR-CALNAME:Ünïcode\r\nX-ODD;A="b:c":value\r\n'
    "BEGIN:VTIMEZONE\r\nTZID:Home\r\nX-LIC-LOCATION:Europe/Berlin\r\nBEGIN:STANDARD\r\nDTSTART:19701025T030000\r\n"
    "TZOFFSETFROM:+0200\r\nTZOFFSETTO:+0100\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n"
    "BEGIN:VEVENT\r\nUID:one\r\nDTSTAMP:20260101T000000Z\r\nSUMMARY:A very long line that is folded because it has\r\n"
    "  more than 75 octets\r\nDTSTART;TZID=Home:20270118T120000\r\nDTEND;TZID=Home:20270118T130000\r\nX-KEEP:me\r\n"
    "BEGIN:VALARM\r\nACTION:DISPLAY\r\nTRIGGER:-PT5M\r\nEND:VALARM\r\nEND:VEVENT\r\n"
    "BEGIN:VTODO\r\nUID:todo\r\nSUMMARY:END:VCALENDAR in words\r\nEND:VTODO\r\nEND:VCALENDAR\r\n"
)
LUNCH = {"title": "Lunch with Ana", "start": "monday 12:30", "minutes": 45, "location": "Café Kö; 2nd floor"}


@pytest.mark.parametrize(
    "source", [FOREIGN, FOREIGN.replace("\r\n", "\n"), FOREIGN.rstrip(), FOREIGN + FOREIGN.replace(":one", ":two"), ""]
)
async def test_an_event_goes_in_and_nothing_else_changes(bench: Bench, calendar: OneFile, source: str) -> None:
    if source:
        calendar.write(source)
        calendar.set_mode(0o640)
    call = await bench.schedule("add_event", **LUNCH)
    card = await bench.card(call)
    assert calendar.is_there() == bool(source), "nothing before the yes"
    shown = {line.label: line.value for line in card.resolved.lines}
    assert shown["When"] == "Mon 18 Jan 2027, 12:30–13:15 (Europe/Berlin)"
    assert shown["File"] == f"{calendar.path}{'' if source else ' (new)'}"
    assert ("Overlaps" in shown) == bool(source)
    assert not [line.label for line in card.resolved.lines if line.untrusted]
    await bench.yes(call)
    await bench.state(call, CallState.SUCCEEDED)
    written = calendar.read().decode()
    uid = card.resolved.payload["uid"]
    own = written[written.index("BEGIN:VEVENT", written.rindex("END:VTODO") if source else 0) :]
    own = own[: own.index("END:VEVENT") + len("END:VEVENT")]
    assert uid in own
    if source:
        rest = written.replace(own + ("\r\n" if "\r\n" in source else "\n"), "")
        assert rest == source, "every byte that was there is there"
        assert calendar.mode() == 0o640
    found = {
        str(each.get("UID")): each
        for c in icalendar.Calendar.from_ical(written, multiple=True)
        for each in c.walk("VEVENT")
    }
    assert found[uid]["SUMMARY"] == "Lunch with Ana"
    assert found[uid]["LOCATION"] == "Café Kö; 2nd floor"
    assert found[uid].decoded("DTSTART").timestamp() == at(18, 12, 30)
    assert found[uid].decoded("DTEND").timestamp() == at(18, 13, 15)
    assert (await bench.store.get(uid, namespace=Namespace.ADDED)) is not None
    assert calendar.leftovers() == []


async def test_a_file_that_changed_since_is_left_alone(bench: Bench, calendar: OneFile) -> None:
    calendar.write(FOREIGN)
    call = await bench.schedule("add_event", **LUNCH)
    await bench.card(call)
    changed = FOREIGN.replace("X-KEEP:me", "X-KEEP:you")
    calendar.write(changed)
    await bench.yes(call)
    ended = await bench.state(call, CallState.FAILED, CallState.SUCCEEDED, CallState.UNKNOWN)
    assert ended.state is CallState.FAILED
    assert "has changed since" in ended.error
    assert calendar.read() == changed.encode()
    again = await bench.schedule("add_event", **LUNCH)
    await bench.yes(again)
    await bench.state(again, CallState.SUCCEEDED)


async def test_a_write_that_was_cut_off_is_found_by_its_uid_and_not_made_twice(bench: Bench, calendar: OneFile) -> None:
    calendar.write(FOREIGN)
    call = await bench.schedule("add_event", **LUNCH)
    bench.die_at = "attempt_committed"
    await bench.yes(call)
    await bench.settle()
    await bench.crash()
    await bench.state(call, CallState.UNKNOWN)
    assert "did not happen" in await bench.engine.answer_unknown(call, "check")
    again = await bench.schedule("add_event", **LUNCH)
    card = await bench.card(again)
    bench.die_at = "attempt_committed"
    await bench.yes(again)
    await bench.settle()
    calendar.write(  # it died right after the rename
        calendar.read().replace(b"END:VCALENDAR\r\n", card.resolved.payload["event"].encode() + b"END:VCALENDAR\r\n")
    )
    await bench.crash()
    await bench.state(again, CallState.UNKNOWN)
    assert "did happen" in await bench.engine.answer_unknown(again, "check")
    assert calendar.read().decode().count("Lunch with Ana") == 1


async def test_the_user_edits_and_rejects(bench: Bench, calendar: OneFile) -> None:
    calendar.write(FOREIGN)
    call = await bench.schedule("add_event", **LUNCH)
    first = await bench.card(call)
    for fields in ({"file": "/etc/x.ics"}, {"when": "now"}):
        with pytest.raises(ApprovalError, match="only these can be edited"):
            await bench.approvals.edit(first.id, fields)
    with pytest.raises(ApprovalError, match="is not a time"):
        await bench.approvals.edit(first.id, {"starts": "blursday"})
    with pytest.raises(ApprovalError, match="'title' is empty"):
        await bench.approvals.edit(first.id, {"title": " "})
    await bench.approvals.edit(first.id, {"starts": "2027-01-18 14:00", "title": "Late lunch"})
    card = await bench.card(call)
    shown = {line.label: line.value for line in card.resolved.lines}
    assert shown["When"] == "Mon 18 Jan 2027, 14:00–14:45 (Europe/Berlin)"
    assert "Overlaps" not in shown
    await bench.approvals.reject(card.id)
    refused = await bench.schedule("add_event", **{**LUNCH, "start": "monday 14:00", "title": "Late lunch"})
    assert (await bench.state(refused, CallState.FAILED, CallState.WAITING_APPROVAL)).state is CallState.FAILED
    assert "Late" not in calendar.read().decode()


async def test_only_calendars_of_the_config(bench: Bench, calendar: OneFile, tmp_path: Path) -> None:
    calendar.write(FOREIGN)
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.ics").write_text(FOREIGN)
    folder = tmp_path / "folder"
    (folder / "home").mkdir(parents=True)
    (folder / "home" / "1.ics").write_text(FOREIGN.replace(":one", ":1"))
    (folder / "link.ics").symlink_to(outside / "secret.ics")
    bench.parts.calendar.calendars = CalendarFiles([calendar.path, folder], bench.parts.files.looks)
    for wanted in ("secret", str(outside / "secret.ics"), "../outside/secret", "link", "/etc/passwd", "nonsense"):
        words = await said(bench, "add_event", **LUNCH, calendar=wanted)
        assert "is not one of your calendars" in words or "is not in calendar.paths" in words, words
    call = await bench.schedule("add_event", **LUNCH, calendar="Home")
    path = Path((await bench.card(call)).resolved.payload["fields"]["path"])
    assert path.parent == folder / "home"
    (folder / "home").rename(outside / "home")
    (folder / "home").symlink_to(outside / "home")  # between the card and the yes
    await bench.yes(call)
    assert "not in calendar.paths" in (await bench.state(call, CallState.FAILED)).error
    assert [each.name for each in (outside / "home").iterdir()] == ["1.ics"]


@pytest.mark.parametrize(
    "source",
    ["BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n", "no calendar", "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nEND:VCALENDAR\r\n"],
)
async def test_a_damaged_calendar_is_left_alone(bench: Bench, calendar: OneFile, source: str) -> None:
    calendar.write(source)
    call = await bench.schedule("add_event", **LUNCH)
    assert (await bench.state(call, CallState.FAILED, CallState.WAITING_APPROVAL)).state is CallState.FAILED
    assert calendar.read() == source.encode()


async def test_hostile_words_stay_words(bench: Bench, calendar: OneFile) -> None:
    calendar.write(FOREIGN)
    evil = "x\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nUID:evil\r\nSUMMARY:injected\x1b]0;t\x07\u202e see evil.example/pay"
    call = await bench.schedule("add_event", title=evil, start="monday 12:30", notes=evil, location=evil)
    card = await bench.card(call)
    assert [line.label for line in card.resolved.lines if line.untrusted][:3] == ["Title", "Where", "Notes"]
    await bench.yes(call)
    await bench.state(call, CallState.SUCCEEDED)
    events = icalendar.Calendar.from_ical(calendar.read()).walk("VEVENT")
    assert len(events) == 2
    assert not {"\x1b", "\u202e", "\x07"} & set(calendar.read().decode())


async def test_a_folder_that_cant_be_written_is_told(
    bench: Bench, calendar: OneFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    calendar.write(FOREIGN)
    before = calendar.read()
    call = await bench.schedule("add_event", **LUNCH)
    await bench.card(call)

    def full(*_: object, **_k: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "rename", full)
    await bench.yes(call)
    assert "No space left" in (await bench.state(call, CallState.FAILED, CallState.UNKNOWN)).error
    assert (await bench.call(call)).state is CallState.FAILED
    assert calendar.read() == before
    assert calendar.leftovers() == []


async def test_whole_days(bench: Bench, calendar: OneFile) -> None:
    call = await bench.schedule("add_event", title="Away", start="2027-03-27", minutes=3 * 1440, all_day=True)
    shown = {line.label: line.value for line in (await bench.card(call)).resolved.lines}
    assert shown["When"] == "Sat 27 Mar 2027 to Mon 29 Mar 2027, all day"  # over a change of clocks
    await bench.yes(call)
    await bench.state(call, CallState.SUCCEEDED)
    [added] = icalendar.Calendar.from_ical(calendar.read()).walk("VEVENT")
    assert added.decoded("DTEND") - added.decoded("DTSTART") == timedelta(days=3)


async def test_several_days_are_named_in_words(bench: Bench, calendar: OneFile) -> None:
    calendar.write(
        ics(event("a", at(15, 16)), event("b", at(18, 10)), event("c", at(25, 10)), event("d", at(25, 10, 15)))
    )
    both = await said(bench, "agenda", start="today and monday")
    assert both.splitlines() == [
        "Nothing until 16:00 today.",
        "today, Fri 15 Jan 2027, 16:00–16:30: Sync a",
        "Mon 18 Jan 2027, 10:00–10:30: Sync b",
    ]
    assert "Nothing on Wed 20 Jan 2027." in await said(bench, "agenda", start="monday and wednesday")
    assert "Sync b" in await said(bench, "agenda", start="next week"), "all of it, not its first day"
    free = await said(bench, "find_free_time", start="monday and wednesday")
    assert [line.partition(":")[0] for line in free.splitlines()] == ["Mon 18 Jan 2027", "Wed 20 Jan 2027"]
    assert "Nothing overlaps" in await said(bench, "find_conflicts", start="today and monday")
    assert "Sync c overlaps with" in await said(bench, "find_conflicts", start="25 jan", days=1)
    assert "92 at most" in await said(bench, "agenda", start="the next five months")


async def test_only_a_stated_answer_is_shown_as_missing(bench: Bench, calendar: OneFile) -> None:
    calendar.write(
        ics(event("a", at(15, 10), "\r\nATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:me@example.com"),
            event("b", at(15, 13), "\r\nATTENDEE:mailto:me@example.com"))
    )  # fmt: skip
    lines = (await said(bench, "agenda")).splitlines()
    assert [(name, "not answered" in line) for name in "ab" for line in lines if f"Sync {name}" in line] == [
        ("a", True), ("b", False),
    ]  # fmt: skip


async def test_reminders_stand_beside_events(bench: Bench, calendar: OneFile) -> None:
    calendar.write(ics(event("a", at(18, 10)), event("b", at(18, 14))))
    for ident, due, rule in (("r1", at(18, 12), ""), ("r2", at(19, 9), "FREQ=DAILY"), ("r3", at(25, 9), "")):
        reminder = Reminder(ident, f"call {ident}", due, "Europe/Berlin", bench.clock.now(), rule)
        await bench.store.put(reminder, namespace=Namespace.REMINDER, tags=[OPEN_TAG])
    told = await said(bench, "agenda", start="monday and tuesday")
    assert [line.partition(", ")[2].partition(": ")[2] for line in told.splitlines()] == [
        "Sync a",
        "call r1 (reminder)",
        "Sync b",
        "call r2 (reminder, repeats)",
    ]
    assert (await said(bench, "agenda", start="25 jan")).splitlines() == [
        "Nothing on Mon 25 Jan 2027.",
        "Mon 25 Jan 2027, 09:00: call r3 (reminder)",
    ]
