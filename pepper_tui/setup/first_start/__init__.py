"""The first start: what on this machine Pepper could work with, and the config written from it.

Discovery reads names, never a mail. Nothing found is used before the user has agreed, and an existing config is never
overwritten without asking.
"""

from pepper_tui.setup.first_start.config_text import Choices, ModelChoice, config_text
from pepper_tui.setup.first_start.discovery import Calendars, Found, Key, Mails, discover
from pepper_tui.setup.first_start.starter_rules import STARTER_RULES, StarterRule
from pepper_tui.setup.first_start.writing import ConfigExistsError, write_config

__all__ = [
    "STARTER_RULES",
    "Calendars",
    "Choices",
    "ConfigExistsError",
    "Found",
    "Key",
    "Mails",
    "ModelChoice",
    "StarterRule",
    "config_text",
    "discover",
    "write_config",
]
