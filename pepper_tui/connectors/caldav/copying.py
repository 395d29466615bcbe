"""Copies an account's calendars into the store, and keeps the copy as the server has it.

A look where nothing changed costs the list of calendars, and a request for each that has no tag.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from pepper_tui.clock import Clock
from pepper_tui.connectors.caldav.dav import Changes, Listed, calendars, changes, everything, objects, place_of
from pepper_tui.connectors.caldav.errors import OldMarkError
from pepper_tui.connectors.caldav.wire import Wire
from pepper_tui.connectors.calendar_copies import LARGEST, Copied, Copies
from pepper_tui.connectors.http_server import ServerError
from pepper_tui.domains.calendar.objects import CalendarObject, CalendarSource, object_id, objects_of, put_source
from pepper_tui.store import Store

CHUNK: Final = 50  # objects of one request
_SYNC, _LIST = "sync:", "list:"
"""What a mark is: the server's own, by which it says what has changed; or the tag of the calendar that was compared."""


class Copier:
    """The copy of the calendars of the account ``ident``."""

    def __init__(self, ident: str, wanted: Sequence[str], store: Store, clock: Clock) -> None:
        self._ident, self._store = ident, store
        self._copies = Copies(ident, wanted, store, clock)

    async def look(self, wire: Wire) -> Copied:
        """Copy what has changed. Raises ``ServerError`` if not even a list of calendars can be had."""
        copied, sources = await self._copies.begin(await calendars(wire))
        for calendar, source in sources:
            copied.titles.append(calendar.title)
            try:
                await self._copy(wire, calendar, source, copied)
            except ServerError as error:
                copied.failed[calendar.title] = error
        return copied

    async def _copy(self, wire: Wire, calendar: Listed, source: CalendarSource, copied: Copied) -> None:
        if calendar.tag and source.mark in (f"{_SYNC}{calendar.tag}", f"{_LIST}{calendar.tag}"):
            return
        mark = source.mark.removeprefix(_SYNC) if source.mark.startswith(_SYNC) else ""
        held = await objects_of(self._store, source)  # before: what Pepper adds meanwhile is nothing that has gone
        try:
            found = await _changed(wire, calendar, mark)
        except OldMarkError:
            mark = ""
            found = await _changed(wire, calendar, mark)
        await self._take(wire, calendar, source, held, found, copied, whole=not mark)
        after = f"{_SYNC}{found.mark}" if found.mark else f"{_LIST}{calendar.tag}"
        if after != source.mark:
            await put_source(self._store, replace(source, mark=after))

    async def _take(
        self,
        wire: Wire,
        calendar: Listed,
        source: CalendarSource,
        held: Mapping[str, CalendarObject],
        found: Changes,
        copied: Copied,
        *,
        whole: bool,
    ) -> None:
        """Store what differs. ``whole``: ``found`` is all that is there, so all else is gone."""
        there = {place_of(url): (url, version) for url, version in found.there.items()}
        gone = {place for place in map(place_of, found.gone) if place in held}
        if whole:
            gone |= held.keys() - there.keys()
        wanted = [
            url for place, (url, version) in there.items()
            if place not in held or not version or held[place].version != version
        ]  # fmt: skip
        if gone:
            await self._copies.keep([replace(held[place], text="", version="") for place in gone])
        for at in range(0, len(wanted), CHUNK):
            got = await objects(wire, calendar, wanted[at : at + CHUNK])
            fresh = []
            for url, (version, text) in got.items():
                if len(text) > LARGEST:
                    copied.unread += 1
                    continue
                place = place_of(url)
                first = not source.mark and place not in held
                fresh.append(
                    CalendarObject(object_id(self._ident, place), self._ident, source.id, place, version, text, first)
                )
            await self._copies.keep(fresh)
            copied.changed += len(fresh)
        copied.changed += len(gone)


async def _changed(wire: Wire, calendar: Listed, mark: str) -> Changes:
    """Return all that has changed since ``mark``, on however many pages the server says it."""
    if not calendar.syncs:
        return await everything(wire, calendar)
    found = page = await changes(wire, calendar, mark)
    while page.more:
        page = await changes(wire, calendar, page.mark)
        found.there |= page.there
        found.gone += page.gone
        found.mark = page.mark
    return found
