"""Origins: who wrote which characters of a text that the user submitted.

Only what was typed in Pepper's own fields has authority. Everything else is marked by spans, and a text whose origin
nobody noted has no typed character at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Any, NamedTuple


class Origin(StrEnum):
    """Where characters come from."""

    TYPED = "typed"
    PASTED = "pasted"
    PIPED = "piped"
    ARGUMENT = "argument"
    EDITOR = "editor"
    FILE = "file"
    OUTSIDE = "outside"
    """Nobody noted it: records from before spans existed, and origins of a newer version."""


class Span(NamedTuple):
    """Characters from ``start`` up to ``end`` that were not typed."""

    start: int
    end: int
    origin: Origin

    @classmethod
    def of(cls, values: Sequence[Any]) -> Span:
        start, end, origin = values
        known = Origin(origin) if origin in Origin.__members__.values() else Origin.OUTSIDE
        return cls(int(start), int(end), known)


def whole(text: str, origin: Origin) -> list[Span]:
    """Return the spans of a text that has a single origin."""
    return [Span(0, len(text), origin)] if text and origin is not Origin.TYPED else []


class Written(NamedTuple):
    """A text and its spans that were not typed, ordered and without overlap."""

    text: str
    spans: tuple[Span, ...] = ()

    @classmethod
    def by(cls, text: str, origin: Origin) -> Written:
        return cls(text, tuple(whole(text, origin)))

    def replaced(self, start: int, end: int, text: str, origin: Origin) -> Written:
        """Return a copy with ``text`` of ``origin`` in place of the characters from ``start`` to ``end``."""
        grown = len(text) - (end - start)
        spans = [Span(a, min(b, start), o) for a, b, o in self.spans if a < start]
        spans += [Span(start, start + len(text), origin)] if text and origin is not Origin.TYPED else []
        spans += [Span(max(a, end) + grown, b + grown, o) for a, b, o in self.spans if b > end]
        return Written(self.text[:start] + text + self.text[end:], _joined(spans))

    def marked(self, start: int, end: int, origin: Origin) -> Written:
        """Return a copy in which the characters from ``start`` to ``end`` are of ``origin``."""
        return self.replaced(start, end, self.text[start:end], origin)

    def stripped(self) -> Written:
        """Return a copy without white space at both ends."""
        bare = self.text.rstrip()
        kept = self.replaced(len(bare), len(self.text), "", Origin.TYPED)
        return kept.replaced(0, len(bare) - len(bare.lstrip()), "", Origin.TYPED)

    def then(self, other: Written) -> Written:
        """Return a copy with ``other`` appended."""
        at = len(self.text)
        spans = [*self.spans, *(Span(a + at, b + at, o) for a, b, o in other.spans)]
        return Written(self.text + other.text, _joined(spans))

    def parts(self) -> Iterable[tuple[str, Origin]]:
        """Yield its text in order, each piece with its origin."""
        at = 0
        for start, end, origin in self.spans:
            if at < start:
                yield self.text[at:start], Origin.TYPED
            yield self.text[start:end], origin
            at = end
        if at < len(self.text):
            yield self.text[at:], Origin.TYPED

    def typed(self) -> list[str]:
        """Return the typed pieces, without each word that touches untyped text: part of that word is not the user's."""
        pieces = []
        given = list(self.parts())
        for number, (piece, origin) in enumerate(given):
            if origin is Origin.TYPED:
                after = _less_first_word(piece) if number > 0 else piece
                pieces.append(_less_last_word(after) if number + 1 < len(given) else after)
        return [piece for piece in pieces if piece.strip()]


def _less_first_word(text: str) -> str:
    """Return ``text`` from its first white space on."""
    word = re.match(r"\S*", text)
    return text[word.end() :] if word else text


def _less_last_word(text: str) -> str:
    """Return ``text`` up to its last white space."""
    return _less_first_word(text[::-1])[::-1]


def _joined(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Merge neighbouring spans of one origin, and drop empty ones."""
    found: list[Span] = []
    for span in spans:
        if span.start >= span.end:
            continue
        if found and found[-1].end == span.start and found[-1].origin is span.origin:
            found[-1] = Span(found[-1].start, span.end, span.origin)
        else:
            found.append(span)
    return tuple(found)
