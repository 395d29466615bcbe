"""A server over HTTP that answers without end, or packed, ends its own request and nothing else."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from pepper_tui.config import McpServer, Secrets
from pepper_tui.connectors.mcp.asking.question import Answer, Question
from pepper_tui.connectors.mcp.session import transport
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
        with pytest.raises((httpx2.StreamError, httpx2.SSEError), match="it sends"):
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


class Plain:
    """An MCP server over HTTP in plain JSON. Of its tools ``big`` answers with more than is taken, ``breaks`` goes away
    in the midst of its answer, and ``slow`` answers once ``go`` is set."""

    def __init__(self, of_events: bool) -> None:
        self.go = asyncio.Event()
        self._of_events = of_events

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                size = re.search(rb"content-length: (\d+)", head, re.I)
                body = await reader.readexactly(int(size[1])) if size else b""
                message = json.loads(body) if body else {}
                if "id" not in message:
                    writer.write(b"HTTP/1.1 %s\r\ncontent-length: 0\r\n\r\n" % (b"202 A" if body else b"405 N"))
                    continue
                await self._answer(message, writer)
        writer.close()

    async def _answer(self, message: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        match message["method"], (message.get("params") or {}).get("name"):
            case "initialize", _:
                about = {"protocolVersion": "2025-11-25", "capabilities": {"tools": {}}}
                answer: dict[str, Any] = {"result": {**about, "serverInfo": {"name": "plain", "version": "1"}}}
            case "tools/call", name:
                if name == "slow":
                    await self.go.wait()
                text = "x" * (LIMIT + 100_000 if name == "big" else 10)
                answer = {"result": {"content": [{"type": "text", "text": text}]}}
            case _:
                answer = {"error": {"code": -32601, "message": "no such method"}}
        body = json.dumps({"jsonrpc": "2.0", "id": message["id"], **answer}).encode()
        body = b"event: message\ndata: " + body + b"\n\n" if self._of_events else body
        kind = b"text/event-stream" if self._of_events else b"application/json"
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: %s\r\ncontent-length: %d\r\n\r\n" % (kind, len(body)))
        if (message.get("params") or {}).get("name") == "breaks":
            writer.write(body[:-5])
            await writer.drain()
            raise ConnectionResetError
        writer.write(body)
        await writer.drain()


@contextlib.asynccontextmanager
async def plain(of_events: bool) -> AsyncIterator[tuple[Plain, str]]:
    made = Plain(of_events)
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    yield made, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/mcp"
    server.close()


async def no_answer(question: Question) -> Answer:
    return Answer("decline")


@pytest.mark.parametrize("of_events", [False, True], ids=["json", "events"])
@pytest.mark.parametrize(("name", "words"), [("big", "it sends"), ("breaks", "connection broke|ended without")])
async def test_such_an_answer_ends_its_call_at_once_and_no_other(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, of_events: bool, name: str, words: str
) -> None:
    from pepper_tui.connectors.mcp.session.connection import LostError, connect

    monkeypatch.setattr(transport, "_LARGEST", LIMIT)
    ended: list[str] = []
    async with plain(of_events) as (server, url), asyncio.timeout(30):
        config = McpServer(url=url)

        def ignore(*_: object) -> None:
            pass

        def closed() -> None:
            ended.append("closed")

        async with connect("own", config, Secrets(tmp_path), tmp_path / "log", no_answer, ignore, closed) as session:
            slow = asyncio.create_task(session.call("slow", {}, ignore))
            with pytest.raises(LostError, match=words):
                await session.call(name, {}, ignore)
            server.go.set()
            assert await slow == "x" * 10
            assert await session.call("after", {}, ignore) == "x" * 10
            assert ended == []
