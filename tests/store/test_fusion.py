"""Two rankings become one: what that must mean, whatever they are."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pepper_tui.store.search.fusion import fuse

rankings = st.lists(st.integers(1, 40), unique=True, max_size=20)


@given(rankings, rankings, st.integers(0, 30), st.integers(0, 20))
def test_the_fused_ranking(text: list[int], meaning: list[int], limit: int, strict: int) -> None:
    loose = set(text[strict:])
    fused = fuse(text, meaning, limit, loose)
    seqs = [seq for seq, _, _ in fused]
    assert len(set(seqs)) == len(seqs) == min(limit, len({*text, *meaning}))
    assert {*seqs} <= {*text, *meaning}
    for seq, _, found in fused:
        assert found == ("both" if seq in text and seq in meaning else "text" if seq in text else "meaning")
    assert [score for _, score, _ in fused] == sorted((score for _, score, _ in fused), reverse=True)
    if limit and text and meaning and text[0] == meaning[0]:
        assert seqs[0] == text[0]
    assert fuse(text, meaning, limit, loose) == fused
    assert fuse(text, meaning, 100, loose)[:limit] == fused


@given(rankings, rankings, st.integers(1, 40), st.integers(1, 40))
def test_what_is_before_another_in_both_is_before_it(text: list[int], meaning: list[int], a: int, b: int) -> None:
    def before(ranking: list[int]) -> bool:
        return a in ranking and (b not in ranking or ranking.index(a) < ranking.index(b))

    if before(text) and before(meaning):
        seqs = [seq for seq, _, _ in fuse(text, meaning, 100)]
        assert b not in seqs or seqs.index(a) < seqs.index(b)


@given(rankings)
def test_one_ranking_alone_stays_as_it_is(ranking: list[int]) -> None:
    assert [seq for seq, _, _ in fuse(ranking, [], 100)] == ranking
    assert [seq for seq, _, _ in fuse([], ranking, 100)] == ranking


def test_some_of_the_words_weigh_less_than_the_meaning() -> None:
    assert [seq for seq, _, _ in fuse([1, 2], [3], 3, loose={2})] == [1, 3, 2]
    assert [seq for seq, _, _ in fuse([2], [3], 2, loose={2})] == [3, 2]
    assert [seq for seq, _, _ in fuse([2], [3], 2)] == [2, 3]
