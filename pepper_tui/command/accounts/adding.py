"""`pepper accounts add`: find the settings of an address, show them, try the sign-in, and only then write anything.

Whatever is not given as an option is asked, if there is a terminal. A password is never an argument: other users of the
machine would see it.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from pepper_tui.clock import in_thread
from pepper_tui.command.accounts.keeping import keep, password
from pepper_tui.command.accounts.options import IMAP, Given, further_keys, must_agree
from pepper_tui.command.asking import asked, confirmed
from pepper_tui.command.launch import EXIT_CONFIG, LaunchError
from pepper_tui.command.output import show
from pepper_tui.setup.accounts.book import AccountBook
from pepper_tui.setup.accounts.finding import ask_domain, by_domain
from pepper_tui.setup.accounts.offers import Offer, OfferError, Server, address_of, domain_of, server
from pepper_tui.setup.accounts.providers import SECRETS
from pepper_tui.text import one_line

_READING: Final = {"tls": 993, "starttls": 143}
_SENDING: Final = {"tls": 465, "starttls": 587}
"""The usual port, by how the connection is made safe; the latter is also that of one that is not."""


async def add(home: Path, given: Given) -> int:
    """Add an account, to a new config if there is none; return the exit code."""
    must_agree(given, IMAP, None)
    keys = further_keys(given.settings, IMAP)
    book = AccountBook(home)
    with book.begun():
        return await _add(book, given, keys)


async def _add(book: AccountBook, given: Given, keys: dict[str, Any]) -> int:
    address = await _address(given)
    known = await in_thread(book.known_address, address, IMAP)
    if known and not given.ident:
        raise LaunchError(EXIT_CONFIG, f"account {known} has this address already; a second one needs its own --id")
    offer = await _offer(address, given)
    while True:
        for line in offer.lines():
            show(line)
        if not given.asks or confirmed("Are these the servers of your mail?", default=True):
            break
        offer = _typed(offer, sends=given.sends)
    ident = given.ident or await in_thread(book.free_id, address)
    ca = await in_thread(lambda: str(Path(given.ca).expanduser().absolute())) if given.ca else ""
    if offer.wants_ca and not ca and given.asks:
        ca = _prompt("The file with the certificate that it exported (empty: none)", "")
    table = _with(offer.table(ident, ca), keys)
    return await _keep(book, offer, table, given)


def _with(table: dict[str, Any], keys: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``table`` with further keys, those of its own tables one by one."""
    merged = dict(table)
    for name, value in keys.items():
        before = merged.get(name)
        merged[name] = _with(before, value) if isinstance(before, dict) and isinstance(value, Mapping) else value
    return merged


async def _keep(book: AccountBook, offer: Offer, table: dict[str, Any], given: Given) -> int:
    """Say which password it takes, and write the account once it works."""
    if given.token_command:
        table.pop("password", None)
        table["token_command"] = shlex.split(given.token_command)
    elif given.password_env:
        table["password"] = f"env:{given.password_env}"
    else:
        return await keep(book, table, given, lambda: _password(offer, given))
    return await keep(book, table, given, None)


async def _address(given: Given) -> str:
    if given.address:
        return address_of(given.address)
    if not given.asks:
        raise LaunchError(EXIT_CONFIG, "say which address: pepper accounts add you@example.org")
    while True:
        try:
            return address_of(_prompt("Your mail address", ""))
        except OfferError as error:
            show(error.words)


async def _offer(address: str, given: Given) -> Offer:
    """Return the settings: those given, else of the table, else of the domain if the user agrees, else typed."""
    offer = await in_thread(by_domain, address)
    domain = domain_of(address)
    if offer is None and not given.host:
        agreed = given.discover
        if given.asks and not agreed:
            show(f"{domain} is not in Pepper's table. It can be asked itself (DNS, and a file over HTTPS):")
            show("whoever runs it learns that somebody asked, not who.")
            agreed = confirmed(f"Ask {domain}?", default=True)
        offer = await ask_domain(address) if agreed else None
        if offer is None and agreed:
            show(f"{domain} says nothing of its mail servers.")
    if offer is None and not given.host:
        if not given.asks:
            words = (
                f"the servers of {domain} are not known: say --host (and --smtp-host), or --discover to ask {domain}"
            )
            raise LaunchError(EXIT_CONFIG, words)
        return _typed(_typed_already(address, given), sends=given.sends)
    return _with_options(offer or Offer(address, "given by you", None, user=address), given)


def _typed_already(address: str, given: Given) -> Offer:
    """Return what options say of an account whose server for reading is not known yet."""
    smtp = None
    if given.smtp_host:
        smtp = _server(given.smtp_host, given.smtp_port, given.smtp_security, None, _SENDING)
    return Offer(address, "typed by you", None, smtp, given.user or address, given.smtp_user)


def _with_options(offer: Offer, given: Given) -> Offer:
    """Return the offer with what the user gave in place of its own."""
    reading, sending = offer.imap, offer.smtp
    if given.host or given.port or given.security:
        reading = _server(given.host, given.port, given.security, reading, _READING)
    if given.smtp_host or given.smtp_port or given.smtp_security:
        sending = _server(given.smtp_host, given.smtp_port, given.smtp_security, sending, _SENDING)
    elif given.host and not given.smtp_host:
        sending = None
    if reading is None:
        raise OfferError(f"{offer.source} offers no IMAP for {offer.address}", offer.note)
    source = "given by you" if given.host else offer.source
    user, smtp_user = given.user or offer.user, given.smtp_user or offer.smtp_user
    note, ca = ("", False) if given.host else (offer.note, offer.wants_ca)
    return replace(
        offer,
        source=source,
        imap=reading,
        smtp=sending if given.sends else None,
        user=user,
        smtp_user=smtp_user,
        note=note,
        wants_ca=ca,
    )


def _server(host: str, port: int, security: str, known: Server | None, ports: dict[str, int]) -> Server:
    """Return the server that the user named, or the known one with what they said of it."""
    if not host and known is None:
        raise LaunchError(EXIT_CONFIG, f"say --{'smtp-' if ports is _SENDING else ''}host, too")
    if not security:  # a usual port says it, too
        by_port = next((each for each, usual in ports.items() if usual == port), "")
        security = by_port or (known.security if known and not host else "tls")
    same = known is not None and not host and security == known.security
    usual = known.port if known and same else ports.get(security, ports["starttls"])
    return server(host or (known.host if known else ""), port or usual, security)


def _typed(offer: Offer, *, sends: bool = True) -> Offer:
    """Ask for each setting; what is known stands in brackets."""

    def one(what: str, known: Server | None, host: str, ports: dict[str, int]) -> Server | None:
        name = _prompt(f"Server for {what}" + ("" if host else " (empty: none)"), known.host if known else host)
        if not name.strip():
            return None
        security = _prompt("  tls, starttls or none", known.security if known else "tls").strip().lower()
        port = _prompt("  port", str(known.port if known else ports.get(security, ports["starttls"])))
        if not port.isdecimal():
            raise OfferError(f"{one_line(port, 20)} is not a port: 1 to 65535")
        return server(name, int(port), security)

    domain = domain_of(offer.address)
    reading = _until_good(lambda: one("reading (IMAP)", offer.imap, f"imap.{domain}", _READING))
    asked = _until_good(lambda: one("sending (SMTP)", offer.smtp, "", _SENDING)) if sends else None
    user = _prompt("User", offer.user or offer.address).strip()
    return replace(offer, source="typed by you", imap=reading, smtp=asked, user=user, note="")


def _password(offer: Offer, given: Given) -> str:
    host = offer.imap.host if offer.imap else ""
    kind = offer.secret or SECRETS["own"]
    words = [f"It goes to {one_line(host, 260)} only. {kind[0].upper()}{kind[1:]}."]
    return password(given, *words, *([f"Where it is made: {offer.page}"] if offer.page else []))


def _prompt(words: str, default: str) -> str:
    return asked(words, default, shows_default=bool(default))


def _until_good(ask: Any) -> Any:
    while True:
        try:
            return ask()
        except OfferError as error:
            show(error.words)
