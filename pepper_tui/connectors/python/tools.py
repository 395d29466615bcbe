"""Tools of the user's own: a Python file that the config names; each ``Tool`` in it is one more that Pepper has.

The file runs with the user's rights, like an own feed. Its tools go the same way as the built-in ones: what they say
their effect is decides whether a call waits for an approval. A file that can't be used stops nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from pepper_tui.boundary.user_files import UserFileError, load_file
from pepper_tui.config import OwnTools as OwnToolsConfig
from pepper_tui.model import Health
from pepper_tui.tools.registry import ToolRegistry
from pepper_tui.tools.tool import Tool


class OwnToolsError(ValueError):
    """A file of tools can't be used; the words say why."""


def load_own_tools(file: Path) -> list[Tool]:
    """The tools that ``file`` makes, in its order. Blocking. Raises ``OwnToolsError``."""
    if not file.is_file():
        raise OwnToolsError(f"{file} is not there")
    try:
        module = load_file(file, f"pepper_own_tools_{file.stem}")
    except UserFileError as error:
        raise OwnToolsError(str(error)) from error
    found = list({value.name: value for value in vars(module).values() if isinstance(value, Tool)}.values())
    if not found:
        raise OwnToolsError(f"{file} makes no tool: decorate an async function with pepper_tui.tools.tool")
    for each in found:
        _prove(each, file)
    return found


def _prove(made: Tool, file: Path) -> None:
    """The schema is made on first use: an annotation that has none is to be told now."""
    try:
        described = made.spec.description
    except Exception as error:
        raise OwnToolsError(f"{file}: tool {made.name!r} has no schema: {error}") from error
    if not described:
        raise OwnToolsError(f"{file}: tool {made.name!r} has no docstring, which is what models are told of it")


def add_own_tools(registry: ToolRegistry, entries: Sequence[OwnToolsConfig], now: float) -> Iterable[Health]:
    """Put the tools of each file into ``registry``; the health of each file. Blocking."""
    for entry in entries:
        part = f"tools.{entry.file.stem}"
        try:
            found = load_own_tools(entry.file)
            taken = [each.name for each in found if registry.get(each.name) is not None]
            if taken:
                raise OwnToolsError(f"{entry.file}: there already is a tool named {taken[0]!r}")
        except OwnToolsError as error:
            yield Health(part, "trouble", str(error), f"fix {entry.file} and restart pepper", now)
            continue
        for each in found:
            registry.add(each)
        yield Health(part, "ok", ", ".join(each.name for each in found), "", now)
