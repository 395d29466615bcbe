"""The context window of each model: learnt from its server's words, or from its refusals.

Counted in characters of the messages, the unit of prompt writers. Learnt limits are kept for a week, as a server may
restart with more room.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Sequence
from typing import Any, Final

from pepper_tui.llm.client import estimate_prompt
from pepper_tui.model import ContextFilter, Json, ModelError, ModelRequest, ToolSpec
from pepper_tui.store import Store, StoreError

WINDOWS: Final = "llm.windows"
"""Namespace of learnt limits: id = the model at its endpoint, ``characters``."""

_KEPT: Final = 7 * 86400.0
_SAFE: Final = 0.9  # share of the room that a server named, as templates add to a prompt
_UNNAMED: Final = 0.6  # share of a prompt that was refused by a server that names no size
_ANSWER: Final = 4  # a prompt leaves at least this fraction of a window to the answer
_CHARACTERS_A_TOKEN: Final = 3.0  # if no server has counted; rather too few, to be safe
_DENSEST, _THINNEST = 2.0, 4.0  # assumed bounds of characters per token
_LEAST: Final = 1000


def tool_characters(tools: Sequence[ToolSpec]) -> int:
    """Return the characters that tools add to a prompt."""
    return sum(len(tool.name + tool.description) + len(json.dumps(tool.parameters)) for tool in tools)


def message_characters(messages: Sequence[Json]) -> int:
    """Return the characters of the messages themselves."""
    return sum(len(str(message.get("content") or "")) for message in messages)


class Windows:
    """Known limits. Call ``load`` first. ``room`` is the most that a prompt may have."""

    def __init__(self, store: Store | None = None) -> None:
        self._store = store
        self._rooms: dict[str, int] = {}
        self._told: dict[str, int] = {}  # tokens
        self._writes: set[asyncio.Task[Any]] = set()

    async def load(self) -> None:
        """Read the limits that earlier processes have learnt."""
        if self._store is not None:
            found = await self._store.query(ContextFilter(namespaces=[WINDOWS], limit=200))
            self._rooms = {c.context_id: int(c.data["characters"]) for c in found} | self._rooms

    def room(self, model: str, tools: int = 0, density: float | None = None) -> int | None:
        """Return the characters that messages to ``model`` may have beside that many of tools; ``None`` if unknown.

        ``density``: the model's tokens per character, as far as its answers have told.
        """
        rooms = [self._rooms[model]] if model in self._rooms else []
        if model in self._told:
            tokens = self._told[model] * (1 - 1 / _ANSWER)
            each = _CHARACTERS_A_TOKEN if density is None else max(_DENSEST, min(_THINNEST, 1 / density))
            rooms.append(max(_LEAST, int(tokens * each) - tools))
        return min(rooms, default=None)

    def tell(self, model: str, tokens: int) -> None:
        """Record that the server reports a window of so many tokens."""
        if tokens > 0:
            self._told[model] = tokens

    def answer(self, model: str) -> int | None:
        """Return the most tokens that an answer of ``model`` may have; ``None`` if unknown."""
        return self._told[model] // _ANSWER if model in self._told else None

    def learn(self, model: str, error: ModelError, request: ModelRequest) -> None:
        """Learn from a refusal of ``request`` as too long what fits."""
        said, tools = message_characters(request.messages), tool_characters(request.tools)
        if error.window:
            measured = error.measured or estimate_prompt(request.messages, request.tools)
            answer = min(request.max_tokens, error.window // _ANSWER)
            fits = (error.window - answer) * _SAFE * (said + tools) / max(1, measured)
        else:
            fits = (said + tools) * _UNNAMED
        room = max(_LEAST, int(min(fits - tools, said * _SAFE)))
        self._rooms[model] = room
        if self._store is not None:
            task = asyncio.get_running_loop().create_task(self._save(model, room))
            self._writes.add(task)
            task.add_done_callback(self._writes.discard)

    async def _save(self, model: str, room: int) -> None:
        assert self._store is not None
        with contextlib.suppress(StoreError):  # then it is learnt anew after a restart
            await self._store.store({"characters": room}, namespace=WINDOWS, context_id=model, ttl=_KEPT)

    async def close(self) -> None:
        """Finish pending writes."""
        await asyncio.gather(*self._writes, return_exceptions=True)
