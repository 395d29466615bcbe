"""Units of work: whole or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from pepper_tui.clock import ManualClock
from pepper_tui.model import Context, ContextFilter
from pepper_tui.store import (
    Delivery,
    DeliveryQueue,
    MemoryStore,
    Store,
    UnitOfWork,
    VersionConflictError,
    current_unit,
)
from tests.conformance.store.asking import ids


async def test_a_unit_is_written_whole_and_not_seen_before(store: Store) -> None:
    async with store.unit() as unit:
        assert current_unit() is unit
        provisional = await store.store({"v": 1}, namespace="n", context_id="a")
        assert provisional.seq == 0
        assert await store.get("a", namespace="n") is None
        await asyncio.create_task(store.store({"v": 1}, namespace="n", context_id="spawned"))
        assert await store.get("spawned", namespace="n") is not None
        with pytest.raises(ValueError, match="inner"):  # noqa: PT012
            async with store.unit():
                await store.store({"v": 1}, namespace="n", context_id="inner")
                raise ValueError("inner")
        assert await store.delete("a", namespace="n")
        await store.store({"v": 2}, namespace="n", context_id="a")
    assert current_unit() is None
    current = await store.get("a", namespace="n")
    assert current is not None
    assert (current.version, current.data) == (2, {"v": 2})
    assert await store.get("inner", namespace="n") is None


async def test_an_exception_writes_nothing(store: Store) -> None:
    with pytest.raises(ZeroDivisionError):  # noqa: PT012
        async with store.unit():
            await store.store({}, namespace="n", context_id="a")
            raise ZeroDivisionError
    assert await store.count(ContextFilter()) == 0


async def _stored_and_deleted(store: Store) -> None:
    async with store.unit():
        await store.store({"v": 1}, namespace="n", context_id="b")
        await store.delete("a", namespace="n", expect_version=0)


async def test_what_is_deleted_is_the_version_that_is_expected(store: Store) -> None:
    await store.store({"v": 1}, namespace="n", context_id="a")
    with pytest.raises(VersionConflictError):
        await store.delete("a", namespace="n", expect_version=2)
    with pytest.raises(VersionConflictError):
        await _stored_and_deleted(store)
    assert await store.get("b", namespace="n") is None
    assert await store.delete("a", namespace="n", expect_version=1)
    with pytest.raises(VersionConflictError):
        await store.delete("a", namespace="n", expect_version=1)


async def test_a_conflict_fails_the_whole_unit_and_only_it(store: Store) -> None:
    await store.store({"v": 1}, namespace="n", context_id="a")

    async def conflicting() -> None:
        async with store.unit():
            await store.store({}, namespace="fresh", context_id="b")
            await store.store({"v": 2}, namespace="n", context_id="a", expect_version=0)

    results = await asyncio.gather(
        store.store({}, namespace="n", context_id="c"),
        conflicting(),
        store.store({"v": 3}, namespace="n", context_id="a", expect_version=1),
        store.store({"v": 4}, namespace="n", context_id="a", expect_version=1),
        store.store({}, namespace="fresh", context_id="d"),
        return_exceptions=True,
    )
    assert isinstance(results[1], VersionConflictError)
    assert isinstance(results[3], VersionConflictError)
    assert all(isinstance(results[number], Context) for number in (0, 2, 4))
    assert sorted(await ids(store)) == ["a", "c", "d"]


async def test_cancelled_units_are_never_torn(store: Store) -> None:
    async def pair(number: int) -> None:
        async with store.unit():
            await store.store({}, namespace="left", context_id=str(number))
            await asyncio.sleep(0)
            await store.store({}, namespace="right", context_id=str(number))

    tasks = [asyncio.create_task(pair(number)) for number in range(300)]
    for number, task in enumerate(tasks):
        if number % 3 == 0:
            await asyncio.sleep(0)
        if number % 2:
            task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await store.store({}, namespace="end")
    assert set(await ids(store, "left", limit=999)) == set(await ids(store, "right", limit=999))
    assert len(await ids(store, "left", limit=999)) >= 150


async def test_a_units_updates_follow_one_another_in_the_order_of_its_calls(store: Store) -> None:
    async def several(name: str) -> None:
        async with store.unit():
            for number in range(4):
                await store.store({}, namespace="n", context_id=f"{name}{number}")
                await asyncio.sleep(0)

    await asyncio.gather(*(several(name) for name in "abc"))
    found = await ids(store, "n", newest_first=False)
    assert [found[start : start + 4] for start in (0, 4, 8)] == [
        [f"{name}{number}" for number in range(4)] for name in [found[0][0], found[4][0], found[8][0]]
    ]


EFFECTS: dict[str, Callable[[Store, UnitOfWork, Delivery], Awaitable[object]]] = {
    "a new context": lambda store, *_: store.store({}, namespace="n", context_id="new"),
    "a new namespace": lambda store, *_: store.store({}, namespace="new", context_id="new"),
    "a new version": lambda store, *_: store.store({"v": 2}, namespace="n", context_id="old"),
    "another expiry": lambda store, *_: store.store({"v": 1}, namespace="n", context_id="old", ttl=1),
    "other tags": lambda store, *_: store.store({"v": 1}, namespace="n", context_id="old", tags=["new"]),
    "a deletion": lambda store, *_: store.delete("old", namespace="n"),
    "a dedupe key": lambda store, *_: store.store({}, namespace="n", context_id="new", dedupe_key="k"),
    "an ack": lambda _, unit, delivery: _moved(unit.ack, delivery),
    "a deferral": lambda _, unit, delivery: _moved(unit.defer, delivery, 1e12),
    "a burial": lambda _, unit, delivery: _moved(unit.bury, delivery, "e"),
}


async def _moved(move: Callable[..., None], *arguments: object) -> None:
    move(*arguments)


async def _all(store: Store, queue: DeliveryQueue) -> list[object]:
    namespaces = (["n"], ["new"])
    return [
        await store.query(),
        await store.versions("old", namespace="n"),
        [await store.query(ContextFilter(namespaces=each)) for each in namespaces],
        await store.query(ContextFilter(tags=["new"])),
        await store.query(ContextFilter(tags=["t"])),
        await store.search("old"),
        await queue.peek(10),
        await queue.size(),
        await store.dead(),
    ]


@pytest.mark.parametrize("effect", EFFECTS)
async def test_nothing_is_left_of_a_unit_that_fails(store: Store, clock: ManualClock, effect: str) -> None:
    queue = await store.queue("q", ["*"])
    await store.store({"v": 1}, namespace="n", context_id="old", text="old", tags=["t"])
    [delivery] = await queue.peek(1)
    before = await _all(store, queue)

    async def act(expected: int) -> None:
        async with store.unit() as unit:
            await EFFECTS[effect](store, unit, delivery)
            await store.store({}, namespace="n", context_id="condition", expect_version=expected)

    with pytest.raises(VersionConflictError):
        await act(9)
    assert await _all(store, queue) == before
    await clock.advance(2)
    assert await _all(store, queue) == before
    fresh = await store.store({}, namespace="n", dedupe_key="k")
    assert (fresh.seq, fresh.version) == (2, 1)  # no number was taken, nor the key
    await store.delete(fresh.context_id, namespace="n")
    between = await _all(store, queue)
    await act(0)  # and where it holds, there is something to see
    await clock.advance(2)
    assert await _all(store, queue) != between


async def test_what_was_handed_over_is_committed_though_nobody_waits(store: Store) -> None:
    async def pair() -> None:
        async with store.unit():
            await store.store({}, namespace="n", context_id="left")
            await store.store({}, namespace="n", context_id="right")

    task = asyncio.create_task(pair())
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await store.store({}, namespace="n", context_id="end")
    assert await ids(store, newest_first=False) == ["left", "right", "end"]


async def test_an_operation_sees_the_earlier_ones_of_its_unit(store: Store) -> None:
    async with store.unit():
        await store.store({"v": 1}, namespace="n", context_id="a")
        await store.store({"v": 1}, namespace="n", context_id="a")  # the same: no update
        await store.store({"v": 2}, namespace="n", context_id="a", expect_version=1)
        await store.delete("a", namespace="n", expect_version=2)
        await store.store({"v": 3}, namespace="n", context_id="a", expect_version=0)
        await store.store({"v": 1}, namespace="n", context_id="b", dedupe_key="k")
        await store.store({"v": 2}, namespace="n", context_id="c", dedupe_key="k")
    found = await store.versions("a", namespace="n")
    assert [(update.seq, update.context.version, update.operation) for update in found] == [
        (4, 3, "update"),
        (3, 2, "delete"),
        (2, 2, "update"),
        (1, 1, "create"),
    ]
    assert await ids(store) == ["b", "a"]


async def test_a_unit_of_another_store_is_not_joined(store: Store, clock: ManualClock) -> None:
    other = MemoryStore(clock)
    async with store.unit():
        assert (await other.store({}, namespace="n")).seq == 1
        assert (await store.store({}, namespace="n")).seq == 0
    assert (await other.count(), await store.count()) == (1, 1)
