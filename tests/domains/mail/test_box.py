"""The labelled box is large enough, the same each time, and holds for each label what only looks like it."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.domains.mail.box import FACTS, SIGNS, box


def test_the_box_is_large_and_the_same_for_a_seed() -> None:
    letters = box()
    assert len(letters) >= 300
    assert [each.source for each in letters] == [each.source for each in box()]
    assert [each.source for each in letters] != [each.source for each in box(2)]


@pytest.mark.parametrize("label", [*FACTS, *SIGNS])
def test_each_label_is_given_often_and_withheld_more_often(label: str) -> None:
    counts = Counter(label in each.facts | each.signs for each in box())
    assert 5 < counts[True] < counts[False]
