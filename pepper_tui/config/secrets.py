"""Secrets by reference: ``env:NAME``, ``secret:NAME`` and the keyring; never in the config itself."""

from __future__ import annotations

import os
import re
import stat
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar
from urllib.parse import quote

from pepper_tui.boundary.plain_file import plain_text
from pepper_tui.config.base import REFERENCE_AT_END, SECRETS_FILE, SHORTEST_SECRET, ConfigError
from pepper_tui.config.in_clear import REFERENCE, in_clear


class Secrets:
    """Resolves a config's secrets: ``env:NAME`` from the environment, ``secret:NAME`` from ``secrets.toml``."""

    given: ClassVar[set[str]] = set()
    """Every value that was handed out in this process; no log may contain one."""

    @classmethod
    def without(cls, words: str) -> str:
        """Return ``words`` without handed-out values of at least six characters: shorter ones occur in any text."""
        for secret in sorted(cls.given, key=len, reverse=True):
            if len(secret) >= SHORTEST_SECRET:
                words = words.replace(secret, "[secret]")
        return words

    def __init__(self, home: Path, environment: dict[str, str] | None = None) -> None:
        self.home = home
        self._path = home / SECRETS_FILE
        self._environment = dict(os.environ) if environment is None else environment

    def value(self, name: str) -> str:
        """Return the value of a reference; empty if the environment has none.

        Raises ``ConfigError`` for a literal secret, an unknown one, or a file that others may read.
        """
        if not name:
            return ""
        kind, _, key = name.partition(":")
        if kind in ("env", "secret"):
            value = self._environment.get(key, "") if kind == "env" else self._from_file(key)
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

    def _from_file(self, key: str) -> str:
        try:
            mode = stat.S_IMODE(self._path.stat().st_mode)
        except FileNotFoundError as error:
            raise ConfigError([f"{self._path}: not there; create it with mode 0600 and a line {key} = …"]) from error
        if mode & 0o077:
            raise ConfigError([f"{self._path}: others may read it (mode {mode:04o}); run: chmod 600 {self._path}"])
        try:
            secrets = tomllib.loads(plain_text(self._path))
        except tomllib.TOMLDecodeError as error:
            raise ConfigError([f"{self._path}: {error}"]) from error
        except OSError as error:
            raise ConfigError([f"{self._path}: {error.strerror}"]) from error
        except UnicodeDecodeError as error:
            raise ConfigError([f"{self._path}: it is not UTF-8"]) from error
        if key not in secrets:
            raise ConfigError([f"{self._path}: has no {key}; add a line {key} = …"])
        return str(secrets[key])
