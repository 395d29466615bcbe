"""Every third of the quick attacks, and proof that each guard's fall is seen. ``make attack`` tries all of them."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.attack.broken import GUARDS, broken
from tests.attack.legible import unseen
from tests.attack.row import Harm
from tests.attack.rows import TABLE
from tests.attack.run import run
from tests.attack.terminal import SHAPES, left

SHARE = 24
"""Attacks of one test: few enough to be spread over the workers."""
QUICK = [row for row in TABLE if not row.slow]
SOME = QUICK[::3]
SHARES = [SOME[at : at + SHARE] for at in range(0, len(SOME), SHARE)]


@pytest.mark.parametrize("share", SHARES, ids=lambda share: f"{share[0].source}-{share[-1].source}")
def test_nothing_comes_of_an_attack(share: list) -> None:  # type: ignore[type-arg]
    report = run(share)
    assert report.held, "\n".join(report.lines())
    assert report.tried == len(share)


@pytest.mark.parametrize("name", GUARDS)
def test_a_guard_that_is_let_down_is_seen(name: str) -> None:
    guard = GUARDS[name]
    rows = [row for row in QUICK if any(words in str(row) for words in guard.attacks)]
    assert rows
    with broken(name):
        report = run(rows)
    assert not report.held
    if guard.harm is None:
        assert report.tried < len(rows), "a model that does nothing has tried nothing"
    else:
        assert report.count(guard.harm) > 0, "\n".join(report.lines())


@pytest.mark.parametrize("name", SHAPES)
def test_what_reaches_a_terminal_as_it_came_is_seen(name: str) -> None:
    shape = SHAPES[name]
    assert name == "markup" or unseen(shape)
    if "\ud800" not in shape:
        assert name == "markup" or unseen(left(f"\x1b[1mBefore {shape} after\x1b[0m".encode()))


@pytest.mark.parametrize(
    "text", ["naïve 日本 \n\t", "می\u200cخواهم", "👨\u200d👩\u200d👧 ☺\ufe0f 1\ufe0f\u20e3", "क्\u200dष"]
)
def test_what_a_script_or_an_emoji_needs_is_no_finding(text: str) -> None:
    assert unseen(text) == []


def test_each_count_has_a_guard_that_raises_it() -> None:
    assert {guard.harm for guard in GUARDS.values()} == {None, *Harm}


def test_there_are_many_attacks_of_each_source_and_no_name_is_taken_twice() -> None:
    assert len(TABLE) >= 120
    assert [name for name, count in Counter(map(str, TABLE)).items() if count > 1] == []
    assert min(Counter(row.source for row in TABLE).values()) >= 10
    assert all(row.tries and row.never for row in TABLE)
