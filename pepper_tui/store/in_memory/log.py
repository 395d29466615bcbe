"""The log as dicts, with rows as in the file, and a unit's result, which is taken over whole or dropped."""

from __future__ import annotations

import json
from collections import ChainMap
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from pepper_tui.model import DELIVERY, Context, DeliveryState
from pepper_tui.store.delivery.subscription import Subscription
from pepper_tui.store.errors import StaleDeliveryError, StoreError, VersionConflictError
from pepper_tui.store.log.content import Current, Row, Write, context_of, encode_tags, update_of
from pepper_tui.store.namespaces import matches
from pepper_tui.store.unit import Delete, Move, Operation

Name = tuple[str, str]  # namespace, id


@dataclass(frozen=True, slots=True)
class Held:
    """One open or dead delivery."""

    rank: int
    order_key: str | None
    state: DeliveryState = DeliveryState.PENDING
    attempts: int = 0
    due: float = 0.0
    error: str = ""


@dataclass(frozen=True, slots=True)
class Committed:
    """The result of a unit: that of each operation, the new rows, and the subscriptions to wake."""

    results: list[Any]
    rows: list[Row]
    woken: set[str]


class MemoryLog:
    """The log. ``deliveries`` are by (subscription, seq); ``previous`` leads from each version to the one before."""

    def __init__(self) -> None:
        self.rows: dict[int, Row] = {}
        self.previous: dict[int, int] = {}
        self.current: dict[Name, Current] = {}
        self.dedupe: dict[Name, tuple[int, float]] = {}  # (namespace, key) -> seq, until
        self.deliveries: dict[tuple[str, int], Held | None] = {}
        self.subscriptions: dict[str, Subscription] = {}
        self.last_seq = 0

    def commit(self, operations: Sequence[Operation]) -> Committed:
        """Apply the unit. Raises ``StoreError``; then nothing has changed."""
        staged = _Staged(self)
        results = staged.add(operations)
        self.rows.update(staged.rows.maps[0])
        self.previous.update(staged.previous.maps[0])
        self.current.update(staged.current.maps[0])
        self.dedupe.update(staged.dedupe.maps[0])
        for key, held in staged.deliveries.maps[0].items():
            if held is None:
                self.deliveries.pop(key, None)
            else:
                self.deliveries[key] = held
        new = [self.rows[seq] for seq in range(self.last_seq + 1, staged.last_seq + 1)]
        self.last_seq = staged.last_seq
        return Committed(results, new, staged.woken)

    def revive(self, name: str, seq: int) -> None:
        """Reopen a dead delivery with no attempts counted."""
        held = self.deliveries[name, seq]
        if held is not None:
            self.deliveries[name, seq] = replace(held, state=DeliveryState.PENDING, attempts=0, due=0.0)

    def held(self, name: str | None = None) -> list[tuple[str, int, Held]]:
        """Return subscription, seq and delivery of all that is not done (of subscription ``name``), in log order."""
        found = [(each, seq, held) for (each, seq), held in self.deliveries.items() if held and name in (None, each)]
        return sorted(found, key=lambda one: (one[1], self.subscriptions[one[0]].id))


class _Staged:
    """A log's maps with one unit layered on top; the log itself is unchanged."""

    def __init__(self, log: MemoryLog) -> None:
        self._subscriptions = log.subscriptions
        self.rows: ChainMap[int, Row] = ChainMap({}, log.rows)
        self.previous: ChainMap[int, int] = ChainMap({}, log.previous)
        self.current: ChainMap[Name, Current] = ChainMap({}, log.current)
        self.dedupe: ChainMap[Name, tuple[int, float]] = ChainMap({}, log.dedupe)
        self.deliveries: ChainMap[tuple[str, int], Held | None] = ChainMap({}, log.deliveries)
        self.last_seq = log.last_seq
        self.woken: set[str] = set()

    def add(self, operations: Sequence[Operation]) -> list[Any]:
        for op in operations:
            if isinstance(op, Move):
                self._move(op)
        results: list[Any] = []
        for op in operations:
            if isinstance(op, Write):
                results.append(self._write(op))
            elif isinstance(op, Delete):
                results.append(self._delete(op))
            else:
                results.append(None)
        return results

    def _move(self, op: Move) -> None:
        subscription = self._subscriptions.get(op.subscription)
        if subscription is None:
            raise StoreError(f"no subscription is called {op.subscription}")
        held = self.deliveries.get((op.subscription, op.seq))
        if held is None or not DELIVERY.allows(held.state, op.to):
            raise StaleDeliveryError(op.subscription, op.seq)
        done = op.to is DeliveryState.DONE
        self.deliveries[op.subscription, op.seq] = (
            None if done else replace(held, state=op.to, attempts=held.attempts + op.counts, due=op.due, error=op.error)
        )
        if not done or subscription.order_key is not None:
            self.woken.add(op.subscription)

    def _write(self, op: Write) -> Context:
        first = self.dedupe.get((op.namespace, op.dedupe_key)) if op.dedupe_key is not None else None
        if first is not None and first[1] > op.at:
            return context_of(self.rows[first[0]])
        name = (op.namespace, op.context_id)
        current = self.current.get(name)
        self._expect(op, current)
        live = current is not None and current.live(op.at)
        content = (op.type, op.data, op.text, encode_tags(op.tags), op.metadata)
        if current is not None and live and self.rows[current.seq][4:9] == content:
            if current.expires_at != op.expires_at:
                self.current[name] = replace(current, expires_at=op.expires_at)
                old = self.rows[current.seq]
                self.rows[current.seq] = (*old[:11], op.expires_at, old[12])
            return context_of(self.rows[current.seq])
        version = current.version + 1 if current is not None else 1
        created = current.created_at if current is not None and live else op.at
        seq = self._append(current, (*name, version, *content, created, op.at, op.expires_at, 0))
        self.current[name] = Current(seq, version, False, created, op.expires_at)
        if op.dedupe_key is not None:
            self.dedupe[op.namespace, op.dedupe_key] = (seq, op.dedupe_until)
        return context_of(self.rows[seq])

    def _delete(self, op: Delete) -> bool:
        name = (op.namespace, op.context_id)
        current = self.current.get(name)
        self._expect(op, current)
        if current is None or current.deleted:
            return False
        old = self.rows[current.seq]
        seq = self._append(current, (*old[1:10], op.at, old[11], 1))
        self.current[name] = replace(current, seq=seq, deleted=True)
        return current.live(op.at)

    @staticmethod
    def _expect(op: Write | Delete, current: Current | None) -> None:
        found = current.version if current is not None and current.live(op.at) else 0
        if op.expect_version is not None and found != op.expect_version:
            raise VersionConflictError(op.namespace, op.context_id, op.expect_version, found)

    def _append(self, current: Current | None, row: Row) -> int:
        """Add ``row``, which lacks its seq, and its deliveries."""
        self.last_seq = seq = self.last_seq + 1
        whole: Row = (seq, *row)
        self.rows[seq] = whole
        if current is not None:
            self.previous[seq] = current.seq
        for subscription in self._subscriptions.values():
            place = place_of(subscription, whole)
            if place is not None:
                self.deliveries[subscription.name, seq] = Held(*place)
                self.woken.add(subscription.name)
        return seq


def place_of(subscription: Subscription, row: Row) -> tuple[int, str | None] | None:
    """Return the rank and the order key of a row, or None if the subscription does not pick it."""
    if not matches(subscription.namespaces, row[1]) or not subscription.tags <= set(json.loads(row[7])):
        return None
    return subscription.place(update_of(row)) if subscription.coded else (0, None)
