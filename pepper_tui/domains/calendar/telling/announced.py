"""What tells one announcement of an event from another: the event, and how long before its start it is told."""

from __future__ import annotations

import hashlib

from pepper_tui.domains.calendar.event import Event


def announced_id(event: Event, minutes: float) -> str:
    """Return the id of the announcement of ``event`` that many minutes before it starts."""
    sign = f"{event.uid}\n{event.calendar}\n{event.start:.0f}\n{minutes}"
    return f"soon_{hashlib.sha256(sign.encode()).hexdigest()[:24]}"
