"""What a domain says of its mail servers in a file (the autoconfig of mail programs), read over HTTPS alone.

The file is outside text: it is bounded, must declare nothing, and only hosts, ports and security are taken from it.
"""

from __future__ import annotations

import xml.etree.ElementTree as Xml
from collections.abc import Awaitable, Callable
from typing import Final

from pepper_tui.setup.accounts.offers import Offer, OfferError, Server, domain_of, server

PATIENCE: Final = 6.0
"""Seconds for one file."""
LARGEST: Final = 100_000
_SAFETY: Final = {"SSL": "tls", "STARTTLS": "starttls"}
_USERS: Final = {"%EMAILADDRESS%": "address", "%EMAILLOCALPART%": "local"}
Get = Callable[[str], Awaitable[bytes]]
"""The bytes at an address; empty if there are none. Raises nothing."""


def places(domain: str) -> list[str]:
    """Return where a domain may have its file. The address itself is told to nobody."""
    return [
        f"https://autoconfig.{domain}/mail/config-v1.1.xml",
        f"https://{domain}/.well-known/autoconfig/mail/config-v1.1.xml",
    ]


async def by_autoconfig(address: str, get: Get) -> Offer | None:
    """Return what the domain's file offers."""
    domain = domain_of(address)
    for place in places(domain):
        if (source := await get(place)) and (offer := read(address, source, place)):
            return offer
    return None


def read(address: str, source: bytes, place: str) -> Offer | None:
    """Return the offer in a file; None if it holds none that Pepper could use."""
    if len(source) > LARGEST or b"<!" in source.replace(b"<!--", b""):  # entities could unpack to anything
        return None
    if b"\0" in source:  # in UTF-16 they would not be seen above
        return None
    try:
        root = Xml.fromstring(source)  # it declares nothing
    except (Xml.ParseError, ValueError):
        return None
    reading, user = _server(root, "incomingServer", "imap", address)
    if reading is None:
        return None
    sending, smtp_user = _server(root, "outgoingServer", "smtp", address)
    host = place.split("/")[2]
    return Offer(address, f"the file of {host}", reading, sending, user=user, smtp_user=smtp_user)


def _server(root: Xml.Element, name: str, kind: str, address: str) -> tuple[Server | None, str]:
    """Return the first encrypted server of a kind that takes a password, and the user to name there."""
    for each in root.iter(name):
        said = {child.tag: (child.text or "").strip() for child in each}
        ways = {(child.text or "").strip() for child in each if child.tag == "authentication"}
        if each.get("type") != kind or not ways <= {"", "password-cleartext", "plain", "password-encrypted"}:
            continue
        try:
            found = server(
                said.get("hostname", ""), int(said.get("port", "")), _SAFETY.get(said.get("socketType", ""), "")
            )
        except (OfferError, ValueError):
            continue
        local = _USERS.get(said.get("username", "")) == "local"
        return found, address.rpartition("@")[0] if local else address
    return None, ""
