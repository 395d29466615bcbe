"""What the user writes in the mail list: a call of the tool that sends it, which ends in the usual card.

``TOOLS`` is the one place that knows which tool takes which kind. A kind whose tool is not there is refused in words.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from pepper_tui.clock import Clock
from pepper_tui.model import OPEN_TAG, Effect, EngineError, Json, Namespace, ToolCall
from pepper_tui.store import ContextStore
from pepper_tui.text import one_line
from pepper_tui.tools import ToolRegistry

Arguments = Callable[[str, Mapping[str, str]], Json]
"""From the mail that is answered and the fields, what the tool is called with."""


def _answer(mail: str, fields: Mapping[str, str]) -> Json:
    return {"message_id": mail, "body": fields.get("body", "")}


def _forward(mail: str, fields: Mapping[str, str]) -> Json:
    return {"message_id": mail, "to": fields.get("to", ""), "body": fields.get("body", "")}


def _new(mail: str, fields: Mapping[str, str]) -> Json:
    del mail
    return {name: fields.get(name, "") for name in ("to", "cc", "subject", "body")}


TOOLS: Final[Mapping[str, tuple[str, str, Arguments]]] = {
    "new": ("send_mail", "a new mail", _new),
    "reply": ("reply_mail", "a reply", _answer),
    "reply_all": ("reply_all", "a reply to all", _answer),
    "reply_list": ("reply_list", "a reply to the list", _answer),
    "forward": ("forward_mail", "a forward", _forward),
}
"""Kind → tool, words, arguments."""
ORIGIN: Final = "user:mail:"
"""Origin of such a call, before its own id: its result starts no step of the scheduler, and other cards delay none."""


class MailDrafts:
    """Turns what was written into calls."""

    def __init__(self, store: ContextStore, clock: Clock, registry: ToolRegistry) -> None:
        self._store, self._clock, self._registry = store, clock, registry

    async def write(self, kind: str, mail: str, fields: Mapping[str, str]) -> str:
        """See ``MailActs.write_mail``."""
        if kind not in TOOLS:
            raise EngineError(f"{one_line(kind, 40)} is no kind of mail")
        name, words, arguments = TOOLS[kind]
        if self._registry.get(name) is None:
            raise EngineError(f"{words} can't be written here yet: nothing was done")
        if not fields.get("body", "").strip():
            raise EngineError("nothing was written: there is no text")
        ident = self._clock.new_id("call")
        call = ToolCall(
            ident,
            name,
            arguments(mail, fields),
            Effect.SEND,
            self._clock.now(),
            f"{ORIGIN}{ident}",
            root="user",
            tainted=bool(mail),  # whom an answer goes to is said by the mail
        )
        await self._store.put(call, namespace=Namespace.TOOL_CALL, tags=[OPEN_TAG])
        return ident
