"""Orders about the newest mail from somebody: it is searched for first, and then done this with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from pepper_tui.llm.offline.command import Command
from pepper_tui.model import Json

Needed = tuple[str, str, Json]
"""A tool, the words once it is called, and its arguments."""

_PREPARING: Final = "Preparing the {what}; it goes out only after your yes."


def _answer(to: str) -> Callable[[Command], Needed]:
    def needed(command: Command) -> Needed:
        given: dict[str, Any] = {"body": command["body"], "reason": "You asked for this reply."}
        return "draft_reply", _PREPARING.format(what="reply"), given if to == "sender" else {**given, "to": to}

    return needed


ON_NEWEST: Final[Mapping[str, Callable[[Command], Needed]]] = {
    "read": lambda c: ("read_mail", "", {}),
    "reply": _answer("sender"),
    "reply_all": _answer("all"),
    "reply_list": _answer("list"),
    "forward": lambda c: ("forward_mail", _PREPARING.format(what="mail"), {"to": c["to"], "body": c["body"]}),
    "unsubscribe": lambda c: ("unsubscribe", "Looking how that list can be left; nothing is sent before your yes.", {}),
}
"""By kind of order: what is done with the mail, besides its ``message_id``."""
