"""One context by its name: as it stands, at a version, all its versions; and the names that a short one may mean."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping

from pepper_tui.model import Context, ContextUpdate
from pepper_tui.store.log.content import SELECT, context_of, update_of


def current(connection: sqlite3.Connection, ns: int | None, context_id: str, now: float | None) -> Context | None:
    """The current version, None where there is none or it was deleted; ``now``: also where it has expired by then."""
    row = connection.execute(
        f"{SELECT} JOIN contexts c ON c.seq = u.seq AND c.ns = u.ns AND c.context_id = u.context_id"
        " WHERE c.ns = ?1 AND c.context_id = ?2 AND c.deleted = 0"
        " AND (?3 IS NULL OR c.expires_at IS NULL OR c.expires_at > ?3)",
        (ns, context_id, now),
    ).fetchone()
    return None if row is None else context_of(row)


def at_version(connection: sqlite3.Connection, ns: int, context_id: str, version: int) -> Context | None:
    """That version, whatever has become of the context since; None where it is not kept."""
    row = connection.execute(
        "WITH RECURSIVE chain (seq) AS (SELECT seq FROM contexts WHERE ns = ? AND context_id = ?"
        " UNION ALL SELECT p.previous FROM chain JOIN updates p ON p.seq = chain.seq"
        " WHERE p.previous IS NOT NULL AND (p.version > ? OR p.deleted))"
        f" {SELECT} JOIN chain ON chain.seq = u.seq WHERE u.version = ? AND u.deleted = 0",
        (ns, context_id, version, version),
    ).fetchone()
    return None if row is None else context_of(row)


def versions(connection: sqlite3.Connection, ns: int, context_id: str, limit: int = -1) -> list[ContextUpdate]:
    """The updates that are kept, newest first; deletions among them."""
    rows = connection.execute(
        "WITH RECURSIVE chain (seq) AS (SELECT seq FROM contexts WHERE ns = ? AND context_id = ?"
        " UNION ALL SELECT p.previous FROM chain JOIN updates p ON p.seq = chain.seq WHERE p.previous IS NOT NULL"
        f" LIMIT ?) {SELECT} JOIN chain ON chain.seq = u.seq ORDER BY u.seq DESC",
        (ns, context_id, limit),
    )
    return [update_of(row) for row in rows.fetchall()]


def named(connection: sqlite3.Connection, known: Mapping[str, int], ref: str) -> list[tuple[str, str]]:
    """(namespace, id) of the contexts, deleted ones among them, that ``ref`` names: ``namespace:id`` or an id."""
    wanted = [(ns, space, ref) for space, ns in known.items()]
    wanted += [(ns, space, ref[len(space) + 1 :]) for ns, space, _ in wanted if ref.startswith(f"{space}:")]
    there = "SELECT 1 FROM contexts WHERE ns = ? AND context_id = ?"
    return [(space, ident) for ns, space, ident in wanted if connection.execute(there, (ns, ident)).fetchone()]
