"""A grammar of time phrases, one per language: from text to everything it can mean.

An Earley parser finds every way to read a phrase; no word of the phrase is ever ignored. Of all readings, those with
the fewest parts are kept: "24 december 2026" is one date, and not a date at 20:26.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping
from functools import cache, cached_property
from importlib import resources
from itertools import product
from typing import Any, Final, NamedTuple, cast

import lark

from pepper_tui.clock.words import english, german
from pepper_tui.clock.words.building import Building, Impossible
from pepper_tui.clock.words.parts import Part, Unclear
from pepper_tui.clock.words.shape import Shape, Shapes
from pepper_tui.clock.words.zones import ZONES

LONGEST: Final = 100  # characters
_KEPT: Final = 256  # phrases whose parts are cached, and shapes whose trees are
_READINGS: Final = 64  # ways to read one part of a phrase
_MOST_TOKENS: Final = 26  # words, numbers and punctuation marks
_LIMIT: Final = re.compile(r"\b(?:before|after|since|until|till|from|than|vor|nach|seit|bis|als)\s+$", re.IGNORECASE)
_TOKEN: Final = re.compile(r"[^\W\d]+|\d+|[^\w\s]")
_LANGUAGES: Final[Mapping[str, Mapping[str, Mapping[str, Any]]]] = {"en": english.WORDS, "de": german.WORDS}
_FILES: Final = {"en": "english.lark", "de": "german.lark"}
_BREAKS_OFF: Final = -1
_NO_LETTER: Final = r"(?![^\W\d_])"
_SHARED: Final = r"""
_COMMA: /[,;]/
_DASH: /[-–—]/
_AT_SIGN: /@/
_AMPERSAND: /[&+]/
DIGITS: /\d{1,4}(?![\d:])/
DAY_NUMBER: /\d{1,2}(?!\d)/
DIGITS_MINUTE: /[0-5]\d(?![\d:])/
DECIMAL: /\d{1,6}[.,]\d+/
MILITARY: /[0-2]\d[0-5]\d(?!\d)/
ISO: /\d{4}[-\/.]\d{1,2}[-\/.]\d{1,2}(?!\d)/
SLASHED: /\d{1,2}\s?\/\s?\d{1,2}(?:\s?\/\s?\d{2,4})?(?![\d\/])|\d{1,2}-\d{1,2}-\d{4}(?!\d)/
YEAR: /(?:19|20|21)\d{2}(?!\d)/
SHORT_YEAR: /['’]\d{2}(?!\d)/
%ignore /\s+/
"""

_PROPER: Final = re.compile(r'"([^"]+)"')


class _Parsed(NamedTuple):
    """The parser's result for the first text of a shape; its tokens refer to that text's ``places``.

    ``stopped``: the index of the place where parsing stopped, -1 if more text should follow; ``None`` if there is a
    ``tree``.
    """

    places: tuple[int, ...]
    tree: Any = None
    stopped: int | None = None


class _Leaves:
    """The words of a text at the leaves of a tree that was parsed from another text of the same shape."""

    def __init__(self, text: str, parsed: _Parsed, shape: Shape) -> None:
        self._text, self._place = text, dict(zip(parsed.places, shape.places, strict=True))

    def word(self, token: lark.Token) -> str:
        return self._text[self._place[token.start_pos or 0] : self._place[token.end_pos or 0]]


class Grammar:
    """Everything that one language can say about time. ``language``: "en" or "de"."""

    def __init__(self, language: str) -> None:
        self._words = {**_LANGUAGES[language], "ZONE": ZONES}
        self._building = Building()
        self._parsing = threading.Lock()
        self._kept: dict[str, list[tuple[Part, ...]] | Unclear] = {}
        self._parsed: dict[Any, _Parsed] = {}
        self._source, self._quoted = _source(language, self._words)
        entries = [*self._quoted, *(entry for entries in self._words.values() for entry in entries)]
        self._known = {word.strip(".") for entry in entries for word in (*entry.split(), entry)}

    @cached_property
    def _parser(self) -> lark.Lark:
        """Build the parser, at the first phrase that needs it: takes some 0.2 s."""
        made = lark.Lark(
            self._source,
            parser="earley",
            lexer="dynamic",
            ambiguity="explicit",
            g_regex_flags=re.IGNORECASE,
            propagate_positions=False,
        )
        _predict_step_by_step(made)
        return made

    @cached_property
    def _shapes(self) -> Shapes:
        terminals = {one.name: re.compile(one.pattern.to_regexp(), re.IGNORECASE) for one in self._parser.terminals}
        letters = {name: {entry[0] for entry in entries} for name, entries in self._words.items()}
        letters |= {name: {word[0].lower()} for word, name in self._quoted.items()}
        rules = [(rule.origin.name, [part.name for part in rule.expansion]) for rule in self._parser.rules]
        return Shapes(terminals, letters, rules, "start", self._parser.ignore_tokens)

    def knows(self, word: str) -> bool:
        """Check quickly whether ``word`` can occur in a phrase at all, before a part of a sentence is tried."""
        plain = word.lower().strip(".,;:!?")
        return plain in self._known or any(c.isdigit() for c in plain) or not any(c.isalnum() for c in plain)

    def may_be(self, text: str) -> tuple[bool, int]:
        """Check whether ``text`` may be a phrase, and how many characters, at most, could be the start of one.

        Never returns ``False`` for a text that ``read`` accepts. Fast, for the many parts of a sentence that are no
        time.
        """
        shape = self._shapes.of(text)
        return shape.whole, shape.reach

    def read(self, text: str) -> list[tuple[Part, ...]]:
        """Return the parts of ``text``: each way to read it that has the fewest. Raises ``Unclear``.

        Results are cached: the parts do not depend on the time, and one rule reads the same phrase for many mails.
        """
        with self._parsing:
            found = self._kept.pop(text, None)
            if found is None:
                found = self._ways_or_why(text)
            self._kept[text] = found
            if len(self._kept) > _KEPT:
                del self._kept[next(iter(self._kept))]
        if isinstance(found, Unclear):
            raise Unclear(str(found), found.reach)
        return found

    def _ways_or_why(self, text: str) -> list[tuple[Part, ...]] | Unclear:
        try:
            return self._read(text)
        except Unclear as unclear:
            return unclear

    def _read(self, text: str) -> list[tuple[Part, ...]]:
        if len(text) > LONGEST or len(_TOKEN.findall(text)) > _MOST_TOKENS:
            raise Unclear("it is too long for a time")
        shape = self._shapes.of(text)
        parsed = self._parsed.pop(shape.key, None) or self._parse(text, shape)
        self._parsed[shape.key] = parsed
        if len(self._parsed) > _KEPT:
            del self._parsed[next(iter(self._parsed))]
        if parsed.stopped == _BREAKS_OFF:
            raise Unclear("it breaks off")
        if parsed.stopped is not None:
            at = shape.places[parsed.stopped]
            begins, word = _word_at(text, at)
            if limit := _LIMIT.search(text[:begins]):
                raise Unclear(f"“{limit[0].strip()} {word}” sets a limit and names no time", at)
            raise Unclear(f"“{word}” is not read in it", at)
        why: list[str] = []
        found: list[tuple[Part, ...]] = self._ways(parsed.tree, why, {}, _Leaves(text, parsed, shape))
        if not found:
            raise Unclear(why[0] if why else "no such time")
        fewest = min(map(len, found))
        return [parts for parts in found if len(parts) == fewest]

    def _parse(self, text: str, shape: Shape) -> _Parsed:
        try:
            return _Parsed(shape.places, self._parser.parse(text))
        except lark.exceptions.UnexpectedCharacters as error:
            return _Parsed(shape.places, stopped=shape.places.index(error.pos_in_stream or 0))
        except lark.exceptions.UnexpectedEOF:
            return _Parsed(shape.places, stopped=_BREAKS_OFF)

    def _ways(self, tree: Any, why: list[str], known: dict[int, list[Any]], leaves: _Leaves) -> list[Any]:
        """Return each value of a tree of readings; impossible ones are left out, with the reason added to ``why``."""
        if isinstance(tree, lark.Token):
            return [self._value(tree.type, leaves.word(tree))]
        if id(tree) in known:
            return known[id(tree)]
        found: dict[Any, None] = {}
        if tree.data == "_ambig":
            for each in tree.children:
                found |= dict.fromkeys(self._ways(each, why, known, leaves))
        else:
            build: Callable[..., Any] = getattr(self._building, str(tree.data))
            for children in product(*[self._ways(child, why, known, leaves) for child in tree.children]):
                try:
                    found[build(*children)] = None
                except Impossible as error:
                    why.append(str(error))
        if len(found) > _READINGS:
            raise Unclear("it can be read in too many ways")
        known[id(tree)] = [*found]
        return known[id(tree)]

    def _value(self, terminal: str, said: str) -> Any:
        known = self._words.get(terminal)
        if known is not None:
            plain = " ".join(said.lower().split())
            return known[plain] if plain in known else known[plain.rstrip(".")]
        return said


def _predict_step_by_step(made: lark.Lark) -> None:
    """Let a predicted symbol add only its own rules; their first symbols are predicted in turn.

    lark adds all rules that can follow from a symbol, for each item that expects it: the same parse in 2.5 times the
    time.
    """
    own: dict[Any, list[Any]] = {}
    for rule in made.rules:
        own.setdefault(rule.origin, []).append(rule)
    cast(Any, made.parser).parser.predictions.update(own)


@cache
def grammar(language: str) -> Grammar:
    """Return the grammar of a language."""
    return Grammar(language)


def _source(language: str, words: Mapping[str, Mapping[str, Any]]) -> tuple[str, dict[str, str]]:
    """Return the grammar's text, and the names of its quoted words.

    The vocabulary becomes terminals, and each quoted word becomes one of its own.
    """
    text = resources.files(__package__).joinpath(_FILES[language]).read_text(encoding="utf-8")
    quoted: dict[str, str] = {}

    def named(found: re.Match[str]) -> str:
        return quoted.setdefault(found[1], f"_Q{len(quoted)}")

    rules = "\n".join(_PROPER.sub(named, line) for line in text.splitlines() if not line.lstrip().startswith("//"))
    own = [f"{name}: {_alternatives([word])}" for word, name in quoted.items()]
    vocabulary = [f"{name}: {_alternatives(entries)}" for name, entries in words.items() if name in rules]
    return "\n".join((rules, _SHARED, *own, *vocabulary)), quoted


def _alternatives(words: Any) -> str:
    longest_first = sorted(words, key=lambda word: (-len(word), word))
    said = "|".join(re.escape(word).replace(r"\ ", r"\s+").replace("/", r"\/") for word in longest_first)
    return rf"/(?:{said}){_NO_LETTER}\.?/" if all(len(w) > 1 for w in words) else rf"/(?:{said}){_NO_LETTER}/"


def _word_at(text: str, position: int) -> tuple[int, str]:
    """Return the word at a position, or the rest of it, and where it starts."""
    start = position
    while start > 0 and text[start - 1].isalnum():
        start -= 1
    found = re.compile(r"\w[\w'’.:-]*|\S+").search(text, start)
    return (found.start(), found[0]) if found else (start, text[start : start + 20])
