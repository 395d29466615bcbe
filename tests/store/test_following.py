"""A projection that follows the store, and what a fault of it costs: nothing but a pause."""

from __future__ import annotations

import asyncio

from pepper_tui.clock import ManualClock
from pepper_tui.model import ContextFilter, ContextUpdate
from pepper_tui.store import ContextStore, Following, StoreError
from tests.waiting import until


async def test_after_a_fault_all_that_stands_is_taken_up_anew(store: ContextStore, clock: ManualClock) -> None:
    known: set[str] = set()
    faults = [StoreError("the disk is full"), StoreError("still full")]
    broken: list[StoreError] = []

    async def resume() -> None:
        if len(broken) == 1:
            broken.append(faults[1])
            raise faults[1]
        known.update(c.context_id for c in await store.query(ContextFilter(namespaces=["a"])))

    async def take(updates: list[ContextUpdate]) -> None:
        if any(u.context.context_id == "two" for u in updates) and not broken:
            broken.append(faults[0])
            raise faults[0]
        known.update(u.context.context_id for u in updates)

    await store.store({"id": "one"}, namespace="a")
    following = Following(store, ["a"], resume=resume, take=take, name="test")
    await asyncio.wait_for(following.start(), 5)
    assert known == {"one"}
    await store.store({"id": "two"}, namespace="a")
    await until(lambda: broken == faults[:1])
    await store.store({"id": "three"}, namespace="a")
    for count in (1, 2):
        await until(lambda count=count: len(broken) == count and bool(clock.sleepers))
        await clock.advance(5.0)
    await until(lambda: known == {"one", "two", "three"})
    await store.store({"id": "four"}, namespace="a")
    await until(lambda: "four" in known)
    await asyncio.wait_for(following.stop(), 5)
