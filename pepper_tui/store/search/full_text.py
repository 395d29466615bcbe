"""Ranked full-text search over current contexts (FTS5, bm25).

User input is never FTS syntax: its words are extracted and quoted. First all words must match; if that finds too
little, any of them. bm25 takes time for each match and word, so only the newest matches are ranked: 20,000 for one
word, 5,000 for four or more.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, replace
from sys import intern
from typing import Any, Final, Protocol

from pepper_tui.model import Context, ContextFilter
from pepper_tui.store.filter import conditions, tag_conditions
from pepper_tui.store.log.content import SELECT, context_of
from pepper_tui.store.search.fusion import Found, fuse

RANKED: Final = 20_000
SPARE: Final = 50
WORDS: Final = 32
QUERY: Final = 4096  # characters of a query that are read
DEPTH: Final = 4  # factor on the limit for the ranking by meaning: a low rank there may still be in both
SNIPPET_CHARS: Final = 160
_WORD: Final = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class SearchHit:
    """A search result.

    ``score`` is higher for a better match, and comparable only within one search. ``snippet`` is raw text. ``found``:
    by its words, by its meaning, or both; ``whole``: it contains all words of the query.
    """

    context: Context
    score: float
    snippet: str
    found: Found = "text"
    whole: bool = True


class ByMeaning(Protocol):
    """The search by meaning."""

    async def search(self, text: str, wanted: ContextFilter, limit: int) -> list[int]:
        """Return the seqs nearest to ``text`` by meaning, nearest first; never raises."""
        ...


def words_of(text: str) -> list[str]:
    """Return the distinct words of a query, in order, at most 32."""
    return _words(text)[:WORDS]


def left_out(text: str) -> str:
    """Return a note that not all words of a query were used; an empty string if they were."""
    most = len(text) > QUERY or len(_words(text)) > WORDS
    return f"[of the query only the first {WORDS} words were looked for]" if most else ""


def _words(text: str) -> list[str]:
    return list(dict.fromkeys(word[:64] for word in _WORD.findall(text[:QUERY])))


def search(
    connection: sqlite3.Connection,
    text: str,
    *,
    wanted: ContextFilter,
    spaces: Sequence[int] | None,
    now: float,
    limit: int,
) -> list[SearchHit]:
    """Return the best hits, best first; newer first among equals. ``spaces``: namespace ids, None for all."""
    words = words_of(text)
    if not words or limit <= 0 or (spaces is not None and not spaces):
        return []
    quoted = [f'"{word}"' for word in words]
    hits = _ranked(connection, " AND ".join(quoted), words=words, wanted=wanted, spaces=spaces, now=now, limit=limit)
    if len(hits) < limit and len(words) > 1:
        seen = {hit.context.seq for hit in hits}
        more = _ranked(
            connection, " OR ".join(quoted), words=words, wanted=wanted, spaces=spaces, now=now, limit=limit + len(hits)
        )
        hits += [replace(hit, whole=False) for hit in more if hit.context.seq not in seen][: limit - len(hits)]
    return hits


def having(
    connection: sqlite3.Connection,
    words: str,
    *,
    wanted: ContextFilter,
    spaces: Sequence[int],
    now: float,
    begun: bool,
) -> set[str]:
    """Return the ids of all contexts with ``words`` side by side; ``begun``: the last may be a word's beginning."""
    phrase = " ".join(_WORD.findall(words[:QUERY]))
    if not phrase:
        return set()
    where, values = conditions(wanted, now)
    more, tags = tag_conditions(wanted.tags)
    sql = (
        "SELECT c.context_id FROM search h CROSS JOIN contexts c INDEXED BY contexts_newest"
        f" ON c.ns = ? AND c.seq = h.rowid WHERE search MATCH ?{where}{more}"
    )
    match = f'"{phrase}"{" *" if begun else ""}'
    # interned as in ``Values``: of 50,000 mails that hold a word, no ids are kept twice
    return {intern(row[0]) for space in spaces for row in connection.execute(sql, (space, match, *values, *tags))}


def _ranked(
    connection: sqlite3.Connection,
    match: str,
    *,
    words: Sequence[str],
    wanted: ContextFilter,
    spaces: Sequence[int] | None,
    now: float,
    limit: int,
) -> list[SearchHit]:
    most = max(limit, RANKED // min(len(words), 4))
    floor, matches = connection.execute(
        "SELECT min(rowid), count(*) FROM (SELECT rowid FROM search WHERE search MATCH ? ORDER BY rowid DESC LIMIT ?)",
        (match, most),
    ).fetchone()
    if floor is None:
        return []
    where, values = conditions(wanted, now)
    more, tags = tag_conditions(wanted.tags)
    if spaces is not None:
        where += f" AND c.ns IN ({','.join(str(int(space)) for space in spaces)})"
    if wanted.context_ids:
        where += f" AND c.context_id IN ({','.join('?' * len(wanted.context_ids))})"
        values.extend(wanted.context_ids)
    ranked: list[tuple[Any, ...]] = []
    for first in (limit * 4 + SPARE, most):  # filter only the best, as long as enough of them pass
        ranked = connection.execute(
            "SELECT h.seq, h.score FROM"
            " (SELECT rowid AS seq, bm25(search) AS score FROM search WHERE search MATCH ? AND rowid >= ?"
            " ORDER BY 2, 1 DESC LIMIT ?) h"
            " CROSS JOIN updates u ON u.seq = h.seq"
            " CROSS JOIN contexts c ON c.ns = u.ns AND c.context_id = u.context_id AND c.seq = u.seq"
            f" WHERE 1{where}{more} ORDER BY h.score, h.seq DESC LIMIT ?",
            (match, floor, first, *values, *tags, limit),
        ).fetchall()
        if len(ranked) >= limit or matches <= first:
            break
    found = (_hit(connection, seq, -score, words) for seq, score in ranked)
    return [hit for hit in found if hit is not None]


def _hit(
    connection: sqlite3.Connection, seq: int, score: float, words: Sequence[str], found: Found = "text"
) -> SearchHit | None:
    row = connection.execute(f"{SELECT} WHERE u.seq = ?", (seq,)).fetchone()
    if row is None:
        return None
    indexed = connection.execute("SELECT coalesce(body, text) FROM updates WHERE seq = ?", (seq,)).fetchone()[0]
    return SearchHit(context_of(row), score, snippet(indexed, words), found)


def joined(
    connection: sqlite3.Connection, text: str, hits: Sequence[SearchHit], near: Sequence[int], limit: int
) -> list[SearchHit]:
    """Merge ``hits``, found by words, and ``near``, found by meaning (seqs), into one ranking."""
    known, words = {hit.context.seq: hit for hit in hits}, words_of(text)
    loose = {seq for seq, hit in known.items() if not hit.whole}
    best: list[SearchHit] = []
    for seq, score, found in fuse([*known], near, limit, loose):
        if seq in known:
            best.append(replace(known[seq], score=score, found=found))
        elif (hit := _hit(connection, seq, score, words, found)) is not None:
            best.append(hit)
    return best


def snippet(text: str, words: Sequence[str], limit: int = SNIPPET_CHARS) -> str:
    """Return a stretch of ``text`` around the first of ``words``, on one line, with … where it was cut."""
    found = re.search("|".join(rf"\b{re.escape(word)}" for word in words), text, re.IGNORECASE) if words else None
    start = max(0, (found.start() if found else 0) - limit // 3)
    if start:
        space = text.find(" ", start, start + 20)
        start = space + 1 if space >= 0 else start
    part = " ".join(text[start : start + limit].split())
    return ("…" if start else "") + part + ("…" if start + limit < len(text) else "")
