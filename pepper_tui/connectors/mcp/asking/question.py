"""What a server may ask of the user in the midst of a call, and what was answered."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from pepper_tui.model import Json

Action = Literal["accept", "decline", "cancel"]


@dataclass(frozen=True)
class Question:
    """``message``, ``schema`` and ``address`` are the server's, raw. With ``address`` it asks the user to go there."""

    server: str
    message: str
    schema: Json = field(default_factory=dict)
    address: str = ""


@dataclass(frozen=True)
class Answer:
    """``content``: value by field, where it was accepted."""

    action: Action
    content: dict[str, Any] | None = None
