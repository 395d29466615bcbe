"""One connection to Google's servers, for one call.

- httplib2 sends a request a second time where the connection ended without an answer, be it a mail to send. Here what
  was sent is sent once: who asked is told, and decides.
- An answer is read up to ``MOST`` bytes, also when it is unpacked.
- A client library turns to Google's own host for some of its addresses, whatever the configured one is. Here no
  request, and so no token, goes anywhere but to ``places``; no redirect is followed.
"""

from __future__ import annotations

import http.client
from collections.abc import Sequence
from typing import Any, Final

import httplib2
from httplib2.decode import DecodeLimitError, DecodeRatioError

MOST: Final = 100_000_000
"""Bytes of an answer: the largest mail, of 50 MB, is 70 in the form in which it comes."""
PIECE: Final = 65_536


class TooMuchError(OSError):
    """An answer is longer than any should be. It is not read on."""


def bounded(size: int) -> None:
    """Raise ``TooMuchError`` where an answer has so many bytes."""
    if size > MOST:
        raise TooMuchError(f"more than {MOST // 1_000_000} MB")


class NotReachedError(OSError):
    """There was no connection, so nothing was sent."""


class ElsewhereError(OSError):
    """A request for a place that is none of those configured. Nothing was sent."""


class _Bounded(http.client.HTTPResponse):
    """An answer that is not read beyond the bound, whatever its length is said to be."""

    def read(self, amt: int | None = None) -> bytes:
        if amt is not None:
            return super().read(amt)
        if self.length is not None:
            bounded(self.length)
            return super().read()
        pieces, size = [], 0
        while piece := super().read(PIECE):
            size += len(piece)
            bounded(size)
            pieces.append(piece)
        return b"".join(pieces)


class _OneTry:
    """What a connection of httplib2's does, without its second try."""

    response_class = _Bounded

    def connect(self) -> None:
        try:
            super().connect()  # type: ignore[misc]
        except (OSError, httplib2.HttpLib2Error) as error:
            raise NotReachedError(str(error)) from error

    def getresponse(self) -> Any:
        try:
            return super().getresponse()  # type: ignore[misc]
        except (http.client.BadStatusLine, http.client.ResponseNotReady) as error:
            raise ConnectionResetError("the connection ended before an answer") from error


class _Plain(_OneTry, httplib2.HTTPConnectionWithTimeout):  # type: ignore[misc]
    pass


class _Tls(_OneTry, httplib2.HTTPSConnectionWithTimeout):  # type: ignore[misc]
    pass


class Wire(httplib2.Http):  # type: ignore[misc]
    """``places`` are the addresses below which requests may go; ``seconds`` is how long one read or write may take."""

    def __init__(self, places: Sequence[str], seconds: float) -> None:
        super().__init__(timeout=seconds, decode_limit_hard=MOST)
        self.follow_redirects = False
        self._places = tuple(place.rstrip("/") for place in places)

    def request(
        self,
        uri: str,
        method: str = "GET",
        body: Any = None,
        headers: Any = None,
        redirections: int = 0,
        connection_type: Any = None,
    ) -> Any:
        if not any(uri == place or uri.startswith((f"{place}/", f"{place}?")) for place in self._places):
            raise ElsewhereError(f"no request goes to {uri.partition('?')[0][:120]}")
        kind = _Tls if uri.startswith("https:") else _Plain
        try:
            return super().request(uri, method, body, headers, redirections, kind)
        except (DecodeLimitError, DecodeRatioError) as error:  # also of what packs too well to be an answer
            raise TooMuchError("more, once unpacked, than there should be") from error
