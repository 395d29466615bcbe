"""To-dos: read from files and copies, in the agenda beside events, told once when they become due."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from pepper_tui.clock import ManualClock
from pepper_tui.domains.calendar.agenda import Agenda
from pepper_tui.domains.calendar.todos.todo import Todo
from pepper_tui.domains.invitations.choices import choices_of
from pepper_tui.model import ContextFilter, Signal
from pepper_tui.store import ContextStore
from tests.domains.calendar.followed import Followed, calendar, component
from tests.domains.calendar.one_file import BERLIN, OneFile, at, said
from tests.feeds.test_rules import event, ics
from tests.tools.bench import Bench


def todo(uid: str, *lines: str) -> str:
    return component("VTODO", f"UID:{uid}", f"SUMMARY:Do {uid}", *lines)


async def read(path: Path) -> list[Todo]:
    agenda = Agenda([path], BERLIN)
    found = await agenda.todos.read()
    assert list(agenda.todos.defects) == []
    return found


DAY = datetime(2027, 1, 15, tzinfo=BERLIN).timestamp()


@pytest.mark.parametrize(
    ("lines", "due", "all_day", "done", "repeats"),
    [
        (("DUE;VALUE=DATE:20270115",), DAY, True, False, False),
        (("DUE:20270115T160000Z",), at(15, 17), False, False, False),
        (("DUE:20270115T170000",), at(15, 17), False, False, False),
        (("DUE;TZID=America/New_York:20270115T110000",), at(15, 17), False, False, False),
        (("DTSTART:20270115T150000Z", "DURATION:PT1H"), at(15, 17), False, False, False),
        (("DTSTART;VALUE=DATE:20270115",), None, False, False, False),
        ((), None, False, False, False),
        (("DUE;VALUE=DATE:20270115", "STATUS:COMPLETED"), DAY, True, True, False),
        (("DUE;VALUE=DATE:20270115", "STATUS:CANCELLED"), DAY, True, True, False),
        (("DUE;VALUE=DATE:20270115", "STATUS:IN-PROCESS", "PERCENT-COMPLETE:50"), DAY, True, False, False),
        (("DUE;VALUE=DATE:20270115", "PERCENT-COMPLETE:100"), DAY, True, True, False),
        (("DUE;VALUE=DATE:20270115", "COMPLETED:20270114T100000Z"), DAY, True, True, False),
        (("DUE;VALUE=DATE:20270115", "RRULE:FREQ=WEEKLY"), DAY, True, False, True),
        (("DTSTART;VALUE=DATE:20270101", "DUE;VALUE=DATE:20270101", "RRULE:FREQ=WEEKLY",
          "EXDATE;VALUE=DATE:20270101,20270108"), DAY, True, False, True),
        (("DUE;VALUE=DATE:20270115", "RRULE:FREQ=SOMETIMES"), DAY, True, False, True),
    ],
)  # fmt: skip
async def test_the_forms_of_a_to_do(
    tmp_path: Path, lines: tuple[str, ...], due: float | None, all_day: bool, done: bool, repeats: bool
) -> None:
    path = tmp_path / "a.ics"
    path.write_text(calendar(todo("a", *lines, "PRIORITY:1")), newline="")
    agenda = Agenda([path], BERLIN)
    [found] = await agenda.todos.read()
    assert (found.due, found.all_day, found.done, found.repeats) == (due, all_day, done, repeats)
    assert (found.uid, found.summary, found.priority, found.calendar) == ("a", "Do a", 1, "a")
    assert any("RRULE" in each for each in agenda.todos.defects) == ("SOMETIMES" in str(lines))
    assert agenda.defects == []
    assert await agenda.events() == []


async def test_of_a_series_the_first_that_is_not_done(tmp_path: Path) -> None:
    path = tmp_path / "a.ics"
    done = ("RECURRENCE-ID;VALUE=DATE:20270101", "DUE;VALUE=DATE:20270101", "STATUS:COMPLETED")
    moved = ("RECURRENCE-ID;VALUE=DATE:20270108", "DUE;VALUE=DATE:20270120")
    path.write_text(
        calendar(
            todo("a", "DTSTART;VALUE=DATE:20270101", "DUE;VALUE=DATE:20270101", "RRULE:FREQ=WEEKLY"),
            todo("a", *done), todo("a", *moved),
            todo("b", "DUE;VALUE=DATE:20270101", "RRULE:FREQ=WEEKLY;COUNT=1"),
            todo("b", *done),
        ),
        newline="",
    )  # fmt: skip
    found = await read(path)
    left = [(each.uid, datetime.fromtimestamp(each.due or 0, BERLIN).day) for each in found if not each.done]
    assert left == [("a", 15), ("a", 20)]


async def test_to_dos_stand_beside_the_events_of_their_day(bench: Bench, calendar: OneFile) -> None:
    parts = ics(event("a", at(15, 13)), event("b", at(18, 10))).replace(
        "END:VCALENDAR\r\n",
        "\r\n".join(
            [
                todo("late", "DUE;VALUE=DATE:20270111"), todo("soon", "DUE:20270115T160000Z", "PRIORITY:1"),
                todo("today", "DUE;VALUE=DATE:20270115", "RRULE:FREQ=DAILY"), todo("gone", "DUE:20270115T070000Z"),
                todo("monday", "DUE:20270118T090000Z", "LOCATION:Town hall"), todo("some day"),
                todo("done", "DUE;VALUE=DATE:20270115", "STATUS:COMPLETED"),
                todo("off", "DUE;VALUE=DATE:20270111", "STATUS:CANCELLED"), "END:VCALENDAR", "",
            ]
        ),
    )  # fmt: skip
    calendar.write(parts)
    assert (await said(bench, "agenda")).splitlines() == [
        "Nothing until 13:00 today.",
        "was due Mon 11 Jan 2027: Do late (to-do, overdue)",
        "today, Fri 15 Jan 2027: Do today (to-do, repeats)",
        "was due today, Fri 15 Jan 2027, 08:00: Do gone (to-do, overdue)",
        "today, Fri 15 Jan 2027, 13:00–13:30: Sync a",
        "today, Fri 15 Jan 2027, 17:00: Do soon (to-do, high priority)",
    ]
    assert (await said(bench, "agenda", start="2027-01-18")).splitlines() == [
        "Mon 18 Jan 2027, 10:00–10:30: Sync b",
        "Mon 18 Jan 2027, 10:00: Do monday, Town hall (to-do)",
    ]
    assert await said(bench, "find_conflicts") == "Nothing overlaps, today, Fri 15 Jan 2027 to Thu 28 Jan 2027."
    assert "taken: 13:00–13:30 Sync a" in await said(bench, "find_free_time")


async def test_what_cannot_be_read_of_to_dos_costs_no_event_and_is_said(bench: Bench, calendar: OneFile) -> None:
    bad = todo("bad", "DUE:20270115T160000Z", "RRULE:FREQ=SECONDLY")
    unended = "BEGIN:VTODO\r\nUID:open\r\nDUE;VALUE=DATE:20270115\r\n"
    calendar.write(ics(event("a", at(15, 13))).replace("BEGIN:VEVENT", f"{bad}\r\n{unended}BEGIN:VEVENT"))
    told = await said(bench, "agenda")
    assert "13:00–13:30: Sync a" in told
    assert "Do bad (to-do, repeats)" in told
    assert "Not all to-dos could be read: work.ics: Do bad (to-do): its RRULE can't be read" in told
    assert "Not all of the calendar" not in told
    assert await said(bench, "find_conflicts") == "Nothing overlaps, today, Fri 15 Jan 2027 to Thu 28 Jan 2027."


HOUR = 3600.0


async def test_a_to_do_is_told_once_when_it_becomes_due(
    store: ContextStore, clock: ManualClock, tmp_path: Path
) -> None:
    """It is 15 January, 09:00; the morning of the 16th begins at 9."""
    parts = [
        todo("old", "DUE;VALUE=DATE:20270110"), todo("today", "DUE;VALUE=DATE:20270115"),
        todo("timed", "DUE:20270115T160000Z"), todo("day", "DUE;VALUE=DATE:20270116"),
        todo("done", "DUE:20270115T160000Z", "STATUS:COMPLETED"), todo("moved", "DUE:20270115T160000Z"),
        todo("never"),
    ]  # fmt: skip
    (tmp_path / "c.ics").write_text(calendar(*parts), newline="")
    async with Followed(store, clock, tmp_path / "c.ics") as desk:
        await desk.looked()
        assert await desk.words("due") == []
        parts[5] = todo("moved", "DUE:20270120T160000Z")
        desk.write(*parts)
        await desk.pass_to(at(15, 17) + 1)
        assert await desk.words("due") == ["Due 17:00: Do timed (to-do) — Fri 15 Jan"]
        [told] = await desk.told("due")
        assert (told["priority"], told["reason"]) == ("normal", "a to-do of yours is due")
        [key] = choices_of(Signal.of(told))  # of the card, where a rule of the user's makes one
        assert (key["words"], key["tool"], key["arguments"]) == ("Done", "complete_todo", {"todo": "uid:timed"})
        await desk.pass_to(at(16, 8, 59))
        assert len(await desk.words("due")) == 1
        await desk.pass_to(at(16, 9) + 1)
        assert (await desk.words("due"))[1:] == ["Due: Do day (to-do) — Sat 16 Jan"]
    parts[3] = todo("day", "DUE;VALUE=DATE:20270116", "STATUS:COMPLETED")
    async with Followed(store, clock, tmp_path / "c.ics") as desk:  # after a restart, and while Pepper was away
        await desk.looked()
        assert len(await desk.words("due")) == 2
        await desk.feeds.stop()
    clock.jump(at(20, 18) - clock.now())
    async with Followed(store, clock, tmp_path / "c.ics") as desk:
        await desk.looked()
        assert (await desk.words("due"))[2:] == ["Overdue: Do moved (to-do) — Wed 20 Jan 17:00"]


async def test_switched_off_nothing_is_told(store: ContextStore, clock: ManualClock, tmp_path: Path) -> None:
    (tmp_path / "c.ics").write_text(calendar(todo("timed", "DUE:20270115T160000Z")), newline="")
    async with Followed(store, clock, tmp_path / "c.ics", due_todos=False) as desk:
        await desk.looked()
        await desk.pass_to(at(15, 18))
        assert await desk.words("due") == []


async def test_to_dos_of_an_account_are_there_too(store: ContextStore, clock: ManualClock, tmp_path: Path) -> None:
    (tmp_path / "c.ics").write_text(calendar(), newline="")
    async with Followed(store, clock, tmp_path / "c.ics") as desk:
        await desk.looked()
        await desk.put(calendar(todo("far", "DUE:20270115T160000Z")), may_write=True, first=True)
        await desk.looked()
        await desk.pass_to(at(15, 17) + 1)
        assert await desk.words("due") == ["Due 17:00: Do far (to-do) — Fri 15 Jan"]
        found = await store.query(ContextFilter(namespaces=["raw.calendar"], types=["todo"]))
        assert [each.data["calendar"] for each in found] == ["acc/x"]
