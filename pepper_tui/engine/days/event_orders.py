"""What the user orders in the list of days: a call of the tool that does it. What changes anything ends in a card.

``ORDERS`` is the one place that knows which tool takes which order. Any other is refused in words.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final

from pepper_tui.clock import Clock
from pepper_tui.domains.calendar.event import by_uid
from pepper_tui.llm.offline.grammar import parse
from pepper_tui.model import OPEN_TAG, Effect, EngineError, Json, Namespace, ToolCall, Written
from pepper_tui.store import ContextStore
from pepper_tui.text import one_line

ORIGIN: Final = "user:day:"
"""Origin of such a call, before its own id: its result starts no step of the scheduler."""
_ANSWER, _CHANGE, _CANCEL, _DONE = "answer_invitation", "change_event", "cancel_event", "complete_todo"
ORDERS: Final[Mapping[str, tuple[str, Json, str]]] = {
    "accept": (_ANSWER, {"answer": "accept"}, ""),
    "maybe": (_ANSWER, {"answer": "tentative"}, ""),
    "decline": (_ANSWER, {"answer": "decline"}, ""),
    "propose": (_ANSWER, {"answer": "tentative"}, "propose"),
    "move": (_CHANGE, {"which": "this"}, "start"),
    "rename": (_CHANGE, {"which": "this"}, "title"),
    "cancel": (_CANCEL, {"which": "this"}, ""),
    "cancel_following": (_CANCEL, {"which": "following"}, ""),
    "cancel_all": (_CANCEL, {"which": "all"}, ""),
    "done": (_DONE, {"done": True}, ""),
}
"""Order → tool, what it is always called with, and the argument that is the user's words."""


class EventOrders:
    """Turns orders into calls. ``locale``: of the user's words."""

    def __init__(self, store: ContextStore, clock: Clock, locale: str) -> None:
        self._store, self._clock, self._locale = store, clock, locale

    async def order(self, act: str, ref: str, day: str, said: Written) -> str:
        """See ``AgendaActs.order_event``."""
        if act == "new":
            return await self._call("add_event", await self._new(said.text), said)
        if act == "forget":
            return await self._call("cancel_reminder", {"reminder_id": ref}, said)
        if act not in ORDERS:
            raise EngineError(f"{one_line(act, 40)} is nothing that can be done with an event")
        name, always, field = ORDERS[act]
        if field and not said.text.strip():
            raise EngineError("nothing was written: nothing changes")
        by = {_ANSWER: "invitation", _DONE: "todo"}.get(name, "event")
        which = {by: by_uid(ref)} | ({"day": day} if day and name != _DONE else {})
        return await self._call(name, {**which, **always, **({field: said.text.strip()} if field else {})}, said)

    async def _new(self, text: str) -> Json:
        command = await asyncio.to_thread(parse, f"add {text}", self._locale)
        if command.kind != "add_event":
            raise EngineError("say what and when, for example: lunch with Ann friday 12:30 for 45 minutes")
        return {"title": command["text"], "start": command["when"], "location": command["place"]}

    async def _call(self, name: str, arguments: Json, said: Written) -> str:
        ident = self._clock.new_id("call")
        call = ToolCall(
            ident, name, arguments, Effect.WRITE, self._clock.now(), f"{ORIGIN}{ident}", root="user", typed=said.typed()
        )
        await self._store.put(call, namespace=Namespace.TOOL_CALL, type=name, tags=[OPEN_TAG], expect_version=0)
        return ident
