"""Durable subscriptions that push to handlers: retries, dead letters, order, batches."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from pepper_tui.clock import ManualClock
from pepper_tui.model import ContextFilter, ContextUpdate
from pepper_tui.store import (
    Retry,
    Store,
    Subscriber,
)
from tests.conformance.store.asking import settled
from tests.waiting import until


async def test_the_seeds_decorator(store: Store) -> None:
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


async def test_retry_then_dead_then_redriven_while_others_pass(store: Store, clock: ManualClock) -> None:
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
    await settled(store, "h", 1, dead=0)
    assert calls == ["bad", "good"]
    for count in (3, 4):  # expired by now, and still delivered
        while len(calls) < count:
            await clock.advance(20)
            await asyncio.sleep(0.01)
    await settled(store, "h", 0, dead=1)
    (letter,) = await store.dead()
    assert (letter.attempts, letter.error, letter.update.context.context_id) == (3, "ValueError: broken", "bad")
    assert [c.context_id for c in await store.query(ContextFilter(namespaces=["out"]))] == ["good"]
    broken = False
    assert await store.redrive("nobody") == 0
    assert await store.redrive("h") == 1
    await settled(store, "h", 0, dead=0)
    assert await store.get("bad", namespace="out") is not None
    await subscriber.stop()


async def test_an_order_key_holds_back_only_its_own(store: Store, clock: ManualClock) -> None:
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
    await settled(store, "h", 3, dead=0)
    while len(done) < 5:
        await clock.advance(5)
        await asyncio.sleep(0.01)
    assert done[2:] == ["a1", "a2", "a3"]
    await subscriber.stop()


async def test_batches_and_the_guilty_one_alone(store: Store, clock: ManualClock) -> None:
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
    await settled(store, "h", 0, dead=1)
    assert batches == [["0", "1", "2"], ["0"], ["1"], ["2"], ["3", "4"]]
    await subscriber.stop()


async def test_a_handler_with_a_cancelled_part_fails_and_is_retried(store: Store) -> None:
    subscriber = Subscriber(store)

    @subscriber.on_context_update(namespaces=["n"], name="h", retry=Retry(attempts=1))
    async def handler(_update: ContextUpdate) -> None:
        raise asyncio.CancelledError

    await subscriber.start()
    await store.store({}, namespace="n")
    await settled(store, "h", 0, dead=1)
    await subscriber.stop()


@pytest.mark.parametrize("batch", [False, True])
async def test_a_handler_that_never_returns_fails_and_holds_nobody_up(store: Store, batch: bool) -> None:
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
    await settled(store, "h", 0, dead=2)
    assert done[-1] == "good"
    assert {letter.error for letter in await store.dead()} == {"TimeoutError: no end within 0.05 s"}
    assert [c.context_id for c in await store.query(ContextFilter(namespaces=["out"]))] == ["good"]
    await subscriber.stop()


async def test_two_handlers_of_one_name_are_refused(store: Store) -> None:
    subscriber = Subscriber(store)

    async def handler(_update: ContextUpdate) -> None: ...

    subscriber.on_context_update(namespaces=["a"])(handler)
    with pytest.raises(ValueError, match="two handlers"):
        subscriber.on_context_update(namespaces=["b"])(handler)


async def test_a_dead_letter_is_told_and_its_new_life_too(store: Store, clock: ManualClock) -> None:
    subscriber = Subscriber(store)

    @subscriber.on_context_update(namespaces=["raw.email"], retry=Retry(attempts=1), name="doomed")
    async def doomed(update: ContextUpdate) -> None:
        raise ValueError("no")

    async def health(state: str) -> bool:
        told = await store.get("deliveries", namespace="health")
        return told is not None and told.data["state"] == state

    await subscriber.start()
    await store.store({}, namespace="raw.email")
    await until(lambda: health("trouble"))
    await subscriber.stop()
    assert await store.redrive() == 1
    assert await health("ok")


async def test_what_is_not_wanted_is_not_delivered(store: Store) -> None:
    """Also of what came while the handlers were stopped."""
    taken: list[str] = []

    async def take(updates: list[ContextUpdate]) -> None:
        taken.extend(update.context.context_id for update in updates)

    def fresh() -> Subscriber:
        subscriber = Subscriber(store)
        batches = subscriber.on_context_batch(
            namespaces=["n"], name="h", longest_wait=0.0, wanted=lambda update: bool(update.context.data["it"])
        )
        batches(take)
        return subscriber

    subscriber = fresh()
    await subscriber.start()
    for number in range(4):
        await store.store({"it": number % 2}, namespace="n", context_id=str(number))
    await until(lambda: taken == ["1", "3"])

    async def settled_now() -> bool:
        return not await store.undelivered("h")

    await until(settled_now)
    await subscriber.stop()
    await store.store({"it": 0}, namespace="n", context_id="4")
    await store.store({"it": 1}, namespace="n", context_id="5")
    assert await store.undelivered("h") == 1
    subscriber = fresh()
    await subscriber.start()
    await until(lambda: taken == ["1", "3", "5"])
    await subscriber.stop()
