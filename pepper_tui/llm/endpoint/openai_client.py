"""Streams from any OpenAI-compatible endpoint through the ``openai`` SDK.

Nothing is retried here except a request that the server did not understand, rephrased (``dialect``). ``streamed`` turns
chunks into a response, ``faults`` interprets errors. A call's total time is not bounded, its silence is: any byte is a
sign of life, even a comment. Its bytes are bounded instead.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Callable
from datetime import tzinfo
from types import ModuleType
from typing import Any, Final

from pepper_tui.boundary.bounded_http import UNPACKED, http_client
from pepper_tui.clock import Clock
from pepper_tui.config import ConfigError
from pepper_tui.config.secret.in_clear import is_near
from pepper_tui.llm.client import usage_so_far
from pepper_tui.llm.endpoint.byte_stream import completion_in, hear, json_in, whole_body
from pepper_tui.llm.endpoint.dialect import Dialect, Wishes
from pepper_tui.llm.endpoint.streamed import Streamed
from pepper_tui.llm.faults import Faults
from pepper_tui.model import ModelError, ModelEvent, ModelRequest, TextDelta

OPENAI_URL: Final = "https://api.openai.com/v1"
NO_KEY: Final = "none"  # local servers need no key, but the SDK insists on one
IDLE: Final = 120.0  # seconds of silence that end a call
LOADING: Final = 600.0  # seconds until the first byte of a local server, which may have to load its model
_LESSONS: Final = 8  # refusals that one request may learn from
_BYTES: Final = (8_000_000, 1000)  # limit for a response: a minimum, plus this for each token
_MARGIN: Final = 64  # tokens between a server's count and what its template may add


class OpenAIClient:
    """One endpoint with one default model.

    The SDK is imported on first use, in a thread; ``warm`` does so ahead of need.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        model: str,
        base_url: str = "",
        api_key: str | Callable[[], str] = "",
        idle_timeout: float = IDLE,
        first_byte_timeout: float | None = None,
        wishes: Callable[[], Wishes] = Wishes,
        zone: tzinfo | None = None,
    ) -> None:
        """Set up the client; nothing is opened yet.

        ``first_byte_timeout``: ``None`` for the idle timeout, or for a local server the time to load a model.
        ``wishes`` is called once, off the loop; ``zone`` is used for times in messages.
        """
        self.model = model
        self._clock = clock
        self._base_url = base_url or OPENAI_URL
        self._read_key = api_key if callable(api_key) else lambda: api_key
        self._key = ""
        self._idle = idle_timeout
        near = base_url and is_near(base_url)
        self._first = first_byte_timeout or (max(LOADING, idle_timeout) if near else idle_timeout)
        self._read_wishes, self._wishes, self._zone = wishes, Wishes(), zone
        self._client: Any = None
        self._sdk: Any = None
        self._opening = asyncio.Lock()
        self._dialects: dict[str, Dialect] = {}

    @property
    def key(self) -> str:
        """The key of the last call."""
        return self._key

    def __repr__(self) -> str:
        return f"OpenAIClient({self.model!r}, {self._base_url!r})"

    async def warm(self) -> None:
        """Import the SDK and open the client, off the event loop."""
        async with self._opening:
            if self._client is None:
                self._sdk, client = await asyncio.to_thread(self._open)
                try:
                    self._wishes = await asyncio.to_thread(self._read_wishes)
                except ConfigError as error:
                    words = f"A header of the model can't be used: {error.problems[0]}."
                    raise ModelError("auth", words, retryable=False) from None
                self._client = client

    async def close(self) -> None:
        """Close the connections that are kept for the next call."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    def _open(self) -> tuple[ModuleType, Any]:
        import openai

        patience = max(self._first, self._idle) + 60.0
        client = openai.AsyncOpenAI(
            # its own timeout is a second net: it does not see all that ours sees
            api_key=NO_KEY, base_url=self._base_url, max_retries=0, timeout=patience,
            default_headers=UNPACKED, http_client=http_client(openai, timeout=patience),
        )  # fmt: skip
        return openai, client

    async def stream(self, request: ModelRequest) -> AsyncIterator[ModelEvent]:
        """Stream a response: see ``ModelClient``. The ``usage`` in its results and errors has no cost yet."""
        await self.warm()
        await self._take_key()
        model = request.model or self.model
        dialect = self._dialect(model)
        response = Streamed(dialect.limit(request), calls_in_text=bool(request.tools))
        silence = _Silence(self._first, self._idle, _BYTES[0] + _BYTES[1] * request.max_tokens)
        http: Any = None
        try:
            async with silence.limit():
                http = await self._request(request, model, dialect)
            response.max_tokens = dialect.limit(request)
            heard = hear(http.response, silence.heard) if getattr(http, "response", None) is not None else None
            async with silence.limit():
                whole = heard is not None and await heard.is_whole()
            if whole:
                async with silence.limit():
                    completion = await self._whole(http.response, request, response, model)
                if piece := response.take(completion):
                    yield TextDelta(piece)
            else:
                chunks = aiter(http)
                while True:
                    async with silence.limit():
                        chunk = await anext(chunks, None)
                    if chunk is None:
                        break
                    silence.waited()
                    if piece := response.take(chunk):
                        yield TextDelta(piece)
            response.ended = whole or (heard is not None and heard.ended)
            completed = response.complete(request, model, self._clock.new_id)
            if piece := response.rest(completed.text):
                yield TextDelta(piece)
            yield dataclasses.replace(completed, left_out=self._left_out(dialect, request))
        except ModelError as error:
            error.words = self._faults.without_key(error.words)
            error.args = (error.words,)
            error.usage = error.usage or response.count(request, model)
            raise
        except Exception as error:
            raise self._trouble(error, request, response, model, silence, opened=http is not None) from None
        finally:
            if http is not None:
                await http.close()

    async def _whole(self, http: Any, request: ModelRequest, response: Streamed, model: str) -> Any:
        """Return the completion that came in one piece. Raises ``ModelError`` for anything else instead of a stream."""
        body = await whole_body(http)
        completion = completion_in(body, self._sdk)
        if completion is None:
            usage = response.count(request, model)
            raise self._faults.of_body(200, json_in(body), model, self._clock.now(), usage)
        return completion

    @staticmethod
    def _left_out(dialect: Dialect, request: ModelRequest) -> str:
        """Say which tools of ``request`` the server refuses."""
        names = [tool.name for tool in request.tools if tool.name in dialect.left_out]
        if not names:
            return ""
        return (
            f"the model's server refuses the tool {', '.join(names)}, which is left out: {dialect.left_out[names[0]]}"
        )

    async def _take_key(self) -> None:
        """Read the key, which may have changed since the last call."""
        try:
            self._key = await asyncio.to_thread(self._read_key)
        except ConfigError as error:
            raise ModelError(
                "auth", f"The key of the model can't be used: {error.problems[0]}.", retryable=False
            ) from None
        self._client.api_key = self._key or NO_KEY

    def _dialect(self, model: str) -> Dialect:
        if model not in self._dialects:
            of_openai = self._base_url.startswith(OPENAI_URL)
            self._dialects[model] = Dialect(of_openai=of_openai, wishes=self._wishes)
        return self._dialects[model]

    async def _request(self, request: ModelRequest, model: str, dialect: Dialect) -> Any:
        """Open the stream, in the dialect that this server accepts."""
        for _ in range(_LESSONS):
            try:
                return await self._client.chat.completions.create(**dialect.body(request, model))
            except self._sdk.APIStatusError as error:
                if error.status_code not in (400, 404, 413, 422, 500) or not self._learn(error, request, model):
                    raise
        return await self._client.chat.completions.create(**dialect.body(request, model))

    def _learn(self, error: Any, request: ModelRequest, model: str) -> bool:
        """Check whether a refusal says how to ask differently."""
        dialect = self._dialects[model]
        usage = usage_so_far(request, model)
        told = self._faults.read(error, model, self._clock.now(), usage, opened=False)
        if told.kind == "too_long":  # perhaps only together with the tokens reserved for the answer
            room = told.window - told.measured - _MARGIN
            return bool(told.window and told.measured) and dialect.shrink(room, request)
        return dialect.learn(f"{error} {error.body}", request)

    @property
    def _faults(self) -> Faults:
        return Faults(self._sdk, self._base_url, self._key, *self._wishes.headers.values(), zone=self._zone)

    def _trouble(
        self,
        error: Exception,
        request: ModelRequest,
        response: Streamed,
        model: str,
        silence: _Silence,
        *,
        opened: bool,
    ) -> ModelError:
        usage = response.count(request, model)
        if isinstance(error, TimeoutError | self._sdk.APITimeoutError):
            what = "fell silent in its answer for" if response.begun else "gave no answer within"
            return ModelError(
                "timeout",
                f"The model {model} {what} {silence.seconds:g} seconds.",
                retryable=True,
                usage=usage if opened or response.begun else usage_so_far(request, model),
            )
        return self._faults.read(error, model, self._clock.now(), usage, opened=opened)


class _Silence:
    """Limits on silence while waiting, and on the size of a response.

    ``first``: seconds until the first byte; ``idle``: seconds after each further one; ``most``: bytes in all.
    """

    def __init__(self, first: float, idle: float, most: int) -> None:
        self.seconds, self._idle, self._most = first, idle, most
        self._limit: asyncio.Timeout | None = None

    def limit(self) -> asyncio.Timeout:
        """Return a limit for one wait: its block raises ``TimeoutError`` after too long a silence."""
        self._limit = asyncio.timeout(self.seconds)
        return self._limit

    def waited(self) -> None:
        """Note that a wait has ended with a result."""
        self._limit, self.seconds = None, self._idle

    def heard(self, size: int) -> None:
        """Note that bytes arrived during a wait."""
        self.seconds = self._idle
        self._most -= size
        if self._most < 0:
            raise ModelError(
                "endless", "The model's server never stopped sending; its answer was cut off.", retryable=True
            )
        if self._limit is not None:
            self._limit.reschedule(asyncio.get_running_loop().time() + self._idle)
