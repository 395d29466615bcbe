"""Fetching a page, and posting a form: one request, bounded in bytes, time and redirects, to a host that was checked.

A name is resolved once, every address that it has must be public (unless the config names the host), and the connection
goes to the address that was checked: a later change of the name does not matter. Each redirect is checked anew; one
that leaves the host is reported, not followed. No cookies, no credentials, no proxies from the environment.

Nothing is resolved before ``get``: looking up a name reveals it to somebody.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from pepper_tui.domains.bounded import shown_text
from pepper_tui.text import one_line
from pepper_tui.text.charsets import decoded
from pepper_tui.text.errors import Foreseen
from pepper_tui.text.web_address import led_to, origin, same_site, target
from pepper_tui.tools.errors import NotDoneError, ReportedFailureError

if TYPE_CHECKING:
    import httpcore2

Resolve = Callable[[str, int], Awaitable[list[str]]]
"""Host and port -> numeric addresses. Raises ``OSError`` if there are none."""

_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_HEADERS: Final = (
    ("User-Agent", "Pepper"),
    ("Accept", "text/html, text/plain, application/json, application/xhtml+xml, text/*;q=0.9, */*;q=0.1"),
    ("Accept-Encoding", "gzip"),
    ("Connection", "close"),
)
_FORM: Final = (("Content-Type", "application/x-www-form-urlencoded"),)
_HTML: Final = frozenset({"text/html", "application/xhtml+xml"})
_TEXT: Final = re.compile(r"text/.*|application/(?:.*\+)?(?:json|xml|yaml|javascript|x-ndjson)|")
_META_CHARSET: Final = re.compile(rb"<meta[^>]{0,200}charset\s*=\s*[\"']?([a-z0-9_:.-]{1,40})", re.I)
_MARKS: Final = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_TRANSLATED: Final = (ipaddress.IPv6Network("64:ff9b::/96"),)
_INSIDE: Final = (  # services of clouds, at addresses that count as public
    ipaddress.IPv4Network("168.63.129.16/32"),
    ipaddress.IPv4Network("192.0.0.0/24"),
    ipaddress.IPv4Network("192.88.99.0/24"),  # relays to IPv6, deprecated
    ipaddress.IPv6Network("3fff::/20"),  # for documentation; Python's own table is older
)


@dataclass(frozen=True, slots=True)
class Limits:
    """``seconds`` for all of one fetch, redirects included; ``size`` in bytes, after decompression."""

    seconds: float = 20.0
    size: int = 2_000_000
    redirects: int = 5


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    headers: dict[str, str]
    body: bytes
    cut: bool


class _LostError(Exception, Foreseen):
    """The request was sent, but no complete answer came."""


async def system_resolve(host: str, port: int) -> list[str]:
    """Return the addresses that the system knows for ``host``."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(info[4][0]) for info in found))


def is_public(address: str) -> bool:
    """Check whether a numeric address is on the open internet, also for an IPv4 address embedded in it."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:  # a zone, say: fe80::1%eth0
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour
        if inner is None and any(ip in network for network in _TRANSLATED):
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
        if ip.is_site_local:  # deprecated, but still internal
            return False
    special = ip.is_multicast or ip.is_reserved or any(ip in network for network in _INSIDE)
    return ip.is_global and not special


class WebFetcher:
    """Fetches pages. ``private_hosts`` may be reached wherever they are."""

    def __init__(
        self, private_hosts: Collection[str] = (), limits: Limits | None = None, resolve: Resolve = system_resolve
    ) -> None:
        self._private = frozenset(host.lower().strip("[]") for host in private_hosts)
        self._limits = limits or Limits()
        self._resolve = resolve

    async def get(self, address: str) -> str:
        """Return the text of the page at the canonical ``address``, under a few lines of facts; words if it has none.

        Raises ``NotDoneError`` if no request was sent.
        """
        await asyncio.to_thread(__import__, "httpcore2")
        asked: list[str] = []
        try:
            async with asyncio.timeout(self._limits.seconds):
                return await self._follow(address, asked)
        except TimeoutError as error:
            words = f"it took longer than {self._limits.seconds:g} seconds"
            if not asked:
                raise NotDoneError(f"{words}.") from error
        except _LostError as error:
            words = str(error)
        return f"address: {address}\n\nThe page was asked for, but {words}."

    async def post(self, address: str, form: str) -> str:
        """Send ``form`` to the canonical ``address``, once, and return the answer's status; no redirect is followed.

        Raises ``NotDoneError`` if no request was sent, ``ReportedFailureError`` if the answer is a refusal; any other
        error leaves the outcome unknown.
        """
        await asyncio.to_thread(__import__, "httpcore2")
        asked: list[str] = []
        try:
            async with asyncio.timeout(self._limits.seconds):
                answer = await self._ask(address, asked, form.encode())
        except TimeoutError as error:
            words = f"it took longer than {self._limits.seconds:g} seconds"
            raise (_LostError(words) if asked else NotDoneError(f"{words}.")) from error
        if answer.status // 100 != 2:
            on = f", which leads on to {answer.headers['location']}" if "location" in answer.headers else ""
            raise ReportedFailureError(f"{origin(address)[1]} answered {answer.status}{one_line(on, 200)}")
        return str(answer.status)

    async def _follow(self, address: str, asked: list[str]) -> str:
        here = address
        for _ in range(self._limits.redirects + 1):
            try:
                answer = await self._ask(here, asked)
            except NotDoneError as error:
                if not asked:
                    raise
                raise _LostError(f"it led on to {here}: {error}".rstrip(".")) from error
            location = answer.headers.get("location", "")
            if answer.status not in _REDIRECTS or not location:
                return await asyncio.to_thread(_in_words, address, here, answer)
            try:
                after = led_to(here, location)
            except ValueError as error:
                raise _LostError(f"it led to what can't be followed: {error}") from error
            if not same_site(here, after):
                return (
                    f"address: {address}\nleads on to: {after}\n\n"
                    "That is another place and was not asked. To read it, call fetch_page with that address: "
                    "the user is asked first."
                )
            here = after
        raise _LostError(f"it led on more than {self._limits.redirects} times")

    async def _checked(self, host: str, port: int) -> str:
        """Return the numeric address to connect to. Raises ``NotDoneError``."""
        try:
            found = await self._resolve(host, port)
        except (OSError, UnicodeError) as error:
            raise NotDoneError(f"the host {host} is not known ({one_line(str(error), 120)}).") from error
        if not found:
            raise NotDoneError(f"the host {host} has no address.")
        if host not in self._private and (inside := [each for each in found if not is_public(each)]):
            raise NotDoneError(
                f"{host} is at {one_line(inside[0], 60)}, which is not on the open internet. "
                "If that is meant, name the host in tools.fetch.private_hosts of the config."
            )
        return found[0]

    async def _ask(self, address: str, asked: list[str], form: bytes | None = None) -> _Answer:
        import httpcore2

        scheme, host, port = origin(address)
        numeric = await self._checked(host, port)
        url = httpcore2.URL(
            scheme=scheme.encode(), host=host.encode(), port=port, target=target(address).encode("ascii")
        )
        head = [("Host", urlsplit(address).netloc), *_HEADERS, *(_FORM if form is not None else ())]
        head += [] if form is None else [("Content-Length", str(len(form)))]
        method = "GET" if form is None else "POST"

        async def trace(event: str, _: object) -> None:
            if event.endswith("send_request_headers.started"):  # from here on the host may have read it
                asked.append(address)

        try:
            async with (
                _connected(numeric) as pool,
                pool.stream(method, url, headers=head, content=form, extensions={"trace": trace}) as response,
            ):
                headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}
                if response.status in _REDIRECTS:
                    return _Answer(response.status, headers, b"", False)
                if not _TEXT.fullmatch(_kind(headers)):
                    return _Answer(response.status, headers, b"", False)
                return _Answer(response.status, headers, *await self._body(response, headers))
        except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
            where = f"{host} at {numeric}, port {port}"
            raise NotDoneError(f"no connection to {where}: {one_line(str(error) or 'refused', 160)}.") from error
        except (httpcore2.NetworkError, httpcore2.ProtocolError, httpcore2.TimeoutException, zlib.error) as error:
            words = f"the answer was lost ({one_line(str(error) or type(error).__name__, 120)})"
            raise _LostError(words) from error

    async def _body(self, response: httpcore2.Response, headers: dict[str, str]) -> tuple[bytes, bool]:
        """Return the body, decompressed, and whether it was cut. What is beyond the limit is not read."""
        coding = headers.get("content-encoding", "").strip().lower()
        if coding not in ("", "identity", "gzip", "x-gzip", "deflate"):
            raise _LostError(f"it is packed as {one_line(coding, 40)!r}, which can't be read")
        packed = coding not in ("", "identity")
        unpack = zlib.decompressobj(wbits=47) if packed else None  # gzip or zlib, by its header
        body = bytearray()
        async for chunk in response.aiter_stream():
            room = self._limits.size - len(body)
            body += unpack.decompress(chunk, room + 1) if unpack is not None else chunk[: room + 1]
            if len(body) > self._limits.size:
                return bytes(body[: self._limits.size]), True
        return bytes(body), unpack is not None and not unpack.eof


@asynccontextmanager
async def _connected(numeric: str) -> AsyncIterator[httpcore2.AsyncConnectionPool]:
    """Yield a pool that can only connect to ``numeric``. TLS must still prove the name in the request."""
    import httpcore2

    class Pinned(httpcore2.AnyIOBackend):
        async def connect_tcp(self, host: str, *args: Any, **options: Any) -> httpcore2.AsyncNetworkStream:
            return await super().connect_tcp(numeric, *args, **options)

        async def connect_unix_socket(self, *args: Any, **options: Any) -> httpcore2.AsyncNetworkStream:
            raise httpcore2.ConnectError("a socket file is no web server")

    async with httpcore2.AsyncConnectionPool(network_backend=Pinned(), max_connections=1) as pool:
        yield pool


def _kind(headers: dict[str, str]) -> str:
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def _in_words(asked: str, address: str, answer: _Answer) -> str:
    """Return the answer in words. Blocking: HTML is parsed."""
    kind = _kind(answer.headers)
    head = [f"address: {asked}"]
    if address != asked:
        head.append(f"led on to: {address}")
    if answer.status != 200:
        head.append(f"status: {answer.status}")
    head.append(f"type: {one_line(kind, 80) or 'not stated'}")
    if not _TEXT.fullmatch(kind):
        size = one_line(answer.headers.get("content-length", ""), 20)
        return "\n".join([*head, "", f"It is no text{f' ({size} bytes)' if size else ''}; only text is read."])
    notes = ["it was cut"] if answer.cut else []
    text = decoded(answer.body, _charset(answer), notes)
    if "\x00" in text[:4000]:
        return "\n".join([*head, "", "It is no text, whatever it says of itself; only text is read."])
    if kind in _HTML or (not kind and text.lstrip()[:15].lower().startswith(("<!doctype html", "<html"))):
        text = shown_text(text, notes)
    if notes:
        head.append(f"note: {'; '.join(dict.fromkeys(notes))}")
    return "\n".join([*head, "", text.strip() or "The page has no text."])


def _charset(answer: _Answer) -> str:
    for mark, name in _MARKS:
        if answer.body.startswith(mark):
            return name
    stated = re.search(r"charset\s*=\s*[\"']?([^\s;\"']{1,40})", answer.headers.get("content-type", ""), re.I)
    if stated:
        return stated[1]
    found = _META_CHARSET.search(answer.body[:2048]) if _kind(answer.headers) in _HTML else None
    return found[1].decode("ascii") if found else ""
