"""Whole words in a text: found wherever they stand, in any case, and as fast as letters are found."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pepper_tui.model import Facts
from pepper_tui.rules.condition import READ, Searched

LETTERS = st.text("aAbB iİıſsKßk#.\n\u00a0", max_size=12)


@given(LETTERS, LETTERS.filter(str.strip))
@example("A  B", "a b")
@example("a\tb", "a b")
@example("\u212a", "k")
@example("aa #a", "#A")
@example("a ab", "a")
def test_whole_words_in_any_case(text: str, word: str) -> None:
    spaced = r"\s+".join(re.escape(part) for part in word.casefold().split())
    plain = re.search(rf"(?<!\w){spaced}(?!\w)", f"\n{text}".casefold())
    assert Searched(Facts("mail", text=text)).holds(word) == (plain is not None)


@pytest.mark.parametrize("at", [0, 19_995, 60_000, READ - len("invoice")])
def test_a_word_at_the_end_of_a_long_mail_is_found(at: int) -> None:
    assert Searched(Facts("mail", text=f"{'x ' * (at // 2)}{' ' * (at % 2)}invoice")).holds("Invoice")


def test_an_empty_word_is_nowhere() -> None:
    assert not Searched(Facts("mail", text=" ")).holds(" ")
