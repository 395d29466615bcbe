"""What went wrong with a model call, in words: what happened and the way out, never the key.

A ``ModelError`` says whether the same call may go through a moment later (``retryable``): rate limits, errors of the
server, timeouts and lost connections may; a request, a key or an account that is refused will be refused again.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any, Final

from pepper_tui.bounded_http import too_large
from pepper_tui.in_clear import told_url
from pepper_tui.model import ModelError, Usage
from pepper_tui.text import one_line

_RETRY_AFTER_CAP: Final = 3600.0
_RETRY_DELAY: Final = re.compile(r"retryDelay\W{1,8}(\d+(?:\.\d+)?)s")
_HTTP: Final = frozenset({"httpx", "httpx2", "httpcore", "httpcore2", "ssl"})
_NO_TOOLS: Final = re.compile(
    r"(?i)does not support tools|tools? param requires|unsupported param: tools|requires --enable-auto-tool-choice"
)
_TOO_LONG: Final = re.compile(
    r"(?i)context[ _](?:length|size|window)|exceed_context|maximum context|prompt is too long|too many tokens"
)


class Faults:
    """Reads the exceptions of ``sdk`` (the module) for calls of ``model`` at ``where``."""

    def __init__(self, sdk: Any, where: str, key: str) -> None:
        self._sdk, self._where, self._key = sdk, told_url(where), key

    def without_key(self, words: str) -> str:
        return words.replace(self._key, "[key]") if self._key else words

    def read(self, error: Exception, model: str, now: float, usage: Usage, *, opened: bool) -> ModelError:
        """``error`` of a call that is no timeout of ours. ``opened``: the answer had begun to come, at that ``usage``.
        ``now`` in POSIX seconds."""
        sdk = self._sdk
        if _is_memory(error):
            words = "There was too little memory to read the model's answer: end other programs, or allow Pepper more."
            return ModelError("bad_response", words, retryable=True, usage=usage)
        if said := too_large(error):
            words = f"The model server sent {said}; the rest was not read. If this goes on, choose another server."
            return ModelError("bad_response", words, retryable=True, usage=usage)
        if isinstance(error, sdk.APIStatusError):
            return self._refused(error.status_code, error, model, now)
        if isinstance(error, sdk.APIConnectionError) and not opened:
            return ModelError(
                "unreachable",
                f"No model server answers at {self._where}. Start it, or correct models.base_url; check the network.",
                retryable=True,
            )
        if isinstance(error, sdk.APIConnectionError) or type(error).__module__.partition(".")[0] in _HTTP:
            return ModelError("cut", "The connection to the model broke off.", retryable=True, usage=usage)
        if isinstance(error, sdk.APIError):  # an error event within the stream
            status = _status(error)
            told = self._refused(status, error, model, now) if status else None
            if told is None:
                told = ModelError("server", f"The model server failed: {self._said(error)}.", retryable=True)
            told.usage = usage
            return told
        said = self._said(error) or type(error).__name__
        return ModelError(
            "bad_response", f"The model server sent what can't be read: {said}.", retryable=True, usage=usage
        )

    def _said(self, error: Exception) -> str:
        """What the server said, short, in one safe line, without the key."""
        body = getattr(error, "body", None)
        said = _message(body) or str(getattr(error, "message", "") or error)
        return one_line(self.without_key(said), 200).rstrip(".")

    def _refused(self, status: int, error: Exception, model: str, now: float) -> ModelError:
        said = self._said(error)
        if status in (401, 403) or (status == 400 and "api key" in said.lower()):
            return ModelError(
                "auth",
                f"The model server refused the key (HTTP {status}). Set a valid one where models.api_key points, "
                f"e.g. the environment variable OPENAI_API_KEY, and start again. It said: {said}.",
                retryable=False,
            )
        if status == 402 or (status == 429 and getattr(error, "code", None) == "insufficient_quota"):
            words = f"The model account's quota is used up: {said}. Add credit, or choose another model."
            return ModelError("rate_limited", words, retryable=False)
        after = self._retry_after(error, now)
        if status == 429:
            wait = f" It asks to wait {after:g} seconds." if after else ""
            return ModelError(
                "rate_limited", f"The model server is limiting calls.{wait}", retryable=True, retry_after=after
            )
        if _NO_TOOLS.search(said):
            return ModelError(
                "setup",
                f"The model {one_line(model, 80)} can't call tools as its server runs it: {said}. Choose a model that "
                "can, or start the server so that it does.",
                retryable=False,
            )
        if status in (408, 409) or status >= 500:
            words = f"The model server failed (HTTP {status}): {said}."
            return ModelError("server", words, retryable=True, retry_after=after)
        if _TOO_LONG.search(said):
            return ModelError(
                "bad_response",
                f"The prompt is too long for the model {one_line(model, 80)}: {said}. Lower scheduler.prompt_limit, or "
                "give the model a larger context.",
                retryable=False,
            )
        way = f" Check models.name ({one_line(model, 80)}) and models.base_url." if status in (400, 404, 422) else ""
        return ModelError(
            "setup" if status == 404 else "bad_response",
            f"The model server refused the request (HTTP {status}): {said}.{way}",
            retryable=False,
        )

    @staticmethod
    def _retry_after(error: Exception, now: float) -> float | None:
        """Seconds that the server asks to wait: by ``retry-after-ms``, ``retry-after`` (seconds or a date), or as
        Google says it, in the body."""
        headers: Mapping[str, str] = getattr(getattr(error, "response", None), "headers", {})
        given, seconds = headers.get("retry-after", ""), math.nan
        try:
            seconds = float(headers["retry-after-ms"]) / 1000 if headers.get("retry-after-ms") else float(given)
        except ValueError:
            try:
                seconds = parsedate_to_datetime(given).timestamp() - now
            except (TypeError, ValueError):
                found = _RETRY_DELAY.search(str(getattr(error, "body", "")))
                seconds = float(found[1]) if found else math.nan
        return min(max(0.0, seconds), _RETRY_AFTER_CAP) if math.isfinite(seconds) else None


def _is_memory(error: BaseException | None) -> bool:
    """Whether memory ran out, under whatever a library made of that."""
    while error is not None:
        if isinstance(error, MemoryError):
            return True
        error = error.__cause__ or error.__context__
    return False


def _message(body: Any) -> str:
    """The words of an error body: an object, Google's list of one, or bare text."""
    if isinstance(body, list) and body:
        body = body[0]
    if isinstance(body, dict) and isinstance(body.get("error"), dict | str):
        body = body["error"]
    if isinstance(body, dict):
        body = body.get("message") or body.get("detail")
    return body if isinstance(body, str) else str(body) if body else ""


def _status(error: Any) -> int:
    """The HTTP status that an error event names as its code, 0 where it names none."""
    body = getattr(error, "body", None)
    code = body.get("code") if isinstance(body, dict) else getattr(error, "code", None)
    number = int(code) if isinstance(code, int | str) and str(code).isdecimal() else 0
    return number if 400 <= number <= 599 else 0
