"""One open session with one server, through the SDK. The only module that imports it: slow, so only ever in a thread.

A stdio server runs behind its keeper; over HTTP each request fails for itself, so that one lost answer does not end the
session of the others. Every failure of a call says what is known of it: ``NotSentError`` (it never left),
``ReportedError`` (the server itself answered that it failed), else ``LostError``.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, TextIO

import httpx2
from mcp import Client, MCPError, StdioServerParameters
from mcp.client.session import ClientRequestContext
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp_types import (
    INVALID_PARAMS,
    METHOD_NOT_FOUND,
    URL_ELICITATION_REQUIRED,
    CallToolRequest,
    CallToolRequestParams,
    CallToolResult,
    ElicitRequestFormParams,
    ElicitRequestParams,
    ElicitResult,
    ErrorData,
    Implementation,
    InputRequiredResult,
    InputResponses,
    PaginatedRequestParams,
    ToolListChangedNotification,
)
from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from pydantic import TypeAdapter, ValidationError

import pepper_tui
from pepper_tui.config import McpServer, Secrets
from pepper_tui.model import Json
from pepper_tui.text import one_line
from pepper_tui.tools.mcp import keeper
from pepper_tui.tools.mcp.definition import Definition
from pepper_tui.tools.mcp.question import Answer, Question
from pepper_tui.tools.mcp.result import as_text

Ask = Callable[[Question], Awaitable[Answer]]
Report = Callable[[str], None]

NOT_SENT: Final = -32097
LOST: Final = -32098
_REFUSED: Final = frozenset({INVALID_PARAMS, METHOD_NOT_FOUND, URL_ELICITATION_REQUIRED})
_PAGES: Final = 20
_TOOLS: Final = 500
_ROUNDS: Final = 10  # questions that one call may ask one after the other
_ROUND_PAUSE: Final = 0.25
_LARGEST: Final = 32 * 1024 * 1024  # bytes of one answer over HTTP

# The SDK logs what a server sent, raw. That has its place in the server's own log.
for _name in ("mcp", "httpx2", "httpcore2"):
    logging.getLogger(_name).addHandler(logging.NullHandler())
    logging.getLogger(_name).propagate = False


class CallError(Exception):
    """A call did not come to a good end; the words say what is known."""


class NotSentError(CallError):
    """It never reached the server."""


class ReportedError(CallError):
    """The server answered that it failed; the words are its own."""


class LostError(CallError):
    """It was sent, and no answer came that could be read."""


class Connection:
    """A session that is open. Its methods may be called from any task."""

    def __init__(self, server: str, client: Client) -> None:
        self._server, self._client = server, client

    @property
    def title(self) -> str:
        """How the server calls itself."""
        info = self._client.server_info
        return one_line(f"{info.name} {info.version}", 80) if info else "a server without a name"

    async def definitions(self) -> list[Definition]:
        """The tools that it offers now. Raises ``LostError``."""
        found: dict[str, Definition] = {}
        cursor: str | None = None
        try:
            for _ in range(_PAGES):
                page = await self._client.session.list_tools(params=PaginatedRequestParams(cursor=cursor))
                for tool in page.tools[: _TOOLS - len(found)]:
                    found[tool.name] = Definition(self._server, tool.name, tool.description or "", tool.input_schema)
                cursor = page.next_cursor
                if not cursor:
                    break
        except MCPError as error:
            if error.code == METHOD_NOT_FOUND:
                return []  # a server without tools
            raise LostError(one_line(error.message)) from error
        except ValidationError as error:
            raise LostError("its list of tools is not of the protocol") from error
        return list(found.values())

    async def call(self, name: str, arguments: Json, report: Report) -> str:
        """Carry out one call; the text of its result. Cancelling it cancels the call at the server.

        Raises ``CallError``.
        """
        answers: InputResponses | None = None
        state: str | None = None
        for _ in range(_ROUNDS):
            result = await self._send(name, arguments, answers, state, report)
            if isinstance(result, CallToolResult):
                text = as_text(result)
                if result.is_error:
                    raise ReportedError(text or "it failed without words")
                return text
            answers, state = await self._answers(result), result.request_state
        raise LostError(f"it asked more than {_ROUNDS} times")

    async def _send(
        self, name: str, arguments: Json, answers: InputResponses | None, state: str | None, report: Report
    ) -> CallToolResult | InputRequiredResult:
        async def progressed(progress: float, total: float | None, message: str | None) -> None:
            share = f"{progress:g} of {total:g}" if total else f"{progress:g}"
            report(f"{share} · {message}" if message else share)

        params = CallToolRequestParams(name=name, arguments=arguments, input_responses=answers, request_state=state)
        try:
            # Not `call_tool`: that runs the server's own patterns over its results, and fails a call that is done.
            return await self._client.session.send_request(
                CallToolRequest(params=params), _RESULT, progress_callback=progressed
            )
        except MCPError as error:
            words = one_line(error.message, 500)
            if error.code == NOT_SENT and answers is None:
                raise NotSentError(words) from error
            if error.code in _REFUSED:
                raise ReportedError(words) from error
            raise LostError(words) from error
        except (ValidationError, ValueError, RuntimeError) as error:
            raise LostError(f"its answer can't be read ({type(error).__name__})") from error

    async def _answers(self, result: InputRequiredResult) -> InputResponses | None:
        """What the server's questions in ``result`` came to."""
        if not result.input_requests:
            await asyncio.sleep(_ROUND_PAUSE)
            return None
        answers: InputResponses = {}
        for key, request in result.input_requests.items():
            meta = request.params.meta if request.params else None
            context = ClientRequestContext(session=self._client.session, request_id=key, meta=meta)
            answer = await self._client.session.dispatch_input_request(context, request)
            if isinstance(answer, ErrorData):
                raise ReportedError(f"it wants what Pepper does not give: {one_line(answer.message)}")
            answers[key] = answer
        return answers


_RESULT: Final[TypeAdapter[CallToolResult | InputRequiredResult]] = TypeAdapter(CallToolResult | InputRequiredResult)


@asynccontextmanager
async def connect(
    name: str,
    server: McpServer,
    secrets: Secrets,
    log: Path,
    ask: Ask,
    changed: Callable[[], None],
    closed: Callable[[], None],
) -> AsyncIterator[Connection]:
    """Open a session. ``changed`` is called when the server says that its tools are others, ``closed`` when it closes.

    Raises ``ConfigError`` for a secret without a value, ``OSError`` where the program can't be started, and what the
    SDK raises. To be entered and left in one task.
    """

    async def elicited(context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
        if isinstance(params, ElicitRequestFormParams):
            answer = await ask(Question(name, params.message, params.requested_schema))
            return ElicitResult(action=answer.action, content=answer.content)
        answer = await ask(Question(name, params.message, address=params.url))
        return ElicitResult(action=answer.action)

    async def told(message: object) -> None:
        if isinstance(message, ToolListChangedNotification):
            changed()

    client = Client(
        _Watched(_http(server, secrets) if server.url else _stdio(server, secrets, log), closed),
        elicitation_callback=elicited,
        message_handler=told,
        client_info=Implementation(name="pepper", version=pepper_tui.__version__),
        cache=None,
    )
    async with client:
        listening = asyncio.create_task(_listen(client, changed), name=f"mcp {name}: changes")
        try:
            yield Connection(name, client)
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)


async def _listen(client: Client, changed: Callable[[], None]) -> None:
    """The newer protocol's way to hear of changes; without it, or once it ends, the regular look has to do."""
    if client.protocol_version in MODERN_PROTOCOL_VERSIONS:
        with contextlib.suppress(MCPError, RuntimeError, TimeoutError):
            async with client.listen(tools_list_changed=True) as events:
                async for _ in events:
                    changed()


class _Watched:
    """A transport that calls ``closed`` once nothing more can be read from it."""

    def __init__(self, inner: AbstractAsyncContextManager[Any], closed: Callable[[], None]) -> None:
        self._inner, self._closed = inner, closed

    async def __aenter__(self) -> tuple[Any, Any]:
        reading, writing = await self._inner.__aenter__()
        return _Reading(reading, self._closed), writing

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> bool | None:
        return await self._inner.__aexit__(kind, error, at)


class _Reading:
    """The read stream of a watched transport."""

    def __init__(self, inner: Any, closed: Callable[[], None]) -> None:
        self._inner, self._closed = inner, closed

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
            return await self._inner.__anext__()
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


def _nowhere() -> TextIO:
    """For what the keeper itself would say: the server's own words are in its log."""
    return Path(os.devnull).open("w")


@asynccontextmanager
async def _stdio(server: McpServer, secrets: Secrets, log: Path) -> AsyncIterator[Any]:
    environment = {key: secrets.filled(value) for key, value in server.env.items()}
    command, arguments = server.command, list(server.args)
    if os.name == "posix":
        arguments = ["-I", "-S", keeper.__file__, str(log), "--", command, *arguments]
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
async def _http(server: McpServer, secrets: Secrets) -> AsyncIterator[Any]:
    headers = {key: secrets.filled(value) for key, value in server.headers.items()}
    timeout = httpx2.Timeout(30.0, connect=10.0, read=None)
    async with (
        httpx2.AsyncClient(transport=_ForItself(), headers=headers, timeout=timeout) as http,
        streamable_http_client(server.url, http_client=http, max_sse_event_size=_LARGEST) as streams,
    ):
        yield streams


class _ForItself(httpx2.AsyncHTTPTransport):
    """Answers a request that failed on the way with an error of its own: the SDK would end the whole session."""

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
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
        assert isinstance(response.stream, httpx2.AsyncByteStream)
        response.stream = _Bounded(response.stream)
        return response


def _error(request: httpx2.Request, status: int, code: int, words: str) -> httpx2.Response:
    body = {"jsonrpc": "2.0", "id": None, "error": {"code": code, "message": words}}
    return httpx2.Response(
        status, headers={"content-type": "application/json"}, content=json.dumps(body).encode(), request=request
    )


class _Bounded(httpx2.AsyncByteStream):
    """A body of at most ``_LARGEST`` bytes a piece without an end of line: no answer fills the memory."""

    def __init__(self, inner: httpx2.AsyncByteStream) -> None:
        self._inner = inner

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        async for chunk in self._inner:
            at = chunk.rfind(b"\n")
            size = size + len(chunk) if at < 0 else len(chunk) - at
            if size > _LARGEST:
                raise httpx2.ReadError("the answer is too large")
            yield chunk

    async def aclose(self) -> None:
        await self._inner.aclose()
