"""What stops or pre-empts a step, at the moments at which it could be missed or remembered too long."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import Any

import pytest

from pepper_tui.clock import ManualClock
from pepper_tui.model import Completed, ModelRequest, Namespace
from pepper_tui.store import ContextStore, Delivery, DeliveryQueue
from tests.scheduler.scripted import ScriptedModel, Stage, answer
from tests.waiting import until


def echo(request: ModelRequest) -> Completed:
    texts = [e.facts["text"] for e in request.entries if e.kind == "user_msg"]
    return answer("echo " + " ".join(texts)) if texts else answer("", ("wait", {}))


async def said(stage: Stage, count: int) -> bool:
    return len(await stage.said()) >= count


async def test_a_stop_ends_one_reply_and_not_the_next(store: ContextStore, clock: ManualClock) -> None:
    model = ScriptedModel(echo)
    model.gate.clear()
    async with Stage(store, clock, model) as stage:
        for number in range(2):
            await stage.say(f"stop {number}")
            await until(lambda n=number: len(model.requests) == n + 1 and stage.scheduler.answering)
            assert stage.scheduler.stop_reply()
            await until(lambda n=number: said(stage, n + 1))
        model.gate.set()
        for number in range(2):
            await stage.say(f"go on {number}")
            await until(lambda n=number: said(stage, n + 3))
        ends = [(message["text"], message["unfinished"]) for message in await stage.all(Namespace.ASSISTANT_MESSAGE)]
        assert [unfinished for _, unfinished in ends] == [True, True, False, False]
        assert [text for text, _ in ends[2:]] == ["echo go on 0", "echo go on 1"]


async def test_a_message_that_comes_while_the_queue_is_looked_at_goes_before_the_signal(
    store: ContextStore, clock: ManualClock
) -> None:
    model = ScriptedModel(echo)
    stage = Stage(store, clock, model)
    made, overtook = store.queue, False

    async def queue(*arguments: Any, **named: Any) -> DeliveryQueue:
        opened = await made(*arguments, **named)
        peek = opened.peek

        async def overtaken(limit: int, *, exclude: Collection[int] = ()) -> list[Delivery]:
            nonlocal overtook
            found = await peek(limit, exclude=exclude)
            if found and not overtook:
                overtook = True
                await stage.say("me first")
                await until(stage.scheduler._intake.user_arrived.is_set)
            return found

        opened.peek = overtaken  # type: ignore[method-assign]
        return opened

    store.queue = queue  # type: ignore[method-assign]
    async with stage:
        await stage.signal("a thought")
        await until(lambda: len(model.requests) == 2)
        assert model.kinds() == [["user_msg"], ["signal"]]


@pytest.mark.parametrize("most", [1, 2, 3, 5])
async def test_a_batch_is_preempted_so_often_and_then_never(store: ContextStore, clock: ManualClock, most: int) -> None:
    model = ScriptedModel(echo)
    model.held = lambda request: request.entries[0].kind == "signal"
    model.gate.clear()
    async with Stage(store, clock, model, max_preemptions=most) as stage:
        await stage.signal("patient")
        for number in range(most + 2):
            await until(lambda: model.kinds()[-1:] == [["signal"]])
            await stage.say(f"m{number}")
            if number < most:
                await until(lambda n=number: said(stage, n + 1))
                continue
            await until(stage.scheduler._intake.user_arrived.is_set)
            for _ in range(50):  # turns in which a step that can be pre-empted would be
                await asyncio.sleep(0)
            assert model.cancelled == most
        model.gate.set()
        await until(lambda: said(stage, most + 1))
        firsts = [step["inputs"][0].split(":")[0] for step in await stage.all(Namespace.STEP)]
        assert firsts[: most + 2] == [*[Namespace.USER_MESSAGE] * most, "signals.mail", Namespace.USER_MESSAGE]
        assert model.cancelled == most


async def test_a_message_that_a_step_answers_is_too_late_to_take_back(store: ContextStore, clock: ManualClock) -> None:
    model = ScriptedModel(echo)
    model.gate.clear()
    async with Stage(store, clock, model) as stage:
        answered = await stage.say("too late")
        await until(lambda: bool(model.requests))
        assert await stage.scheduler.take_back(answered) is None
        model.gate.set()
        await until(lambda: said(stage, 1))
        assert await stage.said() == ["echo too late"]
        assert len(model.requests) == 1
