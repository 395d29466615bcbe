"""What a server may send over HTTP: an event of a stream, and any other body, has a bound in bytes and in parts.

SDKs have none: a line without an end would fill the memory until the time is up, and of each part they make an object,
on the loop. An answer that is packed could be a
thousand times as large as its bytes, so none is asked for, and none is taken.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, Final

from pepper_tui.text.errors import Foreseen

if TYPE_CHECKING:
    import httpx2

MAX_EVENT: Final = 1_000_000  # bytes of a model's stream up to a blank line
MAX_PARTS: Final = 10_000  # of it: the SDK takes some microseconds for each
MAX_BODY: Final = 8_000_000  # bytes of an answer of a model server's that is no stream
MAX_BODY_PARTS: Final = 1_000_000  # of it: vectors of a batch have a third of that
MAX_ERROR: Final = 250_000  # bytes of one that is an error, or leads on
UNPACKED: Final = {"Accept-Encoding": "identity"}
"""What a request asks for."""

_BLANK: Final = re.compile(rb"\r\n\r\n|\n\n|\r\r")


class TooLargeError(Exception, Foreseen):
    """The server sends more than is taken."""


def too_large(error: BaseException | None) -> str:
    """What was more than is taken, if that is at the bottom of ``error``; else empty."""
    while error is not None:
        if isinstance(error, TooLargeError):
            return str(error)
        error = error.__cause__ or error.__context__
    return ""


def http_client(openai: Any, **options: Any) -> httpx2.AsyncClient:
    """The HTTP client of the SDK ``openai``, with the bounds of here on each response, those that lead on too."""
    made: httpx2.AsyncClient = openai.DefaultAsyncHttpxClient(event_hooks={"response": [_bound]}, **options)
    return made


async def _bound(response: Any) -> None:
    import httpx2

    packed = response.headers.get("content-encoding", "identity").strip().lower()
    if packed not in ("", "identity"):
        raise TooLargeError("an answer that is packed, though none was asked for")
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
    """About how many parts a piece of JSON has; an object or list counts as five."""
    return 5 * (data.count(b"{") + data.count(b"[")) + data.count(b",")


class BodyBound:
    """``take`` raises ``TooLargeError`` once a body is larger."""

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
    """``take`` raises ``TooLargeError`` once what has come since the last blank line is larger; that line may lie
    across two chunks."""

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
