"""Adding an account of any kind but IMAP, by what its connector declares: what is asked, and whether it signs in."""

from __future__ import annotations

import ipaddress
from contextlib import suppress
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from pepper_tui.clock import SystemClock, in_thread
from pepper_tui.command.accounts.keeping import keep, password, piped, written
from pepper_tui.command.accounts.options import Given, further_keys, must_agree
from pepper_tui.command.accounts.terminal_talk import TerminalTalk
from pepper_tui.command.asking import asked, confirmed
from pepper_tui.command.launch import EXIT_CONFIG, LaunchError
from pepper_tui.command.output import show
from pepper_tui.connectors.connector import Asked, Connector
from pepper_tui.connectors.registry import connector_of, offered
from pepper_tui.setup.accounts.book import AccountBook
from pepper_tui.setup.accounts.offers import address_of
from pepper_tui.setup.accounts.providers import SECRETS, place_by_domain
from pepper_tui.text import one_line

Json = dict[str, Any]
_OPTIONS: Final = {"url": "--url", "user": "--user", "password": "--password-stdin or --password-env NAME"}
_LONGEST_PLAIN: Final = 20  # characters of a part of an address that are no secret by their length


async def listed_kinds() -> int:
    """Print the kinds of accounts there are, and what each asks."""
    for kind, connector in await in_thread(offered):
        assert connector.adding is not None
        show(f"{kind:<16} {connector.adding.name}")
        keys = [each.key + ("" if each.needed else "?") for each in connector.adding.asks]
        show(
            f"{'':<16} pepper accounts add {_example(kind, connector)}"
            + (f"  (asks {', '.join(keys)})" if keys else "")
        )
    return 0


def _example(kind: str, connector: Connector) -> str:
    assert connector.adding is not None
    if not connector.adding.asks:
        return "you@example.org"
    return f"--kind {kind}"


async def chosen_kind() -> str:
    """Return the kind that the user chooses of a list."""
    kinds = await in_thread(offered)
    for number, (_, connector) in enumerate(kinds, 1):
        assert connector.adding is not None
        show(f"{number:>3}  {connector.adding.name}")
    while True:
        said = asked("Which", "1").strip()
        if said.isdecimal() and 1 <= int(said) <= len(kinds):
            return kinds[int(said) - 1][0]
        if said in (kind for kind, _ in kinds):
            return said
        show(f"say a number from 1 to {len(kinds)}")


async def add_other(home: Path, kind: str, given: Given) -> int:
    """Add an account of any kind, to a new config if there is none; return the exit code."""
    connector = await in_thread(connector_of, kind)
    must_agree(given, kind, connector.settings)
    keys = further_keys(given.settings, kind)
    book = AccountBook(home)
    with book.begun():
        return await _Adding(book, kind, connector, given, keys).add()


class _Adding:
    """One account that is being added."""

    def __init__(self, book: AccountBook, kind: str, connector: Connector, given: Given, keys: Json) -> None:
        self._book, self._kind, self._connector, self._given = book, kind, connector, given
        self._table: Json = {"id": given.ident, "kind": kind, **keys}
        self._secret = dict[str, str]()  # of keys that are kept as secrets, by key
        self._asks_password = False

    async def add(self) -> int:
        await self._take_options()
        adding = self._connector.adding
        if adding is not None and adding.hint and self._given.asks:
            show(adding.hint)
        for each in adding.asks if adding is not None else ():
            self._ask(each)
        ident = self._table["id"] = self._given.ident or await self._free_id()
        held = {f"{ident}_{key}": value for key, value in self._secret.items()}
        self._table |= {key: f"secret:{ident}_{key}" for key in self._secret}
        if self._asks_password:
            self._table["password"] = f"secret:{ident}"
        said = await self._book.sign_in(ident, SystemClock(), TerminalTalk(), extra=self._table, held=held)
        if said is not None:
            show(said)
            await written(self._book, self._table, held)
            return 0
        return await keep(self._book, self._table, self._given, self._password if self._asks_password else None, held)

    def _knows(self, key: str) -> bool:
        settings = self._connector.settings
        return settings is not None and key in settings.model_fields

    async def _take_options(self) -> None:
        given, table = self._given, self._table
        if given.address:
            address = address_of(given.address)
            known = await in_thread(self._book.known_address, address, self._kind)
            if known and not given.ident:
                words = f"account {known} has this address already; a second one needs its own --id"
                raise LaunchError(EXIT_CONFIG, words)
            if self._knows("address"):
                table["address"] = address
            elif place := await in_thread(place_by_domain, address, self._kind):
                table.setdefault("url", given.url or place)
                table.setdefault("user", given.user or address)
                show(f"{place} and the user {address}: by Pepper's table")
        if given.user:
            table["user"] = given.user
        if given.url == "-":
            self._secret["url"] = piped("address")
        elif given.url:
            table["url"] = given.url
        if given.ca:
            table["ca"] = await in_thread(lambda: str(Path(given.ca).expanduser().absolute()))
        if given.token_command:
            import shlex

            table["token_command"] = shlex.split(given.token_command)
        if given.password_env:
            table["password"] = f"env:{given.password_env}"
        self._asks_password = given.password_stdin

    def _ask(self, one: Asked) -> None:
        """Ask for a key that nothing has said yet. Raises ``LaunchError`` if nobody can answer and it is needed."""
        table, given = self._table, self._given
        there = one.key in table or one.key in self._secret or bool(one.unless and one.unless in table)
        if there or (one.key == "password" and (self._asks_password or "token_command" in table)):
            return
        if one.key == "password":
            self._asks_password = True
            return
        if not given.asks:
            if one.needed:
                option = _OPTIONS.get(one.key, f"--set {one.key}=…")
                raise LaunchError(EXIT_CONFIG, f"an account of kind {self._kind} needs {one.key}: say {option}")
            return
        said = asked(one.words, None if one.needed else "", shows_default=False).strip()
        if not said:
            return
        if one.secret == "always" or (one.secret == "maybe" and _is_secret(said)):
            self._secret[one.key] = said
        elif one.several:
            table[one.key] = [each.strip() for each in said.split(",") if each.strip()]
        else:
            table[one.key] = said

    async def _free_id(self) -> str:
        at = urlsplit(str(self._table.get("url") or self._secret.get("url", ""))).hostname or ""
        with suppress(ValueError):
            ipaddress.ip_address(at)
            at = ""
        address = str(self._table.get("address") or self._given.address or f"x@{at or self._kind}")
        return await in_thread(self._book.free_id, address)

    def _password(self) -> str:
        host = urlsplit(str(self._table.get("url", ""))).netloc or str(self._table.get("host", ""))
        kind = SECRETS["own"]
        return password(
            self._given,
            f"It goes to {one_line(host, 260)} only. {kind[0].upper()}{kind[1:]}, or one made for programs.",
        )


def _is_secret(address: str) -> bool:
    """Return what the user says; a long part that nobody would remember is taken for a secret unless they say no."""
    parts = [*urlsplit(address).path.replace("-", "/").split("/"), urlsplit(address).query]
    looks = any(len(each) > _LONGEST_PLAIN for each in parts)
    return confirmed("Is the address secret, as one that was made for you alone?", default=looks)
