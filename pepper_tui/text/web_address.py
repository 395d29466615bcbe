"""Web addresses: one canonical spelling for each, and the ones in a text. File names are excluded: see ``ENDINGS``.

Every character of an address can carry data out, so two addresses are equal only if their spelling is. Only what the
protocol itself does not distinguish is normalised: the case of scheme and host, a default port, and a fragment, which
is never sent.
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
"""The only ports allowed below 1024: other services listen there, and some accept a request for their own protocol."""
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
"""Last labels that make a bare name a host: the common ones, without those that are also common file endings.

So "main.py", "setup.sh", "README.md", "Node.js" and "archive.zip" are no hosts; with https:// or www. in front, each
is.
"""
_WRITTEN: Final = re.compile(
    r"https?://[^\s<>\"\\`]{1,2000}|(?<![\w@./:-])(?:[\w-]{1,63}\.){1,8}[a-z]{2,24}(?::\d{1,5})?(?:[/?][^\s<>\"\\`]{0,2000})?",
    re.I,
)
_EDGE: Final = ".,;:!?)]}'\"*_/"
_MAX_EDGE: Final = 6


def canonical(address: str) -> str:
    """Return the one spelling of ``address``, in ASCII; without a scheme it becomes https.

    Raises ``ValueError`` with an explanation if it is not the address of a page, or holds a user or password.
    """
    given = address.strip()
    if len(given) > MAX_LENGTH:
        raise ValueError(f"it is longer than {MAX_LENGTH} characters")
    if not given or clean(given) != given or any(c.isspace() or c in '\\<>"' for c in given):
        raise ValueError("it is empty, or contains white space or characters that no address has")
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
        raise ValueError("it contains a user or a password")
    host = _host(parts.hostname or "")
    if port is not None and port not in _LOW_PORTS and port < 1024:
        raise ValueError(f"port {port} is not a port of web servers")
    where = f":{port}" if port is not None and port != _DEFAULT_PORTS[scheme] else ""
    query = f"?{quote(parts.query, safe=_KEPT + '?')}" if parts.query else ""
    return f"{scheme}://{host}{where}{quote(parts.path, safe=_KEPT) or '/'}{query}"


def _host(name: str) -> str:
    if ":" in name:
        try:
            return f"[{ipaddress.IPv6Address(name)}]"
        except ValueError as error:
            raise ValueError("its host is not a valid address") from error
    if not name.isascii():
        try:
            name = name.encode("idna").decode("ascii")
        except UnicodeError as error:
            raise ValueError("its host is not a valid name") from error
    name = name.lower().removesuffix(".")
    if not _HOST.fullmatch(name):
        raise ValueError("its host is not a valid name")
    return name


def origin(address: str) -> tuple[str, str, int]:
    """Return scheme, host and port of a canonical address."""
    parts = urlsplit(address)
    return parts.scheme, parts.hostname or "", parts.port or _DEFAULT_PORTS[parts.scheme]


def target(address: str) -> str:
    """Return path and query of a canonical address."""
    parts = urlsplit(address)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def led_to(address: str, location: str) -> str:
    """Return the address that a redirect from ``address`` leads to. Raises ``ValueError``."""
    return canonical(urljoin(address, location.strip()))


def same_site(before: str, after: str) -> bool:
    """Check whether a redirect stays on the same host and port, or goes from the host's http to its https."""
    return origin(before) == origin(after) or (
        origin(before)[::2] == ("http", 80) and origin(after) == ("https", origin(before)[1], 443)
    )


def addresses_in(text: str, host: str = "") -> Iterator[str]:
    """Yield the canonical addresses that ``text`` holds; only those that name ``host``, if it is given.

    Where an address ends is not always clear: "see https://a.org/x)." yields it with and without the possible
    punctuation.
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
    """Check whether the text can't be a file name."""
    lower = written.lower()
    if lower.startswith(("http://", "https://", "www.")):
        return True
    name = re.split(r"[:/?]", lower, maxsplit=1)[0]
    return name.rpartition(".")[2] in ENDINGS


def is_in(address: str, text: str) -> bool:
    """Check whether ``text`` holds the canonical ``address``."""
    host = origin(address)[1]
    if "xn--" in host or ":" in host:  # a host with another spelling
        host = ""
    return host in text.lower() and address in addresses_in(text, host)
