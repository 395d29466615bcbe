"""The runner where an act breaks off: nothing half done stays, nothing is done twice, and a full disk is no failure."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import UTC
from functools import partial
from typing import Any

import pytest

from pepper_tui.clock import ManualClock
from pepper_tui.clock.words import TimeReader
from pepper_tui.domains.mail.content.machines import by_a_machine, is_absence
from pepper_tui.domains.mail.content.message_ids import first_with
from pepper_tui.model import (
    ActState,
    Context,
    ContextFilter,
    ContextUpdate,
    Match,
    Namespace,
    Notification,
    Priority,
    RuleAct,
    Signal,
)
from pepper_tui.rules import RuleBook
from pepper_tui.rules.acting.hands import Hands
from pepper_tui.rules.acting.runner import RuleRunner
from pepper_tui.store import ContextStore, StoreUnavailableError, Subscriber
from pepper_tui.store.delivery.subscriber import STORE_PAUSE
from tests.waiting import until

ORDER = Match(rule="r", version="1", name="quotes", acts=["notify"]).data()


class Told:
    """Announces into the store; the first ``faults`` times it breaks off after it has written."""

    def __init__(self, store: ContextStore, *faults: Exception) -> None:
        self.store, self.faults, self.calls = store, [*faults], 0

    async def announce(self, item: Notification) -> Context | None:
        self.calls += 1
        stored = await self.store.put(item, namespace=Namespace.NOTIFICATION)
        if self.faults:
            raise self.faults.pop(0)
        return stored


class Captured:
    """In place of a subscriber: keeps the handler, so that the test hands out what it likes."""

    def on_context_batch(self, **_: Any) -> Callable[[Any], Any]:
        def keep(handler: Any) -> Any:
            self.handler = handler
            return handler

        return keep


def runner(store: ContextStore, clock: ManualClock, told: Told) -> RuleRunner:
    hands = Hands(
        announce=told.announce,
        times=TimeReader(clock, UTC),
        look=None,  # type: ignore[arg-type]
        is_own=lambda _: False,
        first_mail=partial(first_with, store),
        by_a_machine=by_a_machine,
        is_absence=is_absence,
        has_model=lambda: False,
        zone=UTC,
        zone_name="UTC",
    )
    return RuleRunner(store, clock, RuleBook(store, [], {}), hands)


def signal(name: str, clock: ManualClock) -> Signal:
    return Signal(name, "A quote", clock.now(), Priority.HIGH, "mail", "your rule", f"mail:{name}", {"rules": [ORDER]})


async def acts(store: ContextStore) -> list[RuleAct]:
    return [RuleAct.of(context) for context in await store.query(ContextFilter(namespaces=[Namespace.RULE_ACT]))]


async def notices(store: ContextStore) -> list[str]:
    found = await store.query(ContextFilter(namespaces=[Namespace.NOTIFICATION]))
    return [context.data["title"] for context in found]


@pytest.fixture
async def subscriber(store: ContextStore) -> AsyncIterator[Subscriber]:
    made = Subscriber(store)
    yield made
    await made.stop()


async def carried_out(store: ContextStore, clock: ManualClock, subscriber: Subscriber, told: Told) -> RuleAct:
    runner(store, clock, told).listen(subscriber)
    await subscriber.start()
    await store.put(signal("s1", clock), namespace="signals.mail")

    async def done() -> bool:
        await clock.advance(STORE_PAUSE)
        return await store.get("signals.mail:s1", namespace=Namespace.RULE_MATCH) is not None

    await until(done)
    [act] = await acts(store)
    return act


@pytest.mark.parametrize("fault", [ValueError("no such template"), RuntimeError("a fault of ours")])
async def test_an_act_that_fails_leaves_nothing_of_itself_and_is_told(
    store: ContextStore, clock: ManualClock, subscriber: Subscriber, fault: Exception
) -> None:
    act = await carried_out(store, clock, subscriber, Told(store, fault))
    assert (act.state, act.detail) == (ActState.FAILED, str(fault))
    [only] = await notices(store)
    assert only != "A quote"  # that it was not done


@pytest.mark.parametrize("faults", [1, 12])
async def test_a_store_that_fails_is_waited_for_and_no_act_fails_for_it(
    store: ContextStore, clock: ManualClock, subscriber: Subscriber, faults: int
) -> None:
    told = Told(store, *(StoreUnavailableError("the disk is full") for _ in range(faults)))
    act = await carried_out(store, clock, subscriber, told)
    assert act.state is ActState.DONE
    assert told.calls == faults + 1
    assert await notices(store) == ["A quote"]
    assert await store.dead() == []


async def test_what_is_handed_out_once_more_is_done_once(store: ContextStore, clock: ManualClock) -> None:
    told, captured = Told(store), Captured()
    runner(store, clock, told).listen(captured)  # type: ignore[arg-type]
    stored = await store.put(signal("s1", clock), namespace="signals.mail")
    for _ in range(2):
        async with store.unit():
            await captured.handler([ContextUpdate(stored.seq, stored)])
    assert told.calls == 1
    assert [act.state for act in await acts(store)] == [ActState.DONE]


async def test_what_was_only_logged_and_meets_no_rule_is_not_delivered(
    store: ContextStore, clock: ManualClock, subscriber: Subscriber
) -> None:
    runner(store, clock, Told(store)).listen(subscriber)
    await subscriber.start()
    await subscriber.stop()
    logged = Signal("s1", "News", clock.now(), Priority.LOG, "mail", "a list", "mail:s1")
    await store.put(logged, namespace="signals.mail")
    await store.put(signal("s2", clock), namespace="signals.mail")
    low = Signal("s3", "News", clock.now(), Priority.LOW, "mail", "a list", "mail:s3")
    await store.put(low, namespace="signals.mail")
    quiet = Signal("s4", "A quote", clock.now(), Priority.LOG, "mail", "your rule", "mail:s4", {"rules": [ORDER]})
    await store.put(quiet, namespace="signals.mail")
    assert await store.undelivered("rules") == 3
