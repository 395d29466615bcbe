"""One section of a config as it is written: without types, and without the imports that those need."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from pepper_tui.boundary.plain_file import plain_text
from pepper_tui.home.places import CONFIG_FILE
from pepper_tui.home.renamed import renewed


def section(home: Path, name: str) -> dict[str, Any]:
    """Return the section ``name`` of the home's config; empty if none can be read."""
    try:
        found = renewed(tomllib.loads(plain_text(home / CONFIG_FILE))).tree.get(name)
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
