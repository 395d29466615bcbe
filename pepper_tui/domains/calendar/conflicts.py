"""Conflicts: two events that take the user's time simultaneously, or without the time that they want in between.

Whole days, events that are cancelled, declined or marked as free time, and copies of one event in two calendars are no
conflicts. Two series that meet each week are one conflict, not one per week.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from pepper_tui.domains.calendar.event import Event
from pepper_tui.domains.calendar.meeting.spacing import NO_SPACING, Spacing
from pepper_tui.domains.calendar.parts import Agenda
from pepper_tui.model import Json
from pepper_tui.text import one_line

NAMED: Final = 5  # events that a card names
MAX_CONFLICTS: Final = 100  # per pair of calendars in one check, the earliest first
MAX_OPEN: Final = 40  # simultaneous events of one calendar that later ones are compared with


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two events that overlap: ``first`` begins no later than ``second``, and ends after ``second`` has begun.

    Or they are too close: then it lasts from the end of the first to the start of the second, where there should be
    ``wanted`` minutes.
    """

    first: Event
    second: Event
    wanted: int = 0

    @property
    def start(self) -> float:
        return self.first.end if self.wanted else self.second.start

    @property
    def end(self) -> float:
        return self.second.start if self.wanted else min(self.first.end, self.second.end)

    @property
    def key(self) -> str:
        """The id of the conflict: a single event counts by its times, a series by itself."""
        sides = sorted(map(_side, (self.first, self.second)))
        return f"conflict_{hashlib.sha256('|'.join(sides).encode()).hexdigest()[:24]}"

    def data(self) -> Json:
        """Return the data that is stored."""
        sides = [
            {"uid": one.uid, "calendar": one.calendar, "summary": one.summary, "start": one.start, "end": one.end,
             "organizer": one.organizer, "categories": one.categories}
            for one in (self.first, self.second)
        ]  # fmt: skip
        return {"id": self.key, "events": sides, "start": self.start, "end": self.end, "wanted": self.wanted}


def why_over(sides: Sequence[Json], events: Mapping[tuple[str, str], Sequence[Event]], end: float, now: float) -> str:
    """Return what became of the ``sides`` of a conflict, as far as it says why they no longer overlap; else nothing.

    ``events`` are those that there are now, as written, by calendar and UID; ``end``: of the overlap.
    """
    if end <= now:
        return "it is over"
    for side in sides:
        title = f"“{one_line(str(side['summary']) or '(no title)', 60)}”"
        there = events.get((side["calendar"], side["uid"]), ())
        if all(one.cancelled for one in there):
            return f"{title} was cancelled"
        if len(there) > 1:
            continue  # a series with changed occurrences: which of them it was is not known
        [event] = there
        if event.answer == "declined":
            return f"you declined {title}"
        if not event.busy:
            return f"{title} is marked as free"
        if not event.recurrence and (event.start, event.end) != (side["start"], side["end"]):
            return f"{title} was moved"
    return ""


async def taken_beside(agenda: Agenda, start: float, end: float, uid: str) -> list[Event]:
    """Return what takes the user's time in [start, end), besides the event ``uid`` itself and whole days."""
    there = [Event.of(each.data()) for each in await agenda.between(start, end)]
    return [each for each in there if each.busy and not each.all_day and each.uid != uid]


def titles_of(events: Sequence[Event]) -> str:
    """Return the titles of the first few events, and how many more there are."""
    named = ", ".join(one_line(each.summary or "(no title)", 60) for each in events[:NAMED])
    return named + (f" and {len(events) - NAMED} more" if len(events) > NAMED else "")


class Conflicts(list[Conflict]):
    """The result of one check. ``cut``: there may be more, as one calendar, or two together, had too many."""

    cut: bool = False


def conflicts_among(
    events: Sequence[Event], limit: int = MAX_CONFLICTS, spacing: Spacing = NO_SPACING
) -> Conflicts:  # fmt: skip
    """Return the conflicts of ``events``, by the start of the overlap; the first of each key.

    ``spacing``: the time to be kept before each. At most ``limit`` for the same two calendars: a flood of events in one
    hides no conflicts of another.
    """
    found: dict[str, Conflict] = {}
    counts: Counter[frozenset[str]] = Counter()
    open_events: dict[str, list[Event]] = {}
    cut = False
    for event in sorted((one for one in events if _takes_time(one)), key=lambda one: (one.start, one.end, one.uid)):
        for calendar, begun in open_events.items():
            begun[:] = [one for one in begun if one.end + spacing.most * 60 > event.start]
            both = frozenset((calendar, event.calendar))
            for earlier in begun:
                wanted = spacing.before(event, earlier) if earlier.end <= event.start else 0
                if _same(earlier, event) or earlier.end + wanted * 60 <= event.start:
                    continue
                if counts[both] == limit:
                    cut = True
                    break
                conflict = Conflict(earlier, event, wanted)
                if conflict.key not in found:
                    counts[both] += 1
                    found[conflict.key] = conflict
        mine = open_events.setdefault(event.calendar, [])
        if len(mine) < MAX_OPEN:
            mine.append(event)
        else:
            cut = True
    conflicts = Conflicts(found.values())
    conflicts.cut = cut
    return conflicts


def _takes_time(event: Event) -> bool:
    return event.busy and not event.all_day and not event.cancelled and event.end > event.start


def _same(one: Event, other: Event) -> bool:
    """Check whether they are occurrences of one series, or copies of one event."""
    at_once = (one.start, one.end) == (other.start, other.end)
    if one.uid == other.uid and (at_once or one.calendar == other.calendar):
        return True  # a UID in another calendar may be anyone's
    return at_once and one.summary.casefold() == other.summary.casefold()


def _side(event: Event) -> str:
    times = "" if event.repeats else f"{event.start:.0f} {event.end:.0f}"
    return f"{event.calendar}\n{event.uid}\n{times}"
