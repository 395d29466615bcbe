"""Keys that come in one packet, as over a slow line: they move the selection and decide nothing."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from textual import events

from tests.terminal import Terminal
from tests.ui.seat import press, until
from tests.ui.seat import seat as seated

CTRL_T, DOWN, UP, END, HOME = "\x14", "\x1b[B", "\x1b[A", "\x1b[F", "\x1b[H"
SIZES = [(80, 24), (120, 40)]
ROWS = 7  # a card that wants a yes, and six notices


class Seat:
    """A terminal whose inbox has the keys, and what reached the engine."""

    def __init__(self, terminal: Terminal, notes: Path) -> None:
        self.terminal, self._notes = terminal, notes

    def acts(self) -> list[list[object]]:
        noted = [json.loads(line) for line in self._notes.read_text(encoding="utf-8").splitlines()]
        return [act for act in noted if act[0] not in ("seen", "close", "say")]

    def said(self) -> list[str]:
        noted = [json.loads(line) for line in self._notes.read_text(encoding="utf-8").splitlines()]
        return [str(act[1]) for act in noted if act[0] == "say"]

    @property
    def place(self) -> int:
        """The row of the inbox that is selected; -1 where it has not the keys."""
        chosen = re.search(r"▌ [^\w\s] .*?(Matter (\d)|alice)", self.terminal.text)
        if chosen is None:
            return -1
        return int(chosen[2]) + 1 if chosen[2] else 0

    def at(self, place: int) -> Callable[[], bool]:
        return lambda: self.place == place


@contextmanager
def sitting(folder: Path, size: tuple[int, int], *first: str) -> Iterator[Seat]:
    notes = folder / "acts"
    notes.touch()
    root = str(Path(__file__).parents[2])
    command = [sys.executable, "-m", "tests.ui.fake_engine", str(notes)]
    with Terminal(command, {"PYTHONPATH": root}, size) as terminal:
        terminal.wait_for("inbox 1")
        for words in first:
            terminal.type(words)
            terminal.pump(0.1)
            terminal.type("\r")
            terminal.pump(0.3)
        terminal.type(CTRL_T)
        terminal.wait_for("▌ ")
        terminal.pump(0.8)  # a card that has just come under the keys takes none
        yield Seat(terminal, notes)


MOVING = [
    ("jk", 0),
    ("jjj", 3),
    ("jjkj", 2),
    ("Gk", 5),
    ("Gg", 0),
    ("jjjjjjjjjj", 6),
    (DOWN * 3, 3),
    (f"j{DOWN}k{DOWN}", 2),
    (f"{END}{UP}j{HOME}jj", 2),
]
DECIDING = [
    ("jjd", 2),
    ("yy", 0),
    ("xx", 0),
    ("Gd", 6),
    ("dj", 1),
    (f"d{DOWN}", 1),
    (f"{DOWN}{DOWN}x", 2),
    *((f"j{key}", 1) for key in "ynNexdzuaA1234"),
    ("jjjjjjd", 6),
    ("ab", 0),
    *((f"j\x1b{key}", 1) for key in ("OQ", "OR", "OS", "[15~", "[17~", "[18~")),  # F2 to F7
    ("abandoning", 0),
    ("yesterdays", 0),
]
PIECES = [(("\x1b", "[B"), 0.0), (("\x1b[", "B"), 0.0), (("\x1b[", "B"), 0.4), (("k\x1b[", "Bk"), 0.4)]


@pytest.mark.parametrize("size", SIZES)
def test_a_burst_moves_and_decides_nothing_and_the_inbox_keeps_the_keys(tmp_path: Path, size: tuple[int, int]) -> None:
    with sitting(tmp_path, size, "cards!") as seat:
        for burst, place in (*MOVING, *DECIDING):
            seat.terminal.type("g")
            seat.terminal.wait_for(seat.at(0))
            seat.terminal.pump(0.1)  # what comes now is a burst of its own
            seat.terminal.type(burst)
            seat.terminal.wait_for(seat.at(place))
            seat.terminal.pump(0.2)
            assert (burst, seat.place, seat.acts()) == (burst, place, [])
            if (burst, place) in DECIDING:
                seat.terminal.wait_for("nothing was d")
        seat.terminal.type("G")
        seat.terminal.wait_for(seat.at(ROWS - 1))
        seat.terminal.pump(0.7)
        seat.terminal.type("d")
        seat.terminal.wait_for(lambda: bool(seat.acts()))
        assert [act[0] for act in seat.acts()] == ["dismiss"]
        assert seat.said() == ["cards!"]


def test_an_escape_sequence_in_two_packets_is_one_key(tmp_path: Path) -> None:
    with sitting(tmp_path, SIZES[1], "cards!") as seat:
        for pieces, pause in PIECES:
            seat.terminal.type("g")
            seat.terminal.wait_for(seat.at(0))
            seat.terminal.pump(0.1)
            for piece in pieces:
                seat.terminal.type(piece)
                seat.terminal.pump(pause)
            place = 0 if pieces[1].endswith("k") else 1
            seat.terminal.wait_for(seat.at(place))
        seat.terminal.type("jj")
        seat.terminal.type("\x1b[")
        seat.terminal.pump(0.4)
        seat.terminal.type("A")
        seat.terminal.wait_for(seat.at(1))
        seat.terminal.pump(0.3)
        assert seat.acts() == []  # a capital A of its own would propose a rule


@pytest.mark.parametrize("size", SIZES)
def test_a_burst_answers_no_question(tmp_path: Path, size: tuple[int, int]) -> None:
    with sitting(tmp_path, size, "cards!", "ask!") as seat:
        seat.terminal.wait_for("which time?")  # it may have come after the inbox had the keys
        seat.terminal.type("g")
        seat.terminal.wait_for("choose one")
        seat.terminal.pump(0.7)
        for burst in ("11", "12", "k1", "\r1", "4444", "1" + UP):
            seat.terminal.type(burst)
            seat.terminal.pump(0.4)
            assert (burst, seat.acts()) == (burst, [])
            if burst[0] == "\r":
                seat.terminal.type("\x1b")
                seat.terminal.pump(0.4)
        seat.terminal.type("g")
        seat.terminal.pump(0.7)
        seat.terminal.type("2")
        seat.terminal.wait_for(lambda: bool(seat.acts()))
        assert [act[0] for act in seat.acts()] == ["choose"]


@pytest.mark.parametrize("size", SIZES)
def test_a_burst_answers_no_prompt(tmp_path: Path, size: tuple[int, int]) -> None:
    with sitting(tmp_path, size) as seat:
        seat.terminal.type("z")
        seat.terminal.wait_for("Snooze until")
        for burst in ("1h\r", "\r\r", "\x1b[200~1h\r\x1b[201~", "\x1b[200~1h\x1b[201~\r"):
            seat.terminal.type(burst)
            seat.terminal.pump(0.4)
            assert (burst, seat.acts()) == (burst, [])
        seat.terminal.type("\r")
        seat.terminal.wait_for(lambda: bool(seat.acts()))
        assert [act[0] for act in seat.acts()] == ["snooze"]


async def test_a_burst_and_a_paste_choose_no_time(tmp_path: Path) -> None:
    """The choices of a prompt that are named by a number alone."""
    del tmp_path
    async with seated() as (app, pilot, _engine, _clock):
        chosen: list[str] = []
        app.asking.ask("Which time?", chosen.append, choices=["at 8", "at 9"], numbered=True)
        await until(lambda: bool(app.query("#prompt")), pilot)
        await pilot.pause(0.1)
        app.post_message(events.Paste("2"))
        await pilot.pause(0.1)
        for _ in range(2):
            app.post_message(events.Key("2", "2"))
        await pilot.pause(0.2)
        assert chosen == []
        await press(pilot, "2")
        await until(lambda: bool(chosen), pilot)
        assert chosen == ["at 9"]
