"""Reads the config. Problems name file, line and key; relative paths start at the home."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

from pydantic import ValidationError

from pepper_tui.boundary.plain_file import plain_text
from pepper_tui.config.base import ConfigError, Section
from pepper_tui.config.problem_words import account_key, keys_beside, problem_words, unknown_key
from pepper_tui.config.sections import Config
from pepper_tui.home import CONFIG_FILE
from pepper_tui.home.renamed import RENAMED, OldKey, Rename, Renewed, Where, renewed

S = TypeVar("S", bound=Section)


def load_config(home: Path) -> Config:
    """Load the config of ``home``, old key names included; relative paths are taken from ``home``.

    Raises ``FileNotFoundError`` if there is none, ``ConfigError`` if it can't be used.
    """
    path = home / CONFIG_FILE
    return parse_config(plain_text(path), path)


def parse_config(source: str, path: Path, renames: Sequence[Rename] = RENAMED) -> Config:
    """Parse ``source``, the text of ``path``, into a config, with ``renames`` applied. Raises ``ConfigError``."""
    said = _read(source, path, renames)
    if said.clashes:
        raise ConfigError([_clash(path, source, one) for one in said.clashes])
    try:
        config = Config.model_validate(said.tree)
    except ValidationError as error:
        raise ConfigError([_problem(path, source, said, problem) for problem in error.errors()]) from error
    return _with_commands(anchored(config, path.parent), path.parent)


def old_key_notes(source: str, path: Path, renames: Sequence[Rename] = RENAMED) -> list[str]:
    """Return a line for each key of ``source``, the text of ``path``, that has a new name. Raises ``ConfigError``."""
    return [
        f"{path}:{_line_of(source, one.old)}: {dotted_name(one.old)} is called {dotted_name(one.new)} "
        f"since {one.rename.since}"
        for one in _read(source, path, renames).found
    ]


def _read(source: str, path: Path, renames: Sequence[Rename]) -> Renewed:
    try:
        return renewed(tomllib.loads(source), renames)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError([f"{path}: {error}"]) from error


def _clash(path: Path, source: str, one: OldKey) -> str:
    old, new = dotted_name(one.old), dotted_name(one.new)
    line = _line_of(source, one.new)
    return f"{path}:{_line_of(source, one.old)}: {old} is an older name of {new}, and line {line} sets that; keep one"


def anchored(section: S, base: Path) -> S:
    """Return ``section``, nested sections included, with relative paths taken from ``base``."""

    def at(value: Any) -> Any:
        if isinstance(value, Path):
            return base / value.expanduser()
        if isinstance(value, Section):
            return anchored(value, base)
        if isinstance(value, list):
            return [at(each) for each in value]
        return {key: at(each) for key, each in value.items()} if isinstance(value, dict) else value

    found = {name: at(value) for name in type(section).model_fields if (value := getattr(section, name)) is not None}
    return section.model_copy(update=found)


def _with_commands(config: Config, base: Path) -> Config:
    """Return ``config`` with MCP server programs that are named by a relative path taken from ``base``."""
    servers = {
        name: server.model_copy(update={"command": str(base / Path(server.command).expanduser())})
        if "/" in server.command
        else server
        for name, server in config.mcp.items()
    }
    return config.model_copy(update={"mcp": servers})


def _problem(path: Path, source: str, said: Renewed, problem: Any) -> str:
    where = said.as_written(problem["loc"])
    message = problem_words(problem)
    if problem["type"] == "extra_forbidden":
        message = unknown_key(str(problem["loc"][-1]), keys_beside(problem["loc"], Config))
    place = f"{path}:{_line_of(source, where)}: {dotted_name(where)}"
    match where:
        case ("account", int(number), *key):
            ident = said.tree["account"][number].get("id")
            return f"{account_key(place, number, ident, dotted_name(tuple(key)))}: {message}"
    return f"{place}{': ' if where else ''}{message}"


def dotted_name(where: Where) -> str:
    return "".join(f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in where).lstrip(".")


def place_of(path: Path, source: str, key: str) -> str:
    """Return ``path:line: key`` for ``key`` in ``source``, the text of ``path``.

    Entries are counted from 1, as in ``feed[2].file``.
    """
    parts = tuple(int(part) - 1 if part.isdigit() else part for part in re.split(r"[.\[\]]+", key) if part)
    return place_at(path, source, parts)


def place_at(path: Path, source: str, where: Where) -> str:
    """Return ``place_of`` for the key at ``where``, a tuple of parts counted from 0."""
    written = _read(source, path, RENAMED).as_written(where)
    return f"{path}:{_line_of(source, written)}: {dotted_name(written)}"


def _line_of(source: str, where: Where) -> int:
    """Return the line, from 1, that sets the key at ``where``, or something in it, or the nearest table around it."""
    wanted = _at_dots(where)
    best, best_depth = 1, 0.0
    table: list[str | int] = []
    counts: dict[tuple[str, ...], int] = {}
    for number, line in enumerate(source.splitlines(), 1):
        header = re.match(rf"\s*(\[\[?)\s*({_KEY})\s*\]", line)
        if header:
            name = _parts(header[2])
            if header[1] == "[[":
                counts[name] = counts.get(name, -1) + 1
            table = _numbered(name, counts)
            here = _at_dots(table)
        else:
            assignment = re.match(rf"\s*({_KEY})\s*=", line)
            if not assignment:
                continue
            here = _at_dots([*table, *_parts(assignment[1])])
        both = min(len(here), len(wanted))
        depth = both if len(here) <= len(wanted) else both - 0.5  # a key within the wanted one
        if wanted[:both] == here[:both] and depth > best_depth:
            best, best_depth = number, depth
    return best


def _at_dots(path: Sequence[str | int]) -> list[str | int]:
    """Split each key of the path at its dots: some quote it whole, others write it in parts."""
    return [one for part in path for one in (part.split(".") if isinstance(part, str) else [part]) if one != ""]


_PART: Final = r"""(?:"[^"]*"|'[^']*'|[\w-]+)"""


_KEY: Final = rf"{_PART}(?:\s*\.\s*{_PART})*"


def _parts(key: str) -> tuple[str, ...]:
    """Split a TOML key into its parts, without quotes."""
    return tuple(part.strip("\"'") for part in re.findall(_PART, key))


def _numbered(parts: tuple[str, ...], counts: dict[tuple[str, ...], int]) -> list[str | int]:
    """Return the path of a table, with the entry number after the name of each array of tables."""
    path: list[str | int] = []
    for depth, part in enumerate(parts, 1):
        path.append(part)
        if (name := parts[:depth]) in counts:
            path.append(counts[name])
    return path
