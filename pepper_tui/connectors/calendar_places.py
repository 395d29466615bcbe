"""Where events may be added and changed in calendars that are copied into the store: those that can be written to.

A place is the calendar's id and the event's UID, after a word for the kind of account.
"""

from __future__ import annotations

from pepper_tui.domains.calendar.objects import CalendarSource, objects_of, objects_with, sources_of
from pepper_tui.domains.calendar.pieces import pieces_of
from pepper_tui.domains.calendar.writer import A_TODO, AN_EVENT, Held
from pepper_tui.store import Store
from pepper_tui.text import one_line
from pepper_tui.tools.errors import NotDoneError, ToolError


class CopiedCalendars:
    """The calendars of the account ``ident``: a part of ``domains.calendar.writer.Calendars``."""

    def __init__(self, kind: str, ident: str, store: Store) -> None:
        self._start, self._ident, self._store = f"{kind}:", ident, store

    async def names(self) -> list[str]:
        return [each.title for each in await self.writable()]

    async def place(self, wanted: str, uid: str) -> str:
        writable = await self.writable()
        name = wanted.strip().casefold()
        found = [each for each in writable if name in ("", each.title.casefold(), each.id.casefold(), self._ident)]
        if not found:
            there = ", ".join(one_line(each.title, 40) for each in writable) or "none yet"
            raise ToolError(f"{self._ident} has no calendar {one_line(wanted, 60)!r} to add to; there are: {there}")
        return f"{self._start}{found[0].id}:{uid}"

    def owns(self, place: str) -> bool:
        return place.startswith(f"{self._start}{self._ident}/")

    def title(self, place: str) -> str:
        return place.removeprefix(self._start).rpartition(":")[0]

    def calendar(self, place: str) -> str:
        return self.title(place)

    async def held(self, calendar: str, uid: str, kind: str = AN_EVENT) -> Held | None:
        """Return the events with ``uid`` as the copy has them; see ``domains.calendar.writer.Rewritable``."""
        source = next((each for each in await self.writable(kind) if each.id == calendar), None)
        if source is None:
            return None
        found = await objects_with(self._store, uid)
        if not found and kind == A_TODO:  # copies of earlier versions are not named by their to-dos
            found = [*(await objects_of(self._store, source)).values()]
        mine = (each for each in found if each.calendar == calendar and _holds(each.text, uid, kind))
        one = next(mine, None)
        return (
            Held(f"{self._start}{calendar}:{uid}", one.place, one.version, one.text, kind) if one is not None else None
        )

    async def source(self, place: str) -> CalendarSource:
        """Return the calendar of a place. Raises ``NotDoneError`` if it can't be written to."""
        wanted = self.title(place)
        sources = await sources_of(self._store, self._ident)
        found = next((each for each in sources if each.may_write and each.id == wanted), None)
        if found is None:
            raise NotDoneError(f"the calendar {one_line(wanted, 80)} is not there any more, or can't be written to")
        return found

    async def writable(self, kind: str = AN_EVENT) -> list[CalendarSource]:
        """Return those that events (or what ``kind`` names) can be written to, first the one meant without a name."""
        sources = await sources_of(self._store, self._ident)
        return sorted((each for each in sources if each.may_write and kind in each.holds), key=lambda one: one.id)


def _holds(text: str, uid: str, kind: str) -> bool:
    try:
        return any(each.uid == uid for each in pieces_of(text, kind.encode()))
    except ValueError:  # a server gives what can't be read
        return False
