"""Requests to one CalDAV server (RFC 4791, RFC 4918): bounded in size and time, and never to another site.

The password goes only to the host of the config and to hosts of the same site that it redirects to, encrypted. Nothing
is taken from the environment, and no cookie is kept.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urljoin, urlsplit

from pepper_tui.config.secret.in_clear import in_clear
from pepper_tui.connectors.caldav.errors import AGAIN, ServerError, refused
from pepper_tui.connectors.caldav.settings import CalDav
from pepper_tui.text.organisation import same_organisation

if TYPE_CHECKING:
    import httpx2

MOST: Final = 30_000_000  # bytes of an answer
REDIRECTS: Final = 5
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server said; ``url`` is where, after redirects."""

    status: int
    url: str
    headers: Mapping[str, str]
    body: bytes


class Wire:
    """The way to the server of one account. ``async with`` it."""

    def __init__(self, settings: CalDav, ident: str, password: str) -> None:
        self.settings, self.ident = settings, ident
        self._password = password
        self._client: httpx2.AsyncClient | None = None

    async def __aenter__(self) -> Wire:
        httpx2 = await asyncio.to_thread(__import__, "httpx2")
        ca = str(self.settings.ca) if self.settings.ca else None
        try:
            trusted = await asyncio.to_thread(ssl.create_default_context, cafile=ca)
        except OSError as error:
            words = f"the certificate {ca} can't be read: {error.strerror or error}"
            raise ServerError(words, f"fix ca in account {self.ident}") from error
        self._client = httpx2.AsyncClient(
            auth=httpx2.BasicAuth(self.settings.user, self._password),
            headers={"User-Agent": "Pepper", "Accept-Encoding": "identity"},
            timeout=self.settings.timeout,
            verify=trusted,
            trust_env=False,
            follow_redirects=False,
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._client is not None:
            await self._client.aclose()

    async def ask(self, method: str, url: str, body: str = "", depth: str = "", **headers: str) -> Answer:
        """Return the server's answer, whatever its status. Raises ``ServerError``."""
        sent = {"Content-Type": "application/xml; charset=utf-8"} if body else {}
        sent |= {"Depth": depth} if depth else {}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        for _ in range(REDIRECTS):
            self._within(url)
            answer = await self._once(method, url, body, sent)
            if answer.status not in _REDIRECTS or "location" not in answer.headers:
                return answer
            url = urljoin(url, answer.headers["location"])
        raise ServerError(f"the calendar server {self.settings.host} redirects without end", self._check)

    async def get(self, method: str, url: str, body: str = "", depth: str = "", **headers: str) -> Answer:
        """Return the server's answer if it is a success. Raises ``StatusError``, or another ``ServerError``."""
        answer = await self.ask(method, url, body, depth, **headers)
        if answer.status >= 300:
            raise refused(answer.status, self.settings, self.ident)
        return answer

    @property
    def _check(self) -> str:
        return f"check url in account {self.ident}"

    def _within(self, url: str) -> None:
        host, own = urlsplit(url).hostname or "", urlsplit(self.settings.url).hostname or ""
        if host != own and not same_organisation(host, own):
            words = f"the calendar server {self.settings.host} points to {host}, which gets no password of yours"
            raise ServerError(words, f"if that is right, put its address into url of account {self.ident}")
        if plain := in_clear(url):
            raise ServerError(f"the password would go unencrypted to {plain}", self._check)

    async def _once(self, method: str, url: str, body: str, headers: Mapping[str, str]) -> Answer:
        import httpx2

        assert self._client is not None
        server = f"the calendar server {self.settings.host}"
        try:
            async with (
                asyncio.timeout(self.settings.timeout * 10),
                self._client.stream(method, url, content=body.encode(), headers=headers) as response,
            ):
                held, size = list[bytes](), 0
                async for chunk in response.aiter_raw():
                    held.append(chunk)
                    if (size := size + len(chunk)) > MOST:
                        raise ServerError(f"{server} sends more than {MOST // 1_000_000} MB at once", AGAIN)
                return Answer(response.status_code, url, dict(response.headers), b"".join(held))
        except (TimeoutError, httpx2.TimeoutException) as error:
            raise ServerError(f"{server} does not answer", AGAIN) from error
        except httpx2.ConnectError as error:
            raise ServerError(*_unreachable(error, server, self._check)) from error
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise ServerError(f"the connection with {server} was lost ({type(error).__name__})", AGAIN) from error


def _unreachable(error: BaseException, server: str, check: str) -> tuple[str, str]:
    cause: Any = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            words = f"the certificate of {server} is not valid ({cause.verify_message})"
            return words, f"{check}; for a CA of your own, name its certificate in ca"
        cause = cause.__cause__ or cause.__context__
    return f"{server} can't be reached: no connection, or its name is misspelt", f"{check}; {AGAIN}"
