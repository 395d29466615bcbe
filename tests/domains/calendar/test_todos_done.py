"""To-dos marked as done, and as open again, after a yes: nothing else of the file changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from pepper_tui.connectors.ics.calendar_file import CalendarFiles
from pepper_tui.domains.calendar.agenda import Agenda
from pepper_tui.model import CallState
from tests.domains.calendar.followed import calendar as calendar_of
from tests.domains.calendar.followed import component
from tests.domains.calendar.one_file import BERLIN, OneFile, said
from tests.domains.calendar.test_changing import done
from tests.tools.bench import Bench

RENT = component("VTODO", "UID:rent", "SUMMARY:Pay the rent", "DUE;VALUE=DATE:20270115", "X-KEPT:yes", "SEQUENCE:3")
TAX = component("VTODO", "UID:tax", "SUMMARY:Tax, at last", "DUE:20270120T160000Z", "X-OTHER:1")
TAX2 = component("VTODO", "UID:tax2", "SUMMARY:Tax papers", "DUE;VALUE=DATE:20270121")
PLANTS = component("VTODO", "UID:plants", "SUMMARY:Water plants", "DUE;VALUE=DATE:20270115", "RRULE:FREQ=DAILY")
PAID = component("VTODO", "UID:paid", "SUMMARY:Old bill", "STATUS:COMPLETED", "COMPLETED:20270101T000000Z")
EVENT = component("VEVENT", "UID:e", "SUMMARY:Rent a car", "DTSTART:20270115T100000Z", "X-MINE:2")
NOTE = component("VJOURNAL", "UID:j", "SUMMARY:Diary")
ALL = (EVENT, RENT, TAX, NOTE, TAX2, PLANTS, PAID)


def without(text: bytes) -> list[str]:
    """The lines of a file but those of the to-do that is changed."""
    before, _, rest = text.decode().partition("BEGIN:VTODO\r\n")
    return [*before.splitlines(), *rest.partition("END:VTODO\r\n")[2].splitlines()]


async def test_one_is_done_and_open_again(bench: Bench, calendar: OneFile) -> None:
    source = calendar_of(*ALL)
    calendar.write(source)
    card = await done(bench, "complete_todo", todo="rent")
    assert card == {"To-do": "Pay the rent, due Fri 15 Jan 2027", "Marked as": "done", "Calendar": "work"}
    written = calendar.read()
    assert without(written) == without(source.encode())
    for line in ("STATUS:COMPLETED", "COMPLETED:20270115T080000Z", "PERCENT-COMPLETE:100", "X-KEPT:yes", "SEQUENCE:4"):
        assert f"\r\n{line}\r\n" in written.decode()
    assert "rent" not in await said(bench, "list_todos")
    card = await done(bench, "complete_todo", todo="rent", done=False)
    assert card["Marked as"] == "open again"
    assert "COMPLETED:20270115" not in calendar.read().decode()
    assert "Pay the rent" in await said(bench, "agenda")


async def test_what_there_is_to_do(bench: Bench, calendar: OneFile) -> None:
    calendar.write(calendar_of(*ALL, component("VTODO", "UID:s", "SUMMARY:Some day")))
    assert (await said(bench, "list_todos")).splitlines() == [
        "today, Fri 15 Jan 2027: Pay the rent (to-do)",
        "today, Fri 15 Jan 2027: Water plants (to-do, repeats)",
        "Wed 20 Jan 2027, 17:00: Tax, at last (to-do)",
        "Thu 21 Jan 2027: Tax papers (to-do)",
        "at no time: Some day (to-do)",
    ]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"todo": "tax"}, "several to-dos are meant: “Tax, at last” due Wed 20 Jan 2027 17:00, “Tax papers”"),
        ({"todo": "plants"}, "“Water plants” repeats, and programs differ in how that goes on; do it in your own"),
        ({"todo": "bill"}, "no open to-do is called 'bill'"),
        ({"todo": "rent", "done": False}, "no done to-do is called 'rent'"),
        ({"todo": "tax2"}, "no open to-do is called 'tax2'"),
        ({"todo": "car"}, "no open to-do is called 'car'"),
        ({"todo": " "}, "'todo' is empty"),
    ],
)
async def test_what_is_not_marked_says_why(
    bench: Bench, calendar: OneFile, arguments: dict[str, object], words: str
) -> None:
    calendar.write(calendar_of(*ALL))
    assert words in await said(bench, "complete_todo", **arguments)


async def test_a_day_tells_them_apart(bench: Bench, calendar: OneFile) -> None:
    calendar.write(calendar_of(*ALL))
    assert (await done(bench, "complete_todo", todo="tax", day="2027-01-21"))["To-do"].startswith("Tax papers")


async def test_what_changed_meanwhile_is_left_alone(bench: Bench, calendar: OneFile) -> None:
    calendar.write(calendar_of(*ALL))
    call = await bench.schedule("complete_todo", todo="rent")
    await bench.card(call)
    moved = RENT.replace("20270115", "20270116")
    calendar.write(changed := calendar_of(EVENT, moved, *ALL[2:]))
    await bench.yes(call)
    await bench.state(call, CallState.FAILED)
    assert calendar.read() == changed.encode()


async def test_another_part_of_the_file_may_change_meanwhile(bench: Bench, calendar: OneFile) -> None:
    calendar.write(calendar_of(*ALL))
    call = await bench.schedule("complete_todo", todo="rent")
    await bench.card(call)
    calendar.write(calendar_of(*ALL[:3]))
    await bench.yes(call)
    await bench.state(call, CallState.SUCCEEDED)
    assert calendar.read().count(b"STATUS:COMPLETED") == 1


async def test_what_pepper_may_not_write_is_named(bench: Bench, tmp_path: Path, calendar: OneFile) -> None:
    (tmp_path / "other.ics").write_text(calendar_of(RENT), newline="")
    bench.parts.calendar.agenda = Agenda([tmp_path / "other.ics"], BERLIN)
    bench.parts.calendar.calendars = CalendarFiles([calendar.path], bench.parts.files.looks)
    words = "“Pay the rent” is in other, which can't be written to from here"
    assert words in await said(bench, "complete_todo", todo="rent")
