"""One streamed response, put together from its chunks, whatever the dialect they come in.

It counts only when it is complete and valid: it ended with a finish reason, its calls hold JSON objects, and there is
something in it. All else is a ``ModelError``. Servers differ most in tool calls: pieces with an index, without one, or
all under index 0; an id in the first piece, in each, or a new one in each; arguments in pieces, whole, or an object.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from pepper_tui.llm.client import estimate_prompt, estimate_tokens
from pepper_tui.llm.thoughts import ThoughtFilter, without_orphan
from pepper_tui.model import Completed, Json, ModelError, ModelRequest, RequestedCall, Usage
from pepper_tui.text import one_line

_CHARACTERS_A_TOKEN: Final = 12  # more than this for each allowed token is a server that ignores the limit
_MAX_CALLS: Final = 1000  # of one reply; the scheduler defers what is too many at once
_THOUGHTS: Final = ("reasoning_content", "reasoning", "thinking")
_FAILED: Final = frozenset({"error", "malformed_function_call", "network_error"})


@dataclass(slots=True)
class _Call:
    """A tool call while its pieces come in."""

    id: str = ""
    name: str = ""
    arguments: str = ""

    @property
    def whole(self) -> bool:
        """Whether its arguments are a complete JSON object."""
        return self.arguments.rstrip().endswith("}") and _object(self.arguments) is not None

    def ended_by(self, given: str, name: str, arguments: str) -> bool:
        """Whether a piece under the same index begins another call. Only one with a name can: all continuations lack
        it, but for servers that repeat it, whose calls are not whole yet."""
        if not name:
            return False
        if self.arguments.strip():
            return self.whole
        if name != self.name:
            return bool(self.name)
        return bool(given and self.id and given != self.id and not arguments)


def _object(raw: str) -> Json | None:
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _text(source: Any, name: str) -> str:
    value = getattr(source, name, None)
    return value if isinstance(value, str) else ""


@dataclass(slots=True)
class Streamed:
    """What has come so far. ``begun``: the server has said anything at all of its answer."""

    max_tokens: int
    begun: bool = False
    finish: str = ""
    usage: Any = None
    _shown: list[str] = field(default_factory=list)
    _calls: list[_Call] = field(default_factory=list)
    _at: dict[int | None, _Call] = field(default_factory=dict)  # the open call of each index
    _filter: ThoughtFilter = field(default_factory=ThoughtFilter)
    _size: int = 0
    _pieces: int = 0

    @property
    def text(self) -> str:
        return "".join(self._shown)

    def take(self, chunk: Any) -> str:
        """Add ``chunk``; returns what of it is to be shown. Raises ``ModelError`` where the answer has no end."""
        self.usage = getattr(chunk, "usage", None) or self.usage
        if getattr(chunk, "object", None) == "error":
            raise ModelError("server", f"The model server failed: {one_line(_text(chunk, 'message'))}", retryable=True)
        content = ""
        for choice in (getattr(chunk, "choices", None) or [])[:1]:
            self.finish = _text(choice, "finish_reason") or self.finish
            delta = getattr(choice, "delta", None)
            content += _text(delta, "content")
            thought = sum(len(_text(delta, name)) for name in _THOUGHTS)  # not ours to show, but it counts
            self._size += thought
            self.begun = self.begun or thought > 0
            for part in getattr(delta, "tool_calls", None) or []:
                self._take_call(part)
            content += _text(delta, "refusal")
        self.begun = self.begun or bool(content or self._calls or self.finish)
        self._size += len(content)
        self._pieces += 1
        self._check_end()
        return self._show(self._filter.take(content)) if content else ""

    def rest(self) -> str:
        """What was held back as the possible beginning of a thought, now that the stream has ended."""
        return self._show(self._filter.rest())

    def _show(self, piece: str) -> str:
        if piece:
            self._shown.append(piece)
        return piece

    def _check_end(self) -> None:
        size_limit = self.max_tokens * _CHARACTERS_A_TOKEN + 2000
        if self._size > size_limit or self._pieces > self.max_tokens * 4 + 200 or len(self._calls) > _MAX_CALLS:
            raise ModelError(
                "endless",
                "The model did not come to an end; its answer was cut off. If this goes on, choose another model "
                "or raise models.max_tokens.",
                retryable=True,
            )

    def _take_call(self, part: Any) -> None:
        index = getattr(part, "index", None)
        index = index if isinstance(index, int) else None
        function = getattr(part, "function", None)
        given, name = _text(part, "id"), _text(function, "name")
        arguments = getattr(function, "arguments", None)
        if isinstance(arguments, dict):
            arguments = json.dumps(arguments)
        arguments = arguments if isinstance(arguments, str) else ""
        if not (given or name or arguments):  # a server's own notes on a call
            return
        call = self._at.get(index)
        if call is None or call.ended_by(given, name, arguments):
            call = self._at[index] = _Call()
            self._calls.append(call)
        call.id = call.id or given
        if name != call.name:
            call.name += name
        call.arguments += arguments
        self._size += len(arguments)

    # ------------------------------------------------------------------------------------------------- the end of it

    def complete(self, request: ModelRequest, model: str, new_id: Callable[[str], str]) -> Completed:
        """The response as a whole, without its cost. Raises ``ModelError`` where it is not complete and valid."""
        text = without_orphan(self.text)
        reason = self.finish.lower()
        if not reason:
            raise ModelError("cut", "The model's answer broke off.", retryable=True)
        if reason == "content_filter":
            raise ModelError("bad_response", "The provider's content filter stopped the answer.", retryable=False)
        if reason in _FAILED:
            raise ModelError("server", f"The model server ended the answer with an error ({reason}).", retryable=True)
        if reason == "length" and self._calls:
            raise ModelError(
                "cut", "The model reached models.max_tokens within a tool call; raise it in the config.", retryable=True
            )
        calls = self._valid_calls(new_id)
        if not calls and not text.strip():
            raise ModelError("empty", self._emptiness(reason), retryable=True)
        return Completed(text, calls, self.count(request, model))

    def _emptiness(self, reason: str) -> str:
        if reason == "length":
            return "The model answered nothing. It used up models.max_tokens; raise it in the config."
        if self._size:
            return "The model thought, and answered nothing."
        return "The model answered nothing."

    def _valid_calls(self, new_id: Callable[[str], str]) -> tuple[RequestedCall, ...]:
        calls: list[RequestedCall] = []
        taken: set[str] = set()
        for call in self._calls:
            if not call.name:
                raise ModelError("bad_response", "The model called a tool without naming it.", retryable=True)
            arguments = _object(call.arguments.strip() or "{}")
            if arguments is None:
                raise ModelError(
                    "bad_response",
                    f"The model called the tool {one_line(call.name, 64)} with arguments that are not a JSON object.",
                    retryable=True,
                )
            identity = call.id
            while not identity or identity in taken:
                identity = new_id("call")
            taken.add(identity)
            calls.append(RequestedCall(identity, call.name, arguments))
        return tuple(calls)

    def count(self, request: ModelRequest, model: str) -> Usage:
        """The provider's own count, or an estimate where it gave none; without a cost."""

        def told(source: Any, name: str) -> int | None:
            value = getattr(source, name, None)
            return value if isinstance(value, int) and value >= 0 else None

        prompt, completion = told(self.usage, "prompt_tokens"), told(self.usage, "completion_tokens")
        cached = told(getattr(self.usage, "prompt_tokens_details", None), "cached_tokens")
        cached = cached or told(self.usage, "prompt_cache_hit_tokens") or 0
        total = told(self.usage, "total_tokens")
        if prompt and completion is not None and total is not None:
            completion = max(completion, total - prompt)  # some leave what was thought out of the completion
        if not prompt:
            prompt = estimate_prompt(request.messages, request.tools)
        if not completion:
            completion = max(math.ceil(self._size / 4), estimate_tokens(self.text))
        return Usage(
            model=model,
            role=request.role,
            prompt_tokens=prompt,
            cached_tokens=min(cached, prompt),
            completion_tokens=completion,
            cost=0.0,
            created_at=request.now,
        )
