"""The time that the user wants before an event: to get to its place, or to be ready."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from pepper_tui.domains.calendar.event import Event
from pepper_tui.domains.calendar.meeting.link import is_place


@dataclass(frozen=True, slots=True)
class Spacing:
    """``travel``: minutes on the way to an event at a place; ``buffer``: minutes before any event."""

    travel: int = 0
    buffer: int = 0

    @property
    def most(self) -> int:
        return max(self.travel, self.buffer)

    def before(self, event: Event, after: Event | None = None) -> int:
        """Return the minutes to keep before ``event``; ``after`` is the one before it, maybe at the same place."""
        away = bool(self.travel) and is_place(event.location)
        if away and after is not None and _place(after) == _place(event):
            away = False
        return max(self.buffer, self.travel if away else 0)


NO_SPACING: Final = Spacing()


def _place(event: Event) -> str:
    return " ".join(event.location.casefold().split())
