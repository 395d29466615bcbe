"""Looks up one context: its current state, a version, all its versions; and the contexts that a short name may mean."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping

from pepper_tui.model import Context, ContextUpdate
from pepper_tui.store.log.content import SELECT, context_of, update_of


def current(connection: sqlite3.Connection, ns: int | None, context_id: str, now: float | None) -> Context | None:
    """Return the current version, None if there is none or it was deleted; with ``now``, also if it has expired."""
    row = connection.execute(
        f"{SELECT} JOIN contexts c ON c.seq = u.seq AND c.ns = u.ns AND c.context_id = u.context_id"
        " WHERE c.ns = ?1 AND c.context_id = ?2 AND c.deleted = 0"
        " AND (?3 IS NULL OR c.expires_at IS NULL OR c.expires_at > ?3)",
        (ns, context_id, now),
    ).fetchone()
    return None if row is None else context_of(row)


def at_version(connection: sqlite3.Connection, ns: int, context_id: str, version: int) -> Context | None:
    """Return that version, whatever became of the context since; None if it is not kept."""
    row = connection.execute(
        "WITH RECURSIVE chain (seq) AS (SELECT seq FROM contexts WHERE ns = ? AND context_id = ?"
        " UNION ALL SELECT p.previous FROM chain JOIN updates p ON p.seq = chain.seq"
        " WHERE p.previous IS NOT NULL AND (p.version > ? OR p.deleted))"
        f" {SELECT} JOIN chain ON chain.seq = u.seq WHERE u.version = ? AND u.deleted = 0",
        (ns, context_id, version, version),
    ).fetchone()
    return None if row is None else context_of(row)


def versions(connection: sqlite3.Connection, ns: int, context_id: str, limit: int = -1) -> list[ContextUpdate]:
    """Return the stored updates, newest first, including deletions."""
    rows = connection.execute(
        "WITH RECURSIVE chain (seq) AS (SELECT seq FROM contexts WHERE ns = ? AND context_id = ?"
        " UNION ALL SELECT p.previous FROM chain JOIN updates p ON p.seq = chain.seq WHERE p.previous IS NOT NULL"
        f" LIMIT ?) {SELECT} JOIN chain ON chain.seq = u.seq ORDER BY u.seq DESC",
        (ns, context_id, limit),
    )
    return [update_of(row) for row in rows.fetchall()]


def named(connection: sqlite3.Connection, known: Mapping[str, int], ref: str) -> list[tuple[str, str]]:
    """Return (namespace, id) of the contexts that ``ref`` names, ``namespace:id`` or an id; deleted ones included."""
    wanted = [(ns, space, ref) for space, ns in known.items()]
    wanted += [(ns, space, ref[len(space) + 1 :]) for ns, space, _ in wanted if ref.startswith(f"{space}:")]
    there = "SELECT 1 FROM contexts WHERE ns = ? AND context_id = ?"
    return [(space, ident) for ns, space, ident in wanted if connection.execute(there, (ns, ident)).fetchone()]
