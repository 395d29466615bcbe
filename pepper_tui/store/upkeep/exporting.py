"""Writes a store as JSON Lines, showing a single moment, even while an engine runs on it.

It reads on its own connection, in one read transaction: later commits are not included, and nobody waits for it. The
export holds everything Pepper knows; secrets are not part of a store.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from pepper_tui.boundary.new_file import new_file
from pepper_tui.store.errors import StoreError
from pepper_tui.store.log import health
from pepper_tui.store.log.database import reading
from pepper_tui.store.log.schema import MIGRATIONS, schema_of
from pepper_tui.store.upkeep import portable, removal


def export_file(database: Path, target: Path, now: float) -> portable.Counts:
    """Write the store ``database`` to the new file ``target``, of mode 0600: whole, or not at all.

    Raises ``StoreError`` if the file exists, or either one can't be used.
    """
    try:
        with new_file(target) as file:
            return export(database, file, now)
    except FileExistsError as error:
        raise StoreError(f"{target} already exists; name a new file") from error
    except OSError as error:
        raise StoreError(f"{target} can't be written: {error.strerror}") from error


def export(database: Path, file: IO[str], now: float) -> portable.Counts:
    """Write the store to an open text file. Raises ``StoreError``."""
    if not database.exists():
        raise StoreError(f"there is no store {database}")
    connection = None
    try:
        connection = reading(database)
        connection.execute("PRAGMA busy_timeout = 5000")
        connection.execute("BEGIN")
        counts = portable.Counts()
        for line in _lines(connection, database, counts, now):
            file.write(line)
        return counts
    except sqlite3.Error as error:
        raise health.refused(database, error) from error
    finally:
        if connection is not None:
            connection.close()


def _lines(connection: sqlite3.Connection, database: Path, counts: portable.Counts, now: float) -> Iterator[str]:
    schema = schema_of(connection)
    if schema != len(MIGRATIONS):
        older = "an older Pepper: start Pepper once" if schema < len(MIGRATIONS) else "a newer Pepper: update"
        raise StoreError(f"the store {database} was last used by {older}, and export again")
    yield portable.header(schema, removal.last_seq(connection), now)
    for row in connection.execute("SELECT name, namespaces, tags, coded, created_at FROM subscriptions ORDER BY id"):
        counts.subscriptions += 1
        yield portable.subscription(row)
    for row in connection.execute(
        "SELECT u.seq, n.name, u.context_id, u.version, u.type, u.data, u.text, u.tags, u.metadata, u.created_at,"
        " u.updated_at, u.expires_at, u.deleted, u.previous, u.body"
        " FROM updates u CROSS JOIN namespaces n ON n.id = u.ns ORDER BY u.seq"
    ):
        counts.updates += 1
        yield portable.update(row)
    for row in connection.execute(
        "SELECT s.name, d.seq, d.rank, d.state, d.attempts, d.due, d.error, d.order_key"
        " FROM deliveries d JOIN subscriptions s ON s.id = d.subscription ORDER BY d.subscription, d.seq"
    ):
        counts.deliveries += 1
        yield portable.delivery(row)
    for row in connection.execute(
        "SELECT n.name, d.key, d.seq, d.until FROM dedupe d JOIN namespaces n ON n.id = d.ns WHERE d.until > ?"
        " ORDER BY n.name, d.key",
        (now,),
    ):
        counts.dedupe += 1
        yield portable.dedupe(row)
    yield portable.end(counts)
