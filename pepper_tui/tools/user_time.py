"""The user's time, as given to every tool: their zone, and the reader of times in words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, tzinfo

from pepper_tui.clock.words import TimeReader


@dataclass(slots=True)
class UserTime:
    """The user's zone and reader.

    ``zone_name`` is the zone's name to the user. Without a ``reader``, no words are read.
    """

    zone: tzinfo = UTC
    zone_name: str = "UTC"
    reader: TimeReader | None = None
