"""What the user writes in the mail list: a call of the tool that sends it, which ends in the usual card.

``TOOLS`` is the one place that knows which tool takes which kind. A nudge is an answer, too, whose words are made
here. Any other kind is refused in words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from pepper_tui.clock import Clock
from pepper_tui.engine.acts.nudges import Nudges
from pepper_tui.model import OPEN_TAG, Effect, EngineError, Json, Namespace, Origin, ToolCall, Written
from pepper_tui.store import ContextStore
from pepper_tui.text import one_line

TOOLS: Final[Mapping[str, tuple[str, Json, Sequence[str]]]] = {
    "new": ("send_mail", {}, ("to", "cc", "subject", "body")),
    "reply": ("reply_mail", {}, ("body",)),
    "reply_all": ("reply_mail", {"to": "all"}, ("body",)),
    "reply_list": ("reply_mail", {"to": "list"}, ("body",)),
    "forward": ("forward_mail", {}, ("to", "body")),
}
"""Kind → tool, what it is always called with, the fields that it takes."""
ORIGIN: Final = "user:mail:"
"""Origin of such a call, before its own id: its result starts no step of the scheduler, and other cards delay none."""


class MailDrafts:
    """Turns what was written into calls."""

    def __init__(self, store: ContextStore, clock: Clock, nudges: Nudges) -> None:
        self._store, self._clock, self._nudges = store, clock, nudges

    async def write(self, kind: str, mail: str, fields: Mapping[str, Written]) -> str:
        """See ``MailActs.write_mail``."""
        if kind == "nudge":
            mail, text = await self._nudges.of(mail)
            kind, fields = "reply", {"body": Written.by(text, Origin.OUTSIDE)}
        if kind not in TOOLS:
            raise EngineError(f"{one_line(kind, 40)} is no kind of mail")
        name, always, takes = TOOLS[kind]
        given = {each: fields.get(each, Written("")) for each in takes}
        if not given["body"].text.strip() and kind != "forward":  # what is forwarded may speak for itself
            raise EngineError("there is no text yet: write some, or leave with Esc")
        ident = self._clock.new_id("call")
        call = ToolCall(
            ident,
            name,
            {**always, **({"message_id": mail} if mail else {}), **{each: said.text for each, said in given.items()}},
            Effect.SEND,
            self._clock.now(),
            f"{ORIGIN}{ident}",
            root="user",
            tainted=bool(mail),  # whom an answer goes to is said by the mail
            typed=[piece for said in given.values() for piece in said.typed()],
        )
        await self._store.put(call, namespace=Namespace.TOOL_CALL, tags=[OPEN_TAG])
        return ident
