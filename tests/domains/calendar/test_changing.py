"""Events moved, changed and cancelled after a yes: once, one time or all of them, and nothing else of the file."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from pepper_tui.domains.calendar.agenda import Agenda
from pepper_tui.domains.calendar.writer import Rewritable
from pepper_tui.model import CallState
from tests.domains.calendar.one_file import BERLIN, OneFile, at, said
from tests.feeds.test_rules import event, ics
from tests.tools.bench import Bench

ZONED = "DTSTART;TZID=Europe/Berlin:202701"
DAILY = f"UID:d\r\nSUMMARY:Standup\r\n{ZONED}18T090000\r\nDURATION:PT30M\r\nRRULE:FREQ=DAILY;COUNT=4"
OTHER = "UID:o\r\nSUMMARY:Lunch with Ann\r\nDTSTART;TZID=Europe/Berlin:20270118T123000\r\nDURATION:PT1H\r\nX-KEPT:yes"
DAYS = (18, 19, 20, 21)


async def done(bench: Bench, name: str, **arguments: Any) -> dict[str, str]:
    """Let a tool be called and approved; what its card showed."""
    call = await bench.schedule(name, **arguments)
    card = await bench.card(call)
    await bench.yes(call)
    await bench.state(call, CallState.SUCCEEDED)
    return {line.label: line.value for line in card.resolved.lines}


async def times(file: OneFile, days: tuple[int, ...] = (17, 18, 19, 20, 21, 22, 23)) -> list[str]:
    """What a fresh agenda reads, by local time."""
    found = await Agenda([file.path], BERLIN).between(at(days[0], 0), at(days[-1], 23))
    shown = [(datetime.fromtimestamp(one.start, BERLIN), one) for one in found]
    return [f"{start:%d %H:%M} {one.summary} {(one.end - one.start) / 60:.0f}" for start, one in shown]


def all_at(words: str, later: int) -> list[str]:
    return [words.format(day + later) for day in DAYS]


LUNCH = "18 12:30 Lunch with Ann 60"
STANDUPS = [f"{day} 09:00 Standup 30" for day in DAYS]


@pytest.mark.parametrize(
    ("arguments", "after"),
    [
        ({"start": "2027-01-19 14:00"}, ["19 14:00 Lunch with Ann 60"]),
        ({"start": "2027-01-19"}, ["19 12:30 Lunch with Ann 60"]),
        ({"start": "2027-01-18 13:00 to 14:30"}, ["18 13:00 Lunch with Ann 90"]),
        ({"minutes": 15}, ["18 12:30 Lunch with Ann 15"]),
        ({"title": "Dinner", "start": "2027-01-18 19:00"}, ["18 19:00 Dinner 60"]),
    ],
)
async def test_a_single_event_is_moved_and_named_anew(
    bench: Bench,
    calendar: OneFile,
    arguments: dict[str, Any],
    after: list[str],
) -> None:
    before = ics(DAILY, OTHER)
    calendar.write(before)
    shown = await done(bench, "change_event", event="lunch ann", **arguments)
    assert shown["Event"] == "Lunch with Ann, Mon 18 Jan 2027, 12:30–13:30 (Europe/Berlin)"
    assert sorted(await times(calendar)) == sorted([*STANDUPS, *after])
    text = calendar.read().decode()
    assert DAILY in text, "the other events stay to the byte"
    assert "X-KEPT:yes" in text
    assert text.count("UID:o") == 1


@pytest.mark.parametrize(
    ("tool", "arguments", "after"),
    [
        ("change_event", {"day": "2027-01-19", "start": "2027-01-19 10:00"}, ["19 10:00 Standup 30"]),
        ("change_event", {"start": "2027-01-18 10:00", "which": "all"}, [f"{day} 10:00 Standup 30" for day in DAYS]),
        (
            "change_event",
            {"start": "2027-01-19 10:00", "which": "all"},
            [f"{day + 1} 10:00 Standup 30" for day in DAYS],
        ),
        ("change_event", {"title": "Sync", "which": "all"}, [f"{day} 09:00 Sync 30" for day in DAYS]),
        ("cancel_event", {"day": "2027-01-19"}, None),
        ("cancel_event", {"day": "2027-01-20", "which": "following"}, [f"{day} 09:00 Standup 30" for day in (18, 19)]),
        ("cancel_event", {"which": "all"}, []),
    ],
)
async def test_one_time_of_a_series_or_all_of_them(
    bench: Bench,
    calendar: OneFile,
    tool: str,
    arguments: dict[str, Any],
    after: list[str] | None,
) -> None:
    calendar.write(ics(DAILY, OTHER))
    await done(bench, tool, event="standup", **arguments)
    if after is None:
        after = [each for each in STANDUPS if not each.startswith("19")]
    elif len(after) == 1:
        after = [*(each for each in STANDUPS if not each.startswith("19")), *after]
    assert sorted(await times(calendar)) == sorted([LUNCH, *after])


async def test_a_time_that_was_moved_is_moved_again_and_cancelled(bench: Bench, calendar: OneFile) -> None:
    calendar.write(ics(DAILY, OTHER))
    for start in ("2027-01-19 10:00", "2027-01-19 11:00"):
        await done(bench, "change_event", event="standup", day="2027-01-19", start=start)
    rest = [each for each in STANDUPS if not each.startswith("19")]
    assert sorted(await times(calendar)) == sorted([LUNCH, *rest, "19 11:00 Standup 30"])
    await done(bench, "change_event", event="standup", day="2027-01-18", start="2027-01-18 09:30", which="all")
    assert "19 11:30 Standup 30" not in await times(calendar), "what was moved by hand stays where it is"
    await done(bench, "cancel_event", event="standup", day="2027-01-19")
    assert not [each for each in await times(calendar) if each.startswith("19")]


@pytest.mark.parametrize(
    ("more", "arguments", "words"),
    [
        ("", {"event": "standup", "start": "2027-01-18 09:00"}, "it is so already"),
        ("", {"event": "choir", "start": "2027-01-18 09:00"}, "no event is called 'choir'"),
        ("", {"event": "n", "start": "2027-01-18 09:00"}, "several events are meant: “Standup” Mon 18 Jan 09:00"),
        ("RRULE:FREQ=WEEKLY;BYDAY=MO", {"event": "talk", "start": "2027-01-19", "which": "all"}, "names its days"),
        (
            "ORGANIZER:mailto:ben@x.example\r\nATTENDEE;PARTSTAT=ACCEPTED:mailto:me@example.com",
            {"event": "talk", "start": "2027-01-19 10:00"},
            "“Talk” is ben@x.example's; propose another time",
        ),
    ],
)  # fmt: skip
async def test_what_can_not_be_changed_is_said(
    bench: Bench,
    calendar: OneFile,
    more: str,
    arguments: dict[str, Any],
    words: str,
) -> None:
    talk = f"UID:t\r\nSUMMARY:Talk\r\nDTSTART;TZID=Europe/Berlin:20270118T100000\r\nDURATION:PT1H\r\n{more}"
    calendar.write(ics(DAILY, OTHER, *([talk] if more else [])))
    bench.parts.calendar.own = ["me@example.com"]
    assert words in await said(bench, "change_event", **arguments)


async def test_a_file_that_has_changed_meanwhile_is_left_alone(bench: Bench, calendar: OneFile) -> None:
    calendar.write(ics(DAILY, OTHER))
    call = await bench.schedule("cancel_event", event="lunch")
    await bench.card(call)
    calendar.write(ics(DAILY, OTHER.replace("Ann", "Ben")))
    await bench.yes(call)
    assert "has changed since" in (await bench.state(call, CallState.FAILED)).error
    assert "Ben" in calendar.read().decode()


@pytest.mark.parametrize(("text", "left"), [("DTSTART", 0), ("", 1)])
async def test_what_was_done_before_is_done_once_more_without_harm(
    bench: Bench, calendar: OneFile, text: str, left: int
) -> None:
    calendar.write(ics(DAILY, OTHER))
    files = bench.parts.calendar.calendars
    assert isinstance(files, Rewritable)
    held = await files.held("work", "o")
    assert held is not None
    wanted = held.text.replace("123000", "140000") if text else ""
    await files.rewrite(held, wanted)
    after = calendar.read()
    assert "already" in await files.rewrite(held, wanted)
    assert await files.stands(held, wanted)
    assert calendar.read() == after
    assert after.count(b"UID:o") == 1 - left


async def test_an_event_that_lies_by_itself_in_a_folder(bench: Bench, calendar: OneFile, tmp_path: Path) -> None:
    from pepper_tui.connectors.ics.calendar_file import CalendarFiles

    folder = tmp_path / "home"
    folder.mkdir()
    (folder / "one.ics").write_text(ics(event("one", at(18, 9))))
    (folder / "two.ics").write_text(ics(event("two", at(18, 10))))
    bench.parts.calendar.agenda = Agenda([folder], BERLIN)
    bench.parts.calendar.calendars = CalendarFiles([folder], bench.parts.files.looks)
    await done(bench, "cancel_event", event="sync one")
    assert "BEGIN:VEVENT" not in (folder / "one.ics").read_text()
    assert "UID:two" in (folder / "two.ics").read_text()
