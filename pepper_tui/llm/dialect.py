"""How a request is put to one model, and what its server has taught us not to say.

A server that knows a parameter not, refuses the whole request (400 or 422) and names it. It is left out from then on,
for as long as Pepper runs: a refusal is paid for once. What Pepper needs (messages, tools) is never left out.
"""

from __future__ import annotations

import re
from typing import Any, Final

from pepper_tui.model import Json, ModelRequest, ToolSpec

_OTHER: Final = {"max_tokens": "max_completion_tokens", "max_completion_tokens": "max_tokens"}
_UNKNOWN: Final = re.compile(
    r"(?i)unsupported|not supported|unrecogni[sz]ed|unknown|unexpected|not permitted|not allowed|forbidden|extra"
)
_UNKNOWN_KEYWORD: Final = re.compile(r"Unknown name \\*[\"']([$\w]+)\\*[\"']")
_NO_EMPTY_OBJECT: Final = "should be non-empty for OBJECT"


class Dialect:
    """What one model at one endpoint takes. ``learn`` from a refusal, then ask again with ``body``."""

    def __init__(self, *, of_openai: bool) -> None:
        self._stream_options = True
        self._limit = "max_completion_tokens" if of_openai else "max_tokens"
        self._limits_refused: set[str] = set()
        self._keywords_refused: set[str] = set()
        self._empty_objects = True

    def body(self, request: ModelRequest, model: str) -> Json:
        """The arguments of the SDK's call."""
        body: Json = {
            "model": model,
            "messages": list(request.messages),
            "stream": True,
            self._limit: request.max_tokens,
        }
        if self._stream_options:
            body["stream_options"] = {"include_usage": True}
        if request.tools:
            # Not by the argument `tools`: the SDK walks it key by key, type by type, which takes milliseconds a call.
            body["extra_body"] = {"tools": [self._described(tool) for tool in request.tools]}
        return body

    def learn(self, refusal: str) -> bool:
        """Take from the words of a refusal what to say otherwise; False where there is nothing new in them."""
        if self._stream_options and ("stream_options" in refusal or "include_usage" in refusal):
            self._stream_options = False
            return True
        if self._limit in refusal and _UNKNOWN.search(refusal) and _OTHER[self._limit] not in self._limits_refused:
            self._limits_refused.add(self._limit)
            self._limit = _OTHER[self._limit]
            return True
        keywords = set(_UNKNOWN_KEYWORD.findall(refusal)) - self._keywords_refused - {"type", "properties"}
        if keywords:
            self._keywords_refused |= keywords
            return True
        if self._empty_objects and _NO_EMPTY_OBJECT in refusal:
            self._empty_objects = False
            return True
        return False

    def _described(self, tool: ToolSpec) -> Json:
        function: Json = {"name": tool.name, "description": tool.description}
        parameters = self._plain(tool.parameters) if self._keywords_refused else tool.parameters
        if self._empty_objects or parameters.get("properties"):
            function["parameters"] = parameters
        return {"type": "function", "function": function}

    def _plain(self, schema: Any) -> Any:
        """``schema`` without the keywords that were refused; a property may be called like one."""
        if isinstance(schema, list):
            return [self._plain(each) for each in schema]
        if not isinstance(schema, dict):
            return schema
        plain: Json = {}
        for key, value in schema.items():
            if key == "properties" and isinstance(value, dict):
                plain[key] = {name: self._plain(each) for name, each in value.items()}
            elif key not in self._keywords_refused:
                plain[key] = self._plain(value)
        return plain
