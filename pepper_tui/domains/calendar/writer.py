"""The port through which events are added: calendars that can be written to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Found:
    """What lies at a place now: the ``version`` of its content, and whether there is ``new``ly none."""

    version: str
    new: bool


class Calendars(Protocol):
    """Calendars that events may be added to. A *place* is where one event goes, as a card shows it.

    Methods raise ``ToolError`` in words.
    """

    async def place(self, wanted: str, uid: str, /) -> str:
        """Where an event with ``uid`` goes in the calendar that ``wanted`` names; in the first one if it is empty."""
        ...

    async def look(self, place: str, event: bytes, /) -> Found:
        """What lies there, if ``event`` (a VEVENT, RFC 5545) can be put to it without harm."""
        ...

    async def holds(self, place: str, uid: str, /) -> bool:
        """Whether an event with this UID is there."""
        ...

    async def add(self, place: str, uid: str, event: bytes, version: str, /) -> str:
        """Add ``event``, in words. One whose UID is there already is not added again.

        Raises ``OutdatedError`` where the place holds another version by now, ``NotDoneError`` where nothing was done.
        """
        ...

    def title(self, place: str, /) -> str:
        """What a person calls the place."""
        ...

    def calendar(self, place: str, /) -> str:
        """The calendar of the events there, as the agenda names it."""
        ...
