"""What a person at the screen can rely on, driven through the real app and a fake engine."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest
from textual import events

from pepper_tui.clock import ManualClock
from pepper_tui.model import (
    ApprovalState,
    AssistantMessage,
    CallState,
    Health,
    Namespace,
    NotificationState,
    Priority,
    UserMessage,
    WorkerRun,
)
from pepper_tui.ui.screen.app import PepperApp
from pepper_tui.ui.screen.chat.clean_fields import CleanInput
from pepper_tui.ui.screen.chat.composer import Composer
from pepper_tui.ui.screen.chat.message_lines import OLDER
from pepper_tui.ui.screen.chat.transcript import Transcript
from pepper_tui.ui.screen.inbox.card_view import CardView
from pepper_tui.ui.screen.inbox.cards import told_once
from pepper_tui.ui.screen.inbox.inbox_list import Inbox
from pepper_tui.ui.screen.lists.live_list import LiveList
from pepper_tui.ui.screen.reading.detail import DetailView
from pepper_tui.ui.screen.status import StatusLine
from pepper_tui.ui.shared.keeping import MESSAGES_KEPT
from pepper_tui.ui.shared.keys import KEYS, shown
from tests.ui.fake_engine import T0, FakeEngine, approval, call, fill, note, signal
from tests.ui.seat import acts, press, seat, until


def one_card(engine: FakeEngine) -> None:
    engine.put(Namespace.APPROVAL, approval())


DECISIONS = ("approve", "reject", "edit", "dismiss", "done", "snooze", "answer_unknown", "undo")


async def test_typing_never_acts() -> None:
    async with seat(one_card) as (app, pilot, engine, _):
        await pilot.press("y", "n", "d", "space", "u", "escape")
        assert app.query_one(Composer).text == "ynd u"
        assert not acts(engine, *DECISIONS)


async def test_y_in_the_inbox_approves_the_card_under_the_cursor() -> None:
    async with seat(one_card) as (_, pilot, engine, clock):
        await pilot.press("ctrl+t")
        await pilot.pause()
        await clock.advance(1)
        await press(pilot, "space", "y")
        await until(lambda: bool(acts(engine, "approve")), pilot)
        assert acts(engine, *DECISIONS) == [("approve", "a1")]


async def test_after_a_yes_no_other_card_is_chosen_until_a_key_moves() -> None:
    def two(engine: FakeEngine) -> None:
        engine.put(Namespace.APPROVAL, approval("a1"))
        engine.put(Namespace.APPROVAL, approval("a2", at=T0 + 1, to="mallory@example.com"))

    async with seat(two) as (app, pilot, engine, clock):
        await pilot.press("ctrl+t")
        await pilot.pause()
        await clock.advance(1)
        await pilot.press("y")
        await until(lambda: app.query_one(Inbox).row_ids == ["approval:a2"], pilot)
        await press(pilot, "y", "y")
        await clock.advance(10)
        await press(pilot, "y", "space")
        assert acts(engine, "approve") == [("approve", "a1")]
        assert app.query_one(Inbox).selected == ""
        assert not app.query_one(CardView).display
        await press(pilot, "j")
        assert app.query_one(Inbox).selected == "approval:a2"
        await press(pilot, "y")
        await until(lambda: len(acts(engine, "approve")) == 2, pilot)


async def test_f_keys_act_on_the_first_card_while_typing_but_not_on_a_fresh_one() -> None:
    async with seat() as (app, pilot, engine, clock):
        engine.put(Namespace.APPROVAL, approval())
        await until(lambda: bool(app.query_one(Inbox).row_ids), pilot)
        await pilot.press("f2")
        assert not acts(engine, "approve")
        await clock.advance(0.6)
        await pilot.press("h", "i", "f2")
        await until(lambda: bool(acts(engine, "approve")), pilot)
        assert app.query_one(Composer).text == "hi"


async def test_on_a_small_screen_an_f_key_first_shows_the_card() -> None:
    async with seat(one_card, size=(80, 24)) as (_, pilot, engine, clock):
        await press(pilot, "f2", "f2")
        await pilot.pause()
        assert not acts(engine, "approve")
        await clock.advance(1)
        await pilot.press("f2")
        await until(lambda: bool(acts(engine, "approve")), pilot)


async def test_what_is_typed_replaces_the_time_that_is_offered_and_the_line_leaves_no_hole() -> None:
    async with seat(one_card, size=(80, 24)) as (app, pilot, engine, clock):
        await pilot.press("ctrl+t")
        await pilot.pause()
        await clock.advance(1)
        before = app.query_one(Composer).region
        await pilot.press("z")
        await until(lambda: bool(app.query("#prompt")), pilot)
        await pilot.pause()
        assert app.query_one("#left").region.height > before.height
        await pilot.press("2", "h", "enter")
        await until(lambda: bool(acts(engine, "snooze")), pilot)
        assert acts(engine, "snooze")[0][2] == "2h"
        await until(lambda: not app.query("#prompt"), pilot)
        await until(lambda: app.query_one("#left").region == before, pilot)


async def test_a_paste_is_text_and_carries_no_escape() -> None:
    async with seat(one_card) as (app, pilot, engine, _):
        app.query_one(Composer).post_message(events.Paste("y\r\n\x1b]52;c;AAAA\x07\x1b[31mred\n"))
        await until(lambda: bool(app.query_one(Composer).text), pilot)
        assert "\x1b" not in app.query_one(Composer).text
        assert not engine.calls


async def test_edit_saves_a_new_card_and_does_not_approve() -> None:
    async with seat(one_card) as (app, pilot, engine, clock):
        await pilot.press("ctrl+t")
        await pilot.pause()
        await clock.advance(1)
        await pilot.press("e")
        await until(lambda: bool(app.query("#form CleanInput")), pilot)
        await pilot.pause()
        body = "Hi Alice,.\n\nThursday at noon works for me. I will bring the signed contract.\n\nBest,\nSam"
        await pilot.press("end", ".", "ctrl+s")  # it begins in the text
        await until(lambda: app.query_one(Inbox).row_ids == ["approval:a1b"], pilot)
        assert acts(engine, "edit", "approve") == [("edit", "a1", {"body": body})]


async def test_what_is_pasted_into_a_card_does_not_count_as_typed() -> None:
    async with seat(one_card) as (app, pilot, engine, clock):
        await press(pilot, "ctrl+t")
        await clock.advance(1)
        await press(pilot, "e")
        await until(lambda: bool(app.query("#form CleanArea")), pilot)
        await pilot.pause()
        app.query_one("#form CleanArea").post_message(events.Paste("to mallory@evil.example "))
        first = app.query("#form CleanInput").first(CleanInput)
        first.focus()
        await press(pilot, "x", "ctrl+s")
        await until(lambda: bool(acts(engine, "edit")), pilot)
        [(_, _, fields, typed)] = acts(engine, "edit")
        assert (sorted(fields), typed) == (["body", "to"], ["to"])


async def test_what_was_typed_outlives_a_refusal() -> None:
    async with seat(one_card) as (app, pilot, engine, clock):
        await press(pilot, "ctrl+t")
        await clock.advance(1)
        await press(pilot, "e")
        await until(lambda: bool(app.query("#form CleanArea")), pilot)
        await pilot.pause()
        engine.fails = "that is not an address"
        await press(pilot, "X", "ctrl+s")
        await until(lambda: not engine.fails, pilot)
        await pilot.pause()
        await press(pilot, "Y", "ctrl+s")  # the form is still there, and so is what was typed
        await until(lambda: bool(acts(engine, "edit")), pilot)
        [(_, _, fields)] = acts(engine, "edit")
        assert fields["body"].startswith("XYHi Alice,")
        await until(lambda: not app.query("#form"), pilot)


@pytest.mark.parametrize(("key", "opened"), [("N", "#prompt"), ("e", "#form"), ("w", "#detail")])
async def test_what_is_done_with_before_the_keys_are_back_leaves_nothing_chosen(key: str, opened: str) -> None:
    """On a busy machine the keys come back late: the next one must not act on what has come into the card's place."""

    def some(engine: FakeEngine) -> None:
        engine.put(Namespace.APPROVAL, approval())
        engine.put(Namespace.NOTIFICATION, note())

    async with seat(some) as (app, pilot, engine, clock):
        inbox = app.query_one(Inbox)
        await press(pilot, "ctrl+t")
        await clock.advance(1)
        assert inbox.selected == "approval:a1"
        await press(pilot, key)
        await until(lambda: bool(app.query(f"{opened}:focus-within, {opened}:focus")), pilot)
        engine.put(Namespace.APPROVAL, replace(approval(), state=ApprovalState.REJECTED))
        if opened == "#detail":
            app.on_detail_view_closed()
        else:
            app.asking.left()
        app.projection.recalled([engine.contexts[Namespace.APPROVAL, "a1"]])  # with no moment in between
        assert not inbox.has_focus
        await until(lambda: inbox.has_focus, pilot)
        await pilot.pause()
        assert inbox.row_ids == ["notification:n1"]
        assert inbox.selected == ""
        await press(pilot, "d")
        assert not acts(engine, "dismiss")
        await press(pilot, "j")
        assert inbox.selected == "notification:n1"


async def test_a_reason_a_snooze_a_dismissal_and_undo() -> None:
    def some(engine: FakeEngine) -> None:
        engine.put(Namespace.APPROVAL, approval())
        engine.put(Namespace.NOTIFICATION, note())
        engine.put(Namespace.NOTIFICATION, note("n2", created_at=T0 + 1))

    async with seat(some) as (app, pilot, engine, clock):
        inbox = app.query_one(Inbox)
        await pilot.press("ctrl+t")
        await pilot.pause()
        await clock.advance(1)
        await pilot.press("N")
        await until(lambda: bool(app.query("#prompt")), pilot)
        await pilot.pause()
        await press(pilot, "t", "o", "o", "enter")
        await until(lambda: len(inbox.row_ids) == 2 and inbox.has_focus, pilot)
        await clock.advance(1)
        await press(pilot, "j", "z")
        await until(lambda: bool(app.query("#prompt")), pilot)
        await pilot.pause()
        await press(pilot, "down", "enter")
        await until(lambda: len(inbox.row_ids) == 1 and inbox.has_focus, pilot)
        await clock.advance(1)
        await press(pilot, "j", "d")
        await until(lambda: not inbox.row_ids, pilot)
        await pilot.press("u")
        await until(lambda: bool(acts(engine, "undo")), pilot)
        assert acts(engine, "reject", "snooze", "dismiss") == [
            ("reject", "a1", "too"),
            ("snooze", "notification:n1", "tomorrow 9am"),
            ("dismiss", "notification:n2"),
        ]


@pytest.mark.parametrize(("key", "answer"), [("1", "check"), ("2", "happened"), ("3", "did_not"), ("4", "leave")])
async def test_an_unknown_outcome_has_four_answers(key: str, answer: str) -> None:
    def unknown(engine: FakeEngine) -> None:
        engine.put(Namespace.TOOL_CALL, call("k1", "send_mail", CallState.UNKNOWN))

    async with seat(unknown) as (_, pilot, engine, clock):
        await pilot.press("ctrl+t")
        await pilot.pause()
        await clock.advance(1)
        await press(pilot, "y", key)
        await until(lambda: bool(acts(engine, "answer_unknown")), pilot)
        assert [c[2] for c in acts(engine, "answer_unknown")] == [answer]
        assert not acts(engine, "approve")


async def test_sending_queueing_history_and_take_back() -> None:
    async with seat() as (app, pilot, engine, _):
        composer = app.query_one(Composer)
        await pilot.press("o", "n", "e", "ctrl+j", "2", "enter")
        await pilot.press("t", "w", "o", "alt+enter")
        await until(lambda: len(acts(engine, "say")) == 2, pilot)
        assert acts(engine, "say") == [("say", "one\n2", False), ("say", "two", True)]
        await pilot.press("up", "up")
        assert composer.text == "one\n2"
        await pilot.press("down", "down", "down")
        assert composer.text == ""
        await pilot.press("alt+up")
        await until(lambda: composer.text == "two", pilot)


async def test_a_reply_streams_is_replaced_by_a_restart_and_then_stored_once() -> None:
    async with seat() as (app, pilot, engine, _):
        chat = app.query_one(Transcript)
        engine.delta("m1", "wrong")
        engine.delta("m1", "Hello ", restart=True)
        await until(lambda: chat.tail.text == "Hello ", pilot)
        await pilot.press("escape")
        await until(lambda: bool(acts(engine, "stop_reply")), pilot)
        engine.delta("m1", "**you**", done=True)
        engine.put(Namespace.ASSISTANT_MESSAGE, AssistantMessage("m1", "Hello **you**", T0, "s"))
        await until(lambda: [m.id for m in app.board.conversation()] == ["m1"] and chat.tail.text == "", pilot)
        assert not chat.tail.streaming


async def test_the_reader_keeps_their_place_when_more_arrives() -> None:
    def many(engine: FakeEngine) -> None:
        for i in range(200):
            engine.put(Namespace.USER_MESSAGE, UserMessage(f"u{i:03}", f"line {i}", T0 + i))

    async with seat(many) as (app, pilot, engine, _):
        chat = app.query_one(Transcript)
        await until(lambda: chat.virtual_size.height == 600, pilot)
        chat.scroll_to(y=90, animate=False, immediate=True)
        engine.put(Namespace.USER_MESSAGE, UserMessage("u999", "new", T0 + 999))
        await until(lambda: chat.virtual_size.height == 603, pilot)
        assert chat.scroll_y == 90


async def test_details_why_and_help_open_and_close_in_place() -> None:
    async with seat(fill) as (app, pilot, engine, clock):
        view = app.query_one(DetailView)
        await pilot.press("ctrl+t")
        await pilot.pause()
        await clock.advance(1)
        await pilot.press("w")
        await until(lambda: view.display and "step_4f" in view.words, pilot)
        assert acts(engine, "why") == [("why", "approval:a1")]
        await pilot.press("escape")
        await until(lambda: not view.display, pilot)
        await pilot.press("f1")
        await until(lambda: view.display and bool(view.words), pilot)
        flat = " ".join(view.words.split())
        for key in KEYS:
            assert shown(key.keys) in flat
            assert key.description.split()[0] in flat
        assert not acts(engine, *DECISIONS)


HOSTILE = "\x1b]52;c;QUJD\x07\x1b]0;owned\x07\x9b31m\x1b[2J [/x] [@click=app.quit]click[/] [bold red]b \u202egnp.exe\u200b\x07"  # noqa: E501


def hostile(engine: FakeEngine) -> None:
    engine.put(Namespace.USER_MESSAGE, UserMessage("u", HOSTILE, T0))
    engine.put(Namespace.ASSISTANT_MESSAGE, AssistantMessage("p", HOSTILE + "\n\n```\n" + HOSTILE, T0, "s"))
    engine.put("signals.mail", signal("s", HOSTILE, Priority.URGENT))
    engine.put(Namespace.APPROVAL, approval("a", to=HOSTILE, body=HOSTILE + "\n" + HOSTILE))
    engine.put(Namespace.NOTIFICATION, note("n", HOSTILE, body=HOSTILE, reason=HOSTILE))
    engine.put(Namespace.TOOL_CALL, call("k", HOSTILE, progress=HOSTILE))
    engine.put(Namespace.RUN, WorkerRun("r", "k", HOSTILE, "stateful", HOSTILE, T0, doing=HOSTILE))
    engine.put(Namespace.HEALTH, Health(HOSTILE, "trouble", HOSTILE, HOSTILE, T0))


@pytest.mark.parametrize(
    "keys",
    [
        (),
        ("ctrl+t",),
        ("ctrl+t", "enter"),
        ("ctrl+t", "e"),
        ("f6",),
        ("ctrl+l",),
        ("ctrl+o",),
        ("f12", "enter"),
        ("ctrl+3", "slash", "b"),
    ],
)
@pytest.mark.parametrize("size", [(80, 24), (160, 50)])
async def test_hostile_text_is_harmless(keys: tuple[str, ...], size: tuple[int, int]) -> None:
    async with seat(hostile, size) as (app, pilot, engine, clock):
        for key in keys:
            await pilot.press(key)
            await pilot.pause(0.1)
            await clock.advance(1)
        screen = app.screen
        for pane in app.query(LiveList):
            pane.lay_out()
        strips = [s for line in screen._compositor.render_strips() for s in line]
        text = "".join(segment.text for segment in strips if not segment.control)
        for bad in "\x1b\x07\x9b\u202e\u200b":
            assert bad not in text
        assert not any("@click" in (segment.style.meta if segment.style else {}) for segment in strips)
        assert app.is_running
        assert not acts(engine, *DECISIONS)


async def test_trouble_is_words() -> None:
    async with seat(one_card) as (app, pilot, engine, clock):
        engine.fails = "The account refused the key; check [mail.smtp]"
        await clock.advance(1)
        await pilot.press("f2")
        facts = lambda: app.query_one(StatusLine).facts  # noqa: E731
        await until(lambda: facts().bad, pilot)
        assert "check [mail.smtp]" in facts().words


async def test_an_engine_that_does_not_start_leaves_a_screen_with_words() -> None:
    async def broken() -> FakeEngine:
        raise RuntimeError("no such folder: [/x] ~/Mail")

    app = PepperApp(broken, clock=ManualClock(T0))
    async with app.run_test(size=(100, 30)) as pilot:
        await until(lambda: "no such folder" in app.query_one(StatusLine).facts.words, pilot)
        await pilot.press("h", "i", "enter")
        await pilot.pause()
        assert app.is_running


async def test_a_small_screen_has_tabs_and_a_large_one_panes() -> None:
    async with seat(fill, size=(80, 24)) as (app, pilot, _, _):
        assert app.panes.narrow
        for pane in ("inbox", "signals", "calls", "workers"):
            await pilot.press("f9")
            await pilot.pause()
            await until(lambda pane=pane: app.query_one(f"#{pane}").region.area > 0, pilot)  # type: ignore[misc]
            assert app.query_one(Composer).region.area > 0
        await pilot.resize_terminal(140, 44)
        await until(lambda: not app.panes.narrow and app.query_one(Transcript).region.area > 0, pilot)
        assert all(app.query_one(f"#{p}").region.area for p in ("inbox", "signals", "calls", "workers"))


async def test_the_bell_rings_for_a_card_only_while_the_user_looks_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    rung: list[str] = []
    monkeypatch.setattr(PepperApp, "bell", lambda _self: rung.append("!"))
    async with seat() as (app, pilot, engine, _):
        engine.put(Namespace.APPROVAL, approval("a1"))
        await until(lambda: len(app.query_one(Inbox).row_ids) == 1, pilot)
        assert not rung
        app.on_app_blur()
        engine.put(Namespace.NOTIFICATION, note("n1", priority=Priority.URGENT, state=NotificationState.NEW))
        await until(lambda: bool(rung), pilot)


async def test_no_timer_runs_while_nothing_runs() -> None:
    async with seat(lambda e: e.put(Namespace.TOOL_CALL, call("k1"))) as (app, pilot, engine, _):
        assert not app.projection.resting
        engine.put(Namespace.TOOL_CALL, call("k1", state=CallState.SUCCEEDED, ended_at=T0 - 70))
        await until(lambda: app.projection.resting, pilot)


def test_the_screen_imports_nothing_heavy() -> None:
    code = (
        "import sys; import pepper_tui.ui.screen.app; "
        "print([m for m in ('openai', 'mcp', 'pydantic', 'aiosqlite', 'icalendar', 'typer', 'lark', "
        "'googleapiclient', 'google.auth', 'google_auth_oauthlib', 'httplib2', "
        "'pepper_tui.store', 'pepper_tui.engine.engine', 'pepper_tui.demo', "
        "'markdown_it', 'pepper_tui.ui.screen.reading.audit', 'pepper_tui.ui.screen.inbox.editing', "
        "'pepper_tui.ui.screen.jump', 'pepper_tui.ui.shared.export', "
        "'pepper_tui.ui.shared.words', 'pepper_tui.ui.plain', 'pepper_tui.setup.first_start') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


def test_space_is_bound_nowhere_and_ids_are_unique() -> None:
    assert not any("space" in key.keys.split(",") for key in KEYS)
    assert len({key.id for key in KEYS}) == len(KEYS)


async def test_a_card_taller_than_its_pane_is_approved_only_once_read_to_its_end() -> None:
    def tall(engine: FakeEngine) -> None:
        engine.put(Namespace.APPROVAL, approval(body="\n".join(f"line {n}" for n in range(90))))

    async with seat(tall) as (app, pilot, engine, clock):
        view = app.query_one(DetailView)
        await pilot.press("f2")
        await until(lambda: view.display and "line 89" in view.words, pilot)
        await pilot.press("f2")  # too soon
        await clock.advance(1)
        await press(pilot, "f2", "y")
        await until(lambda: "more below" in app.query_one(StatusLine).facts.words, pilot)
        assert not acts(engine, "approve")
        for _ in range(100):
            view.action_line(1)
        await until(lambda: view.read, pilot)
        await pilot.press("y")
        await until(lambda: bool(acts(engine, "approve")), pilot)
        assert not view.display


async def test_a_jump_to_the_end_is_not_reading() -> None:
    async with seat(lambda e: e.put(Namespace.APPROVAL, approval(body="\n".join(f"line {n}" for n in range(90))))) as (
        app,
        pilot,
        engine,
        clock,
    ):
        view = app.query_one(DetailView)
        await pilot.press("f2")
        await until(lambda: view.display and view.has_focus, pilot)
        await clock.advance(1)
        view.scroll_to(y=500, animate=False, immediate=True)
        await pilot.pause()
        await press(pilot, "y")
        assert not acts(engine, "approve")


async def test_a_card_whose_words_change_under_the_same_key_takes_no_keys_for_a_moment() -> None:
    async with seat(one_card) as (app, pilot, engine, clock):
        engine.put(Namespace.APPROVAL, approval(to="mallory@example.com"))
        await until(lambda: "mallory" in str(app.query_one(Inbox).item("approval:a1")), pilot)
        await pilot.press("f2")
        await pilot.pause()
        assert not acts(engine, "approve")
        await clock.advance(1)
        await pilot.press("f2")
        await until(lambda: bool(acts(engine, "approve")), pilot)


async def test_logged_signals_are_counted_and_shown_on_a_key() -> None:
    async with seat(fill) as (app, pilot, _, _):
        pane = app.query_one("#signals", LiveList)
        assert pane.border_title == "SIGNALS 6 · 1 logged (l shows)"
        assert "s1" not in pane.row_ids
        pane.focus()
        await pilot.press("l")
        await until(lambda: "s1" in pane.row_ids, pilot)


async def test_rows_that_change_while_the_pane_is_hidden_stay_whole() -> None:
    """Each row's line is its own, also where the rows changed when nothing could be measured."""
    async with seat(fill) as (app, _, _, _):
        pane = app.query_one("#signals", LiveList)
        pane.scroll_to(y=3, animate=False, immediate=True)
        pane.drawn.width = 0
        rows = list(pane.drawn.rows)[:2]
        region = pane.scrollable_content_region
        type(pane).scrollable_content_region = property(lambda _self: region.__class__(0, 0, 0, 0))  # type: ignore[method-assign, assignment]
        try:
            pane.show_rows(rows)
            assert pane.drawn.tops == [0, 0, 0]
        finally:
            del type(pane).scrollable_content_region  # type: ignore[misc]
        pane.show_rows(rows)
        assert pane.drawn.tops == [0, 1, 2]


async def test_a_call_that_ended_well_leaves_the_list_after_a_while() -> None:
    def some(engine: FakeEngine) -> None:
        engine.put(Namespace.TOOL_CALL, call("k1"))
        engine.put(Namespace.TOOL_CALL, call("k2", state=CallState.SUCCEEDED, ended_at=T0))

    async with seat(some) as (app, _, _, clock):
        assert [c.id for c in app.board.listed_calls(clock.now())] == ["k1", "k2"]
        await clock.advance(70)
        assert [c.id for c in app.board.listed_calls(clock.now())] == ["k1"]


async def test_the_engine_is_made_only_after_the_composer_has_been_painted() -> None:
    painted: list[bool] = []

    async def factory() -> FakeEngine:
        painted.append(bool(app.query_one(Composer).region.area))
        return FakeEngine()

    app = PepperApp(factory, clock=ManualClock(T0))
    async with app.run_test(size=(100, 30)) as pilot:
        await until(lambda: bool(painted), pilot)
    assert painted == [True]


async def test_escape_asks_once_before_it_drops_an_edit() -> None:
    async with seat(one_card) as (app, pilot, engine, clock):
        await press(pilot, "ctrl+t")
        await clock.advance(1)
        await press(pilot, "e")
        await until(lambda: bool(app.query("#form CleanInput")), pilot)
        await press(pilot, "x", "escape")
        assert "drops your changes" in str(app.query_one("#form").border_subtitle)
        await press(pilot, "z", "escape")  # what was typed since answers the question
        assert app.query("#form")
        await press(pilot, "escape")
        await until(lambda: not app.query("#form"), pilot)
        await clock.advance(1)
        await press(pilot, "e")
        await until(lambda: bool(app.query("#form CleanInput")), pilot)
        await press(pilot, "escape")  # nothing was changed
        await until(lambda: not app.query("#form"), pilot)
        assert not acts(engine, *DECISIONS)


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
async def test_a_tall_card_leaves_the_other_items_in_view(size: tuple[int, int]) -> None:
    def some(engine: FakeEngine) -> None:
        engine.put(Namespace.APPROVAL, approval(body="\n".join(f"line {n}" for n in range(90))))
        for number in range(3):
            engine.put(Namespace.NOTIFICATION, note(f"n{number}", f"Number {number}"))

    async with seat(some, size) as (app, pilot, _, clock):
        await press(pilot, "ctrl+t")
        inbox, card = app.query_one(Inbox), app.query_one(CardView)
        await until(lambda: inbox.scrollable_content_region.height >= 4 and card.below > 0, pilot)
        assert "line 0" in card.words
        before = card.scroll_y
        await press(pilot, "pagedown")
        await until(lambda: card.scroll_y > before, pilot)
        await clock.advance(1)
        await press(pilot, "j")
        await until(lambda: "Number 0" in card.words, pilot)


async def test_f_keys_act_on_the_card_that_is_open_and_not_on_another() -> None:
    def two(engine: FakeEngine) -> None:
        engine.put(Namespace.NOTIFICATION, note("n1", priority=Priority.URGENT))
        engine.put(Namespace.APPROVAL, approval())

    async with seat(two) as (_, pilot, engine, clock):
        await press(pilot, "ctrl+t", "j", "enter")
        await clock.advance(1)
        await press(pilot, "f3")
        await until(lambda: bool(acts(engine, *DECISIONS)), pilot)
        assert acts(engine, *DECISIONS) == [("reject", "a1", "")]


@pytest.mark.parametrize(
    ("heading", "body", "told"),
    [
        ("Pay the rent", "Pay the rent", ("Pay the rent", "")),
        (
            "Nora: two numbers before three",
            "two numbers before three, please",
            ("Nora", "two numbers before three, please"),
        ),
        ("Nora: two numbers befo…", "two numbers before three", ("Nora", "two numbers before three")),
        ("The board deck is lat…", "The board deck is late again", ("", "The board deck is late again")),
        ("Lunch", "Lunch\nat noon", ("Lunch", "at noon")),
        ("Lunch", "At noon", ("Lunch", "At noon")),
    ],
)
def test_a_heading_and_its_body_say_a_thing_once(heading: str, body: str, told: tuple[str, str]) -> None:
    assert told_once(heading, body) == told


async def test_the_conversation_says_at_its_top_that_there_is_more_and_page_keys_reach_it() -> None:
    def many(engine: FakeEngine) -> None:
        for n in range(MESSAGES_KEPT + 20):
            engine.put(Namespace.USER_MESSAGE, UserMessage(f"u{n:05}", f"said {n}", T0 + n))

    async with seat(many) as (app, pilot, _engine, _clock):
        transcript, composer = app.query_one(Transcript), app.query_one(Composer)
        await until(lambda: len(transcript.row_ids) == MESSAGES_KEPT + 1, pilot)
        assert transcript.said_in(transcript.row_ids[0]).startswith("Older messages are in the store")
        await press(pilot, "pageup")
        await until(lambda: not transcript.at_end, pilot)
        assert composer.has_focus
        await press(pilot, "pagedown")
        await until(lambda: transcript.at_end, pilot)
        await press(pilot, "a", "ctrl+j", "b", "pageup")
        assert composer.cursor_location[0] == 0
        assert transcript.at_end


@pytest.mark.parametrize("before", range(6, 13))
async def test_what_first_goes_past_the_end_of_the_screen_is_seen(before: int) -> None:
    """Question and answer may come in one moment, before the scrollbar is there."""

    def some(engine: FakeEngine) -> None:
        for n in range(before):
            engine.put(Namespace.USER_MESSAGE, UserMessage(f"u{n:05}", f"said {n}", T0 + n))

    async with seat(some) as (app, pilot, engine, _clock):
        transcript = app.query_one(Transcript)
        await until(lambda: len(transcript.row_ids) == before, pilot)
        await pilot.pause()
        engine.put(Namespace.USER_MESSAGE, UserMessage("u1", "and now?", T0 + 50))
        engine.put(Namespace.ASSISTANT_MESSAGE, AssistantMessage("m1", "the answer", T0 + 51, "step_1"))
        await until(lambda: len(transcript.row_ids) == before + 2, pilot)
        await until(lambda: "m1" in transcript.rows_in_view(), pilot)
        assert transcript.scroll_y == transcript.max_scroll_y


async def test_a_conversation_that_is_whole_says_nothing_of_older_messages() -> None:
    def few(engine: FakeEngine) -> None:
        for n in range(MESSAGES_KEPT):
            engine.put(Namespace.USER_MESSAGE, UserMessage(f"u{n:05}", f"said {n}", T0 + n))

    async with seat(few) as (app, pilot, _engine, _clock):
        transcript = app.query_one(Transcript)
        await until(lambda: len(transcript.row_ids) == MESSAGES_KEPT, pilot)
        assert OLDER not in transcript.row_ids


async def test_what_ends_the_screen_is_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """Textual's hook is private: where it has another name, this fails."""

    def broken() -> None:
        raise RuntimeError("a pane that breaks")

    async def breaks() -> None:
        async with seat() as (app, pilot, _, _):
            app.call_later(broken)
            await pilot.pause(0.5)

    with pytest.raises(RuntimeError, match="a pane that breaks"):
        await breaks()
    assert "a pane that breaks" in caplog.text
