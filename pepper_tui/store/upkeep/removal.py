"""Removes rows from the log for good: old versions, whole contexts, or all of a context except a trace.

It runs on the write connection in small transactions: at most ``ROWS`` rows or ``CHARACTERS`` of text. It removes
nothing that has changed since it was picked, or that has a version with an unhandled delivery. The search index is
updated first, because it can forget a text only if given that text. No sync of its own: what a power cut brings back is
removed the next time.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Final

from pepper_tui.store.log.content import decode, encode
from pepper_tui.store.log.database import transaction
from pepper_tui.store.log.plan import Book
from pepper_tui.store.search import index as search_index

ROWS: Final = 100
CHARACTERS: Final = 500_000
TRACE: Final = "trace"  # the type of a context reduced to a trace
LAST_SEQ: Final = "last_seq"  # in `meta`: no log number is used twice, even if its row is gone


class How(Enum):
    VERSIONS = "versions"
    CONTEXT = "context"
    TRACE = "trace"


@dataclass(frozen=True, slots=True)
class Doomed:
    """Rows of one context that may be removed.

    ``chain``: seqs of all its versions, newest first, as picked; the last ``count`` of them are removed (with ``TRACE``
    the first stays, without its content).
    """

    ns: int
    context_id: str
    how: How
    chain: tuple[int, ...]
    count: int
    characters: int = 0
    keys: tuple[str, ...] = ()  # keys of its data that a trace keeps


@dataclass(slots=True)
class Removed:
    """What a run has removed: log rows, and contexts (including those reduced to a trace)."""

    rows: int = 0
    contexts: int = 0
    transactions: int = 0

    def add(self, other: Removed) -> None:
        self.rows += other.rows
        self.contexts += other.contexts
        self.transactions += other.transactions


def last_seq(connection: sqlite3.Connection) -> int:
    """Return the highest number that the log has used, 0 if none."""
    kept = connection.execute("SELECT value FROM meta WHERE key = ?", (LAST_SEQ,)).fetchone()
    highest: int = connection.execute("SELECT coalesce(max(seq), 0) FROM updates").fetchone()[0]
    return max(highest, int(kept[0]) if kept else 0)


def chain_of(connection: sqlite3.Connection, ns: int, context_id: str) -> list[tuple[int, float, int]]:
    """Return (seq, time stored, characters) of each version of a context, newest first."""
    return connection.execute(
        "WITH RECURSIVE chain (seq) AS (SELECT seq FROM contexts WHERE ns = ? AND context_id = ?"
        " UNION ALL SELECT p.previous FROM chain JOIN updates p ON p.seq = chain.seq WHERE p.previous IS NOT NULL)"
        " SELECT u.seq, u.updated_at, length(u.data) + length(u.text) + coalesce(length(u.body), 0)"
        " FROM chain JOIN updates u ON u.seq = chain.seq ORDER BY u.seq DESC",
        (ns, context_id),
    ).fetchall()


def portions(doomed: Iterable[Doomed]) -> Iterator[list[Doomed]]:
    """Split ``doomed`` into portions for one transaction each; of a context's many versions, the oldest go first."""
    portion: list[Doomed] = []
    rows = characters = 0
    for whole in doomed:
        for each in _parts(whole):
            if portion and (rows + each.count > ROWS or characters + each.characters > CHARACTERS):
                yield portion
                portion, rows, characters = [], 0, 0
            portion.append(each)
            rows += each.count
            characters += each.characters
    if portion:
        yield portion


def _parts(whole: Doomed) -> Iterator[Doomed]:
    chain, left = whole.chain, whole.count
    while left > ROWS:
        yield Doomed(whole.ns, whole.context_id, How.VERSIONS, chain, ROWS)
        chain, left = chain[:-ROWS], left - ROWS
    yield Doomed(whole.ns, whole.context_id, whole.how, chain, left, whole.characters, whole.keys)


def remove(connection: sqlite3.Connection, book: Book, portion: list[Doomed], now: float) -> Removed:
    """Remove one portion, in one transaction."""
    if book.indexed < book.last_seq:
        search_index.catch_up(connection, book)
    done = Removed(transactions=1)
    connection.execute("PRAGMA synchronous = NORMAL")
    try:
        with transaction(connection):
            for each in portion:
                if _free(connection, book, each):
                    done.rows += _take(connection, each, now)
                    done.contexts += each.how is not How.VERSIONS
            connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (LAST_SEQ, str(book.last_seq)))
    finally:
        connection.execute("PRAGMA synchronous = FULL")
    return done


def _free(connection: sqlite3.Connection, book: Book, each: Doomed) -> bool:
    """Check that a context is unchanged since it was picked, and has no delivery that needs its rows.

    That covers the removed versions and their successor: whoever is told of a change may ask what was before.
    """
    current = connection.execute(
        "SELECT seq FROM contexts WHERE ns = ? AND context_id = ?", (each.ns, each.context_id)
    ).fetchone()
    oldest = connection.execute("SELECT previous FROM updates WHERE seq = ?", each.chain[-1:]).fetchone()
    if current != each.chain[:1] or oldest != (None,):  # an older portion of the same context may have had to stay
        return False
    return not delivering(connection, book.subscriptions.by_id, each.chain[-each.count - 1 :])


def delivering(connection: sqlite3.Connection, subscriptions: Iterable[int], seqs: Iterable[int]) -> bool:
    """Check whether any of ``seqs`` has an unfinished delivery, dead ones included."""
    known = [*subscriptions]
    return any(
        connection.execute("SELECT 1 FROM deliveries WHERE subscription = ? AND seq = ?", (ident, seq)).fetchone()
        for seq in seqs
        for ident in known
    )


def _take(connection: sqlite3.Connection, each: Doomed, now: float) -> int:
    gone = each.chain[len(each.chain) - each.count :]
    if each.how is not How.VERSIONS:
        _forget_current(connection, each, now)
    if len(gone) < len(each.chain):
        connection.execute("UPDATE updates SET previous = NULL WHERE seq = ?", (each.chain[-each.count - 1],))
    connection.executemany("DELETE FROM updates WHERE seq = ?", [(seq,) for seq in gone])
    return len(gone)


def _forget_current(connection: sqlite3.Connection, each: Doomed, now: float) -> None:
    seq = each.chain[0]
    indexed, tags, data, deleted = connection.execute(
        "SELECT coalesce(body, text), tags, data, deleted FROM updates WHERE seq = ?", (seq,)
    ).fetchone()
    if not deleted:
        search_index.forget(connection, seq, indexed)
        connection.executemany(
            "DELETE FROM context_tags WHERE tag = ? AND ns = ? AND seq = ?",
            [(tag, each.ns, seq) for tag in json.loads(tags)],
        )
    key = (each.ns, each.context_id)
    if each.how is How.CONTEXT:
        connection.execute("DELETE FROM contexts WHERE ns = ? AND context_id = ?", key)
        return
    left = encode({name: value for name, value in decode(data).items() if name in each.keys})
    version, created, updated, previous = connection.execute(
        "SELECT version, created_at, updated_at, previous FROM updates WHERE seq = ?", (seq,)
    ).fetchone()
    connection.execute("DELETE FROM updates WHERE seq = ?", (seq,))  # not updated: what hangs on the row goes
    connection.execute(
        "INSERT INTO updates VALUES (?, ?, ?, ?, ?, ?, '', '', '[]', '{}', ?, ?, ?, 0, ?)",
        (seq, *key, version, TRACE, left, created, updated, now, previous),
    )
    connection.execute(
        "UPDATE contexts SET type = ?, expires_at = ? WHERE ns = ? AND context_id = ?", (TRACE, now, *key)
    )
    search_index.take_in(connection, seq, "")
