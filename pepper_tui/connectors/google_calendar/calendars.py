"""Adding events to an account's calendars at Google: under an id made of the UID, so none is ever there twice.

What was added stands in the copy at once.
"""

from __future__ import annotations

from pepper_tui.clock import in_thread
from pepper_tui.connectors.calendar_places import CopiedCalendars
from pepper_tui.connectors.google_account.errors import (
    GoneError,
    GoogleError,
    InDoubtError,
    RefusedError,
)
from pepper_tui.connectors.google_calendar.copying import made
from pepper_tui.connectors.google_calendar.listing import CalendarAccount
from pepper_tui.connectors.google_calendar.own_events import body_of, own_id
from pepper_tui.connectors.google_calendar.rendering import Json, Seen, vevent
from pepper_tui.connectors.google_calendar.series import merged
from pepper_tui.domains.calendar.objects import CalendarSource, put_objects
from pepper_tui.domains.calendar.writer import Found
from pepper_tui.store import Store
from pepper_tui.text import one_line
from pepper_tui.tools.errors import NotDoneError, ToolError

_TAKEN = "duplicate"
"""Google's reason for refusing an id that is, or was, an event's."""


class GoogleCalendars(CopiedCalendars):
    """The calendars of ``account``: see ``domains.calendar.writer.Calendars``."""

    def __init__(self, account: CalendarAccount, store: Store) -> None:
        super().__init__("google", account.ident, store)
        self._account = account

    async def writable(self) -> list[CalendarSource]:
        own = self._account.settings.address.casefold()
        return sorted(await super().writable(), key=lambda each: each.place.casefold() != own)

    async def look(self, place: str, event: bytes) -> Found:
        await self.source(place)
        try:
            await self._account.need("add")
        except GoogleError as error:
            raise ToolError(error.told) from error
        return Found("", True)

    async def holds(self, place: str, uid: str) -> bool:
        source = await self.source(place)
        try:
            return await self._there(source, uid) is not None
        except GoogleError as error:
            raise ToolError(error.told) from error

    async def add(self, place: str, uid: str, event: bytes, version: str) -> str:
        source = await self.source(place)
        title = one_line(source.title, 60)
        body = await in_thread(body_of, event, uid)
        try:
            await self._account.need("add")
            added = await self._account.call(
                "events.insert", urgent=True, calendarId=source.place, body=body, sendUpdates="none"
            )
        except RefusedError as error:
            if error.reason != _TAKEN:
                raise NotDoneError(error.told) from error
            return await self._taken(source, uid)
        except InDoubtError as error:
            raise ToolError(f"{error.words}, after it was given the event") from error
        except GoogleError as error:
            raise NotDoneError(error.told) from error
        await self._keep(source, added)
        return f"Added to {title} of {self._account.ident}."

    async def _taken(self, source: CalendarSource, uid: str) -> str:
        """Say what became of an event that was added before. Raises ``ToolError`` if that can't be known."""
        try:
            there = await self._there(source, uid)
        except GoogleError as error:
            raise ToolError(f"it was added before, but Google does not show it: {error.told}") from error
        if there is None:
            raise NotDoneError(f"it was added before, and has been deleted from {one_line(source.title, 60)} since")
        await self._keep(source, there)
        return f"It is in {one_line(source.title, 60)} already."

    async def _there(self, source: CalendarSource, uid: str) -> Json | None:
        """Return the event with this UID, if it is there; what was deleted can be got for a while."""
        try:
            found: Json = await self._account.call(
                "events.get", urgent=True, calendarId=source.place, eventId=own_id(uid)
            )
        except GoneError:
            return None
        return None if found.get("status") == "cancelled" else found

    async def _keep(self, source: CalendarSource, event: Json) -> None:
        seen = Seen.of(self._account.settings.address, source.place)
        try:
            ident, part = str(event["id"]), vevent(event, seen)
        except Exception:  # what can't be read now is read, or counted, by the next look
            return
        async with self._store.unit():
            await put_objects(self._store, [made(source, ident, merged({}, {ident: part}, ident, whole=True))])
