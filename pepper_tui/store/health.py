"""Whether the file is sound and SQLite can do what the store needs; where not, a ``StoreError`` with the way out."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path
from typing import Final

from .copying import copy_before_migration
from .errors import StoreError, StoreUnavailableError
from .schema import migrate

OLDEST: Final = (3, 35, 0)
JOURNAL_BYTES: Final = 16 * 1024 * 1024


def probe(connection: sqlite3.Connection) -> None:
    """Raise ``StoreError`` where this SQLite lacks something that the store needs."""
    if sqlite3.sqlite_version_info < OLDEST:
        needed = ".".join(map(str, OLDEST))
        raise StoreError(f"SQLite {sqlite3.sqlite_version} is too old: Pepper needs {needed} or later")
    if connection.execute("SELECT 1 FROM pragma_module_list WHERE name = 'fts5'").fetchone() is None:
        raise StoreError("this Python's SQLite was built without full-text search (FTS5)")


def damaged(path: Path, found: str) -> StoreError:
    return StoreError(
        f"the store {path} is damaged ({found}). It was left as it is. Way out: stop Pepper, copy {path}* to a safe "
        f"place, then `pepper store restore` your last backup of it, or save what can be read with "
        f"`sqlite3 {path} .recover | sqlite3 {path}.new` and move {path.name}.new into its place"
    )


def refused(path: Path, error: Exception) -> StoreError:
    """What SQLite's refusal means for the user, and the way out."""
    name = getattr(error, "sqlite_errorname", None) or ""
    if name == "SQLITE_FULL":
        return StoreUnavailableError(f"the disk that holds the store {path} is full: make room there, and try again")
    if name.startswith("SQLITE_READONLY"):
        return StoreUnavailableError(
            f"the store {path} cannot be written ({error}): give yourself the right to write to it and to its folder, "
            "or use another --home"
        )
    if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
        return damaged(path, str(error))
    if name.startswith(("SQLITE_IOERR", "SQLITE_CANTOPEN", "SQLITE_PERM")):
        return StoreUnavailableError(
            f"the disk refuses the store {path} ({error}): see whether {path.parent} is there, may be written to and "
            "has room, and try again"
        )
    words = f"the store {path} refuses: {error}"
    # not: a constraint, a type or a text that SQLite does not take; these fail again whenever they are tried
    return StoreUnavailableError(words) if isinstance(error, sqlite3.OperationalError) else StoreError(words)


def prepare(connection: sqlite3.Connection, path: Path, now: float) -> bool:
    """Make a fresh write connection ready: probe, check, migrate, mark as in use. Returns whether the last stop was
    clean.

    After an unclean stop the file is quick-checked first; before a migration a copy of it is kept. Raises
    ``StoreError``.
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
                    raise damaged(path, " ".join(" ".join(found).split())[:300])
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA journal_size_limit = {JOURNAL_BYTES}")
        connection.execute("PRAGMA cache_size = -32000")
        connection.execute("PRAGMA temp_store = MEMORY")
        connection.execute("PRAGMA secure_delete = OFF")  # the log keeps everything: no page is zeroed to forget it
        copy_before_migration(connection, path, now)
        migrate(connection)
        with contextlib.suppress(OSError):
            path.chmod(0o600)
        connection.execute("INSERT OR REPLACE INTO meta VALUES ('clean', '0')")
    except sqlite3.Error as error:
        raise refused(path, error) from error
    return clean


def mark_clean(connection: sqlite3.Connection) -> None:
    """Note a clean stop and fold the log file back into the main one."""
    connection.execute("INSERT OR REPLACE INTO meta VALUES ('clean', '1')")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
