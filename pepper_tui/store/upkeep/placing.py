"""Puts another file in the place of a store's, and keeps the previous one beside it.

The caller holds the home's lock. A kill in between leaves one store or the other, each complete.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from pepper_tui.store.errors import StoreError
from pepper_tui.store.log.database import side_files
from pepper_tui.store.upkeep.copying import sync_folder


def fold(database: Path) -> None:
    """Fold the write-ahead log into the file. Raises ``sqlite3.Error``, ``StoreError``."""
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("PRAGMA busy_timeout = 5000")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    if _log_of(database):
        raise StoreError(f"somebody reads the store {database} at this moment: end that, and try again")


def put_in_place(made: Path, database: Path, kept: Path | None) -> None:
    """Rename ``made``, complete and synced, to ``database``; keep the previous file as ``kept``.

    Raises ``OSError``.
    """
    log = _log_of(database)  # only a damaged store, which can't be folded, has one
    if kept is not None:
        os.link(database, kept)
        if log is not None:
            os.link(log, kept.with_name(f"{kept.name}-wal"))
    for each in side_files(database):
        each.unlink(missing_ok=True)
    made.replace(database)
    sync_folder(database.parent)


def _log_of(database: Path) -> Path | None:
    """Return the write-ahead log, if it holds anything."""
    log = database.with_name(f"{database.name}-wal")
    return log if log.exists() and log.stat().st_size else None
