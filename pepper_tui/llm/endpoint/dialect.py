"""How a request is put to one model, adapted to what its server has refused.

A server that does not know a parameter refuses the whole request (400 or 422) and names it. The parameter is left out
from then on, as long as Pepper runs: a refusal is paid for once. A tool whose schema is refused is left out too, and
reported. Everything else that Pepper needs (messages, the other tools) is never left out; messages may be put in
another form (``forms``).
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from pepper_tui.llm.endpoint import forms
from pepper_tui.llm.endpoint.schemas import portable
from pepper_tui.model import Json, ModelRequest, ToolSpec
from pepper_tui.text import one_line

log = logging.getLogger(__name__)

_OTHER: Final = {"max_tokens": "max_completion_tokens", "max_completion_tokens": "max_tokens"}
_UNKNOWN: Final = re.compile(
    r"(?i)unsupported|not supported|unrecogni[sz]ed|unknown|unexpected|not permitted|not allowed|forbidden|extra"
)
_UNKNOWN_KEYWORD: Final = re.compile(r"Unknown name \\*[\"']([$\w]+)\\*[\"']")
_NO_EMPTY_OBJECT: Final = "should be non-empty for OBJECT"
_BAD_TOOL: Final = (  # by name, or by position in the list
    re.compile(r"(?i)invalid (?:json )?schema (?:for|in|of) (?:function|tool) \W{0,3}(?P<name>[\w-]{1,128})"),
    re.compile(r"(?i)tools[.\[](?P<at>\d+)\W{1,3}(?:custom|function)?\W{0,2}(?:input_schema|parameters|schema)"),
    re.compile(r"(?i)tools\[\d+\]\.function_?declarations\[(?P<at>\d+)\]"),
    re.compile(
        r"(?i)(?:tool|function) \W{0,3}(?P<name>[\w-]{1,128})\W{0,3} (?:has|with) an? (?:invalid|bad) (?:\w+ )?schema"
    ),
)
_MOST: Final = re.compile(
    r"(?i)at most (\d+) (?:completion|output)|max_(?:completion_)?tokens: \d+ > (\d+)|less than or equal to \W?(\d+)"
)
_OWN_LIMIT: Final = 64  # fewest tokens that an answer needs


@dataclass(frozen=True, slots=True)
class Wishes:
    """Options that the config adds to each request: see ``config.ModelOptions``."""

    reasoning_effort: str = ""
    temperature: float | None = None
    extra_body: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


class Dialect:
    """What one model at one endpoint accepts. ``learn`` from a refusal, then retry with ``body``."""

    def __init__(self, *, of_openai: bool, wishes: Wishes | None = None) -> None:
        self._wishes = wishes or Wishes()
        self._wishes_refused: set[str] = set()
        self._forms: list[forms.Form] = []
        self._most = 0  # response tokens that the server allows; 0: unknown
        self.left_out: dict[str, str] = {}
        """Tools that the server refuses, with its words."""
        self._stream_options = True
        self._limit = "max_completion_tokens" if of_openai else "max_tokens"
        self._limits_refused: set[str] = set()
        self._keywords_refused: set[str] = set()
        self._empty_objects = True
        self._can_be_held = True  # to call a tool; a model that reasons first often can't be

    def body(self, request: ModelRequest, model: str) -> Json:
        """Return the arguments for the SDK's call."""
        messages = list(request.messages)
        for form in self._forms:
            messages = form(messages)
        body: Json = {"model": model, "messages": messages, "stream": True, self._limit: self.limit(request)}
        if self._stream_options:
            body["stream_options"] = {"include_usage": True}
        extra = {key: value for key, value in self._wishes.extra_body.items() if key not in self._wishes_refused}
        for key in ("reasoning_effort", "temperature"):
            value = getattr(self._wishes, key)
            if value not in ("", None) and key not in self._wishes_refused:
                extra[key] = value
        tools = [self._described(tool) for tool in request.tools if tool.name not in self.left_out]
        if tools:
            # Not as the argument `tools`: the SDK walks it key by key, type by type, which takes milliseconds per call.
            extra["tools"] = tools
            if request.must_call and self._can_be_held:
                extra["tool_choice"] = "required"
        if extra:
            body["extra_body"] = extra
        if self._wishes.headers:
            body["extra_headers"] = dict(self._wishes.headers)
        return body

    def limit(self, request: ModelRequest) -> int:
        """Return the response tokens to request."""
        return min(request.max_tokens, self._most) if self._most else request.max_tokens

    def shrink(self, room: int, request: ModelRequest) -> bool:
        """Request at most ``room`` tokens from now on; return False if that is no less, or too few for an answer."""
        if not _OWN_LIMIT <= room < self.limit(request):
            return False
        self._most = room
        return True

    def learn(self, refusal: str, request: ModelRequest) -> bool:
        """Learn from a refusal how to ask differently; return False if it tells nothing new."""
        if self._stream_options and ("stream_options" in refusal or "include_usage" in refusal):
            self._stream_options = False
            return True
        if self._limit in refusal and _UNKNOWN.search(refusal) and _OTHER[self._limit] not in self._limits_refused:
            self._limits_refused.add(self._limit)
            self._limit = _OTHER[self._limit]
            return True
        if self._limit in refusal and (found := _MOST.search(refusal)):
            return self.shrink(int(next(filter(None, found.groups()))), request)
        if request.must_call and self._can_be_held and "tool_choice" in refusal:
            self._can_be_held = False
            return True
        wishes = {"reasoning_effort", "temperature", *self._wishes.extra_body} - self._wishes_refused
        refused = {key for key in wishes if re.search(rf"\b{re.escape(key)}\b", refusal)}
        if refused and _UNKNOWN.search(refusal):
            log.warning("the model server refuses %s of the config: %s", ", ".join(refused), one_line(refusal, 300))
            self._wishes_refused |= refused
            return True
        if self._leave_out(refusal, request):
            return True
        for form in forms.asked_for(refusal):
            if form not in self._forms:
                self._forms.append(form)
                return True
        keywords = set(_UNKNOWN_KEYWORD.findall(refusal)) - self._keywords_refused - {"type", "properties"}
        if keywords:
            self._keywords_refused |= keywords
            return True
        if self._empty_objects and _NO_EMPTY_OBJECT in refusal:
            self._empty_objects = False
            return True
        return False

    def _leave_out(self, refusal: str, request: ModelRequest) -> bool:
        """Leave out the tool that the refusal names, if it is about a tool and not about a keyword or empty object."""
        if _UNKNOWN_KEYWORD.search(refusal) or (self._empty_objects and _NO_EMPTY_OBJECT in refusal):
            return False
        sent = [tool.name for tool in request.tools if tool.name not in self.left_out]
        for pattern in _BAD_TOOL:
            found = pattern.search(refusal)
            if found is None:
                continue
            named = found.groupdict()
            at = int(named["at"]) if named.get("at") else -1
            name = named.get("name") or (sent[at] if 0 <= at < len(sent) else "")
            if name in sent and len(sent) > 1:
                self.left_out[name] = one_line(refusal, 300)
                log.warning("the model server refuses the tool %s, which is left out: %s", name, one_line(refusal, 300))
                return True
        return False

    def _described(self, tool: ToolSpec) -> Json:
        schema, words = portable(tool.parameters)
        function: Json = {"name": tool.name, "description": f"{tool.description} {words}".strip()}
        parameters = self._plain(schema) if self._keywords_refused else schema
        if self._empty_objects or parameters.get("properties"):
            function["parameters"] = parameters
        return {"type": "function", "function": function}

    def _plain(self, schema: Any) -> Any:
        """Return ``schema`` without the refused keywords; a property may have the name of one."""
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
