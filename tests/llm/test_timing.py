"""Silence ends a call, time does not: any byte is a sign of life, and a server nearby may load its model first."""

from __future__ import annotations

import time
from typing import Any

import pytest

from pepper_tui.clock import ManualClock
from pepper_tui.config.secret.in_clear import is_near
from pepper_tui.llm import OpenAIClient
from pepper_tui.llm.endpoint.openai_client import IDLE, LOADING
from pepper_tui.model import Completed, ModelError, ModelRequest
from tests.llm.server import ModelServer
from tests.llm.test_misbehaviour import chunk

REQUEST = ModelRequest("scheduler", [{"role": "user", "content": "hello"}], max_tokens=200)
PAUSE = 0.05


async def asked(reply: dict[str, Any], **timeouts: float) -> tuple[Completed, float]:
    with ModelServer([reply]) as server:
        client = OpenAIClient(ManualClock(), model="m", base_url=server.url, **timeouts)
        began = time.monotonic()
        try:
            events = [event async for event in client.stream(REQUEST)]
        finally:
            await client.close()
    assert isinstance(events[-1], Completed)
    return events[-1], time.monotonic() - began


@pytest.mark.parametrize(
    "sign",
    [
        ": OPENROUTER PROCESSING",
        ": keepalive",
        ":",
        "",
        chunk({"role": "assistant"}),
        chunk({"content": ""}),
        chunk({"reasoning_content": "hm"}),
        chunk(None),
        {"id": "", "choices": []},
    ],
    ids=str,
)
async def test_any_byte_resets_the_silence(sign: Any) -> None:
    """https://openrouter.ai/docs/api-reference/streaming, https://github.com/NousResearch/hermes-agent/issues/103802"""
    events = [*[sign] * 24, chunk({"content": "Sunny."}, "stop")]
    limits = {"first_byte_timeout": 10 * PAUSE, "idle_timeout": 10 * PAUSE}
    done, seconds = await asked({"events": events, "delay": PAUSE}, **limits)
    assert done.text == "Sunny."
    assert seconds > 20 * PAUSE  # longer than any limit


@pytest.mark.parametrize("begun", [[], [": here"], [chunk({"content": "Sun"})]])
async def test_silence_ends_a_call_wherever_it_falls(begun: list[Any]) -> None:
    reply = {"events": begun, "done": False, "hang": 2.0}
    with pytest.raises(ModelError) as caught:
        await asked(reply if begun else {"first_delay": 2.0}, first_byte_timeout=0.3, idle_timeout=0.3)
    assert caught.value.kind == "timeout"
    assert "0.3 seconds" in caught.value.words


async def test_the_first_byte_may_take_longer_than_later_ones() -> None:
    done, _ = await asked({"first_delay": 0.6, "text": "Sunny."}, first_byte_timeout=5.0, idle_timeout=0.3)
    assert done.text == "Sunny."


@pytest.mark.parametrize(
    ("base_url", "first"),
    [
        ("", IDLE),
        ("https://api.mistral.ai/v1", IDLE),
        ("http://8.8.8.8/v1", IDLE),
        ("http://127.0.0.1:11434/v1", LOADING),
        ("http://localhost:1234/v1", LOADING),
        ("http://[::1]:8080/v1", LOADING),
        ("http://192.168.1.7:8000/v1", LOADING),
        ("http://10.0.0.2/v1", LOADING),
        ("http://[fd00::7]/v1", LOADING),
        ("http://[2001:4860:4860::8888]/v1", IDLE),
        ("http://gpu.local:8000/v1", LOADING),
        ("http://gpu:8000/v1", LOADING),
    ],
)
def test_a_server_nearby_has_time_to_load_its_model(base_url: str, first: float) -> None:
    client = OpenAIClient(ManualClock(), model="m", base_url=base_url)
    assert client._first == first
    assert is_near(base_url) is (first == LOADING)
    assert OpenAIClient(ManualClock(), model="m", base_url=base_url, first_byte_timeout=7.0)._first == 7.0


async def test_a_stream_of_comments_without_end_is_cut_by_its_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pepper_tui.llm.endpoint.openai_client._BYTES", (20_000, 1))
    with pytest.raises(ModelError) as caught:
        await asked({"events": [": " + "x" * 500] * 100})
    assert caught.value.kind == "endless"
