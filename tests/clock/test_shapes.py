"""A phrase is parsed once a shape, and what can be no phrase not at all: neither may change what is read."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pepper_tui.clock.words import deadline_in, opening_time
from pepper_tui.clock.words.grammar import Grammar, grammar
from pepper_tui.clock.words.parts import Unclear
from tests.clock.test_deadlines import NOW, ZONE

TABLE = Path(__file__).with_name("phrases.jsonl")
CORPUS = Path(__file__).with_name("corpora") / "development.jsonl"
ODD = ["the", "by", "way", "we", "before", "so", "1", "31", "9:30", "4.12.", "2027", ",", ".", "at", "x"]


def texts(path: Path) -> list[str]:
    return sorted({json.loads(line)["text"] for line in path.read_text(encoding="utf-8").splitlines()})


PHRASES = [*texts(TABLE), *texts(CORPUS)]
WORDS = sorted({word for text in PHRASES for word in text.split()} | {*ODD})


def said(known: Grammar, text: str) -> object:
    """The parts of ``text``, or why there are none and how far it goes on."""
    try:
        return known.read(text)
    except Unclear as unclear:
        return str(unclear), unclear.reach


def forget(known: Grammar) -> None:
    known._kept.clear()
    known._parsed.clear()


@pytest.mark.parametrize(
    ("first", "second", "shapes"),
    [
        ("friday at 11:45", "Monday at 12:30", 1),
        ("13 december 2030", "16 July 2031", 1),
        ("tomorrow at 16:30 cet", "TODAY at 17:45 utc", 1),
        ("friday so mon", "friday so tue", 1),  # of what is refused, too: each in its own words
        ("last friday of the", "last sunday of the", 1),
        ("friday at 11:45", "friday at 1145", 2),
        ("easter monday", "easter friday", 2),
    ],
)
def test_one_tree_serves_all_texts_of_its_shape(first: str, second: str, shapes: int) -> None:
    known = grammar("en")
    forget(known)
    fresh = said(known, second)
    forget(known)
    said(known, first)
    assert said(known, second) == fresh
    assert len(known._parsed) == shapes


@pytest.mark.parametrize("language", ["en", "de"])
def test_what_was_read_before_changes_no_reading(language: str) -> None:
    """Each phrase by a tree of its shape's first text, and by a tree of its own."""
    known, chance = grammar(language), random.Random(7)
    forget(known)
    some = [text for text in chance.sample(PHRASES, 400) if known.may_be(text)[0]]
    shapes: dict[object, list[str]] = {}
    for text in some:
        shapes.setdefault(known._shapes.of(text).key, []).append(text)
    shared = [texts for texts in shapes.values() if len(texts) > 1][:12]
    assert len(shared) > 5
    for first, *others in shared:
        for text in others[:3]:
            forget(known)
            said(known, first)
            found = said(known, text)
            forget(known)
            assert said(known, text) == found


def is_read(known: Grammar, text: str) -> bool:
    return isinstance(said(known, text), list)


@pytest.mark.parametrize("language", ["en", "de"])
def test_no_phrase_of_the_tables_is_passed_over(language: str) -> None:
    known = grammar(language)
    passed_over = [text for text in PHRASES if not known.may_be(text)[0]]
    assert [text for text in random.Random(3).sample(passed_over, 200) if is_read(known, text)] == []


@settings(deadline=None, max_examples=60)
@given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=5).map(" ".join), st.sampled_from(["en", "de"]))
def test_what_can_be_no_phrase_is_none(text: str, language: str) -> None:
    known = grammar(language)
    may_be, reach = known.may_be(text)
    found = said(known, text)
    if not may_be:
        assert isinstance(found, tuple), text
        assert found[1] is None or found[1] <= reach or reach == len(text), (found, reach)


@settings(deadline=None, max_examples=60)
@given(
    st.sampled_from(PHRASES),
    st.sampled_from(["by", "until", "before", "due on", "no later than", "bis", "spätestens am", "vor"]),
    st.sampled_from(["", ". Thanks", " please", ", or so we think"]),
)
def test_no_deadline_is_passed_over(phrase: str, cue: str, behind: str) -> None:
    text = f"Send it {cue} {phrase}{behind}"
    found = deadline_in(text, NOW, ZONE)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Grammar, "may_be", lambda self, text: (True, len(text)))
        assert deadline_in(text, NOW, ZONE) == found


@settings(deadline=None, max_examples=30)
@given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=4).map(" ".join))
def test_the_time_that_opens_a_sentence_is_as_long_without_the_quick_look(sentence: str) -> None:
    found = opening_time(sentence, "en")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Grammar, "may_be", lambda self, text: (True, len(text)))
        assert opening_time(sentence, "en") == found
