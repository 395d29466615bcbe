"""The port through which events are added and changed: calendars that can be written to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol, runtime_checkable

from pepper_tui.domains.calendar.pieces import EVENT, TODO
from pepper_tui.text import one_line
from pepper_tui.tools.errors import NotDoneError, ToolError

_NAMED: Final = 20
AN_EVENT: Final = EVENT.decode()
A_TODO: Final = TODO.decode()


@dataclass(frozen=True, slots=True)
class Found:
    """What is at a place now: the ``version`` of its content; ``new`` if nothing is there yet."""

    version: str
    new: bool


class Calendars(Protocol):
    """Calendars that events may be added to. A *place* is where one event goes, as a card shows it.

    ``keeps_others``: what is added stays as it is written, so an event of somebody else's can be, too. Methods raise
    ``ToolError`` in words.
    """

    keeps_others: bool

    async def names(self) -> Sequence[str]:
        """Return what the calendars are called that can be written to."""
        ...

    def owns(self, place: str, /) -> bool:
        """Check whether the place is in one of these calendars."""
        ...

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


@dataclass(frozen=True, slots=True)
class Held:
    """The events of one UID as they lie in a calendar of the user's: ``text`` is a calendar that holds just them.

    ``at`` is where they lie there, in the calendars' own words; ``version`` the mark of what was read. ``kind`` is what
    they are in iCalendar: ``VTODO`` are to-dos.
    """

    place: str
    at: str
    version: str
    text: str = ""
    kind: str = AN_EVENT


@runtime_checkable
class Rewritable(Protocol):
    """Calendars whose events can be replaced where they lie. Methods raise ``ToolError`` in words."""

    def owns(self, place: str, /) -> bool: ...

    async def held(self, calendar: str, uid: str, kind: str = AN_EVENT, /) -> Held | None:
        """Return the events with ``uid`` in ``calendar``, as the agenda names it, if they are there and may be written.

        Or what else ``kind`` names. From the copy, where there is one.
        """
        ...

    async def rewrite(self, held: Held, text: str, /) -> str:
        """Put ``text`` in place of what was read, if that is still so; nothing removes it. Return words about it.

        Raises ``OutdatedError`` if it is another by now, ``NotDoneError`` if nothing was done, or if nobody knows:
        twice does no harm.
        """
        ...

    async def stands(self, held: Held, text: str, /) -> bool:
        """Check whether ``text`` lies there now; without one, whether nothing does."""
        ...


class AllCalendars:
    """The calendars of several connectors as one, in the order of the config."""

    def __init__(self, each: Sequence[Calendars]) -> None:
        self._each = each
        self.keeps_others = any(one.keeps_others for one in each)

    async def names(self) -> list[str]:
        return [name for one in self._each for name in await one.names()]

    def owns(self, place: str) -> bool:
        return any(one.owns(place) for one in self._each)

    async def place(self, wanted: str, uid: str) -> str:
        found: list[str] = []
        refused: list[ToolError] = []
        for one in self._each:
            try:
                found.append(await one.place(wanted, uid))
            except ToolError as error:
                refused.append(error)
            if found and not wanted:
                break
        if len(found) > 1:
            raise ToolError(
                f"{one_line(wanted, 60)!r} is the name of several calendars; there are: {await self._named()}"
            )
        if not found:
            if len(refused) == 1:
                raise refused[0]
            raise ToolError(f"{one_line(wanted, 60)!r} is none of your calendars; there are: {await self._named()}")
        return found[0]

    async def place_of_others(self, uid: str, wanted: str) -> str:
        """Return where an event of somebody else's goes: into calendars that keep it as it is. Raises ``ToolError``."""
        keeping = [one for one in self._each if one.keeps_others]
        return await AllCalendars(keeping).place(wanted, uid)

    async def look(self, place: str, event: bytes) -> Found:
        return await self._of(place).look(place, event)

    async def holds(self, place: str, uid: str) -> bool:
        return await self._of(place).holds(place, uid)

    async def add(self, place: str, uid: str, event: bytes, version: str) -> str:
        return await self._of(place).add(place, uid, event, version)

    def title(self, place: str) -> str:
        return self._of(place).title(place)

    def calendar(self, place: str) -> str:
        return self._of(place).calendar(place)

    async def held(self, calendar: str, uid: str, kind: str = AN_EVENT) -> Held | None:
        for one in self._each:
            if isinstance(one, Rewritable) and (found := await one.held(calendar, uid, kind)) is not None:
                return found
        return None

    async def rewrite(self, held: Held, text: str) -> str:
        return await self._rewritable(held.place).rewrite(held, text)

    async def stands(self, held: Held, text: str) -> bool:
        return await self._rewritable(held.place).stands(held, text)

    def _rewritable(self, place: str) -> Rewritable:
        one = self._of(place)
        if not isinstance(one, Rewritable):
            raise NotDoneError(f"what is in {one_line(self.title(place), 60)} can't be changed from here")
        return one

    def _of(self, place: str) -> Calendars:
        for one in self._each:
            if one.owns(place):
                return one
        raise NotDoneError(f"the calendar of {one_line(place, 100)} is no longer in the config")

    async def _named(self) -> str:
        return ", ".join(one_line(name, 40) for name in (await self.names())[:_NAMED])
