"""Embeddings from any OpenAI-compatible endpoint, through the ``openai`` SDK and within the budget.

Embedded texts leave this machine, so an endpoint is used only if the config names its model. Background embedding stops
once more than half of the day's budget is spent or held: the rest is for the user's own requests.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from pydantic_core import from_json

from pepper_tui import config
from pepper_tui.boundary.bounded_http import UNPACKED, http_client, too_large
from pepper_tui.clock import Clock
from pepper_tui.config.secret.in_clear import told_url
from pepper_tui.llm.budget import Budget, cost_of
from pepper_tui.llm.client import estimate_tokens
from pepper_tui.llm.endpoint.openai_client import NO_KEY, OPENAI_URL
from pepper_tui.model import ModelError, Usage
from pepper_tui.store import EmbeddingError
from pepper_tui.text import one_line

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ROLE: Final = "embedding"
_SHARE: Final = 0.5  # of the day's budget, after which background embedding stops
_LATER: Final = 3600.0  # seconds until the budget is checked again
_REMEDY: Final = "check models.embedding in the config, and that the server runs: pepper doctor"


class EndpointEmbedder:
    """One embedding model at one endpoint."""

    local = False
    loaded = True

    def __init__(
        self,
        clock: Clock,
        settings: config.EmbeddingModel,
        budget: Budget,
        *,
        base_url: str,
        api_key: str | Callable[[], str],
        price: config.Price | None,
        limits: config.Budget,
        timeout: float = 60.0,
    ) -> None:
        self._clock, self._settings, self._budget = clock, settings, budget
        self._base_url, self._key, self._price, self._limits = base_url or OPENAI_URL, "", price, limits
        self._read_key = api_key if callable(api_key) else lambda: api_key
        self._timeout = timeout
        self._sdk: Any = None
        self._client: Any = None
        self._opening = asyncio.Lock()

    @property
    def id(self) -> str:
        dimensions = f" {self._settings.dimensions}" if self._settings.dimensions else ""
        return f"{self._settings.name}{dimensions} at {told_url(self._base_url)}"

    @property
    def floor(self) -> float:
        return self._settings.floor

    @property
    def batch(self) -> int:
        return self._settings.batch

    async def open(self) -> None:
        async with self._opening:
            if self._client is None:
                self._sdk, self._client = await asyncio.to_thread(self._open)

    def _open(self) -> tuple[Any, Any]:
        try:
            import numpy  # noqa: F401 - here, off the loop, instead of at the first vector
        except ImportError as error:
            raise EmbeddingError("not installed: numpy", "pip install 'pepper-tui[meaning]'") from error
        import openai

        return openai, openai.AsyncOpenAI(
            api_key=NO_KEY, base_url=self._base_url, max_retries=0, timeout=self._timeout,
            default_headers=UNPACKED, http_client=http_client(openai, timeout=self._timeout),
        )  # fmt: skip

    async def release(self) -> None:
        return  # nothing to release but a connection

    async def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    async def embed(self, texts: Sequence[str], *, waits: bool) -> NDArray[np.float32]:
        await self.open()
        await self._take_key()
        try:
            if not waits:
                await self._leave_room()
            worst = sum(len(text.encode("utf-8", "replace")) + 1 for text in texts)
            held = await self._budget.reserve(
                model=self._settings.name,
                role=ROLE,
                prompt_tokens=worst,
                max_tokens=0,
                price=self._price,
                reserve="chat" if waits else "background",
            )
        except ModelError as error:
            raise EmbeddingError(error.words, "raise the budget, or wait", retry_after=_LATER) from None
        used: Usage | None = None
        try:
            used = self._usage(texts)  # if it is cut off, what was sent is still paid for
            # raw: the SDK would create an object for every number, blocking the loop for a second
            raw = await self._client.embeddings.with_raw_response.create(**self._body(texts))
            answer = await asyncio.to_thread(from_json, raw.content)
            used = self._usage(texts, answer)
            return await asyncio.to_thread(self._vectors, texts, answer)
        except EmbeddingError:
            raise
        except Exception as error:
            if isinstance(error, self._sdk.APIStatusError) or self._never_reached(error):
                used = None
            raise self._trouble(error) from None
        finally:
            self._budget.settle(held, used)

    async def _take_key(self) -> None:
        """Read the key, which may have changed since the last call."""
        try:
            self._key = await asyncio.to_thread(self._read_key)
        except config.ConfigError as error:
            raise EmbeddingError(f"{self.id}: {error.problems[0]}", _REMEDY) from None
        self._client.api_key = self._key or NO_KEY

    async def _leave_room(self) -> None:
        await self._budget.load()
        today, limits = self._budget.today(), self._limits
        if self._price is not None and self._price.input > 0:
            share = (today.spent + today.reserved) / limits.daily if limits.daily else 1.0
        else:
            share = today.tokens / limits.daily_tokens if limits.daily_tokens else 1.0
        if share > _SHARE:
            words = f"{share:.0%} of today's budget is used: the rest is kept for what you ask"
            raise EmbeddingError(words, "it goes on tomorrow, or raise the budget", retry_after=_LATER)

    def _body(self, texts: Sequence[str]) -> dict[str, Any]:
        # Not base64, which the SDK would choose: some servers know only lists of numbers.
        body: dict[str, Any] = {"model": self._settings.name, "input": [*texts], "encoding_format": "float"}
        if self._settings.dimensions:
            body["dimensions"] = self._settings.dimensions
        return body

    def _usage(self, texts: Sequence[str], answer: Any = None) -> Usage:
        usage = answer.get("usage") if isinstance(answer, dict) else None
        told = usage.get("prompt_tokens") if isinstance(usage, dict) else None
        tokens = told if isinstance(told, int) and told > 0 else sum(estimate_tokens(text) for text in texts)
        usage = Usage(self._settings.name, ROLE, tokens, 0, 0, 0.0, self._clock.now())
        return dataclasses.replace(usage, cost=cost_of(usage, self._price))

    def _vectors(self, texts: Sequence[str], answer: Any) -> NDArray[np.float32]:
        import numpy as np

        try:
            rows = sorted(answer["data"], key=lambda row: row["index"])
            vectors = np.asarray([row["embedding"] for row in rows], np.float32)
        except (LookupError, TypeError, ValueError) as error:
            raise EmbeddingError(f"{self.id} sent what can't be read: {one_line(str(error), 120)}", _REMEDY) from None
        wanted = self._settings.dimensions or (vectors.shape[1] if vectors.ndim == 2 else 0)
        if vectors.shape != (len(texts), wanted) or not wanted:
            words = f"{self.id} sent {_shape(vectors)}, not {len(texts)} of {wanted or 'one length'}"
            raise EmbeddingError(words, "correct models.embedding.name and dimensions")
        vectors[~np.isfinite(vectors).all(axis=1)] = 0.0
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        vectors /= np.where(lengths > 0, lengths, np.float32(1.0))
        return vectors

    def _never_reached(self, error: Exception) -> bool:
        sdk = self._sdk
        lost = isinstance(error, sdk.APIConnectionError) and not isinstance(error, sdk.APITimeoutError)
        return lost and not too_large(error)

    def _trouble(self, error: Exception) -> EmbeddingError:
        sdk = self._sdk
        if said := too_large(error):
            return EmbeddingError(f"{self.id} sent {said}", "lower models.embedding.batch")
        if isinstance(error, TimeoutError | sdk.APITimeoutError):
            return EmbeddingError(f"{self.id} gave no answer within {self._timeout:g} seconds", _REMEDY)
        if isinstance(error, sdk.APIConnectionError):
            return EmbeddingError(f"no server answers for {self.id}", _REMEDY)
        if not isinstance(error, sdk.APIStatusError):
            return EmbeddingError(f"{self.id} sent what can't be read: {self._said(error)}", _REMEDY)
        status = error.status_code
        if status in (401, 403):
            remedy = "set a valid key where models.embedding.api_key points, and start again"
            return EmbeddingError(f"{self.id} refused the key (HTTP {status})", remedy)
        if status == 429:
            return EmbeddingError(f"{self.id} is limiting calls", "it is tried again", retry_after=_after(error))
        if status in (400, 413, 422):
            words = f"{self.id} refused the request (HTTP {status}): {self._said(error)}"
            return EmbeddingError(words, _REMEDY, of_text=True)
        return EmbeddingError(f"{self.id} failed (HTTP {status}): {self._said(error)}", _REMEDY)

    def _said(self, error: Exception) -> str:
        """Return the error in one safe line, without the key."""
        body = getattr(error, "body", None)
        said = body.get("message") if isinstance(body, dict) else None
        said = said if isinstance(said, str) and said else str(getattr(error, "message", "") or error)
        return one_line(said.replace(self._key, "[key]") if self._key else said, 200).rstrip(".")


def _shape(vectors: NDArray[np.float32]) -> str:
    return " × ".join(str(size) for size in vectors.shape) + " numbers"


def _after(error: Any) -> float | None:
    try:
        seconds = float(error.response.headers["retry-after"])
    except (KeyError, ValueError):
        return None
    return min(max(0.0, seconds), _LATER)
