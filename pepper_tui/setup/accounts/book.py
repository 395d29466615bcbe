"""The accounts of a home: listed, added, signed in, paused, removed. All of it blocks but the sign-in.

A running engine reads its config at the start; whoever calls says so, or starts it anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pepper_tui.boundary.new_file import new_file
from pepper_tui.boundary.plain_file import plain_text
from pepper_tui.boundary.secret_keeper import FILES, KEYRING, keeper_of
from pepper_tui.clock import Clock, in_thread
from pepper_tui.config import FEED_NAMES, Account, Config, ConfigError, Secrets, load_config
from pepper_tui.config.secret.in_clear import REFERENCE
from pepper_tui.connectors.connector import Built, Connector, Holds, Talk
from pepper_tui.connectors.registry import Named, connector_of
from pepper_tui.home import make_private
from pepper_tui.setup.accounts.tables import (
    account_id,
    change_config,
    unknown_account,
    with_account,
    with_key,
    without_account,
)
from pepper_tui.setup.accounts.trying import account_of
from pepper_tui.text import one_line

_BEGUN = "# Pepper's config; `pepper config example` prints every key there is.\n"
PLACES = {KEYRING: "the system's keyring", FILES: "a file in the home that only you can read", "": "secrets.toml"}


@dataclass(frozen=True, slots=True)
class AccountRow:
    """One account, for a list. ``where`` is its server, folder or file; ``sends`` is None where it is none of mail.

    ``rests``: what is not done while it is paused; ``held``: what it has brought; ``secrets``: whether it has any.
    """

    id: str
    kind: str
    address: str
    where: str
    paused: bool
    sends: bool | None
    rests: str
    held: str
    holds: tuple[Holds, ...]
    secrets: bool

    @property
    def stays(self) -> str:
        """What removing it leaves, in words."""
        return "its mail stays" if self.held == "mail" else f"{self.held} stays"

    @property
    def words(self) -> str:
        told = [self.kind, self.address, self.where, "does not send" if self.sends is False else ""]
        return " · ".join(one_line(each, 120) for each in [*told, "paused" if self.paused else ""] if each)


class AccountBook:
    """The accounts in the config of ``home``."""

    def __init__(self, home: Path) -> None:
        self.home = home

    @contextmanager
    def begun(self) -> Iterator[None]:
        """Have a config while the first account is added; without an account in it, it goes again. Blocking."""
        path = self.home / "config.toml"
        make_private(self.home)
        made = not path.exists()
        if made:
            with new_file(path) as file:
                file.write(_BEGUN)
        try:
            yield
        finally:
            if made and path.read_text(encoding="utf-8") == _BEGUN:
                path.unlink()

    def rows(self) -> list[AccountRow]:
        """Return the accounts, as the config names them. Raises ``ConfigError``, ``FileNotFoundError``."""
        return [_row(each) for each in load_config(self.home).account]

    def row(self, ident: str) -> AccountRow:
        rows = self.rows()
        found = next((each for each in rows if each.id == ident), None)
        if found is None:
            raise unknown_account(ident, [each.id for each in rows])
        return found

    def free_id(self, address: str) -> str:
        """Return an id for a new account of this address."""
        config = load_config(self.home)
        names = [each.id for each in config.account] + [each.name for each in config.feed]
        names += [each.name for each in config.exec]
        return account_id(address, frozenset(names) | FEED_NAMES)

    def known_address(self, address: str, kind: str) -> str:
        """Return the id of the account of this address that holds what one of ``kind`` does; empty if there is none."""
        wanted, holds = address.casefold(), tuple(connector_of(kind).holds)
        return next((row.id for row in self.rows() if row.address.casefold() == wanted and row.holds == holds), "")

    def add(self, table: Mapping[str, Any], secrets: Mapping[str, str]) -> str:
        """Keep the secrets and write the account into the config; return where the secrets are.

        The secrets go first: an account without one is trouble, a secret without an account is removed again.
        """
        keeper = keeper_of(self.home)
        places = {keeper.put(name, value) for name, value in secrets.items()}
        try:
            change_config(self.home, lambda source: with_account(source, table))
        except BaseException:
            for name in secrets:
                keeper.remove(name)
            raise
        return " and ".join(PLACES[each] for each in sorted(places))

    def pause(self, ident: str, *, paused: bool) -> bool:
        """Pause the account or let it go on; return whether that changed anything."""
        if self.row(ident).paused == paused:
            return False
        change_config(self.home, lambda source: with_key(source, ident, "paused", value=paused))
        return True

    async def remove(self, ident: str) -> str:
        """Give the sign-in back, take the account out of the config, and forget its secrets; return what was done."""
        one, account = await in_thread(self._one, ident)
        said = ""
        if one is not None and one.connector.sign_out is not None:
            said = await one.connector.sign_out(one.settings, self.home, Secrets(self.home))
        return await in_thread(self._taken_out, account, said)

    async def sign_in(
        self,
        ident: str,
        clock: Clock,
        talk: Talk,
        *,
        extra: Mapping[str, Any] | None = None,
        held: Mapping[str, str] | None = None,
    ) -> str | None:
        """Sign in by the connector's own way; None if it has none, and takes a password.

        ``extra`` is an account that is not in the config yet, ``held`` are secrets that are not kept yet.
        """
        one = await in_thread(account_of, self.home, ident, extra)
        if one.connector.sign_in is None:
            return None
        return await one.connector.sign_in(one.settings, self.home, Secrets(self.home, held=held), clock, talk)

    def keep(self, name: str, value: str) -> str:
        """Keep a secret; return where."""
        return PLACES[keeper_of(self.home).put(name, value)]

    def secrets_of(self, ident: str) -> dict[str, str]:
        """Return the names of the account's secrets, each with where it is."""
        keeper = keeper_of(self.home)
        [account] = [each for each in load_config(self.home).account if each.id == ident]
        return {name: keeper.place(name) for name in _secret_names(account.own)}

    def move(self, ident: str, to: str) -> list[str]:
        """Move the account's secrets to the keyring or to files; return the names of those moved."""
        self.row(ident)
        keeper = keeper_of(self.home)
        moved = []
        for name, place in self.secrets_of(ident).items():
            if not place:  # in secrets.toml, which is the user's
                keeper.put(name, Secrets(self.home).value(f"secret:{name}"))
            if place != to:
                keeper.move(name, to)
                moved.append(name)
        return moved

    def kept_secret(self, ident: str) -> tuple[str, str]:
        """Return which secret of the account's signing in again renews, in words, and its name.

        Raises ``ConfigError`` if there is none, with the keys that say how it signs in.
        """
        [account] = [each for each in load_config(self.home).account if each.id == ident]
        own = account.own
        sending = own.get("smtp")
        smtp = sending.get("password", "") if isinstance(sending, dict) else ""
        ways = {"password": own.get("password") or smtp, **{key: own.get(key) for key in _also_secret(account.kind)}}
        for key, said in ways.items():
            if str(said).startswith("secret:"):
                words = "password" if key == "password" else _also_secret(account.kind)[key]
                return words, str(said).removeprefix("secret:")
        known = connector_of(account.kind).settings
        keys = [
            key
            for key in ("password", "token_command", *_also_secret(account.kind))
            if known and key in known.model_fields
        ]
        if not keys:
            raise ConfigError([f"there is nothing to sign in to: {ident} is read from this machine"])
        raise ConfigError([f"Pepper keeps no password of {ident}: see {' or '.join(keys)} of its table in config.toml"])

    def _one(self, ident: str) -> tuple[Named | None, Account]:
        self.row(ident)
        [account] = [each for each in load_config(self.home).account if each.id == ident]
        try:
            return account_of(self.home, ident), account
        except ConfigError:  # an account that can't be used must still be removable
            return None, account

    def _taken_out(self, account: Account, said: str) -> str:
        change_config(self.home, partial(without_account, ident=account.id))
        keeper = keeper_of(self.home)
        used = _all_secret_names(load_config(self.home))
        forgotten = [name for name in _secret_names(account.own) if name not in used]
        left = [name for name in forgotten if name in _written(self.home)]
        for name in forgotten:
            keeper.remove(name)
        words = [said] if said else []
        if left:
            words.append(f"take {', '.join(left)} out of {self.home / 'secrets.toml'} yourself: that file is yours")
        return "; ".join(words)


def _row(account: Account) -> AccountRow:
    own = account.own
    url = str(own.get("url", ""))
    at = "a secret address" if REFERENCE.fullmatch(url) else urlsplit(url).netloc
    where = str(own.get("host") or own.get("path") or at or _listed(own.get("paths")))
    try:
        connector = connector_of(account.kind)
    except ConfigError:  # also an account that can't be used is listed, and can be removed
        connector = Connector(lambda _settings, _around: Built())
    sends = bool(own.get("smtp")) or connector.sign_in is not None if "mail" in connector.holds else None
    whose = str(own.get("address") or (own.get("user", "") if at else ""))
    secrets = bool(_secret_names(own)) or connector.sign_in is not None
    return AccountRow(
        account.id,
        account.kind,
        whose,
        where,
        account.paused,
        sends,
        connector.rests,
        connector.held,
        tuple(connector.holds),
        secrets,
    )


def _also_secret(kind: str) -> dict[str, str]:
    """Return the keys besides the password that an account of this kind may keep as a secret, with their words."""
    adding = connector_of(kind).adding
    asked = adding.asks if adding is not None else ()
    return {
        each.key: each.words.partition(",")[0].lower()
        for each in asked
        if each.secret != "never" and each.key != "password"
    }


def _listed(paths: Any) -> str:
    return ", ".join(map(str, paths)) if isinstance(paths, list) else str(paths or "")


def _secret_names(value: Any) -> list[str]:
    """Return the names of all secrets that a value refers to, each once."""
    if isinstance(value, str):
        return [each.removeprefix("secret:") for each in REFERENCE.findall(value) if each.startswith("secret:")]
    inner = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    return list(dict.fromkeys(name for each in inner for name in _secret_names(each)))


def _all_secret_names(config: Config) -> frozenset[str]:
    return frozenset(_secret_names(config.model_dump()))


def _written(home: Path) -> frozenset[str]:
    """Return the names in ``secrets.toml``, as far as it can be read."""
    import tomllib

    try:
        return frozenset(tomllib.loads(plain_text(home / "secrets.toml")))
    except (OSError, ValueError):
        return frozenset()
