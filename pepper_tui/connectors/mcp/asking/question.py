"""A question of a server to the user during a call, and the answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from pepper_tui.model import Json

Action = Literal["accept", "decline", "cancel"]


@dataclass(frozen=True)
class Question:
    """A question. ``message``, ``schema`` and ``address`` are the server's, raw.

    With ``address`` it asks the user to go there.
    """

    server: str
    message: str
    schema: Json = field(default_factory=dict)
    address: str = ""


@dataclass(frozen=True)
class Answer:
    """An answer. ``content``: the values by field, if it was accepted."""

    action: Action
    content: dict[str, Any] | None = None
