"""Durable subscriptions that are pulled from."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest

from pepper_tui.clock import ManualClock
from pepper_tui.model import ContextFilter, ContextUpdate, DeliveryState
from pepper_tui.store import (
    Delivery,
    StaleDeliveryError,
    Store,
    StoreError,
)


async def test_ack_and_defer_are_part_of_the_unit(store: Store, clock: ManualClock) -> None:
    queue = await store.queue("q", ["n"])
    await store.store({}, namespace="n", context_id="a")
    (delivery,) = await queue.peek(10)
    with pytest.raises(ZeroDivisionError):  # noqa: PT012
        async with store.unit() as unit:
            unit.ack(delivery)
            raise ZeroDivisionError
    async with store.unit() as unit:
        unit.defer(delivery, clock.now() + 30, "later")
    assert await queue.peek(10) == []
    assert await queue.size() == 1
    waiting = asyncio.create_task(queue.wait())
    await asyncio.sleep(0.05)
    assert not waiting.done()
    while not waiting.done():
        await clock.advance(31)
        await asyncio.sleep(0.01)
    (delivery,) = await queue.peek(10)
    assert delivery.attempts == 1
    async with store.unit() as unit:
        unit.ack(delivery)
        await store.store({}, namespace="out", context_id="a")
    assert await queue.size() == 0
    with pytest.raises(StaleDeliveryError):  # noqa: PT012
        async with store.unit() as unit:
            unit.ack(delivery)
            await store.store({}, namespace="out", context_id="twice")
    assert await store.get("twice", namespace="out") is None


@pytest.mark.parametrize("first", [DeliveryState.RETRYING, DeliveryState.DEAD, DeliveryState.DONE])
@pytest.mark.parametrize("second", [DeliveryState.RETRYING, DeliveryState.DEAD, DeliveryState.DONE])
async def test_only_the_moves_of_the_table(store: Store, first: DeliveryState, second: DeliveryState) -> None:
    queue = await store.queue("q", ["n"])
    await store.store({}, namespace="n")
    (delivery,) = await queue.peek(1)

    async def move(to: DeliveryState) -> None:
        async with store.unit() as unit:
            if to is DeliveryState.DONE:
                unit.ack(delivery)
            elif to is DeliveryState.DEAD:
                unit.bury(delivery, "e")
            else:
                unit.defer(delivery, 0.0)

    await move(first)
    if first is DeliveryState.RETRYING:
        await move(second)
    else:
        with pytest.raises(StaleDeliveryError):
            await move(second)
    ends = first if first is not DeliveryState.RETRYING else second
    assert await queue.size() == (ends is DeliveryState.RETRYING)
    assert len(await store.dead()) == (ends is DeliveryState.DEAD)


async def test_tags_restrict_and_forget_removes(store: Store) -> None:
    queue = await store.queue("q", ["*"], tags=["open"])
    await store.store({}, namespace="n", tags=["open", "x"])
    await store.store({}, namespace="n", tags=["x"])
    assert await queue.size() == 1
    assert await store.forget("q")
    assert not await store.forget("q")
    assert await store.waiting("") == {}


@pytest.mark.parametrize("turns", range(8))
async def test_a_cancel_while_waiting_is_never_lost(store: Store, clock: ManualClock, turns: int) -> None:
    """Also in the turns of the loop in which the wait is ending by itself."""
    queue = await store.queue("q", ["raw.*"])
    await store.store({"id": "one"}, namespace="raw.mail")
    [delivery] = await queue.peek(10)
    async with store.unit() as unit:
        unit.defer(delivery, clock.now() + 60)
    assert await queue.peek(10) == []
    waiting = asyncio.create_task(queue.wait())
    for _ in range(5):
        await asyncio.sleep(0.002)
    queue.wake()
    for _ in range(turns):
        await asyncio.sleep(0)
    heeded = waiting.cancel()
    await asyncio.wait({waiting})
    assert waiting.cancelled() == heeded


async def test_what_is_still_to_be_dealt_with_is_counted(store: Store) -> None:
    queue = await store.queue("q", ["signals.*"])
    for name in ("dealt with", "given up", "open"):
        await store.store({}, namespace="signals.a", context_id=name)
    done, dead, left = await queue.peek(3)
    assert await store.undelivered("q") == 3
    async with store.unit() as unit:
        unit.ack(done)
        unit.bury(dead, "e")
    assert await store.undelivered("q") == 1
    assert [await store.undelivered("q", each.seq) for each in (done, dead, left)] == [0, 0, 1]
    assert await store.undelivered("no such subscription") == 0


async def test_of_two_units_that_settle_one_delivery_at_once_only_one_holds(store: Store) -> None:
    queue = await store.queue("q", ["n"])
    await store.store({}, namespace="n")
    [delivery] = await queue.peek(1)

    async def settle(name: str) -> None:
        async with store.unit() as unit:
            unit.ack(delivery)
            await store.store({}, namespace="out", context_id=name)

    # both are handed over in one turn of the loop, and so committed as one group
    ends = await asyncio.gather(settle("first"), settle("second"), return_exceptions=True)
    assert [type(end) for end in ends] == [type(None), StaleDeliveryError]
    assert [each.context_id for each in await store.query(ContextFilter(namespaces=["out"]))] == ["first"]
    assert await queue.size() == 0


def by_rank(update: ContextUpdate) -> int | None:
    found: int | None = update.context.data["rank"]
    return found


def names(found: list[Delivery]) -> list[str]:
    return [delivery.update.context.context_id for delivery in found]


async def settle(store: Store, delivery: Delivery, how: str, due: float = 0.0) -> None:
    async with store.unit() as unit:
        {"ack": unit.ack, "defer": partial(unit.defer, due=due), "bury": partial(unit.bury, error="e")}[how](delivery)


async def test_the_best_rank_comes_first_and_none_is_not_delivered(store: Store) -> None:
    queue = await store.queue("q", ["n"], rank=by_rank)
    for ident, rank in (("a", 5), ("b", 1), ("c", None), ("d", 5), ("e", -1)):
        await store.store({"rank": rank}, namespace="n", context_id=ident)
    found = await queue.peek(10)
    assert names(found) == ["e", "b", "a", "d"]
    assert [delivery.rank for delivery in found] == [-1, 1, 5, 5]
    assert names(await queue.peek(2)) == ["e", "b"]
    assert names(await queue.peek(2, exclude={found[0].seq, found[2].seq})) == ["b", "d"]
    assert await queue.size() == 4


async def test_a_rank_that_fails_costs_no_update(store: Store) -> None:
    queue = await store.queue("q", ["n"], rank=by_rank)
    await store.store({}, namespace="n", context_id="no rank")
    await store.store({"rank": 10**9}, namespace="n", context_id="late")
    await store.store({"rank": 3}, namespace="n", context_id="ranked")
    assert names(await queue.peek(10)) == ["ranked", "no rank", "late"]


async def test_an_update_waits_for_the_earlier_ones_of_its_key(store: Store, clock: ManualClock) -> None:
    queue = await store.queue("q", ["n"], order_key=lambda update: update.context.data.get("key"), rank=by_rank)
    for ident, key, rank in (("a1", "a", 5), ("a2", "a", 1), ("b1", "b", 3), ("x", None, 4), ("y", None, 2)):
        await store.store({"key": key, "rank": rank}, namespace="n", context_id=ident)
    found = await queue.peek(10)
    assert names(found) == ["y", "b1", "x", "a1"]
    assert names(await queue.peek(10, exclude={found[3].seq})) == ["y", "b1", "x"]
    await settle(store, found[3], "defer", clock.now() + 60)
    assert names(await queue.peek(10)) == ["y", "b1", "x"]
    await clock.advance(60)
    [first] = (await queue.peek(10))[3:]
    await settle(store, first, "bury")
    assert names(await queue.peek(10)) == ["a2", "y", "b1", "x"]


async def test_a_new_subscription_starts_where_it_is_told(store: Store) -> None:
    await store.store({"v": 1}, namespace="n", context_id="a", tags=["t"])
    await store.store({"v": 2}, namespace="n", context_id="a", tags=["t"])
    await store.store({}, namespace="n", context_id="untagged")
    await store.store({}, namespace="other", context_id="b", tags=["t"])
    await store.delete("a", namespace="n")
    now = await store.queue("now", ["n"], tags=["t"])
    beginning = await store.queue("beginning", ["n"], tags=["t"], start="beginning")
    await store.store({"v": 3}, namespace="n", context_id="a", tags=["t"])
    assert [delivery.seq for delivery in await now.peek(10)] == [6]
    assert [delivery.seq for delivery in await beginning.peek(10)] == [1, 2, 5, 6]
    assert [d.update.operation for d in await beginning.peek(10)] == ["create", "update", "delete", "update"]


async def test_one_taken_up_keeps_its_deliveries_and_picks_anew(store: Store) -> None:
    await store.store({}, namespace="old", context_id="before")
    await store.queue("q", ["old"])
    await store.store({}, namespace="old", context_id="a")
    await store.store({}, namespace="new", context_id="not picked then")
    queue = await store.queue("q", ["new"], start="beginning")  # it is not new: no look back
    await store.store({}, namespace="old", context_id="b")
    await store.store({}, namespace="new", context_id="c")
    assert names(await queue.peek(10)) == ["a", "c"]


@pytest.mark.parametrize("ending", ["expired", "deleted", "changed"])
async def test_a_delivery_is_of_the_update_whatever_becomes_of_the_context(
    store: Store, clock: ManualClock, ending: str
) -> None:
    queue = await store.queue("q", ["n"])
    await store.store({"v": 1}, namespace="n", context_id="a", ttl=5)
    if ending == "deleted":
        await store.delete("a", namespace="n")
    elif ending == "changed":
        await store.store({"v": 2}, namespace="n", context_id="a")
    await clock.advance(10)
    found = await queue.peek(10)
    assert [d.update.context.data["v"] for d in found] == {"expired": [1], "deleted": [1, 1], "changed": [1, 2]}[ending]


async def test_an_attempt_is_counted_until_a_new_life(store: Store, clock: ManualClock) -> None:
    queue = await store.queue("q", ["n"])
    other = await store.queue("other", ["n"])
    await store.store({}, namespace="n", context_id="a")
    for attempts in range(2):
        [delivery] = await queue.peek(10)
        assert delivery.attempts == attempts
        await settle(store, delivery, "defer", clock.now() + 10)
        assert await queue.peek(10) == []
        await clock.advance(10)
    [delivery] = await queue.peek(10)
    await settle(store, delivery, "bury")
    [of_other] = await other.peek(10)
    await settle(store, of_other, "bury")
    assert (await queue.peek(10), await queue.size()) == ([], 0)
    letters = await store.dead()
    assert [(each.subscription, each.attempts, each.error) for each in letters] == [("q", 3, "e"), ("other", 1, "e")]
    assert [each.update.context.context_id for each in letters] == ["a", "a"]
    assert await store.redrive("q") == 1
    [delivery] = await queue.peek(10)
    assert delivery.attempts == 0
    assert [each.subscription for each in await store.dead()] == ["other"]
    assert await store.redrive() == 1
    assert await store.redrive() == 0
    assert await other.size() == 1


async def test_what_waits_is_counted_by_name(store: Store) -> None:
    first = await store.queue("feeds.a", ["n"])
    await store.queue("feeds.b", ["other"])
    await store.queue("rules", ["n"])
    for ident in ("1", "2", "3"):
        await store.store({}, namespace="n", context_id=ident)
    done, dead, _ = await first.peek(3)
    await settle(store, done, "ack")
    await settle(store, dead, "bury")
    assert await store.waiting("feeds.") == {"feeds.a": 2, "feeds.b": 0}  # a dead letter is not done
    assert [*await store.waiting("")] == ["feeds.a", "feeds.b", "rules"]
    assert await store.waiting("f_") == {}
    assert await store.forget("feeds.a")
    assert await store.waiting("feeds.") == {"feeds.b": 0}
    assert await store.dead() == []
    again = await store.queue("feeds.a", ["n"])
    assert await again.size() == 0


async def test_of_a_subscription_that_is_gone_nothing_can_be_settled(store: Store) -> None:
    queue = await store.queue("q", ["n"])
    await store.store({}, namespace="n")
    [delivery] = await queue.peek(1)
    await store.forget("q")
    for how in ("ack", "defer", "bury"):
        with pytest.raises(StoreError, match="no subscription"):
            await settle(store, delivery, how)


async def test_who_waits_is_woken_by_what_comes(store: Store, clock: ManualClock) -> None:
    queue = await store.queue("q", ["n"])
    assert await queue.peek(1) == []
    waiting = asyncio.create_task(queue.wait())
    await asyncio.sleep(0)
    await store.store({}, namespace="n", context_id="a")
    await asyncio.wait_for(waiting, 5)
    [delivery] = await queue.peek(1)
    waiting = asyncio.create_task(queue.wait())
    await settle(store, delivery, "defer", clock.now() - 1)
    await asyncio.wait_for(waiting, 5)
    [delivery] = await queue.peek(1)
    await settle(store, delivery, "bury")
    assert await queue.peek(1) == []
    waiting = asyncio.create_task(queue.wait())
    await store.redrive()
    await asyncio.wait_for(waiting, 5)
    assert len(await queue.peek(1)) == 1
