"""A model server that sends without end is stopped after a stated number of bytes, and told in words."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from itertools import chain, repeat

import pytest

from pepper_tui.boundary import bounded_http
from pepper_tui.clock import ManualClock
from pepper_tui.config import Budget as BudgetConfig
from pepper_tui.config import Config, EmbeddingModel
from pepper_tui.llm import Budget, OpenAIClient
from pepper_tui.llm.embedding.endpoint import EndpointEmbedder
from pepper_tui.model import ModelError, ModelRequest
from pepper_tui.store import ContextStore, EmbeddingError

LIMIT = 1_000_000
IN_FLIGHT = 12_000_000  # bytes that the buffers of two sockets may hold beside
CHUNK = 65_536
STREAM = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"
JSON = b"HTTP/1.1 %s\r\ncontent-type: application/json\r\nconnection: close\r\n%s\r\n"
PACKED = gzip.compress(b"data: " + b"a" * 50_000_000)


class Endless:
    """A server that sends ``pieces`` until nobody listens. ``sent``: the bytes that were taken from it."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces, self.sent = pieces, 0

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            await reader.read(CHUNK)
            for piece in self._pieces:
                writer.write(piece)
                await writer.drain()
                self.sent += len(piece)
        writer.close()


@asynccontextmanager
async def sending(*head: bytes, more: bytes) -> AsyncIterator[tuple[str, Endless]]:
    endless = Endless(chain(head, repeat(more * max(1, CHUNK // len(more)))))
    server = await asyncio.start_server(endless.answer, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", endless


@pytest.fixture
def limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded_http, "MAX_EVENT", LIMIT)
    monkeypatch.setattr(bounded_http, "MAX_BODY", LIMIT)
    monkeypatch.setattr(bounded_http, "MAX_ERROR", LIMIT)


SHAPES = {
    "objects": ([STREAM, b'data: {"choices":['], b"{},", "an event of too many parts"),
    "numbers": ([STREAM, b'data: {"choices":['], b"1,", "an event of too many parts"),
    "a line": ([STREAM, b"data: "], b"a", "more than 1000 kB without the end of an event"),
    "lines of one event": ([STREAM], b"data: a\n", "more than 1000 kB without the end of an event"),
    "lines that begin nothing": ([STREAM], b": still here\r\n", "more than 1000 kB without the end of an event"),
    "an error": ([JSON % (b"500 No", b"")], b" ", "an answer of more than 1000 kB"),
    "what leads on": ([JSON % (b"307 There", b"location: /v1/there\r\n")], b" ", "an answer of more than 1000 kB"),
    "packed": ([STREAM.replace(b"\r\n\r\n", b"\r\ncontent-encoding: gzip\r\n\r\n"), PACKED], b"a", "compressed"),
}


@pytest.mark.parametrize(("head", "more", "words"), SHAPES.values(), ids=SHAPES)
@pytest.mark.usefixtures("limits")
async def test_an_answer_without_end_is_told(head: list[bytes], more: bytes, words: str) -> None:
    request = ModelRequest("scheduler", [{"role": "user", "content": "hello"}], tools=[], now=5.0, max_tokens=64)
    async with sending(*head, more=more) as (url, endless):
        client = OpenAIClient(ManualClock(), model="test", base_url=url, api_key="sk-1", idle_timeout=60)
        try:
            with pytest.raises(ModelError, match=words) as caught:
                async for _ in client.stream(request):
                    pass
        finally:
            await client.close()
    assert caught.value.kind == "bad_response"
    assert endless.sent <= LIMIT + IN_FLIGHT


@pytest.mark.parametrize("ends", [[b"\n\n"], [b"\n", b"\n"], [b"\r", b"\n\r", b"\n"], [b"\r\r"], [b"\n", b"\ndata"]])
def test_events_that_end_may_go_on(ends: list[bytes]) -> None:
    count = bounded_http.EventBound(LIMIT, 1000)
    for chunk in [b"data: " + b"a" * (LIMIT - 100), *ends] * 4:
        count.take(chunk)
    with pytest.raises(bounded_http.TooLargeError):
        count.take(b"a" * (LIMIT + 1))


@pytest.mark.usefixtures("limits")
async def test_vectors_without_end_are_told(store: ContextStore, clock: ManualClock) -> None:
    budget = Budget(store, clock, Config())
    async with sending(JSON % (b"200 OK", b""), b'{"data": [', more=b"0.1, ") as (url, endless):
        embedder = EndpointEmbedder(
            clock, EmbeddingModel(name="m"), budget, base_url=url, api_key="", price=None, limits=BudgetConfig()
        )
        try:
            with pytest.raises(EmbeddingError, match="an answer of more than 1000 kB"):
                await embedder.embed(["a"], waits=True)
        finally:
            await embedder.close()
    assert endless.sent <= LIMIT + IN_FLIGHT
