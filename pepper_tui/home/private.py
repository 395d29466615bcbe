"""A home is for its user alone."""

from __future__ import annotations

import stat
from pathlib import Path


def make_private(home: Path) -> None:
    """Make the home, where it is not there, and close it to others. Raises ``OSError``."""
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    if stat.S_IMODE(home.stat().st_mode) & 0o077:  # not where its owner has taken the right to write from himself
        home.chmod(0o700)
