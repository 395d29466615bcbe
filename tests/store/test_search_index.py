"""The search index follows the log, whatever happened to a context since the index was last brought on."""

from __future__ import annotations

import asyncio
import random
import shutil
import sqlite3
from pathlib import Path

import pytest

from pepper_tui.clock import ManualClock
from pepper_tui.model import ContextFilter
from pepper_tui.store import ContextStore, StoreError
from pepper_tui.store.log.schema import MIGRATIONS
from pepper_tui.store.search.index import BEHIND

FULL = 2  # what a store is committed with, whatever the index is
WORDS = ["apple", "birch", "cedar", "damson"]


async def compare(store: ContextStore) -> None:
    current = await store.query(ContextFilter(limit=10_000))
    for word in WORDS:
        hits = {(hit.context.context_id, hit.context.version) for hit in await store.search(word, limit=10_000)}
        assert hits == {(c.context_id, c.version) for c in current if word in c.text}


def documents(path: Path) -> dict[str, int]:
    """In how many documents the index itself has each word: the ranking weighs by it."""
    connection = sqlite3.connect(path)
    connection.execute("CREATE VIRTUAL TABLE temp.words USING fts5vocab (main, search, row)")
    counts = dict(connection.execute("SELECT term, doc FROM temp.words").fetchall())
    connection.close()
    return {word: counts.get(word, 0) for word in WORDS}


async def crashed(store: ContextStore, path: Path, clock: ManualClock) -> ContextStore:
    """The store as it is found after a kill, in a copy."""
    for suffix in ("", "-wal"):
        await asyncio.to_thread(shutil.copy, f"{store.path}{suffix}", f"{path}{suffix}")
    await store.close()
    return await ContextStore.open(path, clock)


@pytest.mark.parametrize("seed", range(4))
async def test_search_finds_just_what_is_current(quick: Path, clock: ManualClock, seed: int) -> None:
    chance = random.Random(seed)
    store = await ContextStore.open(quick / "p.db", clock)
    for round_ in range(3):
        for _ in range(chance.randrange(2 * BEHIND)):
            ident = str(chance.randrange(12))
            if chance.random() < 0.2:
                await store.delete(ident, namespace="n")
            else:
                text = " ".join(chance.sample(WORDS, 2)) + f" {chance.random()}"
                await store.store({}, namespace="n", context_id=ident, text=text)
        if chance.random() < 0.5:
            store = await crashed(store, quick / f"{round_}.db", clock)
        await compare(store)
    assert await store.file.writer.run(lambda c, _: c.execute("PRAGMA synchronous").fetchone()[0]) == FULL
    current = await store.query(ContextFilter(limit=10_000))
    await store.close()
    assert documents(store.path) == {word: sum(word in context.text for context in current) for word in WORDS}


async def test_a_store_of_the_first_schema_is_taken_over(tmp_path: Path, clock: ManualClock) -> None:
    path = tmp_path / "p.db"
    connection = sqlite3.connect(path)
    connection.executescript(MIGRATIONS[0])
    connection.executescript(
        "PRAGMA user_version = 1;"
        "INSERT INTO namespaces VALUES (1, 'n');"
        "INSERT INTO updates VALUES (1, 1, 'a', 1, '', '{}', 'apple', NULL, '[]', '{}', 1, 1, NULL, 0, NULL);"
        "INSERT INTO contexts VALUES (1, 'a', 1, 1, 0, x'00', '', 1, 1, NULL);"
        "INSERT INTO search (rowid, body) VALUES (1, 'apple');"
    )
    connection.close()
    store = await ContextStore.open(path, clock)
    assert (await store.store({}, namespace="n", context_id="a", text="apple")).version == 1
    await compare(store)
    assert (await store.store({}, namespace="n", context_id="a", text="birch")).version == 2
    await compare(store)
    await store.close()
    assert documents(path) == {"apple": 0, "birch": 1, "cedar": 0, "damson": 0}


async def test_stores_do_not_fail_with_their_index(tmp_path: Path, clock: ManualClock) -> None:
    store = await ContextStore.open(tmp_path / "p.db", clock)
    await store.store({}, namespace="n", text="before")
    await store.search("before")
    await store.file.writer.run(lambda connection, _: connection.execute("DROP TABLE search"))
    for number in range(BEHIND + 10):
        await store.store({}, namespace="n", context_id=str(number), text="after")
    assert await store.count(ContextFilter(namespaces=["n"])) == BEHIND + 11
    with pytest.raises(StoreError, match="search"):
        await store.search("after")
    await store.close()
