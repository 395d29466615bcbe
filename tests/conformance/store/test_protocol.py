"""Each store has all of the protocol, as it stands there; and once it is closed, all of it says so."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from pepper_tui.model import ContextFilter, Health
from pepper_tui.store import ContextStore, MemoryStore, Store, StoreError
from pepper_tui.store.protocol import StoreDeliveries, StoreReader, StoreWriter
from tests.conformance.store.opening import KINDS, OpenStore

PARTS = (StoreReader, StoreWriter, StoreDeliveries, Store)
METHODS = sorted(
    name
    for part in PARTS
    for name, value in vars(part).items()
    if inspect.isfunction(value) and not name.startswith("_")
)


@pytest.mark.parametrize("kind", [ContextStore, MemoryStore])
@pytest.mark.parametrize("name", METHODS)
def test_each_method_takes_what_the_protocol_says(kind: type, name: str) -> None:
    wanted = next(vars(part)[name] for part in PARTS if name in vars(part))
    there = inspect.signature(getattr(kind, name)).parameters
    assert [(each.name, each.kind, each.default) for each in there.values()] == [
        (each.name, each.kind, each.default) for each in inspect.signature(wanted).parameters.values()
    ]


async def in_a_unit(store: OpenStore) -> None:
    async with store.unit():
        await store.store({}, namespace="n")


CALLS: dict[str, Callable[[OpenStore], Awaitable[Any]]] = {
    "get": lambda store: store.get("a", namespace="n"),
    "query": lambda store: store.query(),
    "versions": lambda store: store.versions("a", namespace="n"),
    "count": lambda store: store.count(),
    "search": lambda store: store.search("word"),
    "having": lambda store: store.having("word", ContextFilter(namespaces=["n"])),
    "values": lambda store: store.values(ContextFilter(namespaces=["n"]), "a"),
    "store": lambda store: store.store({}, namespace="n"),
    "put": lambda store: store.put(Health("p", "ok", "", "", 0.0), namespace="n"),
    "delete": lambda store: store.delete("a", namespace="n"),
    "unit": in_a_unit,
    "queue": lambda store: store.queue("q", ["*"]),
    "forget": lambda store: store.forget("q"),
    "waiting": lambda store: store.waiting(""),
    "undelivered": lambda store: store.undelivered("q"),
    "dead": lambda store: store.dead(),
    "tell_dead": lambda store: store.tell_dead("gone"),
    "redrive": lambda store: store.redrive(),
    "try_out": lambda store: store.try_out(),
}


def test_none_is_left_out() -> None:
    assert sorted([*CALLS, "watch"]) == METHODS
    assert len(KINDS) == 2


@pytest.mark.parametrize("name", CALLS)
async def test_each_method_of_a_closed_store_says_so(store: OpenStore, name: str) -> None:
    await CALLS[name](store)
    assert not store.closed
    await store.close()
    assert store.closed
    with pytest.raises(StoreError, match="closed"):
        await CALLS[name](store)


@pytest.mark.parametrize("name", CALLS)
async def test_each_call_lets_others_run(store: OpenStore, name: str) -> None:
    turned = asyncio.Event()
    asyncio.get_running_loop().call_soon(turned.set)
    await CALLS[name](store)
    assert turned.is_set()


async def test_what_was_handed_over_before_the_close_is_committed(store: OpenStore) -> None:
    waiting = [asyncio.create_task(store.store({}, namespace="n", context_id=str(n))) for n in range(50)]
    await asyncio.sleep(0)
    await asyncio.gather(store.close(), store.close())
    assert [context.seq for context in await asyncio.gather(*waiting)] == [*range(1, 51)]


async def test_who_waits_for_an_update_is_woken_by_the_close(store: OpenStore) -> None:
    queue = await store.queue("q", ["n"])
    assert await queue.peek(1) == []
    async with store.watch() as live:

        async def follow() -> list[Any]:
            return [batch async for batch in live]

        waiting = [asyncio.create_task(queue.wait()), asyncio.create_task(follow())]
        for _ in range(20):  # turns of the loop, until both wait
            await asyncio.sleep(0)
        await store.close()
        assert await asyncio.wait_for(asyncio.gather(*waiting), 5) == [None, []]
    async with store.watch() as late:
        assert [batch async for batch in late] == []
    for look in (queue.peek(1), queue.size()):
        with pytest.raises(StoreError, match="closed"):
            await look


async def test_to_try_it_out_leaves_no_trace(store: OpenStore) -> None:
    async with store.watch() as live:
        await store.try_out()
        assert live.drain() == []
    assert await store.count() == 0
    assert (await store.store({}, namespace="n")).seq == 1
