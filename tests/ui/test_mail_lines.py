"""What is folded of a mail that is read, and what never is."""

from __future__ import annotations

from datetime import UTC

import pytest

from pepper_tui.ui.screen.ink import Ink, Pen
from pepper_tui.ui.screen.mail.mail_lines import SHOWN, Looks, body_lines, size_words

PEN = Pen(Ink.of({}), 60, UTC, 0.0)
OLD = "> one\n> two\n>\n> three\n> four"


def said(text: str, looks: Looks | None = None) -> str:
    looks = looks or Looks()
    return "\n".join(line.plain for line in body_lines(text, PEN, looks, ("t", "h")))


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        (f"Yes.\n\n{OLD}", 5),
        (f"Yes.\n\nOn Mon, 4 Jan 2027, Bob wrote:\n{OLD}", 6),
        (f"Yes.\n\nAm 04.01.2027 um 09:12 schrieb Bob:\n{OLD}\n\nNo.", 6),
        ("Yes.\n\n-----Original Message-----\nFrom: Bob\nTo: Sam\nSubject: x\n\nold words", 6),
        (f"{OLD}\n\nMine comes below.\n\n{OLD}", 5),
        ("> a\n\n> b\n> c\n> d\nMine.", 5),
    ],
)
def test_old_words_are_folded_and_shown_on_the_key(text: str, folded: int) -> None:
    short = said(text)
    assert f"│ {folded} quoted lines · t shows them" in short
    assert all(word in short for word in ("Yes.", "Mine", "No.") if word in text)
    assert not any(word in short for word in ("three", "old words", "│ b"))
    assert all(word in said(text, Looks(quotes=True)) for word in ("three", "old words") if word in text)


@pytest.mark.parametrize(
    "text", ["On it.", "a > b", "On Monday we met and Bob wrote: fine", "> only\n> three\n> lines"]
)
def test_nothing_else_is_folded(text: str) -> None:
    assert "quoted lines" not in said(text)
    assert text.splitlines()[-1].removeprefix("> ") in said(text)


def test_a_long_text_says_how_much_is_left_and_the_key_shows_it() -> None:
    text = "x\n" * SHOWN
    assert f"… {len(text) - SHOWN:,} more characters · h shows all" in said(text)
    assert "more characters" not in said(text, Looks(all=True))


def test_an_empty_mail_says_so() -> None:
    assert said(" \n") == "(no text)"


@pytest.mark.parametrize(
    ("size", "words"),
    [(0, "0 bytes"), (999, "999 bytes"), (1000, "1 kB"), (1_200_000, "1.2 MB"), (None, "size unknown")],
)
def test_sizes_are_told_for_people(size: object, words: str) -> None:
    assert size_words(size) == words
