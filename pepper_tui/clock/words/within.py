"""Finds the time inside a sentence ("call Ann every monday at 8").

Takes some milliseconds of CPU time: not for the event loop.
"""

from __future__ import annotations

import re
from itertools import islice
from typing import Final, NamedTuple

from pepper_tui.clock.words.parts import OverError, Unclear
from pepper_tui.clock.words.phrase import fitted
from pepper_tui.clock.words.text import languages, month_first, phrases

# "read 5 minutes" does not say when: beside other words, a length needs a word that makes it a time
_AHEAD: Final = re.compile(r"\b(?:in|after|within|from|later|hence|before|nach|ab|vor|später)\b", re.IGNORECASE)
_MOST_WORDS: Final = 16  # of a time, or of a place after it


class Within(NamedTuple):
    """The text before the time, the time, and the text after it."""

    before: str
    time: str
    after: str


def opening_time(sentence: str, locale: str) -> str:
    """Return the longest time that ``sentence`` begins with, even if it is all of it; an empty string if none."""
    words = [*islice(re.finditer(r"\S+", sentence), _MOST_WORDS)]
    found = _longest(sentence, words, locale, over=False)
    return found.time if found else ""


def leading_time(sentence: str, locale: str) -> Within | None:
    """Return the longest time that ``sentence`` begins with, even a past one, if something follows it."""
    words = [*islice(re.finditer(r"\S+", sentence), _MOST_WORDS + 1)]
    return _longest(sentence, words[:-1], locale)


def _longest(sentence: str, words: list[re.Match[str]], locale: str, *, over: bool = True) -> Within | None:
    """Return the longest time among ``words``, from the first on. ``over``: accept one that is always past."""
    reach = len(sentence)
    for last in range(len(words) - 1, -1, -1):
        if words[last].start() - words[0].start() > reach:
            continue  # no time extends that far
        found, reach = _cut(sentence, words, 0, last, locale, over=over)
        if found:
            return found
    return None


def trailing_time(sentence: str, locale: str, after: re.Pattern[str] | None = None) -> Within | None:
    """Return the longest time that ``sentence`` ends with; text matching ``after``, such as a place, may follow it."""
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
            found, _ = _cut(sentence, words, first, last, locale)
            if found:
                return found
    return None


def _cut(
    sentence: str, words: list[re.Match[str]], first: int, last: int, locale: str, *, over: bool = True
) -> tuple[Within | None, int]:
    """Return the sentence around a part of it that is a time, and how far a time starting there could reach."""
    start, end = words[first].start(), words[last].end()
    text = sentence[start:end].rstrip(" ,:;")
    whole, reach = _read(text, locale, over=over)
    return (Within(sentence[:start].strip(" ,"), text, sentence[end:].strip()) if whole else None), reach


def is_time(text: str, locale: str) -> bool:
    """Check whether the whole of ``text`` is a time, whatever it means, even a past one."""
    return _read(text, locale)[0]


def is_rhythm(text: str, locale: str) -> bool:
    """Check whether ``text`` is a repeating time."""
    return any(phrase.rhythm is not None for phrase in phrases(text, locale))


def _read(text: str, locale: str, *, over: bool = False) -> tuple[bool, int]:
    """Check whether ``text`` is a time, and how many of its characters could be the start of one.

    ``over``: accept one that is always past.
    """
    from pepper_tui.clock.words.grammar import LONGEST, grammar  # it loads a parser: only at the first phrase

    if len(text) > LONGEST:
        return False, LONGEST
    reach = 0
    for language in languages(locale):
        known = grammar(language)
        strange = next((word for word in re.finditer(r"\S+", text) if not known.knows(word[0])), None)
        if strange is not None:
            reach = max(reach, strange.start())
            continue
        whole, goes_on = known.may_be(text)
        if not whole:
            reach = max(reach, goes_on)
            continue
        try:
            if any(_fits(way, text, locale, over) for way in known.read(text)):
                return True, len(text)
            reach = len(text)
        except Unclear as unclear:
            reach = max(reach, len(text) if unclear.reach is None else unclear.reach)
    return False, reach


def _fits(way: tuple[object, ...], text: str, locale: str, over: bool) -> bool:
    try:
        phrase = fitted(way, month_first(locale))  # type: ignore[arg-type]
    except OverError:
        return over
    except Unclear:
        return False
    return phrase.span is None or phrase.day is not None or bool(_AHEAD.search(text))
