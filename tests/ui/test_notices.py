"""Notices: only unfocused, once each, not too often; and no word of them can be obeyed by a terminal or a daemon."""

from __future__ import annotations

import base64
import json
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pepper_tui.clock import ManualClock
from pepper_tui.config import Ui
from pepper_tui.model import Context, ContextUpdate, Namespace, Priority
from pepper_tui.ui.screen.inbox.inbox_list import Inbox
from pepper_tui.ui.screen.status import StatusLine
from pepper_tui.ui.screen.terminal.notices import GAP, Notices, notify_desktop, sequence
from tests.ui.fake_engine import T0, approval, note
from tests.ui.seat import seat, until

HOSTILE = "\x1b]0;owned\x07\x9b2J 4;3;100 <b>bold</b> &amp; <a href='x'>y</a> \u202e$(id) --hint=x\n\ny"


class Caller:
    """Notices on a still clock, and what they did."""

    def __init__(self, kind: str = "osc9") -> None:
        self.clock = ManualClock(T0)
        self.did: list[str] = []
        self.notices = Notices(
            lambda: self.did.append("bell"),
            self.did.append,
            lambda *w: self.did.append(" ".join(w)),
            self.clock.monotonic,
        )
        self.notices.kind, self.notices.looked_at = kind, False

    def hear(self, *titles: str, priority: Priority = Priority.URGENT) -> None:
        records = [note(title, title, priority=priority) for title in titles]
        contexts = [Context(r.id, Namespace.NOTIFICATION, r.data()) for r in records]
        self.notices.hear([ContextUpdate(i, context) for i, context in enumerate(contexts)])


async def test_it_calls_once_each_only_unfocused_and_not_too_often() -> None:
    caller = Caller()
    caller.notices.looked_at = True
    caller.hear("seen")
    caller.notices.looked_at = False
    caller.hear("seen")
    caller.hear("quiet", priority=Priority.HIGH)
    assert caller.did == []
    caller.hear("one")
    caller.hear("two", "three")
    caller.hear("one")
    assert caller.did == ["bell", "\x1b]9;Pepper: one\x07"]
    await caller.clock.advance(GAP)
    caller.hear("four")
    assert caller.did[2:] == ["bell", "\x1b]9;Pepper: two (and 2 more)\x07"]


def test_a_card_that_asks_for_a_yes_calls_and_the_bell_can_be_off() -> None:
    caller = Caller("osc777")
    caller.notices.bell = False
    caller.notices.hear([ContextUpdate(1, Context("a1", Namespace.APPROVAL, approval().data()))])
    assert caller.did == [
        "\x1b]777;notify;Pepper;needs your yes: Send mail to alice@example.com: Re: lunch on Thursday\x07"
    ]


@given(st.text() | st.just(HOSTILE))
def test_a_sequence_is_one_sequence_whatever_it_says(words: str) -> None:
    for kind, begin, end in (("osc9", "\x1b]9;Pepper: ", "\x07"), ("osc777", "\x1b]777;notify;Pepper;", "\x07")):
        body = sequence(kind, words).removeprefix(begin).removesuffix(end)
        assert not any(ord(c) < 32 or 0x7F <= ord(c) < 0xA0 or c == ";" for c in body)
        assert len(body) <= 120
    first, second = sequence("osc99", words).split("\x1b\\")[:2]
    assert first == "\x1b]99;i=pepper:d=0;Pepper"
    assert (
        "\x1b" not in base64.b64decode(second.removeprefix("\x1b]99;i=pepper:d=1:p=body:e=1;"), validate=True).decode()
    )


def fake_notify_send(folder: Path, code: int = 0) -> Path:
    """A program of that name that writes down how it was called."""
    folder.mkdir(exist_ok=True)
    program = folder / "notify-send"
    called = folder / "called"
    program.write_text(
        f"#!{sys.executable}\nimport json, sys\nopen({str(called)!r}, 'a').write(json.dumps(sys.argv[1:]) + '\\n')\n"
        f"print('no daemon', file=sys.stderr)\nsys.exit({code})\n"
    )
    program.chmod(0o755)
    return called


def test_the_desktop_gets_words_and_no_markup_and_no_option(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    called = fake_notify_send(tmp_path / "bin")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    assert notify_desktop("Pepper", HOSTILE) == ""
    assert notify_desktop("Pepper", "--version") == ""
    first, second = (json.loads(line) for line in called.read_text().splitlines())
    assert first[:4] == ["--app-name=Pepper", "--urgency=critical", "--", "Pepper"]
    assert "&lt;b&gt;bold&lt;/b&gt; &amp;amp; &lt;a href=" in first[4]
    assert not any(bad in first[4] for bad in "\x1b\x07\x9b\u202e\n<>")
    assert second[2:] == ["--", "Pepper", "--version"]


async def test_a_desktop_without_a_daemon_is_told_once_and_the_bell_rings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    rung: list[str] = []
    async with seat() as (app, pilot, engine, clock):
        app.dress(Ui(notice="desktop"))
        monkeypatch.setattr(app.notices, "_ring", lambda: rung.append("!"))
        app.on_app_blur()
        for number in range(2):
            await clock.advance(GAP)
            engine.put(Namespace.NOTIFICATION, note(f"n{number}", priority=Priority.URGENT))
            await until(lambda number=number: len(rung) == number + 1, pilot)  # type: ignore[misc]
        facts = app.query_one(StatusLine)
        await until(lambda: "notify-send is not there" in facts.facts.trouble, pilot)
        assert "osc777" in facts.facts.trouble
        assert len(app.board.troubles()) == 1
        assert len(app.query_one(Inbox).row_ids) == 2
