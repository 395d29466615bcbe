"""The transport of bytes: to a program behind its reaper, or over HTTP, where each request fails on its own."""

from __future__ import annotations

import asyncio
import json
import os
import secrets as chance
import shutil
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, TextIO

import httpx2
from mcp import StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.message import SessionMessage
from mcp_types import ErrorData, JSONRPCError
from pydantic import ValidationError

from pepper_tui.boundary.bounded_http import BodyBound, EventBound, TooLargeError
from pepper_tui.config import McpServer, Secrets
from pepper_tui.connectors.mcp.session import reaper
from pepper_tui.connectors.mcp.session.listing import Dropped, sound

NOT_SENT: Final = -100_000 - chance.randbelow(2**30)
LOST: Final = NOT_SENT - 1
"""Codes of errors made here, drawn anew each time, so that no server can claim that a request was never sent."""
_LARGEST: Final = reaper.LONGEST  # bytes of one answer over HTTP


class Watched:
    """A transport that calls ``closed`` once nothing more can be read from it.

    It calls ``dropped`` for each entry of a list that violates the protocol.
    """

    def __init__(self, inner: AbstractAsyncContextManager[Any], closed: Callable[[], None], dropped: Dropped) -> None:
        self._inner, self._closed, self._dropped = inner, closed, dropped

    async def __aenter__(self) -> tuple[Any, Any]:
        reading, writing = await self._inner.__aenter__()
        return _Reading(reading, self._closed, self._dropped), writing

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> bool | None:
        return await self._inner.__aexit__(kind, error, at)


class _Reading:
    """The read stream of a watched transport."""

    def __init__(self, inner: Any, closed: Callable[[], None], dropped: Dropped) -> None:
        self._inner, self._closed, self._dropped = inner, closed, dropped

    @property
    def last_context(self) -> Any:
        return getattr(self._inner, "last_context", None)

    async def receive(self) -> Any:
        return await self._inner.receive()

    async def aclose(self) -> None:
        await self._inner.aclose()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Any:
        try:
            item = await self._inner.__anext__()
            sound(getattr(item, "message", None), self._dropped)
            return _in_place_of(item) if isinstance(item, ValidationError) else item
        except BaseException:
            self._closed()
            raise

    async def __aenter__(self) -> Self:
        await self._inner.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> bool | None:
        self._closed()
        found: bool | None = await self._inner.__aexit__(kind, error, at)
        return found


def _in_place_of(unread: ValidationError) -> SessionMessage | ValidationError:
    """Return an error for the call that an invalid message answers; otherwise the call would wait for its timeout."""
    said = unread.errors(include_url=False, include_context=False)[0]["input"]
    ident = None
    if isinstance(said, dict) and "method" not in said:
        ident = said.get("id")
    elif isinstance(said, str):
        begin, end = said[: reaper.AN_END], said[-reaper.AN_END :]
        ident = reaper.answered(begin.encode(errors="replace"), end.encode(errors="replace"))
    if isinstance(ident, bool) or not isinstance(ident, int | str):
        return unread
    error = ErrorData(code=LOST, message="its answer is not of the protocol")
    return SessionMessage(JSONRPCError(jsonrpc="2.0", id=ident, error=error))


def _nowhere() -> TextIO:
    """Open a sink for what the reaper itself would say: the server's own words are in its log."""
    return Path(os.devnull).open("w")


@asynccontextmanager
async def stdio(server: McpServer, secrets: Secrets, log: Path) -> AsyncIterator[Any]:
    environment = secrets.all_filled(server.env)
    command, arguments = server.command, [secrets.filled(each) for each in server.args]
    path = environment.get("PATH")
    if await asyncio.to_thread(shutil.which, command, path=path) is None:
        raise FileNotFoundError(f"there is no program {command}; install it, or give its whole path")
    if os.name == "posix":
        arguments = ["-I", "-S", reaper.__file__, str(log), "--", command, *arguments]
        command = sys.executable
    parameters = StdioServerParameters(
        command=command,
        args=arguments,
        env=environment,
        cwd=server.cwd or Path.home(),
        encoding_error_handler="replace",
    )
    with _nowhere() as nowhere:
        async with stdio_client(parameters, errlog=nowhere) as streams:
            yield streams


@asynccontextmanager
async def http(server: McpServer, secrets: Secrets) -> AsyncIterator[Any]:
    url, headers = secrets.in_url(server.url), secrets.all_filled(server.headers)

    async def renew(request: httpx2.Request) -> None:  # a key may have changed since the session began
        if headers:
            request.headers.update(await asyncio.to_thread(secrets.all_filled, server.headers))
        if url != server.url and request.url == httpx2.URL(url):
            request.url = httpx2.URL(await asyncio.to_thread(secrets.in_url, server.url))

    timeout = httpx2.Timeout(30.0, connect=10.0, read=None)
    async with (
        httpx2.AsyncClient(transport=_ForItself(), timeout=timeout, event_hooks={"request": [renew]}) as http,
        streamable_http_client(url, http_client=http, max_sse_event_size=_LARGEST) as streams,
    ):
        yield streams


class _ForItself(httpx2.AsyncHTTPTransport):
    """Answers a request that failed on the way with its own error: the SDK would end the whole session."""

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        request.headers["Accept-Encoding"] = "identity"  # compressed content could be a thousand times as large
        try:
            response = await super().handle_async_request(request)
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout) as error:
            if request.method != "POST":
                raise
            return _error(request, 503, NOT_SENT, f"it can't be reached: {error}")
        except httpx2.TransportError as error:
            if request.method != "POST":
                raise
            return _error(request, 502, LOST, f"the connection broke: {type(error).__name__}")
        if request.method == "POST" and response.status_code in (401, 403):
            await response.aclose()
            return _error(request, response.status_code, NOT_SENT, f"it refuses us: HTTP {response.status_code}")
        if request.method == "POST" and response.status_code >= 500:
            await response.aclose()
            return _error(request, response.status_code, LOST, f"it answered HTTP {response.status_code}")
        if response.headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
            await response.aclose()
            return _error(request, 502, LOST, "its answer is packed, though none was asked for")
        assert isinstance(response.stream, httpx2.AsyncByteStream)
        of_events = response.headers.get("content-type", "").lower().startswith("text/event-stream")
        response.stream = _Bounded(response.stream, of_events=of_events)
        return response


def _error(request: httpx2.Request, status: int, code: int, words: str) -> httpx2.Response:
    body = {"jsonrpc": "2.0", "id": None, "error": {"code": code, "message": words}}
    return httpx2.Response(
        status, headers={"content-type": "application/json"}, content=json.dumps(body).encode(), request=request
    )


class _Bounded(httpx2.AsyncByteStream):
    """A body, or each of its events, of at most ``_LARGEST`` bytes: no answer fills the memory, or blocks the loop.

    A failure is raised as the kind of error that the SDK attributes to one request: any other that a body raises ends
    the whole session.
    """

    def __init__(self, inner: httpx2.AsyncByteStream, *, of_events: bool) -> None:
        kind = EventBound if of_events else BodyBound
        self._inner, self._bound, self._of_events = inner, kind(_LARGEST, reaper.MOST_PARTS), of_events

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for chunk in self._inner:
                self._bound.take(chunk)
                yield chunk
        except TooLargeError as error:
            raise (httpx2.SSEError if self._of_events else httpx2.StreamError)(f"it sends {error}") from error
        except httpx2.TransportError as error:
            if self._of_events:  # it may be resumed where it broke off
                raise
            raise httpx2.StreamError(f"the connection broke: {type(error).__name__}") from error

    async def aclose(self) -> None:
        await self._inner.aclose()
