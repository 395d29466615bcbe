"""Conflicts: two events that take the user's time at once.

Whole days, events that are cancelled, declined or marked as free time, and copies of one event in two calendars make
none. Two series that meet each week are one conflict, not one a week.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pepper_tui.domains.calendar.event import Event
from pepper_tui.model import Json

MAX_CONFLICTS: Final = 100  # of one look, the earliest first
MAX_PAIRS: Final = 200_000  # that are looked at, however many events a calendar piles up


@dataclass(frozen=True, slots=True)
class Conflict:
    """``first`` begins no later than ``second``, and ends after it has begun."""

    first: Event
    second: Event

    @property
    def start(self) -> float:
        return self.second.start

    @property
    def end(self) -> float:
        return min(self.first.end, self.second.end)

    @property
    def key(self) -> str:
        """Names the conflict: a single event by its times, a series by itself."""
        sides = sorted(map(_side, (self.first, self.second)))
        return f"conflict_{hashlib.sha256('|'.join(sides).encode()).hexdigest()[:24]}"

    def data(self) -> Json:
        """What is stored of it."""
        sides = [
            {"uid": one.uid, "calendar": one.calendar, "summary": one.summary, "start": one.start, "end": one.end,
             "organizer": one.organizer, "categories": one.categories}
            for one in (self.first, self.second)
        ]  # fmt: skip
        return {"id": self.key, "events": sides, "start": self.start, "end": self.end}


def conflicts_among(events: Sequence[Event], limit: int = MAX_CONFLICTS) -> list[Conflict]:
    """The conflicts of ``events``, by the start of the overlap; the first of each key; ``limit`` at most."""
    found: dict[str, Conflict] = {}
    open_events: list[Event] = []
    pairs = 0
    for event in sorted((one for one in events if _takes_time(one)), key=lambda one: (one.start, one.end, one.uid)):
        open_events = [one for one in open_events if one.end > event.start]
        pairs += len(open_events)
        if pairs > MAX_PAIRS:
            break
        for earlier in open_events:
            if not _same(earlier, event):
                conflict = Conflict(earlier, event)
                found.setdefault(conflict.key, conflict)
                if len(found) >= limit:
                    return list(found.values())
        open_events.append(event)
    return list(found.values())


def _takes_time(event: Event) -> bool:
    return event.busy and not event.all_day and not event.cancelled and event.end > event.start


def _same(one: Event, other: Event) -> bool:
    """Occurrences of one series, or copies of one event."""
    alike = (one.summary.casefold(), one.start, one.end) == (other.summary.casefold(), other.start, other.end)
    return one.uid == other.uid or alike


def _side(event: Event) -> str:
    times = "" if event.repeats else f"{event.start:.0f} {event.end:.0f}"
    return f"{event.calendar}\n{event.uid}\n{times}"
