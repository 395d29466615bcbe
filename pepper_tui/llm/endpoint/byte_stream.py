"""A server's bytes, before the SDK reads them.

The SDK reports whole events only. Comments that keep a connection open, the end mark, and bodies that are no stream at
all (an error page, a completion in one piece) are seen here.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from functools import lru_cache
from importlib import import_module
from typing import Any, Final

_END: Final = b"[DONE]"
_TAIL: Final = 64  # last bytes that are searched for the end mark
_BODY: Final = 4_000_000  # bytes read of a body that is no stream


def hear(response: Any, on_bytes: Callable[[int], object]) -> Heard:
    """Listen to the body of ``response`` (of the SDK's HTTP library) before anything has read it."""
    heard = Heard(response, on_bytes)
    response.stream = _stream_class(type(response).__module__.partition(".")[0])(heard)
    return heard


@lru_cache
def _stream_class(library: str) -> Any:
    """Return a byte stream class derived from the one of ``library``."""

    class Bytes(import_module(library).AsyncByteStream):  # type: ignore[misc]
        def __init__(self, heard: Heard) -> None:
            self._heard = heard

        def __aiter__(self) -> AsyncIterator[bytes]:
            return self._heard.pieces()

        async def aclose(self) -> None:
            await self._heard.aclose()

    return Bytes


class Heard:
    """The bytes of one body. ``on_bytes`` is called for each piece."""

    def __init__(self, response: Any, on_bytes: Callable[[int], object]) -> None:
        self._stream, self._on_bytes = response.stream, on_bytes
        self._pieces: AsyncIterator[bytes] = aiter(response.stream)
        self._first: bytes | None = None
        self._tail = b""
        self._whole = any(kind in response.headers.get("content-type", "") for kind in ("json", "html"))

    @property
    def ended(self) -> bool:
        """Whether the end mark has arrived."""
        return _END in self._tail

    async def first(self) -> bytes:
        """Return the beginning of the body."""
        while self._first is None or not self._first.strip():
            piece = await anext(self._pieces, None)
            if piece is None:
                self._first = self._first or b""
                break
            self._on_bytes(len(piece))
            self._first = (self._first or b"") + piece
        return self._first

    async def is_whole(self) -> bool:
        """Check whether the body is not an event stream."""
        start = (await self.first()).lstrip()
        return start[:1] in (b"{", b"<") or (self._whole and not start.startswith((b"data:", b":", b"event:", b"id:")))

    async def pieces(self) -> AsyncIterator[bytes]:
        if self._first:
            first, self._first = self._first, b""
            self._note(first)
            yield first
        async for piece in self._pieces:
            self._on_bytes(len(piece))
            self._note(piece)
            yield piece

    def _note(self, piece: bytes) -> None:
        self._tail = (self._tail + piece)[-_TAIL:]

    async def aclose(self) -> None:
        await self._stream.aclose()


async def whole_body(response: Any) -> str:
    """Return the text of a body that is no stream, up to a limit."""
    text = bytearray()
    async for piece in response.aiter_bytes():
        text += piece
        if len(text) > _BODY:
            break
    return bytes(text[:_BODY]).decode("utf-8", "replace")


def completion_in(body: str, sdk: Any) -> Any:
    """Return the completion that ``body`` holds in one piece; ``None`` if it is none."""
    value = json_in(body)
    if isinstance(value, dict) and isinstance(value.get("choices"), list) and value["choices"]:
        return sdk.types.chat.ChatCompletion.construct(**value)
    return None


def json_in(body: str) -> Any:
    """Return the JSON value of a body, or its text if it is not JSON."""
    try:
        return json.JSONDecoder().raw_decode(body.lstrip("\ufeff \t\r\n"))[0]  # an end mark may follow
    except (ValueError, RecursionError):
        return body
