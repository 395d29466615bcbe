"""The options of `pepper accounts add`, and what they say together: none of them is ignored in silence."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from pepper_tui.command.launch import EXIT_CONFIG, LaunchError
from pepper_tui.config import Section
from pepper_tui.text import one_line

IMAP: Final = "imap"
_OWN_OPTIONS: Final = {
    "id": "--id",
    "kind": "--kind",
    "address": "the address itself",
    "host": "--host",
    "port": "--port",
    "security": "--security",
    "user": "--user",
    "ca": "--ca",
    "smtp": "--smtp-host",
    "password": "--password-stdin or --password-env",
    "token_command": "--token-command",
}
"""Keys of an account that have an option of their own."""
_FOR_ALL: Final = ("id", "kind", "address")


@dataclass(frozen=True, slots=True)
class Given:
    """What the user gave as options; empty is not given."""

    address: str = ""
    ident: str = ""
    host: str = ""
    port: int = 0
    security: str = ""
    user: str = ""
    smtp_host: str = ""
    smtp_port: int = 0
    smtp_security: str = ""
    smtp_user: str = ""
    sends: bool = True
    ca: str = ""
    password_env: str = ""
    password_stdin: bool = False
    discover: bool = False
    yes: bool = False
    tests: bool = True
    token_command: str = ""
    settings: tuple[str, ...] = ()
    url: str = ""

    @property
    def names_servers(self) -> bool:
        """Whether it says by itself that it is mail at a server."""
        return bool(self.address or self.host)

    @property
    def asks(self) -> bool:
        """Whether somebody can answer."""
        return not self.yes and sys.stdin.isatty() and sys.stdout.isatty()


def must_agree(given: Given, kind: str, settings: type[Section] | None) -> None:
    """Raise ``LaunchError`` for options that would be ignored, with what to say instead.

    ``settings`` are those of the kind: an option for one of its keys is taken.
    """
    keys = settings.model_fields if settings is not None else {}
    used = [(name, key) for name, (said, key) in _named(given).items() if said]
    if unused := [name for name, key in used if (key not in keys if kind != IMAP else key == "url")]:
        takes = "--host" if kind == IMAP else "--set KEY=VALUE"
        words = f"{', '.join(unused)}: not for an account of kind {one_line(kind, 30)}, which takes {takes}"
        raise LaunchError(EXIT_CONFIG, words)
    sending = [name for name in ("smtp_host", "smtp_port", "smtp_security", "smtp_user") if getattr(given, name)]
    first = f"--{sending[0].replace('_', '-')}" if sending else ""
    if first and not given.sends:
        raise LaunchError(EXIT_CONFIG, f"{first} and --no-smtp contradict each other: leave one out")
    if first and given.host and not given.smtp_host:
        raise LaunchError(EXIT_CONFIG, f"{first} is for which server? With --host, say --smtp-host, too")
    if given.password_stdin and given.password_env:
        raise LaunchError(EXIT_CONFIG, "--password-stdin and --password-env contradict each other: leave one out")
    if given.token_command and (given.password_stdin or given.password_env):
        raise LaunchError(EXIT_CONFIG, "--token-command stands in place of a password: leave one out")
    if given.discover and given.host:
        raise LaunchError(EXIT_CONFIG, "--discover asks the domain for what --host already says: leave one out")


def _named(given: Given) -> dict[str, tuple[bool, str]]:
    """Return each option: whether it was given, and its key; those without one are for IMAP alone."""
    return {
        "--host": (bool(given.host), ""),
        "--port": (bool(given.port), ""),
        "--security": (bool(given.security), ""),
        "--user": (bool(given.user), "user"),
        "--url": (bool(given.url), "url"),
        "--smtp-host": (bool(given.smtp_host), ""),
        "--smtp-port": (bool(given.smtp_port), ""),
        "--smtp-security": (bool(given.smtp_security), ""),
        "--smtp-user": (bool(given.smtp_user), ""),
        "--no-smtp": (not given.sends, ""),
        "--ca": (bool(given.ca), "ca"),
        "--password-stdin": (given.password_stdin, "password"),
        "--password-env": (bool(given.password_env), "password"),
        "--token-command": (bool(given.token_command), "token_command"),
        "--discover": (given.discover, ""),
    }


def further_keys(settings: Sequence[str], kind: str) -> dict[str, Any]:
    """Return the keys given by ``--set``; one that is given several times is a list. Raises ``LaunchError``."""
    found: dict[str, Any] = {}
    for each in settings:
        key, equals, value = each.partition("=")
        if not equals or not key:
            raise LaunchError(EXIT_CONFIG, f"{one_line(each, 60)}: write it as KEY=VALUE")
        if key in _OWN_OPTIONS and (kind == IMAP or key in _FOR_ALL):
            raise LaunchError(EXIT_CONFIG, f"--set {key}: say {_OWN_OPTIONS[key]}")
        *tables, name = key.split(".")
        inner = found
        for table in tables:
            inner = inner.setdefault(table, {})
            if not isinstance(inner, dict):
                raise LaunchError(EXIT_CONFIG, f"--set {one_line(key, 60)}: {one_line(table, 40)} has a value already")
        said = _value(value)
        inner[name] = [*_listed(inner[name]), *_listed(said)] if name in inner else said
    return found


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _value(words: str) -> Any:
    """Return a number, a truth value, a list or a quoted text as TOML has it; anything else is a text as it stands."""
    try:
        return tomllib.loads(f"value = {words}")["value"]
    except (tomllib.TOMLDecodeError, RecursionError):
        return words
