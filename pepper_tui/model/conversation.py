"""What passes between the engine and its clients: pieces of replies, answers, refusals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from pepper_tui.text.errors import Foreseen, PepperError

UnknownAnswer = Literal["check", "happened", "did_not", "leave"]
"""What the user may say about a call whose outcome is unknown."""


class EngineError(PepperError, Foreseen):
    """An act that the engine refused or could not do."""


class ChoiceError(EngineError):
    """An act that needs one more answer.

    ``choices``: for each, its words and what to say instead of what was said; empty if that was not understood.
    """

    def __init__(self, words: str, choices: Sequence[tuple[str, str]]) -> None:
        super().__init__(words)
        self.choices = tuple(choices)


ASKED: Final = "A card in the inbox asks which, one key each"
"""The end of the message of a call that could not tell what the user means, and asks."""


@dataclass(frozen=True, slots=True)
class ReplyDelta:
    """A piece of a reply that is being written. ``restart``: everything shown so far is void. ``done``: it ended."""

    message_id: str
    text: str
    restart: bool = False
    done: bool = False
