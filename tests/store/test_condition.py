"""How the store says that it is in trouble, though it can't store that: full disks, locks, reads that fail, damage."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TypeVar

import pytest

from pepper_tui.clock import ManualClock
from pepper_tui.model import Health, Namespace
from pepper_tui.store import ContextStore, StoreError
from pepper_tui.store.log.condition import TRY_EVERY
from pepper_tui.store.log.database import ThreadDatabase
from tests.store.disks import fill, mounted
from tests.waiting import until

T = TypeVar("T")
LOCKS = """
import sqlite3, sys
held = sqlite3.connect(sys.argv[1], isolation_level=None)
held.execute("BEGIN EXCLUSIVE")
print("locked", flush=True)
sys.stdin.read()
"""


class Watched:
    """What is told of the store itself while it is open: ``told`` in order, ``now`` as the page of health has it."""

    def __init__(self, store: ContextStore, clock: ManualClock) -> None:
        self.store, self.clock = store, clock
        self.told: list[Health] = []

    async def follow(self) -> None:
        async with self.store.watch([Namespace.HEALTH]) as live:
            async for batch in live:
                self.told += [Health.of(update.context) for update in batch]

    async def now(self) -> Health:
        [own] = [context for context in await self.store.health() if context.context_id == "store"]
        return Health.of(own)

    async def becomes(self, state: str) -> Health:
        """Let time pass until it does."""

        async def reached() -> bool:
            if self.told and self.told[-1].state == state:
                return True
            await self.clock.advance(TRY_EVERY)
            return False

        await until(reached, 20, f"store {state}")
        assert await self.now() == self.told[-1]
        return self.told[-1]


@contextlib.asynccontextmanager
async def watched(store: ContextStore, clock: ManualClock) -> AsyncIterator[Watched]:
    found = Watched(store, clock)
    following = asyncio.create_task(found.follow())
    await until(lambda: len(store.live) > 0)
    assert (await found.now()).state == "ok"
    try:
        yield found
    finally:
        following.cancel()
        await store.close()


async def refused(store: ContextStore) -> None:
    with contextlib.suppress(StoreError):
        for number in range(200):
            await store.store({"long": "x " * 20_000, "n": number}, namespace="n")
        pytest.fail("nothing was refused")


async def test_a_full_disk_is_told_until_there_is_room(clock: ManualClock) -> None:
    with mounted("3m") as disk:
        async with watched(await ContextStore.open(disk / "p.db", clock), clock) as seen:
            await seen.store.store({"n": 1}, namespace="n", context_id="kept")
            filler = fill(disk)
            await refused(seen.store)
            trouble = await seen.becomes("trouble")
            assert trouble.detail == "the disk is full"
            assert trouble.remedy == f"make room where {disk} is"
            await clock.advance(3 * TRY_EVERY)
            assert [each.state for each in seen.told] == ["trouble"]
            filler.unlink()
            await seen.becomes("ok")
            await seen.store.store({"n": 2}, namespace="n", context_id="kept")
            assert [each.state for each in seen.told] == ["trouble", "ok"]


async def test_another_programs_lock_is_told_and_readers_go_on(tmp_path: Path, clock: ManualClock) -> None:
    async with watched(await ContextStore.open(tmp_path / "p.db", clock), clock) as seen:
        await seen.store.store({"n": 1}, namespace="n", context_id="kept")
        await seen.store.file.main.run(lambda connection: connection.execute("PRAGMA busy_timeout = 50"))
        holder = await asyncio.create_subprocess_exec(
            sys.executable, "-c", LOCKS, str(tmp_path / "p.db"), stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert holder.stdout
        assert holder.stdin
        assert await holder.stdout.readline() == b"locked\n"
        await refused(seen.store)
        trouble = await seen.becomes("trouble")
        assert trouble.detail == "another program holds it locked"
        assert "fuser" in trouble.remedy
        assert await seen.store.get("kept", namespace="n")
        holder.stdin.close()
        await holder.wait()
        await seen.becomes("ok")
        await seen.store.store({"n": 2}, namespace="n")


class Failing:
    """A database whose jobs fail while ``broken`` says how."""

    broken: sqlite3.Error | None = None

    def __init__(self, inner: ThreadDatabase) -> None:
        self._inner = inner

    async def run(self, function: Callable[[sqlite3.Connection], T]) -> T:
        if self.broken is not None:
            raise self.broken
        return await self._inner.run(function)

    async def close(self) -> None:
        await self._inner.close()


def sqlite_error(name: str, words: str) -> sqlite3.Error:
    error = sqlite3.OperationalError(words)
    error.sqlite_errorname = name
    return error


CAUSES = [
    ("SQLITE_IOERR_READ", "the disk refuses it"),
    ("SQLITE_CANTOPEN", "the disk refuses it"),
    ("SQLITE_PERM", "the disk refuses it"),
    ("SQLITE_READONLY_DBMOVED", "it can't be written"),
    ("SQLITE_BUSY_SNAPSHOT", "another program holds it locked"),
    ("SQLITE_LOCKED", "another program holds it locked"),
    ("SQLITE_FULL", "the disk is full"),
    ("SQLITE_PROTOCOL", "locking protocol"),
]


@pytest.mark.parametrize(("name", "words"), CAUSES)
@pytest.mark.parametrize("side", ["reads", "writes"])
async def test_each_cause_on_either_side_is_told_and_ends(
    tmp_path: Path, clock: ManualClock, name: str, words: str, side: str
) -> None:
    opened: list[Failing] = []

    async def database(path: Path) -> Failing:
        opened.append(Failing(await ThreadDatabase.open(path)))
        return opened[-1]

    store = await ContextStore.open(tmp_path / "p.db", clock, database=database)
    async with watched(store, clock) as seen:
        broken = opened[1:] if side == "reads" else opened[:1]
        for each in broken:
            each.broken = sqlite_error(name, "locking protocol")
        with pytest.raises(StoreError):
            await (store.query() if side == "reads" else store.store({}, namespace="n"))
        assert (await seen.now()).state == "trouble"
        assert words in (await seen.becomes("trouble")).detail
        for each in broken:
            each.broken = None
        await seen.becomes("ok")


@pytest.mark.parametrize("name", ["SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_CORRUPT_INDEX"])
async def test_damage_stays_told(tmp_path: Path, clock: ManualClock, name: str) -> None:
    opened: list[Failing] = []

    async def database(path: Path) -> Failing:
        opened.append(Failing(await ThreadDatabase.open(path)))
        return opened[-1]

    store = await ContextStore.open(tmp_path / "p.db", clock, database=database)
    async with watched(store, clock) as seen:
        opened[1].broken = sqlite_error(name, "malformed")
        with pytest.raises(StoreError, match="damaged"):
            await store.query()
        opened[1].broken = None
        await clock.advance(10 * TRY_EVERY)
        trouble = await seen.becomes("trouble")
        assert "damaged" in trouble.detail
        assert "backup" in trouble.remedy


async def test_what_is_the_askers_own_fault_is_no_trouble(tmp_path: Path, clock: ManualClock) -> None:
    async with watched(await ContextStore.open(tmp_path / "p.db", clock), clock) as seen:
        with pytest.raises(StoreError):
            await seen.store.store({}, namespace="n", expect_version=7)
        with pytest.raises(StoreError):
            await seen.store.rollback("none", 1, namespace="n")
        with pytest.raises(StoreError, match="no such table"):
            await seen.store.file.read(lambda connection: connection.execute("SELECT * FROM absent"))
        assert (await seen.now()).state == "ok"
        assert seen.told == []


async def test_a_store_that_is_closed_in_trouble_leaves_nothing_running(tmp_path: Path, clock: ManualClock) -> None:
    opened: list[Failing] = []

    async def database(path: Path) -> Failing:
        opened.append(Failing(await ThreadDatabase.open(path)))
        return opened[-1]

    store = await ContextStore.open(tmp_path / "p.db", clock, database=database)
    opened[0].broken = sqlite_error("SQLITE_FULL", "full")
    with pytest.raises(StoreError):
        await store.store({}, namespace="n")
    before = asyncio.all_tasks()
    await store.close()
    assert not [task for task in before & asyncio.all_tasks() if "store" in task.get_name()]
