"""No error ends the loop, none is paid for without end, and what can't be fixed is told in words."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from pepper_tui.clock import ManualClock
from pepper_tui.model import Completed, ModelError, ModelRequest, Namespace
from pepper_tui.store import ContextStore, StoreError, UnitOfWork
from tests.scheduler.scripted import ScriptedModel, Stage, answer
from tests.waiting import until


def echo(request: ModelRequest) -> Completed:
    texts = [e.facts["text"] for e in request.entries if e.kind == "user_msg"]
    return answer("echo " + " ".join(texts)) if texts else answer("", ("wait", {}))


async def said(stage: Stage, count: int) -> bool:
    return len(await stage.said()) >= count


async def pass_time(stage: Stage, seconds: float = 700.0) -> None:
    """Let what waits for a time go on."""
    await until(lambda: bool(stage.clock.sleepers))
    await stage.clock.advance(seconds)


async def going_on(stage: Stage, condition: Callable[[], Awaitable[object]]) -> None:
    """Return when ``condition`` holds; until then, whatever waits for a time gets it."""

    async def held() -> bool:
        if await condition():
            return True
        if stage.clock.sleepers:
            await stage.clock.advance(61.0)
        return False

    await until(held)


async def steps(stage: Stage, count: int) -> bool:
    return len(await stage.all(Namespace.STEP)) >= count


def break_commits(stage: Stage, count: int) -> None:
    """The next ``count`` units of the scheduler fail at their commit, and so does what tells of it."""
    left = count
    tell_health = stage.scheduler.health.tell

    async def tell(*words: str) -> None:
        if left > 0:
            raise StoreError("the disk is full")
        await tell_health(*words)

    @contextlib.asynccontextmanager
    async def unit() -> AsyncIterator[UnitOfWork]:
        nonlocal left
        async with stage.store.unit() as opened:
            yield opened
            if left > 0:
                left -= 1
                raise StoreError("the disk is full")

    stage.unit = unit
    stage.scheduler.health.tell = tell  # type: ignore[method-assign]


async def test_a_step_that_cannot_be_committed_is_repeated_under_the_same_message(
    store: ContextStore, clock: ManualClock
) -> None:
    model = ScriptedModel(echo)
    async with Stage(store, clock, model) as stage:
        break_commits(stage, 2)
        await stage.say("hello")
        for _ in range(2):
            await pass_time(stage)
        await until(lambda: bool(stage.deltas) and stage.deltas[-1].done)
        assert await stage.said() == ["echo hello"]
        assert len(model.requests) == 3
        shown = ""
        for delta in stage.deltas:
            shown = delta.text if delta.restart else shown + delta.text
        assert shown.strip() == "echo hello"
        [message] = await stage.all(Namespace.ASSISTANT_MESSAGE)
        assert {delta.message_id for delta in stage.deltas} == {message["id"]}


async def test_a_batch_over_which_the_store_fails_is_told_then_buried_and_never_paid_for_without_end(
    store: ContextStore, clock: ManualClock
) -> None:
    model = ScriptedModel(echo)
    async with Stage(store, clock, model) as stage:
        break_commits(stage, 3)
        await stage.say("first")
        await going_on(stage, lambda: said(stage, 1))
        [words] = await stage.said()
        assert "disk is full" in words
        assert len(model.requests) == 3
        break_commits(stage, 6)  # now the words fail, too
        await stage.say("second")
        await going_on(stage, store.dead)
        [letter] = await store.dead()
        assert letter.update.context.data["text"] == "second"
        assert len(model.requests) == 6
        await stage.say("third")
        await going_on(stage, lambda: said(stage, 2))
        assert (await stage.said())[-1] == "echo third"


@pytest.mark.parametrize(
    ("namespace", "data"),
    [
        (Namespace.USER_MESSAGE, {"id": "u1"}),
        ("signals.own", {"metadata": "no object", "content": "x"}),
        ("signals.own", {"created_at": "yesterday", "content": "x"}),
    ],
)
async def test_what_is_no_record_becomes_a_dead_letter_and_holds_up_nothing(
    store: ContextStore, clock: ManualClock, namespace: str, data: dict[str, str]
) -> None:
    model = ScriptedModel(echo)
    await store.store(data, namespace=namespace, context_id="broken")
    async with Stage(store, clock, model) as stage:
        await stage.signal("fine")
        await stage.say("hello")
        await until(lambda: said(stage, 1))
        await until(lambda: len(model.requests) == 2)
        await until(store.dead)
        assert [letter.update.context.context_id for letter in await store.dead()] == ["broken"]
        assert sorted(model.kinds()) == [["signal"], ["user_msg"]]


class OddModel(ScriptedModel):
    """Raises ``odd`` in place of an answer, so many times."""

    def __init__(self, odd: BaseException, times: int) -> None:
        super().__init__(echo)
        self.odd, self.times = odd, times

    async def stream(self, request: ModelRequest):  # type: ignore[no-untyped-def]
        if self.times > 0:
            self.times -= 1
            self.requests.append(request)
            raise self.odd
        async for event in super().stream(request):
            yield event


async def test_a_call_that_is_cancelled_from_within_does_not_end_the_loop(
    store: ContextStore, clock: ManualClock
) -> None:
    async with Stage(store, clock, OddModel(asyncio.CancelledError(), 1)) as stage:
        await stage.say("one")
        await until(lambda: said(stage, 1))
        assert "broken off" in (await stage.said())[0]
        await stage.say("two")
        await until(lambda: said(stage, 2))
        assert (await stage.said())[1] == "echo two"


WAITED_FOR = ("timeout", "rate_limited", "server", "unreachable", "auth", "setup", "budget")


@pytest.mark.parametrize("kind", WAITED_FOR)
async def test_signals_are_put_off_ever_longer_while_the_model_is_away(
    store: ContextStore, clock: ManualClock, kind: str
) -> None:
    model = ScriptedModel(echo)
    waits = (15.0, 30.0, 60.0, 120.0, 240.0, 480.0, 600.0, 600.0)
    model.errors = [ModelError(kind, "There is no model.", retryable=False) for _ in waits]  # type: ignore[arg-type]
    async with Stage(store, clock, model) as stage:
        sid = await stage.signal("keep me")

        async def put_off(times: int) -> bool:
            [queue] = (await store.stats()).subscriptions
            return queue.retrying == 1 and len(model.requests) == times and bool(clock.sleepers)

        for tried, wait in enumerate(waits, 1):
            await until(lambda t=tried: put_off(t))
            await clock.advance(wait - 0.5)
            for _ in range(20):  # turns in which one that came too early would be asked for
                await asyncio.sleep(0.001)
            assert len(model.requests) == tried
            await clock.advance(1.0)
            await until(lambda t=tried: len(model.requests) == t + 1, what=f"asked again after {wait} s")
        await until(lambda: steps(stage, 1))
        assert (await stage.all(Namespace.STEP))[0]["inputs"] == [f"signals.mail:{sid}"]
        assert await store.dead() == []


class BreaksOff(ScriptedModel):
    """Streams its words, and then raises ``odd`` in place of an end, so many times."""

    def __init__(self, odd: Exception, times: int) -> None:
        super().__init__(echo)
        self.odd, self.times = odd, times

    async def stream(self, request: ModelRequest):  # type: ignore[no-untyped-def]
        async for event in super().stream(request):
            if isinstance(event, Completed) and self.times > 0:
                self.times -= 1
                raise self.odd
            yield event


@pytest.mark.parametrize(
    ("odd", "times"),
    [
        *((ModelError(kind, "It broke off.", retryable=False), 1) for kind in (*WAITED_FOR, "cut", "bad_response")),
        (ValueError("what is this"), 3),
    ],
    ids=lambda value: getattr(value, "kind", type(value).__name__),
)
async def test_the_words_of_a_reply_that_failed_are_taken_back(
    store: ContextStore, clock: ManualClock, odd: Exception, times: int
) -> None:
    async with Stage(store, clock, BreaksOff(odd, times)) as stage:
        await stage.say("hello")
        await going_on(stage, lambda: said(stage, 1))
        await until(lambda: stage.deltas[-1].done)
        shown, most = "", ""
        for delta in stage.deltas:
            shown = delta.text if delta.restart else shown + delta.text
            most = max(most, shown, key=len)
        assert most.strip() == "echo hello"  # it had been on the screen
        assert shown == ""
        [trouble] = await stage.all(Namespace.ASSISTANT_MESSAGE)
        assert trouble["kind"] == "trouble"
        assert {delta.message_id for delta in stage.deltas} == {trouble["id"]}


async def test_a_fault_of_the_client_is_tried_a_few_times_then_told(store: ContextStore, clock: ManualClock) -> None:
    model = OddModel(ValueError("what is this"), 3)
    async with Stage(store, clock, model) as stage:
        await stage.say("one")
        await going_on(stage, lambda: said(stage, 1))
        assert "what is this" in (await stage.said())[0]
        assert len(model.requests) == 3


async def test_the_wait_that_a_server_asks_for_is_kept_and_told(store: ContextStore, clock: ManualClock) -> None:
    model = ScriptedModel(echo)
    model.errors = [ModelError("rate_limited", "The server limits calls.", retryable=True, retry_after=30.0)]
    async with Stage(store, clock, model) as stage:
        await stage.say("hello")
        await until(lambda: bool(clock.sleepers))
        health = await store.get("model", namespace=Namespace.HEALTH)
        assert health is not None
        assert "30 seconds" in health.data["detail"]
        await clock.advance(29.0)
        assert len(model.requests) == 1
        await clock.advance(1.5)
        await until(lambda: said(stage, 1))


async def test_a_cut_reply_whose_retry_has_no_words_ends_on_screen(store: ContextStore, clock: ManualClock) -> None:
    class CutOnce(ScriptedModel):
        async def stream(self, request: ModelRequest):  # type: ignore[no-untyped-def]
            async for event in super().stream(request):
                if isinstance(event, Completed) and len(self.requests) == 1:
                    raise ModelError("cut", "It broke off.", retryable=True)
                yield event

    model = CutOnce(
        lambda _: answer("half a", ("search_mail", {})) if len(model.requests) == 1 else answer("", ("wait", {}))
    )
    async with Stage(store, clock, model) as stage:
        await stage.say("hello")
        await pass_time(stage, 60.0)
        await until(lambda: stage.deltas[-1:] and stage.deltas[-1].done)
        assert any(delta.restart for delta in stage.deltas)
        assert await stage.said() == []
        assert await stage.all(Namespace.TOOL_CALL) == []


async def test_failed_attempts_count_in_the_cost_of_the_step(store: ContextStore, clock: ManualClock) -> None:
    model = ScriptedModel(echo)
    cut = ModelError("cut", "It broke off.", retryable=True)
    cut.usage = answer().usage
    model.errors = [cut]
    async with Stage(store, clock, model) as stage:
        await stage.say("hello")
        await pass_time(stage, 60.0)
        await until(lambda: said(stage, 1))
        [step] = await stage.all(Namespace.STEP)
        assert step["cost"] == pytest.approx(0.002)


async def test_a_summary_that_fails_oddly_becomes_an_excerpt(store: ContextStore, clock: ManualClock) -> None:
    class NoSummary(ScriptedModel):
        async def stream(self, request: ModelRequest):  # type: ignore[no-untyped-def]
            if request.role == "summary":
                raise ValueError("odd")
            async for event in super().stream(request):
                yield event

    model = NoSummary(echo)
    async with Stage(store, clock, model, history_limit=2000, prompt_limit=100_000) as stage:
        for number in range(20):
            await stage.say(f"message {number} " + "x" * 150)
            await until(lambda n=number: said(stage, n + 1))
    assert model.requests[-1].messages[1]["content"].startswith("<summary>")


async def test_no_prompt_goes_over_its_limit_or_begins_within_a_text(store: ContextStore, clock: ManualClock) -> None:
    model = ScriptedModel(lambda _: answer("", ("wait", {})))
    limit = 16_000
    async with Stage(store, clock, model, history_limit=12_000, prompt_limit=limit, entry_limit=2000) as stage:
        for number in range(40):
            if number % 6:
                await stage.signal(f"signal {number} <i>obey</i> " + "y" * (500 + 37 * number))
            else:
                await stage.say("z" * 100_000)
            await until(lambda n=number: steps(stage, n + 1))
    for request in model.requests:
        texts = [message["content"] for message in request.messages]
        assert sum(map(len, texts)) <= limit
        assert texts[1].startswith(("<new/>", "<signal ", "<user_msg ", "<summary>"))
        for tag in ("signal", "user_msg", "summary"):
            assert texts[1].count(f"<{tag}") == texts[1].count(f"</{tag}>")


async def test_what_was_taken_back_stays_so_over_a_crash(tmp_path: Path) -> None:
    clock, model = ManualClock(), ScriptedModel(echo)
    model.gate.clear()
    first = await ContextStore.open(tmp_path / "p.db", clock)
    async with Stage(first, clock, model) as stage:
        await stage.say("one")
        await until(lambda: bool(model.requests))
        unwanted = await stage.say("two")
        assert await stage.scheduler.take_back(unwanted) is not None
    await first.close()
    model.gate.set()
    second = await ContextStore.open(tmp_path / "p.db", clock)
    async with Stage(second, clock, model) as stage:
        await until(lambda: said(stage, 1))
        await stage.say("three")
        await until(lambda: said(stage, 2))
        assert await stage.said() == ["echo one", "echo three"]
    await second.close()


async def test_a_message_that_comes_as_a_batch_is_taken_preempts_before_the_model_is_asked(
    store: ContextStore, clock: ManualClock
) -> None:
    model = ScriptedModel(echo)
    stage = Stage(store, clock, model)
    make = stage.scheduler.requests.make

    async def slow(under_way, specs):  # type: ignore[no-untyped-def]
        if not under_way.batch.holds_user and not model.requests:
            await stage.say("now")
            await asyncio.sleep(0.01)
        return await make(under_way, specs)

    stage.scheduler.requests.make = slow  # type: ignore[method-assign]
    async with stage:
        await stage.signal("a thought")
        await until(lambda: len(model.requests) == 2)
        assert model.kinds() == [["user_msg"], ["signal"]]


async def test_open_calls_are_told_even_where_the_watch_missed_them(store: ContextStore, clock: ManualClock) -> None:
    model = ScriptedModel(
        lambda r: answer("", ("search_mail", {"query": "cake"})) if "find" in r.entries[-1].text else answer("ok")
    )
    async with Stage(store, clock, model) as stage:
        await stage.say("find it")
        await until(lambda: stage.all(Namespace.TOOL_CALL))
        [call] = await stage.all(Namespace.TOOL_CALL)
        live = stage.scheduler._open_work._live
        assert live is not None
        live.drain()
        live.missed += 1
        await stage.say("and now?")
        await until(lambda: len(model.requests) == 2)
        assert call["id"] in model.requests[1].messages[1]["content"]
        assert "cake" in model.requests[1].messages[1]["content"]
