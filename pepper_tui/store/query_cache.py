"""A short-lived cache of repeated queries: an answer is never stale, and a useless cache costs nothing.

An answer is cached when the same query comes a second time with no commit in between, so a query that does not repeat
costs one dict lookup. It is dropped at the first commit in one of its namespaces (a search: at any commit, since its
ranking weighs all texts), when one of its contexts expires, after the TTL, or when the clock goes back. It is kept as
bytes, so each caller gets data of its own.
"""

from __future__ import annotations

import pickle
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Final, TypeVar

from pepper_tui.clock import Clock
from pepper_tui.model import Context, ContextFilter
from pepper_tui.store.namespaces import matches

T = TypeVar("T")
SIZE: Final = 256  # entries: cached answers, and queries seen once
ANSWER_BYTES: Final = 65_536  # a larger answer is not cached


@dataclass(slots=True)
class _Answer:
    patterns: tuple[str, ...]
    content: bytes | None  # None: seen once
    made: float
    until: float


class QueryCache:
    """The cache. ``ttl`` in seconds; 0 keeps nothing."""

    def __init__(self, clock: Clock, ttl: float, size: int = SIZE) -> None:
        self._clock, self._ttl, self._size = clock, ttl, size
        self._answers: OrderedDict[Hashable, _Answer] = OrderedDict()
        self._changes = 0
        self.hits = 0
        self.misses = 0

    async def answer(
        self,
        question: Hashable,
        patterns: Sequence[str],
        ask: Callable[[], Awaitable[list[T]]],
        contexts: Callable[[list[T]], Iterable[Context]],
    ) -> list[T]:
        """Return the answer to ``question``, cached or from ``ask``. ``patterns``: namespaces that can change it."""
        if self._ttl <= 0:
            return await ask()
        now = self._clock.now()
        known = self._answers.get(question)
        if known is not None and not known.made <= now < known.until:
            del self._answers[question]
            known = None
        if known is not None and known.content is not None:
            self.hits += 1
            self._answers.move_to_end(question)
            kept: list[T] = pickle.loads(known.content)
            return kept
        self.misses += 1
        before = self._changes
        found = await ask()
        if self._changes == before:
            until = min([now + self._ttl, *(c.expires_at for c in contexts(found) if c.expires_at is not None)])
            content = None if known is None else pickle.dumps(found, pickle.HIGHEST_PROTOCOL)
            if content is None or len(content) <= ANSWER_BYTES:
                self._keep(question, _Answer(tuple(patterns), content, now, until))
        return found

    def _keep(self, question: Hashable, answer: _Answer) -> None:
        self._answers[question] = answer
        self._answers.move_to_end(question)
        while len(self._answers) > self._size:
            self._answers.popitem(last=False)

    def changed(self, namespaces: Iterable[str]) -> None:
        """Invalidate the answers that depend on these namespaces: something was committed there."""
        self._changes += 1
        if not self._answers:
            return
        names = [*namespaces]
        picked: dict[tuple[str, ...], bool] = {}
        for question, answer in [*self._answers.items()]:
            hit = picked.get(answer.patterns)
            if hit is None:
                hit = picked[answer.patterns] = any(matches(answer.patterns, name) for name in names)
            if hit:
                del self._answers[question]

    def clear(self) -> None:
        """Invalidate everything (the change is not tied to a namespace)."""
        self._changes += 1
        self._answers.clear()


def key_of(wanted: ContextFilter) -> Hashable:
    """Return the filter as a hashable key."""
    values = (getattr(wanted, each.name) for each in fields(wanted))
    return tuple(tuple(value) if isinstance(value, list | tuple) else value for value in values)
