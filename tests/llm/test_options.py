"""How each role's model is called, as the config says; and how much room its answer has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pepper_tui import config
from pepper_tui.clock import ManualClock
from pepper_tui.config import Config, ConfigError, parse_config
from pepper_tui.llm import Models, build_models
from pepper_tui.llm.routing import first_of, options_of
from pepper_tui.model import Completed, Json, ModelError, ModelEvent, ModelRequest, Retrying
from pepper_tui.store import ContextStore
from tests.llm.server import ModelServer

SAY = [{"role": "user", "content": "hello"}]
KEY = "gw-very-secret-0123456789"
THOUGHT = {"reasoning": "hm " * 20, "finish": "length"}


def models_of(store: ContextStore, clock: ManualClock, **models: Any) -> Models:
    settings = Config.model_validate({"models": {"api_key": "", **models}})
    return build_models(settings, store, clock, config.Secrets(Path("/nonexistent"), {"GATEWAY": KEY}))


async def asked(models: Models, role: str, **more: Any) -> list[ModelEvent]:
    return [event async for event in models.stream(ModelRequest(role, SAY, **more))]  # type: ignore[arg-type]


async def test_each_role_says_what_its_table_says_and_else_what_models_says(
    store: ContextStore, clock: ManualClock
) -> None:
    with ModelServer() as server, ModelServer() as other:
        models = models_of(
            store,
            clock,
            base_url=server.url,
            reasoning_effort="low",
            temperature=0.5,
            extra_body={"top_k": 20},
            headers={"X-Team": "mail", "Authorization-2": "Bearer env:GATEWAY"},
            max_tokens=5000,
            triage={"reasoning_effort": "none", "max_tokens": 300, "extra_body": {"top_k": 5}},
            worker={"base_url": other.url, "temperature": 0.0},
        )
        for role in ("scheduler", "triage", "worker"):
            await asked(models, role)
        await models.close()
    first, judge = server.requests
    [worker] = other.requests
    keys = ("reasoning_effort", "temperature", "top_k", "max_tokens")
    assert [first.get(key) for key in keys] == ["low", 0.5, 20, 5000]
    assert [judge.get(key) for key in keys] == ["none", 0.5, 5, 300]
    assert [worker.get(key) for key in keys] == [None, 0.0, None, 5000]  # what is for one endpoint goes to no other
    assert server.headers[0]["x-team"] == "mail"
    assert server.headers[0]["authorization-2"] == f"Bearer {KEY}"
    assert "x-team" not in other.headers[0]
    assert KEY not in str(other.headers)


@pytest.mark.parametrize(
    "models",
    [
        {"headers": {"Authorization": "Bearer abc"}},
        {"triage": {"headers": {"X-Api-Key": "abc"}}},
        {"extra_body": {"messages": []}},
        {"scheduler": {"extra_body": {"stream": False}}},
        {"named": {"x": {"name": "m", "extra_body": {"tools": []}}}},
        {"reasoning_effort": "much"},
        {"temperature": 3},
        {"idle_timeout": 0},
    ],
)
def test_what_must_not_stand_there_is_refused(models: Json) -> None:
    with pytest.raises(ValueError, match=r"(?i)only Pepper sets|looks like a secret|Input should"):
        Config.model_validate({"models": models})


async def test_a_secret_in_a_header_goes_nowhere_unencrypted(store: ContextStore, clock: ManualClock) -> None:
    models = models_of(
        store, clock, base_url="http://models.example/v1", headers={"Authorization": "Bearer env:GATEWAY"}
    )
    with pytest.raises(ModelError) as caught:
        await asked(models, "scheduler")
    await models.close()
    assert "unencrypted to models.example" in caught.value.words


def test_old_names_of_the_timeouts_still_work() -> None:
    text = "[models]\nfirst_token_timeout = 7.0\ntimeout = 9.0\n"
    settings = parse_config(text, Path("/h/config.toml"))
    said = options_of(settings.models, first_of(settings.models, "scheduler"))
    assert (said.first_byte_timeout, said.idle_timeout) == (7.0, 9.0)
    with pytest.raises(ConfigError):
        parse_config("[models]\nfirst_tokn_timeout = 7.0\n", Path("/h/config.toml"))


async def test_an_answer_that_needs_little_gets_room_to_think_and_once_more_all_of_it(
    store: ContextStore, clock: ManualClock
) -> None:
    """https://github.com/getsentry/seer/issues/2005: the default model thinks before it judges"""
    with ModelServer([THOUGHT, {"text": "fine"}, THOUGHT, THOUGHT]) as server:
        models = models_of(store, clock, base_url=server.url, retries=3)
        events = await asked(models, "triage", needs=300)
        assert isinstance(events[-1], Completed)
        assert [type(event) for event in events].count(Retrying) == 1
        with pytest.raises(ModelError) as caught:
            await asked(models, "triage", needs=300)
        await models.close()
    limits = [body["max_tokens"] for body in server.requests]
    assert limits == [limits[0], 8192, limits[0], 8192]
    assert 300 + 2000 < limits[0] < 8192
    assert "Raise models.max_tokens in the config" in caught.value.words


@pytest.mark.parametrize("reply", [THOUGHT, {"calls": [{"name": "x", "arguments": '{"a'}], "finish": "length"}])
async def test_a_limit_that_was_reached_is_not_tried_again_and_the_key_that_sets_it_is_named(
    store: ContextStore, clock: ManualClock, reply: Json
) -> None:
    for table in ("triage", "summary", "scheduler", "worker"):
        with ModelServer(default=reply) as server:
            models = models_of(store, clock, base_url=server.url, **{table: {"max_tokens": 1000}})
            with pytest.raises(ModelError) as caught:
                await asked(models, table, needs=300)
            await models.close()
        assert [body["max_tokens"] for body in server.requests] == [1000]  # the config's value, whatever is needed
        assert f"models.{table}.max_tokens" in caught.value.words
