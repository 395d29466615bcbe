"""`/` in every list and in the conversation: what holds the words stays, keys are text meanwhile, Esc shows all."""

from __future__ import annotations

import pytest
from textual import events

from pepper_tui.model import AssistantMessage, CallState, Namespace, UserMessage, WorkerRun
from pepper_tui.ui.screen.chat.composer import Composer
from pepper_tui.ui.screen.chat.transcript import Transcript
from pepper_tui.ui.screen.inbox.card_view import CardView
from pepper_tui.ui.screen.inbox.inbox_list import Inbox
from pepper_tui.ui.screen.lists.live_list import LiveList
from tests.ui.fake_engine import T0, FakeEngine, approval, call, note, signal
from tests.ui.seat import acts, press, seat, until


def world(engine: FakeEngine) -> None:
    engine.put(Namespace.APPROVAL, approval("a1"))
    engine.put(Namespace.NOTIFICATION, note("n1", "Yearly dinner", body="Marta brings [the cake]"))
    engine.put("signals.mail", signal("s1", "Alice: lunch"))
    engine.put("signals.mail", signal("s2", "Marta: dinner"))
    engine.put(Namespace.TOOL_CALL, call("k1", "read_thread", CallState.SCHEDULED))
    engine.put(Namespace.TOOL_CALL, call("k2", "search_mail", CallState.SCHEDULED))
    for key, agent in (("r1", "researcher"), ("r2", "scribe")):
        engine.put(Namespace.RUN, WorkerRun(key, "k", agent, "stateful", "a task", T0))


def talk(engine: FakeEngine) -> None:
    for number in range(200):
        engine.put(Namespace.USER_MESSAGE, UserMessage(f"u{number:03}", f"line {number}", T0 + number))
    engine.put(Namespace.ASSISTANT_MESSAGE, AssistantMessage("p1", "Marta said *yes*", T0 + 50.5, "s"))


@pytest.mark.parametrize(
    ("pane", "words", "left"),
    [
        ("inbox", "DINNER yearly", ["notification:n1"]),
        ("signals", "marta", ["s2"]),
        ("calls", "thread", ["k1"]),
        ("workers", "scribe", ["r2"]),
    ],
)
async def test_each_list_is_narrowed_to_what_holds_the_words(pane: str, words: str, left: list[str]) -> None:
    async with seat(world) as (app, pilot, engine, _):
        view = app.query_one(f"#{pane}", LiveList)
        view.focus()
        everything = view.row_ids
        await press(pilot, "slash", *words)
        assert view.row_ids == left
        assert f"1 of {len(everything)} · /{words}" in str(view.border_title)
        await press(pilot, "enter", "escape")
        assert view.row_ids == everything
        assert view.has_focus
        await press(pilot, "escape")
        assert app.query_one(Composer).has_focus
        assert not acts(engine, "approve", "reject", "dismiss", "cancel_call", "undo", "say")


async def test_letters_of_a_filter_never_act_and_the_card_is_the_one_that_is_listed() -> None:
    async with seat(world) as (app, pilot, engine, clock):
        await press(pilot, "ctrl+t")
        await clock.advance(1)
        await press(pilot, "slash", "y", "d")
        app.query_one(Inbox).post_message(events.Paste("y\nn"))
        await pilot.pause()
        await press(pilot, *["backspace"] * 4, "e", "a", "enter")
        inbox, card = app.query_one(Inbox), app.query_one(CardView)
        assert inbox.needle == "yea"
        assert inbox.row_ids == ["notification:n1"]
        await until(lambda: "Yearly dinner" in card.words, pilot)
        assert not acts(engine, "approve", "reject", "dismiss", "edit")
        await clock.advance(1)
        await press(pilot, "d")
        await until(lambda: bool(acts(engine, "dismiss")), pilot)
        assert acts(engine, "dismiss", "approve") == [("dismiss", "notification:n1")]


async def test_a_filter_ends_when_the_keys_go_elsewhere_but_not_into_what_was_opened_from_it() -> None:
    async with seat(world) as (app, pilot, _, _):
        signals = app.query_one("#signals", LiveList)
        signals.focus()
        await press(pilot, "slash", *"marta", "enter", "enter")
        await until(lambda: app.focused is not None and app.focused.id == "detail", pilot)
        assert signals.row_ids == ["s2"]
        await press(pilot, "escape")
        await until(lambda: signals.has_focus, pilot)
        assert signals.row_ids == ["s2"]
        await press(pilot, "tab")
        assert len(signals.row_ids) == 2


async def test_a_message_is_found_and_then_read_in_its_place() -> None:
    async with seat(talk) as (app, pilot, _, _):
        chat = app.query_one(Transcript)
        await until(lambda: chat.virtual_size.height > 600, pilot)
        chat.focus()
        await press(pilot, "slash", *"marta", "enter")
        assert chat.selected == "p1"
        assert chat.tally() == (1, 201)
        await press(pilot, "escape")
        await until(lambda: "p1" in chat.rows_in_view(), pilot)
        assert chat.tally() == (201, 201)
        assert "u050" in chat.rows_in_view() or "u051" in chat.rows_in_view()


async def test_nothing_found_says_so() -> None:
    async with seat(world) as (app, pilot, _, _):
        signals = app.query_one("#signals", LiveList)
        signals.focus()
        await press(pilot, "slash", *"[zz")
        assert not signals.row_ids
        assert "Nothing here holds" in signals.render_line(0).text
