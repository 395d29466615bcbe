"""Settings of an account that a table, a domain or the user offers; nothing of it is used before the user agreed."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from pepper_tui.config.secret.in_clear import is_this_machine
from pepper_tui.text import one_line
from pepper_tui.text.errors import Foreseen, PepperError

Security = Literal["tls", "starttls", "none"]
_HOST: Final = re.compile(
    r"(?=.{1,253}$)(?:[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9])?)(?:\.[A-Za-z0-9_-]{1,63})*\.?"
)
_SAFETY: Final = {"tls": "TLS", "starttls": "STARTTLS", "none": "not encrypted"}


class OfferError(PepperError, Foreseen, ValueError):
    """What was typed or found can't be an account's settings."""


@dataclass(frozen=True, slots=True)
class Server:
    """One server, and how the connection to it is made safe."""

    host: str
    port: int
    security: Security

    @property
    def words(self) -> str:
        return f"{one_line(self.host, 260)}:{self.port} ({_SAFETY[self.security]})"


@dataclass(frozen=True, slots=True)
class Offer:
    """Settings for ``address``. ``source`` says whose word they are; ``imap`` is None where none is offered."""

    address: str
    source: str
    imap: Server | None
    smtp: Server | None = None
    user: str = ""
    smtp_user: str = ""
    secret: str = ""
    page: str = ""
    note: str = ""
    wants_ca: bool = False

    def lines(self) -> list[str]:
        """Return the offer for the user, hosts first."""
        said = [
            f"reading   {self.imap.words}" if self.imap else "reading   not offered",
            f"sending   {self.smtp.words}" if self.smtp else "sending   off",
            f"user      {one_line(self.user or self.address, 200)}",
            f"source    {one_line(self.source, 300)}",
        ]
        return said + ([f"note      {one_line(self.note, 300)}"] if self.note else [])

    def table(self, ident: str, ca: str = "") -> dict[str, Any]:
        """Return the ``[[account]]`` of these settings; the password is named after the account."""
        if self.imap is None:
            raise OfferError(f"{self.source} offers no IMAP for {self.address}", self.note)
        table: dict[str, Any] = {"id": ident, "kind": "imap", "address": self.address, "host": self.imap.host}
        if self.imap.port != {"tls": 993, "starttls": 143, "none": 143}[self.imap.security]:
            table["port"] = self.imap.port
        if self.imap.security != "tls":
            table["security"] = self.imap.security
        if self.user and self.user != self.address:
            table["user"] = self.user
        table["password"] = f"secret:{ident}"
        if ca:
            table["ca"] = ca
        if self.smtp is not None:
            smtp: dict[str, Any] = {"host": self.smtp.host, "port": self.smtp.port, "security": self.smtp.security}
            if self.smtp_user and self.smtp_user != (self.user or self.address):
                smtp["user"] = self.smtp_user
            table["smtp"] = smtp
        return table

    def with_server(self, **changes: Any) -> Offer:
        return replace(self, **changes)


def server(host: str, port: int, security: str) -> Server:
    """Return a server from words of the user or of others. Raises ``OfferError``."""
    name = host.strip().rstrip(".")
    if not _HOST.fullmatch(name):
        raise OfferError(f"{one_line(host, 60)!r} is not the name of a server")
    if not 0 < port < 65536:
        raise OfferError(f"{port} is not a port: 1 to 65535")
    if security not in _SAFETY:
        raise OfferError(f"{one_line(security, 20)!r} is not one of tls, starttls, none")
    if security == "none" and not is_this_machine(name):
        raise OfferError(f"the password would go unencrypted to {name}; none is for this machine alone")
    return Server(name, port, security)  # type: ignore[arg-type]


def address_of(words: str) -> str:
    """Return the address that the user typed. Raises ``OfferError``."""
    address = words.strip()
    local, at, domain = address.rpartition("@")
    if not (local and at) or any(each.isspace() for each in address) or not _HOST.fullmatch(_ascii(domain)):
        raise OfferError(f"{one_line(words, 60)!r} is not a mail address; write it as you@example.org")
    return address


def domain_of(address: str) -> str:
    """Return the domain of an address as DNS knows it."""
    return _ascii(address.rpartition("@")[2]).lower()


def _ascii(domain: str) -> str:
    try:
        return domain.encode("idna").decode("ascii") if not domain.isascii() else domain
    except UnicodeError:
        return ""
