"""The request of a step: what the model reads, and the tools that it is offered.

The head and the log grow only at their end, for the provider's cache; what changes comes last. No prompt exceeds the
known limit of the model.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from pepper_tui.llm.windows import message_characters
from pepper_tui.model import Json, ModelRequest, ToolSpec, instructions
from pepper_tui.scheduler.offer import Offer
from pepper_tui.scheduler.open_work import OpenWork
from pepper_tui.scheduler.parts import Parts
from pepper_tui.scheduler.prompt.compaction import Compaction
from pepper_tui.scheduler.prompt.history import History, Summary
from pepper_tui.scheduler.prompt.limits import Limits
from pepper_tui.scheduler.prompt.prompts import NEW, WAIT, fitted, tail
from pepper_tui.scheduler.prompt.system_prompt import Head
from pepper_tui.scheduler.prompt.turn import Turns
from pepper_tui.scheduler.under_way import UnderWay

_SHRINK: Final = 0.9  # factor for a prompt that was too long by an unknown amount
_CORRECTION: Final = 2000  # characters reserved for an invalid answer and its errors
_LEAST_PROMPT: Final = 1000  # characters needed besides the head to have anything to answer
_SERVERS: Final = 8  # MCP servers' instructions take at most this fraction of a prompt


class Requests:
    """Builds the request of each step."""

    def __init__(
        self,
        parts: Parts,
        limits: Limits,
        history: History,
        compaction: Compaction,
        open_work: OpenWork,
        turns: Turns,
    ) -> None:
        self._parts, self._limits, self._history, self._compaction = parts, limits, history, compaction
        self._open_work, self._turns = open_work, turns
        self._head = Head(parts.store, parts.user)
        self._offer = Offer("all" if parts.by_rule else parts.settings.tools)
        self._offered: Sequence[ToolSpec] = ()
        self._begins_with: Summary | None = None
        self._servers = ""  # MCP servers' instructions, as in the prompt

    def keep_to_window(self, refused: Sequence[Json] = ()) -> None:
        """Limit prompts to what the model accepts. ``refused``: messages that were just too long for it."""
        room = self._parts.window(self._offered)
        if refused:
            size = message_characters(refused)
            room = min(room or size, int(size * _SHRINK))
        self._limits.keep_to(room, least=len(self._head.text) + _LEAST_PROMPT)

    async def make(self, under_way: UnderWay, specs: Sequence[ToolSpec]) -> ModelRequest:
        """Build the request of a step; ``specs`` are the available tools."""
        batch = under_way.batch
        if self._history.summary is not self._begins_with:
            self._begins_with = self._history.summary
            self._offer.forget()  # the prompt is reread anyway
        limit, by_rule = self._limits.now.prompt_limit, self._parts.by_rule
        self._offered = self._offer.choose(specs, batch.entries, limit)
        said = () if by_rule else instructions.told(self._offered, limit // _SERVERS)
        self._servers = "".join(f"{each}\n" for each in said)
        under_way.reads_servers = not by_rule and any(spec.server for spec in self._offered)
        return ModelRequest(
            role="scheduler",
            messages=await self._messages(under_way),
            tools=(*self._offered, WAIT),
            entries=batch.entries,
            now=self._parts.clock.now(),
            reserve="chat" if batch.speaks else "background",
        )

    async def _messages(self, under_way: UnderWay) -> list[Json]:
        await self._open_work.refresh()
        await self._head.refresh()
        entries = under_way.batch.entries
        ends = tail(self._parts.clock.now(), self._parts.zone, self._open_work.text())
        limit = self._limits.now.prompt_limit
        room = limit - len(self._head.text) - len(self._servers) - len(ends) - 1
        aside = min(_CORRECTION, max(0, room // 3))
        room -= aside
        opening = "\n".join(under_way.opening)
        texts = fitted([entry.text for entry in entries], room - len(opening) - 1)
        await self._compaction.fit(room - len(opening) - 1 - sum(len(text) + 1 for text in texts))
        native = self._natively(under_way, ends) if texts == [entry.text for entry in entries] else []
        under_way.natively = 0 < message_characters(native) + _of_calls(native) <= limit - aside
        if under_way.natively:
            return native
        parts = [self._history.text(), opening, *texts]
        log_text = "\n".join(part for part in parts if part)[: max(0, room)]
        log_text = self._servers + log_text
        # One message, because many chat templates require alternating roles; what changes comes after what does not.
        return [
            {"role": "system", "content": self._head.text},
            {"role": "user", "content": f"{log_text}\n{ends}" if log_text else ends},
        ]

    def _natively(self, under_way: UnderWay, ends: str) -> list[Json]:
        """Return the prompt with the turn's calls in native form, or nothing if that does not apply.

        It applies if the batch is what the current turn waits for and nothing came in between.
        """
        turn, entries = self._turns.current, under_way.batch.entries
        if turn is None or self._parts.by_rule or under_way.opening != [NEW] or not turn.follows(entries):
            return []
        at = turn.before(self._history.entries)
        if at is None:
            return []
        behind = turn.with_results(entries)
        behind[-1]["content"] += f"\n{ends}"
        head: list[Json] = [
            {"role": "system", "content": self._head.text},
            {"role": "user", "content": self._servers + self._history.text(at)},
        ]
        return [*head, *behind]


def _of_calls(messages: Sequence[Json]) -> int:
    """Return how many characters the native calls have."""
    return sum(len(call["function"]["arguments"]) for each in messages for call in each.get("tool_calls", ()))
