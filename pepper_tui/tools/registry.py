"""The registered tools by name, and the user's time, which all of them get."""

from __future__ import annotations

from collections.abc import Iterable

from pepper_tui.model import ToolSpec
from pepper_tui.tools.tool import Tool
from pepper_tui.tools.user_time import UserTime


class ToolRegistry:
    """Tools by name. Raises ``ValueError`` if two have the same name."""

    def __init__(self, tools: Iterable[Tool] = (), time: UserTime | None = None) -> None:
        self.time = time or UserTime()
        self._tools: dict[str, Tool] = {}
        for each in tools:
            self.add(each)

    def add(self, tool: Tool) -> None:
        if tool.name in self._tools:
            raise ValueError(f"there are two tools named {tool.name!r}")
        self._tools[tool.name] = tool

    def put(self, tool: Tool) -> None:
        """Add ``tool``, replacing any of the same name."""
        self._tools[tool.name] = tool

    def remove(self, name: str) -> None:
        self._tools.pop(name, None)

    def get(self, name: str) -> Tool | None:
        return self._tools.get(name)

    def names(self) -> list[str]:
        return sorted(name for name, tool in self._tools.items() if tool.offered)

    def specs(self, names: Iterable[str] | None = None) -> list[ToolSpec]:
        """Return the specs of the tools in ``names`` (all if it is ``None``), by name; unknown ones are left out."""
        wanted = self.names() if names is None else sorted(set(names) & self._tools.keys())
        return [self._tools[name].spec for name in wanted if self._tools[name].offered]
