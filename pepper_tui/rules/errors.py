"""How an order about rules fails, in words for the user."""

from __future__ import annotations

from pepper_tui.text.errors import PepperError


class RuleError(PepperError, ValueError):
    """It can't be done; the message says why, and what to do."""
