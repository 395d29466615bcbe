"""The countdown to the next event, in words."""

from __future__ import annotations

import math
from typing import Final

from pepper_tui.domains.calendar.telling.next_event import NextEvent

COUNTS_DOWN: Final = 3 * 3600.0
"""Seconds before an event from which on it is counted down to."""


def ahead(event: NextEvent, now: float) -> tuple[tuple[str, str], float | None]:
    """Return the event and how long it is to it, in words, and in how many seconds they are others.

    No words unless it begins within ``COUNTS_DOWN``; None if it is not ahead.
    """
    left = event.start - now
    if left <= 0:
        return ("", ""), None
    if left > COUNTS_DOWN:
        return ("", ""), left - COUNTS_DOWN
    minutes = math.ceil(left / 60)
    hours, rest = divmod(minutes, 60)
    said = f"{hours} h {rest} min" if hours and rest else f"{hours} h" if hours else f"{minutes} min"
    return (event.summary or "(no title)", f"in {said}"), left - (minutes - 1) * 60
