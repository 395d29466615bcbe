"""Requests to one server over HTTP, for connectors: bounded in size and time, and never to another's host.

User and password go only to the host of the config and to hosts of the same organisation that it redirects to,
encrypted. Nothing is taken from the environment, and no cookie is kept.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self
from urllib.parse import urljoin, urlsplit

from pepper_tui.config.secret.in_clear import in_clear
from pepper_tui.feeds.feed import FeedError
from pepper_tui.text.organisation import same_organisation

if TYPE_CHECKING:
    import httpx2

MOST: Final = 30_000_000  # bytes of an answer
REDIRECTS: Final = 5
AGAIN: Final = "it is tried again by itself"
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})


class ServerError(FeedError):
    """A failure of the server or of the way to it."""


class UnreachedError(ServerError):
    """The server was not reached, so nothing of what was asked has happened there."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server said; ``url`` is where, after redirects. The names of headers are in lower case."""

    status: int
    url: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Reach:
    """How an account's server is reached.

    ``called`` is what a user calls it. ``url`` may hold a secret, so only its host is ever named.
    """

    ident: str
    called: str
    url: str
    user: str = ""
    password: str = ""
    ca: Path | None = None
    timeout: float = 30.0

    @property
    def host(self) -> str:
        return urlsplit(self.url).netloc

    @property
    def server(self) -> str:
        """The server in words."""
        return f"{self.called} {self.host}"

    @property
    def check(self) -> str:
        """What to do where the address may be wrong."""
        return f"check url in account {self.ident}"


class HttpServer:
    """The way to one server. ``async with`` it."""

    def __init__(self, reach: Reach) -> None:
        self.reach = reach
        self._client: httpx2.AsyncClient | None = None

    async def __aenter__(self) -> Self:
        httpx2 = await asyncio.to_thread(__import__, "httpx2")
        reach = self.reach
        ca = str(reach.ca) if reach.ca else None
        try:
            trusted = await asyncio.to_thread(ssl.create_default_context, cafile=ca)
        except OSError as error:
            words = f"the certificate {ca} can't be read: {error.strerror or error}"
            raise UnreachedError(words, f"fix ca in account {reach.ident}") from error
        self._client = httpx2.AsyncClient(
            auth=httpx2.BasicAuth(reach.user, reach.password) if reach.user else None,
            headers={"User-Agent": "Pepper", "Accept-Encoding": "identity"},
            timeout=reach.timeout,
            verify=trusted,
            trust_env=False,
            follow_redirects=False,
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._client is not None:
            await self._client.aclose()

    async def ask(self, method: str, url: str, body: str = "", headers: Mapping[str, str] | None = None) -> Answer:
        """Return the server's answer, whatever its status. Raises ``ServerError``."""
        for _ in range(REDIRECTS):
            self._within(url)
            answer = await self._once(method, url, body, headers or {})
            if answer.status not in _REDIRECTS or "location" not in answer.headers:
                return answer
            url = urljoin(url, answer.headers["location"])
        raise ServerError(f"{self.reach.server} redirects without end", self.reach.check)

    def _within(self, url: str) -> None:
        host, own = urlsplit(url).hostname or "", urlsplit(self.reach.url).hostname or ""
        if host != own and not same_organisation(host, own):
            words = f"{self.reach.server} points to {host}, which is somebody else's"
            raise UnreachedError(words, f"if that is right, put its address into url of account {self.reach.ident}")
        if plain := in_clear(url):
            remedy = f"{self.reach.check}: use https://"
            raise UnreachedError(f"what is asked would go unencrypted to {plain}", remedy)

    async def _once(self, method: str, url: str, body: str, headers: Mapping[str, str]) -> Answer:
        import httpx2

        assert self._client is not None
        server = self.reach.server
        try:
            async with (
                asyncio.timeout(self.reach.timeout * 10),
                self._client.stream(method, url, content=body.encode(), headers=headers) as response,
            ):
                held, size = list[bytes](), 0
                async for chunk in response.aiter_raw():
                    held.append(chunk)
                    if (size := size + len(chunk)) > MOST:
                        raise ServerError(f"{server} sends more than {MOST // 1_000_000} MB at once", AGAIN)
                named = {name.lower(): value for name, value in response.headers.items()}
                return Answer(response.status_code, url, named, b"".join(held))
        except (TimeoutError, httpx2.TimeoutException) as error:
            raise ServerError(f"{server} does not answer", AGAIN) from error
        except httpx2.ConnectError as error:
            raise UnreachedError(*_unreachable(error, self.reach)) from error
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise ServerError(f"the connection with {server} was lost ({type(error).__name__})", AGAIN) from error


def _unreachable(error: BaseException, reach: Reach) -> tuple[str, str]:
    cause: Any = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            words = f"the certificate of {reach.server} is not valid ({cause.verify_message})"
            return words, f"{reach.check}; for a CA of your own, name its certificate in ca"
        cause = cause.__cause__ or cause.__context__
    way = urlsplit(reach.url).scheme
    words = f"{reach.server} can't be reached by {way}: no connection, or its name is misspelt"
    return words, f"{reach.check}; {AGAIN}"
