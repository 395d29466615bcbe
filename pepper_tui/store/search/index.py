"""The search index: a projection of the log, brought on in runs.

It holds the contexts that were current at ``Book.indexed``. Rows after that are in the log alone, which is what makes
them safe; the writer brings the index on once it is ``BEHIND`` rows behind, and a search, an idle store and a clean
stop do so before. A run costs a few microseconds a row; a segment for each commit costs a lone store a third of its
time.
"""

from __future__ import annotations

import sqlite3
from typing import Final

from pepper_tui.store.log.database import unsynced
from pepper_tui.store.log.plan import Book

BEHIND: Final = 256  # rows after which a commit also brings the index on
STEP: Final = 200  # pages
_KEY: Final = "indexed"


def load(connection: sqlite3.Connection) -> int:
    """The last seq that the index knows."""
    row = connection.execute("SELECT value FROM meta WHERE key = ?", (_KEY,)).fetchone()
    return 0 if row is None else int(row[0])


def catch_up(connection: sqlite3.Connection, book: Book) -> None:
    """Take over what was committed since, in a transaction of its own."""
    first, last = book.indexed, book.last_seq
    with unsynced(connection):
        # Current at `first`, and so in the index, are just those with a successor after it.
        connection.execute(
            "INSERT INTO search (search, rowid, body) SELECT 'delete', p.seq, coalesce(p.body, p.text)"
            " FROM updates u CROSS JOIN updates p ON p.seq = u.previous"
            " WHERE u.seq > ?1 AND u.seq <= ?2 AND u.previous <= ?1 AND p.deleted = 0",
            (first, last),
        )
        connection.execute(
            "INSERT INTO search (rowid, body) SELECT u.seq, coalesce(u.body, u.text)"
            " FROM updates u CROSS JOIN contexts c ON c.ns = u.ns AND c.context_id = u.context_id AND c.seq = u.seq"
            " WHERE u.seq > ? AND u.seq <= ? AND u.deleted = 0",
            (first, last),
        )
        connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (_KEY, str(last)))
    book.indexed = last


def forget(connection: sqlite3.Connection, seq: int, indexed: str) -> None:
    """Take the context at ``seq`` out; ``indexed`` is the text that it was taken in with. In the caller's transaction,
    with the index brought on."""
    connection.execute("INSERT INTO search (search, rowid, body) VALUES ('delete', ?, ?)", (seq, indexed))


def take_in(connection: sqlite3.Connection, seq: int, indexed: str) -> None:
    """Take the context at ``seq`` in again, under another text. In the caller's transaction."""
    connection.execute("INSERT INTO search (rowid, body) VALUES (?, ?)", (seq, indexed))


def merge(connection: sqlite3.Connection, first: bool) -> bool:
    """Bring the segments of the index one step closer to a single one, in a transaction of its own that writes some
    ``STEP`` pages; ``first`` begins. Returns whether there is more to do.

    What was taken out stays in the segments until they are merged; FTS5 leaves the large ones alone for long.
    """
    connection.execute("PRAGMA synchronous = NORMAL")
    try:
        before = connection.total_changes
        connection.execute("INSERT INTO search (search, rank) VALUES ('merge', ?)", (-STEP if first else STEP,))
        return connection.total_changes - before >= 2  # fewer: it had nothing to do
    finally:
        connection.execute("PRAGMA synchronous = FULL")
