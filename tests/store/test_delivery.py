"""Durable deliveries: handlers, retries, dead letters, order, pull queues, restarts."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path

import pytest

from pepper_tui.clock import ManualClock
from pepper_tui.model import ContextFilter, ContextUpdate, DeliveryState
from pepper_tui.store import ContextStore, Retry, StaleDeliveryError, StoreUnavailableError, Subscriber
from pepper_tui.store.delivery.subscriber import STORE_PAUSE
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


async def test_the_seeds_decorator(store: ContextStore) -> None:
    context_store, subscriber = store, Subscriber(store)

    @subscriber.on_context_update(namespaces=["raw.email"])
    async def email_feed(update: ContextUpdate) -> None:
        raw_email = update.context.data
        if "urgent" in raw_email["subject"].lower():
            signal = {"id": f"signal_{raw_email['id']}", "content": f"Urgent email from {raw_email['sender']}"}
            await context_store.store(signal, namespace="signals.email")

    await subscriber.start()
    async with store.watch(["signals.*"]) as live:
        await context_store.store({"id": "1", "subject": "URGENT", "sender": "alice"}, namespace="raw.email")
        async for batch in live:
            assert batch[0].context.data["content"] == "Urgent email from alice"
            break
    await subscriber.stop()


async def test_retry_then_dead_then_redriven_while_others_pass(store: ContextStore, clock: ManualClock) -> None:
    subscriber = Subscriber(store)
    calls: list[str] = []
    broken = True

    @subscriber.on_context_update(namespaces=["n"], retry=Retry(attempts=3, base=10), name="h")
    async def handler(update: ContextUpdate) -> None:
        calls.append(update.context.context_id)
        await store.store({}, namespace="out", context_id=update.context.context_id)
        if broken and update.context.context_id == "bad":
            raise ValueError("broken")

    await subscriber.start()
    await store.store({}, namespace="n", context_id="bad", ttl=1)
    await store.store({}, namespace="n", context_id="good")
    await settled(store, "h", (0, 1, 0))
    assert calls == ["bad", "good"]
    for count in (3, 4):  # expired by now, and still delivered
        while len(calls) < count:
            await clock.advance(20)
            await asyncio.sleep(0.01)
    await settled(store, "h", (0, 0, 1))
    (letter,) = await store.dead()
    assert (letter.attempts, letter.error, letter.update.context.context_id) == (3, "ValueError: broken", "bad")
    assert [c.context_id for c in await store.query(ContextFilter(namespaces=["out"]))] == ["good"]
    broken = False
    assert await store.redrive("nobody") == 0
    assert await store.redrive("h") == 1
    await settled(store, "h", (0, 0, 0))
    assert await store.get("bad", namespace="out") is not None
    await subscriber.stop()


async def test_an_order_key_holds_back_only_its_own(store: ContextStore, clock: ManualClock) -> None:
    subscriber = Subscriber(store)
    done: list[str] = []
    failing = {"a1"}

    @subscriber.on_context_update(
        namespaces=["n"], name="h", order_key=lambda u: u.context.context_id[0], concurrency=4, retry=Retry(9, base=5)
    )
    async def handler(update: ContextUpdate) -> None:
        if update.context.context_id in failing:
            raise ValueError
        done.append(update.context.context_id)

    await subscriber.start()
    for ident in ("a1", "b1", "a2", "b2", "a3"):
        await store.store({}, namespace="n", context_id=ident)
    await until(lambda: done == ["b1", "b2"])
    failing.clear()
    await settled(store, "h", (2, 1, 0))
    while len(done) < 5:
        await clock.advance(5)
        await asyncio.sleep(0.01)
    assert done[2:] == ["a1", "a2", "a3"]
    await subscriber.stop()


async def test_batches_and_the_guilty_one_alone(store: ContextStore, clock: ManualClock) -> None:
    subscriber = Subscriber(store)
    batches: list[list[str]] = []

    @subscriber.on_context_batch(namespaces=["n"], name="h", size=3, longest_wait=0, retry=Retry(attempts=1))
    async def handler(updates: list[ContextUpdate]) -> None:
        batches.append([update.context.context_id for update in updates])
        if "1" in batches[-1]:
            raise ValueError

    async with store.unit():
        for number in range(5):
            await store.store({}, namespace="n", context_id=str(number))
    await subscriber.start()  # starts at now: the five are not delivered
    async with store.unit():
        for number in range(5):
            await store.store({"again": 1}, namespace="n", context_id=str(number))
    await settled(store, "h", (0, 0, 1))
    assert batches == [["0", "1", "2"], ["0"], ["1"], ["2"], ["3", "4"]]
    await subscriber.stop()


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


async def test_ack_and_defer_are_part_of_the_unit(store: ContextStore, clock: ManualClock) -> None:
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
async def test_only_the_moves_of_the_table(store: ContextStore, first: DeliveryState, second: DeliveryState) -> None:
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


async def test_a_handler_with_a_cancelled_part_fails_and_is_retried(store: ContextStore) -> None:
    subscriber = Subscriber(store)

    @subscriber.on_context_update(namespaces=["n"], name="h", retry=Retry(attempts=1))
    async def handler(_update: ContextUpdate) -> None:
        raise asyncio.CancelledError

    await subscriber.start()
    await store.store({}, namespace="n")
    await settled(store, "h", (0, 0, 1))
    await subscriber.stop()


@pytest.mark.parametrize("batch", [False, True])
async def test_a_handler_that_never_returns_fails_and_holds_nobody_up(store: ContextStore, batch: bool) -> None:
    subscriber = Subscriber(store)
    done: list[str] = []

    async def handler(update: ContextUpdate) -> None:
        await store.store({}, namespace="out", context_id=update.context.context_id)
        if update.context.context_id == "hangs":
            await asyncio.Event().wait()
        if update.context.context_id == "clings":
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.Event().wait()
        done.append(update.context.context_id)

    async def handle_all(updates: list[ContextUpdate]) -> None:
        for update in updates:
            await handler(update)

    once = Retry(attempts=1)
    if batch:
        decorate = subscriber.on_context_batch(namespaces=["n"], name="h", retry=once, timeout=0.05, longest_wait=0)
        decorate(handle_all)
    else:
        subscriber.on_context_update(namespaces=["n"], name="h", retry=once, timeout=0.05)(handler)
    await subscriber.start()
    async with store.unit():
        for ident in ("hangs", "clings", "good"):
            await store.store({}, namespace="n", context_id=ident)
    await settled(store, "h", (0, 0, 2))
    assert done[-1] == "good"
    assert {letter.error for letter in await store.dead()} == {"TimeoutError: no end within 0.05 s"}
    assert [c.context_id for c in await store.query(ContextFilter(namespaces=["out"]))] == ["good"]
    await subscriber.stop()


async def test_tags_restrict_and_forget_removes(store: ContextStore) -> None:
    queue = await store.queue("q", ["*"], tags=["open"])
    await store.store({}, namespace="n", tags=["open", "x"])
    await store.store({}, namespace="n", tags=["x"])
    assert await queue.size() == 1
    assert await store.forget("q")
    assert not await store.forget("q")
    assert (await store.stats()).subscriptions == []


async def test_two_handlers_of_one_name_are_refused(store: ContextStore) -> None:
    subscriber = Subscriber(store)

    async def handler(_update: ContextUpdate) -> None: ...

    subscriber.on_context_update(namespaces=["a"])(handler)
    with pytest.raises(ValueError, match="two handlers"):
        subscriber.on_context_update(namespaces=["b"])(handler)


async def test_a_dead_letter_is_told_and_its_new_life_too(store: ContextStore, clock: ManualClock) -> None:
    subscriber = Subscriber(store)

    @subscriber.on_context_update(namespaces=["raw.email"], retry=Retry(attempts=1), name="doomed")
    async def doomed(update: ContextUpdate) -> None:
        raise ValueError("no")

    async def health(state: str) -> bool:
        told = await store.get("deliveries", namespace="health")
        return told is not None and told.data["state"] == state

    await subscriber.start()
    await store.store({}, namespace="raw.email")
    await told(lambda: health("trouble"))
    await subscriber.stop()
    assert await store.redrive() == 1
    assert await health("ok")


@pytest.mark.parametrize("turns", range(8))
async def test_a_cancel_while_waiting_is_never_lost(store: ContextStore, clock: ManualClock, turns: int) -> None:
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


async def test_what_is_still_to_be_dealt_with_is_counted(store: ContextStore) -> None:
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


async def test_of_two_units_that_settle_one_delivery_at_once_only_one_holds(store: ContextStore) -> None:
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
