"""What a connector says of the service of Google's that it uses: its API, and what the user may allow there."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

May = str
"""What a user may allow, such as ``read``: a name of the service's own."""


@dataclass(frozen=True, slots=True)
class Service:
    """One API. ``below`` is where its commands lie in Google's document, ``given`` what each of them is given.

    ``prices``: the commands that Pepper uses, and what each costs of the ``units`` of a minute. There are no others.
    ``whose``: the command that says whose the sign-in is, what it is given, and the key of its answer that holds it.
    ``words``: what Pepper may do there, by its name. ``gives``: what each scope allows. ``least``: the fewest scopes
    that allow what is wanted; ``read`` is always wanted. ``called`` names the sign-in where it is kept.
    """

    called: str
    api: str
    version: str
    endpoint: str
    prices: Mapping[str, int]
    units: int
    whose: tuple[str, Mapping[str, Any], str]
    words: Mapping[May, str]
    gives: Mapping[str, frozenset[May]]
    least: Callable[[Collection[May]], list[str]]
    below: tuple[str, ...] = ()
    given: Mapping[str, Any] = field(default_factory=dict)

    def allowed_by(self, scopes: Collection[str]) -> set[May]:
        """Return what ``scopes`` allow."""
        return {may for scope in scopes for may in self.gives.get(scope, frozenset())}

    def listed(self, what: Collection[May]) -> str:
        """Return what is allowed, in words."""
        words = [self.words[each] for each in self.words if each in what]
        return " and ".join(filter(None, [", ".join(words[:-1]), words[-1] if words else ""]))
