"""Writing to an account's calendars at Google.

What is added goes under an id made of the UID, so none is ever there twice. What is changed is changed field by field,
only as it was read (If-Match), and Google is asked to tell nobody. What was written stands in the copy at once.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from pepper_tui.clock import in_thread
from pepper_tui.connectors.calendar_places import CopiedCalendars
from pepper_tui.connectors.google_account.errors import (
    GoneError,
    GoogleError,
    InDoubtError,
    OutdatedEtagError,
    RefusedError,
)
from pepper_tui.connectors.google_calendar.changing import DELETE, Series, Step
from pepper_tui.connectors.google_calendar.copying import made, place_in
from pepper_tui.connectors.google_calendar.listing import CalendarAccount
from pepper_tui.connectors.google_calendar.own_events import body_of, own_id
from pepper_tui.connectors.google_calendar.rendering import Json, Seen, vevent
from pepper_tui.connectors.google_calendar.series import Told, merged, parts_of
from pepper_tui.domains.calendar.objects import CalendarSource, objects_at, put_objects
from pepper_tui.domains.calendar.writer import AN_EVENT, Found, Held
from pepper_tui.store import Store
from pepper_tui.text import one_line
from pepper_tui.tools.errors import NotDoneError, OutdatedError, ToolError

_TAKEN = "duplicate"
"""Google's reason for refusing an id that is, or was, an event's."""


class GoogleCalendars(CopiedCalendars):
    """The calendars of ``account``: see ``domains.calendar.writer.Calendars``."""

    keeps_others = False  # an event that is added becomes the user's own; with guests, it would be theirs to answer

    def __init__(self, account: CalendarAccount, store: Store) -> None:
        super().__init__("google", account.ident, store)
        self._account = account

    async def writable(self, kind: str = AN_EVENT) -> list[CalendarSource]:
        own = self._account.settings.address.casefold()
        return sorted(await super().writable(kind), key=lambda each: each.place.casefold() != own)

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
        await self._keep(source, str(added["id"]), added)
        return f"Added to {title} of {self._account.ident}."

    async def held(self, calendar: str, uid: str, kind: str = AN_EVENT) -> Held | None:
        found = await super().held(calendar, uid, kind)
        if found is not None:
            try:
                await self._account.need("add")
            except GoogleError as error:
                raise ToolError(error.told) from error
        return found

    async def rewrite(self, held: Held, text: str) -> str:
        source = await self.source(held.place)
        title = one_line(source.title, 60)
        series = await self._series(source, held)
        written: list[Step] = []
        try:
            await self._account.need("add")
            async for step in series.steps(text):
                await self._write(source, series, step)
                written.append(step)
        except InDoubtError as error:
            raise NotDoneError(f"{error.words}, after it was given the event; once more does no harm") from error
        except (OutdatedEtagError, GoneError) as error:
            raise OutdatedError(f"{title} has it otherwise by now; look at it again") from error
        except GoogleError as error:
            raise NotDoneError(error.told) from error
        if not written:
            await self._keep_now(source, series)
            return f"It is so in {title} already."
        if any(step.ident != series.ident for step in written):
            await self._keep_now(source, series)  # a change of one time may give its series another etag
        return f"{'Changed' if text else 'Removed'} in {title} of {self._account.ident}."

    async def stands(self, held: Held, text: str) -> bool:
        source = await self.source(held.place)
        series = await self._series(source, held)
        try:
            async for _ in series.steps(text):
                return False
        except OutdatedError:
            return False
        except GoogleError as error:
            raise ToolError(error.told) from error
        return True

    async def _series(self, source: CalendarSource, held: Held) -> Series:
        copied = (await objects_at(self._store, source.account, [held.at])).get(held.at)
        ident = held.at.removeprefix(f"{source.place}/")
        return Series(self._account, source.place, ident, held.version, copied.text if copied is not None else "")

    async def _write(self, source: CalendarSource, series: Series, step: Step) -> None:
        given: dict[str, Any] = {"calendarId": source.place, "eventId": step.ident, "sendUpdates": "none"}
        given |= {"body": step.body} if step.body else {}
        try:
            event: Json = await self._account.call(step.command, urgent=True, match=step.etag, **given)
        except GoneError:
            if step.command != DELETE:
                raise
        if step.command == DELETE:
            event = {**step.event, "status": "cancelled"}
        await self._keep(source, series.ident, event)

    async def _keep_now(self, source: CalendarSource, series: Series) -> None:
        """Put into the copy what Google has of the series itself; the next look fetches what this does not."""
        with suppress(GoogleError):
            event: Json = await self._account.call(
                "events.get", urgent=True, calendarId=source.place, eventId=series.ident
            )
            await self._keep(source, series.ident, event)

    async def _taken(self, source: CalendarSource, uid: str) -> str:
        """Say what became of an event that was added before. Raises ``ToolError`` if that can't be known."""
        try:
            there = await self._there(source, uid)
        except GoogleError as error:
            raise ToolError(f"it was added before, but Google does not show it: {error.told}") from error
        if there is None:
            raise NotDoneError(f"it was added before, and has been deleted from {one_line(source.title, 60)} since")
        await self._keep(source, str(there["id"]), there)
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

    async def _keep(self, source: CalendarSource, series: str, event: Json) -> None:
        """Put an event into the copy, with what is there of its series."""
        seen = Seen.of(self._account.settings.address, source.place)
        gone = event.get("status") == "cancelled" and not event.get("recurringEventId")
        try:
            told: Told = {str(event["id"]): "" if gone else vevent(event, seen)}
        except Exception:  # what can't be read now is read, or counted, by the next look
            return
        place = place_in(source, series)
        async with self._store.unit():
            before = (await objects_at(self._store, source.account, [place])).get(place)
            parts = merged(parts_of(before.text) if before is not None else {}, told, series, whole=False)
            if parts or before is not None:
                await put_objects(self._store, [made(source, series, parts)])
