"""A server's list of tools or resources: an entry that violates the protocol costs only that entry.

The SDK accepts a list as a whole or not at all. So the entries that it would reject are removed first, and reported.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from mcp_types.methods import validate_server_result
from mcp_types.version import KNOWN_PROTOCOL_VERSIONS

from pepper_tui.text import one_line

TOOLS: Final = "tools"
RESOURCES: Final = "resources"
LISTS: Final = (TOOLS, RESOURCES)
"""What is listed: the key of the list, and the first word of its method."""
_MOST: Final = 2000  # entries of one page that are examined
Dropped = Callable[[str, str, str], object]
"""Callback that gets the list, the entry's name, and the reason."""


def sound(message: Any, dropped: Dropped) -> None:
    """Remove the entries that violate the protocol from ``message``, if it is an answer with a list."""
    result: Any = getattr(message, "result", None)
    for kind in LISTS if isinstance(result, dict) else ():
        if isinstance(result.get(kind), list) and result[kind]:
            _sound(kind, result, dropped)


def _sound(kind: str, result: dict[str, Any], dropped: Dropped) -> None:
    entries = result[kind]
    fitting = [each for each in reversed(KNOWN_PROTOCOL_VERSIONS) if not _wrong(kind, each, {**result, kind: []})]
    if not fitting or any(not _wrong(kind, version, result) for version in fitting):
        return
    version = fitting[0]
    kept = []
    for number, entry in enumerate(entries[:_MOST], 1):
        if why := _wrong(kind, version, {**result, kind: [entry]}):
            name = entry.get("name") if isinstance(entry, dict) else None
            dropped(kind, name if isinstance(name, str) and name else f"number {number}", why)
        else:
            kept.append(entry)
    if len(entries) > _MOST:
        dropped(kind, f"number {_MOST + 1} to {len(entries)}", f"one page may list {_MOST}")
    result[kind] = kept


def _wrong(kind: str, version: str, result: dict[str, Any]) -> str:
    """Return what is wrong with a result in ``version``; empty if nothing is."""
    try:
        validate_server_result(f"{kind}/list", version, result)
    except KeyError:
        return "not known"
    except ValueError as error:
        problems: Any = getattr(error, "errors", list)()
        where = ".".join(str(part) for part in problems[0]["loc"] if not isinstance(part, int)) if problems else ""
        words = f"{where.removeprefix(f'{kind}.')}: {problems[0]['msg']}" if problems else str(error)
        return one_line(words, 120) or "it can't be read"
    except RecursionError:
        return "it is nested too deeply"
    return ""
