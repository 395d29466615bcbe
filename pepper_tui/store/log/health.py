"""Checks that the file is sound and SQLite has what the store needs.

Otherwise it raises a ``StoreError`` with the way out.
"""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path
from typing import Final

from pepper_tui.store.errors import OutdatedStoreError, StoreDamagedError, StoreError, StoreUnavailableError
from pepper_tui.store.log.database import transaction
from pepper_tui.store.log.schema import MIGRATIONS, migrate, newer
from pepper_tui.store.upkeep.copying import copy_before_migration

OLDEST: Final = (3, 35, 0)
JOURNAL_BYTES: Final = 16 * 1024 * 1024
ROOM: Final = 256 * 1024
"""Bytes that must fit before a store that ran out of space counts as working again."""


def probe(connection: sqlite3.Connection) -> None:
    """Raise ``StoreError`` if this SQLite lacks something that the store needs."""
    if sqlite3.sqlite_version_info < OLDEST:
        needed = ".".join(map(str, OLDEST))
        raise StoreError(f"SQLite {sqlite3.sqlite_version} is too old: Pepper needs {needed} or later")
    if connection.execute("SELECT 1 FROM pragma_module_list WHERE name = 'fts5'").fetchone() is None:
        raise StoreError("this Python's SQLite was built without full-text search (FTS5)")


def damaged(path: Path, found: str) -> StoreDamagedError:
    way = (
        f"stop Pepper, copy {path}* to a safe place, then `pepper store restore` your last backup of it, or save what "
        f"can be read with `sqlite3 {path} .recover | sqlite3 {path}.new` and move {path.name}.new into its place"
    )
    words = f"the store {path} is damaged ({found}). It was left as it is. Way out: {way}"
    return StoreDamagedError(words, f"it is damaged ({found})", way)


def refused(path: Path, error: Exception) -> StoreError:
    """Translate SQLite's refusal into an error for the user, with the way out."""
    name = getattr(error, "sqlite_errorname", None) or ""
    if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
        return damaged(path, str(error))
    if name == "SQLITE_FULL":
        words = f"the disk that holds the store {path} is full: make room there, and try again"
        return StoreUnavailableError(words, "the disk is full", f"make room where {path.parent} is")
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        way = f"end the program that has it open (`fuser {path}` names it)"
        words = f"another program holds the store {path} locked: {way}, and try again"
        return StoreUnavailableError(words, "another program holds it locked", way)
    if name.startswith("SQLITE_READONLY"):
        way = "give yourself the right to write to it and to its folder, or use another --home"
        words = f"the store {path} cannot be written ({error}): {way}"
        return StoreUnavailableError(words, f"it can't be written ({error})", way)
    if name.startswith(("SQLITE_IOERR", "SQLITE_CANTOPEN", "SQLITE_PERM")):
        way = f"see whether {path.parent} is there, may be written to and has room"
        words = f"the disk refuses the store {path} ({error}): {way}, and try again"
        return StoreUnavailableError(words, f"the disk refuses it ({error})", way)
    words = f"the store {path} refuses: {error}"
    # such as a constraint, a type or a text that SQLite rejects: these fail again at every try
    if not isinstance(error, sqlite3.OperationalError):
        return StoreError(words)
    if name == "SQLITE_ERROR":  # e.g. a missing table: the store itself keeps working
        return StoreUnavailableError(words)
    return StoreUnavailableError(words, str(error), "pepper doctor says more")


def try_out(connection: sqlite3.Connection) -> None:
    """Write something sizeable and remove it again. Raises ``sqlite3.Error`` if that fails."""
    with transaction(connection):
        connection.execute("INSERT OR REPLACE INTO meta VALUES ('room', zeroblob(?))", (ROOM,))
    with transaction(connection):
        connection.execute("DELETE FROM meta WHERE key = 'room'")


def prepare(connection: sqlite3.Connection, path: Path, now: float) -> bool:
    """Prepare a fresh write connection: probe, check, migrate, mark as in use.

    Returns whether the last stop was clean. After an unclean stop the file is quick-checked first; before a migration a
    copy of it is kept. Raises ``StoreError``.
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
        connection.execute("PRAGMA cache_size = -8000")
        connection.execute("PRAGMA temp_store = MEMORY")
        connection.execute("PRAGMA secure_delete = OFF")  # the log keeps everything: no page needs zeroing
        copy_before_migration(connection, path, now)
        migrate(connection)
        with contextlib.suppress(OSError):
            path.chmod(0o600)
        connection.execute("INSERT OR REPLACE INTO meta VALUES ('clean', '0')")
    except sqlite3.Error as error:
        raise refused(path, error) from error
    return clean


def look(connection: sqlite3.Connection, path: Path) -> bool:
    """Prepare a fresh read-only connection. Returns whether the last stop was clean.

    Raises ``StoreError``, ``OutdatedStoreError`` if the file must be migrated first.
    """
    connection.execute("PRAGMA busy_timeout = 5000")
    probe(connection)
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > len(MIGRATIONS):
        raise newer(version)
    if version < len(MIGRATIONS):
        raise OutdatedStoreError(f"the store {path} is an older Pepper's: start Pepper once, where it may be written")
    row = connection.execute("SELECT value FROM meta WHERE key = 'clean'").fetchone()
    return row is not None and row[0] == "1"


def mark_clean(connection: sqlite3.Connection) -> None:
    """Record a clean stop and fold the WAL back into the main file."""
    connection.execute("INSERT OR REPLACE INTO meta VALUES ('clean', '1')")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
