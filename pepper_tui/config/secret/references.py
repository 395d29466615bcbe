"""Secrets by reference: ``env:NAME``, ``secret:NAME`` and the keyring; never in the config itself."""

from __future__ import annotations

import os
import re
import stat
import tomllib
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import ClassVar
from urllib.parse import quote

from pepper_tui.boundary.plain_file import plain_text
from pepper_tui.boundary.secret_keeper import HomeKeeper, KeeperError, keeper_of
from pepper_tui.config.base import REFERENCE_AT_END, SHORTEST_SECRET, ConfigError
from pepper_tui.config.secret.in_clear import REFERENCE, in_clear
from pepper_tui.home import SECRETS_FILE


class Secrets:
    """Resolves a config's secrets: ``env:NAME`` from the environment, ``secret:NAME`` from where the home keeps it.

    That is ``secrets.toml``, which the user writes, else the keeper, into which Pepper writes.
    """

    given: ClassVar[set[str]] = set()
    """Every value that was handed out in this process; no log may contain one."""

    @classmethod
    def without(cls, words: str) -> str:
        """Return ``words`` without handed-out values of at least six characters: shorter ones occur in any text."""
        for secret in sorted(cls.given, key=len, reverse=True):
            if len(secret) >= SHORTEST_SECRET:
                words = words.replace(secret, "[secret]")
        return words

    def __init__(
        self,
        home: Path,
        environment: dict[str, str] | None = None,
        *,
        held: Mapping[str, str] | None = None,
        keeper: HomeKeeper | None = None,
    ) -> None:
        """Create the resolver. ``held``: secrets by name that are to be tried before they are kept anywhere."""
        self.home = home
        self.keeper = keeper or keeper_of(home)
        self._path = home / SECRETS_FILE
        self._environment = dict(os.environ) if environment is None else environment
        self._held = dict(held or {})

    def warm(self, tree: object) -> None:
        """Ask the keyring for all that ``tree`` (a config) refers to, so that no later look waits for it. Blocking."""
        for name in sorted(_references(tree)):
            with suppress(ConfigError):  # told where it is used
                self._kept(name)

    def value(self, name: str) -> str:
        """Return the value of a reference; empty if the environment has none.

        Raises ``ConfigError`` for a literal secret, an unknown one, or a file that others may read.
        """
        if not name:
            return ""
        kind, _, key = name.partition(":")
        if kind in ("env", "secret"):
            value = self._environment.get(key, "") if kind == "env" else self._kept(key)
            self.given.add(value)
            return value
        raise ConfigError(
            ["the config itself contains a secret; write env:NAME, or secret:NAME and put it in secrets.toml"]
        )

    def filled(self, text: str) -> str:
        """Return ``text`` with a reference at its end replaced by its value: ``Bearer env:TOKEN``.

        Raises ``ConfigError``, also if the environment does not have this variable.
        """
        found = REFERENCE_AT_END.search(text)
        if found is None:
            return text
        value = self.value(found[0])
        if not value:
            raise ConfigError([f"{found[0]}: the environment does not have this variable"])
        return text[: found.start()] + value

    def all_filled(self, values: Mapping[str, str]) -> dict[str, str]:
        """Return ``values`` by name, each ``filled``. Raises ``ConfigError``."""
        return {name: self.filled(value) for name, value in values.items()}

    def in_url(self, url: str) -> str:
        """Return ``url`` with each reference in it replaced by its quoted value. Raises ``ConfigError``."""

        def value(found: re.Match[str]) -> str:
            quoted = quote(self.filled(found[0]), safe="")
            self.given.add(quoted)
            return quoted

        return REFERENCE.sub(value, url)

    def key_for(self, name: str, url: str) -> str:
        """Return the value of the key ``name`` for the server at ``url``.

        Raises ``ConfigError`` as ``value`` does, and if the key would go to another machine unencrypted.
        """
        value = self.value(name)
        if value and (host := in_clear(url)):
            raise ConfigError(
                [f'{name} would go unencrypted to {host}; use https://, or set api_key = "" if it needs no key']
            )
        return value

    def _kept(self, key: str) -> str:
        if key in self._held:
            return self._held[key]
        written = self._written()
        if written is not None and key in written:
            return str(written[key])
        try:
            kept = self.keeper.read(key)
        except KeeperError as error:
            remedy = f"; {error.remedy}" if error.remedy else ""
            raise ConfigError([f"secret:{key}: {error.words}{remedy}"]) from None
        if kept is not None:
            return kept
        if written is None:
            raise ConfigError([f"{self._path}: not there; create it with mode 0600 and a line {key} = …"])
        raise ConfigError([f"{self._path}: has no {key}; add a line {key} = …"])

    def _written(self) -> dict[str, object] | None:
        """Return what ``secrets.toml`` holds; None if it is not there."""
        try:
            mode = stat.S_IMODE(self._path.stat().st_mode)
            if mode & 0o077:
                raise ConfigError([f"{self._path}: {open_to_others(mode)}; run: chmod 600 {self._path}"])
            return tomllib.loads(plain_text(self._path))
        except FileNotFoundError:
            return None
        except tomllib.TOMLDecodeError as error:
            raise ConfigError([f"{self._path}: {error}"]) from None
        except OSError as error:
            raise ConfigError([f"{self._path}: {error.strerror}"]) from error
        except UnicodeDecodeError as error:
            raise ConfigError([f"{self._path}: it is not UTF-8"]) from error


def _references(tree: object) -> set[str]:
    """Return the names of all ``secret:NAME`` in a tree of settings."""
    if isinstance(tree, str):
        return {found.removeprefix("secret:") for found in REFERENCE.findall(tree) if found.startswith("secret:")}
    each = tree.values() if isinstance(tree, Mapping) else tree if isinstance(tree, list | tuple) else ()
    return {name for inner in each for name in _references(inner)}


def open_to_others(mode: int) -> str:
    """Say that a file of this mode is no place for a secret."""
    return f"others may read it (mode {mode:04o})"
