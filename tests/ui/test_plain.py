"""The plain mode in a real pty, with a terminal that can do nothing: lines, in words; a paste never acts."""

from __future__ import annotations

import contextlib
import inspect
import json
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC
from pathlib import Path
from types import ModuleType

import pytest

from pepper_tui.clock import ManualClock
from pepper_tui.model import (
    Approval,
    Context,
    ContextUpdate,
    EngineError,
    Namespace,
    Notification,
    Priority,
    Record,
    ResolvedEffect,
)
from pepper_tui.ui.plain.commands import cards, lists, mail, messages, reading, rules
from pepper_tui.ui.plain.commands.table import COMMANDS, Commands
from pepper_tui.ui.plain.conversation import PlainConversation
from pepper_tui.ui.plain.news import News
from pepper_tui.ui.plain.numbers import Numbers
from pepper_tui.ui.shared.matters import InboxItem
from pepper_tui.ui.shared.records import Message
from pepper_tui.ui.shared.words import fact_lines, item_lines, message_lines
from tests.terminal import Terminal
from tests.ui.fake_engine import T0, FakeEngine, approval, note
from tests.ui.seat import acts

ROOT = str(Path(__file__).parents[2])


class Seat:
    """A terminal, and the acts that reached the engine."""

    def __init__(self, terminal: Terminal, notes: Path) -> None:
        self.terminal, self._notes = terminal, notes

    def acts(self) -> list[list[object]]:
        noted = [json.loads(line) for line in self._notes.read_text(encoding="utf-8").splitlines()]
        return [act for act in noted if act[0] not in ("seen", "close")]

    def enter(self, line: str, answer: str) -> None:
        self.terminal.type(line)
        self.terminal.pump(0.15)
        self.terminal.type("\r")
        self.terminal.wait_for(answer)

    def word(self) -> str:
        found = re.findall(r"/yes 1 (\w+)\. To reject", self.terminal.text)
        return str(found[-1])


@pytest.fixture
def seat(tmp_path: Path) -> Iterator[Seat]:
    notes = tmp_path / "acts"
    notes.touch()
    command = [sys.executable, "-m", "tests.ui.fake_engine", str(notes), "plain"]
    with Terminal(command, {"PYTHONPATH": ROOT, "TERM": "dumb", "INPUTRC": "/dev/null"}, (100, 60)) as terminal:
        terminal.wait_for("1 in the inbox")
        yield Seat(terminal, notes)


def test_a_card_is_heard_and_approved_with_its_word(seat: Seat) -> None:
    seat.enter("/inbox", "1: Needs your yes: Send mail to alice@example.com")
    seat.enter("/yes 1", "Hear it first")
    seat.enter("/read 1", "To approve exactly this: /yes 1")
    assert "To, untrusted: it came from outside: alice@example.com" in seat.terminal.text
    assert "Best," in seat.terminal.text
    seat.enter("/yes 1 nope", "The word for this card is")
    assert seat.acts() == []
    seat.enter(f"/yes 1 {seat.word()}", "Approved")
    assert seat.acts() == [["approve", "a1"]]


def test_it_is_lines_of_words_without_boxes_or_sequences(seat: Seat) -> None:
    seat.enter("/help", "All else is a message")
    seat.enter("hostile!", "urgent: 4;1;1 urgent <b>now</b>")
    for command in ("/inbox", "/signals", "/calls", "/workers", "/effects", "/status", "/read 2"):
        seat.enter(command, command)
        seat.terminal.pump(0.3)
    raw = bytes(seat.terminal.raw).decode()
    assert not any(0x2500 <= ord(c) < 0x2600 or c in "\x1b\x9b◆▲●‼⚠" for c in raw)


def test_a_paste_of_several_lines_is_a_message(seat: Seat) -> None:
    seat.enter("/read 1", "To approve exactly this")
    seat.terminal.type(f"/yes 1 {seat.word()}\n/no 1\n")
    seat.terminal.wait_for(lambda: bool(seat.acts()))
    seat.terminal.pump(0.3)
    assert [act[0] for act in seat.acts()] == ["say"]


def test_a_wrong_command_a_wrong_number_and_a_wrong_field_do_nothing(seat: Seat) -> None:
    seat.enter("/aprove 1", "There is no /aprove")
    seat.enter("/read 9", "9 is no number of mine")
    seat.enter("/inbox", "1: Needs your yes")
    seat.enter("/done 7", "7 is no number of mine")
    seat.enter("/edit 1 nothing", "one of: to, subject, body")
    seat.enter("/answer 1 happened", "wants an item whose outcome is unknown")
    assert seat.acts() == []


def test_what_is_being_typed_is_not_broken_by_news_and_a_message_is_sent(seat: Seat) -> None:
    seat.enter("hostile!", "/read")
    seat.terminal.type("half a li")
    seat.terminal.pump(0.3)
    seat.enter("ne", "half a line")
    seat.terminal.wait_for(lambda: len(seat.acts()) == 2)
    assert seat.acts()[1] == ["say", "half a line", False]


def test_no_with_a_reason_and_leaving(seat: Seat) -> None:
    seat.enter("/inbox", "1: Needs your yes")
    seat.enter("/no 1 I do not know them", "Rejected")
    assert seat.acts() == [["reject", "a1", "I do not know them"]]
    seat.terminal.type("/quit\r")
    assert os.waitstatus_to_exitcode(seat.terminal.wait_dead(10)) == 0


def rule_card() -> Approval:
    effect = ResolvedEffect("propose_rule", "", "", "Rule: When mail comes, tell me.", [], {})
    return Approval("a1", "c1", effect.data(), effect.digest, 0.0, 86400.0)


def test_a_card_of_a_rule_ends_its_sentence_once_and_names_no_account() -> None:
    context = Context("a1", Namespace.APPROVAL, rule_card().data())
    [line] = News(Numbers()).of([ContextUpdate(1, context)])
    assert line == "Inbox, 1: needs your yes: Rule: When mail comes, tell me. /read 1"
    item = InboxItem("approval:a1", "approval", Priority.HIGH, 0.0, True, rule_card())
    assert not [each for each in item_lines(item, UTC) if each.startswith(("Account", "Because"))]


def test_the_times_of_a_signal_are_told_as_times() -> None:
    told = fact_lines({"end": 1795898459.0, "start": 1795896134, "minutes": 15, "due": None}, UTC)
    assert told == ["end: 2026-11-28 20:40", "start: 2026-11-28 20:02", "minutes: 15", "due: None"]


def test_each_act_of_a_group_is_a_command_and_no_name_is_taken_twice() -> None:
    groups = (cards, lists, mail, messages, reading, rules)
    found = {act for group in groups for name, act in vars(group).items() if is_act_of(group, name, act)}
    assert len(found) > 20
    assert found <= {command.act for command in COMMANDS}
    assert len({command.name for command in COMMANDS}) == len(COMMANDS)


def is_act_of(group: ModuleType, name: str, value: object) -> bool:
    return inspect.iscoroutinefunction(value) and value.__module__ == group.__name__ and not name.startswith("_")


def test_no_line_from_outside_passes_for_one_of_its_own() -> None:
    posing = "Hello\nInbox, 3: needs your yes: pay\nYou: yes"
    first, *rest = message_lines(Message("m", "pepper", posing, 0.0))
    assert first == "Pepper: Hello"
    assert rest == ["  Inbox, 3: needs your yes: pay", "  You: yes"]
    notice = Notification("n", "Mail", posing, "asked", "signals.mail:1", 0.0, Priority.HIGH)
    lines = item_lines(InboxItem("notification:n", "notice", Priority.HIGH, 0.0, True, notice), UTC)
    assert [line for line in lines if "Inbox, 3" in line or "You: yes" in line] == rest


async def test_a_matter_keeps_its_number_and_is_closed_with_its_draft() -> None:
    engine, clock, said = FakeEngine(), ManualClock(T0), list[str]()
    talk = PlainConversation(lambda: None, clock=clock)  # type: ignore[arg-type, return-value]
    talk.link.engine = engine
    talk.say = lambda *lines: said.extend(lines)  # type: ignore[method-assign]
    commands = Commands(talk)

    def put(namespace: str, record: Record) -> None:
        engine.put(namespace, record)
        talk.updated([*engine._updates.get_nowait()])

    put(Namespace.NOTIFICATION, note("n1", "Ann: Contract", matter="mail:t1"))
    put(Namespace.APPROVAL, replace(approval("a1"), matter="mail:t1"))
    put(Namespace.NOTIFICATION, note("n2", "Ann: Contract again", matter="mail:t1", created_at=T0 + 1))
    assert [line.split(":")[0] for line in said] == ["Inbox, 1"] * 3
    await commands.do("/inbox")
    assert said[-2:][0] == "Inbox: 1"
    assert said[-1].startswith("1: ")
    engine.put(Namespace.NOTIFICATION, note("late", "not said", matter="mail:t1", created_at=T0 + 2))
    talk.board.apply(engine._updates.get_nowait())
    await commands.do("/done 1")
    assert acts(engine, "done") == [("done", "approval:a1", "notification:n1", "notification:n2")]


async def test_after_a_no_the_notice_is_said_to_stay() -> None:
    engine, said = FakeEngine(), list[str]()
    talk = PlainConversation(lambda: None, clock=ManualClock(T0))  # type: ignore[arg-type, return-value]
    talk.link.engine = engine
    talk.say = lambda *lines: said.extend(lines)  # type: ignore[method-assign]
    engine.put(Namespace.NOTIFICATION, note("n1", "Ann: Contract", matter="mail:t1"))
    engine.put(Namespace.APPROVAL, replace(approval("a1"), matter="mail:t1"))
    while not engine._updates.empty():
        talk.updated(engine._updates.get_nowait())
    await Commands(talk).do("/no 1")
    assert said[-1] == "The notice stays: /done 1 closes it"


def spans(seat: Seat) -> list[object]:
    noted = Path(f"{seat._notes}.spans")
    return [json.loads(line) for line in noted.read_text("utf-8").splitlines()] if noted.exists() else []


def test_lines_at_once_are_pasted_and_one_by_hand_is_typed(seat: Seat) -> None:
    seat.terminal.type_by_hand("mine")
    seat.terminal.pump(0.2)
    seat.terminal.type("\r")
    seat.terminal.wait_for(lambda: spans(seat) == [[]])
    seat.terminal.pump(0.2)
    seat.terminal.type("a newsletter\nof two lines\n")
    seat.terminal.wait_for(lambda: spans(seat) == [[], [[0, 25, "pasted"]]])


def test_what_comes_from_a_pipe_was_not_typed(tmp_path: Path) -> None:
    notes = tmp_path / "acts"
    notes.touch()
    command = f"(sleep 2; echo piped words; sleep 3) | {sys.executable} -m tests.ui.fake_engine {notes} plain"
    with Terminal(["/bin/sh", "-c", command], {"PYTHONPATH": ROOT, "TERM": "dumb"}, (100, 60)) as terminal:
        noted = Path(f"{notes}.spans")
        terminal.wait_for(lambda: noted.exists() and noted.read_text("utf-8").endswith("\n"))
        assert json.loads(noted.read_text("utf-8")) == [[0, 11, "piped"]]


def test_what_the_editor_wrote_is_not_typed(tmp_path: Path) -> None:
    notes, editor = tmp_path / "acts", tmp_path / "editor"
    notes.touch()
    editor.write_text('#!/bin/sh\nprintf "written elsewhere" > "$1"\n')
    editor.chmod(0o700)
    command = [sys.executable, "-m", "tests.ui.fake_engine", str(notes), "plain"]
    environment = {"PYTHONPATH": ROOT, "TERM": "dumb", "VISUAL": str(editor)}
    with Terminal(command, environment, (100, 60)) as terminal:
        terminal.wait_for("1 in the inbox")
        terminal.type("/write\r")
        noted = Path(f"{notes}.spans")
        terminal.wait_for(lambda: noted.exists() and noted.read_text("utf-8").endswith("\n"))
        assert json.loads(noted.read_text("utf-8")) == [[0, 17, "editor"]]


@pytest.mark.parametrize(
    ("options", "field", "said", "did"),
    [
        (2, "", "2", ("choose", "notification:q", 2)),
        (2, "", "neither of them", ("answer", "notification:q", "neither of them")),
        (2, "", "12", ("answer", "notification:q", "12")),
        (0, "", "7", ("answer", "notification:q", "7")),
        (2, "when", "9", ("answer", "notification:q", "9")),
        (2, "none", "9", ("choose", "notification:q", 9)),
        (2, "", "", "Answer what?"),
    ],
)
async def test_a_question_is_answered_by_its_number_or_in_words(
    options: int, field: str, said: str, did: tuple[object, ...] | str
) -> None:
    engine = FakeEngine()
    more = {"arguments": {}, **({"field": field} if field != "none" else {})} if field else {}
    choices = [{"words": f"answer {n}", **more} for n in range(options)]
    engine.put(Namespace.NOTIFICATION, replace(note("q", "How many?", kind="question"), choices=choices))
    lines: list[str] = []
    talk = PlainConversation(lambda: None, clock=ManualClock(T0))  # type: ignore[arg-type, return-value]
    talk.link.engine = engine
    talk.say = lambda *more: lines.extend(more)  # type: ignore[method-assign]
    while not engine._updates.empty():
        talk.updated(engine._updates.get_nowait())
    await Commands(talk).do("/inbox")
    assert lines[-1] == ("1: Which time?: How many?" if field else "1: Asks you: How many?")
    await Commands(talk).do("/read 1")
    ways = "the number of an answer or your own words" if options else "your own words"
    ways = "the number of an answer" if field == "none" else ways
    assert lines[-1] == f"To answer it: /answer 1 and {ways}"
    if isinstance(did, str):
        with pytest.raises(ValueError, match=did):
            await Commands(talk).do(f"/answer 1 {said}")
    else:
        with contextlib.suppress(EngineError):  # the engine refuses a number that no choice has
            await Commands(talk).do(f"/answer 1 {said}")
        assert acts(engine, "choose", "answer") == [did]


async def test_a_card_that_was_read_aloud_was_seen_and_is_nobodys_while_it_is_edited(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No model changes a card once the user has heard it, nor under the editor's hands."""
    engine, attended = FakeEngine(), list[bool]()
    talk = PlainConversation(lambda: None, clock=ManualClock(T0))  # type: ignore[arg-type, return-value]
    talk.link.engine = engine
    talk.say = lambda *more: None  # type: ignore[method-assign]
    engine.put(Namespace.APPROVAL, approval("a1"))
    while not engine._updates.empty():
        talk.updated(engine._updates.get_nowait())
    await Commands(talk).do("/inbox")
    assert engine.drawn == []
    await Commands(talk).do("/read 1")
    assert engine.drawn == ["approval:a1"]

    async def edited(before: str) -> str:
        attended.append(engine.attended)
        return f"{before} and more"

    monkeypatch.setattr(cards, "edited_text", edited)
    await Commands(talk).do("/edit 1 subject")
    assert (attended, engine.attended) == ([True], False)
