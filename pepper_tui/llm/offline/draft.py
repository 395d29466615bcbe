"""The output of one step of the offline model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pepper_tui.model import ModelRequest, RequestedCall


class Draft:
    """The output of one step: words, and calls of offered tools."""

    def __init__(self, request: ModelRequest, new_id: Callable[[str], str]) -> None:
        self.words: list[str] = []
        self.calls: list[RequestedCall] = []
        self.not_judged: list[int] = []
        self.unmet = False
        """Whether it was not understood, or can't be done."""
        self._new_id = new_id
        self.offered = {tool.name: tool.parameters for tool in request.tools}

    def say(self, words: str) -> None:
        if words.strip():
            self.words.append(words.strip())

    def call(self, name: str, /, **arguments: Any) -> bool:
        """Ask for a call; return False if the tool is not offered. Arguments unknown to the tool are left out."""
        if name not in self.offered:
            return False
        known = self.offered[name].get("properties")
        if isinstance(known, dict) and known:
            arguments = {key: value for key, value in arguments.items() if key in known}
        self.calls.append(RequestedCall(self._new_id("call"), name, arguments))
        return True

    def need(self, tool: str, words: str = "", /, **arguments: Any) -> None:
        """Ask for a call and say ``words``, or say that there is no such tool."""
        if self.call(tool, **arguments):
            self.say(words)
        else:
            self.unmet = True
            self.say(f"I can't do that here: the tool {tool} is not available. See the config.")
