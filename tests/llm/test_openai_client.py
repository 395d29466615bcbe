"""The real SDK against a real server that misbehaves in each known way."""

import asyncio
import contextlib
import logging
import time

import openai
import pytest

from pepper_tui.clock import ManualClock
from pepper_tui.llm import OpenAIClient
from pepper_tui.llm.faults import Faults
from pepper_tui.model import Completed, Effect, ModelError, ModelRequest, TextDelta, ToolSpec, Usage
from tests.llm.server import ModelServer

KEY = "sk-very-secret-0123456789"
TOOL = ToolSpec("search_mail", "Search.", {"type": "object", "properties": {"query": {"type": "string"}}}, Effect.READ)
SPENT = Usage("m", "scheduler", 0, 0, 0, 0.0, 0.0)
REQUEST = ModelRequest("scheduler", [{"role": "user", "content": "hello there"}], tools=[TOOL], now=5.0, max_tokens=64)


def client_of(url: str, **more: float) -> OpenAIClient:
    limits = {"first_byte_timeout": 5.0, "idle_timeout": 5.0, **more}
    return OpenAIClient(ManualClock(), model="test", base_url=url, api_key=KEY, **limits)


async def ask(*script: dict, request: ModelRequest = REQUEST, **more: float) -> tuple[str, Completed, ModelServer]:
    with ModelServer(list(script)) as server:
        client = client_of(server.url, **more)
        try:
            events = [event async for event in client.stream(request)]
        finally:
            await client.close()
        assert isinstance(events[-1], Completed)
        return "".join(e.text for e in events if isinstance(e, TextDelta)), events[-1], server


async def fails(*script: dict, **more: float) -> ModelError:
    with pytest.raises(ModelError) as caught:
        await ask(*script, **more)
    assert KEY not in repr(caught.value) + str(caught.value) + caught.value.words
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    return caught.value


async def test_text_streams_and_usage_is_the_providers():
    text, done, server = await ask(
        {
            "text": "Good morning to you.",
            "usage": {
                "prompt_tokens": 50,
                "completion_tokens": 7,
                "total_tokens": 57,
                "prompt_tokens_details": {"cached_tokens": 40},
            },
        }
    )
    assert text == done.text == "Good morning to you."
    assert (done.usage.prompt_tokens, done.usage.cached_tokens, done.usage.completion_tokens) == (50, 40, 7)
    assert done.usage.created_at == 5.0
    assert server.requests[0]["stream_options"] == {"include_usage": True}
    assert server.headers[0]["authorization"] == f"Bearer {KEY}"


async def test_calls_are_put_together_from_pieces_and_equal_ids_made_unique():
    calls = [
        {"name": "search_mail", "arguments": {"query": "a long query é"}, "id": "same"},
        {"name": "search_mail", "arguments": {"query": "b"}, "id": "same"},
        {"name": "wait", "arguments": ""},
    ]
    _, done, _ = await ask({"text": "Looking.", "calls": calls, "pieces": 3})
    assert [c.arguments for c in done.calls] == [{"query": "a long query é"}, {"query": "b"}, {}]
    assert len({c.id for c in done.calls}) == 3
    assert done.calls[0].id == "same"


async def test_no_usage_is_estimated():
    _, done, _ = await ask({"text": "x" * 40, "usage": None})
    assert done.usage.completion_tokens == 10
    assert done.usage.prompt_tokens > 0


async def test_reasoning_is_not_text():
    text, _, _ = await ask({"reasoning": "hmm, let me think", "text": "Yes."})
    assert text == "Yes."


@pytest.mark.parametrize("name", ["stream_options", "max_tokens"])
async def test_a_server_of_another_dialect_is_asked_again_without(name: str):
    text, _, server = await ask({"reject": name, "text": "fine"})
    assert text == "fine"
    assert len(server.requests) == 2
    assert name not in server.requests[1]


@pytest.mark.parametrize(
    ("reply", "kind", "retryable"),
    [
        ({"status": 401, "message": f"Incorrect API key provided: {KEY}"}, "auth", False),
        ({"status": 403, "message": f"no {KEY}"}, "auth", False),
        ({"status": 400, "message": f"no such thing {KEY}"}, "bad_response", False),
        ({"status": 404, "message": f"no model for {KEY}"}, "setup", False),
        ({"status": 429, "headers": {"retry-after": "7"}}, "rate_limited", True),
        ({"status": 500, "message": f"boom {KEY}"}, "server", True),
        ({"status": 503}, "server", True),
        ({"text": "half", "cut": True}, "cut", True),
        ({"text": "half", "cut": "abort"}, "cut", True),
        ({"calls": [{"name": "search_mail", "arguments": '{"query": "x'}], "cut": True}, "cut", True),
        ({"calls": [{"name": "search_mail", "arguments": '{"query": "x'}], "finish": "length"}, "no_room", False),
        ({"calls": [{"name": "search_mail", "arguments": '{"query": '}]}, "bad_response", True),
        ({"calls": [{"name": "search_mail", "arguments": "[1]"}]}, "bad_response", True),
        ({"text": ""}, "empty", True),
        ({"text": " \n"}, "empty", True),
        ({"endless": True}, "endless", True),
        ({"garbage": True}, "bad_response", True),
        ({"stream_error": f"overloaded {KEY}"}, "server", True),
    ],
)
async def test_each_failure_has_its_kind_and_words(reply: dict, kind: str, retryable: bool, caplog):
    caplog.set_level(logging.INFO)
    error = await fails(reply)
    assert (error.kind, error.retryable) == (kind, retryable), error.words
    assert len(error.words) > 10
    assert KEY not in caplog.text
    if kind == "bad_response" and "calls" in reply:
        assert "search_mail" in error.words
    if "headers" in reply:
        assert error.retry_after == 7.0
    if "status" in reply:
        assert error.usage is None  # refused before anything was made
    else:
        assert error.usage is not None


async def test_a_slow_first_token_times_out_and_so_does_a_stalled_end():
    error = await fails({"first_delay": 1.0, "text": "x"}, first_byte_timeout=0.2)
    assert error.kind == "timeout"
    assert error.retryable
    error = await fails({"text": "x", "stall": 1.0}, first_byte_timeout=0.2, idle_timeout=0.4)
    assert error.kind == "timeout"
    assert error.usage is not None


async def test_nobody_listening_is_unreachable():
    with ModelServer() as server:
        url = server.url
    client = client_of(url)
    with pytest.raises(ModelError) as caught:
        async for _ in client.stream(REQUEST):
            pass
    assert caught.value.kind == "unreachable"
    assert "base_url" in caught.value.words


async def test_cancelling_closes_the_stream_at_once():
    with ModelServer([{"text": "word " * 2000, "delay": 0.02}]) as server:
        client = client_of(server.url)
        began = asyncio.Event()

        async def listen() -> None:
            async for _ in client.stream(REQUEST):
                began.set()

        task = asyncio.create_task(listen())
        await asyncio.wait_for(began.wait(), 5)
        started = time.monotonic()
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        assert time.monotonic() - started < 0.5
        deadline = time.monotonic() + 3
        while not server.closed_early and time.monotonic() < deadline:  # noqa: ASYNC110 - set in another thread
            await asyncio.sleep(0.02)
        assert server.closed_early == 1
        await client.close()


@pytest.mark.parametrize("wrapped", [False, True])
def test_too_little_memory_is_called_so(wrapped: bool) -> None:
    error: Exception = MemoryError()
    if wrapped:
        try:
            raise ValueError("no JSON") from error
        except ValueError as caught:
            error = caught
    told = Faults(openai, "http://here", KEY).read(error, "m", 0.0, SPENT, opened=True)
    assert "memory" in told.words
    assert told.retryable


def test_an_error_without_words_has_its_name() -> None:
    told = Faults(openai, "http://here", KEY).read(RecursionError(), "m", 0.0, SPENT, opened=True)
    assert "RecursionError." in told.words
