"""Triage by the rules of a config, as the engine builds it."""

from __future__ import annotations

from typing import Any

from pepper_tui.config import Config
from pepper_tui.feeds import Triage
from pepper_tui.rules import RuleBook, rules_of_config


def triage_of(config: Config, store: Any = None, **more: Any) -> Triage:
    """Triage with the config's rules; the book is asked, and never started."""
    return Triage(config, RuleBook(store, rules_of_config(config), config.mail.templates), **more)
