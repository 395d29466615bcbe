"""Kept answers: asked for again they come without a read, and no store, expiry or clock makes one of them stale."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pepper_tui.clock import ManualClock
from pepper_tui.model import Context, ContextFilter
from pepper_tui.store import ContextStore
from pepper_tui.store.query_cache import QueryCache

NOTES = ContextFilter(namespaces=["note.*"])


@pytest.fixture
async def store(tmp_path: Path, clock: ManualClock) -> AsyncIterator[ContextStore]:
    opened = await ContextStore.open(tmp_path / "p.db", clock, cache_ttl=100.0)
    yield opened
    await opened.close()


async def ids(store: ContextStore, wanted: ContextFilter = NOTES) -> list[str]:
    return [context.context_id for context in await store.query(wanted)]


async def kept(store: ContextStore, wanted: ContextFilter = NOTES) -> bool:
    """Whether this question is answered without a read."""
    before = store.file.cache.hits
    await store.query(wanted)
    return store.file.cache.hits > before


async def test_the_third_time_costs_no_read(store: ContextStore) -> None:
    await store.store({"n": 1}, namespace="note.a", context_id="x")
    assert [await kept(store) for _ in range(4)] == [False, False, True, True]
    assert not await kept(store, ContextFilter(namespaces=["note.*"], limit=5))
    first, second = await store.query(NOTES), await store.query(NOTES)
    first[0].data["n"] = 99
    assert second[0].data == {"n": 1}
    assert (await store.query(ContextFilter(namespaces=("note.*",))))[0].data == {"n": 1}


async def test_a_store_ends_what_it_could_change(store: ContextStore) -> None:
    for namespace in ("note.a", "other"):
        await store.store({}, namespace=namespace, context_id="x")
    others = ContextFilter(namespaces=["other"])
    for _ in range(2):
        assert (await ids(store), await ids(store, others)) == (["x"], ["x"])
    await store.store({}, namespace="note.b", context_id="y")
    assert await kept(store, others)
    assert not await kept(store)
    assert await ids(store) == ["y", "x"]
    await store.delete("y", namespace="note.b")
    assert await ids(store) == ["x"]
    await store.store({}, namespace="note.new", context_id="z")  # a namespace that nobody knew before
    assert await ids(store) == ["z", "x"]


async def test_time_ends_it(store: ContextStore, clock: ManualClock) -> None:
    await store.store({}, namespace="note.a", context_id="short", ttl=20.0)
    await store.store({}, namespace="note.a", context_id="long")
    for _ in range(3):
        assert await ids(store) == ["long", "short"]
    await store.store({}, namespace="note.a", context_id="short", ttl=15.0)  # no update, and yet a change
    await clock.advance(14.0)
    assert await ids(store) == ["long", "short"]
    await clock.advance(1.0)
    assert await ids(store) == ["long"]
    for _ in range(2):
        await ids(store)
    clock.jump(-15.0)
    assert await ids(store) == ["long", "short"]
    await clock.advance(50.0)
    assert [await kept(store) for _ in range(3)] == [False, False, True]
    await clock.advance(100.0)
    assert not await kept(store)


async def test_what_is_committed_while_it_is_read_is_not_missed(store: ContextStore) -> None:
    await ids(store)
    for number in range(50):
        reading = [asyncio.create_task(ids(store)) for _ in range(3)]
        await store.store({}, namespace="note.a", context_id=str(number))
        assert len(await ids(store)) == min(100, number + 1)
        await asyncio.gather(*reading)
        assert len(await ids(store)) == min(100, number + 1)


async def test_an_answer_read_before_a_commit_is_not_kept_after_it(clock: ManualClock) -> None:
    cache = QueryCache(clock, 100.0)
    asked: list[int] = []

    async def ask() -> list[Context]:
        asked.append(len(asked))
        if len(asked) == 2:
            cache.changed(["other"])  # committed while this one read; who knows what it has seen
        return []

    for _ in range(5):
        await cache.answer("question", ["a"], ask, contexts=lambda found: found)
    assert asked == [0, 1, 2]


async def test_any_store_ends_a_search(store: ContextStore) -> None:
    await store.store({}, namespace="note.a", context_id="x", text="apple")
    for _ in range(3):
        assert [hit.context.context_id for hit in await store.search("apple")] == ["x"]
    assert store.file.cache.hits == 1
    await store.store({}, namespace="other", context_id="y", text="apple apple")
    assert {hit.context.context_id for hit in await store.search("apple")} == {"x", "y"}


async def test_without_a_ttl_nothing_is_kept(tmp_path: Path, clock: ManualClock) -> None:
    store = await ContextStore.open(tmp_path / "q.db", clock)
    for _ in range(5):
        await store.query(NOTES)
    assert (store.file.cache.hits, store.file.cache.misses) == (0, 0)
    await store.close()


async def test_it_is_bounded(store: ContextStore) -> None:
    for number in range(400):
        await store.query(ContextFilter(namespaces=[f"n{number}"]))
    assert len(store.file.cache._answers) == 256
