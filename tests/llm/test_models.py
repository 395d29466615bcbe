"""Roles, records and the budget around the real client."""

import contextlib
from pathlib import Path

import pytest

from pepper_tui import config
from pepper_tui.llm import Models, build_models
from pepper_tui.model import Completed, ContextFilter, ModelError, ModelRequest, Namespace, TextDelta, Usage
from tests.llm.server import ModelServer

KEY = "sk-very-secret-0123456789"
SAY = [{"role": "user", "content": "hello"}]


def models_of(store, clock, url: str, **budget: float) -> Models:
    tree = config.Config(
        models=config.Models(
            name="big",
            base_url=url,
            worker=config.RoleModel(name="small"),
            prices={"big": config.Price(input=1.0, output=10.0)},
            max_tokens=500,
            retries=0,
        ),
        budget=config.Budget(**budget),
    )
    return build_models(tree, store, clock, config.Secrets(Path("/nonexistent"), {"OPENAI_API_KEY": KEY}))


async def rows(store) -> list[Usage]:
    return [Usage.of(c) for c in await store.query(ContextFilter(namespaces=[Namespace.USAGE]))]


async def test_without_key_and_url_the_offline_model_answers(store, clock):
    models = build_models(config.Config(), store, clock, config.Secrets(Path("/nonexistent"), {}))
    assert models.offline
    assert models.name("scheduler") == "offline"
    events = [e async for e in models.stream(ModelRequest("scheduler", SAY))]
    assert isinstance(events[-1], Completed)
    assert await rows(store) == []


async def test_the_main_key_is_never_sent_to_another_endpoint(store, clock):
    with ModelServer([{"text": "hi"}]) as server, ModelServer([{"text": "a"}, {"text": "b"}]) as other:
        tree = config.Config(
            models=config.Models(
                base_url=server.url,
                worker=config.RoleModel(base_url=other.url),
                triage=config.RoleModel(base_url=other.url, api_key="env:OTHER_KEY"),
            )
        )
        environment = {"OPENAI_API_KEY": KEY, "OTHER_KEY": "other"}
        models = build_models(tree, store, clock, config.Secrets(Path("/nonexistent"), environment))
        for role in ("scheduler", "worker", "triage"):
            [_ async for _ in models.stream(ModelRequest(role, SAY))]
        assert [h["authorization"] for h in server.headers] == [f"Bearer {KEY}"]
        assert [h["authorization"] for h in other.headers] == ["Bearer none", "Bearer other"]
        await models.close()


async def test_a_call_is_recorded_with_its_cost_and_each_role_has_its_model(store, clock):
    with ModelServer([{"text": "hi"}, {"text": "ho"}, {"text": "hu"}]) as server:
        models = models_of(store, clock, server.url)
        await models.warm()
        assert not models.offline
        assert models.name("worker") == "small"
        done = [e async for e in models.stream(ModelRequest("scheduler", SAY, now=clock.now()))][-1]
        assert done.usage.cost == pytest.approx((100 * 1 + 10 * 10) / 1e6)
        assert models.today().spent == pytest.approx(done.usage.cost)
        assert models.today().reserved == 0.0
        [_ async for _ in models.stream(ModelRequest("worker", SAY))]
        [_ async for _ in models.stream(ModelRequest("worker", SAY, model="own", max_tokens=99))]
        assert [r["model"] for r in server.requests] == ["big", "small", "own"]
        assert [r["max_tokens"] for r in server.requests] == [500, 500, 99]
        await models.budget.flush()
        assert {u.model for u in await rows(store)} == {"big", "small", "own"}
        await models.close()


async def test_over_budget_no_request_leaves(store, clock):
    with ModelServer() as server:
        models = models_of(store, clock, server.url, daily=0.004, chat_reserve=0.0)
        with pytest.raises(ModelError) as caught:
            [_ async for _ in models.stream(ModelRequest("scheduler", SAY))]
        assert caught.value.kind == "budget"
        assert server.requests == []


async def test_a_refused_call_costs_nothing_and_a_cut_or_stopped_one_is_recorded(store, clock):
    script = [{"status": 500}, {"text": "x" * 400, "cut": True}, {"text": "word " * 400, "delay": 0.01}]
    with ModelServer(script) as server:
        models = models_of(store, clock, server.url)
        with pytest.raises(ModelError):
            [_ async for _ in models.stream(ModelRequest("scheduler", SAY))]
        assert await rows(store) == []
        assert models.today().reserved == 0.0
        with pytest.raises(ModelError) as caught:
            [_ async for _ in models.stream(ModelRequest("scheduler", SAY))]
        assert caught.value.usage is not None
        assert caught.value.usage.cost > 0
        async with contextlib.aclosing(models.stream(ModelRequest("scheduler", SAY))) as events:
            async for event in events:
                assert isinstance(event, TextDelta)
                break
        await models.budget.flush()
        kept = await rows(store)
        assert len(kept) == 2
        assert all(0 < usage.completion_tokens < 500 for usage in kept)
        assert models.today().reserved == 0.0
        assert models.today().spent == pytest.approx(sum(u.cost for u in kept))
        await models.close()
