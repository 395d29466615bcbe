"""Reading and writing queries: ``from:dana rent OR lease -is:unread after:"last week"``.

Words side by side must all match. ``OR`` joins its two neighbours, as at Gmail: ``a b OR c`` is ``a (b OR c)``. ``-``
or ``NOT`` excludes what follows; ``subject:(rent lease)`` applies a key to several words. A key that there is not is an
error; words with a colon are written in quotes.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final, NoReturn

from pepper_tui.domains.mail.search.query import (
    KEYS,
    PARTS,
    STATES,
    All,
    Key,
    MailQuery,
    Node,
    Not,
    QueryError,
    Some,
    Term,
    all_of,
    negated,
    some_of,
)
from pepper_tui.text import one_line

LONGEST: Final = 4_000
DEEPEST: Final = 20
MOST_TERMS: Final = 100
HELP: Final = (
    "from: to: cc: subject: before: after: on: until: has:attachment "
    'is:unread|read|answered|flagged in:FOLDER account:ID "exact words" -word OR ( )'
)
_OTHER_NAMES: Final[Mapping[str, Key]] = {
    "sender": "from", "since": "after", "newer": "after", "older": "before", "label": "in", "folder": "in",
}  # fmt: skip
_OTHER_VALUES: Final[Mapping[Key, Mapping[str, str]]] = {
    "is": {"unseen": "unread", "seen": "read", "replied": "answered", "starred": "flagged"},
    "has": {"attachments": "attachment"},
}
_CHOICES: Final[Mapping[Key, tuple[str, ...]]] = {"is": STATES, "has": PARTS}
_KEY: Final = re.compile(r"([A-Za-z][A-Za-z_-]*):(?!//)")
_QUOTED: Final = re.compile(r'"((?:[^"\\]|\\.)*)"|[“„]([^“”„]*)[“”]', re.DOTALL)
_WORD: Final = re.compile(r'[^\s()"“”„]+')
_OPERATOR: Final = re.compile(r"(?:OR|AND|NOT)(?=[\s()]|$)")
_LETTER: Final = re.compile(r"[^\W_]")
_CLOSED: Final = '"”“)'
"""What a word is complete before, besides a space."""
_WORDS: Final[frozenset[Key]] = frozenset({"text", "subject"})
"""Keys whose values are whole words; of a name the beginning is enough anyway."""


def parse(text: str) -> MailQuery:
    """Return the query in ``text``; dates stay words. Raises ``QueryError``, which says where and what helps."""
    if len(text) > LONGEST:
        raise QueryError(f"the query is longer than {LONGEST:,} characters", "say less")
    return MailQuery(_Reader(text).read())


def parse_begun(text: str) -> MailQuery:
    """Return the query in ``text``, which may still be typed: the word that it ends with may go on. As ``parse``."""
    query = parse(text)
    last = max((term.at for term in query.terms()), default=0)
    if not text or text[-1].isspace() or text[-1] in _CLOSED:
        return query
    return query.changed(lambda term: replace(term, begun=True) if term.at == last and term.key in _WORDS else term)


def written(query: MailQuery) -> str:
    """Return the text of ``query``, which ``parse`` reads as the same."""
    return _side_by_side(query.required)


def as_value(text: str) -> str:
    """Return ``text`` as it is written after a key, or as exact words."""
    bare = _WORD.fullmatch(text) and not _OPERATOR.fullmatch(text) and not text.startswith("//")  # as in a URL
    return text if bare else _in_quotes(text)


class _Reader:
    """Reads by going down, one character to the next."""

    def __init__(self, text: str) -> None:
        self._text, self._at = text, 0
        self._depth = self._terms = 0

    def read(self) -> Node:
        found = self._group(None)
        if self._at < len(self._text):
            self._fail('a ")" that nothing opened', 'take it away, or write it in quotes: ")"')
        return found

    def _fail(self, words: str, remedy: str, at: int | None = None) -> NoReturn:
        raise QueryError(words, remedy, self._at if at is None else at)

    def _group(self, key: Key | None) -> Node:
        """Read until the end, or a closing parenthesis."""
        found: list[list[Node]] = []  # each a group of alternatives
        joins, began = False, self._at
        while not self._ended():
            began = self._at
            operator = _OPERATOR.match(self._text, self._at)
            if operator is not None and operator[0] == "OR":
                self._at = operator.end()
                if joins or not found:
                    self._no_operand("OR", began)
                joins = True
            elif operator is not None and operator[0] == "AND":
                self._at = operator.end()
            elif (node := self._one(key)) is not None:
                if joins:
                    found[-1].append(node)
                else:
                    found.append([node])
                joins = False
        if joins:
            self._no_operand("OR", began)
        return all_of(some_of(each) for each in found)

    def _no_operand(self, operator: str, at: int) -> NoReturn:
        example = "rent OR lease" if operator == "OR" else "-rent"
        remedy = f'write it as in {example}; as a word, in quotes: "{operator}"'
        self._fail(f"{operator} has nothing to join", remedy, at)

    def _ended(self) -> bool:
        """Skip what is between two terms; check for the end of this group."""
        while self._at < len(self._text) and self._text[self._at].isspace():
            self._at += 1
        return self._at >= len(self._text) or self._text[self._at] == ")"

    def _one(self, key: Key | None) -> Node | None:
        """Read one term or group; ``None`` for a mark without any letter."""
        began = self._at
        operator = _OPERATOR.match(self._text, began)
        if operator is not None or (self._text[began] == "-" and re.match(r"-[^\s)]", self._text[began:])):
            self._at = operator.end() if operator is not None else began + 1
            if self._ended():
                self._no_operand("NOT", began)
            self._deeper(began)
            inner = self._one(key)
            self._depth -= 1
            return None if inner is None else negated(inner)
        if self._text[began] == "(":
            return self._in_parentheses(key)
        if (quoted := _QUOTED.match(self._text, began)) is not None:
            self._at = quoted.end()
            return self._term(key or "text", _unquoted(quoted), began, quoted=True)
        if self._text[began] in '"“”„':
            self._fail("a quote that is never closed", 'close it: "exact words"')
        if (named := _KEY.match(self._text, began)) is not None:
            return self._of_key(named, key)
        word = _WORD.match(self._text, began)
        assert word is not None
        self._at = word.end()
        return self._term(key or "text", word[0], began)

    def _in_parentheses(self, key: Key | None) -> Node:
        began = self._at
        self._deeper(began)
        self._at += 1
        inner = self._group(key)
        if self._at >= len(self._text):
            self._fail('a "(" that is never closed', 'close it with ")"', began)
        self._at += 1
        self._depth -= 1
        if inner == All(()):
            self._fail("nothing between the parentheses", "write words between them, or take them away", began)
        return inner

    def _deeper(self, at: int) -> None:
        self._depth += 1
        if self._depth > DEEPEST:
            self._fail(f"more than {DEEPEST} levels of parentheses", "make it flatter", at)

    def _of_key(self, named: re.Match[str], outer: Key | None) -> Node | None:
        began, name = named.start(), named[1].lower()
        key = _OTHER_NAMES.get(name) or next((each for each in KEYS if each == name and each != "text"), None)
        if key is None:
            self._unknown(named[1], began)
        if outer is not None:
            self._fail(f"{name}: stands in the parentheses of {outer}:", f"close those first: {outer}:(…) {name}:…")
        self._at = named.end()
        if self._ended() or _OPERATOR.match(self._text, self._at):
            self._fail(f"nothing after {name}:", f"write what it is to be, as in {_EXAMPLES[key]}", began)
        if self._text[self._at] == "(":
            return self._in_parentheses(key)
        began = self._at
        if (quoted := _QUOTED.match(self._text, began)) is not None:
            self._at = quoted.end()
            return self._term(key, _unquoted(quoted), began)
        if self._text[began] in '"“”„':
            self._fail("a quote that is never closed", f'close it: {name}:"…"')
        if began > named.end() and _KEY.match(self._text, began):
            self._fail(f"nothing after {name}:", f"write what it is to be, as in {_EXAMPLES[key]}", named.start())
        word = _WORD.match(self._text, began)
        assert word is not None
        self._at = word.end()
        return self._term(key, word[0], began)

    def _unknown(self, name: str, at: int) -> NoReturn:
        known = [each for each in KEYS if each != "text"]
        near = difflib.get_close_matches(name.lower(), [*known, *_OTHER_NAMES], 1)
        meant = f"; did you mean {near[0]}:?" if near else ""
        keys = " ".join(f"{each}:" for each in known)
        self._fail(
            f"there is no key {one_line(name, 40)}:{meant}",
            f'the keys are {keys}; words with a colon are written in quotes: "{one_line(name, 40)}:"',
            at,
        )

    def _term(self, key: Key, value: str, at: int, *, quoted: bool = False) -> Node | None:
        self._terms += 1
        if self._terms > MOST_TERMS:
            self._fail(f"more than {MOST_TERMS} words", "say fewer", at)
        if not _LETTER.search(value):
            if key == "text":
                return None  # no text is found by marks alone
            self._fail(f"nothing after {key}:", f"write what it is to be, as in {_EXAMPLES[key]}", at)
        if choices := _CHOICES.get(key):
            value = _OTHER_VALUES[key].get(value.casefold(), value.casefold())
            if value not in choices:
                listed = ", ".join(f"{key}:{each}" for each in choices)
                self._fail(f"there is no {key}:{one_line(value, 40)}", f"there is {listed}", at)
        return Term(key, value, quoted and key == "text", at=at)


_EXAMPLES: Final[Mapping[Key, str]] = {
    "from": "from:dana", "to": "to:me", "cc": "cc:bob@example.org", "subject": "subject:rent",
    "before": "before:2026-11-03", "after": 'after:"last week"', "on": "on:yesterday", "until": "until:yesterday",
    "has": "has:attachment", "is": "is:unread", "in": "in:inbox", "account": "account:work",
}  # fmt: skip


def _in_quotes(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _unquoted(match: re.Match[str]) -> str:
    return match[2] if match[1] is None else re.sub(r"\\(.)", r"\1", match[1], flags=re.DOTALL)


def _written(node: Node, *, in_group: bool) -> str:
    match node:
        case Not(of):
            return f"-{_written(of, in_group=True)}"
        case Some(of):
            words = " OR ".join(_written(each, in_group=True) for each in of)
            return f"({words})" if in_group else words
        case All(of):
            return f"({_side_by_side(of)})" if in_group else _side_by_side(of)
        case Term(key="text", value=value, quoted=quoted):
            return _in_quotes(value) if quoted else value
        case Term(key=key, value=value):
            return f"{key}:{as_value(value)}"


def _side_by_side(nodes: Sequence[Node]) -> str:
    return " ".join(_written(each, in_group=False) for each in nodes)
