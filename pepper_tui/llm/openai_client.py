"""Any OpenAI-compatible endpoint, streamed through the ``openai`` SDK.

Nothing is retried here but a request that the server did not understand, in other words (``dialect``). How chunks
become a response is in ``streamed``, what errors mean in ``faults``.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from types import ModuleType
from typing import Any, Final

from pepper_tui.bounded_http import UNPACKED, http_client
from pepper_tui.clock import Clock
from pepper_tui.config import ConfigError
from pepper_tui.llm.client import usage_so_far
from pepper_tui.llm.dialect import Dialect
from pepper_tui.llm.faults import Faults
from pepper_tui.llm.streamed import Streamed
from pepper_tui.model import ModelError, ModelEvent, ModelRequest, TextDelta

OPENAI_URL: Final = "https://api.openai.com/v1"
NO_KEY: Final = "none"  # local servers want no key, but the SDK insists on one
_LESSONS: Final = 6  # refusals that one request may learn from


class OpenAIClient:
    """One endpoint with one model by default. The SDK is imported on first use, in a thread; ``warm`` does so ahead of
    need."""

    def __init__(
        self,
        clock: Clock,
        *,
        model: str,
        base_url: str = "",
        api_key: str | Callable[[], str] = "",
        first_token_timeout: float = 30.0,
        timeout: float = 120.0,
    ) -> None:
        self.model = model
        self._clock = clock
        self._base_url = base_url or OPENAI_URL
        self._read_key = api_key if callable(api_key) else lambda: api_key
        self._key = ""
        self._first, self._total = first_token_timeout, timeout
        self._client: Any = None
        self._sdk: Any = None
        self._opening = asyncio.Lock()
        self._dialects: dict[str, Dialect] = {}

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

        client = openai.AsyncOpenAI(
            api_key=NO_KEY, base_url=self._base_url, max_retries=0, timeout=self._total,
            default_headers=UNPACKED, http_client=http_client(openai, timeout=self._total),
        )  # fmt: skip
        return openai, client

    async def stream(self, request: ModelRequest) -> AsyncIterator[ModelEvent]:
        """See ``ModelClient``. The ``usage`` of what it yields and raises has no cost yet."""
        await self.warm()
        await self._take_key()
        loop = asyncio.get_running_loop()
        began = loop.time()
        first, last = began + min(self._first, self._total), began + self._total
        response = Streamed(request.max_tokens)
        model = request.model or self.model
        http: Any = None
        try:
            async with asyncio.timeout_at(first):
                http = await self._request(request, model)
            chunks = aiter(http)
            while True:
                async with asyncio.timeout_at(last if response.begun else first):
                    chunk = await anext(chunks, None)
                if chunk is None:
                    break
                if piece := response.take(chunk):
                    yield TextDelta(piece)
            if piece := response.rest():
                yield TextDelta(piece)
            yield response.complete(request, model, self._clock.new_id)
        except ModelError as error:
            error.words = self._faults.without_key(error.words)
            error.args = (error.words,)
            error.usage = error.usage or response.count(request, model)
            raise
        except Exception as error:
            raise self._trouble(error, request, response, model, opened=http is not None) from None
        finally:
            if http is not None:
                await http.close()

    async def _take_key(self) -> None:
        """Read the key, which may have been changed since the last call."""
        try:
            self._key = await asyncio.to_thread(self._read_key)
        except ConfigError as error:
            raise ModelError(
                "auth", f"The key of the model can't be used: {error.problems[0]}.", retryable=False
            ) from None
        self._client.api_key = self._key or NO_KEY

    async def _request(self, request: ModelRequest, model: str) -> Any:
        """Open the stream, in the dialect that this server takes."""
        dialect = self._dialects.get(model)
        if dialect is None:
            dialect = self._dialects[model] = Dialect(of_openai=self._base_url.startswith(OPENAI_URL))
        for _ in range(_LESSONS):
            try:
                return await self._client.chat.completions.create(**dialect.body(request, model))
            except self._sdk.APIStatusError as error:
                if error.status_code not in (400, 404, 422) or not dialect.learn(f"{error} {error.body}"):
                    raise
        return await self._client.chat.completions.create(**dialect.body(request, model))

    @property
    def _faults(self) -> Faults:
        return Faults(self._sdk, self._base_url, self._key)

    def _trouble(
        self, error: Exception, request: ModelRequest, response: Streamed, model: str, *, opened: bool
    ) -> ModelError:
        usage = response.count(request, model)
        if isinstance(error, TimeoutError | self._sdk.APITimeoutError):
            seconds = self._total if response.begun else min(self._first, self._total)
            what = "did not finish" if response.begun else "gave no answer"
            return ModelError(
                "timeout",
                f"The model {model} {what} within {seconds:g} seconds.",
                retryable=True,
                usage=usage if opened or response.begun else usage_so_far(request, model),
            )
        return self._faults.read(error, model, self._clock.now(), usage, opened=opened)
