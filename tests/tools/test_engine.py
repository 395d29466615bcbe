"""Calls run to their end: kinds of effect, limits, cancelling, crashes."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from pepper_tui.clock import ManualClock
from pepper_tui.model import CallState, ContextFilter, Effect, Namespace, ResolvedEffect
from pepper_tui.store import StoreUnavailableError
from pepper_tui.tools import NotDoneError, ToolContext, tool
from pepper_tui.tools.approvals.attempts import Checks
from tests.tools.bench import Bench, Died, act_tool, bench_config
from tests.waiting import until

S = CallState


async def test_local_is_committed_with_its_result(bench: Bench) -> None:
    call_id = await bench.schedule("take_note", text="buy milk", title="shop")
    await bench.state(call_id, S.SUCCEEDED)
    assert (await bench.result(call_id)).content.startswith("Noted as")
    assert await bench.store.count(ContextFilter(namespaces=[Namespace.NOTE])) == 1
    found = await bench.schedule("search_notes", query="milk")
    await bench.state(found, S.SUCCEEDED)
    assert "buy milk" in (await bench.result(found)).content


@pytest.mark.parametrize(
    ("name", "arguments", "words"),
    [
        ("nothing", {}, "there is no tool named 'nothing'; call only tools that you were given"),
        ("serch_mail", {}, "perhaps search_mail"),
        ("search_mail", {"query": 1, "limit": "x", "evil": 1}, "unknown argument 'evil'"),
        ("send_mail", {"to": "a@b.c"}, "'subject' is missing"),
        ("read_mail", {"message_id": "none"}, "there is no mail"),
        ("agenda", {}, "no calendar is configured"),
    ],
)
async def test_what_cannot_run_fails_with_words(bench: Bench, name: str, arguments: dict, words: str) -> None:
    call_id = await bench.schedule(name, **arguments)
    await bench.state(call_id, S.FAILED)
    assert words in (await bench.result(call_id)).content


async def test_an_unknown_name_is_answered_with_a_few_near_ones_not_with_all(bench: Bench) -> None:
    call_id = await bench.schedule("mail")
    await bench.state(call_id, S.FAILED)
    assert len((await bench.result(call_id)).content) < 160


async def test_null_stands_for_what_may_be_left_out_and_for_nothing_else(bench: Bench) -> None:
    """https://github.com/Kilo-Org/kilocode/pull/4815"""
    for name in bench.engine._registry.names():
        tool = bench.engine._registry.get(name)
        assert tool is not None
        optional = [field for field, info in tool.model.model_fields.items() if not info.is_required()]
        given = {"text": "x", "when": "tomorrow 9am"} if name == "remind" else {}
        if set(tool.model.model_fields) - set(optional) == set(given):
            assert tool.validate(given) == tool.validate({**given, **dict.fromkeys(optional)}), name
    call_id = await bench.schedule("take_note", text=None)
    await bench.state(call_id, S.FAILED)
    assert "'text'" in (await bench.result(call_id)).content


async def test_limit_of_concurrency_timeout_and_cap(bench: Bench) -> None:
    running = most = 0
    gate = asyncio.Event()

    @tool(effect=Effect.READ)
    async def slow(ctx: ToolContext) -> str:
        """Wait."""
        nonlocal running, most
        running += 1
        most = max(most, running)
        await gate.wait()
        running -= 1
        return "x" * 5000

    @tool(effect=Effect.READ, timeout=0.05)
    async def stuck(ctx: ToolContext) -> str:
        """Hang."""
        await asyncio.Event().wait()
        return ""

    await bench.close()
    bench.extra, bench.config = [slow, stuck], bench_config(concurrency=3, result_limit=1000)
    await bench.open()
    calls = [await bench.schedule("slow") for _ in range(6)]
    await until(lambda: running == 3)
    waiting = await bench.schedule("act", what="a thing")  # resolving wants a slot, waiting for a yes holds none
    gate.set()
    for call_id in calls:
        await bench.state(call_id, S.SUCCEEDED)
    assert most == 3
    assert "4000 more characters" in (await bench.result(calls[0])).content
    await bench.card(waiting)
    hung = await bench.schedule("stuck")
    await bench.state(hung, S.FAILED)
    assert "longer than 0.05 seconds" in (await bench.result(hung)).content


async def test_cancel(bench: Bench) -> None:
    stopped = asyncio.Event()

    @tool(effect=Effect.READ, resumes=True)
    async def waits(ctx: ToolContext) -> str:
        """Wait."""
        ctx.progress("waiting")
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()
        return ""

    await bench.close()
    bench.extra = [waits]
    await bench.open()
    call_id = await bench.schedule("waits")
    await until(lambda: call_id in bench.engine.running)

    async def shown() -> bool:
        return await bench.store.get(call_id, namespace=Namespace.PROGRESS) is not None

    await until(shown)
    by_model = await bench.schedule("cancel_call", call_id=call_id)
    await bench.state(call_id, S.CANCELLED)
    await bench.state(by_model, S.SUCCEEDED)
    await stopped.wait()
    assert "assistant" in (await bench.result(call_id)).content
    assert "already ended" in await bench.engine.cancel(call_id)


async def test_what_many_calls_report_is_one_commit_a_quarter_second(bench: Bench) -> None:
    gates = [asyncio.Event() for _ in range(30)]
    taken = iter(gates)

    @tool(effect=Effect.READ, resumes=True)
    async def talks(ctx: ToolContext) -> str:
        """Report."""
        ctx.progress("first")
        await next(taken).wait()
        ctx.progress("again")
        await asyncio.Event().wait()
        return ""

    await bench.close()
    bench.extra = [talks]
    await bench.open()
    calls = [await bench.schedule("talks") for _ in gates]

    async def told(words: str) -> None:
        async def held() -> bool:
            await bench.clock.advance(0.3)
            found = await bench.store.query(ContextFilter(namespaces=[Namespace.PROGRESS], limit=100))
            return [each.data["text"] for each in found] == [words] * len(calls)

        await until(held)

    await until(lambda: len(bench.engine.running) == len(calls))
    await told("first")
    commits = stored = 0

    async def count() -> None:
        nonlocal commits, stored
        async with bench.store.watch([Namespace.PROGRESS]) as updates:
            async for batch in updates:
                commits += 1
                stored += len(batch)

    counting = asyncio.create_task(count())
    await asyncio.sleep(0)
    for gate in gates:  # one after another, as calls do
        gate.set()
        await bench.store.count(ContextFilter(namespaces=[Namespace.PROGRESS]))
    await told("again")
    await until(lambda: stored >= len(calls))
    counting.cancel()
    assert stored == len(calls)
    assert commits <= 2


async def test_cancel_of_a_card_and_of_an_attempt(bench: Bench) -> None:
    call_id = await bench.schedule("act", what="x")
    card = await bench.card(call_id)
    assert "nothing was done" in await bench.engine.cancel(call_id)
    assert (await bench.call(call_id)).state is S.CANCELLED
    assert next(c for c in await bench.cards() if c.id == card.id).state == "rejected"
    bench.world.gate = asyncio.Event()
    other = await bench.schedule("act", what="y")
    await bench.yes(other)
    await bench.state(other, S.ATTEMPTED)
    assert "can't be recalled" in await bench.engine.cancel(other)
    bench.world.gate.set()
    await bench.state(other, S.SUCCEEDED)
    assert bench.world.deeds == [{"what": "y", "n": 0}]


async def test_failures_of_a_deed(bench: Bench) -> None:
    for fail, end in ((NotDoneError("no link."), S.FAILED), (RuntimeError("lost"), S.UNKNOWN)):
        bench.world.fail = fail
        call_id = await bench.schedule("act", what=f"with {end}")
        await bench.yes(call_id)
        await bench.state(call_id, end)
    assert len(bench.world.deeds) == 2


async def test_crash_read_runs_again_and_resuming_tools_resume(bench: Bench) -> None:
    runs: list[str] = []
    gate = asyncio.Event()

    @tool(effect=Effect.READ)
    async def look(ctx: ToolContext) -> str:
        """Look."""
        runs.append(ctx.call.id)
        await gate.wait()
        return "seen"

    async def delegate(call, task, agent, progress) -> str:  # type: ignore[no-untyped-def]
        runs.append(call.id)
        await gate.wait()
        return "answer"

    await bench.close()
    bench.extra, bench.parts.workers.delegate = [look], delegate
    await bench.open()
    calls = [await bench.schedule("look"), await bench.schedule("delegate", task="t")]
    await until(lambda: len(runs) == 2)
    await bench.crash()
    gate.set()
    for call_id in calls:
        await bench.state(call_id, S.SUCCEEDED)
        assert runs.count(call_id) == 2


async def test_crash_local_is_applied_once(bench: Bench) -> None:
    reached = asyncio.Event()
    gate = asyncio.Event()

    @tool(effect=Effect.LOCAL)
    async def count(ctx: ToolContext) -> str:
        """Count."""
        await ctx.store.store({"n": 1}, namespace="counted")
        reached.set()
        await gate.wait()
        return "counted"

    await bench.close()
    bench.extra = [count]
    await bench.open()
    call_id = await bench.schedule("count")
    await reached.wait()
    assert await bench.store.count(ContextFilter(namespaces=["counted"])) == 0
    await bench.crash()
    gate.set()
    await bench.state(call_id, S.SUCCEEDED)
    await bench.crash()
    assert await bench.store.count(ContextFilter(namespaces=["counted"])) == 1


@pytest.mark.parametrize(("point", "deeds"), [("attempt_committed", 0), ("deed", 1)])
async def test_crash_of_an_attempt_is_unknown_and_never_repeated(bench: Bench, point: str, deeds: int) -> None:
    bench.die_at = point
    if point == "deed":
        bench.world.fail = Died("in the deed")
    call_id = await bench.schedule("act", what="x")
    await bench.yes(call_id)
    await bench.state(call_id, S.ATTEMPTED)
    await until(lambda: call_id not in bench.engine.running)
    bench.world.fail = None
    await bench.crash()
    await bench.state(call_id, S.UNKNOWN)
    await bench.crash()
    call = await bench.state(call_id, S.UNKNOWN)
    assert call.open
    assert len(bench.world.deeds) == deeds
    again = await bench.schedule("act", what="x")
    await bench.state(again, S.FAILED)
    assert "not known whether it happened" in (await bench.result(again)).content
    happened = await bench.engine.answer_unknown(call_id, "check")
    assert ("did happen" in happened) == bool(deeds)
    assert (await bench.call(call_id)).state is (S.SUCCEEDED if deeds else S.FAILED)


async def test_crash_with_an_open_card_or_a_fresh_yes(bench: Bench) -> None:
    bench.die_at = "approval_open"
    call_id = await bench.schedule("act", what="x")
    await bench.card(call_id)
    await bench.crash()
    card = await bench.card(call_id)
    assert len(await bench.cards()) == 1
    await bench.approvals.approve(card.id)
    await bench.crash()  # within the grace
    assert bench.world.deeds == []
    await bench.settle()
    await bench.clock.advance(10)
    await bench.state(call_id, S.SUCCEEDED)
    assert len(bench.world.deeds) == 1


@pytest.mark.parametrize(("answer", "end"), [("happened", S.SUCCEEDED), ("did_not", S.FAILED), ("leave", S.UNKNOWN)])
async def test_answers_about_the_unknown(bench: Bench, answer: str, end: CallState) -> None:
    bench.world.fail = RuntimeError("lost")
    call_id = await bench.schedule("act", what="x")
    await bench.yes(call_id)
    await bench.state(call_id, S.UNKNOWN)
    bench.world.fail = None
    await bench.engine.answer_unknown(call_id, answer)  # type: ignore[arg-type]
    call = await bench.call(call_id)
    assert call.state is end
    assert not call.open
    if answer == "did_not":
        assert "new approval" in (await bench.result(call_id)).content
        again = await bench.schedule("act", what="x")
        await bench.card(again)
    assert len(bench.world.deeds) == 1


@pytest.mark.parametrize(
    ("answer", "end", "looked"),
    [("", S.FAILED, 2), ("did_not", S.FAILED, 1), ("leave", S.UNKNOWN, 1), ("happened", S.SUCCEEDED, 0)],
)
async def test_a_fate_is_looked_for_after_a_second_kill_and_after_an_answer(
    bench: Bench, answer: str, end: CallState, looked: int
) -> None:
    looks: list[str] = []

    async def fate(ctx: ToolContext, effect: ResolvedEffect) -> bool:
        looks.append(ctx.call.id)
        return False

    sure = act_tool(bench.world)
    bench.extra = [replace(sure, name="sure", probe=fate, fate=fate)]
    await bench.crash()
    bench.die_at = "attempt_committed"
    call_id = await bench.schedule("sure", what="x")
    await bench.yes(call_id)
    await bench.state(call_id, S.ATTEMPTED)
    for _ in range(2):
        await bench.crash()
        await bench.state(call_id, S.UNKNOWN)
    if answer:
        await bench.engine.answer_unknown(call_id, answer)  # type: ignore[arg-type]
    await bench.settle()
    await bench.clock.advance(2)
    await until(lambda: len(looks) == looked)
    assert (await bench.state(call_id, end)).open is False
    await bench.clock.advance(200)
    assert len(looks) == looked


async def test_a_fate_is_looked_for_again_where_the_other_side_or_the_disk_fails(clock: ManualClock) -> None:
    answers: list[Exception | bool] = [StoreUnavailableError("the disk refuses"), False, False, True]

    async def look(call_id: str) -> bool:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    checks = Checks(clock, look)
    checks.later("c")

    async def told() -> bool:
        await clock.advance(600.0)
        return not answers

    await until(told)
    await checks.stop()


async def test_a_call_outlives_a_store_that_fails(bench: Bench) -> None:
    away = 3

    @tool(effect=Effect.READ)
    async def look(ctx: ToolContext) -> str:
        """Look."""
        nonlocal away
        if away:
            away -= 1
            raise StoreUnavailableError("the disk refuses")
        return "seen"

    await bench.close()
    bench.extra.append(look)
    await bench.open()
    call_id = await bench.schedule("look")

    async def seen() -> bool:
        await bench.clock.advance(10.0)
        return (await bench.call(call_id)).state is not S.SCHEDULED

    await until(seen)
    assert (await bench.result(call_id)).content == "seen"
    assert away == 0


async def test_what_the_mender_takes_up_is_not_what_still_runs(bench: Bench) -> None:
    away = True

    @tool(effect=Effect.READ)
    async def look(ctx: ToolContext) -> str:
        """Look."""
        nonlocal away
        if away:
            away = False
            raise StoreUnavailableError("the disk refuses")
        return "seen"

    await bench.close()
    bench.extra.append(look)
    await bench.open()
    bench.world.gate = asyncio.Event()
    attempted = await bench.schedule("act", what="x")
    await bench.yes(attempted)
    await bench.state(attempted, S.ATTEMPTED)
    looked = await bench.schedule("look")

    async def fixed() -> bool:
        await bench.clock.advance(10.0)
        return (await bench.call(looked)).state is S.SUCCEEDED

    await until(fixed)
    assert (await bench.call(attempted)).state is S.ATTEMPTED
    bench.world.gate.set()
    await bench.state(attempted, S.SUCCEEDED)
    assert (await bench.result(attempted)).content == "did it"
    assert len(bench.world.deeds) == 1
