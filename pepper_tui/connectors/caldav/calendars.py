"""Writing to an account's calendars. What is added becomes an object of its own, and one that is there is left alone.

The object's address is made of its calendar's and of its UID, and the server is told to take it only where nothing lies
(If-None-Match, RFC 4791, section 5.3.2), so the same event is never there twice. An object is replaced only as it was
seen (If-Match). What was written stands in the copy at once.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final
from urllib.parse import quote, urljoin, urlsplit

from pepper_tui.clock import in_thread
from pepper_tui.config import ConfigError
from pepper_tui.connectors.caldav.dav import calendars
from pepper_tui.connectors.caldav.settings import CalDav
from pepper_tui.connectors.caldav.wire import Wire
from pepper_tui.connectors.calendar_places import CopiedCalendars
from pepper_tui.connectors.http_server import Answer, ServerError, UnreachedError
from pepper_tui.domains.calendar.objects import CalendarObject, CalendarSource, object_id, put_objects
from pepper_tui.domains.calendar.pieces import readable
from pepper_tui.domains.calendar.writer import Found, Held
from pepper_tui.store import Store
from pepper_tui.text import one_line
from pepper_tui.tools.errors import NotDoneError, OutdatedError, ToolError

_WRAPPED: Final = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Pepper//Pepper//EN\r\n{}END:VCALENDAR\r\n"
_PRODUCT: Final = b"PRODID:-//Pepper//Pepper//EN"
_EXISTS: Final = 412
"""What If-None-Match is answered with where something lies (RFC 9110, section 13.1.2)."""
_CHANGED: Final = 412
"""What If-Match is answered with where something else lies, or nothing (section 13.1.1)."""


class CalDavCalendars(CopiedCalendars):
    """The calendars of the account ``ident``: see ``domains.calendar.writer.Calendars``."""

    keeps_others = True

    def __init__(self, ident: str, settings: CalDav, password: Callable[[], str], store: Store) -> None:
        super().__init__("caldav", ident, store)
        self._settings, self._password = settings, password

    async def look(self, place: str, event: bytes) -> Found:
        await self.source(place)
        return Found("", True)

    async def holds(self, place: str, uid: str) -> bool:
        source = await self.source(place)
        try:
            async with self.wire() as wire:
                answer = await wire.ask("GET", await self._found(wire, source, place))
        except ServerError as error:
            raise ToolError(error.told) from error
        if answer.status not in (200, 404, 410):
            raise ToolError(f"{wire.reach.server} does not say whether it is there (HTTP {answer.status})")
        return answer.status == 200

    async def add(self, place: str, uid: str, event: bytes, version: str) -> str:
        source = await self.source(place)
        text = _WRAPPED.format(event.decode())
        headers = {"Content-Type": "text/calendar; charset=utf-8", "If-None-Match": "*"}
        try:
            async with self.wire() as wire:
                url = await self._found(wire, source, place)
                answer = await wire.ask("PUT", url, text, headers)
        except UnreachedError as error:
            raise NotDoneError(error.told) from error
        except ServerError as error:
            raise ToolError(f"{error.words}, after it was given the event") from error
        if answer.status == _EXISTS:
            return f"It is in {one_line(source.title, 60)} already."
        if answer.status >= 500:
            raise ToolError(f"{wire.reach.server} had trouble of its own with it (HTTP {answer.status})")
        if answer.status >= 300:
            raise NotDoneError(f"{wire.reach.server} does not take it into {source.title} (HTTP {answer.status}).")
        await self._keep(source, urlsplit(url).path, text)
        return f"Added to {one_line(source.title, 60)} of {self._ident}."

    async def rewrite(self, held: Held, text: str) -> str:
        source = await self.source(held.place)
        title = one_line(source.title, 60)
        headers = {"If-Match": held.version or "*"}
        if text:
            headers["Content-Type"] = "text/calendar; charset=utf-8"
        try:
            async with self.wire() as wire:
                url = urljoin(await self._at(wire, source), held.at)
                answer = await wire.ask("PUT" if text else "DELETE", url, text, headers)
                if answer.status in (_CHANGED, 404, 410) and _holds(await wire.ask("GET", url), text):
                    await self._keep(source, held.at, text)  # it was taken before, and the answer was lost
                    return f"It is so in {title} already."
        except UnreachedError as error:
            raise NotDoneError(error.told) from error
        except ServerError as error:
            raise NotDoneError(f"{error.words}, after it was given the event; once more does no harm") from error
        if answer.status in (_CHANGED, 404, 410):
            raise OutdatedError(f"{title} has it otherwise by now; look at it again")
        if answer.status >= 300:
            raise NotDoneError(f"{wire.reach.server} does not take it into {title} (HTTP {answer.status}).")
        await self._keep(source, held.at, text)
        return f"{'Changed' if text else 'Removed'} in {title} of {self._ident}."

    async def stands(self, held: Held, text: str) -> bool:
        source = await self.source(held.place)
        try:
            async with self.wire() as wire:
                return _holds(await wire.ask("GET", urljoin(await self._at(wire, source), held.at)), text)
        except ServerError as error:
            raise ToolError(error.told) from error

    async def _found(self, wire: Wire, source: CalendarSource, place: str) -> str:
        """Return the address of the object, on the host where the calendar is. Raises ``UnreachedError``."""
        return urljoin(await self._at(wire, source), f"{quote(place.rpartition(':')[2], safe='')}.ics")

    async def _at(self, wire: Wire, source: CalendarSource) -> str:
        """Return where the calendar is now. Raises ``UnreachedError``."""
        try:
            listed = await calendars(wire)
        except ServerError as error:
            raise UnreachedError(error.words, error.remedy) from error
        at = next((each.url for each in listed if urlsplit(each.url).path == source.place), "")
        if not at:
            raise UnreachedError(f"{wire.reach.server} has no calendar {source.title!r} any more", wire.reach.check)
        return at

    async def _keep(self, source: CalendarSource, path: str, text: str) -> None:
        """Put what was added into the copy, without a version: the next look fetches what the server made of it."""
        ident = object_id(self._ident, path)
        async with self._store.unit():
            await put_objects(self._store, [CalendarObject(ident, self._ident, source.id, path, "", text)])

    @asynccontextmanager
    async def wire(self) -> AsyncIterator[Wire]:
        """Open the way to the server. Raises ``UnreachedError`` for a password that can't be read."""
        try:
            password = await in_thread(self._password)
        except ConfigError as error:
            raise UnreachedError(error.problems[0], f"see password in account {self._ident}") from error
        async with Wire(self._settings, self._ident, password) as wire:
            yield wire


def _holds(answer: Answer, text: str) -> bool:
    """Check whether a server has all of ``text``, whatever it has added, or nothing if there is none.

    Servers order and quote as they like.
    """
    if not text:
        return answer.status in (404, 410)
    there, wanted = (set(readable(each.replace(b'"', b"")).splitlines()) for each in (answer.body, text.encode()))
    return answer.status == 200 and wanted - {_PRODUCT} <= there
