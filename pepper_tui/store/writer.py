"""Group commit: the one place where the store is written.

Units wait on a list; one flusher takes up to 512 operations, and applies them as ONE function on the write
connection's thread: BEGIN IMMEDIATE … COMMIT. Then futures resolve, then subscribers wake. A group that fails is
rolled back and its units retried one by one, so only the guilty one fails. A unit handed over is committed whole
or not at all, whatever becomes of the task that waits for it.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from .content import Row
from .database import Database
from .errors import StoreError
from .plan import Book, Plan
from .unit import Operation, Unit

log = logging.getLogger(__name__)
T = TypeVar("T")
GROUP: Final = 512  # operations a commit


@dataclass(slots=True)
class Committed:
    """What one group came to: a result or an error for each unit, the new log rows, and whom to wake."""

    outcomes: list[list[Any] | Exception]
    rows: list[Row] = field(default_factory=list)
    woken: set[str] = field(default_factory=set)
    namespaces: dict[str, int] = field(default_factory=dict)


class Writer:
    """The flusher over the write connection. ``after`` is called on the loop with each committed group."""

    def __init__(self, database: Database, book: Book, after: Callable[[Committed], None], group: int = GROUP) -> None:
        self._group = group
        self._database = database
        self._book = book
        self._after = after
        self._pending: deque[Unit] = deque()
        self._wake = asyncio.Event()
        self._closing = False
        self._task = asyncio.create_task(self._flush(), name="store-writer")

    def submit(self, operations: list[Operation]) -> asyncio.Future[list[Any]]:
        """Hand a unit over. The future becomes its results after the commit, or its error."""
        if self._closing:
            raise StoreError("the store is closed")
        done: asyncio.Future[list[Any]] = asyncio.get_running_loop().create_future()
        self._pending.append(Unit(operations, done))
        self._wake.set()
        return done

    async def run(self, function: Callable[[sqlite3.Connection, Book], T]) -> T:
        """A function of its own on the write connection, between groups; it makes its own transaction."""
        if self._closing:
            raise StoreError("the store is closed")
        return await self._database.run(lambda connection: function(connection, self._book))

    async def close(self) -> None:
        """Commit what was handed over, then stop taking more."""
        self._closing = True
        self._wake.set()
        await asyncio.shield(self._task)

    async def _flush(self) -> None:
        while True:
            if not self._pending:
                if self._closing:
                    return
                self._wake.clear()
                await self._wake.wait()
                continue
            group = self._take()
            try:
                committed = await self._database.run(lambda connection, group=group: self._apply(connection, group))  # type: ignore[misc]
            except Exception as error:
                log.exception("a group of %d units could not be applied", len(group))
                committed = Committed([_failure(error) for _ in group])
            try:
                self._after(committed)
            except Exception:
                log.exception("a watcher failed")
            for unit, outcome in zip(group, committed.outcomes, strict=True):
                if unit.done.done():
                    continue  # its task was cancelled; the unit is committed all the same
                if isinstance(outcome, Exception):
                    unit.done.set_exception(outcome)
                    unit.done.exception()  # a task that is gone need not fetch it
                else:
                    unit.done.set_result(outcome)

    def _take(self) -> list[Unit]:
        group = [self._pending.popleft()]
        size = len(group[0].operations)
        while self._pending and size + len(self._pending[0].operations) <= self._group:
            group.append(self._pending.popleft())
            size += len(group[-1].operations)
        return group

    # ------------------------------------------------------------------------ on the connection's thread

    def _apply(self, connection: sqlite3.Connection, group: list[Unit]) -> Committed:
        try:
            return self._commit(connection, group)
        except Exception as error:
            if len(group) == 1:
                return Committed([_failure(error)])
            log.warning("a group of %d units failed (%s): retrying one by one", len(group), error)
        merged = Committed([])
        for unit in group:
            try:
                alone = self._commit(connection, [unit])
            except Exception as error:
                alone = Committed([_failure(error)])
            merged.outcomes += alone.outcomes
            merged.rows += alone.rows
            merged.woken |= alone.woken
            merged.namespaces |= alone.namespaces
        return merged

    def _commit(self, connection: sqlite3.Connection, group: list[Unit]) -> Committed:
        last_seq, names = self._book.last_seq, set(self._book.namespaces)
        result = Committed([])
        connection.execute("BEGIN IMMEDIATE")
        try:
            plan = Plan(self._book, connection)
            for unit in group:
                conditional = unit.conditional
                if conditional:  # it may fail half-planned: it gets a plan of its own, on top of what is flushed
                    self._settle(plan, result)
                    plan = Plan(self._book, connection)
                try:
                    result.outcomes.append(plan.add(unit))
                except StoreError as error:
                    result.outcomes.append(error)
                    if conditional:
                        plan = Plan(self._book, connection)
                if conditional:
                    self._settle(plan, result)
                    plan = Plan(self._book, connection)
            self._settle(plan, result)
            connection.execute("COMMIT")
        except BaseException:
            self._book.last_seq = last_seq
            for name in set(self._book.namespaces) - names:
                del self._book.namespaces[name]
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        return result

    @staticmethod
    def _settle(plan: Plan, result: Committed) -> None:
        plan.flush()
        plan.keep()
        result.rows.extend(plan.rows.values())
        result.woken |= plan.woken
        result.namespaces |= plan.new_namespaces


def _failure(error: Exception) -> Exception:
    if isinstance(error, StoreError):
        return error
    failure = StoreError(f"nothing of this was stored: {error}")
    failure.__cause__ = error
    return failure
