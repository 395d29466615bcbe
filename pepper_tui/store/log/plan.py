"""The rows of one transaction, computed in memory from units before anything is written.

A plan reads the current state, decides the outcome of each operation (a new version, no change, a duplicate), and
computes the deliveries; ``flush`` then writes with one ``executemany`` per table.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from pepper_tui.model import DELIVERY, Context, DeliveryState
from pepper_tui.store.delivery.subscription import Subscriptions
from pepper_tui.store.errors import StaleDeliveryError, StoreError, VersionConflictError
from pepper_tui.store.log.content import SELECT, Current, Row, Write, body, coded_of, encode_tags, update_of
from pepper_tui.store.unit import Delete, Move, Unit


@dataclass(slots=True)
class Book:
    """The writer's state between transactions; used only on the write connection."""

    namespaces: dict[str, int] = field(default_factory=dict)
    subscriptions: Subscriptions = field(default_factory=Subscriptions)
    last_seq: int = 0
    indexed: int = 0  # the last seq in the search index


Key = tuple[int, str]


class Plan:
    """The rows of a run of units. Discard it and nothing has happened."""

    def __init__(self, book: Book, connection: sqlite3.Connection) -> None:
        self.book = book
        self.connection = connection
        self.last_seq = book.last_seq
        self.new_namespaces: dict[str, int] = {}
        self.rows: dict[int, Row] = {}  # rows of SELECT, by seq
        self.woken: set[str] = set()
        self.prolonged: set[str] = set()
        self._updates: list[tuple[Any, ...]] = []
        self._current: dict[Key, Current | None] = {}
        self._changed: dict[Key, tuple[Any, ...]] = {}
        self._expiries: dict[int, tuple[Any, ...]] = {}
        self._tagged: dict[int, tuple[int, tuple[str, ...]]] = {}  # seq -> ns, tags
        self._untagged: list[tuple[str, int, int]] = []
        self._dedupe: dict[tuple[int, str], tuple[int, float]] = {}
        self._deliveries: list[tuple[Any, ...]] = []
        self._moves: dict[tuple[int, int], Move] = {}

    # ------------------------------------------------------------------------------------------------- units

    def add(self, unit: Unit) -> list[Any]:
        """Add a unit; return the outcome of each operation.

        If only deliveries can fail, it raises before it changes the plan; a ``conditional`` unit that raises leaves a
        plan to discard.
        """
        first = unit.operations[0]
        if len(unit.operations) == 1 and isinstance(first, Write):  # by far the most common
            return [self._write(first)]
        moves = [op for op in unit.operations if isinstance(op, Move)]
        checked = [self._check(move) for move in moves]
        self._moves.update(zip(checked, moves, strict=True))
        results: list[Any] = []
        for op in unit.operations:
            if isinstance(op, Write):
                results.append(self._write(op))
            elif isinstance(op, Delete):
                results.append(self._delete(op))
            else:
                results.append(None)
        return results

    def _check(self, move: Move) -> tuple[int, int]:
        subscription = self.book.subscriptions.by_name.get(move.subscription)
        if subscription is None:
            raise StoreError(f"no subscription is called {move.subscription}")
        key = (subscription.id, move.seq)
        row = self.connection.execute("SELECT state FROM deliveries WHERE subscription = ? AND seq = ?", key).fetchone()
        if key in self._moves or row is None or not DELIVERY.allows(DeliveryState(row[0]), move.to):
            raise StaleDeliveryError(move.subscription, move.seq)
        if move.to is not DeliveryState.DONE or subscription.order_key is not None:
            self.woken.add(move.subscription)
        return key

    # -------------------------------------------------------------------------------------------- operations

    def _write(self, op: Write) -> Context:
        ns = self._namespace(op.namespace)
        if op.dedupe_key is not None:
            first = self._duplicate(ns, op.dedupe_key, op.at)
            if first is not None:
                return first
        key = (ns, op.context_id)
        current = self._find(key)
        live = current is not None and current.live(op.at)
        self._expect(op, current)
        tags = encode_tags(op.tags)
        previous, version, created = None, 1, op.at
        if current is not None:
            old = self._row(current.seq)
            if live and old[4:9] == (op.type, op.data, op.text, tags, op.metadata):
                if current.expires_at != op.expires_at:
                    self._prolong(key, current, op.expires_at)
                    self.prolonged.add(op.namespace)
                return self._context(current.seq)
            if not current.deleted:
                self._untag(ns, old)
            previous, version = current.seq, current.version + 1
            if live:
                created = current.created_at
        self.last_seq = seq = self.last_seq + 1
        row: Row = (
            seq,
            op.namespace,
            op.context_id,
            version,
            op.type,
            op.data,
            op.text,
            tags,
            op.metadata,
            created,
            op.at,
            op.expires_at,
            0,
        )
        self._append(ns, row, body(op.text, op.data), previous)
        if op.tags:
            self._tagged[seq] = (ns, op.tags)
        self._current[key] = Current(seq, version, False, created, op.expires_at)
        self._changed[key] = (ns, op.context_id, seq, version, 0, op.type, created, op.at, op.expires_at)
        if op.dedupe_key is not None:
            self._dedupe[ns, op.dedupe_key] = (seq, op.dedupe_until)
        context = op.context(version, seq, created)
        self._deliver(row, context.tags)
        return context

    @staticmethod
    def _expect(op: Write | Delete, current: Current | None) -> None:
        if op.expect_version is not None:
            found = current.version if current is not None and current.live(op.at) else 0
            if found != op.expect_version:
                raise VersionConflictError(op.namespace, op.context_id, op.expect_version, found)

    def _delete(self, op: Delete) -> bool:
        known = self._known(op.namespace)
        current = None if known is None else self._find((known, op.context_id))
        self._expect(op, current)
        if known is None or current is None or current.deleted:
            return False
        live = current.live(op.at)
        old = self._row(current.seq)
        self._untag(known, old)
        self.last_seq = seq = self.last_seq + 1
        row: Row = (seq, *old[1:10], op.at, old[11], 1)
        self._append(known, row, None, current.seq)
        version, created, expires_at = current.version, current.created_at, current.expires_at
        self._current[known, op.context_id] = Current(seq, version, True, created, expires_at)
        self._changed[known, op.context_id] = (
            known,
            op.context_id,
            seq,
            version,
            1,
            old[4],
            created,
            op.at,
            expires_at,
        )
        self._deliver(row, frozenset(json.loads(old[7])))
        return live

    def _deliver(self, row: Row, tags: frozenset[str]) -> None:
        update = None
        for subscription in self.book.subscriptions.route(row[1]):
            if not subscription.tags <= tags:
                continue
            place: tuple[int | None, str | None] | None = (0, None)
            if subscription.coded:
                if subscription.registered:
                    update = update or update_of(row)
                    place = subscription.place(update)
                else:
                    place = (None, None)
            if place is not None:
                self._deliveries.append((subscription.id, row[0], *place))
                self.woken.add(subscription.name)

    # ------------------------------------------------------------------------------------------------- rows

    def _known(self, name: str) -> int | None:
        found = self.book.namespaces.get(name)
        return self.new_namespaces.get(name) if found is None else found

    def _namespace(self, name: str) -> int:
        found = self._known(name)
        if found is None:
            taken = len(self.book.namespaces) + len(self.new_namespaces)
            found = self.new_namespaces[name] = taken + 1  # namespaces are never removed
        return found

    def _find(self, key: Key) -> Current | None:
        if key not in self._current:
            row = self.connection.execute(
                "SELECT seq, version, deleted, created_at, expires_at FROM contexts WHERE ns = ? AND context_id = ?",
                key,
            ).fetchone()
            self._current[key] = None if row is None else Current(row[0], row[1], bool(row[2]), *row[3:])
        return self._current[key]

    def _prolong(self, key: Key, current: Current, expires_at: float | None) -> None:
        current.expires_at = expires_at
        self._expiries[current.seq] = (expires_at, current.seq, *key)
        if current.seq in self.rows:
            row = self.rows[current.seq]
            self.rows[current.seq] = (*row[:11], expires_at, row[12])

    def _append(self, ns: int, row: Row, indexed: str | None, previous: int | None) -> None:
        self.rows[row[0]] = row
        self._updates.append((row[0], ns, *row[2:7], indexed, *row[7:], previous))

    def _row(self, seq: int) -> Row:
        row = self.rows.get(seq)
        if row is None:
            found: Row = self.connection.execute(f"{SELECT} WHERE u.seq = ?", (seq,)).fetchone()
            expiry = self._expiries.get(seq)
            row = found if expiry is None else (*found[:11], expiry[0], found[12])
        return row

    def _context(self, seq: int) -> Context:
        return coded_of(self._row(seq))

    def _duplicate(self, ns: int, key: str, now: float) -> Context | None:
        planned = self._dedupe.get((ns, key))
        if planned is None:
            planned = self.connection.execute(
                "SELECT seq, until FROM dedupe WHERE ns = ? AND key = ?", (ns, key)
            ).fetchone()
        return None if planned is None or planned[1] <= now else self._context(planned[0])

    def _untag(self, ns: int, row: Row) -> None:
        """Drop the tags of the version in ``row``, which is no longer the current one."""
        if row[0] in self.rows:
            self._tagged.pop(row[0], None)
        else:
            self._untagged.extend((tag, ns, row[0]) for tag in json.loads(row[7]))

    # ------------------------------------------------------------------------------------------------- writing

    def flush(self) -> None:
        """Write all rows. The transaction is the caller's."""
        for sql, rows in self._statements():
            self.connection.executemany(sql, rows)

    def _statements(self) -> Iterator[tuple[str, list[tuple[Any, ...]]]]:
        if self.new_namespaces:
            names = [(ident, name) for name, ident in self.new_namespaces.items()]
            yield "INSERT INTO namespaces (id, name) VALUES (?, ?)", names
        if self._updates:
            yield "INSERT INTO updates VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", self._updates
        if self._changed:
            yield "INSERT OR REPLACE INTO contexts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", [*self._changed.values()]
        if self._expiries:
            rows = [*self._expiries.values()]
            yield "UPDATE updates SET expires_at = ? WHERE seq = ?", [row[:2] for row in rows]
            yield "UPDATE contexts SET expires_at = ? WHERE seq = ? AND ns = ? AND context_id = ?", rows
        if self._untagged:
            yield "DELETE FROM context_tags WHERE tag = ? AND ns = ? AND seq = ?", [*self._untagged]
        if self._tagged:
            tags = [(tag, ns, seq) for seq, (ns, names) in self._tagged.items() for tag in names]
            yield "INSERT INTO context_tags VALUES (?, ?, ?)", tags
        if self._dedupe:
            yield "INSERT OR REPLACE INTO dedupe VALUES (?, ?, ?, ?)", [(*k, *v) for k, v in self._dedupe.items()]
        if self._deliveries:
            yield (
                "INSERT INTO deliveries (subscription, seq, rank, order_key, state) VALUES (?, ?, ?, ?, 'pending')",
                self._deliveries,
            )
        done = [key for key, move in self._moves.items() if move.to is DeliveryState.DONE]
        if done:
            yield "DELETE FROM deliveries WHERE subscription = ? AND seq = ?", done
        other = [
            (move.to.value, int(move.counts), move.due, move.error, *key)
            for key, move in self._moves.items()
            if move.to is not DeliveryState.DONE
        ]
        if other:
            yield (
                "UPDATE deliveries SET state = ?, attempts = attempts + ?, due = ?, error = ?"
                " WHERE subscription = ? AND seq = ?",
                other,
            )

    def keep(self) -> None:
        """Copy the plan's facts to the book, once its transaction is committed (or, within one, flushed)."""
        self.book.last_seq = self.last_seq
        self.book.namespaces.update(self.new_namespaces)
