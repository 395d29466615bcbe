"""Any OpenAI-compatible endpoint, streamed through the ``openai`` SDK.

A response counts only when it is complete and valid: it ended with a finish reason, its calls hold JSON objects, and
there is something in it. All else is a ``ModelError`` whose words name the way out and never the key. Nothing is
retried here but a request in another dialect: some servers know no ``stream_options``, others only one of the two
names of the token limit.
"""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from types import ModuleType
from typing import Any, Final

from pepper_tui.clock import Clock
from pepper_tui.llm.client import estimate_prompt, estimate_tokens, usage_so_far
from pepper_tui.model import (
    Completed,
    Json,
    ModelError,
    ModelEvent,
    ModelRequest,
    RequestedCall,
    TextDelta,
    ToolSpec,
    Usage,
)
from pepper_tui.text import one_line

OPENAI_URL: Final = "https://api.openai.com/v1"
_CHARACTERS_A_TOKEN: Final = 12  # more than this for each allowed token is a server that ignores the limit
_MAX_CALLS: Final = 128
_RETRY_AFTER_CAP: Final = 3600.0


@dataclass(slots=True)
class _Call:
    """A tool call while its pieces come in."""

    id: str = ""
    name: str = ""
    arguments: list[str] = field(default_factory=list)


class _Response:
    """What has come of one response so far."""

    def __init__(self, max_tokens: int) -> None:
        self.text: list[str] = []
        self.calls: dict[int, _Call] = {}
        self.finish = ""
        self.usage: Any = None
        self.begun = False
        self._size = self._pieces = 0
        self._size_limit = max_tokens * _CHARACTERS_A_TOKEN + 2000
        self._piece_limit = max_tokens * 4 + 200
        self._last_index = -1

    def take(self, chunk: Any) -> str:
        """Add ``chunk``; returns its text. Raises ``ModelError("endless")``."""
        self.usage = getattr(chunk, "usage", None) or self.usage
        piece = ""
        for choice in (getattr(chunk, "choices", None) or [])[:1]:
            self.finish = getattr(choice, "finish_reason", None) or self.finish
            delta = getattr(choice, "delta", None)
            if delta is None:
                continue
            content = getattr(delta, "content", None)
            piece += content if isinstance(content, str) else ""
            for name in ("reasoning_content", "reasoning", "thinking"):  # not ours to show, but it counts
                thought = getattr(delta, name, None)
                self._size += len(thought) if isinstance(thought, str) else 0
                self.begun = self.begun or bool(thought)
            for part in getattr(delta, "tool_calls", None) or []:
                self._take_call(part)
            refusal = getattr(delta, "refusal", None)
            piece += refusal if isinstance(refusal, str) else ""
        if piece:
            self.text.append(piece)
        self.begun = self.begun or bool(piece or self.calls or self.finish)
        self._size += len(piece)
        self._pieces += 1
        if self._size > self._size_limit or self._pieces > self._piece_limit or len(self.calls) > _MAX_CALLS:
            raise ModelError(
                "endless",
                "The model did not come to an end; its answer was cut off. If this goes on, choose another model "
                "or raise models.max_tokens.",
                retryable=True,
            )
        return piece

    def _take_call(self, part: Any) -> None:
        index = getattr(part, "index", None)
        function = getattr(part, "function", None)
        given = getattr(part, "id", None) or ""
        if not isinstance(index, int):
            # Some servers send whole calls without an index: a new id or name begins the next one.
            starts = bool(given) or bool(getattr(function, "name", None))
            index = self._last_index + 1 if starts or self._last_index < 0 else self._last_index
        elif index in self.calls and given and self.calls[index].id and given != self.calls[index].id:
            index = max(self.calls) + 1  # every call under index 0, told apart only by id
        elif index in self.calls and not given and index < self._last_index:
            index = self._last_index
        self._last_index = index
        call = self.calls.setdefault(index, _Call())
        call.id = call.id or given
        name = getattr(function, "name", None) or ""
        if name and name != call.name:
            call.name += name
        arguments = getattr(function, "arguments", None)
        if isinstance(arguments, dict):
            arguments = json.dumps(arguments)
        if isinstance(arguments, str):
            call.arguments.append(arguments)
            self._size += len(arguments)

    @property
    def completion_estimate(self) -> int:
        return math.ceil(self._size / 4) if self._size else 0


class OpenAIClient:
    """One model at one endpoint. The SDK is imported on first use, in a thread; ``warm`` does so ahead of need."""

    def __init__(
        self,
        clock: Clock,
        *,
        model: str,
        base_url: str = "",
        api_key: str = "",
        first_token_timeout: float = 30.0,
        timeout: float = 120.0,
    ) -> None:
        self.model = model
        self._clock = clock
        self._base_url = base_url or OPENAI_URL
        self._key = api_key
        self._first, self._total = first_token_timeout, timeout
        self._client: Any = None
        self._sdk: Any = None
        self._opening = asyncio.Lock()
        self._stream_options = True
        self._limit_name = "max_completion_tokens" if self._base_url.startswith(OPENAI_URL) else "max_tokens"

    def __repr__(self) -> str:
        return f"OpenAIClient({self.model!r}, {self._base_url!r})"

    async def warm(self) -> None:
        """Import the SDK and open the client, off the event loop."""
        async with self._opening:
            if self._client is None:
                self._sdk, self._client = await asyncio.to_thread(self._open)

    async def close(self) -> None:
        """Close the connections that are kept for the next call."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    def _open(self) -> tuple[ModuleType, Any]:
        import openai

        # Local servers want no key, but the SDK insists on one.
        key = self._key or "none"
        client = openai.AsyncOpenAI(api_key=key, base_url=self._base_url, max_retries=0, timeout=self._total)
        return openai, client

    async def stream(self, request: ModelRequest) -> AsyncIterator[ModelEvent]:
        """See ``ModelClient``. The ``usage`` of what it yields and raises has no cost yet."""
        await self.warm()
        loop = asyncio.get_running_loop()
        began = loop.time()
        first, last = began + min(self._first, self._total), began + self._total
        response = _Response(request.max_tokens)
        http: Any = None
        try:
            async with asyncio.timeout_at(first):
                http = await self._request(request)
            chunks = aiter(http)
            while True:
                async with asyncio.timeout_at(last if response.begun else first):
                    chunk = await anext(chunks, None)
                if chunk is None:
                    break
                piece = response.take(chunk)
                if piece:
                    yield TextDelta(piece)
            yield self._complete(request, response)
        except ModelError as error:
            error.usage = error.usage or self._usage(request, response)
            raise
        except Exception as error:
            raise self._trouble(error, request, response, opened=http is not None) from None
        finally:
            if http is not None:
                await http.close()

    async def _request(self, request: ModelRequest) -> Any:
        """Open the stream, in the dialect that this server takes."""
        for _ in range(3):
            try:
                return await self._client.chat.completions.create(**self._body(request))
            except self._sdk.APIStatusError as error:
                if error.status_code not in (400, 404, 422) or not self._changes_dialect(str(error)):
                    raise
        return await self._client.chat.completions.create(**self._body(request))

    def _changes_dialect(self, message: str) -> bool:
        if self._stream_options and ("stream_options" in message or "include_usage" in message):
            self._stream_options = False
            return True
        if self._limit_name in message:
            other = {"max_tokens": "max_completion_tokens", "max_completion_tokens": "max_tokens"}[self._limit_name]
            self._limit_name = other
            return True
        return False

    def _body(self, request: ModelRequest) -> Json:
        body: Json = {
            "model": request.model or self.model,
            "messages": list(request.messages),
            "stream": True,
            self._limit_name: request.max_tokens,
        }
        if self._stream_options:
            body["stream_options"] = {"include_usage": True}
        if request.tools:
            # Not by the argument `tools`: the SDK walks it key by key, type by type, which takes milliseconds a call.
            body["extra_body"] = {"tools": [self._described(tool) for tool in request.tools]}
        return body

    @staticmethod
    def _described(tool: ToolSpec) -> Json:
        function = {"name": tool.name, "description": tool.description, "parameters": tool.parameters}
        return {"type": "function", "function": function}

    def _complete(self, request: ModelRequest, response: _Response) -> Completed:
        """The response as a whole, or a ``ModelError`` where it is not complete and valid."""
        text = "".join(response.text)
        if not response.finish:
            raise ModelError("cut", "The model's answer broke off.", retryable=True)
        if response.finish == "content_filter":
            raise ModelError("bad_response", "The provider's content filter stopped the answer.", retryable=False)
        if response.finish == "length" and response.calls:
            raise ModelError(
                "cut", "The model reached models.max_tokens within a tool call; raise it in the config.", retryable=True
            )
        calls = self._calls(response)
        if not calls and not text.strip():
            way = " It used up models.max_tokens; raise it in the config." if response.finish == "length" else ""
            raise ModelError("empty", f"The model answered nothing.{way}", retryable=True)
        return Completed(text, calls, self._usage(request, response))

    def _calls(self, response: _Response) -> tuple[RequestedCall, ...]:
        calls: list[RequestedCall] = []
        taken: set[str] = set()
        for index in sorted(response.calls):
            call = response.calls[index]
            if not call.name:
                raise ModelError("bad_response", "The model called a tool without naming it.", retryable=True)
            raw = "".join(call.arguments).strip() or "{}"
            try:
                arguments = json.loads(raw)
            except (ValueError, RecursionError):
                arguments = None
            if not isinstance(arguments, dict):
                name = one_line(self._without_key(call.name), 64)
                raise ModelError(
                    "bad_response",
                    f"The model called the tool {name} with arguments that are not a JSON object.",
                    retryable=True,
                )
            identity = call.id
            while not identity or identity in taken:
                identity = self._clock.new_id("call")
            taken.add(identity)
            calls.append(RequestedCall(identity, call.name, arguments))
        return tuple(calls)

    def _usage(self, request: ModelRequest, response: _Response) -> Usage:
        """The provider's own count, or an estimate where it gave none."""

        def count(source: Any, name: str) -> int | None:
            value = getattr(source, name, None)
            return value if isinstance(value, int) and value >= 0 else None

        told = response.usage
        prompt, completion = count(told, "prompt_tokens"), count(told, "completion_tokens")
        cached = count(getattr(told, "prompt_tokens_details", None), "cached_tokens") or 0
        if prompt is None or prompt == 0:
            prompt = estimate_prompt(request.messages, request.tools)
        if completion is None or (completion == 0 and response.text):
            completion = max(response.completion_estimate, estimate_tokens("".join(response.text)))
        return Usage(
            model=request.model or self.model,
            role=request.role,
            prompt_tokens=prompt,
            cached_tokens=min(cached, prompt),
            completion_tokens=completion,
            cost=0.0,
            created_at=request.now,
        )

    def _without_key(self, words: str) -> str:
        return words.replace(self._key, "[key]") if self._key else words

    def _said(self, error: Exception) -> str:
        """What the server said, short, in one safe line, without the key."""
        body = getattr(error, "body", None)
        said = body.get("message") if isinstance(body, dict) else None
        if not isinstance(said, str) or not said:
            said = str(getattr(error, "message", "") or error)
        return one_line(self._without_key(said), 200).rstrip(".")

    def _trouble(self, error: Exception, request: ModelRequest, response: _Response, *, opened: bool) -> ModelError:
        sdk, where = self._sdk, one_line(self._base_url, 120)
        usage = self._usage(request, response)
        if isinstance(error, TimeoutError | sdk.APITimeoutError):
            seconds = self._total if response.begun else min(self._first, self._total)
            what = "did not finish" if response.begun else "gave no answer"
            return ModelError(
                "timeout",
                f"The model {self.model} {what} within {seconds:g} seconds.",
                retryable=True,
                usage=usage if opened or response.begun else usage_so_far(request, request.model or self.model),
            )
        if isinstance(error, sdk.APIStatusError):
            return self._refused(error)
        if isinstance(error, sdk.APIConnectionError) and not opened:
            return ModelError(
                "unreachable",
                f"No model server answers at {where}. Start it, or correct models.base_url; check the network.",
                retryable=True,
            )
        if isinstance(error, sdk.APIConnectionError) or type(error).__module__.partition(".")[0] in (
            "httpx",
            "httpx2",
            "httpcore",
            "httpcore2",
            "ssl",
        ):
            return ModelError("cut", "The connection to the model broke off.", retryable=True, usage=usage)
        if isinstance(error, sdk.APIError):  # an error event within the stream
            return ModelError("server", f"The model server failed: {self._said(error)}.", retryable=True, usage=usage)
        said = self._said(error)
        return ModelError(
            "bad_response", f"The model server sent what can't be read: {said}.", retryable=True, usage=usage
        )

    def _refused(self, error: Any) -> ModelError:
        status, said = error.status_code, self._said(error)
        if status in (401, 403):
            return ModelError(
                "auth",
                f"The model server refused the key (HTTP {status}). Set a valid one where models.api_key points, "
                "e.g. the environment variable OPENAI_API_KEY, and start again.",
                retryable=False,
            )
        if status == 429:
            code = getattr(error, "code", None)
            if code == "insufficient_quota":
                words = f"The model account's quota is used up: {said}. Add credit, or choose another model."
                return ModelError("rate_limited", words, retryable=False)
            after = self._retry_after(error)
            wait = f" It asks to wait {after:g} seconds." if after else ""
            return ModelError(
                "rate_limited", f"The model server is limiting calls.{wait}", retryable=True, retry_after=after
            )
        if status in (408, 409) or status >= 500:
            return ModelError(
                "server",
                f"The model server failed (HTTP {status}): {said}.",
                retryable=True,
                retry_after=self._retry_after(error),
            )
        way = f" Check models.name ({self.model}) and models.base_url." if status in (400, 404, 422) else ""
        return ModelError(
            "bad_response", f"The model server refused the request (HTTP {status}): {said}.{way}", retryable=False
        )

    def _retry_after(self, error: Any) -> float | None:
        """Seconds that the server asks to wait, from ``retry-after-ms`` or ``retry-after`` (seconds or a date)."""
        headers = error.response.headers
        try:
            if headers.get("retry-after-ms"):
                seconds = float(headers["retry-after-ms"]) / 1000
            else:
                seconds = float(headers["retry-after"])
        except KeyError:
            return None
        except ValueError:
            try:
                seconds = parsedate_to_datetime(headers["retry-after"]).timestamp() - self._clock.now()
            except (KeyError, TypeError, ValueError):
                return None
        if not math.isfinite(seconds):
            return None
        return min(max(0.0, seconds), _RETRY_AFTER_CAP)
