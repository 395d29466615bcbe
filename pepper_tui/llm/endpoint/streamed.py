"""One streamed response, assembled from its chunks in any dialect.

It counts only if it is complete and valid: it ended with a finish reason or the end mark, its calls hold JSON objects,
and it is not empty. Anything else is a ``ModelError``, with a ``correction`` if the model could fix it. Servers differ
most in tool calls: pieces with an index, without one, or all under index 0; an id in the first piece, in each, or a new
one in each; arguments in pieces, whole, or as an object; and calls inside the text.
"""

from __future__ import annotations

import html
import json
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from pepper_tui.llm.client import estimate_prompt, estimate_tokens
from pepper_tui.llm.endpoint.arguments import json_of, object_of, why_not
from pepper_tui.llm.endpoint.reasoning import ThoughtFilter, without_orphan
from pepper_tui.llm.endpoint.text_calls import CallFilter, text_calls
from pepper_tui.llm.endpoint.tool_names import matched
from pepper_tui.model import Completed, Json, ModelError, ModelRequest, RequestedCall, Usage
from pepper_tui.text import escape, one_line, shorten

_CHARACTERS_A_TOKEN: Final = 12  # a server that sends more than this per allowed token ignores the limit
_MAX_CALLS: Final = 1000  # per reply; the scheduler defers what is too many at once
_THOUGHTS: Final = ("reasoning_content", "reasoning", "thinking")
_FULL: Final = frozenset({"length", "max_tokens", "model_length"})
_ANSWER: Final = 4000  # characters of an invalid answer that the model is shown again
_FAILED: Final = frozenset({"error", "malformed_function_call", "network_error"})


@dataclass(slots=True)
class _Call:
    """A tool call while its pieces arrive."""

    id: str = ""
    name: str = ""
    arguments: str = ""

    @property
    def whole(self) -> bool:
        """Whether its arguments are a complete JSON object."""
        if not self.arguments.rstrip().endswith(("}", '"')):
            return False
        try:
            value = json.loads(self.arguments)
            return isinstance(json.loads(value) if isinstance(value, str) else value, dict)
        except (ValueError, RecursionError):
            return False

    def ended_by(self, given: str, name: str, arguments: str) -> bool:
        """Check whether a piece under the same index begins another call.

        Only a piece with a name can: continuations have none, except from servers that repeat it, whose calls are not
        complete yet.
        """
        if not name:
            return False
        if self.arguments.strip():
            return self.whole
        if name != self.name:
            return bool(self.name)
        return bool(given and self.id and given != self.id and not arguments)


def _text(source: Any, name: str) -> str:
    value = getattr(source, name, None)
    return value if isinstance(value, str) else ""


@dataclass(slots=True)
class Streamed:
    """The response so far.

    ``begun``: the server has sent any part of its answer. ``ended``: the end mark arrived. ``calls_in_text``: the model
    was offered tools, so that its text may contain a call.
    """

    max_tokens: int
    calls_in_text: bool = False
    begun: bool = False
    ended: bool = False
    finish: str = ""
    usage: Any = None
    _shown: list[str] = field(default_factory=list)
    _calls: list[_Call] = field(default_factory=list)
    _at: dict[int | None, _Call] = field(default_factory=dict)  # the open call of each index
    _filter: ThoughtFilter = field(default_factory=ThoughtFilter)
    _call_filter: CallFilter = field(default_factory=CallFilter)
    _let_out: int = 0  # characters of the text that were shown
    _size: int = 0
    _pieces: int = 0

    @property
    def text(self) -> str:
        return "".join(self._shown)

    def take(self, chunk: Any) -> str:
        """Add ``chunk``; return the part to show. Raises ``ModelError`` if the answer does not end."""
        self.usage = getattr(chunk, "usage", None) or self.usage
        choices = getattr(chunk, "choices", None)
        said = "" if choices else _text(chunk, "message") or _text(chunk, "detail")
        if said or getattr(chunk, "object", None) == "error":
            raise ModelError("server", f"The model server failed: {one_line(said)}", retryable=True)
        content, before = "", self._size
        for choice in (choices or [])[:1]:
            self.finish = _text(choice, "finish_reason") or self.finish
            delta = getattr(choice, "delta", None)
            if delta is None:
                delta = getattr(choice, "message", None)  # of a completion in one piece
            content += self._content(getattr(delta, "content", None))
            self._size += sum(len(_text(delta, name)) for name in _THOUGHTS)  # not shown, but counted
            for part in getattr(delta, "tool_calls", None) or []:
                self._take_call(part)
            if (function := getattr(delta, "function_call", None)) is not None:  # the older form, with a single call
                self._take_piece(0, "", function)
            content += _text(delta, "refusal")
        self._size += len(content)
        self.begun = self.begun or bool(self._size > before or self._calls or self.finish)
        self._pieces += self._size > before
        self._check_end()
        return self._show(self._filter.take(content)) if content else ""

    def _content(self, content: Any) -> str:
        """Return the text of a content, which may be a list of parts, some of them thoughts."""
        if not isinstance(content, list):
            return content if isinstance(content, str) else ""
        text = ""
        for part in content:
            if isinstance(part, dict) and part.get("type", "text") in ("text", "output_text"):
                text += str(part.get("text") or "")
            else:
                self._size += len(str(part))
        return text

    def rest(self, text: str) -> str:
        """Return what of ``text``, the final response, was not shown yet; empty if it does not continue what was."""
        shown = self.text[: self._let_out]
        return text[len(shown) :] if text.startswith(shown) else ""

    def _show(self, piece: str) -> str:
        if piece:
            self._shown.append(piece)
        out = self._call_filter.take(piece) if self.calls_in_text else piece
        self._let_out += len(out)
        return out

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
        function = getattr(part, "function", None)
        self._take_piece(index if isinstance(index, int) else None, _text(part, "id"), function)

    def _take_piece(self, index: int | None, given: str, function: Any) -> None:
        name = _text(function, "name")
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
        """Return the whole response, without its cost. Raises ``ModelError`` if it is not complete and valid."""
        self._shown.append(self._filter.rest())
        text = without_orphan(self.text)
        reason = self.finish.lower()
        if not reason and self.ended and (self._calls or text.strip()):
            reason = "stop"
        if not reason:
            raise ModelError("cut", "The model's answer broke off.", retryable=True)
        if reason == "content_filter":
            raise ModelError("bad_response", "The provider's content filter stopped the answer.", retryable=False)
        if reason in _FAILED:
            raise ModelError("server", f"The model server ended the answer with an error ({reason}).", retryable=True)
        if reason in _FULL and self._calls:
            raise ModelError("no_room", f"The model reached its limit of {self.max_tokens} tokens within a tool call.")
        calls = self._valid_calls(request, text, new_id)
        if not calls and self.calls_in_text:
            text, calls = self._calls_in(text, request, new_id, cut=reason in _FULL)
        if not calls and not text.strip():
            if reason in _FULL:
                words = f"The model used up its limit of {self.max_tokens} tokens before it answered."
                raise ModelError("no_room", words)
            words = "The model thought, and answered nothing." if self._size else "The model answered nothing."
            raise ModelError("empty", words, retryable=True)
        return Completed(text, calls, self.count(request, model), unfinished=reason in _FULL)

    def _valid_calls(self, request: ModelRequest, text: str, new_id: Callable[[str], str]) -> tuple[RequestedCall, ...]:
        found: list[tuple[str, str, Json]] = []
        offered = [tool.name for tool in request.tools]
        for call in self._calls:
            if not call.name:
                raise self._to_correct("a tool call had no name", text)
            arguments = object_of(call.arguments.strip() or "{}")
            if arguments is None and json_of(call.arguments) is None and call.arguments.strip() == "null":
                arguments = {}
            if arguments is None:
                raise self._to_correct(f"{one_line(call.name, 64)}: {why_not(call.arguments)}", text)
            found.append((call.id, matched(call.name, offered) or call.name, arguments))
        return _with_ids(found, new_id)

    def _calls_in(
        self, text: str, request: ModelRequest, new_id: Callable[[str], str], *, cut: bool
    ) -> tuple[str, tuple[RequestedCall, ...]]:
        """Return ``text`` without the calls at its end, and those calls."""

        def outside() -> str:
            said = (str(m.get("content") or "") for m in request.messages if m["role"] not in ("system", "assistant"))
            return html.unescape("\n".join(said))

        read = text_calls(text, [tool.name for tool in request.tools], outside)
        if read is None:
            return text, ()
        if cut:
            raise ModelError("no_room", f"The model reached its limit of {self.max_tokens} tokens within a tool call.")
        if read.problem:
            raise self._to_correct(read.problem, text)
        return read.prose, _with_ids([("", *call) for call in read.calls], new_id)

    def _to_correct(self, problem: str, text: str) -> ModelError:
        """Return the error for a call that can't be carried out, including what to tell the model."""
        written = [f"{call.name}({shorten(call.arguments, _ANSWER)})" for call in self._calls]
        said = "\n".join([*([shorten(text.strip(), _ANSWER)] if text.strip() else []), *written])
        return ModelError(
            "bad_response",
            f"The model called a tool in a way that can't be carried out: {one_line(problem, 300)}.",
            retryable=True,
            answer=said or "(nothing)",
            correction=f"<trouble>Nothing was done: {escape(one_line(problem, 400))}. Make the call again, as a tool "
            "call with arguments that are one JSON object; or answer in plain words.</trouble>",
        )

    def count(self, request: ModelRequest, model: str) -> Usage:
        """Return the provider's own token count, or an estimate if it gave none; without a cost."""

        def told(source: Any, name: str) -> int | None:
            value = getattr(source, name, None)
            return value if isinstance(value, int) and value >= 0 else None

        prompt, completion = told(self.usage, "prompt_tokens"), told(self.usage, "completion_tokens")
        cached = told(getattr(self.usage, "prompt_tokens_details", None), "cached_tokens")
        cached = cached or told(self.usage, "prompt_cache_hit_tokens") or 0
        total = told(self.usage, "total_tokens")
        if prompt and completion is not None and total is not None:
            completion = max(completion, total - prompt)  # some do not count reasoning in the completion
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


def _with_ids(found: list[tuple[str, str, Json]], new_id: Callable[[str], str]) -> tuple[RequestedCall, ...]:
    """Return the calls, each with a unique id. Duplicates within one answer are dropped."""
    calls: list[RequestedCall] = []
    taken: set[str] = set()
    for given, name, arguments in found:
        if any((call.name, call.arguments) == (name, arguments) for call in calls):
            continue
        identity = given
        while not identity or identity in taken:
            identity = new_id("call")
        taken.add(identity)
        calls.append(RequestedCall(identity, name, arguments))
    return tuple(calls)
