"""The port through which events are added: calendars that can be written to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Found:
    """What is at a place now: the ``version`` of its content; ``new`` if nothing is there yet."""

    version: str
    new: bool


class Calendars(Protocol):
    """Calendars that events may be added to. A *place* is where one event goes, as a card shows it.

    Methods raise ``ToolError`` in words.
    """

    async def place(self, wanted: str, uid: str, /) -> str:
        """Return where an event with ``uid`` goes in the calendar named ``wanted``; an empty name means the first."""
        ...

    async def look(self, place: str, event: bytes, /) -> Found:
        """Return what is there, if ``event`` (a VEVENT, RFC 5545) can be added to it without harm."""
        ...

    async def holds(self, place: str, uid: str, /) -> bool:
        """Check whether an event with this UID is there."""
        ...

    async def add(self, place: str, uid: str, event: bytes, version: str, /) -> str:
        """Add ``event``, and return words about it. One whose UID is already there is not added again.

        Raises ``OutdatedError`` if the place now holds another version, ``NotDoneError`` if nothing was done.
        """
        ...

    def title(self, place: str, /) -> str:
        """Return what a person calls the place."""
        ...

    def calendar(self, place: str, /) -> str:
        """Return the calendar of the events there, as the agenda names it."""
        ...
