"""Storing, reading, versions, expiry, deduplication, units, closing."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from pepper_tui.clock import ManualClock
from pepper_tui.model import ContextFilter
from pepper_tui.store import (
    ContextStore,
    HomeLock,
    HomeLockedError,
    StoreError,
)
from pepper_tui.store.log.database import InlineDatabase


async def ids(store: ContextStore, *namespaces: str, **fields: object) -> list[str]:
    found = await store.query(ContextFilter(namespaces=namespaces, **fields))  # type: ignore[arg-type]
    return [context.context_id for context in found]


async def test_close_drains_and_then_refuses(tmp_path: Path, clock: ManualClock) -> None:
    store = await ContextStore.open(tmp_path / "p.db", clock)
    waiting = [asyncio.create_task(store.store({}, namespace="n", context_id=str(n))) for n in range(50)]
    await asyncio.sleep(0)
    await asyncio.gather(store.close(), store.close())
    assert all(context.seq for context in await asyncio.gather(*waiting))
    with pytest.raises(StoreError):
        await store.store({}, namespace="n")
    with pytest.raises(StoreError):
        await store.query(ContextFilter())
    again = await ContextStore.open(tmp_path / "p.db", clock)
    assert again.clean_start
    assert await again.count(ContextFilter()) == 50
    await again.close()


def test_a_store_left_open_does_not_hang_the_exit(tmp_path: Path) -> None:
    code = (
        "import asyncio, sys; from pathlib import Path; from pepper_tui.clock import SystemClock;"
        "from pepper_tui.store import ContextStore\n"
        "async def main():\n"
        "    store = await ContextStore.open(Path(sys.argv[1]), SystemClock())\n"
        "    await store.store({}, namespace='n')\n"
        "asyncio.run(main())"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "p.db")], timeout=20, check=False)
    assert done.returncode == 0


async def test_the_executor_is_injected(tmp_path: Path, clock: ManualClock) -> None:
    store = await ContextStore.open(tmp_path / "p.db", clock, database=InlineDatabase.open)
    queue = await store.queue("q", ["n"])
    async with store.unit():
        await store.store({"v": 1}, namespace="n", context_id="a", text="inline")
    assert [hit.context.context_id for hit in await store.search("inline")] == ["a"]
    assert await queue.size() == 1
    await store.close()
    with pytest.raises(StoreError):
        await queue.peek(1)


async def test_a_damaged_file_says_the_way_out(tmp_path: Path, clock: ManualClock) -> None:
    path = tmp_path / "p.db"
    path.write_bytes(b"no database at all" * 100)
    with pytest.raises(StoreError, match="recover"):
        await ContextStore.open(path, clock)


async def test_a_newer_schema_is_refused(tmp_path: Path, clock: ManualClock) -> None:
    store = await ContextStore.open(tmp_path / "p.db", clock)
    await store.file.writer.run(lambda connection, _: connection.execute("PRAGMA user_version = 99"))
    await store.close()
    with pytest.raises(StoreError, match="newer"):
        await ContextStore.open(tmp_path / "p.db", clock)


def test_one_engine_a_home(tmp_path: Path) -> None:
    with HomeLock(tmp_path) as held:
        with pytest.raises(HomeLockedError) as refused:
            HomeLock(tmp_path).acquire()
        assert refused.value.pid
        with HomeLock(tmp_path / "other") as other:
            assert other.held
        assert held.held
    with HomeLock(tmp_path):
        pass


async def test_a_failing_group_fails_only_the_guilty(store: ContextStore) -> None:
    await store.file.writer.run(
        lambda connection, _: connection.execute(
            "CREATE TRIGGER refuse BEFORE INSERT ON updates WHEN new.context_id = 'bad'"
            " BEGIN SELECT raise(ABORT, 'refused'); END"
        )
    )

    async def guilty() -> None:
        async with store.unit():
            await store.store({}, namespace="fresh", context_id="mate")
            await store.store({}, namespace="fresh", context_id="bad")

    results = await asyncio.gather(
        store.store({}, namespace="n", context_id="a"),
        guilty(),
        store.store({}, namespace="fresh.too", context_id="b"),
        return_exceptions=True,
    )
    assert isinstance(results[1], StoreError)
    assert "refused" in str(results[1])
    assert await ids(store, "fresh", "fresh.*", "n") == ["b", "a"]
    assert [context.seq for context in await store.query(ContextFilter())] == [2, 1]
    assert (await store.store({}, namespace="fresh", context_id="c")).seq == 3
    assert await ids(store, "fresh") == ["c"]


async def test_a_commit_can_be_read_before_the_loop_has_heard_of_it(tmp_path: Path, clock: ManualClock) -> None:
    """Another connection's first record of a namespace stands for a commit that this store's loop has not seen."""
    store = await ContextStore.open(tmp_path / "pepper.db", clock)
    try:
        await store.store({"id": "one"}, namespace="a")
        with sqlite3.connect(tmp_path / "pepper.db", isolation_level=None) as other:
            other.execute("BEGIN IMMEDIATE")
            other.execute("INSERT INTO namespaces SELECT max(id) + 1, 'b' FROM namespaces")
            columns = [row[1] for row in other.execute("PRAGMA table_info(updates)")]
            new = {"seq": "seq + 1", "ns": "ns + 1"}
            other.execute(f"INSERT INTO updates SELECT {', '.join(new.get(c, c) for c in columns)} FROM updates")
            columns = [row[1] for row in other.execute("PRAGMA table_info(contexts)")]
            other.execute(f"INSERT INTO contexts SELECT {', '.join(new.get(c, c) for c in columns)} FROM contexts")
            other.execute("COMMIT")
        assert (await store.get("one", namespace="b")) is not None
        assert [c.namespace for c in await store.query(ContextFilter(namespaces=["b"]))] == ["b"]
        assert await store.count() == 2
    finally:
        await store.close()
