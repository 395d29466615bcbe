"""Errors of model calls in words: what happened and the way out, never the key.

A ``ModelError`` says whether the same call may succeed a moment later (``retryable``): rate limits, errors of the
server, timeouts and lost connections may; a refused request, key or account will be refused again.
"""

from __future__ import annotations

import html
import json
import math
import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta, tzinfo
from email.utils import parsedate_to_datetime
from typing import Any, Final

from pepper_tui.boundary.bounded_http import too_large
from pepper_tui.config.secret.in_clear import told_url
from pepper_tui.model import ModelError, Usage
from pepper_tui.text import one_line

_RETRY_AFTER_CAP: Final = 40 * 86400.0  # a later time is not worth waiting for
_RETRY_DELAY: Final = re.compile(r"retryDelay\W{1,8}(\d+(?:\.\d+)?)s")
_HTTP: Final = frozenset({"httpx", "httpx2", "httpcore", "httpcore2", "ssl"})
_NO_TOOLS: Final = re.compile(
    r"(?i)does not support tools|tools? param requires|unsupported param: tools|requires --enable-auto-tool-choice"
)
_TOO_LONG: Final = re.compile(
    r"(?i)context[ _-]?(?:length|size|window|limit)|exceed_context|maximum context|prompt (?:is )?too (?:long|large)"
    r"|too many (?:input )?tokens|input (?:is|length|token count).{0,40}(?:too long|exceeds)|token limit exceeded"
    r"|exceeds? the (?:available|maximum|model).{0,40}tokens|n_ctx|n_keep|reduce the length of (?:the|your)"
    r"|larger than the maximum|request too large|max_model_len"
)
_LOADING: Final = re.compile(r"(?i)loading (?:the )?model|\bis (?:currently |still )?(?:loading|being loaded)\b")
_NUMBER: Final = r"(\d[\d,._]{2,11})"
_COUNT: Final = r"(\d[\d,]{0,11})"
_WINDOWS: Final = tuple(
    re.compile(pattern)
    for pattern in (
        rf"(?i)(?:maximum|max(?:imum)?[_ ]model)\D{{0,60}}?{_NUMBER} tokens",
        r"(?i)(?:context (?:length|size|window|limit)|maximum (?:length|context)|n_ctx|max_model_len|limit)\D{0,40}?"
        + _NUMBER,
        rf"(?i)> {_NUMBER} maximum",
        rf"(?i)(?:exceeds?|over|than) \D{{0,60}}?{_NUMBER}",
    )
)
_MEASURED: Final = tuple(
    re.compile(pattern)
    for pattern in (
        rf"(?i){_COUNT} (?:tokens )?(?:in|of|for|from) (?:the |your )?(?:messages|input|prompt)",
        r"(?i)(?:resulted in|requested|(?:request|prompt|input) (?:has|is|contains)|request \()\D{0,10}"
        + rf"{_COUNT} (?:input )?tokens",
        rf"(?i)too long: {_COUNT}",
        rf"(?i)n_prompt_tokens\W{{1,4}}{_COUNT}",
        rf"(?i)requested {_COUNT}",
        rf"(?i)input token count \(?{_COUNT}",
    )
)
_SECRET: Final = re.compile(
    r"\b(?:sk|pk|rk|gsk|xai|hf|key|ghp|AIza)[-_]?[A-Za-z0-9_*-]{12,}|(?i:\b(?:bearer|basic) +)[\w.~+/*=-]{8,}"
)
_WORDS: Final = (
    "message",
    "msg",
    "detail",
    "error",
    "error_message",
    "errors",
    "description",
    "title",
    "reason",
    "raw",
)
_TITLE: Final = re.compile(r"(?is)<(title|h1)[^>]*>(.*?)</\1")
_TAG: Final = re.compile(r"(?s)<(?:script|style)\b.*?</(?:script|style)>|<[^>]{0,2000}>")


class Faults:
    """Reads the exceptions of ``sdk`` (the module) for calls of ``model`` at ``where``. ``secrets`` are never shown."""

    def __init__(self, sdk: Any, where: str, *secrets: str, zone: tzinfo | None = None) -> None:
        self._sdk, self._where = sdk, told_url(where)
        self._secrets, self._zone = [each for each in secrets if each], zone

    def without_key(self, words: str) -> str:
        for secret in self._secrets:
            words = words.replace(secret, "[key]")
        return _SECRET.sub("[key]", words)

    def of_body(self, status: int, body: Any, model: str, now: float, usage: Usage) -> ModelError:
        """Return the error in a body that came as a normal response, in place of a stream."""
        told = _status(body) if status == 200 else status
        page = isinstance(body, str) and body.lstrip()[:1] == "<"
        if page and not told:
            return ModelError(
                "setup",
                f"A web page came from {self._where} in place of an answer: {self._short(said_in(body))}. Correct "
                "models.base_url (it often ends in /v1), or sign in to the network.",
                usage=usage,
            )
        if not said_in(body):
            words = f"The model server sent no answer that can be read: {self._short(str(body)) or 'nothing at all'}."
            return ModelError("cut", words, retryable=True, usage=usage)
        error = self._told(told, self._short(said_in(body)), _code(body), body, None, model, now)
        error.usage = usage
        return error

    def read(self, error: Exception, model: str, now: float, usage: Usage, *, opened: bool) -> ModelError:
        """Return the error of a call that is not one of our own timeouts.

        ``opened``: the answer had begun to come, at that ``usage``. ``now`` in POSIX seconds.
        """
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
            body = getattr(error, "body", None)
            status = _status(body if body is not None else getattr(error, "code", None))
            told = self._told(status, self._said(error), _code(body), body, None, model, now)
            told.usage = usage
            return told
        said = self._said(error) or type(error).__name__
        return ModelError(
            "bad_response", f"The model server sent what can't be read: {said}.", retryable=True, usage=usage
        )

    def _said(self, error: Exception) -> str:
        """Return the server's words, shortened to one safe line, without the key."""
        body = getattr(error, "body", None)
        return self._short(said_in(body) or str(getattr(error, "message", "") or error))

    def _short(self, said: str) -> str:
        return one_line(self.without_key(said), 200).rstrip(". ")

    def _refused(self, status: int, error: Exception, model: str, now: float) -> ModelError:
        headers = getattr(getattr(error, "response", None), "headers", {})
        body = getattr(error, "body", None)
        code = str(getattr(error, "code", None) or "") or _code(body)
        return self._told(status, self._said(error), code, body, headers, model, now)

    def _told(
        self, status: int, said: str, code: str, body: Any, headers: Mapping[str, str] | None, model: str, now: float
    ) -> ModelError:
        """Return the error that a server reports by a status (0 if it named none) and words."""
        name, http = one_line(model, 80), f" (HTTP {status})" if status else ""
        whole = f"{said} {code} {body if body else ''}"[:4000]
        if status in (401, 403) or (status == 400 and re.search(r"(?i)api[ _-]?key", said)):
            return ModelError(
                "auth",
                f"The model server refused the key{http}. Set a valid one where models.api_key points, "
                f"e.g. the environment variable OPENAI_API_KEY, and start again. It said: {said}.",
                retryable=False,
            )
        if status == 402 or code in ("insufficient_quota", "billing_hard_limit_reached"):
            words = f"The model account's quota is used up: {said}. Add credit, or choose another model."
            return ModelError("rate_limited", words, retryable=False)
        too_large = status == 429 and "request too large" in said.lower()  # for any minute: waiting would not help
        if too_large or (_TOO_LONG.search(whole) and status in (0, 400, 413, 422, 500)):
            return self._too_long(whole, said, name)
        after = _retry_after(headers or {}, body, now)
        if status == 429 or code == "rate_limit_exceeded":
            wait = f" It asks to wait {self._wait(after, now)}." if after else ""
            return ModelError(
                "rate_limited",
                f"The model server is limiting calls{f': {said}' if said else ''}.{wait}",
                retryable=True,
                retry_after=after,
            )
        if _NO_TOOLS.search(said):
            return ModelError(
                "setup",
                f"The model {name} can't call tools as its server runs it: {said}. Choose a model that "
                "can, or start the server so that it does.",
                retryable=False,
            )
        if _LOADING.search(said) and status in (0, 503, 500, 409, 425):
            words = f"The model {name} is being loaded by its server: {said}."
            return ModelError("loading", words, retryable=True, retry_after=after)
        if not status or status in (408, 409) or status >= 500:
            wait = f" It asks to wait {self._wait(after, now)}." if after else ""
            words = f"The model server failed{http}: {said or 'it did not say why'}.{wait}"
            return ModelError("server", words, retryable=True, retry_after=after)
        way = f" Check models.name ({name}) and models.base_url." if status in (400, 404, 422) else ""
        return ModelError(
            "setup" if status == 404 else "bad_response",
            f"The model server refused the request{http}: {said}.{way}",
            retryable=False,
        )

    @staticmethod
    def _too_long(whole: str, said: str, name: str) -> ModelError:
        window, measured = _first_number(_WINDOWS, whole), _first_number(_MEASURED, whole)
        return ModelError(
            "too_long",
            f"The prompt is too long for the model {name}: {said}.",
            window=window if window != measured else 0,
            measured=measured,
        )

    def _wait(self, seconds: float, now: float) -> str:
        """Return how long, or until when, in words."""
        if seconds < 120:
            return f"{seconds:.3g} seconds"
        at = datetime.fromtimestamp(now + seconds, self._zone)
        day = datetime.fromtimestamp(now, self._zone).date()
        time = f"{at:%H:%M}".removeprefix("0")
        if at.date() == day:
            return f"until {time}"
        if at.date() == day + timedelta(days=1):
            return f"until tomorrow at {time}"
        return f"until {at:%a} {at.day} {at:%b} at {time}"


def _retry_after(headers: Mapping[str, str], body: Any, now: float) -> float | None:
    """Return the seconds that the server asks to wait.

    Read from ``retry-after-ms``, ``retry-after`` (seconds or a date), or the body, in Google's form.
    """
    given, seconds = headers.get("retry-after", ""), math.nan
    try:
        seconds = float(headers["retry-after-ms"]) / 1000 if headers.get("retry-after-ms") else float(given)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(given).timestamp() - now
        except (TypeError, ValueError):
            found = _RETRY_DELAY.search(str(body or ""))
            seconds = float(found[1]) if found else math.nan
    return min(max(0.0, seconds), _RETRY_AFTER_CAP) if math.isfinite(seconds) else None


def _first_number(patterns: tuple[re.Pattern[str], ...], text: str) -> int:
    """Return the first number that one of ``patterns`` finds; 0 for none."""
    for pattern in patterns:
        if found := pattern.search(text):
            return int(re.sub(r"[,._]", "", found[1]))
    return 0


def _is_memory(error: BaseException | None) -> bool:
    """Check whether memory ran out, whatever a library wrapped around that error."""
    while error is not None:
        if isinstance(error, MemoryError):
            return True
        error = error.__cause__ or error.__context__
    return False


def said_in(body: Any) -> str:
    """Return the words of an error body of any shape: an object, a list, text with JSON in it, a web page."""
    return "; ".join(dict.fromkeys(_said(body, 0)))


def _said(body: Any, depth: int) -> Iterator[str]:
    if isinstance(body, bytes):
        body = body.decode("utf-8", "replace")
    if depth > 5 or body in (None, "", {}, []):
        return
    if isinstance(body, list):
        for each in body[:3]:
            yield from _said(each, depth + 1)
    elif isinstance(body, dict):
        told = [key for key in _WORDS if body.get(key) not in (None, "", {}, [])]
        for key in told[:1]:
            where = body.get("loc") if key == "msg" else None
            place = f" ({'.'.join(map(str, where))})" if isinstance(where, list) else ""
            yield from (f"{each}{place}" for each in _said(body[key], depth + 1))
        if isinstance(body.get("metadata"), dict):
            yield from _said(body["metadata"].get("raw"), depth + 1)
    elif isinstance(body, str):
        yield from _in_text(body.strip(), depth)
    elif depth:
        yield str(body)


def _in_text(text: str, depth: int) -> Iterator[str]:
    if text[:1] in ("{", "["):
        try:
            yield from _said(json.loads(text), depth + 1)
            return
        except (ValueError, RecursionError):
            pass
    if text[:1] == "<":
        title = _TITLE.search(text[:20_000])
        words = title[2] if title else _TAG.sub(" ", text[:20_000])
        text = one_line(html.unescape(" ".join(_TAG.sub(" ", words).split())), 200) or "a page without words"
    yield text


def _code(body: Any) -> str:
    """Return the error's own code."""
    body = body.get("error", body) if isinstance(body, dict) else body
    found = (body.get("code") or body.get("type")) if isinstance(body, dict) else None
    return str(found) if found else ""


def _status(body: Any) -> int:
    """Return the HTTP status that an error names as its code, or 0."""
    inner = body.get("error") if isinstance(body, dict) else None
    body = inner if isinstance(inner, dict) else body
    code = (body.get("code") or body.get("status")) if isinstance(body, dict) else body
    number = int(code) if isinstance(code, int | str) and str(code).isdecimal() else 0
    return number if 400 <= number <= 599 else 0
