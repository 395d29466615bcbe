"""What goes past the screen, in a real pty: the clipboard, notices, and the terminal lent to an editor."""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from textual import events

from pepper_tui.ui.screen.chat.composer import Composer
from pepper_tui.ui.screen.status import StatusLine
from tests.terminal import Terminal
from tests.ui.seat import seat, until

CTRL_T, CTRL_G, CTRL_S, FOCUS_OUT = "\x14", "\x07", "\x13", "\x1b[O"
ROOT = str(Path(__file__).parents[2])


@contextmanager
def screen(tmp_path: Path, ui: dict[str, object], **environment: str) -> Iterator[tuple[Terminal, Path]]:
    """The screen with one card; and the file that its acts are noted in."""
    notes = tmp_path / "acts"
    notes.touch()
    command = [sys.executable, "-m", "tests.ui.fake_engine", str(notes), json.dumps(ui)]
    with Terminal(command, {"PYTHONPATH": ROOT, "TMUX": "", **environment}) as terminal:
        terminal.wait_for("F2 approve")
        yield terminal, notes


def acts(notes: Path) -> list[list[object]]:
    return [act for act in map(json.loads, notes.read_text().splitlines()) if act[0] not in ("seen", "close")]


@pytest.mark.parametrize("tmux", ["", "/tmp/tmux"])
def test_a_copied_card_reaches_the_terminal_as_one_clipboard_sequence(tmp_path: Path, tmux: str) -> None:
    with screen(tmp_path, {}, TMUX=tmux) as (terminal, _):
        terminal.type(CTRL_T)
        terminal.wait_for("y approve")
        terminal.type("c")
        terminal.wait_for("Copied")
        raw = bytes(terminal.raw)
    wrapped = raw.count(b"\x1bPtmux;\x1b\x1b]52;c;")
    assert wrapped == (1 if tmux else 0)
    assert raw.count(b"]52;c;") == 1 + wrapped
    copied = base64.b64decode(raw.split(b"]52;c;")[1].split(b"\x07")[0]).decode()
    assert "To, untrusted: it came from outside: alice@example.com" in copied


@pytest.mark.parametrize(("kind", "begin"), [("osc9", b"\x1b]9;Pepper: "), ("osc777", b"\x1b]777;notify;Pepper;")])
def test_a_notice_with_a_hostile_title_is_words(tmp_path: Path, kind: str, begin: bytes) -> None:
    with screen(tmp_path, {"notice": kind, "bell": True}) as (terminal, notes):
        terminal.type("hostile!")
        terminal.pump(0.2)
        terminal.type("\r")
        terminal.wait_for(lambda: bool(acts(notes)))
        terminal.type(FOCUS_OUT)
        terminal.wait_for(lambda: begin in terminal.raw)
        terminal.pump(0.3)
        raw = bytes(terminal.raw)
        assert acts(notes) == [["say", "hostile!", False]]
    said = raw.split(begin)[1].split(b"\x07")[0]
    assert said.replace(b",", b";") == b"4;1;1 urgent <b>now</b>"
    assert raw.count(begin) == 1
    for bad in (b"]0;owned", b"]52;", b"\xc2\x9b", b"\x9b2J"):
        assert bad not in raw
    assert b"\x07" in raw.replace(begin + said + b"\x07", b"")  # and the bell


EDITOR = """import pathlib, sys, os, stat
path = pathlib.Path(sys.argv[1])
assert stat.S_IMODE(path.stat().st_mode) == 0o600
print("EDITOR HAS THE TERMINAL:", repr(path.read_text()), flush=True)
if input() == "leave":
    sys.exit(1)
path.write_text(path.read_text() + " and more\\x1b]0;owned\\x07\\n")
"""


def test_the_editor_gets_the_terminal_and_its_text_is_a_draft_again(tmp_path: Path) -> None:
    editor = tmp_path / "editor.py"
    editor.write_text(EDITOR)
    ours = {"VISUAL": f"{sys.executable} {editor}", "TMPDIR": str(tmp_path)}
    with screen(tmp_path, {}, **ours) as (terminal, notes):
        terminal.type("a draft")
        terminal.wait_for("a draft")
        terminal.type(CTRL_G)
        terminal.wait_for("EDITOR HAS THE TERMINAL: 'a draft'")
        terminal.type("save\r")
        terminal.wait_for("a draft and more")
        terminal.wait_for("F2 approve")
        assert acts(notes) == []
        terminal.type("\r")
        terminal.wait_for(lambda: bool(acts(notes)))
        terminal.type("x")
        terminal.pump(0.2)
        terminal.type(CTRL_G)
        terminal.wait_for("EDITOR HAS THE TERMINAL: 'x'")
        terminal.type("leave\r")
        terminal.wait_for("the text is as it was")
        assert acts(notes) == [["say", "a draft and more", False]]
        assert b"owned" not in terminal.raw
    assert [path.name for path in tmp_path.glob("pepper-*")] == []


def test_a_field_of_a_card_edited_there_still_waits_for_save_and_for_a_yes(tmp_path: Path) -> None:
    editor = tmp_path / "editor.py"
    editor.write_text(EDITOR)
    with screen(tmp_path, {}, VISUAL=f"{sys.executable} {editor}") as (terminal, notes):
        terminal.pump(0.7)  # a card that has just come takes no key
        terminal.type("\x1bOS")  # F4
        terminal.wait_for("Ctrl+S saves")
        for _ in range(2):  # from the text back to the first field
            terminal.type("\x1b[Z")
            terminal.pump(0.3)
        terminal.type(CTRL_G)
        terminal.wait_for("EDITOR HAS THE TERMINAL: 'alice@example.com'")
        terminal.type("save\r")
        terminal.wait_for("alice@example.com and more")
        assert acts(notes) == []
        terminal.type(CTRL_S)
        terminal.wait_for(lambda: bool(acts(notes)))
        assert acts(notes) == [["edit", "a1", {"to": "alice@example.com and more"}, []]]  # nothing of it was typed


@pytest.mark.parametrize("paste", ["some text \x07 and more", "\x07x", "x\x07"])
def test_a_paste_that_comes_as_keys_opens_no_editor(tmp_path: Path, paste: str) -> None:
    with screen(tmp_path, {}, VISUAL="touch") as (terminal, _):
        terminal.type(paste)
        terminal.wait_for("no editor was opened")
        terminal.type("still here")
        terminal.wait_for("still here")


async def test_a_key_of_the_same_read_that_the_loop_sees_late_opens_no_editor_either() -> None:
    async with seat() as (app, pilot, _, _):
        first, second = events.Key("ctrl+g", None), events.Key("x", "x")
        second.time = first.time
        app.post_message(first)
        await pilot.pause(0.01)
        app.post_message(second)
        await until(lambda: app.query_one(Composer).text == "x", pilot)
        await until(lambda: "editor" in app.query_one(StatusLine).facts.words, pilot)
        assert "no editor was opened" in app.query_one(StatusLine).facts.words


def test_without_an_editor_the_way_out_is_named(tmp_path: Path) -> None:
    with screen(tmp_path, {}, VISUAL="/nowhere/editor") as (terminal, _):
        terminal.type(CTRL_G)
        terminal.wait_for("set $VISUAL or $EDITOR")
        terminal.type("still here")
        terminal.wait_for("still here")
