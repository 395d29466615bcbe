"""Builds a store from an export.

It is built completely in a file beside, checked, and only then put in place: a kill in between, or a line that can't be
right, leaves the previous store. A card that was approved but not acted on yet waits again here: see ``reopening``. The
caller holds the home's lock.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from pepper_tui.clock import iso
from pepper_tui.model import DeliveryState, Json
from pepper_tui.store.errors import StoreError
from pepper_tui.store.log import health
from pepper_tui.store.log.content import body, encode, encode_tags, safe
from pepper_tui.store.log.plan import Book
from pepper_tui.store.log.schema import MIGRATIONS, migrate
from pepper_tui.store.search import index as search_index
from pepper_tui.store.upkeep import portable, removal
from pepper_tui.store.upkeep.placing import fold, put_in_place
from pepper_tui.store.upkeep.portable import Counts, ImportFaultError
from pepper_tui.store.upkeep.reopening import reopen_cards

BATCH: Final = 500  # rows per executemany
_STATES: Final = {state.value for state in DeliveryState} - {DeliveryState.DONE.value}


def import_file(
    lines: Iterable[str], database: Path, now: float, *, replace: bool = False
) -> tuple[Counts, Path | None]:
    """Build the store ``database`` from the lines of an export; return the counts, and where the old store is kept.

    A store that is not empty is replaced only with ``replace``, and is kept beside. Raises ``ImportFaultError``, which
    names the line, or ``StoreError``; then nothing has changed.
    """
    made = database.with_name(f"{database.name}.importing")
    try:
        holds = _holds(database)
        if holds and not replace:
            raise StoreError(
                f"the store {database} holds {holds} updates already. Import into a new home (--home DIR), or say "
                "--replace: the old store is then kept beside the new one"
            )
        for leftover in (made, made.with_name(f"{made.name}-journal")):
            leftover.unlink(missing_ok=True)
        database.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        counts = _build(lines, made, now)
        if holds:
            fold(database)
        kept = database.with_name(f"{database.name}.before-{iso(now)[:19].replace(':', '')}") if holds else None
        put_in_place(made, database, kept)
        return counts, kept
    except sqlite3.Error as error:
        raise health.refused(database, error) from error
    except OSError as error:
        raise StoreError(f"{database} can't be made: {error.strerror}") from error
    finally:
        with contextlib.suppress(OSError):
            made.unlink(missing_ok=True)


def _holds(database: Path) -> int:
    """Count the updates in the existing store."""
    if not database.exists():
        return 0
    connection = sqlite3.connect(database, isolation_level=None)
    try:
        connection.execute("PRAGMA busy_timeout = 5000")
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'updates'").fetchone():
            return 0
        count: int = connection.execute("SELECT count(*) FROM updates").fetchone()[0]
        return count
    finally:
        connection.close()


def _build(lines: Iterable[str], path: Path, now: float) -> Counts:
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode = OFF")  # discarded unless it is complete
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA cache_size = -64000")
        health.probe(connection)
        migrate(connection)
        connection.execute("BEGIN")
        built = _Building(connection)
        for line in lines:
            built.take(line)
        counts = built.finish(now)
        connection.execute("COMMIT")
        last = removal.last_seq(connection)
        search_index.catch_up(connection, Book(last_seq=last))
        found = [str(row[0]) for row in connection.execute("PRAGMA quick_check(3)")]
        if found != ["ok"]:
            raise StoreError(f"what was made of the export is damaged ({'; '.join(found)[:200]}): check the disk")
        connection.execute("INSERT OR REPLACE INTO meta VALUES ('clean', '1')")
    finally:
        connection.close()
    with path.open("rb") as file:
        os.fsync(file.fileno())
    return counts


class _Building:
    """The state after the lines taken so far."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._line = 0
        self._header: Json | None = None
        self._ended = False
        self._counts = Counts()
        self._spaces: dict[str, int] = {}
        self._subscriptions: dict[str, int] = {}
        self._current: dict[tuple[int, str], int] = {}
        self._last = 0
        self._updates: list[tuple[Any, ...]] = []

    def take(self, line: str) -> None:
        """Take one line. Raises ``ImportFaultError``."""
        self._line += 1
        try:
            entry = json.loads(line)
        except RecursionError as error:
            raise self._fault("this is nested too deeply") from error
        except ValueError as error:
            raise self._fault("this is not JSON; the file may be cut off or damaged") from error
        if not isinstance(entry, dict):
            raise self._fault("this is not a JSON object")
        if self._header is None:
            self._begin(entry)
            return
        if self._ended:
            raise self._fault("this comes after the end of the export")
        if len(entry) != 1:
            raise self._fault("a line must be one of update, subscription, delivery, dedupe, end")
        [(kind, values)] = entry.items()
        takers = {
            "update": self._update,
            "subscription": self._subscription,
            "delivery": self._delivery,
            "dedupe": self._dedupe,
            "end": self._end,
        }
        taker = takers.get(kind)
        if taker is None or not isinstance(values, dict):
            raise self._fault(f"nothing is known of {str(kind)[:40]!r}")
        try:
            taker(values)
        except KeyError as error:
            raise self._fault(f"{kind} has no {error.args[0]}") from error
        except RecursionError as error:
            raise self._fault("this is nested too deeply") from error

    def finish(self, now: float) -> Counts:
        """Finish after the last line. Raises ``ImportFaultError`` if the file is incomplete."""
        if self._header is None:
            raise ImportFaultError(1, "the file is empty")
        if not self._ended:
            raise ImportFaultError(self._line + 1, "the file ends before the export does: it was cut off")
        connection = self._connection
        last = max(self._last, int(self._header["last_seq"]))
        connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (removal.LAST_SEQ, str(last)))
        connection.executemany("INSERT INTO namespaces (name, id) VALUES (?, ?)", [*self._spaces.items()])
        connection.execute(
            "INSERT INTO context_tags SELECT t.value, c.ns, c.seq FROM contexts c JOIN updates u ON u.seq = c.seq,"
            " json_each(u.tags) t WHERE c.deleted = 0"
        )
        self._counts.updates += 2 * reopen_cards(connection, now)  # a version of the card, and of its call
        return self._counts

    def _fault(self, words: str) -> ImportFaultError:
        return ImportFaultError(self._line, words)

    def _begin(self, entry: Json) -> None:
        if entry.get("pepper") != "store" or not isinstance(entry.get("format"), int):
            raise self._fault("this is not an export of a Pepper store")
        if entry["format"] > portable.FORMAT or _whole(entry.get("schema"), 1) > len(MIGRATIONS):
            raise self._fault("the export is from a newer Pepper: update this one")
        self._header = {**entry, "last_seq": _whole(entry.get("last_seq"), 0)}

    def _update(self, values: Json) -> None:
        seq = self._number(values, "seq", 1)
        if seq <= self._last:
            raise self._fault(f"update {seq} comes after {self._last}; the order of the log is lost")
        self._last = seq
        namespace, ident = self._text(values, "namespace"), self._text(values, "id")
        if not namespace:
            raise self._fault("the namespace is empty")
        ns = self._spaces.setdefault(namespace, len(self._spaces) + 1)
        previous = values["previous"]
        if previous != self._current.get((ns, ident)):
            raise self._fault(f"update {seq} names {previous!r} as its previous version, which is wrong")
        self._current[ns, ident] = seq
        data, metadata = self._object(values, "data"), self._object(values, "metadata")
        tags = self._texts(values, "tags")
        text = self._text(values, "text")
        encoded = encode(data)
        indexed = values["body"] if "body" in values else body(text, encoded)
        if indexed is not None and not isinstance(indexed, str):
            raise self._fault("body is not a text")
        version, kind = self._number(values, "version", 1), self._text(values, "type")
        created, updated = self._time(values, "created_at"), self._time(values, "updated_at")
        expires = None if values["expires_at"] is None else self._time(values, "expires_at")
        deleted = values["deleted"]
        if not isinstance(deleted, bool):
            raise self._fault("deleted is neither true nor false")
        self._connection.execute(
            "INSERT INTO updates VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *(seq, ns, ident, version, kind, encoded, text, indexed, encode_tags(tuple(sorted(set(tags))))),
                *(encode(metadata), created, updated, expires, int(deleted), previous),
            ),
        )
        self._connection.execute(
            "INSERT OR REPLACE INTO contexts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (ns, ident, seq, version, int(deleted), kind, created, updated, expires),
        )
        self._counts.updates += 1

    def _subscription(self, values: Json) -> None:
        name = self._text(values, "name")
        if name in self._subscriptions:
            raise self._fault(f"there are two subscriptions {name[:60]!r}")
        ident = self._subscriptions[name] = len(self._subscriptions) + 1
        lists = (json.dumps(self._texts(values, "namespaces")), json.dumps(self._texts(values, "tags")))
        self._connection.execute(
            "INSERT INTO subscriptions VALUES (?, ?, ?, ?, ?, ?)",
            (ident, name, *lists, int(values["coded"] is True), self._time(values, "created_at")),
        )
        self._counts.subscriptions += 1

    def _delivery(self, values: Json) -> None:
        ident = self._subscriptions.get(self._text(values, "subscription"))
        if ident is None:
            raise self._fault("a delivery of a subscription that does not exist")
        rank, state, key = values["rank"], values["state"], values["order_key"]
        if state not in _STATES:
            raise self._fault("a delivery in a state that does not exist")
        self._connection.execute(
            "INSERT INTO deliveries (subscription, seq, rank, state, attempts, due, error, order_key)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *(ident, self._logged(values), None if rank is None else self._number(values, "rank", -(2**40)), state),
                *(self._number(values, "attempts", 0), self._time(values, "due"), self._text(values, "error")),
                None if key is None else self._text(values, "order_key"),
            ),
        )
        self._counts.deliveries += 1

    def _dedupe(self, values: Json) -> None:
        ns = self._spaces.get(self._text(values, "namespace"))
        if ns is None:
            raise self._fault("a dedupe key of a namespace that does not exist")
        self._connection.execute(
            "INSERT OR REPLACE INTO dedupe VALUES (?, ?, ?, ?)",
            (ns, self._text(values, "key"), self._logged(values), self._time(values, "until")),
        )
        self._counts.dedupe += 1

    def _end(self, values: Json) -> None:
        if values != self._counts.data():
            raise self._fault(f"lines are missing: there should be {values}, there are {self._counts.data()}")
        self._ended = True

    # -------------------------------------------------------------------------------------------- values

    def _logged(self, values: Json) -> int:
        seq = self._number(values, "seq", 1)
        if self._connection.execute("SELECT 1 FROM updates WHERE seq = ?", (seq,)).fetchone() is None:
            raise self._fault(f"it names update {seq}, which there is not")
        return seq

    def _text(self, values: Json, key: str) -> str:
        value = values[key]
        if not isinstance(value, str):
            raise self._fault(f"{key} is not a text")
        return safe(value)

    def _texts(self, values: Json, key: str) -> list[str]:
        value = values[key]
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise self._fault(f"{key} is not a list of texts")
        return [safe(each) for each in value]

    def _object(self, values: Json, key: str) -> Json:
        value = values[key]
        if not isinstance(value, dict):
            raise self._fault(f"{key} is not a JSON object")
        return value

    def _number(self, values: Json, key: str, least: int) -> int:
        value = values[key]
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value < 2**62:
            raise self._fault(f"{key} is not a whole number from {least} on")
        return value

    def _time(self, values: Json, key: str) -> float:
        value = values[key]
        if not isinstance(value, int | float) or isinstance(value, bool) or not abs(value) <= sys.float_info.max:
            raise self._fault(f"{key} is no time")
        return float(value)


def _whole(value: Any, otherwise: int) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**62 else otherwise
