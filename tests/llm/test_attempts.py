"""Retries and the fallback, through the models as the config builds them, with the real SDK and real servers."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from pepper_tui import config
from pepper_tui.clock import ManualClock
from pepper_tui.llm import Models, build_models
from pepper_tui.model import (
    Completed,
    ContextFilter,
    Effect,
    ModelError,
    ModelEvent,
    ModelRequest,
    Namespace,
    Retrying,
    ToolSpec,
    Usage,
)
from pepper_tui.store import ContextStore
from tests.llm.server import ModelServer
from tests.waiting import until

SAY = [{"role": "user", "content": "hello"}]
REQUEST = ModelRequest("scheduler", SAY)
TOOL = ToolSpec("weather", "The weather.", {"type": "object", "properties": {}}, Effect.READ)
SERVER_ERROR = {"status": 500, "message": "boom"}


def models_of(store: ContextStore, clock: ManualClock, **models: Any) -> Models:
    user = models.pop("user", {})
    settings = config.Config.model_validate(
        {"models": {"api_key": "", **models}, "budget": {"daily": 1.0, "chat_reserve": 0.0}, "user": user}
    )
    return build_models(settings, store, clock, config.Secrets(Path("/nonexistent"), {}))


def with_fallback(first: str, second: str, **more: Any) -> dict[str, Any]:
    named = {"spare": {"name": "small", "base_url": second}}
    return {"name": "big", "base_url": first, "named": named, "fallback": "spare", **more}


async def asked(models: Models, clock: ManualClock, request: ModelRequest = REQUEST) -> list[ModelEvent]:
    """All events of one request; time passes in jumps while it waits to try again."""

    async def collect() -> list[ModelEvent]:
        return [event async for event in models.stream(request)]

    task = asyncio.create_task(collect())
    while not task.done():
        await asyncio.wait({task}, timeout=0.01)
        if clock.sleepers:
            await clock.advance(1.0)
    return task.result()


def done(events: list[ModelEvent]) -> Completed:
    assert isinstance(events[-1], Completed)
    return events[-1]


@pytest.mark.parametrize("status", [429, 408, 500, 502, 503, 529])
async def test_what_may_pass_is_tried_again_after_growing_pauses(
    store: ContextStore, clock: ManualClock, status: int
) -> None:
    with ModelServer([{"status": status}] * 3 + [{"text": "there"}]) as server:
        models = models_of(store, clock, base_url=server.url, retry_base=2.0)
        events = await asked(models, clock)
        await models.close()
    assert done(events).text == "there"
    assert done(events).because == ""
    pauses = [event.pause for event in events if isinstance(event, Retrying)]
    assert len(pauses) == 3
    assert all(2.0 * 2**n * 0.5 <= pause <= 2.0 * 2**n * 1.5 for n, pause in enumerate(pauses))


async def test_the_wait_that_the_server_names_is_kept(store: ContextStore, clock: ManualClock) -> None:
    script = [{"status": 429, "headers": {"retry-after": after}} for after in ("7", "19")]
    with ModelServer([*script, {"text": "there"}]) as server:
        models = models_of(store, clock, base_url=server.url, retry_cap=20.0)
        events = await asked(models, clock)
        await models.close()
    assert [event.pause for event in events if isinstance(event, Retrying)] == [7.0, 19.0]


@pytest.mark.parametrize(
    ("after", "words"),
    [
        (60.0, "60 seconds"),
        (1800.0, "until 15:50"),
        (6 * 3600.0, "until 21:20"),
        (24 * 3600.0, "until tomorrow at 15:20"),
        (18 * 3600.0, "until tomorrow at 9:20"),
        (5 * 86400.0, "until Wed 24 Sep at 15:20"),
    ],
)
async def test_a_wait_beyond_the_cap_is_told_as_it_is_and_not_cut(
    store: ContextStore, clock: ManualClock, after: float, words: str
) -> None:
    """https://platform.openai.com/docs/guides/rate-limits: limits a day come with waits of hours"""
    await clock.advance(1758295200.0 - clock.now())  # Fri 19 Sep 2025 15:20 UTC
    with ModelServer(default={"status": 429, "headers": {"retry-after": f"{after:g}"}}) as server:
        models = models_of(store, clock, base_url=server.url, retry_cap=20.0, user={"zone": "UTC"})
        with pytest.raises(ModelError) as caught:
            await asked(models, clock)
        await models.close()
        assert len(server.requests) == 1  # to ask earlier than it said would be in vain
    assert caught.value.retry_after == after
    assert words in caught.value.words


async def test_a_silence_is_waited_for_twice_at_most(store: ContextStore, clock: ManualClock) -> None:
    with ModelServer(default={"first_delay": 5.0}) as server:
        models = models_of(store, clock, base_url=server.url, first_byte_timeout=0.1)
        with pytest.raises(ModelError) as caught:
            await asked(models, clock)
        await until(lambda: len(server.requests) >= 2)  # the server may read the second one late
        await models.close()
        assert len(server.requests) == 2
    assert caught.value.kind == "timeout"


async def test_a_model_that_is_being_loaded_is_waited_for_beyond_the_retries(
    store: ContextStore, clock: ManualClock
) -> None:
    """https://github.com/mostlygeek/llama-swap/issues/146: llama.cpp says 503 until the model is there"""
    loading = {
        "status": 503,
        "error": {"error": {"code": 503, "message": "Loading model", "type": "unavailable_error"}},
    }
    with ModelServer([loading] * 20 + [{"text": "there"}]) as server:
        models = models_of(store, clock, base_url=server.url, retries=0)
        events = await asked(models, clock)
        assert done(events).text == "there"
        server.script.extend([loading] * 500)
        with pytest.raises(ModelError) as caught:
            await asked(models, clock)
        await models.close()
    assert caught.value.kind == "loading"


@pytest.mark.parametrize("arguments", ['{"city": ', "[1]", '"Paris"', "city=Paris"])
async def test_a_call_that_can_not_be_read_is_corrected_once_and_then_told(
    store: ContextStore, clock: ManualClock, arguments: str
) -> None:
    """https://github.com/continuedev/continue/issues/13057"""
    bad, good = {"calls": [{"name": "weather", "arguments": arguments}]}, {"calls": [{"name": "weather"}]}
    request = ModelRequest("scheduler", SAY, [TOOL])
    with ModelServer([bad, good, bad, bad]) as server:
        models = models_of(store, clock, base_url=server.url, retries=0)
        events = await asked(models, clock, request)
        assert [call.name for call in done(events).calls] == ["weather"]
        first, second = (body["messages"] for body in server.requests)
        assert second[: len(first)] == first
        assert [m["role"] for m in second[len(first) :]] == ["assistant", "user"]
        assert arguments in second[-2]["content"]
        assert "weather: the arguments are" in second[-1]["content"]
        with pytest.raises(ModelError) as caught:
            await asked(models, clock, request)
        assert len(server.requests) == 4
        await models.close()
    assert "weather" in caught.value.words


@pytest.mark.parametrize(("status", "message"), [(400, "bad"), (401, "key"), (403, "no"), (404, "no such model")])
async def test_what_will_be_refused_again_is_not_tried_again(
    store: ContextStore, clock: ManualClock, status: int, message: str
) -> None:
    with ModelServer(default={"status": status, "message": message}) as server:
        models = models_of(store, clock, base_url=server.url, retries=5)
        with pytest.raises(ModelError):
            await asked(models, clock)
        assert len(server.requests) == 1
        await models.close()


async def test_each_role_has_its_own_patience(store: ContextStore, clock: ManualClock) -> None:
    with ModelServer(default=SERVER_ERROR) as server:
        models = models_of(store, clock, base_url=server.url, retries=2, triage={"retries": 0}, worker={"retries": 4})
        for role, count in (("scheduler", 3), ("triage", 1), ("worker", 5)):
            server.requests.clear()
            with pytest.raises(ModelError):
                await asked(models, clock, ModelRequest(role, SAY))  # type: ignore[arg-type]
            assert len(server.requests) == count
        await models.close()


async def test_the_fallback_answers_says_why_and_costs_its_own_price(store: ContextStore, clock: ManualClock) -> None:
    with ModelServer(default=SERVER_ERROR) as first, ModelServer(default={"text": "from the spare"}) as second:
        # what the first model would cost at worst is more than the day has
        prices = {"big": {"input": 100_000.0, "output": 100_000.0}, "small": {"input": 1.0, "output": 2.0}}
        models = models_of(store, clock, **with_fallback(first.url, second.url, prices=prices, max_tokens=100))
        end = done(await asked(models, clock))
        assert first.requests == []
        assert "daily budget" in end.because
        assert end.usage.cost == pytest.approx((100 * 1 + 10 * 2) / 1e6)
        assert models.today().spent == pytest.approx(end.usage.cost)
        assert models.today().reserved == 0.0
        await models.budget.flush()
        rows = [Usage.of(c) for c in await store.query(ContextFilter(namespaces=[Namespace.USAGE]))]
        assert [row.model for row in rows] == ["small"]
        await models.close()


async def test_text_of_an_attempt_that_failed_is_void_before_the_next(store: ContextStore, clock: ManualClock) -> None:
    with (
        ModelServer(default={"text": "half a", "cut": True}) as first,
        ModelServer(default={"text": "whole"}) as second,
    ):
        models = models_of(store, clock, **with_fallback(first.url, second.url))
        events = await asked(models, clock)
        await models.close()
    kinds = "".join(type(event).__name__[0] for event in events)
    assert kinds.strip("T") != ""
    last = max(i for i, event in enumerate(events) if isinstance(event, Retrying))
    assert "".join(event.text for event in events[last + 1 : -1]) == "whole"  # type: ignore[union-attr]
    assert done(events).because == "big: The model's answer broke off."


async def test_a_first_model_that_is_there_and_answers_badly_does_not_rest(
    store: ContextStore, clock: ManualClock
) -> None:
    with (
        ModelServer(default={"text": "half a", "cut": True}) as first,
        ModelServer(default={"text": "whole"}) as second,
    ):
        models = models_of(store, clock, **with_fallback(first.url, second.url, retries=0))
        for count in (1, 2, 3):
            assert done(await asked(models, clock)).text == "whole"
            assert len(first.requests) == count
        await models.close()


async def test_a_first_model_that_is_away_rests_and_is_then_tried_once(store: ContextStore, clock: ManualClock) -> None:
    with ModelServer(default=SERVER_ERROR) as first, ModelServer(default={"text": "spare"}) as second:
        models = models_of(store, clock, **with_fallback(first.url, second.url))

        async def say() -> tuple[int, str]:
            before = len(first.requests)
            end = done(await asked(models, clock))
            return len(first.requests) - before, end.because

        assert (await say())[0] == 2  # a retry, then the fallback
        for rest in (30.0, 60.0, 120.0):
            count, because = await say()
            assert count == 0
            assert "HTTP 500" in because
            await clock.advance(rest - 15.0)
            assert (await say())[0] == 0
            await clock.advance(20.0)
            assert (await say())[0] == 1  # one try, no retries; it rests twice as long now
        first.default = {"text": "back"}
        assert (await say())[0] == 0
        await clock.advance(600.0)
        assert await say() == (1, "")
        assert await say() == (1, "")
        first.default = SERVER_ERROR
        assert (await say())[0] == 2  # it was back for good, so it is given its retry again
        await models.close()


async def test_a_rest_that_the_first_model_asked_for_is_kept(store: ContextStore, clock: ManualClock) -> None:
    slow = {"status": 429, "headers": {"retry-after": "900"}}
    with ModelServer([slow], {"text": "back"}) as first, ModelServer(default={"text": "spare"}) as second:
        models = models_of(store, clock, **with_fallback(first.url, second.url))
        assert done(await asked(models, clock)).text == "spare"
        assert len(first.requests) == 1  # a wait beyond the cap is no reason to keep the user waiting
        await clock.advance(890.0)
        assert done(await asked(models, clock)).text == "spare"
        await clock.advance(11.0)
        assert done(await asked(models, clock)).text == "back"
        await models.close()


async def test_where_neither_answers_both_are_named_and_the_kind_is_the_firsts(
    store: ContextStore, clock: ManualClock
) -> None:
    with ModelServer(default=SERVER_ERROR) as first, ModelServer(default={"status": 400, "message": "odd"}) as second:
        models = models_of(store, clock, **with_fallback(first.url, second.url, retries=0))
        with pytest.raises(ModelError) as caught:
            await asked(models, clock)
        await models.close()
    assert caught.value.kind == "server"
    assert "boom" in caught.value.words
    assert "The fallback small did not answer either" in caught.value.words


async def test_a_stopped_request_is_stopped_at_whichever_model_it_is(store: ContextStore, clock: ManualClock) -> None:
    with ModelServer(default=SERVER_ERROR) as first, ModelServer(default={"text": "x" * 4000, "delay": 0.05}) as second:
        models = models_of(store, clock, **with_fallback(first.url, second.url, retries=0))
        events = models.stream(REQUEST)
        async for event in events:
            if not isinstance(event, Retrying):
                break
        await events.aclose()
        assert models.today().reserved == 0.0
        await until(lambda: second.closed_early == 1)
        await models.close()


@pytest.mark.parametrize(
    ("models", "expected"),
    [
        ({"fallback": "other"}, ("big", "other", "http://main", "env:MAIN")),
        ({"fallback": "spare"}, ("big", "small", "http://spare", "")),
        ({"fallback": "worker", "worker": {"name": "w", "base_url": "http://w"}}, ("big", "w", "http://w", "")),
        ({"scheduler": {"fallback": "other", "base_url": "http://s"}}, ("big", "other", "http://s", "")),
        ({"scheduler": {"name": "mine", "fallback": "triage"}}, ("mine", "big", "http://main", "env:MAIN")),
        ({"fallback": "worker"}, ("big", None, None, None)),  # the same model at the same place is no fallback
    ],
)
def test_what_a_fallback_names(models: dict[str, Any], expected: tuple[str | None, ...]) -> None:
    from pepper_tui.llm.routing import fallback_of, first_of, retry_policy_of

    tree = config.Models.model_validate(
        {
            "name": "big",
            "base_url": "http://main",
            "api_key": "env:MAIN",
            "named": {"spare": {"name": "small", "base_url": "http://spare"}},
            **models,
        }
    )
    found = fallback_of(tree, "scheduler")
    told = (found.name, found.base_url, found.key) if found else (None, None, None)
    assert (first_of(tree, "scheduler").name, *told) == expected
    assert retry_policy_of(tree, "scheduler").retries == (1 if found else 3)
