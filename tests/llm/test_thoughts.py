"""A thought is the same however its text is cut into pieces."""

from __future__ import annotations

import itertools

from hypothesis import example, given
from hypothesis import strategies as st

from pepper_tui.llm.endpoint.reasoning import ThoughtFilter

WORDS = ["<think>", "</think>", "<thought>", "</thought>", "<thin", "<", " ", "\n", "a", "words", "ink>", "</thi"]


def shown(pieces: list[str]) -> str:
    thoughts = ThoughtFilter()
    return "".join([*map(thoughts.take, pieces), thoughts.rest()])


@given(st.lists(st.sampled_from(WORDS), max_size=12).map("".join), st.lists(st.integers(0, 60), max_size=6))
@example("<think>a</think>\nwords", [1, 9, 15])
def test_pieces_do_not_matter(text: str, cuts: list[int]) -> None:
    places = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    pieces = [text[start:end] for start, end in itertools.pairwise(places)]
    assert shown(pieces) == shown([text])


@given(st.text(max_size=40), st.text(min_size=1, max_size=40))
def test_what_is_thought_is_gone_and_the_rest_is_whole(thought: str, answer: str) -> None:
    answer = "x" + answer
    assert shown([f"<think>{thought}"]).strip() == "" or "</think>" in thought
    if "</think>" not in thought:
        assert shown([f"<think>{thought}</think>{answer}"]) == answer
