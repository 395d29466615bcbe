"""Live subscriptions."""

from __future__ import annotations

import pytest

from pepper_tui.model import ContextFilter, Json
from pepper_tui.store import (
    LiveSubscription,
    Store,
    VersionConflictError,
)


async def test_live_gives_updates_in_order_and_counts_what_was_missed(store: Store) -> None:
    async with store.watch(["a.*"], size=3) as live:
        for number in range(5):
            await store.store({"n": number}, namespace="a.b", context_id=str(number))
        await store.store({}, namespace="c")
        async for batch in live:
            assert [update.context.context_id for update in batch] == ["2", "3", "4"]
            break
        assert live.missed == 2


async def seen(live: LiveSubscription) -> list[tuple[str, str, str]]:
    return [(update.namespace, update.context.context_id, update.operation) for update in live.drain()]


@pytest.mark.parametrize(
    ("namespaces", "wanted"),
    [
        ([], ["a", "a.b", "a.b.c", "z"]),
        (["*"], ["a", "a.b", "a.b.c", "z"]),
        (["a"], ["a"]),
        (["a.*"], ["a.b", "a.b.c"]),
        (["z", "*.c"], ["a.b.c", "z"]),
        (["b"], []),
    ],
)
async def test_globs_say_which_namespaces(store: Store, namespaces: list[str], wanted: list[str]) -> None:
    async with store.watch(namespaces) as live:
        for namespace in ("a", "a.b", "a.b.c", "z"):
            await store.store({}, namespace=namespace, context_id="x")
        assert [namespace for namespace, _, _ in await seen(live)] == wanted
        assert live.missed == 0


async def test_each_change_is_one_update_and_none_is_for_what_changed_nothing(store: Store) -> None:
    await store.store({}, namespace="n", context_id="before")
    async with store.watch() as live:
        await store.store({"v": 1}, namespace="n", context_id="a")
        await store.store({"v": 1}, namespace="n", context_id="a", ttl=5)
        await store.store({"v": 2}, namespace="n", context_id="a")
        await store.delete("a", namespace="n")
        await store.delete("a", namespace="n")
        assert await seen(live) == [("n", "a", "create"), ("n", "a", "update"), ("n", "a", "delete")]
        await store.store({"v": 3}, namespace="n", context_id="a")
        assert await seen(live) == [("n", "a", "update")]  # only what came since
    await store.store({"v": 4}, namespace="n", context_id="a")
    assert await seen(live) == []


async def test_of_a_unit_all_or_nothing_is_seen(store: Store) -> None:
    async with store.watch() as live:
        with pytest.raises(VersionConflictError):
            await _failing(store)
        assert await seen(live) == []
        async with store.unit():
            await store.store({}, namespace="n", context_id="a")
            assert await seen(live) == []
            await store.store({}, namespace="n", context_id="b")
        assert await seen(live) == [("n", "a", "create"), ("n", "b", "create")]


async def _failing(store: Store) -> None:
    async with store.unit():
        await store.store({}, namespace="n", context_id="a")
        await store.store({}, namespace="n", context_id="b", expect_version=7)


async def test_a_slow_reader_holds_up_no_other(store: Store) -> None:
    async with store.watch(size=2) as slow, store.watch() as quick:
        for number in range(6):
            await store.store({}, namespace="n", context_id=number)
        assert [ident for _, ident, _ in await seen(quick)] == ["0", "1", "2", "3", "4", "5"]
        assert [ident for _, ident, _ in await seen(slow)] == ["4", "5"]
        assert (slow.missed, quick.missed) == (4, 0)


async def test_no_two_readers_share_what_one_may_change(store: Store) -> None:
    given: Json = {"list": [1]}
    async with store.watch() as one, store.watch() as other:
        stored = await store.store(given, namespace="n", context_id="a", metadata=given)
        given["list"].append("by the writer")
        stored.data["list"].append("by who stored it")
        for live in (one, other):
            [update] = live.drain()
            assert (update.context.data, update.context.metadata) == ({"list": [1]}, {"list": [1]})
            update.context.data["list"].append("by a reader")
    for _ in range(3):  # answers are kept for who asks again
        read = [await store.get("a", namespace="n"), *await store.query()]
        read += [update.context for update in await store.versions("a", namespace="n")]
        read += [hit.context for hit in await store.search("a", ContextFilter())]
        for context in read:
            assert context is not None
            assert (context.data, context.metadata) == ({"list": [1]}, {"list": [1]})
            context.data["list"].append("by a reader")
            context.metadata["list"].append("by a reader")
