"""What single keys do to a matter's card, to a send in its window, and to a rule."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from textual import events

from pepper_tui.model import ApprovalState, CallState, Effect, Namespace, Priority
from pepper_tui.ui.screen.app import PepperApp
from pepper_tui.ui.screen.chat.transcript import Transcript
from pepper_tui.ui.screen.inbox.card_view import CardView
from pepper_tui.ui.screen.inbox.form import Prompt
from pepper_tui.ui.screen.inbox.inbox_list import Inbox
from pepper_tui.ui.screen.lists.live_list import LiveList
from pepper_tui.ui.screen.reading.detail import DetailView
from pepper_tui.ui.screen.reading.rule_list import RuleList
from pepper_tui.ui.screen.status import StatusLine, TabStrip
from tests.ui.fake_engine import T0, FakeEngine, approval, call, follow_up, note, outgoing, report, rule_act
from tests.ui.seat import acts, press, seat, until

KEY = "matter:mail:t1"


def text_of(app: PepperApp) -> str:
    return "\n".join(strip.text for strip in app.screen._compositor.render_strips())


def thread(engine: FakeEngine) -> None:
    for n in range(2):
        request = note(f"n{n}", "Ann: Contract", body=f"words {n}", matter="mail:t1", trust="vip", created_at=T0 + n)
        engine.put(Namespace.NOTIFICATION, request)


def thread_with_draft(engine: FakeEngine) -> None:
    thread(engine)
    engine.put(Namespace.APPROVAL, replace(approval("a1"), matter="mail:t1"))


def card(app: PepperApp) -> CardView:
    return app.query_one(CardView)


async def test_done_closes_what_the_card_showed_and_not_what_came_since() -> None:
    async with seat(thread) as (app, pilot, engine, clock):
        await press(pilot, "ctrl+t")
        await until(lambda: {c[1] for c in acts(engine, "seen")} == {"notification:n0", "notification:n1"}, pilot)
        await clock.advance(1)
        app.projection.pause = 60  # what comes now is not yet drawn
        app.projection.updated([])
        engine.put(Namespace.NOTIFICATION, note("late", "Ann: Contract", matter="mail:t1", trust="vip"))
        await press(pilot, "x")
        await until(lambda: bool(acts(engine, "done")), pilot)
        assert acts(engine, "done") == [("done", "notification:n0", "notification:n1")]


async def test_rejecting_a_matters_draft_leaves_its_requests_and_chooses_nothing() -> None:
    async with seat(thread_with_draft) as (app, pilot, engine, clock):
        inbox = app.query_one(Inbox)
        await press(pilot, "ctrl+t")
        assert inbox.row_ids == [KEY]
        await clock.advance(1)
        await press(pilot, "n")
        await until(lambda: bool(acts(engine, "reject")) and inbox.selected == "", pilot)
        assert inbox.row_ids == [KEY]
        said = app.query_one(StatusLine).facts
        await until(lambda: said.words == "not sent; the notices stay: x closes them", pilot)
        assert "j k choose" in str(inbox.border_title)
        await clock.advance(1)
        await press(pilot, "x", "y", "d")
        assert not acts(engine, "done", "dismiss", "approve")
        await press(pilot, "j", "d")
        await until(lambda: bool(acts(engine, "dismiss")), pilot)
        assert acts(engine, "dismiss") == [("dismiss", "notification:n0", "notification:n1")]


@pytest.mark.parametrize(("key", "act"), [("x", "done"), ("d", "dismiss")])
async def test_a_matters_card_is_closed_whole(key: str, act: str) -> None:
    async with seat(thread_with_draft) as (app, pilot, engine, clock):
        await press(pilot, "ctrl+t")
        await clock.advance(1)
        await press(pilot, key)
        await until(lambda: bool(acts(engine, act)), pilot)
        assert acts(engine, act) == [(act, "approval:a1", "notification:n0", "notification:n1")]
        await until(lambda: app.query_one(Inbox).row_ids == [], pilot)


async def test_a_second_draft_does_not_take_the_place_of_the_first_under_the_key() -> None:
    def two(engine: FakeEngine) -> None:
        thread_with_draft(engine)
        engine.put(Namespace.APPROVAL, replace(approval("a2", to="mallory@example.com", at=T0 + 5), matter="mail:t1"))

    async with seat(two, (120, 80)) as (app, pilot, engine, clock):
        inbox = app.query_one(Inbox)
        await press(pilot, "ctrl+t")
        assert inbox.row_ids == [KEY, "approval:a2"]
        await clock.advance(1)
        await press(pilot, "y")
        await until(lambda: bool(acts(engine, "approve")) and inbox.row_ids == [KEY], pilot)
        await clock.advance(5)
        assert inbox.selected == ""
        await press(pilot, "y", "y")
        assert acts(engine, "approve") == [("approve", "a1")]


async def test_snoozing_a_matter_takes_its_draft_and_its_requests() -> None:
    async with seat(thread_with_draft) as (app, pilot, engine, clock):
        await press(pilot, "ctrl+t")
        await clock.advance(1)
        await press(pilot, "z")
        await until(lambda: bool(app.query("#prompt")), pilot)
        await press(pilot, "enter")
        await until(lambda: bool(acts(engine, "snooze")), pilot)
        assert acts(engine, "snooze") == [("snooze", "approval:a1", "1h", "notification:n0", "notification:n1")]


def question(engine: FakeEngine) -> None:
    choices = [{"words": words, "arguments": {}} for words in ("Fri 27 Nov 09:00", "Fri 4 Dec 09:00")]
    asked = replace(note("q", "Which time: call Ann?", body="1  Fri 27 Nov 09:00\n2  Fri 4 Dec 09:00"), kind="question")
    engine.put(Namespace.NOTIFICATION, replace(asked, choices=choices))


async def test_a_question_is_answered_by_one_key() -> None:
    async with seat(question, size=(80, 24)) as (app, pilot, engine, clock):
        await press(pilot, "ctrl+t")
        await clock.advance(1)
        assert "2  Fri 4 Dec 09:00" in text_of(app)
        assert "2 choose one" in text_of(app)
        await press(pilot, "y")
        assert not acts(engine, "approve", "choose")
        await press(pilot, "3")
        assert not acts(engine, "choose")
        await press(pilot, "2")
        await until(lambda: bool(acts(engine, "choose")), pilot)
        assert acts(engine, "choose") == [("choose", "notification:q", 2)]


def asked(*answers: str, field: str = "") -> Callable[[FakeEngine], None]:
    """A question that a call waits for; with ``field`` one of which time."""
    more = {"arguments": {}, "field": field} if field else {}

    def put(engine: FakeEngine) -> None:
        body = "\n".join(f"{n}  {words}" for n, words in enumerate(answers, 1))
        asks = replace(note("q", "How many people come?", body=body), kind="question", expires_at=T0 + 3600.0)
        choices = [{"words": words, **more} for words in answers]
        engine.put(Namespace.NOTIFICATION, replace(asks, choices=choices))

    return put


@pytest.mark.parametrize(
    ("answers", "field", "word", "keys"),
    [
        (("two", "five"), "", "asks you", "2 choose one e your own words"),
        ((), "", "asks you", "e answer"),
        (("Fri 27 Nov 09:00", "Fri 4 Dec 09:00"), "when", "which time?", "2 choose one e your own words"),
    ],
)
async def test_a_question_says_what_it_asks_and_which_keys_answer(
    answers: tuple[str, ...], field: str, word: str, keys: str
) -> None:
    async with seat(asked(*answers, field=field), size=(100, 24)) as (app, pilot, engine, clock):
        await press(pilot, "ctrl+t")
        await clock.advance(1)
        shown = text_of(app)
        assert f"? {word}" in shown
        assert keys in " ".join(shown.split())
        assert ("which time?" in shown) is (word == "which time?")
        await press(pilot, "y", "n", *("4" if len(answers) < 4 else ()))
        assert not acts(engine, "approve", "reject", "choose", "answer")


@pytest.mark.parametrize("way", ["keys", "paste", "keys at once"])
async def test_own_words_are_typed_only_where_keys_came_one_by_one(way: str) -> None:
    async with seat(asked("two", "five"), size=(100, 24)) as (app, pilot, engine, clock):
        await press(pilot, "ctrl+t")
        await clock.advance(1)
        await press(pilot, "e")
        await until(lambda: bool(app.query("#prompt")), pilot)
        field = app.query_one("#prompt", Prompt).field
        await until(lambda: app.focused is field, pilot)
        if way == "paste":
            field.post_message(events.Paste("about nine"))
            await until(lambda: field.value == "about nine", pilot)
        elif way == "keys":
            for number, key in enumerate(("a", "b", "o", "u", "t", "space", "n", "i", "n", "e")):
                event = events.Key(key, " " if key == "space" else key)
                event.time = 100.0 + number
                field.post_message(event)
            await until(lambda: field.value == "about nine", pilot)
        else:
            for number, key in enumerate(("a", "b", "o", "u", "t", "space", "n", "i", "n", "e")):
                event = events.Key(key, " " if key == "space" else key)
                event.time = 100.0 + number / 1000
                field.post_message(event)
            await until(lambda: field.value == "about nine", pilot)
        await press(pilot, "enter")
        await until(lambda: bool(acts(engine, "answer")), pilot)
        origin = [] if way == "keys" else ["pasted"]
        assert acts(engine, "answer") == [("answer", "notification:q", "about nine", *origin)]


async def test_an_empty_answer_and_escape_answer_nothing() -> None:
    async with seat(asked("two"), size=(100, 24)) as (app, pilot, engine, clock):
        await press(pilot, "ctrl+t")
        await clock.advance(1)
        await press(pilot, "e")
        await until(lambda: bool(app.query("#prompt")), pilot)
        await press(pilot, "enter")
        assert app.query("#prompt")
        await press(pilot, "escape")
        await until(lambda: not app.query("#prompt"), pilot)
        await press(pilot, "d")
        await until(lambda: bool(acts(engine, "dismiss")), pilot)
        assert not acts(engine, "answer", "choose")


async def test_a_snooze_that_can_mean_two_is_asked_by_number() -> None:
    def ambiguous(engine: FakeEngine) -> None:
        thread(engine)
        engine.several = {
            "next friday": (("Fri 27 Nov 09:00", "2026-11-27T09:00"), ("Fri 4 Dec 09:00", "2026-12-04T09:00"))
        }

    async with seat(ambiguous) as (app, pilot, engine, clock):
        await press(pilot, "ctrl+t")
        await clock.advance(1)
        await press(pilot, "z")
        await until(lambda: bool(app.query("#prompt")), pilot)
        await pilot.pause()
        await press(pilot, *("space" if c == " " else c for c in "next friday"), "enter")
        await until(lambda: bool(app.query("#prompt")) and "2 Fri 4 Dec" in text_of(app), pilot)
        await press(pilot, "2")
        await until(lambda: len(acts(engine, "snooze")) == 2, pilot)
        assert acts(engine, "snooze")[-1][2] == "2026-12-04T09:00"


async def test_a_snooze_until_no_time_asks_again_and_keeps_what_was_typed() -> None:
    def strange(engine: FakeEngine) -> None:
        thread(engine)
        engine.several = {"tom": ()}

    async with seat(strange) as (app, pilot, engine, clock):
        await press(pilot, "ctrl+t")
        await clock.advance(1)
        await press(pilot, "z")
        await until(lambda: bool(app.query("#prompt")), pilot)
        await pilot.pause()
        await press(pilot, *"tom", "enter")
        await until(lambda: [field.value for field in app.query("#prompt Input")] == ["tom"], pilot)  # type: ignore[attr-defined]
        await pilot.pause(0.1)
        await press(pilot, *"1h", "enter")
        await until(lambda: len(acts(engine, "snooze")) == 2, pilot)
        assert [act[2] for act in acts(engine, "snooze")] == ["tom", "1h"]


async def test_an_edited_draft_stays_chosen_and_has_to_be_looked_at_again() -> None:
    async with seat(lambda e: e.put(Namespace.APPROVAL, approval())) as (app, pilot, engine, clock):
        await press(pilot, "ctrl+t")
        await clock.advance(1)
        await press(pilot, "e")
        await until(lambda: bool(app.query("#form CleanInput")), pilot)
        await press(pilot, "end", "x", "ctrl+s")
        await until(lambda: app.query_one(Inbox).selected == "approval:a1b", pilot)
        await press(pilot, "y")
        assert not acts(engine, "approve")
        await clock.advance(1)
        await press(pilot, "y")
        await until(lambda: acts(engine, "approve") == [("approve", "a1b")], pilot)


async def test_a_request_that_comes_under_the_key_guards_the_card() -> None:
    async with seat(thread) as (app, pilot, engine, clock):
        await press(pilot, "ctrl+t")
        await clock.advance(1)
        engine.put(Namespace.NOTIFICATION, note("late", "Ann: Contract", body="late", matter="mail:t1", trust="vip"))
        await until(lambda: "late" in card(app).words, pilot)
        await press(pilot, "x")
        assert not acts(engine, "done")
        assert app.query_one(Inbox).selected == KEY


async def test_a_send_counts_down_can_be_taken_back_and_becomes_a_receipt_that_a_key_clears() -> None:
    def one(engine: FakeEngine) -> None:
        engine.window = 13
        engine.put(Namespace.TOOL_CALL, outgoing())
        engine.put(Namespace.APPROVAL, approval())
        engine.put(Namespace.NOTIFICATION, note("n1", created_at=T0 + 1))
        engine.put(Namespace.NOTIFICATION, note("n2", created_at=T0 + 2))

    def said(app: PepperApp) -> str:
        return app.query_one(Inbox).render_line(0).text.strip()

    async with seat(one, (120, 60)) as (app, pilot, engine, clock):
        inbox = app.query_one(Inbox)
        await press(pilot, "ctrl+t")
        await clock.advance(1)
        await press(pilot, "y")
        await until(lambda: bool(acts(engine, "approve")), pilot)
        await until(lambda: said(app) == "▸ → alice: sends in 7 s · u takes it back", pilot)
        assert inbox.selected == ""
        assert "INBOX 2" in str(inbox.border_title)
        await clock.advance(2)
        await until(lambda: "sends in 5 s · u takes" in said(app), pilot)
        await press(pilot, "u", "y")
        assert len(acts(engine, "approve", "undo")) == 2
        engine.put(Namespace.APPROVAL, replace(approval(), state=ApprovalState.APPROVED))  # after all
        engine.put(Namespace.TOOL_CALL, outgoing(state=CallState.SUCCEEDED, ended_at=clock.now()))
        await until(lambda: said(app).startswith("✓ sent to alice 08:00"), pilot)
        await press(pilot, "j")
        await until(lambda: inbox.row_ids == ["notification:n1", "notification:n2"], pilot)
        assert inbox.selected == "notification:n1"


async def test_a_send_names_the_key_that_takes_it_back_from_where_the_keys_go() -> None:
    def one(engine: FakeEngine) -> None:
        engine.window = 13
        engine.put(Namespace.TOOL_CALL, outgoing())
        engine.put(Namespace.APPROVAL, approval())

    async with seat(one, (120, 60)) as (app, pilot, _, _):
        inbox = app.query_one(Inbox)
        await press(pilot, "ctrl+t", "y")
        for focused, key in ((inbox, "u"), (app.query_one("#composer"), "F7"), (inbox, "u")):
            focused.focus()
            await until(lambda key=key: f"· {key} takes it back" in inbox.render_line(0).text, pilot)


async def test_a_failed_send_offers_a_retry() -> None:
    failed = replace(approval("a2"), problem="the mail server does not answer", retry_of="a1")
    async with seat(lambda e: e.put(Namespace.APPROVAL, failed)) as (app, pilot, _, _):
        await press(pilot, "ctrl+t")
        assert "[bold]y[/bold] retry" in str(card(app).border_title)
        assert "not sent: the mail server does not answer" in card(app).words


async def test_a_failed_send_that_was_edited_was_never_tried() -> None:
    edited = replace(approval("a2"), retry_of="a1")
    async with seat(lambda e: e.put(Namespace.APPROVAL, edited)) as (app, pilot, _, _):
        await press(pilot, "ctrl+t")
        assert "[bold]y[/bold] approve" in str(card(app).border_title)


async def test_always_proposes_a_rule_from_the_card() -> None:
    async with seat(thread_with_draft) as (app, pilot, engine, clock):
        await press(pilot, "ctrl+t")
        await clock.advance(1)
        await press(pilot, "A")
        await until(lambda: acts(engine, "propose_rule") == [("propose_rule", "approval:a1")], pilot)
        await until(lambda: "its card waits" in app.query_one(StatusLine).facts.words, pilot)


async def test_what_is_put_off_and_waited_for_is_counted_and_listed_on_a_key() -> None:
    def some(engine: FakeEngine) -> None:
        for n in range(7):
            engine.put(Namespace.RULE_ACT, rule_act(f"act{n}"))
            engine.put(Namespace.TOOL_CALL, replace(call(f"c{n}"), origin=f"act:act{n}", deferred="room for a card"))
            engine.put(Namespace.FOLLOW_UP, follow_up(f"f{n}"))
        engine.put(Namespace.TOOL_CALL, call("k1", "read_thread"))

    async with seat(some) as (app, pilot, engine, _):
        calls, view = app.query_one("#calls", LiveList), app.query_one(DetailView)
        assert "7 more drafts wait for room" in str(app.query_one(Inbox).border_title)
        assert calls.row_ids == ["k1", "deferred:room for a card", "follow-ups"]
        assert calls.border_title == "CALLS 1 · waits for 7 answers"
        assert app.query_one(StatusLine).facts.running == 1
        calls.focus()
        await press(pilot, "G", "x")
        assert not acts(engine, "cancel_call")
        await press(pilot, "enter")
        await until(lambda: view.display and view.words.count("Dana Whitfield") == 7, pilot)
        await press(pilot, "escape", "k", "enter")
        await until(lambda: view.display and view.words.count("search_mail") == 7, pilot)


async def test_a_narrow_screen_says_how_many_wait_for_room() -> None:
    def some(engine: FakeEngine) -> None:
        engine.put(Namespace.APPROVAL, approval())
        for n in range(73):
            engine.put(Namespace.TOOL_CALL, replace(call(f"c{n}"), effect=Effect.SEND, deferred="room for a card"))

    async with seat(some, (80, 24)) as (app, _, _, _):
        assert "Inbox 1 · 73 wait " in app.query_one(TabStrip).render_line(0).text


def ruled(engine: FakeEngine) -> None:
    engine.reports = {"quotes": report(), "standup": report("standup", acts={}, waits="a model")}
    engine.put(Namespace.RULE_ACT, rule_act(detail="no room"))


async def test_a_rule_of_the_config_says_at_once_that_it_stays_and_u_takes_back() -> None:
    def configured(engine: FakeEngine) -> None:
        ruled(engine)
        engine.reports["quotes"].rule["origin"] = "config"

    async with seat(configured) as (app, pilot, engine, _):
        await press(pilot, "f10")
        await until(lambda: bool(app.query(RuleList)) and len(app.query_one(RuleList).row_ids) == 2, pilot)
        await until(lambda: app.query_one(RuleList).has_focus, pilot)
        engine.fails = "the rule 'quotes' stands in config.toml"
        await press(pilot, "x")
        await until(lambda: "stands in config.toml" in app.query_one(StatusLine).facts.words, pilot)
        await press(pilot, "u")
        await until(lambda: acts(engine, "undo") == [("undo",)], pilot)
        await press(pilot, "U")
        await until(lambda: acts(engine, "redo") == [("redo",)], pilot)


async def test_rules_are_listed_read_paused_and_removed_only_on_a_second_press() -> None:
    async with seat(ruled) as (app, pilot, engine, clock):
        await press(pilot, "f10")
        await until(
            lambda: bool(app.query(RuleList)) and app.query_one(RuleList).row_ids == ["quotes", "standup"], pilot
        )
        rules, view = app.query_one(RuleList), app.query_one(DetailView)
        await until(lambda: rules.has_focus and rules.virtual_size.height == 4, pilot)
        assert "12 matches · 20 done · 7 deferred · 1 failed · 2 dismissed · cos" in rules.render_line(1).text
        assert "waits for a model" in rules.render_line(3).text
        assert not app.query_one(Transcript).display
        await press(pilot, "p")
        await until(lambda: acts(engine, "pause_rule") == [("pause_rule", "quotes")], pilot)
        await until(lambda: "‖" in rules.render_line(0).text, pilot)
        await press(pilot, "p", "x", "j", "x")
        assert not acts(engine, "remove_rule")
        assert "again removes the rule “standup”" in app.query_one(StatusLine).facts.words
        await clock.advance(6)
        await press(pilot, "x")
        assert not acts(engine, "remove_rule")
        await press(pilot, "x")
        await until(lambda: acts(engine, "remove_rule") == [("remove_rule", "standup")], pilot)
        await press(pilot, "k", "enter")
        await until(lambda: view.display and "follow_up = 48" in view.words, pilot)
        assert "draft deferred: no room · Dana Whitfield: quote 2207" in " ".join(view.words.split())
        await press(pilot, "escape", "w")
        await until(lambda: ("why", "rule:quotes") in acts(engine, "why"), pilot)
        await press(pilot, "escape", "f12")
        await until(lambda: not app.query(RuleList) and bool(app.query("#effects")), pilot)
        await press(pilot, "escape")
        await until(lambda: app.query_one(Transcript).display, pilot)


async def test_words_leave_room_for_what_runs_and_go_after_a_while() -> None:
    async with seat(lambda e: e.put(Namespace.TOOL_CALL, call("k1")), (80, 24)) as (app, _, _, _):
        line = app.query_one(StatusLine)
        app.say_words("word " * 40)
        assert line.line(80).plain.rstrip().endswith("running 1")
        app.say_words("word " * 40, stay=True)
        assert line.line(80).plain.rstrip().endswith("running 1 · F1 help")
        app.say_words("")
        assert "silent" in line.line(80).plain


async def test_an_urgent_stranger_does_not_move_a_trusted_card_up_or_down() -> None:
    async with seat(thread) as (app, pilot, engine, _):
        engine.put(
            Namespace.NOTIFICATION,
            note("s", "Mal", matter="mail:t1", trust="unknown", priority=Priority.URGENT, created_at=T0 - 999),
        )
        await until(lambda: len(app.query_one(Inbox)._items[KEY].notices) == 3, pilot)
        assert app.query_one(Inbox)._items[KEY].priority is Priority.HIGH
