"""Whether the file is sound and SQLite can do what the store needs; where not, a ``StoreError`` with the way out."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path
from typing import Final

from .errors import StoreError
from .schema import migrate

OLDEST: Final = (3, 35, 0)
JOURNAL_BYTES: Final = 16 * 1024 * 1024


def probe(connection: sqlite3.Connection) -> None:
    """Raise ``StoreError`` where this SQLite lacks something that the store needs."""
    if sqlite3.sqlite_version_info < OLDEST:
        needed = ".".join(map(str, OLDEST))
        raise StoreError(f"SQLite {sqlite3.sqlite_version} is too old: Pepper needs {needed} or later")
    try:
        connection.execute("CREATE VIRTUAL TABLE temp.probe USING fts5 (x)")
        connection.execute("DROP TABLE temp.probe")
    except sqlite3.OperationalError as error:
        raise StoreError(f"this Python's SQLite was built without full-text search (FTS5): {error}") from error


def damaged(path: Path, found: str) -> StoreError:
    return StoreError(
        f"the store {path} is damaged ({found}). It was left as it is. Way out: stop Pepper, copy {path}* to a safe "
        f"place, then restore your last backup of it, or save what can be read with "
        f"`sqlite3 {path} .recover | sqlite3 {path}.new` and move {path.name}.new into its place"
    )


def prepare(connection: sqlite3.Connection, path: Path) -> bool:
    """Make a fresh write connection ready: probe, check, migrate, mark as in use. Returns whether the last stop was
    clean.

    After an unclean stop the file is quick-checked first. Raises ``StoreError``.
    """
    try:
        connection.execute("PRAGMA busy_timeout = 5000")
        probe(connection)
        tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE name = 'meta'")}
        clean = True
        if tables:
            row = connection.execute("SELECT value FROM meta WHERE key = 'clean'").fetchone()
            clean = row is not None and row[0] == "1"
            if not clean:
                found = [str(line[0]) for line in connection.execute("PRAGMA quick_check(3)")]
                if found != ["ok"]:
                    raise damaged(path, "; ".join(found)[:300])
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA journal_size_limit = {JOURNAL_BYTES}")
        connection.execute("PRAGMA cache_size = -32000")
        connection.execute("PRAGMA temp_store = MEMORY")
        migrate(connection)
        with contextlib.suppress(OSError):
            path.chmod(0o600)
        connection.execute("INSERT OR REPLACE INTO meta VALUES ('clean', '0')")
    except sqlite3.OperationalError as error:
        raise StoreError(f"cannot open the store {path}: {error}") from error
    except sqlite3.DatabaseError as error:
        raise damaged(path, str(error)) from error
    return clean


def mark_clean(connection: sqlite3.Connection) -> None:
    """Note a clean stop and fold the log file back into the main one."""
    connection.execute("INSERT OR REPLACE INTO meta VALUES ('clean', '1')")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
