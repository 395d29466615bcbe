"""What passes between the engine and whoever speaks with it: pieces of replies, answers, refusals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

UnknownAnswer = Literal["check", "happened", "did_not", "leave"]
"""What the user may say of a call whose outcome is not known."""


class EngineError(Exception):
    """An act that the engine refused or could not do. ``words`` are for the user."""

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.words = words


@dataclass(frozen=True, slots=True)
class ReplyDelta:
    """A piece of a reply that is being written. ``restart``: what was shown so far is void. ``done``: it ended."""

    message_id: str
    text: str
    restart: bool = False
    done: bool = False
