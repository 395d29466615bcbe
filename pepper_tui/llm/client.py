"""What the rest of Pepper knows of a model: one stream of text that ends in one complete, valid response."""

from __future__ import annotations

import json
import math
from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from pepper_tui.model import Json, ModelEvent, ModelRequest, ToolSpec, Usage

_SIZES_KEPT = 512
_MESSAGE_OVERHEAD = 16  # tokens that a chat template adds per message, a generous estimate


class ModelClient(Protocol):
    """A model behind one small protocol."""

    def stream(self, request: ModelRequest) -> AsyncIterator[ModelEvent]:
        """Yield ``TextDelta``s as they come, then one ``Completed``. Raises ``ModelError``; never retries for long.

        Closing or cancelling the iterator ends the call immediately.
        """
        ...


_sizes: dict[int, tuple[ToolSpec, int, int]] = {}  # of tools, by identity; the spec is kept so that its id stays taken


def _size(piece: str) -> tuple[int, int]:
    """Return the number of ASCII bytes, and of other bytes."""
    if piece.isascii():
        return len(piece), 0
    narrow = len(piece.encode("ascii", "ignore"))
    return narrow, len(piece.encode("utf-8", "surrogatepass")) - narrow


def _tool_size(tool: ToolSpec) -> tuple[int, int]:
    known = _sizes.get(id(tool))
    if known is None:
        if len(_sizes) >= _SIZES_KEPT:
            _sizes.clear()
        piece = tool.name + tool.description + json.dumps(tool.parameters, ensure_ascii=False)
        known = _sizes[id(tool)] = (tool, *_size(piece))
    return known[1:]


def _bytes(messages: Sequence[Json], tools: Sequence[ToolSpec]) -> tuple[int, int]:
    sizes = [_size(json.dumps(message, ensure_ascii=False)) for message in messages]
    sizes += [_tool_size(tool) for tool in tools]
    return sum(narrow for narrow, _ in sizes), sum(wide for _, wide in sizes)


def estimate_tokens(text: str) -> int:
    """Estimate the tokens of ``text``: four ASCII characters or two other bytes each."""
    size = len(text.encode("utf-8", "surrogatepass"))
    return 0 if not text else max(1, len(text) // 4 + (size - len(text)) // 2)


def estimate_prompt(messages: Sequence[Json], tools: Sequence[ToolSpec] = ()) -> int:
    """Estimate the tokens of a prompt; counted as spent if a provider reports nothing."""
    narrow, wide = _bytes(messages, tools)
    return narrow // 4 + wide // 2 + 4 * (len(messages) + len(tools))


def bound_prompt(messages: Sequence[Json], tools: Sequence[ToolSpec] = ()) -> int:
    """Return a number of tokens that a prompt can't exceed: no tokenizer makes more tokens than there are bytes."""
    narrow, wide = _bytes(messages, tools)
    return narrow + wide + _MESSAGE_OVERHEAD * (len(messages) + len(tools) + 1)


class Measure:
    """The likely token count of prompts of one model: their bound times the recent ratio of tokens to bound."""

    _FIRST = 0.4  # for a model that has not answered yet: English text is about 0.25
    _ABOVE = 1.15  # the next prompt may be denser than the last
    _LEAST = 0.1

    def __init__(self) -> None:
        self._share, self._learnt = self._FIRST, False

    @property
    def density(self) -> float | None:
        """Tokens per byte, rather too high; ``None`` before the first answer."""
        return self._share if self._learnt else None

    def of(self, bound: int) -> int:
        """Return the likely tokens of a prompt with this bound."""
        return math.ceil(bound * self._share)

    def learn(self, bound: int, tokens: int) -> None:
        """Learn that a prompt with this bound had so many tokens; a higher earlier ratio is only halfway given up."""
        self._learnt = True
        seen = min(1.0, max(self._LEAST, tokens / max(1, bound) * self._ABOVE))
        self._share = seen if seen > self._share else (seen + self._share) / 2


def usage_so_far(request: ModelRequest, model: str, text: str = "") -> Usage:
    """Estimate the usage of a stopped call after it streamed ``text``; without its cost in money."""
    prompt = estimate_prompt(request.messages, request.tools)
    return Usage(model, request.role, prompt, 0, estimate_tokens(text), 0.0, request.now)
