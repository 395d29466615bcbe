"""Adds, changes and removes one ``[[account]]`` in the user's config; all else in the file stays as it is.

Each change is checked by its meaning: a text that would say anything else is not written, and the user is told to
change it by hand.
"""

from __future__ import annotations

import copy
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import tomlkit
from tomlkit.items import Table

from pepper_tui.boundary.plain_file import plain_bytes
from pepper_tui.config import CONFIG_FILE, ConfigError, parse_config
from pepper_tui.config.headers import headers
from pepper_tui.config.upgrade import replace_file

Json = dict[str, Any]
_LONGEST_ID: Final = 41


def account_id(address: str, taken: frozenset[str]) -> str:
    """Return an id for the account of ``address`` that is not ``taken``: the first word of its domain."""
    _, _, domain = address.rpartition("@")
    word = re.sub(r"[^a-z0-9_]+", "_", domain.split(".")[0].lower()).strip("_")
    word = (word if word[:1].isalpha() else f"mail_{word}".rstrip("_"))[: _LONGEST_ID - 3]
    names = [word, *(f"{word}_{number}" for number in range(2, 100))]
    return next(name for name in names if name not in taken)


def with_account(source: str, account: Mapping[str, Any]) -> str:
    """Return ``source`` with ``account`` as a further table at its end."""
    entry = _filled(account)
    document = tomlkit.document()
    tables = tomlkit.aot()
    tables.append(entry)
    document.append("account", tables)
    gap = "" if not source else "\n" if source.endswith("\n") else "\n\n"
    expected = tomllib.loads(source)
    expected.setdefault("account", []).append(_plain(account))
    return _checked(f"{source}{gap}{document.as_string()}", expected)


def without_account(source: str, ident: str) -> str:
    """Return ``source`` without the account; comments that stand above it, and above what follows it, stay."""

    def drop(tree: Json, number: int) -> None:
        del tree["account"][number]
        if not tree["account"]:
            del tree["account"]

    def cut(lines: list[str], at: _Place) -> None:
        del lines[at.start : at.end]

    return _changed(source, ident, cut, drop)


def with_key(source: str, ident: str, key: str, value: str | bool) -> str:
    """Return ``source`` with one key of the account set; False takes it away."""

    def expect(tree: Json, number: int) -> None:
        if value is False:
            tree["account"][number].pop(key, None)
        else:
            tree["account"][number][key] = value

    def write(lines: list[str], at: _Place) -> None:
        old = [number for number in range(at.start + 1, at.own) if re.match(rf"\s*{re.escape(key)}\s*=", lines[number])]
        new = [] if value is False else [f"{key} = {tomlkit.item(value).as_string()}\n"]
        first = old[0] if old else at.own
        if new and first and not lines[first - 1].endswith("\n"):
            lines[first - 1] += "\n"
        lines[first : first + len(old)] = new

    return _changed(source, ident, write, expect)


def change_config(home: Path, change: Callable[[str], str]) -> None:
    """Write the config of ``home`` as ``change`` makes it of its text, whole or not at all. Blocking.

    Raises ``ConfigError``, also for a text that can't be used, and ``OSError`` with nothing changed.
    """
    path = home / CONFIG_FILE
    source = plain_bytes(path).decode("utf-8")
    after = change(source)
    parse_config(after, path)
    if plain_bytes(path).decode("utf-8") != source:
        raise ConfigError([f"{path} was changed meanwhile; nothing was written: try again"])
    replace_file(path.resolve(), after, like=path)


@dataclass(frozen=True, slots=True)
class _Place:
    """The lines of one account: from its header to the end of its own keys, and to the end of its inner tables."""

    start: int
    own: int
    end: int


def _place(lines: list[str], number: int) -> _Place:
    found = headers(lines)
    starts = [place for place, (_, name) in enumerate(found) if name == "[[account]]"]
    first = starts[number]
    last = first + 1
    while last < len(found) and found[last][1].startswith(("[account.", "[[account.")):
        last += 1

    def end_before(header: int) -> int:
        """Return where the lines of the table before this header end: comments above a header belong to it."""
        at = found[header][0] if header < len(found) else len(lines)
        while not lines[at - 1].strip() or lines[at - 1].lstrip().startswith("#"):
            at -= 1
        return at

    return _Place(found[first][0], end_before(first + 1), end_before(last))


def _changed(
    source: str, ident: str, change: Callable[[list[str], _Place], None], expect: Callable[[Json, int], None]
) -> str:
    tree = tomllib.loads(source)
    number = _number(tree, ident)
    expect(tree, number)
    lines = source.splitlines(keepends=True)
    try:
        change(lines, _place(lines, number))
        return _checked("".join(lines), tree)
    except (IndexError, tomllib.TOMLDecodeError, ConfigError) as error:  # e.g. accounts written as an array
        words = f"the table of account {ident} can't be changed without loss; change it by hand in {CONFIG_FILE}"
        raise ConfigError([words]) from error


def _checked(text: str, expected: Json) -> str:
    if tomllib.loads(text) != expected:
        raise ConfigError([f"{CONFIG_FILE} can't be changed without loss; change it by hand"])
    return text


def _number(tree: Json, ident: str) -> int:
    accounts = tree.get("account", [])
    for number, account in enumerate(accounts):
        if account.get("id") == ident:
            return number
    raise unknown_account(ident, [str(account.get("id")) for account in accounts])


def unknown_account(ident: str, known: list[str]) -> ConfigError:
    """Return the error for an id that no account has."""
    listed = f"there are: {', '.join(known)}" if known else "there is none yet: pepper accounts add ADDRESS"
    return ConfigError([f"there is no account {ident!r}; {listed}"])


def _plain(account: Mapping[str, Any]) -> Json:
    tree: Json = copy.deepcopy(dict(account))
    return tree


def _filled(account: Mapping[str, Any]) -> Table:
    entry = tomlkit.table()
    for key, value in account.items():
        if isinstance(value, Mapping):
            inner = tomlkit.table()
            for name, each in value.items():
                inner.add(name, each)
            entry.add(key, inner)
        else:
            entry.add(key, value)
    return entry
