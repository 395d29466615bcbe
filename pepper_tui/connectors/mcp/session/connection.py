"""An open session with one server, through the SDK, which is slow to import: load this module only in a thread.

Every failure of a call says what is known about it: ``NotSentError`` (it was never sent), ``ReportedError`` (the server
itself answered that it failed), else ``LostError``.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final, TypeVar

from mcp import Client, MCPError
from mcp.client.session import ClientRequestContext
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
    ReadResourceRequest,
    ReadResourceRequestParams,
    ReadResourceResult,
    ToolListChangedNotification,
)
from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from pydantic import TypeAdapter, ValidationError

import pepper_tui
from pepper_tui.config import McpServer, Secrets
from pepper_tui.connectors.mcp.asking.question import Answer, Question
from pepper_tui.connectors.mcp.offer.definition import Definition
from pepper_tui.connectors.mcp.offer.resources import Listed, Named
from pepper_tui.connectors.mcp.session.listing import LISTS, RESOURCES, TOOLS
from pepper_tui.connectors.mcp.session.result import as_text, resource_as_text, resources_in
from pepper_tui.connectors.mcp.session.transport import NOT_SENT, Watched, http, stdio
from pepper_tui.model import Json
from pepper_tui.text import one_line
from pepper_tui.text.errors import Foreseen, PepperError

Ask = Callable[[Question], Awaitable[Answer]]
Report = Callable[[str], None]
Malformed = dict[str, dict[str, str]]
_R = TypeVar("_R", CallToolResult, ReadResourceResult)

_NO_SUCH_RESOURCE: Final = -32002
_REFUSED: Final = frozenset({INVALID_PARAMS, METHOD_NOT_FOUND, URL_ELICITATION_REQUIRED, _NO_SUCH_RESOURCE})
_PAGES: Final = 20
_TOOLS: Final = 2000  # tools of a server that are examined
_ENTRIES: Final = 500  # entries of a list of resources
_ROUNDS: Final = 10  # questions that one call may ask one after the other
_ROUND_PAUSE: Final = 0.25

# The SDK logs what a server sent, raw. That belongs in the server's own log.
for _name in ("mcp", "httpx2", "httpcore2"):
    logging.getLogger(_name).addHandler(logging.NullHandler())
    logging.getLogger(_name).propagate = False


class CallError(PepperError, Foreseen):
    """A call that failed; the words say what is known."""


class NotSentError(CallError):
    """It never reached the server."""


class ReportedError(CallError):
    """The server answered that it failed; the words are the server's."""


class LostError(CallError):
    """It was sent, but no readable answer came."""


class Connection:
    """An open session. Its methods may be called from any task."""

    def __init__(self, server: str, client: Client, malformed: Malformed, named: Named) -> None:
        """Create it. ``malformed``: what was removed from the server's lists, and why, by list.

        ``named``: the resources that it has named.
        """
        self._server, self._client, self._malformed, self._named = server, client, malformed, named
        self.unlisted = ""  # why the last ``definitions`` are not all that it has, in words

    @property
    def title(self) -> str:
        """What the server calls itself."""
        info = self._client.server_info
        return one_line(f"{info.name} {info.version}", 80) if info else "a server without a name"

    @property
    def instructions(self) -> str:
        """The server's words on how to use it; raw."""
        return self._client.instructions or ""

    async def definitions(self) -> list[Definition]:
        """Return the tools offered now; those that violate the protocol have a problem. Raises ``LostError``."""
        found: dict[str, Definition] = {}
        malformed = self._malformed[TOOLS]
        malformed.clear()
        cursor: str | None = None
        more = False
        with _listing("tools"):
            for _ in range(_PAGES):
                page = await self._client.session.list_tools(params=PaginatedRequestParams(cursor=cursor))
                room = _TOOLS - len(found)
                for tool in page.tools[:room]:
                    found[tool.name] = Definition(self._server, tool.name, tool.description or "", tool.input_schema)
                cursor = page.next_cursor
                more = bool(cursor) or len(page.tools) > room
                if not cursor or len(page.tools) > room:
                    break
        self.unlisted = f"it lists more than the {len(found)} tools that were looked at" if more else ""
        bad = [Definition(self._server, name, "", {}, malformed=why) for name, why in malformed.items()]
        return [*found.values(), *(each for each in bad if each.name not in found)]

    async def resources(self) -> tuple[list[Listed], bool, int]:
        """Return the resources listed now, whether there are more, and how many violate the protocol.

        Raises ``LostError``.
        """
        found: list[Listed] = []
        malformed = self._malformed[RESOURCES]
        malformed.clear()
        cursor: str | None = None
        more = False
        with _listing("resources"):
            for _ in range(_PAGES):
                page = await self._client.session.list_resources(params=PaginatedRequestParams(cursor=cursor))
                room = _ENTRIES - len(found)
                for each in page.resources[:room]:
                    size = "" if each.size is None else f"{each.size} bytes"
                    about = [words for words in (each.mime_type, size, each.description) if words]
                    found.append(Listed(each.uri, each.name, about))
                cursor = page.next_cursor
                more = bool(cursor) or len(page.resources) > room
                if not cursor or len(page.resources) > room:
                    break
        self._named.add(each.uri for each in found)
        return found, more, len(malformed)

    async def call(self, name: str, arguments: Json, report: Report) -> str:
        """Carry out one call, and return the text of its result. Cancelling it cancels the call at the server.

        Raises ``CallError``.
        """

        def request(answers: InputResponses | None, state: str | None) -> CallToolRequest:
            return CallToolRequest(
                params=CallToolRequestParams(
                    name=name, arguments=arguments, input_responses=answers, request_state=state
                )
            )

        # Not `call_tool`: that runs the server's own patterns over its results, and fails a call that has succeeded.
        result = await self._answered(request, _CALLED, report)
        self._named.add(resources_in(result.content))
        text = as_text(result)
        if result.is_error:
            raise ReportedError(text or "it failed without words")
        return text

    async def read(self, uri: str, report: Report) -> str:
        """Return the text of one resource. Cancelling it cancels the reading at the server. Raises ``CallError``."""

        def request(answers: InputResponses | None, state: str | None) -> ReadResourceRequest:
            return ReadResourceRequest(
                params=ReadResourceRequestParams(uri=uri, input_responses=answers, request_state=state)
            )

        return resource_as_text(await self._answered(request, _READ, report))

    async def _answered(
        self,
        request: Callable[[InputResponses | None, str | None], CallToolRequest | ReadResourceRequest],
        kind: TypeAdapter[_R | InputRequiredResult],
        report: Report,
    ) -> _R:
        """Return the server's final answer, after answering all that it asks meanwhile."""
        answers: InputResponses | None = None
        state: str | None = None
        for _ in range(_ROUNDS):
            result = await self._send(request(answers, state), kind, report, again=answers is not None)
            if not isinstance(result, InputRequiredResult):
                return result
            answers, state = await self._answers(result), result.request_state
        raise LostError(f"it asked more than {_ROUNDS} times")

    async def _send(
        self,
        request: CallToolRequest | ReadResourceRequest,
        kind: TypeAdapter[_R | InputRequiredResult],
        report: Report,
        *,
        again: bool,
    ) -> _R | InputRequiredResult:
        async def progressed(progress: float, total: float | None, message: str | None) -> None:
            share = f"{progress:g} of {total:g}" if total else f"{progress:g}"
            report(f"{share} · {message}" if message else share)

        try:
            return await self._client.session.send_request(request, kind, progress_callback=progressed)
        except MCPError as error:
            words = one_line(error.message, 500)
            if error.code == NOT_SENT and not again:
                raise NotSentError(words) from error
            if error.code in _REFUSED:
                raise ReportedError(words) from error
            raise LostError(words) from error
        except (ValidationError, ValueError, RuntimeError) as error:
            raise LostError(f"its answer can't be read ({type(error).__name__})") from error

    async def _answers(self, result: InputRequiredResult) -> InputResponses | None:
        """Return the answers to the server's questions in ``result``."""
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


@contextlib.contextmanager
def _listing(what: str) -> Iterator[None]:
    """Translate errors while a server's list is read; a missing list is read as if it were empty."""
    try:
        yield
    except MCPError as error:
        if error.code != METHOD_NOT_FOUND:
            raise LostError(one_line(error.message)) from error
    except ValidationError as error:
        raise LostError(f"its list of {what} is not of the protocol") from error


_CALLED: Final[TypeAdapter[CallToolResult | InputRequiredResult]] = TypeAdapter(CallToolResult | InputRequiredResult)
_READ: Final[TypeAdapter[ReadResourceResult | InputRequiredResult]] = TypeAdapter(
    ReadResourceResult | InputRequiredResult
)


@asynccontextmanager
async def connect(
    name: str,
    server: McpServer,
    secrets: Secrets,
    log: Path,
    ask: Ask,
    changed: Callable[[], None],
    closed: Callable[[], None],
    named: Named | None = None,
) -> AsyncIterator[Connection]:
    """Open a session.

    ``changed`` is called when the server says that its tools have changed, ``closed`` when it closes. ``named``
    receives the resources that it names.

    Raises ``ConfigError`` for a secret without a value, ``OSError`` if the program can't be started, and what the SDK
    raises. Enter and leave it in one task.
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

    malformed: Malformed = {kind: {} for kind in LISTS}

    def dropped(kind: str, entry: str, why: str) -> None:
        malformed[kind][entry] = why

    client = Client(
        Watched(http(server, secrets) if server.url else stdio(server, secrets, log), closed, dropped),
        elicitation_callback=elicited,
        message_handler=told,
        client_info=Implementation(name="pepper", version=pepper_tui.__version__),
        cache=None,
    )
    async with client:
        listening = asyncio.create_task(_listen(client, changed), name=f"mcp {name}: changes")
        try:
            yield Connection(name, client, malformed, Named() if named is None else named)
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)


async def _listen(client: Client, changed: Callable[[], None]) -> None:
    """Listen for changes in the newer protocol's way; without it, or once it ends, polling must do."""
    if client.protocol_version in MODERN_PROTOCOL_VERSIONS:
        with contextlib.suppress(MCPError, RuntimeError, TimeoutError):
            async with client.listen(tools_list_changed=True) as events:
                async for _ in events:
                    changed()
