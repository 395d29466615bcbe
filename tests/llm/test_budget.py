"""The cap holds: across roles, restarts, crashes, midnight and calls side by side."""

import asyncio
import contextlib
import dataclasses
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pepper_tui import config
from pepper_tui.clock import ManualClock
from pepper_tui.llm import Budget
from pepper_tui.llm.budget import ALLOWANCE, cost_of
from pepper_tui.llm.client import bound_prompt, estimate_prompt
from pepper_tui.model import ContextFilter, ModelError, Namespace
from pepper_tui.store import ContextStore, StoreError
from tests.waiting import until

PRICE = config.Price(input=1.0, output=10.0)


def settings_of(**budget: float) -> config.Config:
    return config.Config(user=config.User(zone="Europe/Berlin"), budget=config.Budget(**budget))


async def hold(budget: Budget, prompt: int, completion: int, *, reserve="background", price=PRICE):
    return await budget.reserve(
        model="m", role="worker", prompt_tokens=prompt, max_tokens=completion, price=price, reserve=reserve
    )


def actual(held, share: float):
    worst = held.worst
    usage = dataclasses.replace(
        worst,
        prompt_tokens=int(worst.prompt_tokens * share),
        completion_tokens=int(worst.completion_tokens * share),
    )
    return dataclasses.replace(usage, cost=cost_of(usage, PRICE if held.priced else None))


async def test_over_the_cap_is_refused_in_words_and_chat_keeps_its_reserve(store, clock):
    budget = Budget(store, clock, settings_of(daily=2.0, chat_reserve=0.5))
    held = await hold(budget, 1_000_000, 50_000)  # 1.5: all that background may have
    with pytest.raises(ModelError) as caught:
        await hold(budget, 1, 1)
    assert caught.value.kind == "budget"
    assert not caught.value.retryable
    assert "budget.daily" in caught.value.words
    await hold(budget, 500_000, 0, reserve="chat")
    with pytest.raises(ModelError):
        await hold(budget, 1, 1, reserve="chat")
    budget.settle(held, None)  # it never reached the model
    await hold(budget, 1, 1)


def die(budget: Budget) -> None:
    """What a kill does to it: nothing more is written."""
    for task in budget.records.writes:
        task.cancel()


async def allowance(store, day: str = "2027-01-15") -> float:
    row = await store.get(day, namespace=ALLOWANCE)
    return row.data["sum"] if row else 0.0


async def test_a_crash_counts_the_whole_allowance_and_a_clean_stop_only_what_was_spent(store, clock):
    first = Budget(store, clock, settings_of())
    done = await hold(first, 100_000, 10_000)  # 0.2
    first.settle(done, actual(done, 0.5))
    await hold(first, 300_000, 10_000)  # 0.4, never reconciled: the process dies
    covered = first.today().spent + first.today().reserved
    allowed = await allowance(store)
    die(first)
    again = Budget(store, clock, settings_of())
    await again.load()
    assert again.today().spent == pytest.approx(allowed)
    assert covered <= allowed <= 2.0
    held = await hold(again, 100_000, 0)
    again.settle(held, actual(held, 1.0))
    spent = again.today().spent
    await again.close()
    third = Budget(store, clock, settings_of())
    await third.load()
    assert third.today().spent == pytest.approx(spent)
    assert await allowance(store) == pytest.approx(spent)


async def test_most_calls_write_no_reservation_of_their_own(store, clock):
    budget = Budget(store, clock, settings_of(daily=10.0))
    async with store.watch([ALLOWANCE]) as raised:
        for _ in range(30):
            held = await hold(budget, 100_000, 1000)
            budget.settle(held, actual(held, 0.1))
        assert len(raised.drain()) <= 3
    await budget.flush()
    assert await store.count(ContextFilter(namespaces=[Namespace.USAGE])) == 30


async def test_background_never_allows_itself_what_is_kept_for_the_chat(store, clock):
    budget = Budget(store, clock, settings_of(daily=2.0, chat_reserve=0.5))
    await hold(budget, 800_000, 0)
    await hold(budget, 600_000, 0)
    assert await allowance(store) <= 1.5
    die(budget)
    again = Budget(store, clock, settings_of(daily=2.0, chat_reserve=0.5))
    await hold(again, 500_000, 0, reserve="chat")


async def test_a_call_is_recorded_with_the_unit_after_it_and_apart_where_that_fails_or_none_comes(store, clock):
    budget = Budget(store, clock, settings_of())

    async def recorded() -> int:
        return await store.count(ContextFilter(namespaces=[Namespace.USAGE]))

    one = await hold(budget, 1000, 10)
    budget.settle(one, actual(one, 1.0))
    async with store.watch() as updates:
        async with budget.unit():
            await store.store({}, namespace="step", context_id="s1")
        [commit] = [updates.drain()]
        assert {update.context.namespace for update in commit} == {"step", Namespace.USAGE}
    two = await hold(budget, 1000, 10)
    budget.settle(two, actual(two, 1.0))
    with contextlib.suppress(RuntimeError):
        async with budget.unit():
            raise RuntimeError
    assert await recorded() == 1
    await until(lambda: bool(clock.sleepers))
    await clock.advance(0.1)
    await until(lambda: recorded_is(store, 2))


async def recorded_is(store, count: int) -> bool:
    return await store.count(ContextFilter(namespaces=[Namespace.USAGE])) == count


async def test_midnight_in_the_users_zone_begins_a_new_day(store, clock):
    budget = Budget(store, clock, settings_of(daily=1.0, chat_reserve=0.0))
    late = await hold(budget, 900_000, 0)
    await clock.advance(86_400)
    assert budget.today().spent == 0.0
    await hold(budget, 900_000, 0)
    budget.settle(late, actual(late, 1.0))  # counts for the day on which it began
    assert budget.today().reserved == pytest.approx(0.9)
    assert budget.today().spent == 0.0
    again = Budget(store, clock, settings_of(daily=1.0, chat_reserve=0.0))
    await again.load()
    assert 0.9 <= again.today().spent <= 1.0


async def test_a_model_without_a_price_is_bounded_by_tokens_and_writes_no_reservation(store, clock):
    budget = Budget(store, clock, settings_of(daily_tokens=1000, daily=2.0, chat_reserve=0.5))
    held = await hold(budget, 500, 200, price=None)
    assert await store.count(ContextFilter(namespaces=[Namespace.USAGE])) == 0
    with pytest.raises(ModelError, match=r"budget\.daily_tokens"):
        await hold(budget, 100, 0, price=None)
    await hold(budget, 100, 0, price=None, reserve="chat")
    budget.settle(held, actual(held, 1.0))
    await budget.flush()
    again = Budget(store, clock, settings_of(daily_tokens=1000))
    await again.load()
    with pytest.raises(ModelError):
        await hold(again, 301, 0, price=None, reserve="chat")
    await hold(again, 300, 0, price=None, reserve="chat")


async def test_calls_side_by_side_share_the_cap(store, clock):
    budget = Budget(store, clock, settings_of(daily=1.0, chat_reserve=0.0))
    results = await asyncio.gather(*(hold(budget, 100_000, 0) for _ in range(30)), return_exceptions=True)
    assert sum(not isinstance(r, BaseException) for r in results) == 10


async def test_no_room_is_held_for_a_call_that_could_not_be_allowed(tmp_path, clock):
    store = await ContextStore.open(tmp_path / "p.db", clock)
    budget = Budget(store, clock, settings_of(daily=1.0, chat_reserve=0.0))
    await budget.load()
    await store.close()
    for _ in range(3):
        with pytest.raises(StoreError):
            await hold(budget, 400_000, 0)
        assert budget.today().reserved == 0.0


async def test_no_room_is_held_for_a_call_that_was_given_up_while_it_was_allowed(store, clock):
    budget = Budget(store, clock, settings_of(daily=1.0, chat_reserve=0.0))
    await budget.load()
    for turns in range(1, 8):
        asking = asyncio.create_task(hold(budget, 400_000, 0))
        for _ in range(turns):
            await asyncio.sleep(0)
        if asking.done():
            budget.settle(asking.result(), None)
            continue
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert budget.today().reserved == 0.0
    await hold(budget, 900_000, 0)


@pytest.mark.parametrize("turns", range(1, 9))
async def test_a_flush_in_the_midst_of_a_write_returns(store, clock, turns):
    budget = Budget(store, clock, settings_of(daily=1.0))
    one = await hold(budget, 1000, 0)
    budget.settle(one, actual(one, 1.0))
    for _ in range(3):
        await asyncio.sleep(0)
    [sleeper] = clock._sleepers
    clock._sleepers.clear()
    sleeper[2].set_result(None)
    for _ in range(turns):
        await asyncio.sleep(0)
    await asyncio.wait_for(budget.flush(), 10)
    assert await store.count(ContextFilter(namespaces=[Namespace.USAGE])) == 1


ACTS = st.lists(
    st.tuples(
        st.sampled_from(["reserve", "settle", "drop", "kill", "stop", "commit", "advance"]),
        st.integers(0, 400_000),
        st.integers(0, 30_000),
        st.booleans(),
        st.floats(0, 1),
    ),
    max_size=25,
)


@settings(max_examples=60, deadline=None)
@given(acts=ACTS)
def test_the_cap_is_never_exceeded(acts):
    """Over any number of kills and stops: what providers may have charged in a day stays within the cap, and what
    background work had of it within its share."""

    async def run() -> None:
        with tempfile.TemporaryDirectory() as folder:
            clock = ManualClock()
            store = await ContextStore.open(Path(folder) / "pepper.db", clock)
            limits = settings_of(daily=1.0, chat_reserve=0.25)
            budget, held = Budget(store, clock, limits), []
            charged: dict[str, float] = {}  # by day: what the world outside knows
            try:
                for act, prompt, completion, chat, share in acts:
                    if act == "reserve":
                        role = "chat" if chat else "background"
                        with contextlib.suppress(ModelError):
                            one = await hold(budget, prompt, completion, reserve=role)
                            held.append(one)
                            charged[one.day] = charged.get(one.day, 0.0) + one.worst.cost
                            now = budget.today()
                            if one.worst.cost:
                                assert now.spent + now.reserved <= (1.0 if chat else 0.75) + 1e-9
                            assert now.spent + now.reserved <= await allowance(store, one.day) + 1e-9
                    elif act in ("settle", "drop") and held:
                        one = held.pop()
                        usage = actual(one, share) if act == "settle" else None
                        charged[one.day] -= one.worst.cost - (usage.cost if usage else 0.0)
                        budget.settle(one, usage)
                    elif act in ("kill", "stop"):
                        await (budget.close() if act == "stop" else budget.load())
                        before = budget.today()
                        die(budget)
                        budget, held = Budget(store, clock, limits), []
                        await budget.load()
                        known = before.spent + before.reserved
                        assert known - 1e-9 <= budget.today().spent <= 1.0 + 1e-9
                        if act == "stop":
                            assert budget.today().spent == pytest.approx(known)
                    elif act == "commit":
                        async with budget.unit():
                            pass
                    elif act == "advance":
                        await clock.advance(20_000)
                    assert all(sum_ <= 1.0 + 1e-9 for sum_ in charged.values())
            finally:
                await budget.flush()
                await store.close()

    asyncio.run(run())


@given(st.text(max_size=300))
def test_no_prompt_is_estimated_above_its_bound(text):
    messages = [{"role": "user", "content": text}]
    assert estimate_prompt(messages) <= bound_prompt(messages)
    assert len(text.encode("utf-8", "surrogatepass")) <= bound_prompt(messages)
