"""A list of tools as a server sends it: a definition that is not of the protocol costs that tool, not all the others.

The SDK takes a list as a whole or not at all. So what it would stumble over is taken out before it looks, and told.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from mcp_types.methods import validate_server_result
from mcp_types.version import KNOWN_PROTOCOL_VERSIONS

from pepper_tui.text import one_line

_METHOD: Final = "tools/list"
_MOST: Final = 2000  # tools of one page that are looked at
Dropped = Callable[[str, str], object]


def sound(message: Any, dropped: Dropped) -> None:
    """Take out of ``message``, where it is an answer with tools, those that are not of the protocol.

    ``dropped`` is told the name of each, and why.
    """
    result: Any = getattr(message, "result", None)
    tools = result.get("tools") if isinstance(result, dict) else None
    if not isinstance(tools, list) or not tools:
        return
    fitting = [each for each in reversed(KNOWN_PROTOCOL_VERSIONS) if not _wrong(each, {**result, "tools": []})]
    if not fitting or any(not _wrong(version, result) for version in fitting):
        return
    version = fitting[0]
    kept = []
    for number, tool in enumerate(tools[:_MOST], 1):
        if why := _wrong(version, {**result, "tools": [tool]}):
            name = tool.get("name") if isinstance(tool, dict) else None
            dropped(name if isinstance(name, str) and name else f"number {number}", why)
        else:
            kept.append(tool)
    result["tools"] = kept


def _wrong(version: str, result: dict[str, Any]) -> str:
    """What is wrong with a result in ``version``; empty where nothing is."""
    try:
        validate_server_result(_METHOD, version, result)
    except KeyError:
        return "not known"
    except ValueError as error:
        problems: Any = getattr(error, "errors", list)()
        where = ".".join(str(part) for part in problems[0]["loc"] if not isinstance(part, int)) if problems else ""
        words = f"{where.removeprefix('tools.')}: {problems[0]['msg']}" if problems else str(error)
        return one_line(words, 120) or "it can't be read"
    except RecursionError:
        return "it is nested too deeply"
    return ""
