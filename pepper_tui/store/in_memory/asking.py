"""Queries on the in-memory log: each scans all current contexts."""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from pepper_tui.model import Context, ContextFilter, ContextUpdate
from pepper_tui.store.filter import Values
from pepper_tui.store.in_memory.log import MemoryLog
from pepper_tui.store.log.content import Current, Row, body, context_of, decode, update_of
from pepper_tui.store.namespaces import matches
from pepper_tui.store.search.full_text import SearchHit, snippet, words_of

_TOKEN: Final = re.compile(r"[^\W_]+")


def current(log: MemoryLog, namespace: str, context_id: str, now: float | None) -> Context | None:
    """Return the current version, or None if it is missing or deleted; with ``now``, also if it has expired by then."""
    found = log.current.get((namespace, context_id))
    if found is None or found.deleted or (now is not None and not found.live(now)):
        return None
    return context_of(log.rows[found.seq])


def select(log: MemoryLog, wanted: ContextFilter, now: float) -> list[Context]:
    """Return the contexts that the filter picks, in its order and up to its limit."""
    return [context_of(row) for row in _ordered(log, wanted, now)]


def _ordered(log: MemoryLog, wanted: ContextFilter, now: float) -> list[Row]:
    found = sorted(picked(log, wanted, now), key=lambda row: row[0], reverse=wanted.newest_first)
    return found[: None if wanted.limit is None else max(0, wanted.limit)]


def picked(log: MemoryLog, wanted: ContextFilter, now: float) -> Iterator[Row]:
    """Yield the rows that the filter picks, ignoring its limit. ``wanted`` has its times in seconds."""
    for (namespace, ident), current in log.current.items():
        if matches(wanted.namespaces, namespace) and (not wanted.context_ids or ident in wanted.context_ids):
            row = log.rows[current.seq]
            if _passes(wanted, current, row, now):
                yield row


def _passes(wanted: ContextFilter, current: Current, row: Row, now: float) -> bool:
    since, until = wanted.since, wanted.until
    return (
        not current.deleted
        and (wanted.include_expired or current.live(now))
        and current.seq > wanted.after_seq
        and (not wanted.types or row[4] in wanted.types)
        and (not isinstance(since, float) or row[10] >= since)
        and (not isinstance(until, float) or row[10] < until)
        and (not wanted.tags or set(wanted.tags) <= set(json.loads(row[7])))
    )


def versions(log: MemoryLog, namespace: str, context_id: str) -> Iterator[ContextUpdate]:
    """Yield the updates of one context, newest first, deletions included."""
    current = log.current.get((namespace, context_id))
    seq = None if current is None else current.seq
    while seq is not None:
        yield update_of(log.rows[seq])
        seq = log.previous.get(seq)


def search(log: MemoryLog, text: str, wanted: ContextFilter, limit: int, now: float) -> list[SearchHit]:
    """Return contexts with all words of ``text``, then those with some, each by their share of the text.

    Among equals, newer ones come first.
    """
    words = words_of(text)
    phrases = [phrase for phrase in map(_folded, words) if phrase.strip()]
    if not phrases:
        return []
    hits: list[SearchHit] = []
    for row in picked(log, wanted, now):
        indexed = _indexed(row)
        counts = _counts(_folded(indexed), phrases)
        if any(counts):
            score = sum(counts) / (1 + math.log1p(len(indexed)))
            hits.append(SearchHit(context_of(row), score, snippet(indexed, words), whole=all(counts)))
    hits.sort(key=lambda hit: (not hit.whole, -hit.score, -hit.context.seq))
    return hits[: max(0, limit)]


def having(log: MemoryLog, words: str, wanted: ContextFilter, now: float, *, begun: bool) -> set[str]:
    """Return the ids of the contexts with ``words`` side by side; ``begun``: the last may be a word's beginning."""
    phrase = _folded(words)
    if not phrase.strip():
        return set()
    phrase = phrase.rstrip() if begun else phrase
    return {row[2] for row in picked(log, replace(wanted, context_ids=()), now) if phrase in _folded(_indexed(row))}


def values(log: MemoryLog, wanted: ContextFilter, now: float, keys: Sequence[str]) -> list[Values]:
    """Return the values under ``keys`` of the contexts that the filter picks, in its order and up to its limit."""
    found = [(row, decode(row[5])) for row in _ordered(log, wanted, now)]
    return [Values(row[2], row[0], [data.get(key) for key in keys]) for row, data in found]


def _indexed(row: Row) -> str:
    said = body(row[6], row[5])
    return row[6] if said is None else said


def _counts(folded: str, phrases: Sequence[str]) -> list[int]:
    return [folded.count(phrase) for phrase in phrases]


def _folded(text: str) -> str:
    """Return the words of ``text``, without case and diacritics, each between spaces."""
    plain = "".join(each for each in unicodedata.normalize("NFKD", text) if not unicodedata.combining(each))
    return f" {'  '.join(_TOKEN.findall(plain.casefold()))} "
