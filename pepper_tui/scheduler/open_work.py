"""Work in progress: open calls and their cards, tracked in memory as the store changes.

Read once at the start, and again only if updates were missed, so a step needs no store query for them.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from contextlib import AsyncExitStack
from typing import Final

from pepper_tui.model import (
    CALL_OPEN,
    CALL_UNDER_WAY,
    OPEN_TAG,
    Approval,
    ApprovalState,
    CardLine,
    Context,
    ContextFilter,
    ContextUpdate,
    Namespace,
    ToolCall,
)
from pepper_tui.scheduler.prompt.prompts import open_call_line
from pepper_tui.store import LiveSubscription, Store
from pepper_tui.text import shorten

_ALL: Final = 100_000
_CARD: Final = 700  # characters shown of a text that waits for approval
_NAMESPACES: Final = (Namespace.TOOL_CALL, Namespace.APPROVAL)


class OpenWork:
    """Open calls of every origin, oldest first, with the pending card of each that waits for one.

    ``start`` first; ``refresh`` before reading.
    """

    def __init__(self, store: Store, limit: int) -> None:
        self._store, self._limit = store, limit
        self._stack = AsyncExitStack()
        self._live: LiveSubscription | None = None
        self._missed = 0
        self._calls: dict[str, ToolCall] = {}
        self._cards: dict[str, Approval] = {}  # pending, by call
        self._lines: dict[str, str] = {}
        self._text: str | None = None

    async def start(self) -> None:
        self._live = await self._stack.enter_async_context(self._store.watch(_NAMESPACES))
        await self._load()

    async def stop(self) -> None:
        self._live = None
        await self._stack.aclose()

    async def refresh(self) -> None:
        """Take in everything committed so far."""
        assert self._live is not None
        updates = self._live.drain()
        if self._live.missed != self._missed:
            self._missed = self._live.missed
            await self._load()
            return
        for update in updates:
            self._take(update)

    async def _load(self) -> None:
        self._calls, self._cards, self._lines, self._text = {}, {}, {}, None
        for namespace in _NAMESPACES:
            filter_ = ContextFilter(namespaces=[namespace], tags=[OPEN_TAG], newest_first=False, limit=_ALL)
            for context in await self._store.query(filter_):
                self._note(context)

    def _take(self, update: ContextUpdate) -> None:
        if not update.deleted:
            self._note(update.context)

    def _note(self, context: Context) -> None:
        if context.namespace == Namespace.TOOL_CALL:
            for call in ToolCall.readable([context]):
                self._note_call(call)
        else:
            for card in Approval.readable([context]):
                self._note_card(card)
        self._text = None

    def _note_call(self, call: ToolCall) -> None:
        if call.open:
            self._calls[call.id] = call
        else:
            self._calls.pop(call.id, None)
        self._lines.pop(call.id, None)

    def _note_card(self, card: Approval) -> None:
        if card.state is ApprovalState.PENDING:
            self._cards[card.call] = card
        elif card.call in self._cards and self._cards[card.call].id == card.id:
            del self._cards[card.call]
        self._lines.pop(card.call, None)

    def runs(self, call_id: str) -> bool:
        """Return whether the call has not ended.

        An unknown outcome counts as an end: nothing more follows by itself.
        """
        call = self._calls.get(call_id)
        return call is not None and call.state in CALL_OPEN

    def at_work(self, origins: Collection[str]) -> bool:
        """Return whether a call of these steps is running; one that waits for the user is not."""
        return any(
            call.origin in origins and call.state in CALL_UNDER_WAY and not call.waits_for_room
            for call in self._calls.values()
        )

    def text(self) -> str:
        """Return one line per open call from a step or a rule's act, within the limit."""
        if self._text is None:
            calls = self._calls.values()
            ours = [call for origin in ("step:", "act:") for call in calls if call.origin.startswith(origin)]
            lines = [self._lines.get(call.id) or self._render(call) for call in ours]
            room, shown = self._limit, 0
            for line in lines:
                room -= len(line) + 1
                if room < 0:
                    break
                shown += 1
            more = [f"and {len(lines) - shown} more"] if shown < len(lines) else []
            self._text = "\n".join([*lines[:shown], *more])
        return self._text

    def _render(self, call: ToolCall) -> str:
        card = self._cards.get(call.id)
        state = "waits for the user's approval" if card else call.deferred or str(call.state)
        what = call.summary or json.dumps(call.arguments, ensure_ascii=False)
        if card:
            what = card.resolved.summary
            state += f"; {card.problem}" if card.problem else ""
        text = "".join(f"\n{line.label}: {shorten(line.value, _CARD)}" for line in _written(card)) if card else ""
        line = self._lines[call.id] = open_call_line(call.id, call.name, state, shorten(what, 300) + text)
        return line


def _written(card: Approval) -> list[CardLine]:
    """Return the prose on a card that its summary does not contain, such as the text of a mail."""
    return [line for line in card.resolved.lines if line.multiline and line.value.strip() and not line.settled]
