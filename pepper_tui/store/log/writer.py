"""Group commit: the one place where the store is written.

Units wait on a list; one flusher takes up to 512 operations, and applies them as ONE function on the write connection's
thread: BEGIN IMMEDIATE … COMMIT. Then futures resolve, then subscribers wake. A group that fails is rolled back and its
units are retried one by one, so that only the faulty one fails. A submitted unit is committed whole or not at all, even
if the task waiting for it is gone.

Once nothing was written for a while, the search index is brought up to date, and the write-ahead log is folded into the
file and truncated. An idle store has no timer.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

from pepper_tui.store.errors import StoreError
from pepper_tui.store.log.content import Row
from pepper_tui.store.log.database import Database
from pepper_tui.store.log.health import refused
from pepper_tui.store.log.plan import Book, Plan
from pepper_tui.store.search import index as search_index
from pepper_tui.store.unit import Operation, Unit

log = logging.getLogger(__name__)
T = TypeVar("T")
GROUP: Final = 512  # operations per commit
IDLE: Final = 2.0  # seconds without a write after which the store tidies up
READER_WAIT: Final = 50  # milliseconds that tidying up waits for a reader, before it is left for later


@dataclass(slots=True)
class Committed:
    """The outcome of one group: a result or an error for each unit, the new log rows, and whom to wake."""

    outcomes: list[list[Any] | Exception]
    rows: list[Row] = field(default_factory=list)
    woken: set[str] = field(default_factory=set)
    namespaces: dict[str, int] = field(default_factory=dict)
    prolonged: set[str] = field(default_factory=set)  # namespaces in which only an expiry changed


class Writer:
    """The flusher on the write connection.

    On the loop, ``after`` is called with each committed group, ``failed`` with each error.
    """

    def __init__(
        self,
        path: Path,
        database: Database,
        book: Book,
        after: Callable[[Committed], None],
        failed: Callable[[Exception], None],
        group: int = GROUP,
    ) -> None:
        self._path = path
        self._group = group
        self._database = database
        self._book = book
        self._after = after
        self._failed = failed
        self._pending: deque[Unit] = deque()
        self._wake = asyncio.Event()
        self._closing = False
        self._index_at = book.indexed + search_index.BEHIND
        self._written = 0.0  # loop time: housekeeping does not depend on the injected clock
        self._timer: asyncio.TimerHandle | None = None
        self._tidying: asyncio.Task[None] | None = None
        self._deciding: set[asyncio.Task[Committed]] = set()
        self._task = asyncio.create_task(self._flush(), name="store-writer")

    def submit(self, operations: list[Operation]) -> asyncio.Future[list[Any]]:
        """Submit a unit. The future resolves to its results after the commit, or to its error."""
        if self._closing:
            raise StoreError("the store is closed")
        done: asyncio.Future[list[Any]] = asyncio.get_running_loop().create_future()
        self._pending.append(Unit(operations, done))
        self._wake.set()
        return done

    async def run(self, function: Callable[[sqlite3.Connection, Book], T]) -> T:
        """Run a function on the write connection, between groups; it makes its own transaction."""
        if self._closing:
            raise StoreError("the store is closed")
        try:
            result = await self._database.run(lambda connection: function(connection, self._book))
        except sqlite3.Error as error:
            failure = self._failure(error)
            self._failed(failure)
            raise failure from error
        self._wrote()
        return result

    async def decide(self, work: Callable[[sqlite3.Connection, Book], list[Operation]]) -> list[Any]:
        """Commit the operations that ``work`` decides on the write connection, with nothing written in between.

        Returns their results. Raises what ``work`` raises, or ``StoreError``; then nothing is written.
        """
        if self._closing:
            raise StoreError("the store is closed")
        task = asyncio.create_task(self._decide(work), name="store-decide")
        self._deciding.add(task)
        task.add_done_callback(self._deciding.discard)
        [outcome] = (await asyncio.shield(task)).outcomes  # publish the commit even if the caller was cancelled
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    async def _decide(self, work: Callable[[sqlite3.Connection, Book], list[Operation]]) -> Committed:
        done: asyncio.Future[list[Any]] = asyncio.get_running_loop().create_future()

        def act(connection: sqlite3.Connection) -> Committed:
            return self._apply([Unit(work(connection, self._book), done)], connection)

        try:
            committed = await self._database.run(act)
        except sqlite3.Error as error:
            failure = self._failure(error)
            self._failed(failure)
            raise failure from error
        self._note(committed)
        self._wrote()
        self._after(committed)
        return committed

    async def index(self) -> None:
        """Bring the search index up to the last commit."""
        if self._book.indexed < self._book.last_seq:
            await self._database.run(self._index)

    async def close(self) -> None:
        """Commit what was submitted, then accept no more."""
        self._closing = True
        self._wake.set()
        await asyncio.shield(self._task)
        await asyncio.gather(*self._deciding, return_exceptions=True)
        if self._timer is not None:
            self._timer.cancel()
        if self._tidying is not None:
            await asyncio.shield(self._tidying)

    def _wrote(self) -> None:
        loop = asyncio.get_running_loop()
        self._written = loop.time()
        if self._timer is None and not self._closing:
            self._timer = loop.call_later(IDLE, self._look)

    def _look(self) -> None:
        loop = asyncio.get_running_loop()
        due = self._written + IDLE
        if loop.time() < due:
            self._timer = loop.call_at(due, self._look)
        else:
            self._timer = None
            self._tidying = loop.create_task(self._tidy_up(), name="store-tidy")

    async def _tidy_up(self) -> None:
        try:
            await self._database.run(self._tidy)
        except (sqlite3.Error, StoreError) as error:
            log.warning("the write-ahead log stays as it is for now: %s", error)
            self._failed(self._failure(error))

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
                committed = await self._database.run(partial(self._apply, group))
            except Exception as error:
                log.exception("a group of %d units could not be applied", len(group))
                committed = Committed([self._failure(error) for _ in group])
            self._wrote()
            self._note(committed)
            try:
                self._after(committed)
            except Exception:
                log.exception("a watcher failed")
            for unit, outcome in zip(group, committed.outcomes, strict=True):
                if unit.done.done():
                    continue  # its task was cancelled; the unit is committed anyway
                if isinstance(outcome, Exception):
                    unit.done.set_exception(outcome)
                    unit.done.exception()  # nobody may be left to fetch it
                else:
                    unit.done.set_result(outcome)
            if self._book.last_seq >= self._index_at:
                await self._database.run(self._index)  # runs beside the woken tasks: it is one statement, in C
            else:
                await asyncio.sleep(0)  # let woken tasks write first, so that their writes join the next group

    def _note(self, committed: Committed) -> None:
        for outcome in committed.outcomes:
            if isinstance(outcome, Exception):
                self._failed(outcome)

    def _take(self) -> list[Unit]:
        group = [self._pending.popleft()]
        size = len(group[0].operations)
        while self._pending and size + len(self._pending[0].operations) <= self._group:
            group.append(self._pending.popleft())
            size += len(group[-1].operations)
        return group

    # ------------------------------------------------------------------------ on the connection's thread

    def _index(self, connection: sqlite3.Connection) -> None:
        book = self._book
        self._index_at = book.last_seq + search_index.BEHIND
        try:
            search_index.catch_up(connection, book)
        except Exception as error:  # the log is what counts: it never fails because of its index
            log.warning("the search index stays behind for now: %s", error)

    def _tidy(self, connection: sqlite3.Connection) -> None:
        if self._book.indexed < self._book.last_seq:
            self._index(connection)
        before: int = connection.execute("PRAGMA busy_timeout").fetchone()[0]
        connection.execute(f"PRAGMA busy_timeout = {READER_WAIT}")
        try:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            connection.execute(f"PRAGMA busy_timeout = {before}")

    def _apply(self, group: list[Unit], connection: sqlite3.Connection) -> Committed:
        try:
            return self._commit(connection, group)
        except Exception as error:
            if len(group) == 1:
                return Committed([self._failure(error)])
            log.warning("a group of %d units failed (%s): retrying one by one", len(group), error)
        merged = Committed([])
        for unit in group:
            try:
                alone = self._commit(connection, [unit])
            except Exception as error:
                alone = Committed([self._failure(error)])
            merged.outcomes += alone.outcomes
            merged.rows += alone.rows
            merged.woken |= alone.woken
            merged.namespaces |= alone.namespaces
            merged.prolonged |= alone.prolonged
        return merged

    def _commit(self, connection: sqlite3.Connection, group: list[Unit]) -> Committed:
        book = self._book
        last_seq, names = book.last_seq, len(book.namespaces)
        result = Committed([])
        connection.execute("BEGIN IMMEDIATE")
        try:
            plan = Plan(book, connection)
            for unit in group:
                conditional = unit.conditional
                if conditional:  # it may fail half-planned, so it gets its own plan on top of what is flushed
                    self._settle(plan, result)
                    plan = Plan(book, connection)
                try:
                    result.outcomes.append(plan.add(unit))
                except StoreError as error:
                    result.outcomes.append(error)
                    if conditional:
                        plan = Plan(book, connection)
                if conditional:
                    self._settle(plan, result)
                    plan = Plan(book, connection)
            self._settle(plan, result)
            connection.execute("COMMIT")
        except BaseException:
            book.last_seq = last_seq
            while len(book.namespaces) > names:
                book.namespaces.popitem()  # dicts keep their order: this is the newest
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        return result

    def _failure(self, error: Exception) -> Exception:
        if isinstance(error, StoreError):
            return error
        refusal = refused(self._path, error)
        refusal.args = (f"nothing of this was stored: {refusal}",)
        refusal.__cause__ = error
        return refusal

    @staticmethod
    def _settle(plan: Plan, result: Committed) -> None:
        plan.flush()
        plan.keep()
        result.rows.extend(plan.rows.values())
        result.woken |= plan.woken
        result.namespaces |= plan.new_namespaces
        result.prolonged |= plan.prolonged
