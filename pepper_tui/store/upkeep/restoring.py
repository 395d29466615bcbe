"""Restores a copy of the store.

The copy is duplicated, checked and migrated to this Pepper's schema in a file beside, and only then put in place; the
previous store is kept. The copy itself stays unchanged. The caller holds the home's lock.
"""

from __future__ import annotations

import logging
import os
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from pepper_tui.store.errors import StoreError
from pepper_tui.store.log.database import reading, transaction
from pepper_tui.store.log.schema import MIGRATIONS, migrate, schema_of
from pepper_tui.store.upkeep.copying import reason, stamp, whole_copy
from pepper_tui.store.upkeep.placing import fold, put_in_place
from pepper_tui.store.upkeep.reopening import reopen_cards

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Restored:
    """The result. ``kept``: where the previous store is. ``reopened``: cards approved but not acted on in the copy."""

    kept: Path | None
    reopened: int


def restore(file: Path, database: Path, now: float) -> Restored:
    """Replace the store ``database`` with the copy ``file``. Raises ``StoreError``; then nothing has changed."""
    if not file.is_file():
        raise StoreError(f"there is no file {file}")
    if database.exists() and file.samefile(database):
        raise StoreError(f"{file} is the store itself; name a copy of it")
    try:
        database.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with closing(_opened(file)) as source:
            _check(source, file)
            with whole_copy(source, database.parent) as part:
                reopened = _bring_up(part, now)
                kept = None
                if database.exists():
                    kept = database.with_name(f"{database.name}.{stamp(now)}.before-restore")
                    _fold_if_sound(database)
                put_in_place(part, database, kept)
    except (OSError, sqlite3.Error) as error:
        raise StoreError(f"{file} can't be restored: {reason(error)}. The store is as it was") from error
    return Restored(kept, reopened)


def _opened(file: Path) -> sqlite3.Connection:
    try:
        return reading(file)
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError as error:
        raise StoreError(f"{file} is not a copy of a store: {error}") from error


def _check(source: sqlite3.Connection, file: Path) -> None:
    try:
        schema = schema_of(source)
        tables = {row[0] for row in source.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    except sqlite3.DatabaseError as error:
        raise StoreError(f"{file} is not a copy of a store: {error}") from error
    if not schema or not {"meta", "updates", "contexts"} <= tables:
        raise StoreError(f"{file} is not a copy of a store (import an export with `pepper store import`)")
    if schema > len(MIGRATIONS):
        raise StoreError(
            f"{file} was written by a newer Pepper (schema {schema}, this one knows {len(MIGRATIONS)}): update Pepper"
        )


def _fold_if_sound(database: Path) -> None:
    try:
        fold(database)
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError as error:  # it is kept as it is, with its log
        log.warning("the store %s can't be folded: %s", database, error)


def _bring_up(part: Path, now: float) -> int:
    with closing(sqlite3.connect(part, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = OFF")  # discarded unless it is complete
        migrate(connection)
        with transaction(connection):
            reopened = reopen_cards(connection, now)
    handle = os.open(part, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
    return reopened
