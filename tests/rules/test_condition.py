"""Whole words in a text: the quick look before the pattern says nothing else than the pattern."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from pepper_tui.rules.condition import says, whole_word

LETTERS = st.text("aAbB iİıſsKßk.\n\u00a0", max_size=12)


@given(LETTERS, LETTERS)
@example("A  B", "a b")
@example("a\tb", "a b")
@example("\u212a", "k")
def test_it_says_what_the_pattern_says(text: str, word: str) -> None:
    assert says(text, word) == (whole_word(word).search(text) is not None)
