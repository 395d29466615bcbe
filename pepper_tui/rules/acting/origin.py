"""Who is behind a rule's notices: the notices of one origin are capped, so that nobody can flood the inbox."""

from __future__ import annotations

from pepper_tui.model import FROM_CALENDAR, FROM_FEED, FROM_SENDER, Signal
from pepper_tui.text import one_line

_OWN = frozenset({"clock", "follow_up", "follow"})  # feeds that report what the user has ordered


def origin_of(signal: Signal) -> str:
    """Return the sender of a mail, the calendar of an event, else the feed; empty if nobody outside wrote it."""
    if signal.source in _OWN:
        return ""
    if signal.source == "mail":
        return FROM_SENDER + str(signal.metadata.get("sender") or "").lower()
    if signal.source == "calendar":
        return FROM_CALENDAR + one_line(str(signal.metadata.get("calendar") or ""), 100)
    return FROM_FEED + signal.source
