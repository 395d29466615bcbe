"""The shape of a phrase: which terminals of a grammar match where, without its actual words.

All the parser needs to know about a text is which of the possible next terminals match at a place, and how far. So two
texts of one shape ("friday at 8:15", "Monday at 11:45") have the same tree with other words at its leaves: each shape
is parsed once. And if no chain of terminals, each allowed after the one before, leads to the end of a text, it is no
phrase: it need not be parsed at all.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import reduce
from itertools import pairwise
from operator import or_
from typing import NamedTuple

_Rules = Iterable[tuple[str, Sequence[str]]]
"""The name of each grammar rule, with the rules and terminals it consists of; none is empty."""


class Shape(NamedTuple):
    """``key`` is equal for all texts of the shape; ``places`` are where a word may begin or end in this text.

    ``whole``: false if the text can't be a phrase. ``reach``: how many of its characters may be the start of one.
    """

    key: tuple[tuple[tuple[int, int], ...], ...]
    places: tuple[int, ...]
    whole: bool
    reach: int


class Shapes:
    """Determines shapes with the terminals of one grammar. A set of terminals is an integer, one bit for each."""

    def __init__(
        self,
        terminals: Mapping[str, re.Pattern[str]],
        letters: Mapping[str, Collection[str]],
        rules: _Rules,
        start: str,
        ignored: Collection[str],
    ) -> None:
        """Build the tables.

        ``letters``: the first letters of a terminal, in lower case; a terminal without any is tried everywhere.
        """
        bits = {name: 1 << number for number, name in enumerate(terminals)}
        rules = [*rules]
        first, last = _ends(rules, bits, 0), _ends(rules, bits, -1)
        follow = dict.fromkeys(terminals, 0)
        for _, parts in rules:
            for before, after in pairwise(parts):
                for name, bit in bits.items():
                    if last[before] & bit:
                        follow[name] |= first[after]
        self._first, self._last = first[start], last[start]
        self._follow = [follow[name] for name in terminals]
        self._ignored = reduce(or_, (bits[name] for name in ignored), 0)
        self._all = [(n, 1 << n, pattern) for n, pattern in enumerate(terminals.values())]
        by_name = [*zip(terminals, self._all, strict=True)]
        self._others = [one for name, one in by_name if name not in letters]
        self._beginning = {
            letter: [one for name, one in by_name if name not in letters or letter in letters[name]]
            for letter in {letter for some in letters.values() for letter in some}
        }

    def of(self, text: str) -> Shape:
        """Return the shape of ``text``."""
        may_come = {0: self._first}  # by place; in text order, as a terminal never matches the empty string
        edges: dict[int, list[tuple[int, int]]] = {len(text): []}
        whole = False
        for place in range(len(text)):
            if place not in may_come:
                continue
            edges[place] = []
            wanted = may_come[place] | self._ignored
            for number, bit, pattern in self._may_begin(text[place]):
                if not wanted & bit or (found := pattern.match(text, place)) is None:
                    continue
                end = found.end()
                edges[place].append((number, end))
                passed = may_come[place] if bit & self._ignored else self._follow[number]
                may_come[end] = may_come.get(end, 0) | passed
                whole |= end == len(text) and bool(bit & (self._last | self._ignored))
        places = tuple(sorted(edges))
        rank = {place: number for number, place in enumerate(places)}
        key = tuple(tuple((number, rank[end]) for number, end in edges[place]) for place in places)
        return Shape(key, places, whole, max(may_come))

    def _may_begin(self, sign: str) -> Iterable[tuple[int, int, re.Pattern[str]]]:
        if not sign.isascii():  # it may be a letter in another case
            return self._all
        return self._beginning.get(sign.lower(), self._others)


def _ends(rules: Iterable[tuple[str, Sequence[str]]], bits: Mapping[str, int], end: int) -> dict[str, int]:
    """Return the terminals that each rule or terminal can begin (``end`` 0) or end (-1) with."""
    found, grows = dict(bits), True
    while grows:
        grows = False
        for name, parts in rules:
            before = found.get(name, 0)
            found[name] = before | found.get(parts[end], 0)
            grows |= found[name] != before
    return found
