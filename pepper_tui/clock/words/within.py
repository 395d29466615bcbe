"""The time inside a sentence ("call Ann every monday at 8"): which of its words are one.

Some milliseconds of CPU time: not for the event loop.
"""

from __future__ import annotations

import re
from contextlib import suppress
from itertools import islice
from typing import Final, NamedTuple

from pepper_tui.clock.words.parts import Unclear
from pepper_tui.clock.words.phrase import fitted
from pepper_tui.clock.words.text import languages, month_first

# "read 5 minutes" does not say when: beside other words a length needs a word that makes a time of it
_AHEAD: Final = re.compile(r"\b(?:in|after|within|from|later|hence|before|nach|ab|vor|später)\b", re.IGNORECASE)
_MOST_WORDS: Final = 16  # of a time, or of a place behind it


class Within(NamedTuple):
    """What stands before the time, the time, and what stands after it."""

    before: str
    time: str
    after: str


def leading_time(sentence: str, locale: str) -> Within | None:
    """The longest time that ``sentence`` begins with, if something follows it."""
    words = [*islice(re.finditer(r"\S+", sentence), _MOST_WORDS + 1)]
    return next(
        (each for last in range(len(words) - 2, -1, -1) if (each := _cut(sentence, words, 0, last, locale))), None
    )


def trailing_time(sentence: str, locale: str, after: re.Pattern[str] | None = None) -> Within | None:
    """The longest time that ``sentence`` ends with; what matches ``after`` may follow it, a place for example."""
    words = [*re.finditer(r"\S+", sentence)]
    ends = [len(words) - 1]
    if after is not None:
        ends += [
            i
            for i in range(max(0, len(words) - _MOST_WORDS), len(words) - 1)
            if after.fullmatch(sentence[words[i].end() :].strip())
        ]
    for last in sorted(ends, reverse=True):
        for first in range(max(1, last + 1 - _MOST_WORDS), last + 1):
            if found := _cut(sentence, words, first, last, locale):
                return found
    return None


def _cut(sentence: str, words: list[re.Match[str]], first: int, last: int, locale: str) -> Within | None:
    start, end = words[first].start(), words[last].end()
    text = sentence[start:end].rstrip(" ,:;")
    if is_time(text, locale):
        return Within(sentence[:start].strip(" ,"), text, sentence[end:].strip())
    return None


def is_time(text: str, locale: str) -> bool:
    """Whether the whole of ``text`` is a time, whatever it means and whether it is past."""
    from pepper_tui.clock.words.grammar import LONGEST, grammar  # with a parser: loaded at the first phrase

    if len(text) > LONGEST:
        return False
    for language in languages(locale):
        known = grammar(language)
        if not all(map(known.knows, text.split())):
            continue
        with suppress(Unclear):
            if any(_fits(way, text, locale) for way in known.read(text)):
                return True
    return False


def _fits(way: tuple[object, ...], text: str, locale: str) -> bool:
    try:
        phrase = fitted(way, month_first(locale))  # type: ignore[arg-type]
    except Unclear:
        return False
    return phrase.span is None or phrase.day is not None or bool(_AHEAD.search(text))
