"""A query: an immutable tree of terms. ``query_text`` reads and writes it.

The functions ``all_of``, ``some_of`` and ``negated`` keep the tree in one form: no group in a group of its own kind, no
group of one, no doubled negation. Trees that mean the same by these rules are equal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Final, Literal, TypeAlias, get_args

from pepper_tui.text.errors import Foreseen, PepperError

Key = Literal[
    "text", "from", "to", "cc", "subject", "before", "after", "on", "until", "has", "is", "in", "account"
]  # fmt: skip
KEYS: Final[tuple[Key, ...]] = get_args(Key)
PEOPLE: Final[frozenset[Key]] = frozenset({"from", "to", "cc"})
DATES: Final[frozenset[Key]] = frozenset({"before", "after", "on", "until"})
STATES: Final = ("unread", "read", "answered", "flagged")
"""Values of ``is:``."""
PARTS: Final = ("attachment",)
"""Values of ``has:``."""


class QueryError(PepperError, Foreseen):
    """A query that can't be read, or not answered. ``at`` is the character, from 0, if one is to blame."""

    def __init__(self, words: str, remedy: str, at: int | None = None) -> None:
        super().__init__(words if at is None else f"{words} (at character {at + 1})", remedy)
        self.at = at


@dataclass(frozen=True, slots=True)
class Term:
    """One thing that a mail must have.

    ``text`` is words anywhere; ``quoted``: exactly these; ``begun``: the last of its words may go on. ``span``: what a
    date means, in POSIX seconds, once that is known. ``at`` is where it stands in the query.
    """

    key: Key
    value: str
    quoted: bool = False
    begun: bool = False
    span: tuple[float, float] | None = None
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Not:
    of: Node


@dataclass(frozen=True, slots=True)
class All:
    """All of them; an empty one matches every mail."""

    of: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Some:
    """At least one of them; an empty one matches no mail."""

    of: tuple[Node, ...]


Node: TypeAlias = Term | Not | All | Some


@dataclass(frozen=True, slots=True)
class MailQuery:
    """What is searched for."""

    root: Node = All(())

    def __bool__(self) -> bool:
        return self.root != All(())

    def terms(self) -> Iterator[Term]:
        """Yield all terms, in order, also those that must not match."""
        yield from _terms(self.root)

    @property
    def required(self) -> tuple[Node, ...]:
        """What must all be true, at the top of the tree."""
        return self.root.of if isinstance(self.root, All) else (self.root,)

    def narrowed(self, *terms: Node) -> MailQuery:
        """Return a query that asks for all of ``terms``, too."""
        return MailQuery(all_of([*self.required, *terms]))

    def changed(self, change: Callable[[Term], Node]) -> MailQuery:
        """Return the query with each term replaced by what ``change`` makes of it."""
        return MailQuery(_changed(self.root, change))


def all_of(nodes: Iterable[Node]) -> Node:
    flat = [each for node in nodes for each in (node.of if isinstance(node, All) else (node,))]
    return flat[0] if len(flat) == 1 else All(tuple(flat))


def some_of(nodes: Iterable[Node]) -> Node:
    flat = [each for node in nodes for each in (node.of if isinstance(node, Some) else (node,))]
    return flat[0] if len(flat) == 1 else Some(tuple(flat))


def negated(node: Node) -> Node:
    return node.of if isinstance(node, Not) else Not(node)


def inward(node: Node, *, negative: bool = False) -> Node:
    """Return ``node`` with its negations moved to the terms; that of a date becomes other dates."""
    match node:
        case Not(of):
            return inward(of, negative=not negative)
        case All(of) | Some(of):
            both = [inward(each, negative=negative) for each in of]
            return some_of(both) if isinstance(node, Some) is not negative else all_of(both)
        case _ if not negative:
            return node
        case _ if node.key in DATES:
            return _other_times(node)
    return Not(node)


def is_asked(key: Key, node: Node) -> bool:
    """Check whether ``node``, which is ``inward``, asks for something of ``key``, and does not only exclude it."""
    match node:
        case Term():
            return node.key == key
        case All(of) | Some(of):
            return any(is_asked(key, each) for each in of)
    return False


def _other_times(term: Term) -> Node:
    after, before = replace(term, key="after"), replace(term, key="before")
    late = replace(term, key="after", span=(term.span[1], term.span[1])) if term.span else after
    match term.key:
        case "before":
            return after
        case "after":
            return before
        case "until":
            return late
    return some_of([before, late])


def _terms(node: Node) -> Iterator[Term]:
    match node:
        case Term():
            yield node
        case Not(of):
            yield from _terms(of)
        case All(of) | Some(of):
            for each in of:
                yield from _terms(each)


def _changed(node: Node, change: Callable[[Term], Node]) -> Node:
    match node:
        case Term():
            return change(node)
        case Not(of):
            return negated(_changed(of, change))
        case All(of):
            return all_of(_changed(each, change) for each in of)
        case Some(of):
            return some_of(_changed(each, change) for each in of)
