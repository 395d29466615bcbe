"""The screen in a real pty: what a terminal sends as bytes, pastes and Alt among them, acts only as it was meant."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.terminal import Terminal

CTRL_T, ALT_ENTER, CTRL_C = "\x14", "\x1b\r", "\x03"


class Seat:
    """A terminal, and the acts that reached the engine."""

    def __init__(self, terminal: Terminal, notes: Path) -> None:
        self.terminal, self._notes = terminal, notes

    def acts(self) -> list[list[object]]:
        noted = [json.loads(line) for line in self._notes.read_text(encoding="utf-8").splitlines()]
        return [act for act in noted if act[0] not in ("seen", "close")]

    def open_inbox(self) -> None:
        self.terminal.type(CTRL_T)
        self.terminal.wait_for("y approve")
        self.terminal.pump(0.7)  # a card that has just come under the keys takes none


@pytest.fixture
def seat(tmp_path: Path) -> Iterator[Seat]:
    notes = tmp_path / "acts"
    notes.touch()
    root = str(Path(__file__).parents[2])
    with Terminal([sys.executable, "-m", "tests.ui.fake_engine", str(notes)], {"PYTHONPATH": root}) as terminal:
        terminal.wait_for("F2 approve")
        yield Seat(terminal, notes)


def test_a_bracketed_paste_over_the_inbox_is_text(seat: Seat) -> None:
    seat.open_inbox()
    seat.terminal.type("\x1b[200~y\nn please\n\x1b[201~")
    seat.terminal.wait_for("│ n please")
    seat.terminal.pump(0.3)
    assert seat.acts() == []


@pytest.mark.parametrize("paste", ["yes please", "dz\r1h\r", "n\ry\r", "y\x1b[200~y\x1b[201~y", "\ry"])
def test_a_paste_that_comes_as_plain_keys_is_text_too(seat: Seat, paste: str) -> None:
    seat.open_inbox()
    seat.terminal.type(paste)
    seat.terminal.wait_for(lambda: "taken as a paste" in seat.terminal.text or "all at once" in seat.terminal.text)
    seat.terminal.pump(0.3)
    assert seat.acts() == []


def test_a_key_in_the_inbox_acts(seat: Seat) -> None:
    seat.open_inbox()
    seat.terminal.type("y")
    seat.terminal.wait_for("Approved")
    assert seat.acts() == [["approve", "a1"]]


def test_alt_enter_queues_and_approves_nothing_where_it_is_two_keys(seat: Seat) -> None:
    seat.terminal.type("later")
    seat.terminal.pump(0.1)
    seat.terminal.type(ALT_ENTER)
    seat.terminal.wait_for(lambda: bool(seat.acts()))
    seat.open_inbox()
    seat.terminal.type(ALT_ENTER)
    seat.terminal.pump(0.4)
    seat.terminal.type("\x1by")  # Alt+Y, and slowly
    seat.terminal.pump(0.4)
    assert seat.acts() == [["say", "later", True]]


def test_lines_sent_at_once_are_one_message(seat: Seat) -> None:
    seat.terminal.type("one\rtwo\r")
    seat.terminal.wait_for(lambda: bool(seat.acts()))
    seat.terminal.pump(0.3)
    assert seat.acts() == [["say", "one\ntwo", False]]


def test_ctrl_c_twice_ends_with_status_0(seat: Seat) -> None:
    seat.terminal.type(CTRL_C)
    seat.terminal.wait_for("again quits")
    seat.terminal.type(CTRL_C)
    assert os.waitstatus_to_exitcode(seat.terminal.wait_dead(10)) == 0
