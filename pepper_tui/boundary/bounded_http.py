"""Bounds on what a server may send over HTTP: each event of a stream, and any other body, in bytes and in parts.

The SDKs have no bound: an endless line would fill the memory until the timeout, and each part becomes an object, made
on the event loop. A compressed answer could unpack to a thousand times its size, so none is requested and none is
accepted.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, Final

from pepper_tui.text.errors import Foreseen, PepperError

if TYPE_CHECKING:
    import httpx2

MAX_EVENT: Final = 1_000_000  # bytes of a model's stream between two blank lines
MAX_PARTS: Final = 10_000  # parts of an event: the SDK takes some microseconds for each
MAX_BODY: Final = 8_000_000  # bytes of a model server's answer that is not a stream
MAX_BODY_PARTS: Final = 1_000_000  # parts of a body: the vectors of a batch have a third of that
MAX_ERROR: Final = 250_000  # bytes of an error or a redirect
UNPACKED: Final = {"Accept-Encoding": "identity"}
"""The header that every request sends."""

_BLANK: Final = re.compile(rb"\r\n\r\n|\n\n|\r\r")


class TooLargeError(PepperError, Foreseen):
    """The server sends more than the limit."""


def too_large(error: BaseException | None) -> str:
    """Return which limit was exceeded, if that is the root cause of ``error``; else an empty string."""
    while error is not None:
        if isinstance(error, TooLargeError):
            return str(error)
        error = error.__cause__ or error.__context__
    return ""


def http_client(openai: Any, **options: Any) -> httpx2.AsyncClient:
    """Create the HTTP client of the SDK ``openai`` with these bounds on each response, redirects included."""
    made: httpx2.AsyncClient = openai.DefaultAsyncHttpxClient(event_hooks={"response": [_bound]}, **options)
    return made


async def _bound(response: Any) -> None:
    import httpx2

    packed = response.headers.get("content-encoding", "identity").strip().lower()
    if packed not in ("", "identity"):
        raise TooLargeError("a compressed answer that was not asked for")
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    stream, of_events = response.stream, kind == "text/event-stream" and response.status_code < 300

    class Bounded(httpx2.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            whole = MAX_BODY if response.status_code < 300 else MAX_ERROR
            bound = EventBound(MAX_EVENT, MAX_PARTS) if of_events else BodyBound(whole, MAX_BODY_PARTS)
            async for chunk in stream:
                bound.take(chunk)
                yield chunk

        async def aclose(self) -> None:
            await stream.aclose()

    response.stream = Bounded()


def parts(data: bytes) -> int:
    """Estimate how many parts a piece of JSON has; an object or list counts as five."""
    return 5 * (data.count(b"{") + data.count(b"[")) + data.count(b",")


class BodyBound:
    """Bound on a whole body: ``take`` raises ``TooLargeError`` once it is exceeded."""

    def __init__(self, most: int, most_parts: float = float("inf")) -> None:
        self._most, self._most_parts, self._size, self._parts = most, most_parts, 0, 0

    def take(self, chunk: bytes) -> None:
        self._size += len(chunk)
        if self._size > self._most:
            raise TooLargeError(f"an answer of more than {self._most // 1000} kB")
        self._parts += parts(chunk)
        if self._parts > self._most_parts:
            raise TooLargeError("an answer of too many parts")


class EventBound:
    """Bound on one event: ``take`` raises ``TooLargeError`` once more has arrived since the last blank line.

    A blank line may be split across two chunks.
    """

    def __init__(self, most: int, most_parts: int) -> None:
        self._most, self._most_parts = most, most_parts
        self._size, self._parts, self._tail = 0, 0, b""

    def take(self, chunk: bytes) -> None:
        seen, at = self._tail + chunk, len(self._tail)
        for blank in _BLANK.finditer(seen):
            if blank.end() > at:
                self._count(seen[at : blank.end()])
                self._size = self._parts = 0
                at = blank.end()
        self._count(seen[at:])
        self._tail = seen[-3:]

    def _count(self, piece: bytes) -> None:
        self._size += len(piece)
        self._parts += parts(piece)
        if self._size > self._most:
            raise TooLargeError(f"more than {self._most // 1000} kB without the end of an event")
        if self._parts > self._most_parts:
            raise TooLargeError("an event of too many parts")
