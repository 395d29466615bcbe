"""The search index: a projection of the log, updated in runs.

It holds the contexts that were current at ``Book.indexed``. Later rows are only in the log, which is what makes them
safe. The writer updates the index once it is ``BEHIND`` rows behind; a search, an idle store and a clean stop do so
earlier. A run costs a few microseconds per row; a segment for each commit would cost a single store a third of its
time.
"""

from __future__ import annotations

import sqlite3
from typing import Final

from pepper_tui.store.log.database import unsynced
from pepper_tui.store.log.plan import Book

BEHIND: Final = 256  # rows after which a commit also updates the index
STEP: Final = 200  # pages
_KEY: Final = "indexed"


def load(connection: sqlite3.Connection) -> int:
    """Return the last seq in the index."""
    row = connection.execute("SELECT value FROM meta WHERE key = ?", (_KEY,)).fetchone()
    return 0 if row is None else int(row[0])


def catch_up(connection: sqlite3.Connection, book: Book) -> None:
    """Add what was committed since, in a transaction of its own."""
    first, last = book.indexed, book.last_seq
    with unsynced(connection):
        # Contexts that were current at `first`, and so are in the index, are those with a successor after it.
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
    """Remove the context at ``seq``; ``indexed`` is the text that it was added with.

    Runs in the caller's transaction, with the index up to date.
    """
    connection.execute("INSERT INTO search (search, rowid, body) VALUES ('delete', ?, ?)", (seq, indexed))


def take_in(connection: sqlite3.Connection, seq: int, indexed: str) -> None:
    """Add the context at ``seq`` again, under another text. Runs in the caller's transaction."""
    connection.execute("INSERT INTO search (rowid, body) VALUES (?, ?)", (seq, indexed))


def merge(connection: sqlite3.Connection, first: bool) -> bool:
    """Merge the index one step further towards a single segment, and return whether there is more to do.

    Each step is a transaction of some ``STEP`` pages; ``first`` marks the start. Removed text stays in the segments
    until they are merged; FTS5 leaves large ones alone for a long time.
    """
    connection.execute("PRAGMA synchronous = NORMAL")
    try:
        before = connection.total_changes
        connection.execute("INSERT INTO search (search, rank) VALUES ('merge', ?)", (-STEP if first else STEP,))
        return connection.total_changes - before >= 2  # fewer: there was nothing to do
    finally:
        connection.execute("PRAGMA synchronous = FULL")
