"""Subscriptions as the writer sees them: what they match, and their code (rank, order key) once registered."""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final, Literal

from pepper_tui.model import ContextUpdate
from pepper_tui.store.log.content import SELECT, update_of
from pepper_tui.store.namespaces import matches, resolve

log = logging.getLogger(__name__)

Rank = Callable[[ContextUpdate], int | None]
OrderKey = Callable[[ContextUpdate], str | None]
Start = Literal["now", "beginning"]
LAST_RANK: Final = 1_000_000  # ranks are clamped to ±this; an update whose rank function failed gets it


@dataclass(slots=True)
class Subscription:
    """A durable interest in updates.

    ``coded`` ones have a rank or an order key, which are functions and exist only in a running process: until they are
    registered again, their deliveries have no rank.
    """

    id: int
    name: str
    namespaces: tuple[str, ...]
    tags: frozenset[str]
    coded: bool
    rank: Rank | None = None
    order_key: OrderKey | None = None
    registered: bool = field(default=False)

    def place(self, update: ContextUpdate) -> tuple[int, str | None] | None:
        """Return an update's rank and order key, or None if it is not to be delivered."""
        rank: int | None = 0
        key: str | None = None
        try:
            rank = 0 if self.rank is None else self.rank(update)
            key = None if rank is None or self.order_key is None else self.order_key(update)
        except Exception:
            log.exception("rank or order key of %s failed on update %d", self.name, update.seq)
            return LAST_RANK, None
        return None if rank is None else (max(-LAST_RANK, min(LAST_RANK, int(rank))), key)


class Subscriptions:
    """All subscriptions of a store; used only on the write connection."""

    def __init__(self) -> None:
        self.by_id: dict[int, Subscription] = {}
        self.by_name: dict[str, Subscription] = {}
        self._routes: dict[str, tuple[Subscription, ...]] = {}

    def load(self, connection: sqlite3.Connection) -> None:
        for ident, name, namespaces, tags, coded in connection.execute(
            "SELECT id, name, namespaces, tags, coded FROM subscriptions"
        ):
            self._add(
                Subscription(ident, name, tuple(json.loads(namespaces)), frozenset(json.loads(tags)), bool(coded))
            )

    def _add(self, subscription: Subscription) -> None:
        self.by_id[subscription.id] = subscription
        self.by_name[subscription.name] = subscription
        self._routes.clear()

    def route(self, namespace: str) -> tuple[Subscription, ...]:
        """Return the subscriptions whose namespaces match this one; their tags must still be checked."""
        found = self._routes.get(namespace)
        if found is None:
            found = tuple(s for s in self.by_id.values() if matches(s.namespaces, namespace))
            self._routes[namespace] = found
        return found

    def register(
        self,
        connection: sqlite3.Connection,
        name: str,
        *,
        namespaces: Iterable[str],
        tags: Iterable[str],
        rank: Rank | None,
        order_key: OrderKey | None,
        start: Start,
        now: float,
        known: dict[str, int],
    ) -> Subscription:
        """Create the subscription, or resume the one of that name, in one transaction.

        A new one gets the log from the beginning, or only what comes after this transaction. A resumed one keeps its
        deliveries; those without a rank get one; changed namespaces or tags apply from now on.
        """
        definition = (json.dumps(list(namespaces)), json.dumps(sorted(tags)), int(bool(rank or order_key)))
        old = self.by_name.get(name)
        connection.execute("BEGIN IMMEDIATE")
        try:
            if old is None:
                cursor = connection.execute(
                    "INSERT INTO subscriptions (name, namespaces, tags, coded, created_at) VALUES (?, ?, ?, ?, ?)",
                    (name, *definition, now),
                )
                ident = int(cursor.lastrowid or 0)
            else:
                ident = old.id
                connection.execute(
                    "UPDATE subscriptions SET namespaces = ?, tags = ?, coded = ? WHERE id = ?", (*definition, ident)
                )
            new = Subscription(
                ident, name, tuple(namespaces), frozenset(tags), bool(definition[2]), rank, order_key, registered=True
            )
            if old is None and start == "beginning":
                self._backfill(connection, new, known)
            elif old is not None and old.coded:
                self._give_places(connection, new)
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        self._add(new)
        return new

    def forget(self, connection: sqlite3.Connection, name: str) -> bool:
        """Remove the subscription and its deliveries."""
        old = self.by_name.get(name)
        if old is None:
            return False
        connection.execute("BEGIN IMMEDIATE")
        try:
            connection.execute("DELETE FROM deliveries WHERE subscription = ?", (old.id,))
            connection.execute("DELETE FROM subscriptions WHERE id = ?", (old.id,))
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        del self.by_id[old.id], self.by_name[name]
        self._routes.clear()
        return True

    @staticmethod
    def _backfill(connection: sqlite3.Connection, new: Subscription, known: dict[str, int]) -> None:
        listed = ",".join(map(str, resolve(new.namespaces, known))) or "NULL"
        last = 0
        while True:
            rows = connection.execute(
                f"{SELECT} WHERE u.seq > ? AND u.ns IN ({listed}) ORDER BY u.seq LIMIT 1000", (last,)
            ).fetchall()
            if not rows:
                return
            last = rows[-1][0]
            deliveries = []
            for row in rows:
                update = update_of(row)
                place = new.place(update) if new.tags <= update.context.tags else None
                if place is not None:
                    deliveries.append((new.id, update.seq, *place))
            connection.executemany(
                "INSERT INTO deliveries (subscription, seq, rank, order_key, state) VALUES (?, ?, ?, ?, 'pending')",
                deliveries,
            )

    @staticmethod
    def _give_places(connection: sqlite3.Connection, new: Subscription) -> None:
        while True:
            rows = connection.execute(
                f"{SELECT} JOIN deliveries d ON d.seq = u.seq"
                " WHERE d.subscription = ? AND d.rank IS NULL ORDER BY d.seq LIMIT 1000",
                (new.id,),
            ).fetchall()
            if not rows:
                return
            for row in rows:
                place = new.place(update_of(row))
                if place is None:
                    connection.execute("DELETE FROM deliveries WHERE subscription = ? AND seq = ?", (new.id, row[0]))
                else:
                    connection.execute(
                        "UPDATE deliveries SET rank = ?, order_key = ? WHERE subscription = ? AND seq = ?",
                        (*place, new.id, row[0]),
                    )
