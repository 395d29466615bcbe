"""How a signal's line, and a notice made of one, stand in the lists and in their details."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pepper_tui.model import Gist, Json, Namespace, Priority, Related, Signal
from pepper_tui.ui.screen.ink import Ink, Pen, due_words
from pepper_tui.ui.screen.lists.rows import signal_details, signal_row
from pepper_tui.ui.shared.names import signal_subject, subject_of
from tests.ui.fake_engine import T0, note
from tests.ui.test_matters import board_of

DUE = datetime(2026, 12, 4, 23, 59, 59, tzinfo=UTC).timestamp()
NOW = datetime(2026, 11, 28, 17, 45, tzinfo=UTC).timestamp()
ALICE: Json = {"sender": "alice@example.com", "sender_name": "Alice", "subject": "Re: Phoenix"}
ASKED = Gist("Alice <alice@example.com>", "Could you send the budget?", "Phoenix", DUE, True, due_said="by Friday",
             related=[Related("note:n1", "note “Phoenix [b]numbers[/b]”")])  # fmt: skip
BY_MODEL = Gist("Alice", "asks for the budget", "Phoenix", DUE, True, by="gpt")


def signal(gist: Gist | None, **facts: object) -> Signal:
    content = gist.line(UTC, NOW) if gist else "Alice <alice@example.com>: Re: Phoenix — Hello"
    return Signal("s1", content, NOW, Priority.NORMAL, "mail", "addressed to you", "m", {**ALICE, **facts}, gist=gist)


@pytest.mark.parametrize(
    ("gist", "said"),
    [
        (ASKED, "asks: “Could you send the budget?” (“Phoenix”)"),
        (BY_MODEL, "asks for the budget (“Phoenix”)"),
        (Gist("Alice", "Send it by Friday.", "Phoenix", DUE, True), "“Send it by Friday.” (“Phoenix”)"),
        (Gist("Alice", about="Phoenix"), "Re: Phoenix"),
        (None, "Re: Phoenix"),
    ],
)
def test_a_row_says_who_and_what_they_ask(gist: Gist | None, said: str) -> None:
    assert signal_subject(signal(gist)) == said
    [row] = signal_row(signal(gist), NOW).draw(Pen(Ink.of({}), 120, UTC, NOW))
    assert row.plain.startswith(f"● Alice              {said}")
    assert row.plain.count("Alice") == 1
    assert row.plain.endswith("due Fri  now" if gist and gist.due else "  now")


@pytest.mark.parametrize("width", [46, 60, 76, 120])
def test_until_when_is_never_cut_off(width: int) -> None:
    [row] = signal_row(signal(ASKED), NOW).draw(Pen(Ink.of({}), width, UTC, NOW))
    assert row.cell_len == width
    assert row.plain.endswith(" due Fri  now")


@pytest.mark.parametrize(
    ("at", "whole_day", "said"),
    [
        (datetime(2026, 11, 28, 20, tzinfo=UTC), False, "20:00"),
        (datetime(2026, 11, 28, 23, 59, tzinfo=UTC), True, "today"),
        (datetime(2026, 11, 29, 8, tzinfo=UTC), False, "Sun"),
        (datetime(2026, 12, 4, 8, tzinfo=UTC), False, "Fri"),
        (datetime(2026, 12, 5, 8, tzinfo=UTC), False, "5 Dec"),
        (datetime(2026, 11, 27, 8, tzinfo=UTC), False, "27 Nov"),
        (datetime(2027, 1, 5, 8, tzinfo=UTC), False, "5 Jan"),
        (datetime(2027, 12, 5, 8, tzinfo=UTC), False, "Dec 2027"),
    ],
)
def test_a_time_to_come_is_short(at: datetime, whole_day: bool, said: str) -> None:
    assert due_words(at.timestamp(), whole_day, NOW, UTC) == said


def test_what_is_over_is_loud_and_drawn_anew_when_it_is() -> None:
    ink = Ink.of({"error": "#ff0000"})
    early, late = (signal_row(signal(ASKED), now) for now in (NOW, DUE + 60))
    for row, now, loud in ((early, NOW, False), (late, DUE + 60, True)):
        [line] = row.draw(Pen(ink, 100, UTC, now))
        loudly = [line.plain[span.start : span.end] for span in line.spans if span.style == ink.urgent]
        assert any(words.startswith("due ") for words in loudly) is loud
    assert early.key != late.key


def test_its_details_say_where_the_time_is_from_and_what_is_related() -> None:
    pen = Pen(Ink.of({}), 100, UTC, NOW)
    told = [line.plain for line in signal_details(signal(ASKED), pen)]
    assert "due        Fri 4 Dec (read from “by Friday”)" in told
    assert "related    note “Phoenix [b]numbers[/b]”" in told
    assert not any(line.startswith("words of") for line in told)
    assert "words of   gpt" in [line.plain for line in signal_details(signal(BY_MODEL), pen)]


@pytest.mark.parametrize(
    ("title", "more", "said"),
    [
        (ASKED.line(UTC, NOW), {}, "asks: “Could you send the budget?” (“Phoenix”), due Fri 4 Dec"),
        (BY_MODEL.line(UTC, NOW), {}, "asks for the budget (“Phoenix”), due Fri 4 Dec"),
        ("Alice needs the budget today", {}, "needs the budget today"),
        ("Alicea needs it", {}, "Alicea needs it"),
        ("Alice <alice@example.com>: Phoenix — Hello", {}, "Re: Phoenix"),
        ("Alice: Re: Phoenix", {}, "Re: Phoenix"),
        ("Alice", {}, "Re: Phoenix"),
        ("", {}, "Re: Phoenix"),
        ("Alice: Phoenix", {"subject": ""}, "Phoenix"),
    ],
)
def test_the_inbox_says_what_a_notice_says_beside_its_name(title: str, more: Json, said: str) -> None:
    facts = {"who": "Alice", "sender": "alice@example.com", "subject": "Re: Phoenix", **more}
    board = board_of((Namespace.NOTIFICATION, note("n1", title, created_at=T0, **facts)))
    [item] = board.inbox(T0)
    assert subject_of(item) == said
