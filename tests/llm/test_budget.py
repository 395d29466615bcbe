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
from pepper_tui.llm.budget import cost_of
from pepper_tui.llm.client import bound_prompt, estimate_prompt
from pepper_tui.model import ContextFilter, ModelError, Namespace
from pepper_tui.store import ContextStore

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
    await budget.settle(held, None)  # it never reached the model
    await hold(budget, 1, 1)


async def test_a_restart_reads_what_was_spent_and_a_crash_leaves_the_worst_counted(store, clock):
    first = Budget(store, clock, settings_of())
    done = await hold(first, 100_000, 10_000)
    await first.settle(done, actual(done, 0.5))
    await hold(first, 300_000, 10_000)  # never reconciled: the process died
    again = Budget(store, clock, settings_of())
    await again.load()
    assert again.today().spent == pytest.approx(0.1 + 0.4)
    rows = await store.query(ContextFilter(namespaces=[Namespace.USAGE]))
    assert len(rows) == 2
    assert sum("reserved" in row.tags for row in rows) == 1


async def test_midnight_in_the_users_zone_begins_a_new_day(store, clock):
    budget = Budget(store, clock, settings_of(daily=1.0, chat_reserve=0.0))
    late = await hold(budget, 900_000, 0)
    await clock.advance(86_400)
    assert budget.today().spent == 0.0
    await hold(budget, 900_000, 0)
    await budget.settle(late, actual(late, 1.0))  # counts for the day on which it began
    assert budget.today().reserved == pytest.approx(0.9)
    assert budget.today().spent == 0.0
    again = Budget(store, clock, settings_of(daily=1.0, chat_reserve=0.0))
    await again.load()
    assert again.today().spent == pytest.approx(0.9)


async def test_a_model_without_a_price_is_bounded_by_tokens_and_writes_no_reservation(store, clock):
    budget = Budget(store, clock, settings_of(daily_tokens=1000, daily=2.0, chat_reserve=0.5))
    held = await hold(budget, 500, 200, price=None)
    assert await store.count(ContextFilter(namespaces=[Namespace.USAGE])) == 0
    with pytest.raises(ModelError, match=r"budget\.daily_tokens"):
        await hold(budget, 100, 0, price=None)
    await hold(budget, 100, 0, price=None, reserve="chat")
    await budget.settle(held, actual(held, 1.0))
    again = Budget(store, clock, settings_of(daily_tokens=1000))
    await again.load()
    with pytest.raises(ModelError):
        await hold(again, 301, 0, price=None, reserve="chat")
    await hold(again, 300, 0, price=None, reserve="chat")


async def test_calls_side_by_side_share_the_cap(store, clock):
    budget = Budget(store, clock, settings_of(daily=1.0, chat_reserve=0.0))
    results = await asyncio.gather(*(hold(budget, 100_000, 0) for _ in range(30)), return_exceptions=True)
    assert sum(not isinstance(r, BaseException) for r in results) == 10


async def test_what_is_settled_in_a_unit_that_fails_stays_on_record(store, clock):
    budget = Budget(store, clock, settings_of())

    async def fail() -> None:
        async with store.unit():
            held = await hold(budget, 1000, 10)
            await budget.settle(held, actual(held, 1.0))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()
    assert await store.count(ContextFilter(namespaces=[Namespace.USAGE])) == 1


ACTS = st.lists(
    st.tuples(
        st.sampled_from(["reserve", "settle", "drop", "restart", "advance"]),
        st.integers(0, 400_000),
        st.integers(0, 30_000),
        st.booleans(),
        st.floats(0, 1),
    ),
    max_size=25,
)


@settings(max_examples=40, deadline=None)
@given(acts=ACTS)
def test_the_cap_is_never_exceeded(acts):
    async def run() -> None:
        with tempfile.TemporaryDirectory() as folder:
            clock = ManualClock()
            store = await ContextStore.open(Path(folder) / "pepper.db", clock)
            limits = settings_of(daily=1.0, chat_reserve=0.25)
            budget, held = Budget(store, clock, limits), []
            try:
                for act, prompt, completion, chat, share in acts:
                    if act == "reserve":
                        role = "chat" if chat else "background"
                        with contextlib.suppress(ModelError):
                            held.append(await hold(budget, prompt, completion, reserve=role))
                    elif act == "settle" and held:
                        one = held.pop()
                        await budget.settle(one, actual(one, share))
                    elif act == "drop" and held:
                        await budget.settle(held.pop(), None)
                    elif act == "restart":
                        await budget.flush()
                        before = budget.today()
                        budget, held = Budget(store, clock, limits), []
                        await budget.load()
                        assert budget.today().spent == pytest.approx(before.spent + before.reserved)
                    elif act == "advance":
                        await clock.advance(20_000)
                    now = budget.today()
                    assert now.spent + now.reserved <= 1.0 + 1e-9
            finally:
                await budget.flush()
                await store.close()

    asyncio.run(run())


@given(st.text(max_size=300))
def test_no_prompt_is_estimated_above_its_bound(text):
    messages = [{"role": "user", "content": text}]
    assert estimate_prompt(messages) <= bound_prompt(messages)
    assert len(text.encode("utf-8", "surrogatepass")) <= bound_prompt(messages)
