"""Complete copies of a store's file: before its schema changes, and whenever the user asks for one.

A copy shows a single moment, even while an engine writes. It is built under another name, checked and synced, and only
then renamed: a kill or a full disk leaves no partial copy that looks complete. Leftovers of a kill are removed by the
next copy into the same folder.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from pepper_tui.store.errors import StoreError, StoreUnavailableError
from pepper_tui.store.log.database import reading, side_files
from pepper_tui.store.log.schema import outdated, schema_of

FOLDER: Final = "backups"
"""The folder in the home for copies that are given no other place."""
KEPT: Final = 2
"""How many copies from before migrations are kept; copies that the user asked for are never removed."""
_BEFORE_MIGRATION: Final = re.compile(r"pepper-\d+-(\d{8}T\d{6}Z)\.db")
_PART: Final = ".pepper-copy-"


def stamp(now: float) -> str:
    """Return ``now`` in UTC, for a file name."""
    return f"{datetime.fromtimestamp(now, UTC):%Y%m%dT%H%M%SZ}"


def default_target(database: Path, now: float) -> Path:
    return database.parent / FOLDER / f"pepper-{stamp(now)}.db"


def copies_of(database: Path) -> list[Path]:
    """List the copies of a store in the places where Pepper puts them."""
    beside = database.parent.glob(f"{database.name}.*before-*")
    return sorted([*(database.parent / FOLDER).glob("*.db"), *beside])


def back_up(database: Path, target: Path, *, replace: bool = False) -> int:
    """Copy the store ``database`` to ``target``, a file of mode 0600, and return its size in bytes.

    An existing file is left alone, unless ``replace``. Raises ``StoreError``.
    """
    if not database.exists():
        raise StoreError(f"there is no store {database}")
    if target.resolve() in [database.resolve(), *side_files(database.resolve())]:
        raise StoreError(f"{target} is the store itself; name another file")
    if target.is_dir():
        raise StoreError(f"{target} is a folder; name a file in it")
    if target.exists() and not replace:
        raise StoreError(f"{target} already exists; name a new file, or use --force")
    try:
        if target.parent == database.parent / FOLDER:
            target.parent.mkdir(mode=0o700, exist_ok=True)
        with closing(reading(database)) as source, whole_copy(source, target.parent) as part:
            size = part.stat().st_size
            _name(part, target, replace=replace)
    except FileExistsError as error:
        raise StoreError(f"{target} already exists; name a new file, or use --force") from error
    except (OSError, sqlite3.Error) as error:
        raise StoreError(f"the store can't be copied to {target}: {reason(error)}") from error
    return size


def copy_before_migration(connection: sqlite3.Connection, database: Path, now: float) -> Path | None:
    """Keep a copy of an older store before it is changed; return its path, or ``None`` if nothing will change.

    Raises ``StoreError``, with the store unchanged, if no copy can be made.
    """
    if not outdated(connection):
        return None
    target = database.parent / FOLDER / f"pepper-{schema_of(connection)}-{stamp(now)}.db"
    try:
        target.parent.mkdir(mode=0o700, exist_ok=True)
        with whole_copy(connection, target.parent) as part:
            _name(part, target, replace=True)
    except (OSError, sqlite3.Error) as error:
        needed = connection.execute("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")
        raise StoreUnavailableError(
            f"the store {database} is from an older Pepper, and before it is changed, it is copied to "
            f"{target.parent}. That failed: {reason(error)}. Nothing was changed. The copy needs "
            f"{needed.fetchone()[0] / 1e6:.1f} MB there; make room, or fix that folder, and start again"
        ) from error
    _keep_newest(target.parent)
    return target


@contextmanager
def whole_copy(source: sqlite3.Connection, folder: Path) -> Iterator[Path]:
    """Make a checked and synced copy under a temporary name in ``folder``; it is removed at the end unless renamed.

    Raises ``StoreError`` if the copied data is damaged, ``OSError`` and ``sqlite3.Error`` if it can't be copied.
    """
    _sweep(folder)
    handle, name = tempfile.mkstemp(prefix=_PART, suffix=".part", dir=folder)  # mode 0600
    part = Path(name)
    try:
        with contextlib.suppress(OSError):  # some file systems have no such locks
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        _copy(source, part)
        os.fsync(handle)
        yield part
    finally:
        for left in (part, *side_files(part)):
            with contextlib.suppress(OSError):
                left.unlink()
        os.close(handle)


def _copy(source: sqlite3.Connection, part: Path) -> None:
    source.execute("PRAGMA busy_timeout = 5000")
    source.execute("BEGIN")
    try:
        source.execute("SELECT 1 FROM sqlite_master").fetchone()  # `backup` would wait for a lock forever
        with closing(sqlite3.connect(part, isolation_level=None)) as made:
            made.execute("PRAGMA journal_mode = OFF")  # discarded unless it is complete
            made.execute("PRAGMA synchronous = OFF")
            source.backup(made)
    finally:
        source.execute("ROLLBACK")
    with closing(sqlite3.connect(part, isolation_level=None)) as made:
        made.execute("PRAGMA synchronous = OFF")
        made.execute("PRAGMA journal_mode = DELETE")  # one file, which can also be read where nothing can be written
        if damage := _damage(made):
            raise StoreError(f"what was copied is damaged ({damage}): no copy was kept; see `pepper doctor`")


def _damage(made: sqlite3.Connection) -> str:
    """Return what is wrong with the file; an empty string if nothing is."""
    try:
        found = [str(row[0]) for row in made.execute("PRAGMA quick_check(3)")]
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError):
            raise
        return str(error)
    return "" if found == ["ok"] else "; ".join(found)[:200]


def _name(part: Path, target: Path, *, replace: bool) -> None:
    """Give a complete copy its final name, durably. Raises ``FileExistsError``."""
    if replace:
        part.replace(target)
    else:
        try:
            os.link(part, target)  # unlike a rename, a link never replaces a file that was created meanwhile
        except FileExistsError:
            raise
        except OSError as error:  # the file system has no hard links
            if target.exists():
                raise FileExistsError(target) from error
            part.rename(target)
    sync_folder(target.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in ``folder`` durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _sweep(folder: Path) -> None:
    """Remove leftovers of killed copies; a copy in progress holds a lock on its file."""
    for left in folder.glob(f"{_PART}*.part"):
        with contextlib.suppress(OSError):
            handle = os.open(left, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                for each in (left, *side_files(left)):
                    each.unlink(missing_ok=True)
            finally:
                os.close(handle)


def _keep_newest(folder: Path) -> None:
    copies = [(found[1], file) for file in folder.iterdir() if (found := _BEFORE_MIGRATION.fullmatch(file.name))]
    for _, file in sorted(copies)[:-KEPT]:
        with contextlib.suppress(OSError):
            file.unlink()


def reason(error: OSError | sqlite3.Error) -> str:
    """Explain why a file can't be made."""
    if isinstance(error, OSError):
        return error.strerror or str(error)
    if getattr(error, "sqlite_errorname", "") == "SQLITE_FULL":
        return "the disk is full"
    return str(error)
