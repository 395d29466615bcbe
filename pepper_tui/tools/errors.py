"""How a tool fails, in words that its caller reads."""

from __future__ import annotations

from pepper_tui.model import ResolvedEffect
from pepper_tui.text.errors import Foreseen, PepperError


class ToolError(PepperError, Foreseen):
    """The tool can't do what it was asked, for a reason that its caller should read."""


class ArgumentError(ToolError):
    """The arguments do not fit the tool's schema; the message says which and why."""


class NotDoneError(ToolError):
    """Raised by a body of ``write`` or ``send``: it failed, and the effect is known not to have happened.

    ``instead``: what the card that comes back asks for, where what was approved can't be had any more.
    """

    def __init__(self, words: str, instead: ResolvedEffect | None = None) -> None:
        super().__init__(words)
        self.instead = instead


class OutdatedError(NotDoneError):
    """A ``NotDoneError`` that a second try would meet as well: what the card was bound to has changed since."""


class ReportedFailureError(ToolError):
    """Raised by a body of ``write`` or ``send``: the other side has answered that it failed; the words are its own."""
