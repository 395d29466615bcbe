"""One typed tree read from ``config.toml`` in the home; every room gets its part of it."""

from pepper_tui.config.agents import Fetch, Judging, McpServer, Offered, OwnTools, Scheduler, Tools, Worker
from pepper_tui.config.base import (
    CONFIG_FILE,
    DATABASE,
    SECRETS_FILE,
    ConfigError,
    Section,
    default_home,
    refers_to_secret,
)
from pepper_tui.config.load import anchored, dotted_name, load_config, old_key_notes, parse_config, place_at, place_of
from pepper_tui.config.models import (
    MODEL_ROLES,
    Budget,
    EmbeddingModel,
    ModelOptions,
    Models,
    NamedModel,
    Price,
    RoleModel,
)
from pepper_tui.config.rules import ClockEntry, Rule, Watch
from pepper_tui.config.secrets import Secrets
from pepper_tui.config.sections import Config, Kept, Search, Store, Ui, User
from pepper_tui.config.sources import FEED_NAMES, Account, Calendar, Conversation, ExecFeed, Files, Mail, OwnFeed, Smtp

__all__ = [
    "CONFIG_FILE",
    "DATABASE",
    "FEED_NAMES",
    "MODEL_ROLES",
    "SECRETS_FILE",
    "Account",
    "Budget",
    "Calendar",
    "ClockEntry",
    "Config",
    "ConfigError",
    "Conversation",
    "EmbeddingModel",
    "ExecFeed",
    "Fetch",
    "Files",
    "Judging",
    "Kept",
    "Mail",
    "McpServer",
    "ModelOptions",
    "Models",
    "NamedModel",
    "Offered",
    "OwnFeed",
    "OwnTools",
    "Price",
    "RoleModel",
    "Rule",
    "Scheduler",
    "Search",
    "Secrets",
    "Section",
    "Smtp",
    "Store",
    "Tools",
    "Ui",
    "User",
    "Watch",
    "Worker",
    "anchored",
    "default_home",
    "dotted_name",
    "load_config",
    "old_key_notes",
    "parse_config",
    "place_at",
    "place_of",
    "refers_to_secret",
]
