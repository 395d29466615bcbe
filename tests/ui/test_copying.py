"""Copying and exporting: what leaves the screen is clean, whole, and the user's alone."""

from __future__ import annotations

import base64
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pepper_tui.model import AssistantMessage, Namespace, UserMessage
from pepper_tui.ui.screen.app import PepperApp
from pepper_tui.ui.screen.chat import drawn_messages
from pepper_tui.ui.screen.chat.drawn_messages import EAGER
from pepper_tui.ui.screen.chat.message_lines import OLDER
from pepper_tui.ui.screen.chat.transcript import Transcript
from pepper_tui.ui.screen.reading.detail import DetailView
from pepper_tui.ui.screen.status import StatusLine
from pepper_tui.ui.screen.terminal.terminal_out import COPIED_AT_MOST, clipboard, wrapped
from tests.ui.fake_engine import T0, FakeEngine, approval, signal
from tests.ui.seat import press, seat, until

HOSTILE = "\x1b]52;c;QUJD\x07 be\x07ll \x9b31m red \u202egnp.exe\u200b"


@given(st.text())
def test_a_sequence_holds_nothing_but_the_text(text: str) -> None:
    sequence = clipboard(text)
    body = sequence.removeprefix("\x1b]52;c;").removesuffix("\x07")
    assert base64.b64decode(body, validate=True).decode() == text.encode("utf-8", "replace").decode()


def test_in_tmux_it_goes_out_wrapped_and_plain() -> None:
    sequence = clipboard("one")
    assert wrapped(sequence, {}) == sequence
    assert wrapped(sequence, {"TMUX": "x"}) == f"\x1bPtmux;\x1b\x1b]52;c;b25l\x07\x1b\\{sequence}"


def test_what_no_terminal_takes_is_refused() -> None:
    clipboard("ä" * (COPIED_AT_MOST // 2))
    with pytest.raises(ValueError, match="too long to copy"):
        clipboard("ä" * (COPIED_AT_MOST // 2 + 1))


def talk(engine: FakeEngine) -> None:
    engine.put(Namespace.USER_MESSAGE, UserMessage("u1", "What now?", T0))
    engine.put(Namespace.ASSISTANT_MESSAGE, AssistantMessage("p1", f"**This** {HOSTILE}", T0 + 1, "s"))
    engine.put(Namespace.APPROVAL, approval(to=f"alice@example.com{HOSTILE}"))
    engine.put("signals.mail", signal("s1", f"Alice: {HOSTILE}"))


def caught(app: PepperApp, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    sent: list[str] = []
    monkeypatch.setattr(app, "to_terminal", sent.append)
    return sent


async def test_a_message_a_card_a_row_and_a_page_are_copied_clean(monkeypatch: pytest.MonkeyPatch) -> None:
    async with seat(talk) as (app, pilot, _, _):
        sent = caught(app, monkeypatch)
        await press(pilot, "ctrl+1", "c", "ctrl+2", "c", "ctrl+3", "c", "enter")
        await until(lambda: app.query_one(DetailView).has_focus, pilot)
        await press(pilot, "c")
        await until(lambda: len(sent) == 4, pilot)
        texts = [base64.b64decode(each.split(";")[2][:-1]).decode() for each in sent]
        assert texts[0].startswith("**This**")
        assert "I will bring the signed contract" in texts[1]
        assert "untrusted: it came from outside" in texts[1]
        assert "Alice:" in texts[2]
        assert "because" not in texts[2]
        assert "addressed to you" in texts[3]
        assert not any(bad in text for text in texts for bad in "\x1b\x07\x9b\u202e\u200b│◆")


async def test_a_copy_that_is_too_long_names_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    long = UserMessage("u1", "x" * (COPIED_AT_MOST + 1), T0)
    async with seat(lambda e: e.put(Namespace.USER_MESSAGE, long)) as (app, pilot, _, _):
        sent = caught(app, monkeypatch)
        await press(pilot, "ctrl+1", "c")
        await until(lambda: app.query_one(StatusLine).facts.bad, pilot)
        assert "s saves the conversation" in app.query_one(StatusLine).facts.words
        assert not sent


async def test_the_conversation_is_saved_once_and_for_its_owner(tmp_path: Path) -> None:
    path = tmp_path / "talk.md"
    async with seat(talk) as (app, pilot, _, _):
        for _ in range(2):
            await press(pilot, "ctrl+1", "s")
            await until(lambda: app.asking.open, pilot)
            await press(pilot, "ctrl+u", *str(path), "enter")
            await until(lambda: str(path.name) in app.query_one(StatusLine).facts.words, pilot)
        assert "already exists" in app.query_one(StatusLine).facts.words
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        text = path.read_text()
        assert text.index("## You, 2027-01-15 08:00\n\nWhat now?") < text.index(
            "## Pepper, 2027-01-15 08:00\n\n**This**"
        )
        assert not any(bad in text for bad in "\x1b\x07\x9b\u202e\u200b")


async def test_a_thousand_messages_cost_only_what_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Counted in drawn messages: one more costs one, scrolling and focus none, a new width those in view first."""

    def many(engine: FakeEngine) -> None:
        for number in range(1000):
            engine.put(Namespace.USER_MESSAGE, UserMessage(f"u{number:04}", f"line {number}", T0 + number))

    drawn: list[str] = []
    draw = drawn_messages.message_lines
    monkeypatch.setattr(drawn_messages, "message_lines", lambda m, page: (drawn.append(m.id), draw(m, page))[1])
    async with seat(many) as (app, pilot, engine, _):
        chat = app.query_one(Transcript)
        await until(lambda: chat.virtual_size.height == 3000, pilot, 60)
        assert len(drawn) <= 1000 + EAGER  # the newest once more when the engine's zone is known
        drawn.clear()
        chat.focus()
        await press(pilot, "pageup", "home", "j", "j", "end", "slash", "7", "escape", "f9")
        assert drawn == []
        engine.put(Namespace.USER_MESSAGE, UserMessage("u9999", "one more", T0 + 9999))
        await until(lambda: OLDER in drawn, pilot)  # with one more the first of all is gone
        assert drawn == ["u9999", OLDER]
        drawn.clear()
        await pilot.resize_terminal(110, 40)
        await until(lambda: len(drawn) >= EAGER, pilot)
        assert len(drawn) == len(set(drawn))
        assert set(drawn[:EAGER]) == {"u9999", *(f"u{number:04}" for number in range(1000 - EAGER + 1, 1000))}
