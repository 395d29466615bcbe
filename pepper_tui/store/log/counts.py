"""The store's numbers, and its dead letters."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from pepper_tui.model import ContextUpdate
from pepper_tui.store.log.content import SELECT, update_of


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A delivery that was given up. ``error`` is the text of the last error, raw."""

    subscription: str
    seq: int
    attempts: int
    error: str
    update: ContextUpdate

    @property
    def words(self) -> str:
        return f"{self.subscription} #{self.seq}: {self.error} ({self.attempts} attempts)"


@dataclass(frozen=True, slots=True)
class SubscriptionStats:
    """One subscription's deliveries. ``active``: its handler or queue exists in this process."""

    name: str
    pending: int
    retrying: int
    dead: int
    active: bool


@dataclass(frozen=True, slots=True)
class StoreStats:
    """Sizes of the store. ``clean_start``: the last stop was clean."""

    path: str
    bytes: int
    updates: int
    contexts: int
    namespaces: dict[str, int]
    subscriptions: list[SubscriptionStats]
    clean_start: bool


def dead(connection: sqlite3.Connection) -> list[DeadLetter]:
    """Return all dead letters, oldest first."""
    letters = []
    for name, seq, attempts, error in connection.execute(
        "SELECT s.name, d.seq, d.attempts, d.error FROM deliveries d JOIN subscriptions s"
        " ON s.id = d.subscription WHERE d.state = 'dead' ORDER BY d.seq, d.subscription"
    ).fetchall():
        row = connection.execute(f"{SELECT} WHERE u.seq = ?", (seq,)).fetchone()
        letters.append(DeadLetter(name, seq, attempts, error, update_of(row)))
    return letters


def waiting(connection: sqlite3.Connection, prefix: str) -> dict[str, int]:
    """Return the subscriptions whose names begin with ``prefix``, each with its count of unfinished deliveries."""
    found = connection.execute(
        "SELECT s.name, coalesce(sum(d.state <> 'done'), 0) FROM subscriptions s LEFT JOIN deliveries d"
        " ON d.subscription = s.id WHERE substr(s.name, 1, ?) = ? GROUP BY s.id ORDER BY s.name",
        (len(prefix), prefix),
    )
    return dict(found.fetchall())


def undelivered(connection: sqlite3.Connection, name: str, seq: int | None) -> int:
    """Count the open deliveries of a subscription, of one update if given; dead letters excluded."""
    found: int = connection.execute(
        "SELECT count(*) FROM deliveries d JOIN subscriptions s ON s.id = d.subscription"
        " WHERE s.name = ? AND d.state IN ('pending', 'retrying') AND (? IS NULL OR d.seq = ?)",
        (name, seq, seq),
    ).fetchone()[0]
    return found


def stats(connection: sqlite3.Connection, path: Path, active: Collection[str], clean_start: bool) -> StoreStats:
    """Return the numbers. Scans the whole log; run it on the background reader."""
    updates: int = connection.execute("SELECT count(*) FROM updates").fetchone()[0]
    spaces = dict(
        connection.execute(
            "SELECT n.name, count(*) FROM contexts c JOIN namespaces n ON n.id = c.ns WHERE c.deleted = 0"
            " GROUP BY n.id ORDER BY n.name"
        ).fetchall()
    )
    waiting = connection.execute(
        "SELECT s.name, coalesce(sum(d.state = 'pending'), 0), coalesce(sum(d.state = 'retrying'), 0),"
        " coalesce(sum(d.state = 'dead'), 0) FROM subscriptions s LEFT JOIN deliveries d"
        " ON d.subscription = s.id GROUP BY s.id ORDER BY s.name"
    ).fetchall()
    files = (path, path.with_name(path.name + "-wal"))
    size = sum(file.stat().st_size for file in files if file.exists())
    backlog = [SubscriptionStats(row[0], row[1], row[2], row[3], row[0] in active) for row in waiting]
    return StoreStats(str(path), size, updates, sum(spaces.values()), spaces, backlog, clean_start)
