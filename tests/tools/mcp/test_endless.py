"""A server over HTTP that answers without end, or packed, ends its own request and nothing else."""

from __future__ import annotations

import gzip

import httpx2
import pytest

from pepper_tui.tools.mcp import transport
from tests.llm.test_bounded_http import IN_FLIGHT, LIMIT, sending

HEAD = b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-type: %s\r\n%s\r\n"


async def asked(url: str) -> httpx2.Response:
    async with httpx2.AsyncClient(transport=transport._ForItself(), timeout=30) as client:
        return await client.post(url, json={})


@pytest.mark.parametrize(
    ("kind", "more"),
    [
        (b"application/json", b" "),
        (b"application/json", b"\n"),
        (b"application/json", b"[],"),
        (b"text/event-stream", b"a"),
        (b"text/event-stream", b"data: a\n"),
        (b"text/plain", b"\n"),
    ],
)
async def test_an_answer_without_end(monkeypatch: pytest.MonkeyPatch, kind: bytes, more: bytes) -> None:
    monkeypatch.setattr(transport, "_LARGEST", LIMIT)
    async with sending(HEAD % (kind, b""), more=more) as (url, endless):
        with pytest.raises(httpx2.ReadError, match="it sends"):
            await asked(url)
    assert endless.sent <= LIMIT + IN_FLIGHT


async def test_lines_that_end_may_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "_LARGEST", LIMIT)

    async def chunks():  # type: ignore[no-untyped-def]
        for _ in range(8):
            yield b"data: " + b"a" * (LIMIT - 100)
            yield b"\n\n"

    class Stream(httpx2.AsyncByteStream):
        def __aiter__(self):  # type: ignore[no-untyped-def]
            return chunks()

    assert len([chunk async for chunk in transport._Bounded(Stream(), of_events=True)]) == 16


async def test_a_packed_answer_is_refused() -> None:
    packed = gzip.compress(b"{" + b" " * 50_000_000)
    async with sending(HEAD % (b"application/json", b"content-encoding: gzip\r\n"), packed, more=b"a") as (url, _):
        answer = await asked(url)
    assert answer.json()["error"]["code"] == transport.LOST
    assert "packed" in answer.json()["error"]["message"]
