"""An event, as all of Pepper knows it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Final

from pepper_tui.model import Record

INVITED: Final = "invitations"
"""The calendar of what the user was invited to by mail, and its account: see ``domains/invitations``."""
UNANSWERED: Final = "needs-action"
"""The user's own answer to an invitation, as long as there is none (RFC 5545, section 3.2.12)."""


_BY_UID: Final = "uid:"


def by_uid(uid: str) -> str:
    """Return how a card's own choice names an event, so that no title is mistaken for it.

    Whoever makes an event chooses its UID: bare, one that is a word would take what the user says of another event.
    """
    return f"{_BY_UID}{uid}"


def uid_in(words: str) -> str:
    """Return the UID that ``words`` name, if a card's choice made them; else nothing."""
    return words.removeprefix(_BY_UID) if words.startswith(_BY_UID) else ""


@dataclass(slots=True)
class Event(Record):
    """One occurrence, or (as the feed stores it) one event with its first occurrence. Times are POSIX seconds."""

    uid: str
    summary: str
    start: float
    end: float
    all_day: bool = False
    location: str = ""
    description: str = ""
    status: str = "CONFIRMED"
    organizer: str = ""  # the address
    organizer_name: str = ""  # as the event says: anybody can write any name
    attendees: list[str] = field(default_factory=list)
    categories: list[str] = field(default_factory=list)
    calendar: str = ""  # name of the file, or id of the account's calendar
    recurrence: str = ""  # the original start of a moved occurrence, or the series' rule
    zone: str = ""
    busy: bool = True  # whether it takes the user's time: neither marked as free nor declined
    answer: str = ""  # the user's own: accepted, tentative, declined, needs-action; empty where they are not asked
    repeats: bool = False  # an occurrence of a series, as the series has it
    link: str = ""  # where it can be joined
    alarms: list[float] = field(default_factory=list)  # when the alarms of its calendar ring, as far as not dismissed
    first: bool = False  # it was there when its calendar was first looked at

    @property
    def cancelled(self) -> bool:
        return self.status == "CANCELLED"

    def touches(self, start: float, end: float) -> bool:
        """Check whether it takes any of [start, end); what ends at ``start`` does not."""
        return self.start < end and (self.end > start or self.start == self.end == start)

    @property
    def key(self) -> str:
        """The id of the event across all calendars: its uid and, for a single changed occurrence, its recurrence."""
        return hashlib.sha256(f"{self.calendar}\n{self.uid}\n{self.recurrence}".encode()).hexdigest()[:24]
