"""What a domain says of its mail servers in DNS: SRV records (RFC 6186), and the servers that take its mail (MX).

It is asked only after the user agreed to ask this domain. What comes back is a stranger's word: its hosts are shown
before a password is asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from pepper_tui.setup.accounts.offers import Offer, OfferError, Server, domain_of, server

if TYPE_CHECKING:
    from dns.resolver import Resolver

PATIENCE: Final = 4.0
"""Seconds for one answer."""
_READING: Final = (("_imaps._tcp", "tls"), ("_imap._tcp", "starttls"))
_SENDING: Final = (("_submissions._tcp", "tls"), ("_submission._tcp", "starttls"))
Ask = Callable[[str, str], list[Any]]
"""The records of a name and a type. Blocking; an empty list if there are none."""


def asking(resolver: Resolver | None = None) -> Ask:
    """Return how DNS is asked: with the system's resolver, or with this one. Blocking: imports the library."""
    import dns.exception
    import dns.resolver

    try:
        asked = resolver or dns.resolver.Resolver()
    except dns.resolver.NoResolverConfiguration:
        return lambda name, kind: []

    def ask(name: str, kind: str) -> list[Any]:
        try:
            return [*asked.resolve(name, kind, lifetime=PATIENCE)]
        except dns.exception.DNSException:
            return []

    return ask


def by_records(address: str, ask: Ask) -> Offer | None:
    """Return what the domain offers by SRV records. Blocking."""
    domain = domain_of(address)
    reading = _first(domain, _READING, ask)
    if reading is None:
        return None
    return Offer(address, f"the SRV records of {domain}", reading, _first(domain, _SENDING, ask), user=address)


def exchangers(address: str, ask: Ask) -> list[str]:
    """Return the servers that take the domain's mail, the first one first. Blocking."""
    found = sorted(ask(domain_of(address), "MX"), key=lambda each: int(each.preference))
    return [str(each.exchange) for each in found]


def _first(domain: str, services: tuple[tuple[str, str], ...], ask: Ask) -> Server | None:
    """Return the server to use first: by service, priority and weight. A target of ``.`` offers none."""
    for service, security in services:
        found = sorted(ask(f"{service}.{domain}", "SRV"), key=lambda each: (int(each.priority), -int(each.weight)))
        for each in found:
            try:
                return server(str(each.target), int(each.port), security)
            except OfferError:  # no host, or none that may be one
                continue
    return None
