"""Web addresses: one spelling for each, and which of them a text holds. The name of a file is none: see ``ENDINGS``.

Every character of an address can carry something out, so two addresses are the same only where their spelling is.
What the protocol itself does not tell apart (the case of scheme and host, a default port, a fragment, which is never
sent) is levelled, and nothing else.
"""

from __future__ import annotations

import contextlib
import ipaddress
import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import quote, urljoin, urlsplit

from pepper_tui.text import clean

MAX_LENGTH: Final = 2000
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_LOW_PORTS: Final = frozenset(_DEFAULT_PORTS.values())
"""Below 1024 only these: other services listen there, and some take a request for their own protocol."""
_HOST: Final = re.compile(r"[a-z0-9_](?:[a-z0-9_.-]{0,252}[a-z0-9_])?")
_SCHEME: Final = re.compile(r"[a-z][a-z0-9+.-]*:", re.I)
_KEPT: Final = "!$&'()*+,;=:@/~%-._"
ENDINGS: Final = frozenset(
    {
        *("com", "org", "net", "edu", "gov", "mil", "int", "biz", "eu", "io", "co", "uk", "de", "at", "ch", "li"),
        *("fr", "be", "nl", "lu", "ie", "is", "it", "es", "dk", "se", "no", "fi", "ee", "lt", "lv", "cz", "sk", "hu"),
        *("si", "hr", "ro", "gr", "cy", "ua", "ru", "tr", "il", "za", "us", "ca", "mx", "jp", "kr", "cn", "hk", "tw"),
        *("sg", "th", "au", "nz"),
    }
)
"""What the last part of a bare name must be for it to be a host: of the usual ones, those that no usual file has. So
"main.py", "setup.sh", "README.md", "Node.js" and "archive.zip" are none; with https:// or www. before it each is."""
_WRITTEN: Final = re.compile(
    r"https?://[^\s<>\"\\`]{1,2000}|(?<![\w@./:-])(?:[\w-]{1,63}\.){1,8}[a-z]{2,24}(?::\d{1,5})?(?:[/?][^\s<>\"\\`]{0,2000})?",
    re.I,
)
_EDGE: Final = ".,;:!?)]}'\"*_/"
_MAX_EDGE: Final = 6


def canonical(address: str) -> str:
    """The one spelling of ``address``, in ASCII; one without a scheme is https.

    Raises ``ValueError`` with words for anything that is no address of a page, or holds a user or password.
    """
    given = address.strip()
    if len(given) > MAX_LENGTH:
        raise ValueError(f"it is longer than {MAX_LENGTH} characters")
    if not given or clean(given) != given or any(c.isspace() or c in '\\<>"' for c in given):
        raise ValueError("it is empty, or holds white space or characters that no address has")
    if not _SCHEME.match(given) or re.match(r"[\w.-]+:\d{1,5}(?:[/?#]|$)", given):
        given = f"https://{given}"
    try:
        parts = urlsplit(given)
        port = parts.port
    except ValueError as error:
        raise ValueError(f"it can't be read: {error}") from error
    scheme = parts.scheme.lower()
    if scheme not in _DEFAULT_PORTS:
        raise ValueError("only http and https are fetched")
    if "@" in parts.netloc:
        raise ValueError("it holds a user or a password")
    host = _host(parts.hostname or "")
    if port is not None and port not in _LOW_PORTS and port < 1024:
        raise ValueError(f"port {port} is not one of a web server")
    where = f":{port}" if port is not None and port != _DEFAULT_PORTS[scheme] else ""
    query = f"?{quote(parts.query, safe=_KEPT + '?')}" if parts.query else ""
    return f"{scheme}://{host}{where}{quote(parts.path, safe=_KEPT) or '/'}{query}"


def _host(name: str) -> str:
    if ":" in name:
        try:
            return f"[{ipaddress.IPv6Address(name)}]"
        except ValueError as error:
            raise ValueError("its host is no address") from error
    if not name.isascii():
        try:
            name = name.encode("idna").decode("ascii")
        except UnicodeError as error:
            raise ValueError("its host is no name") from error
    name = name.lower().removesuffix(".")
    if not _HOST.fullmatch(name):
        raise ValueError("its host is no name")
    return name


def origin(address: str) -> tuple[str, str, int]:
    """Scheme, host and port of a canonical address."""
    parts = urlsplit(address)
    return parts.scheme, parts.hostname or "", parts.port or _DEFAULT_PORTS[parts.scheme]


def target(address: str) -> str:
    """Path and query of a canonical address."""
    parts = urlsplit(address)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def led_to(address: str, location: str) -> str:
    """The address that a redirect from ``address`` names. Raises ``ValueError``."""
    return canonical(urljoin(address, location.strip()))


def same_site(before: str, after: str) -> bool:
    """Whether a redirect stays where it was asked: same host and port, or the host's https in place of its http."""
    return origin(before) == origin(after) or (
        origin(before)[::2] == ("http", 80) and origin(after) == ("https", origin(before)[1], 443)
    )


def addresses_in(text: str, host: str = "") -> Iterator[str]:
    """The addresses that ``text`` holds, canonical; only those that name ``host``, where it is given.

    Where one ends is not always plain: "see https://a.org/x)." counts with and without what may be punctuation.
    """
    for match in _WRITTEN.finditer(clean(text)):
        written = match[0]
        if host not in written.lower() or not _names_host(written):
            continue
        for _ in range(_MAX_EDGE + 1):
            with contextlib.suppress(ValueError):
                yield canonical(written)
            if written[-1:] not in _EDGE:
                break
            written = written[:-1]


def _names_host(written: str) -> bool:
    """Whether it can't be the name of a file."""
    lower = written.lower()
    if lower.startswith(("http://", "https://", "www.")):
        return True
    name = re.split(r"[:/?]", lower, maxsplit=1)[0]
    return name.rpartition(".")[2] in ENDINGS


def is_in(address: str, text: str) -> bool:
    """Whether ``text`` holds the canonical ``address``."""
    host = origin(address)[1]
    if "xn--" in host or ":" in host:  # which may be written otherwise
        host = ""
    return host in text.lower() and address in addresses_in(text, host)
