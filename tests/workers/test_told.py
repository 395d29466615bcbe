"""What a worker is told while it is at work: read at its next step, once, whatever ends in between."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pepper_tui.clock import ManualClock
from pepper_tui.config import Worker
from pepper_tui.model import Context, ContextFilter, ModelRequest, Namespace, Record, RunState, ToolCall, WorkerRun
from pepper_tui.workers import RunFailedError
from pepper_tui.workers.telling import MOST_TOLD
from tests.waiting import until
from tests.workers.fakes import House, Model, Reply, final, reply
from tests.workers.test_pool import Homes, ignore, in_state, saved


@pytest.fixture
async def homes(tmp_path: Path) -> AsyncIterator[Homes]:
    made = Homes(tmp_path)
    yield made
    for house in list(made.open):
        await made.close(house)


def teller(house: House, name: str = "t1", **changes: Any) -> ToolCall:
    return replace(house.call(name), name="tell_worker", **changes)


def told_in(request: ModelRequest) -> str:
    """What stands in a request's chat behind the task."""
    return "\n".join(str(message["content"]) for message in request.messages[1:])


async def at_work(house: House, steps: int = 1) -> None:
    await until(lambda: len(house.model.requests) == steps)


def held_model(*script: Reply) -> Model:
    model = Model(list(script))
    model.gate.clear()
    return model


@pytest.mark.parametrize("ref", ["d1", "run_d1", "mail-agent", " Mail-Agent "])
async def test_it_is_read_at_the_next_step_in_order_and_by_any_name(homes: Homes, ref: str) -> None:
    house = await homes(held_model(reply("", ("note", {})), final("done")))
    waiting = asyncio.create_task(house.pool.delegate(house.call(), "t", "mail-agent", ignore))
    await at_work(house)
    said = await house.pool.tell(teller(house), ref, "the price is </told> 8,500")
    assert said == "Told mail-agent; it reads it at its next step."
    await house.pool.tell(teller(house, "t2", root="signal"), ref, "and not before Monday")
    house.model.gate.set()
    assert await waiting == "done"
    first, second = house.model.requests
    assert "<told" not in told_in(first)
    assert '<told id="t1" for="user">the price is &lt;/told> 8,500</told>' in told_in(second)
    assert told_in(second).index("8,500") < told_in(second).index('<told id="t2">and not before Monday</told>')
    assert [entry.kind for entry in second.entries] == ["tool_result", "told", "told"]
    assert [e["id"] for e in (await saved(house, "d1")).events if e["kind"] == "told"] == ["t1", "t2"]


async def test_a_worker_that_was_about_to_end_reads_it_and_goes_on(homes: Homes) -> None:
    house = await homes(held_model(final("at 9,000"), final("at 8,500")))
    waiting = asyncio.create_task(house.pool.delegate(house.call(), "t", None, ignore))
    await at_work(house)
    await house.pool.tell(teller(house), "d1", "8,500")
    house.model.gate.set()
    assert await waiting == "at 8,500"
    chat = house.model.requests[-1].messages
    assert [m["role"] for m in chat] == ["system", "user", "assistant", "user"]
    assert "at 9,000" in chat[2]["content"]
    assert "8,500" in chat[3]["content"]


@pytest.mark.parametrize("words", ["", "my last words"])
async def test_what_the_last_step_left_unread_stands_in_the_answer(homes: Homes, words: str) -> None:
    house = await homes(held_model(final("done") if not words else reply(words)), [Worker(name="short", max_steps=1)])
    waiting = asyncio.create_task(house.pool.delegate(house.call(), "t", "short", ignore))
    await at_work(house)
    await house.pool.tell(teller(house), "d1", "hurry")
    house.model.gate.set()
    assert (await waiting).endswith("\n[It ended before it had read: hurry]")


async def test_what_a_failed_run_left_unread_stands_in_its_words(homes: Homes) -> None:
    house = await homes(held_model(reply("", ("note", {}))), [Worker(name="dear", max_cost=0.005)])
    waiting = asyncio.create_task(house.pool.delegate(house.call(), "t", "dear", ignore))
    await at_work(house)
    await house.pool.tell(teller(house), "d1", "hurry")
    house.model.gate.set()
    with pytest.raises(RunFailedError, match="It ended before it had read: hurry"):
        await waiting


async def test_who_has_ended_or_never_was_is_not_told(homes: Homes, tmp_path: Path) -> None:
    house = await homes(Model([final("done")]))
    with pytest.raises(ValueError, match="no worker is at work; what it found"):
        await house.pool.tell(teller(house), "nobody", "x")
    await house.pool.delegate(house.call(), "t", None, ignore)
    for ref in ("d1", "run_d1"):
        with pytest.raises(ValueError, match=r"has ended \(succeeded\); .* delegate anew"):
            await house.pool.tell(teller(house), ref, "x")
    assert await house.store.query(ContextFilter(namespaces=[Namespace.TOLD])) == []


async def test_a_name_that_several_runs_have_is_the_one_at_work(homes: Homes) -> None:
    house = await homes(held_model(*[final("done")] * 4))
    tasks = [asyncio.create_task(house.pool.delegate(house.call(f"d{n}"), "t", "mail-agent", ignore)) for n in range(2)]
    await at_work(house)
    await in_state(house, "d1", RunState.QUEUED)
    await house.pool.tell(teller(house), "mail-agent", "x")
    [row] = await house.store.query(ContextFilter(namespaces=[Namespace.TOLD]))
    assert row.data["run"] == "run_d0"
    with pytest.raises(ValueError, match="at work now: mail-agent \\(d0\\)"):
        await house.pool.tell(teller(house, "t2"), "amy", "x")
    house.model.gate.set()
    await asyncio.gather(*tasks)


async def test_what_it_waits_for_is_said(homes: Homes) -> None:
    house = await homes(Model([reply("", ("wait_for_mail", {})), final("x")]), held=["wait_for_mail"])
    waiting = asyncio.create_task(house.pool.delegate(house.call(), "t", None, ignore))

    async def waits() -> bool:
        return bool(await house.executor.open_calls())

    await until(waits)
    [call] = await house.executor.open_calls()
    said = await house.pool.tell(teller(house), "d1", "never mind")
    assert f"It waits for wait_for_mail ({call.id}) first: cancel_call" in said
    await house.executor.cancel(call.id, "assistant")
    await waiting
    assert "never mind" in told_in(house.model.requests[-1])


async def test_told_again_by_the_same_call_it_is_told_once(homes: Homes) -> None:
    house = await homes(held_model(reply("", ("note", {})), final("done")))
    waiting = asyncio.create_task(house.pool.delegate(house.call(), "t", None, ignore))
    await at_work(house)
    for _ in range(3):  # as after a crash between what was told and its result
        await house.pool.tell(teller(house), "d1", "8,500")
    house.model.gate.set()
    await waiting
    assert told_in(house.model.requests[-1]).count("8,500") == 1
    assert "it has ended since" in await house.pool.tell(teller(house), "d1", "8,500")


async def test_a_crash_loses_nothing_that_was_told(homes: Homes) -> None:
    house = await homes(held_model())
    waiting = asyncio.create_task(house.pool.delegate(house.call(), "t", None, ignore))
    await at_work(house)
    await house.pool.tell(teller(house), "d1", "8,500")
    waiting.cancel()
    await homes.close(house)
    house = await homes([final("done")])
    await house.pool.delegate(house.call(), "t", None, ignore)
    assert told_in(house.model.requests[0]).count("8,500") == 1


async def test_it_taints_the_run(homes: Homes) -> None:
    house = await homes(held_model(reply("", ("note", {})), final("done")))
    waiting = asyncio.create_task(house.pool.delegate(house.call(), "t", None, ignore))
    await at_work(house)
    await house.pool.tell(teller(house, tainted=True), "d1", "as the mail says")
    house.model.gate.set()
    await waiting
    assert await house.pool.tainted("d1")


async def test_too_long_a_text_and_a_class_of_the_users_own_are_refused(homes: Homes, tmp_path: Path) -> None:
    file = tmp_path / "own.py"
    file.write_text(
        "from pepper_tui.api import StatelessWorker\nclass Own(StatelessWorker):\n"
        "    async def execute_task(self, task_description):\n        return await self.call_tool('look')\n"
    )
    house = await homes(held_model(final("done")), [Worker(name="own", file=file)], held=["look"])
    tasks = [
        asyncio.create_task(house.pool.delegate(house.call("d1"), "t", None, ignore)),
        asyncio.create_task(house.pool.delegate(house.call("d2"), "t", "own", ignore)),
    ]
    await at_work(house)
    with pytest.raises(ValueError, match="more than 8,000 characters; nothing was told"):
        await house.pool.tell(teller(house), "d1", "x" * (MOST_TOLD + 1))
    await in_state(house, "d2", RunState.RUNNING)
    with pytest.raises(ValueError, match="reads only its task"):
        await house.pool.tell(teller(house), "d2", "x")
    for task in tasks:
        task.cancel()


@pytest.mark.parametrize("cancelled", [False, True])
async def test_while_it_ends_nothing_is_told_that_nobody_would_read(homes: Homes, cancelled: bool) -> None:
    house = await homes(held_model(final("done")))
    put, ending, go = house.store.put, asyncio.Event(), asyncio.Event()

    async def slow(record: Record, **named: Any) -> Context:
        if isinstance(record, WorkerRun) and record.state in (RunState.SUCCEEDED, RunState.CANCELLED):
            ending.set()
            await go.wait()
        return await put(record, **named)

    house.store.put = slow  # type: ignore[method-assign]
    waiting = asyncio.create_task(house.pool.delegate(house.call(), "t", None, ignore))
    await at_work(house)
    if cancelled:
        stopping = asyncio.create_task(house.pool.cancel("d1"))
    house.model.gate.set()
    await asyncio.wait_for(ending.wait(), 10)
    with pytest.raises(ValueError, match="it has just ended; what it found"):
        await house.pool.tell(teller(house), "d1", "8,500")
    go.set()
    if cancelled:
        await stopping
        with pytest.raises(RunFailedError):
            await waiting
    else:
        assert await waiting == "done"
    assert await house.store.query(ContextFilter(namespaces=[Namespace.TOLD])) == []


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2), st.booleans()), min_size=1, max_size=6))
def test_whatever_happens_each_word_is_read_once_or_said_to_be_unread(
    tmp_path_factory: pytest.TempPathFactory, acts: list[tuple[int, int, bool]]
) -> None:
    """Acts: at which step, how many words, and whether the program ends behind them."""

    async def example() -> None:
        folder = tmp_path_factory.mktemp("told")
        clock, told = ManualClock(), 0
        heard: list[str] = []
        model = Model(lambda _: final("done") if len(model.requests) > 3 else reply("", ("note", {})))
        house = await House(folder / "store.db", clock, model).open()
        waiting = asyncio.create_task(house.pool.delegate(house.call(), "t", None, ignore))
        await until(lambda: bool(model.requests) or waiting.done())
        for turns, words, ends in acts:
            for _ in range(turns):
                await asyncio.sleep(0)
            for _ in range(words):
                try:
                    await house.pool.tell(teller(house, f"t{told}"), "d1", f"word{told}.")
                    heard.append(f"word{told}.")
                except ValueError:
                    assert waiting.done() or not house.pool._runs or house.pool._runs["run_d1"].hearing.deaf
                told += 1
            if ends and not waiting.done():
                waiting.cancel()
                await house.close()
                house = await House(folder / "store.db", clock, model).open()
                waiting = asyncio.create_task(house.pool.delegate(house.call(), "t", None, ignore))
        answer = await asyncio.wait_for(waiting, 20)
        last = told_in(model.requests[-1])
        assert [(last.count(word), answer.count(word)) for word in heard] == [(1, 0)] * len(heard)
        await house.close()

    asyncio.run(example())
