"""The shipped table of large providers; looking something up in it asks nobody."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

from pepper_tui.setup.accounts.offers import Offer, Server, domain_of, server

SECRETS: Final = {
    "app": "a password made for programs (an app password), not that of the account",
    "own": "the password of the account",
    "bridge": "the password that Bridge shows for this account",
}


@dataclass(frozen=True, slots=True)
class Provider:
    """One provider; see ``providers.toml``."""

    name: str
    domains: tuple[str, ...]
    mx: tuple[str, ...]
    told: dict[str, Any]

    def offer(self, address: str) -> Offer:
        told = self.told
        local = address.rpartition("@")[0]
        user = local if told.get("user") == "local" else address
        return Offer(
            address,
            f"{self.name}, by Pepper's table of {table_date()}",
            _server(told.get("imap", "")),
            _server(told.get("smtp", "")),
            user=user,
            smtp_user=address if told.get("smtp_user") == "address" else "",
            secret=SECRETS[told["secret"]],
            page=told["page"],
            note=told.get("note", ""),
            wants_ca=bool(told.get("ca")),
        )


@cache
def providers() -> tuple[Provider, ...]:
    """Return all providers. Blocking."""
    return tuple(
        Provider(each["name"], tuple(each["domains"]), tuple(each.get("mx", ())), each) for each in _table()["provider"]
    )


def table_date() -> str:
    """Return the date of the table."""
    return str(_table()["date"])


def by_domain(address: str) -> Offer | None:
    """Return the offer of the provider whose domain the address has."""
    domain = domain_of(address)
    return next((each.offer(address) for each in providers() if domain in each.domains), None)


def place_by_domain(address: str, kind: str) -> str:
    """Return where the provider whose domain the address has keeps what accounts of ``kind`` read; empty if unknown."""
    domain = domain_of(address)
    return next((str(each.told[kind]) for each in providers() if domain in each.domains and kind in each.told), "")


def by_exchangers(address: str, exchangers: Sequence[str]) -> Offer | None:
    """Return the offer of the provider whose servers take the domain's mail."""
    for name in exchangers:
        host = "." + name.rstrip(".").lower()
        found = next((each for each in providers() if any(host.endswith(f".{suffix}") for suffix in each.mx)), None)
        if found is not None:
            return found.offer(address)
    return None


@cache
def _table() -> dict[str, Any]:
    return tomllib.loads((files("pepper_tui.setup.accounts") / "providers.toml").read_text(encoding="utf-8"))


def _server(words: str) -> Server | None:
    if not words:
        return None
    place, security = words.split()
    host, port = place.split(":")
    return server(host, int(port), security)
