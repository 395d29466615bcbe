"""The agenda on screen: days in order, what each key orders, and pictures of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from textual.pilot import Pilot

from pepper_tui.clock import ManualClock
from pepper_tui.model import CallState, Namespace
from pepper_tui.ui.screen.agenda.agenda_list import AgendaList
from pepper_tui.ui.screen.app import PepperApp
from pepper_tui.ui.screen.reading.detail import DetailView
from pepper_tui.ui.screen.status import StatusLine
from tests.ui.fake_engine import T0, FakeEngine, approval, call, entry, reminder
from tests.ui.seat import acts, press, seat, until

HOUR = 3600.0
DAY = 24 * HOUR


def days(engine: FakeEngine) -> None:
    asked = {"asks": True, "organizer": "Ben Ort (ben@example.org)", "people": ["ben@example.org", "sam@example.com"]}
    engine.entries = [
        entry("Standup", T0 - HOUR, 15, repeats=True, place="Room 4", calendar="work"),
        entry("Review", T0 - HOUR / 2, 60, calendar="work", text="Bring the figures of the last quarter."),
        entry("Lunch with Ann", T0 + 3 * HOUR, place="Café Paris", calendar="home"),
        entry("Budget", T0 + DAY, notes=["not answered"], **asked),
        entry("Choir", T0 + 4 * DAY, repeats=True, **asked),
        entry("Night train to Berlin", T0 + DAY + 13 * HOUR, 600, calendar="home"),
        replace(entry("Taxes", T0 - 2 * DAY, 0, notes=["to-do", "overdue"]), kind="todo", day="2027-01-15"),
        entry("Fair", T0 + 3 * DAY, 2 * 24 * 60, all_day=True, notes=["free"]),
    ]
    engine.put(Namespace.REMINDER, replace(reminder(matter=""), due=T0 + HOUR, text="call Dana"))


def rows(app: PepperApp) -> list[str]:
    view = app.query_one(AgendaList)
    return [view.words_of(row) for row in view.drawn.rows]


async def opened(app: PepperApp, pilot: Pilot[str]) -> AgendaList:
    await press(pilot, "alt+a")
    await until(lambda: bool(app.query(AgendaList)) and app.query_one(AgendaList).selected != "", pilot)
    return app.query_one(AgendaList)


async def test_days_are_in_order_with_what_is_on_them() -> None:
    async with seat(days) as (app, pilot, engine, _):
        view = await opened(app, pilot)
        assert rows(app) == [
            "Fri 15 Jan · today",
            "was 13 Jan Taxes to-do · overdue",
            "07:00–07:15 Standup Room 4 work",
            "▸ 07:30–08:30 Review now · work",
            "09:00 call Dana reminder",
            "11:00–11:30 Lunch with Ann Café Paris home",
            "Sat 16 Jan · tomorrow",
            "? 08:00–08:30 Budget not answered",
            "21:00 … Night train to Berlin home",
            "Sun 17 Jan",
            "until 07:00 Night train to Berlin home",
            "Mon 18 Jan",
            "all day Fair free",
            "Tue 19 Jan",
            "all day Fair free",
            "08:00–08:30 Choir",
            "Wed 20 Jan",
            "all day Fair free",
            "Thu 21 Jan nothing",
        ]
        assert view.entries[view.selected].title == "Review", "the first that is not over"
        engine.left_out = ["work.ics: can't be read"]
        await press(pilot, "o")  # a month
        await until(lambda: rows(app)[-1] == "✗ work.ics: can't be read", pilot)
        assert "Thu 21 Jan nothing" not in rows(app)
        await press(pilot, "o")
        await until(lambda: rows(app)[-2] == "11:00–11:30 Lunch with Ann Café Paris home", pilot)
        await press(pilot, "]")
        await until(lambda: rows(app)[0] == "Sat 16 Jan · tomorrow", pilot)
        await press(pilot, "t")
        await until(lambda: rows(app)[0] == "Fri 15 Jan · today", pilot)


@pytest.mark.parametrize(
    ("row", "keys", "ordered"),
    [
        ("Budget", "1", ("accept", "budget", "", "")),
        ("Budget", "2", ("maybe", "budget", "", "")),
        ("Budget", "3", ("decline", "budget", "", "")),
        ("Choir", "1 1", ("accept", "choir", "", "")),
        ("Choir", "3 2", ("decline", "choir", "2027-01-19", "")),
        ("Budget", "p monday", ("propose", "budget", "", "monday")),
        ("Lunch", "v monday", ("move", "lunch-with-ann", "2027-01-15", "monday")),
        ("Lunch", "e Dinner", ("rename", "lunch-with-ann", "2027-01-15", "Dinner")),
        ("Lunch", "x", ("cancel", "lunch-with-ann", "2027-01-15", "")),
        ("Standup", "x 1", ("cancel", "standup", "2027-01-15", "")),
        ("Standup", "x 2", ("cancel_following", "standup", "2027-01-15", "")),
        ("Standup", "x 3", ("cancel_all", "standup", "2027-01-15", "")),
        ("Taxes", "x", ("done", "taxes", "2027-01-15", "")),
        ("call Dana", "x", ("forget", "rem1", "2027-01-15", "")),
        ("Lunch", "n tea", ("new", "", "", "tea")),
    ],
)
async def test_each_key_orders_what_it_says(row: str, keys: str, ordered: tuple[str, ...]) -> None:
    key, _, said = keys.partition(" ")
    async with seat(days) as (app, pilot, engine, _):
        view = await opened(app, pilot)
        view.select(next(each for each in view.entries if row in view.entries[each].title))
        await press(pilot, key)
        if said:
            await until(lambda: app.asking.open, pilot)
            await press(pilot, *said, *([] if said.isdigit() else ["enter"]))
        await until(lambda: bool(acts(engine, "order_event")), pilot)
        assert acts(engine, "order_event") == [("order_event", *ordered)]


@pytest.mark.parametrize(
    ("row", "key", "words"),
    [
        ("Lunch", "1", "Nobody else asks you to this"),
        ("Budget", "v", "It is Ben Ort (ben@example.org)'s: p proposes another time to them"),
        ("call Dana", "v", "This is a reminder"),
        ("Taxes", "1", "This is a to-do: that key is about events"),
    ],
)
async def test_a_key_that_does_not_fit_says_so(row: str, key: str, words: str) -> None:
    async with seat(days) as (app, pilot, engine, _):
        view = await opened(app, pilot)
        view.select(next(each for each in view.entries if row in view.entries[each].title))
        await press(pilot, key)
        await until(lambda: app.query_one(StatusLine).facts.words.startswith(words), pilot)
        assert acts(engine, "order_event") == []


async def test_the_card_of_an_order_opens_and_why_it_could_not_be_is_said() -> None:
    async with seat(days) as (app, pilot, engine, _):
        view = await opened(app, pilot)
        view.select(next(each for each in view.entries if "Lunch" in view.entries[each].title))
        await press(pilot, "x")
        await until(lambda: bool(acts(engine, "order_event")), pilot)
        failed = call("cancel1", name="cancel_event", state=CallState.FAILED, error="it is read-only")
        engine.put(Namespace.TOOL_CALL, failed)
        await until(lambda: "Not done: it is read-only" in app.query_one(StatusLine).facts.words, pilot)
        await press(pilot, "x")
        await until(lambda: len(acts(engine, "order_event")) == 2, pilot)
        engine.put(Namespace.TOOL_CALL, call("cancel2", name="cancel_event", state=CallState.WAITING_APPROVAL))
        engine.put(Namespace.APPROVAL, replace(approval("a9"), call="cancel2"))
        await until(lambda: app.query_one(DetailView).display, pilot)
        await press(pilot, "escape")
        await until(lambda: view.has_focus, pilot)
        await press(pilot, "alt+a")
        await until(lambda: not app.query(AgendaList), pilot)


async def test_what_has_changed_is_shown() -> None:
    async with seat(days) as (app, pilot, engine, clock):
        await opened(app, pilot)
        engine.entries = [each for each in engine.entries if "Lunch" not in each.title]
        engine.put(Namespace.REMINDER, replace(reminder("rem2", matter=""), due=T0 + 2 * HOUR, text="buy milk"))
        await clock.advance(1)
        await until(lambda: "10:00 buy milk reminder" in rows(app), pilot)
        assert not any("Lunch" in row for row in rows(app))


@pytest.mark.parametrize(
    ("size", "keys", "theme"),
    [
        ((80, 24), (), "pepper"),
        ((120, 40), ("j", "j", "j", "enter"), "pepper-ansi"),
        ((200, 60), ("o",), "pepper-contrast"),
    ],
    ids=["80-week", "120-event", "200-month"],
)
def test_pictures(snap_compare: Any, size: tuple[int, int], keys: tuple[str, ...], theme: str) -> None:
    async def factory() -> FakeEngine:
        engine = FakeEngine()
        days(engine)
        return engine

    app = PepperApp(factory, clock=ManualClock(T0), theme=theme)

    async def settle(pilot: Pilot[str]) -> None:
        await until(lambda: app.link.engine is not None, pilot)
        await opened(app, pilot)
        for key in keys:
            await pilot.press(key)
            await pilot.pause(0.05)
        await pilot.pause(0.5)

    assert snap_compare(app, terminal_size=size, run_before=settle)
