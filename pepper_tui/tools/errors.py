"""Errors of tools, with words for the caller."""

from __future__ import annotations

from pepper_tui.model import ResolvedEffect
from pepper_tui.text.errors import Foreseen, PepperError


class ToolError(PepperError, Foreseen):
    """The tool can't do what was asked, for a reason that the caller should read."""


class ArgumentError(ToolError):
    """The arguments do not match the tool's schema; the message says which and why."""


class NotDoneError(ToolError):
    """Raised by a body of ``write`` or ``send``: it failed, and the effect is known not to have happened.

    ``instead``: what the returned card asks for if what was approved is no longer possible.
    """

    def __init__(self, words: str, instead: ResolvedEffect | None = None) -> None:
        super().__init__(words)
        self.instead = instead


class OutdatedError(NotDoneError):
    """A ``NotDoneError`` that a retry would hit as well: what the card was bound to has changed since."""


class ReportedFailureError(ToolError):
    """Raised by a body of ``write`` or ``send``: the other side reported a failure, in its own words."""
