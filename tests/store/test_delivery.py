"""Durable deliveries: handlers, retries, dead letters, order, pull queues, restarts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pepper_tui.clock import ManualClock
from pepper_tui.model import ContextUpdate
from pepper_tui.store import ContextStore, MemoryStore, Retry, StoreUnavailableError, Subscriber
from pepper_tui.store.delivery.subscriber import STORE_PAUSE
from pepper_tui.store.unit import Operation
from tests.waiting import until as told


async def until(condition: Callable[[], bool], seconds: float = 5.0) -> None:
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    while not condition():
        assert loop.time() < end, "the condition did not come true in time"
        await asyncio.sleep(0.002)


async def state(store: ContextStore, name: str) -> tuple[int, int, int]:
    found = next(s for s in (await store.stats()).subscriptions if s.name == name)
    return found.pending, found.retrying, found.dead


async def settled(store: ContextStore, name: str, wanted: tuple[int, int, int]) -> None:
    for _ in range(1000):
        if await state(store, name) == wanted:
            return
        await asyncio.sleep(0.002)
    raise AssertionError(f"{await state(store, name)} is not {wanted}")


@pytest.mark.parametrize("size", [0, 1, 3], ids=["one at a time", "batches of one", "batches"])
async def test_a_failure_of_the_stores_own_is_held_against_no_update(
    store: ContextStore, clock: ManualClock, size: int
) -> None:
    subscriber = Subscriber(store)
    given: list[list[str]] = []
    faults = 2 * Retry().attempts

    def take(updates: list[ContextUpdate]) -> None:
        given.append([update.context.context_id for update in updates])
        if len(given) <= faults:
            raise StoreUnavailableError("the disk is full")

    if size:

        @subscriber.on_context_batch(namespaces=["n"], name="h", size=size, longest_wait=0)
        async def batch(updates: list[ContextUpdate]) -> None:
            take(updates)
    else:

        @subscriber.on_context_update(namespaces=["n"], name="h")
        async def single(update: ContextUpdate) -> None:
            take([update])

    await subscriber.start()
    async with store.unit():
        for number in range(3):
            await store.store({}, namespace="n", context_id=str(number))

    async def handed(times: int) -> bool:
        await clock.advance(STORE_PAUSE)
        assert (await state(store, "h"))[1:] == (0, 0)  # none is retrying, none dead
        return len(given) >= times

    whole = [["0", "1", "2"]] if size == 3 else [["0"], ["1"], ["2"]]
    await told(lambda: handed(faults + len(whole)))
    await settled(store, "h", (0, 0, 0))
    assert sorted(given[-len(whole) :]) == whole  # one at a time, later ones pass one that waits
    if size == 3:
        assert given == whole * (faults + 1)  # nobody is guilty: it is not taken apart
    await subscriber.stop()


async def test_a_store_that_never_works_again_gives_a_batch_up_in_the_end(
    store: ContextStore, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pepper_tui.store.delivery.subscriber.STORE_FAULTS", 3)
    subscriber = Subscriber(store)
    calls = 0

    @subscriber.on_context_batch(namespaces=["n"], name="h", size=3, longest_wait=0, retry=Retry(attempts=2))
    async def handler(updates: list[ContextUpdate]) -> None:
        nonlocal calls
        calls += 1
        raise StoreUnavailableError("always")

    await subscriber.start()
    async with store.unit():
        for number in range(3):
            await store.store({}, namespace="n", context_id=str(number))

    async def given_up() -> bool:
        await clock.advance(STORE_PAUSE)
        return (await state(store, "h"))[2] == 3

    await told(given_up)
    assert calls < 40
    await subscriber.stop()


async def test_what_was_stored_while_the_handler_was_away_comes(tmp_path: Path, clock: ManualClock) -> None:
    got: list[str] = []

    async def once(count: int) -> None:
        store = await ContextStore.open(tmp_path / "p.db", clock)
        subscriber = Subscriber(store)

        async def handler(update: ContextUpdate) -> None:
            got.append(update.context.context_id)

        await store.store({"run": count}, namespace="raw.x", context_id=f"before{count}")  # before it is registered
        subscriber.on_context_update(namespaces=["raw.*"], name="h")(handler)
        await subscriber.start()
        await store.store({"run": count}, namespace="raw.x", context_id=f"after{count}")
        await until(lambda: f"after{count}" in got)
        await settled(store, "h", (0, 0, 0))
        await subscriber.stop()
        await store.store({"run": count}, namespace="raw.x", context_id=f"stopped{count}", ttl=0.5)
        await store.close()
        await clock.advance(100)

    await once(1)
    await once(2)
    assert got == ["after1", "stopped1", "before2", "after2"]


async def test_a_queue_ranks_also_what_came_before_its_code(tmp_path: Path, clock: ManualClock) -> None:
    def rank(update: ContextUpdate) -> int | None:
        found: int | None = update.context.data["rank"]
        return found

    store = await ContextStore.open(tmp_path / "p.db", clock)
    await store.queue("q", ["n"], rank=rank)
    await store.store({"rank": 5}, namespace="n", context_id="five")
    await store.close()
    store = await ContextStore.open(tmp_path / "p.db", clock)
    await store.store({"rank": 1}, namespace="n", context_id="one")
    await store.store({"rank": None}, namespace="n", context_id="none")
    queue = await store.queue("q", ["n"], rank=rank)
    await store.store({"rank": 0}, namespace="n", context_id="zero")
    found = await queue.peek(10)
    assert [d.update.context.context_id for d in found] == ["zero", "one", "five"]
    assert [d.rank for d in await queue.peek(1, exclude={found[0].seq})] == [1]
    late = await store.queue("late", ["*"], start="beginning")
    assert await late.size() == 4
    await store.close()


async def test_close_ends_handlers_that_wait(tmp_path: Path, clock: ManualClock) -> None:
    store = await ContextStore.open(tmp_path / "p.db", clock)
    subscriber = Subscriber(store)

    @subscriber.on_context_update(namespaces=["n"], name="h")
    async def handler(_update: ContextUpdate) -> None: ...

    await subscriber.start()
    await store.store({}, namespace="n")
    await settled(store, "h", (0, 0, 0))
    queue = await store.queue("q", ["n"])
    await queue.peek(1)
    waiting = asyncio.create_task(queue.wait())
    await asyncio.sleep(0.01)
    await store.close()
    await asyncio.wait_for(waiting, 5)
    await asyncio.wait_for(subscriber.stop(), 5)


class FullDisk(MemoryStore):
    """Takes nothing while ``full``."""

    full = False

    async def submit(self, operations: list[Operation]) -> list[Any]:
        if self.full:
            raise StoreUnavailableError("the disk is full")
        return await super().submit(operations)


@pytest.mark.parametrize("concurrency", [1, 4])
@pytest.mark.parametrize("fails", [False, True], ids=["a handler that works", "one that fails"])
async def test_a_disk_that_stays_full_is_asked_at_intervals_and_nothing_is_lost(
    clock: ManualClock, monkeypatch: pytest.MonkeyPatch, concurrency: int, fails: bool
) -> None:
    monkeypatch.setattr("pepper_tui.store.delivery.subscriber.STORE_FAULTS", 3)
    store = FullDisk(clock)
    subscriber = Subscriber(store)
    calls = 0

    @subscriber.on_context_update(namespaces=["n"], name="h", concurrency=concurrency, retry=Retry(3, base=0.0))
    async def handler(_update: ContextUpdate) -> None:
        nonlocal calls
        calls += 1
        if fails and store.full:
            raise ValueError

    await subscriber.start()
    await store.store({}, namespace="n")
    store.full = True
    pauses = 20
    for _ in range(pauses):
        for _ in range(50):
            await asyncio.sleep(0)
        await clock.advance(STORE_PAUSE)
    assert 2 < calls <= pauses + 1
    store.full = False

    async def done() -> bool:
        await clock.advance(STORE_PAUSE)
        return await store.undelivered("h") == 0

    await told(done)
    assert await store.dead() == []
    await subscriber.stop()
    await store.close()
