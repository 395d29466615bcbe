"""How long a prompt a model takes: as its server says, as its refusals say; asked once, never before a reply."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pepper_tui import config
from pepper_tui.clock import ManualClock
from pepper_tui.llm import Models, build_models
from pepper_tui.llm.windows import Windows
from pepper_tui.model import Completed, Effect, ModelError, ModelRequest, ToolSpec
from pepper_tui.store import ContextStore
from tests.llm.server import ModelServer
from tests.waiting import until

KEY = "sk-very-secret-0123456789"
REQUEST = ModelRequest("scheduler", [{"role": "user", "content": "x" * 8000}], max_tokens=1000)


def models_of(store: ContextStore, clock: ManualClock, server: ModelServer) -> Models:
    models = {"name": "small", "base_url": server.url, "api_key": "env:KEY"}
    settings = config.Config.model_validate({"models": models})
    return build_models(settings, store, clock, config.Secrets(Path("/nonexistent"), {"KEY": KEY}))


HELLO = ModelRequest("scheduler", [{"role": "user", "content": "hello"}])


async def say(models: Models, request: ModelRequest = HELLO) -> None:
    assert isinstance([event async for event in models.stream(request)][-1], Completed)


@pytest.mark.parametrize(
    ("path", "page"),
    [
        ("/props", {"default_generation_settings": {"n_ctx": 4096}}),
        (
            "/api/ps",
            {"models": [{"name": "x", "context_length": 9}, {"name": "small:latest", "context_length": 4096}]},
        ),
        ("/api/show", {"parameters": "temperature 0.7\nnum_ctx                        4096\n"}),
        ("/api/v0/models", {"data": [{"id": "small", "loaded_context_length": 4096, "max_context_length": 131072}]}),
        ("/v1/models", {"data": [{"id": "big", "max_model_len": 9}, {"id": "small", "max_model_len": 4096}]}),
        ("/v1/models", {"data": [{"id": "small", "context_length": 4096}]}),
        ("/v1/models", {"data": [{"id": "small", "context_window": 4096}]}),
    ],
)
async def test_a_server_that_says_its_window_is_believed(
    store: ContextStore, clock: ManualClock, path: str, page: Any
) -> None:
    with ModelServer() as server:
        server.pages[path] = page
        models = models_of(store, clock, server)
        assert models.room() is None
        assert server.looks == []  # nothing is asked before there was an answer
        await say(models)
        await until(lambda: models.room() is not None)
        room = models.room()
        assert room is not None
        assert 4096 < room < 4096 * 4
        tools = [ToolSpec("t", "x" * 1000, {}, Effect.READ)]
        assert models.room("scheduler", tools) == room - len("t") - 1000 - len("{}")
        await say(models)
        assert server.requests[0]["max_tokens"] == 8192
        assert server.requests[1]["max_tokens"] == 1024  # an answer leaves room for the prompt
        assert server.looks == [(path, f"Bearer {KEY}" if path.startswith("/v1/") else "")]
        await models.close()


ODD = [None, [], {"data": "x"}, {"data": [{"id": "small", "max_model_len": True}]}, {"data": [7]}]


@pytest.mark.parametrize("page", ODD)
async def test_a_server_that_says_nothing_of_use_changes_nothing(
    store: ContextStore, clock: ManualClock, page: Any
) -> None:
    with ModelServer() as server:
        server.pages["/v1/models"] = page if page is not None else {}
        models = models_of(store, clock, server)
        await say(models)
        await until(lambda: not models._looks)
        assert models.room() is None
        await models.close()


@pytest.mark.parametrize(
    ("words", "least", "most"),
    [
        ("maximum context length is 1000 tokens. However, your messages resulted in 2000 tokens.", 2000, 4000),
        ("Context size has been exceeded.", 4000, 5000),
    ],
)
async def test_a_refusal_teaches_what_fits_and_a_restart_knows_it(
    store: ContextStore, clock: ManualClock, words: str, least: int, most: int
) -> None:
    with ModelServer(default={"status": 400, "message": words}) as server:
        models = models_of(store, clock, server)
        with pytest.raises(ModelError) as caught:
            await say(models, REQUEST)
        assert caught.value.kind == "too_long"
        room = models.room()
        assert room is not None
        assert least <= room <= most
        await models.close()
        again = models_of(store, clock, server)
        await again.warm()
        assert again.room() == room
        await again.close()


async def test_each_refusal_makes_it_smaller_until_it_fits() -> None:
    windows = Windows()
    rooms = []
    for _ in range(8):
        said = windows.room("m") or 100_000
        request = ModelRequest("scheduler", [{"role": "user", "content": "x" * said}])
        windows.learn("m", ModelError("too_long", "too long"), request)
        rooms.append(windows.room("m"))
    assert rooms == sorted(rooms, reverse=True)
    assert rooms[-1] < 3000
