"""No key about a row does nothing in silence: where none is chosen, the status line says so, in every list."""

from __future__ import annotations

import pytest

from pepper_tui.model import CallState, Namespace, WorkerRun
from pepper_tui.ui.screen.inbox.card_view import FRESH_WORDS, CardView
from pepper_tui.ui.screen.inbox.inbox_list import Inbox
from pepper_tui.ui.screen.lists.row_cursor import RowCursor
from pepper_tui.ui.screen.status import StatusLine
from pepper_tui.ui.shared.key_table.key import Key
from pepper_tui.ui.shared.keys import KEYS
from tests.ui.fake_engine import T0, FakeEngine, approval, call, entry, note, report, signal
from tests.ui.mail_box import full_box
from tests.ui.seat import acts, press, seat, until
from tests.ui.test_connections import Book, Row

NONE_CHOSEN = "Nothing is chosen: j or k choose"
MOVES = {f"list.{name}" for name in ("down", "up", "page_down", "page_up", "first", "last")}
OF_NO_ROW = MOVES | {
    *("list.filter", "list.back", "signals.logged", "inbox.undo", "inbox.redo", "rules.undo", "rules.redo"),
    *("mail.new", "mail.undo", "mail.keys", "mail.order", "connections.add", "connections.restart"),
    *("agenda.new", "agenda.today", "agenda.later", "agenda.earlier", "agenda.order", "agenda.go", "agenda.undo"),
    *("agenda.redo", "go.mail", "go.agenda", "pepper.question"),
}
"""The keys that need no row. Whatever is added to the table counts as one that does, and must say so."""
PLACES = {
    "inbox": ("list", "inbox"),
    "signals": ("list", "signals"),
    "calls": ("list", "calls"),
    "workers": ("list", "calls"),
    "effects": ("list",),
    "rules": ("list", "rules"),
    "connections": ("list", "connections"),
    "agenda": ("list", "agenda"),
    "mail": ("list", "mail", "mail_list"),
}


def world(engine: FakeEngine) -> None:
    for number in range(3):
        engine.put(Namespace.APPROVAL, approval(f"a{number}", at=T0 - number))
        engine.put("signals.mail", signal(f"s{number}", "Alice: lunch"))
        engine.put(Namespace.TOOL_CALL, call(f"k{number}", state=CallState.SUCCEEDED, ended_at=T0))
        engine.put(Namespace.RUN, WorkerRun(f"r{number}", "k", "scribe", "stateful", "a task", T0))
        engine.reports[f"rule{number}"] = report(f"rule{number}")
        engine.entries.append(entry(f"Event {number}", T0 + number * 3600))
    full_box(engine.mail)


def acting(place: str) -> list[Key]:
    """The keys of a list that are about a row. A key that another of the same list has taken is that one's."""
    taken: dict[str, Key] = {}
    for where in PLACES[place]:
        taken |= {name: key for key in KEYS if key.where == where for name in key.keys.split(",")}
    return [key for key in KEYS if key in taken.values() and key.id not in OF_NO_ROW]


OPENED = {"effects": "f12", "rules": "f10", "connections": "ctrl+n", "mail": "f11", "agenda": "alt+a"}


@pytest.mark.parametrize("place", [*PLACES])
async def test_a_key_about_a_row_says_that_none_is_chosen(place: str) -> None:
    async with seat(world) as (app, pilot, engine, clock):
        app.make_accounts = lambda: Book([Row("work", "a@b.org"), Row("home", "c@d.org")])
        if place in OPENED:
            await press(pilot, OPENED[place])
        await until(lambda: bool(app.query(f"#{place}")), pilot)
        view = app.query_one(f"#{place}", RowCursor)
        view.focus()
        await until(lambda: view.has_focus and bool(view.row_ids) and bool(view.selected), pilot)
        await clock.advance(1)
        line = app.query_one(StatusLine)
        for key in acting(place):
            view.selected = ""
            app.say_words("")
            await press(pilot, next(name for name in key.keys.split(",")))
            await until(lambda: bool(line.facts.words), pilot)
            assert line.facts.words == NONE_CHOSEN, key.id
        done = acts(engine, "approve", "reject", "dismiss", "done", "snooze", "file", "cancel_call", "pause_rule")
        assert not done
        await press(pilot, "j")
        assert view.selected in view.row_ids


async def test_after_an_act_in_the_inbox_the_next_key_says_that_none_is_chosen_and_so_after_undo() -> None:
    async with seat(world) as (app, pilot, engine, clock):
        await press(pilot, "ctrl+t")
        inbox, line = app.query_one(Inbox), app.query_one(StatusLine)
        await clock.advance(1)
        await press(pilot, "n")
        await until(lambda: not inbox.selected, pilot)
        await press(pilot, "n")
        assert line.facts.words == NONE_CHOSEN
        await press(pilot, "u")
        await until(lambda: len(inbox.row_ids) == 3, pilot)
        await press(pilot, "y")
        assert line.facts.words == NONE_CHOSEN
        assert len(acts(engine, "approve", "reject")) == 1
        await press(pilot, "f2")  # while nothing is chosen, the first card is not meant either
        assert line.facts.words == NONE_CHOSEN


async def test_a_key_on_a_card_whose_words_have_just_changed_says_so() -> None:
    async with seat(world) as (app, pilot, engine, _):
        await press(pilot, "ctrl+t")
        card = app.query_one(CardView)
        await until(lambda: app.query_one(Inbox).selected == "approval:a2" and card.takes_keys, pilot)
        engine.put(Namespace.APPROVAL, approval("a2", body="Other words", at=T0 - 2))
        await until(lambda: not card.takes_keys, pilot)
        await press(pilot, "y")
        assert app.query_one(StatusLine).facts.words == FRESH_WORDS
        assert not acts(engine, "approve")


async def test_an_empty_list_says_that_it_is_empty() -> None:
    async with seat() as (app, pilot, _, _):
        line = app.query_one(StatusLine)
        for place, said in (("inbox", "The inbox is empty"), ("calls", "There is nothing here yet")):
            app.query_one(f"#{place}").focus()
            await pilot.pause()
            await press(pilot, "x")
            assert line.facts.words == said
        await press(pilot, "f2")
        assert line.facts.words == "The inbox is empty"


def inboxed(engine: FakeEngine) -> None:
    for number, who in enumerate(("Alice", "Bob", "Carol", "Bobby")):
        engine.put(Namespace.NOTIFICATION, note(f"n{number}", f"{who} writes", created_at=T0 + number))


async def test_a_filter_of_the_inbox_chooses_the_first_row_or_keeps_the_one_that_was() -> None:
    async with seat(inboxed) as (app, pilot, engine, clock):
        await press(pilot, "ctrl+t")
        inbox = app.query_one(Inbox)
        await press(pilot, "j", "j")
        assert inbox.selected == "notification:n2"
        await press(pilot, "slash", *"bob", "enter")
        assert inbox.row_ids == ["notification:n1", "notification:n3"]
        assert inbox.selected == "notification:n1"
        await press(pilot, "j", "slash", "b", "enter")
        assert inbox.selected == "notification:n3"  # it is still there
        await clock.advance(1)
        await press(pilot, "d")
        await until(lambda: not inbox.selected, pilot)  # an act leaves none
        await press(pilot, "slash", "backspace", "enter")
        assert inbox.selected == inbox.row_ids[0]
        assert len(acts(engine, "dismiss")) == 1


async def test_a_yes_where_no_card_is_open_and_an_empty_answer_are_told() -> None:
    async with seat(inboxed) as (app, pilot, engine, clock):
        line = app.query_one(StatusLine)
        await press(pilot, "f1")
        await until(lambda: app.focused is not None and app.focused.id == "detail", pilot)
        await press(pilot, "y")
        assert line.facts.words == "What is open here is no card: there is nothing to act on"
        await press(pilot, "escape", "ctrl+t")
        await clock.advance(1)
        await press(pilot, "z", "backspace", "enter")
        await until(lambda: "Nothing is typed" in str(app.query_one("#prompt").border_subtitle), pilot)
        await press(pilot, "escape")
        app.query_one("#signals").focus()
        await press(pilot, "l")
        await until(lambda: line.facts.words == "No signal was only logged", pilot)
        assert not acts(engine, "snooze", "approve")
