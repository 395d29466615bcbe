"""Tools of the user: a Python file named in the config, in which each ``Tool`` is added to Pepper's.

The file runs with the user's rights, like a user's feed. Its tools are handled like the built-in ones: their declared
effect decides whether a call waits for approval. A file that can't be used stops nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from pepper_tui.boundary.user_files import UserFileError, load_file
from pepper_tui.config import OwnTools as OwnToolsConfig
from pepper_tui.model import Health
from pepper_tui.text.errors import PepperError
from pepper_tui.tools.registry import ToolRegistry
from pepper_tui.tools.tool import Tool


class OwnToolsError(PepperError, ValueError):
    """A tools file can't be used; the message says why."""


def load_own_tools(file: Path) -> list[Tool]:
    """Return the tools that ``file`` defines, in order. Blocking. Raises ``OwnToolsError``."""
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
    """Build the schema now instead of on first use, to report an annotation that has none."""
    try:
        described = made.spec.description
    except Exception as error:
        raise OwnToolsError(f"{file}: tool {made.name!r} has no schema: {error}") from error
    if not described:
        raise OwnToolsError(f"{file}: tool {made.name!r} has no docstring, which is its description for models")


def add_own_tools(registry: ToolRegistry, entries: Sequence[OwnToolsConfig], now: float) -> Iterable[Health]:
    """Add the tools of each file to ``registry``; yield the health of each file. Blocking."""
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
