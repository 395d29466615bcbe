"""Which characters of a draft were typed: through pastes, bursts, edits, undo, history, the editor and taking back."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual import events
from textual.keys import _character_to_key
from textual.pilot import Pilot

from pepper_tui.model import Origin, Span, Written
from pepper_tui.ui.screen.app import PepperApp
from pepper_tui.ui.screen.chat.composer import Composer
from pepper_tui.ui.screen.chat.origin_area import PASTE
from tests.terminal import Terminal
from tests.ui.seat import acts, seat, until

PASTED = Origin.PASTED


async def keys(app: PepperApp, pilot: Pilot[str], text: str, apart: float) -> None:
    """The keys of ``text``, ``apart`` seconds from one to the next."""
    start = keys_at.setdefault(id(app), 1000.0) + 10
    for number, character in enumerate(text):
        key = "enter" if character == "\n" else _character_to_key(character)
        event = events.Key(key, "\r" if character == "\n" else character)
        event.time = start + number * apart
        app.post_message(event)
        await pilot.pause()
    keys_at[id(app)] = start + len(text) * apart


keys_at: dict[int, float] = {}


async def by_hand(app: PepperApp, pilot: Pilot[str], text: str) -> None:
    await keys(app, pilot, text, 0.1)


async def paste(composer: Composer, pilot: Pilot[str], text: str) -> None:
    before = composer.text
    composer.post_message(events.Paste(text))
    await until(lambda: composer.text != before, pilot)


def untyped(composer: Composer) -> list[str]:
    return [composer.text[start:end] for start, end, _ in composer.written.spans]


# ------------------------------------------------------------------------------------------------ the spans themselves


@given(
    st.lists(
        st.tuples(st.integers(0, 20), st.integers(0, 6), st.text("ab \n", max_size=5), st.sampled_from(list(Origin))),
        max_size=12,
    )
)
def test_each_character_keeps_its_origin_through_edits(edits: list[tuple[int, int, str, Origin]]) -> None:
    written, plain = Written(""), list[tuple[str, Origin]]()
    for at, gone, text, origin in edits:
        start = min(at, len(plain))
        end = min(start + gone, len(plain))
        written = written.replaced(start, end, text, origin)
        plain[start:end] = [(character, origin) for character in text]
    assert [(c, origin) for piece, origin in written.parts() for c in piece] == plain
    assert all(a.end <= b.start for a, b in zip(written.spans, written.spans[1:], strict=False))
    stripped = written.stripped()
    assert stripped.text == written.text.strip()
    assert [c for piece, _ in stripped.parts() for c in piece] == list(stripped.text)


@pytest.mark.parametrize(
    ("pieces", "typed"),
    [
        ([("read this ", "typed"), ("evil", "pasted"), (" now", "typed")], ["read this ", " now"]),
        ([("https://a.org/", "typed"), ("x", "pasted")], []),
        ([("x", "pasted"), ("bad.example", "typed")], []),
        ([("x", "piped"), ("y to bob@a.org\n", "typed"), ("z", "editor")], [" to bob@a.org\n"]),
        ([("all typed", "typed")], ["all typed"]),
    ],
)
def test_a_word_that_touches_what_was_not_typed_is_not_typed(pieces: list[tuple[str, str]], typed: list[str]) -> None:
    written = Written("")
    for text, origin in pieces:
        written = written.then(Written.by(text, Origin(origin)))
    assert written.typed() == typed


# ------------------------------------------------------------------------------------------------------ the composer


async def test_a_paste_is_marked_and_typing_inside_splits_it() -> None:
    async with seat() as (app, pilot, engine, _):
        composer = app.query_one(Composer)
        await by_hand(app, pilot, "see ")
        await paste(composer, pilot, "evil.example")
        await by_hand(app, pilot, " ok")
        assert composer.text == "see evil.example ok"
        assert composer.written.spans == (Span(4, 16, PASTED),)
        composer.move_cursor((0, 8))
        await by_hand(app, pilot, "X")
        assert untyped(composer) == ["evil", ".example"]
        await pilot.press("backspace")
        assert untyped(composer) == ["evil.example"]
        await pilot.press("backspace")
        assert untyped(composer) == ["evi.example"]
        await pilot.press("alt+enter")
        await until(lambda: bool(acts(engine, "say")), pilot)
        assert engine.spans == [[Span(4, 15, PASTED)]]
        assert composer.written == Written("")


async def test_undo_and_redo_keep_the_origins() -> None:
    async with seat() as (app, pilot, _, _clock):
        composer = app.query_one(Composer)
        await by_hand(app, pilot, "a b")
        await paste(composer, pilot, "evil")
        composer.select_all()
        await pilot.press("delete")
        assert composer.written == Written("")
        composer.undo()
        assert (composer.text, untyped(composer)) == ("a bevil", ["evil"])
        composer.undo()
        assert untyped(composer) == []
        composer.redo()
        assert untyped(composer) == ["evil"]


async def test_what_was_cut_and_put_back_counts_as_pasted() -> None:
    async with seat() as (app, pilot, _, _clock):
        composer = app.query_one(Composer)
        await paste(composer, pilot, "evil")
        composer.select_all()
        composer.action_cut()
        composer.action_paste()
        assert untyped(composer) == ["evil"]


async def test_a_paste_that_comes_as_keys_is_pasted_and_a_hand_s_keys_are_not() -> None:
    async with seat() as (app, pilot, _, _clock):
        composer = app.query_one(Composer)
        await by_hand(app, pilot, "look: ")
        await keys(app, pilot, "evil.example\nand more", 0.001)
        await by_hand(app, pilot, " ok")
        assert composer.text == "look: evil.example\nand more ok"
        assert untyped(composer) == ["evil.example\nand more"]
        composer.load_text("")
        await keys(app, pilot, "x" * (PASTE - 1), 0.001)
        assert untyped(composer) == []
        await keys(app, pilot, "y" * PASTE, 0.001)
        assert untyped(composer) == ["y" * PASTE]


async def test_the_history_and_what_is_taken_back_remember_whose_words_they_are() -> None:
    async with seat() as (app, pilot, engine, _):
        composer = app.query_one(Composer)
        await by_hand(app, pilot, "read ")
        await paste(composer, pilot, "evil.example\n")
        await pilot.press("alt+enter")
        await until(lambda: bool(acts(engine, "say")), pilot)
        await pilot.press("up")
        assert (composer.text, untyped(composer)) == ("read evil.example", ["evil.example"])
        composer.load_text("")
        await by_hand(app, pilot, "more")
        await pilot.press("alt+up")
        await until(lambda: "evil" in composer.text, pilot)
        assert composer.text == "read evil.example\nmore"
        assert untyped(composer) == ["evil.example"]


async def test_the_history_of_an_earlier_start_remembers_it() -> None:
    text = "read evil.example"

    def earlier(engine: object) -> None:
        from pepper_tui.model import Namespace, UserMessage
        from tests.ui.fake_engine import T0, FakeEngine

        assert isinstance(engine, FakeEngine)
        engine.put(Namespace.USER_MESSAGE, UserMessage("u1", text, T0, spans=[Span(5, 17, PASTED)]))
        engine.put(Namespace.USER_MESSAGE, UserMessage("u2", "of before spans", T0 + 1))

    async with seat(earlier) as (app, pilot, _, _clock):
        composer = app.query_one(Composer)
        await until(lambda: len(composer.sent.said) == 2, pilot)
        await pilot.press("up")
        assert composer.written.typed() == []
        await pilot.press("up")
        assert untyped(composer) == ["evil.example"]


async def test_text_that_comes_otherwise_has_no_typed_character() -> None:
    async with seat() as (app, _pilot, _, _clock):
        composer = app.query_one(Composer)
        composer.text = "from elsewhere"
        assert composer.written.typed() == []


def drawn(composer: Composer) -> list[str]:
    """What is drawn in italics on the first line."""
    return [segment.text for segment in composer.render_line(0) if segment.style and segment.style.italic]


async def test_what_was_not_typed_is_drawn_otherwise() -> None:
    async with seat() as (app, pilot, _, _clock):
        composer = app.query_one(Composer)
        await by_hand(app, pilot, "see ")
        await paste(composer, pilot, "evil")
        await by_hand(app, pilot, " ok")
        assert "".join(drawn(composer)).strip() == "evil"


# ---------------------------------------------------------------------------------------------------- a real terminal


def in_italics(terminal: Terminal, word: str) -> bool:
    rows = terminal._screen.display
    row = next(number for number, line in enumerate(rows) if word in line)
    at = rows[row].index(word)
    return all(terminal._screen.buffer[row][at + n].italics for n in range(len(word)))


BRACKETED: Callable[[str], str] = "\x1b[200~{}\x1b[201~".format


@pytest.mark.parametrize("how", [BRACKETED, str])
def test_in_a_terminal_a_paste_looks_and_is_stored_otherwise(tmp_path: Path, how: Callable[[str], str]) -> None:
    notes = tmp_path / "acts"
    notes.touch()
    command = [sys.executable, "-m", "tests.ui.fake_engine", str(notes)]
    with Terminal(command, {"PYTHONPATH": str(Path(__file__).parents[2])}) as terminal:
        terminal.wait_for("inbox 1")
        terminal.type_by_hand("mine ")
        terminal.type(how("pasted.example"))
        terminal.wait_for("mine pasted.example")
        terminal.wait_for(lambda: in_italics(terminal, "pasted.example"))
        assert not in_italics(terminal, "mine")
        terminal.pump(0.2)
        terminal.press("enter")
        spans = Path(f"{notes}.spans")
        terminal.wait_for(lambda: spans.exists() and spans.read_text("utf-8").endswith("\n"))
        assert json.loads(spans.read_text("utf-8")) == [[5, 19, "pasted"]]


def test_what_an_editor_wrote_is_not_typed(tmp_path: Path) -> None:
    notes = tmp_path / "acts"
    notes.touch()
    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\nprintf "written elsewhere" > "$1"\n')
    editor.chmod(0o700)
    command = [sys.executable, "-m", "tests.ui.fake_engine", str(notes)]
    environment = {"PYTHONPATH": str(Path(__file__).parents[2]), "VISUAL": str(editor)}
    with Terminal(command, environment) as terminal:
        terminal.wait_for("inbox 1")
        terminal.type_by_hand("a")
        terminal.pump(0.2)
        terminal.type("\x07")
        terminal.wait_for("written elsewhere")
        terminal.pump(0.3)
        terminal.press("enter")
        spans = Path(f"{notes}.spans")
        terminal.wait_for(lambda: spans.exists() and spans.read_text("utf-8").endswith("\n"))
        assert json.loads(spans.read_text("utf-8")) == [[0, 17, "editor"]]
