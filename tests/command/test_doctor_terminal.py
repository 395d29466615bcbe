"""What the doctor says of a terminal: asked in a real pty, told from its answers and from tmux's options."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from pepper_tui.config import Config, Secrets, Ui
from pepper_tui.setup.doctor import Patient, notices
from pepper_tui.setup.doctor.terminal import Answers, clipboard, keys, parsed, tmux
from tests.terminal import Terminal


class Answering(Terminal):
    """A terminal that answers what it is asked as ``answer``."""

    answer = b"\x1b[?1u\x1b[?62;52;c"

    def _pump(self, seconds: float) -> bool:
        before = self.raw.count(b"\x1b[c")
        alive = super()._pump(seconds)
        if self.raw.count(b"\x1b[c") > before:
            os.write(self._fd, self.answer)
        return alive


@pytest.mark.parametrize(
    ("kind", "size", "answers", "words"),
    [
        ("xterm-256color", (180, 30), True, ("180×30, UTF-8", "Kitty's protocol: Ctrl+1", "OSC 52: the term")),
        ("xterm-256color", (70, 20), False, ("80×24 or more", "did not say what it can do", "not known")),
        ("dumb", (100, 30), False, ("pepper --plain",)),
    ],
)
def test_a_terminal_is_asked(
    tmp_path: Path, kind: str, size: tuple[int, int], answers: bool, words: tuple[str, ...]
) -> None:
    ours = {"TERM": kind, "PYTHONPATH": str(Path(__file__).parents[2])}
    ours |= dict.fromkeys(("TMUX", "TERM_PROGRAM", "VTE_VERSION", "NO_COLOR"), "")
    command = [sys.executable, "-m", "pepper_tui", "--home", str(tmp_path / "none"), "doctor"]
    with (Answering if answers else Terminal)(command, ours, size) as terminal:
        terminal.wait_dead()
        said = "".join(terminal.text.split())  # lines are broken anywhere
    for each in words:
        assert each.replace(" ", "") in said


def test_what_answers_mean() -> None:
    assert parsed("\x1b[?0u\x1b[?62;22c") == Answers(True, frozenset({"62", "22"}))
    assert parsed("\x1b[?62;52c") == Answers(False, frozenset({"62", "52"}))
    assert parsed("garbage") is None
    assert keys(Answers(True, frozenset())).state == "ok"
    assert "Ctrl+O" in keys(Answers(False, frozenset())).remedy
    assert clipboard(Answers(True, frozenset({"52"})), {}).state == "ok"
    assert "does nothing" in clipboard(None, {"TERM_PROGRAM": "Apple_Terminal"}).detail


@pytest.mark.parametrize(
    ("ui", "state", "words"),
    [
        (Ui(notice="desktop"), "trouble", "notify-send is not there"),
        (Ui(notice="osc99"), "note", "osc99"),
        (Ui(), "ok", "by the bell"),
        (Ui(bell=False), "note", "off"),
    ],
)
async def test_notices_say_how_they_come(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ui: Ui, state: str, words: str
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    patient = Patient(tmp_path, Config(ui=ui), Secrets(tmp_path), {})
    [found] = [finding async for finding in notices.check(patient)]
    assert found.state == state
    assert words in found.detail


def test_tmux_is_told_what_it_holds_back() -> None:
    found = tmux({"focus-events": "off", "set-clipboard": "external", "escape-time": "500"})
    assert found.state == "note"
    for option in ("focus-events on", "set-clipboard on", "escape-time 10"):
        assert f"set -g {option}" in found.remedy
    assert tmux({"focus-events": "on", "set-clipboard": "on", "escape-time": "0"}).state == "ok"
