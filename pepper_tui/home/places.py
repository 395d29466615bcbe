"""Where a home is, and the names of its files."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

CONFIG_FILE: Final = "config.toml"
SECRETS_FILE: Final = "secrets.toml"
DATABASE: Final = "pepper.db"


def default_home() -> Path:
    """Return ``$PEPPER_HOME``, else ``$XDG_DATA_HOME/pepper``, else ``~/.local/share/pepper``."""
    own = os.environ.get("PEPPER_HOME")
    if own:
        return Path(own).expanduser()
    data = os.environ.get("XDG_DATA_HOME")
    return (Path(data) if data else Path.home() / ".local" / "share") / "pepper"
