"""Copies an account's calendars into the store, and keeps the copy as the server has it.

A look where nothing changed costs the list of calendars, and a request for each that has no tag. How far a calendar was
read is stored after all that it covers, so a kill at any point costs a part of a look and nothing else. A calendar that
the server stops listing is held for a while: a server that is being repaired lists none.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Final
from urllib.parse import urlsplit

from pepper_tui.clock import Clock
from pepper_tui.connectors.caldav.dav import Changes, Listed, calendars, changes, everything, objects
from pepper_tui.connectors.caldav.errors import OldMarkError
from pepper_tui.connectors.caldav.wire import Wire
from pepper_tui.connectors.http_server import ServerError
from pepper_tui.domains.calendar.objects import (
    CalendarObject,
    CalendarSource,
    object_id,
    objects_of,
    put_objects,
    put_source,
    sources_of,
)
from pepper_tui.store import Store

CHUNK: Final = 50  # objects of one request
LARGEST: Final = 2_000_000  # characters of an object
HOLD: Final = 3600.0
"""Seconds for which a calendar that the server no longer lists is kept."""
_NO_NAME: Final = re.compile(r"[^\w-]+")
_SYNC, _LIST = "sync:", "list:"
"""What a mark is: the server's own, by which it says what has changed; or the tag of the calendar that was compared."""


@dataclass(slots=True)
class Copied:
    """What a look has come to. ``failed``: what could not be read, by the calendar's title."""

    titles: list[str] = field(default_factory=list)
    changed: int = 0
    failed: dict[str, ServerError] = field(default_factory=dict)
    too_large: int = 0


class Copier:
    """The copy of the calendars of the account ``ident``."""

    def __init__(self, ident: str, wanted: Sequence[str], store: Store, clock: Clock) -> None:
        self._ident, self._wanted = ident, wanted
        self._store, self._clock = store, clock

    async def look(self, wire: Wire) -> Copied:
        """Copy what has changed. Raises ``ServerError`` if not even a list of calendars can be had."""
        copied = Copied()
        listed = await calendars(wire)
        titles = {each.title.casefold() for each in listed}
        wanted = {each.casefold() for each in self._wanted}
        mine = [each for each in listed if not wanted or each.title.casefold() in wanted]
        there = ", ".join(each.title for each in listed)
        remedy = f"fix calendars in account {self._ident}; there are: {there}"
        missing = [each for each in self._wanted if each.casefold() not in titles]
        copied.failed |= {each: ServerError("there is no such calendar", remedy) for each in missing}
        sources = await self._sources(mine, listed)
        for calendar, source in sources:
            copied.titles.append(calendar.title)
            try:
                await self._copy(wire, calendar, source, copied)
            except ServerError as error:
                copied.failed[calendar.title] = error
        return copied

    async def _sources(self, mine: Sequence[Listed], listed: Sequence[Listed]) -> list[tuple[Listed, CalendarSource]]:
        """Return each calendar with what is known of it; what is no longer listed is held, and then gone."""
        known = {each.place: each for each in await sources_of(self._store, self._ident)}
        ids = {each.id for each in known.values()}
        found: list[tuple[Listed, CalendarSource]] = []
        now = self._clock.now()
        for calendar in mine:
            place = _place(calendar.url)
            before = known.pop(place, None)
            source = CalendarSource("", self._ident, place, calendar.title) if before is None else before
            ident = source.id or named(self._ident, calendar.title, ids)
            ids.add(ident)
            source = replace(
                source, id=ident, title=calendar.title, may_write=calendar.may_write, holds=[*calendar.holds],
                missing_since=None,
            )  # fmt: skip
            if source != before:
                await put_source(self._store, source)
            found.append((calendar, source))
        there = {_place(each.url) for each in listed}
        for place, source in known.items():
            if place in there or (source.missing_since is not None and now - source.missing_since >= HOLD):
                await self._drop(source)  # the config no longer wants it, or it is gone for good
            elif source.missing_since is None:
                await put_source(self._store, replace(source, missing_since=now))
        return found

    async def _drop(self, source: CalendarSource) -> None:
        held = await objects_of(self._store, source)
        async with self._store.unit():
            await put_objects(self._store, [replace(each, text="", version="") for each in held.values()])
            await put_source(self._store, replace(source, gone=True, mark=""))

    async def _copy(self, wire: Wire, calendar: Listed, source: CalendarSource, copied: Copied) -> None:
        if calendar.tag and source.mark in (f"{_SYNC}{calendar.tag}", f"{_LIST}{calendar.tag}"):
            return
        mark = source.mark.removeprefix(_SYNC) if source.mark.startswith(_SYNC) else ""
        try:
            found = await _changed(wire, calendar, mark)
        except OldMarkError:
            mark = ""
            found = await _changed(wire, calendar, mark)
        await self._take(wire, calendar, source, found, copied, whole=not mark)
        after = f"{_SYNC}{found.mark}" if found.mark else f"{_LIST}{calendar.tag}"
        if after != source.mark:
            await put_source(self._store, replace(source, mark=after))

    async def _take(
        self, wire: Wire, calendar: Listed, source: CalendarSource, found: Changes, copied: Copied, *, whole: bool
    ) -> None:
        """Store what differs. ``whole``: ``found`` is all that is there, so all else is gone."""
        held = await objects_of(self._store, source)
        there = {_place(url): (url, version) for url, version in found.there.items()}
        gone = {place for place in map(_place, found.gone) if place in held}
        if whole:
            gone |= held.keys() - there.keys()
        wanted = [
            url for place, (url, version) in there.items()
            if place not in held or not version or held[place].version != version
        ]  # fmt: skip
        if gone:
            await self._store_all([replace(held[place], text="", version="") for place in gone])
        for at in range(0, len(wanted), CHUNK):
            got = await objects(wire, calendar, wanted[at : at + CHUNK])
            fresh = []
            for url, (version, text) in got.items():
                if len(text) > LARGEST:
                    copied.too_large += 1
                    continue
                place = _place(url)
                first = not source.mark and place not in held
                fresh.append(
                    CalendarObject(object_id(self._ident, place), self._ident, source.id, place, version, text, first)
                )
            await self._store_all(fresh)
            copied.changed += len(fresh)
        copied.changed += len(gone)

    async def _store_all(self, found: Sequence[CalendarObject]) -> None:
        async with self._store.unit():
            await put_objects(self._store, found)


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


def _place(url: str) -> str:
    """Return what an address is known by: servers move between hosts."""
    return urlsplit(url).path


def named(account: str, title: str, taken: set[str]) -> str:
    """Return the id of a calendar that was first called ``title``."""
    name = _NO_NAME.sub("-", title.casefold()).strip("-")[:40] or "calendar"
    return next(each for n in count(1) if (each := f"{account}/{name}{'' if n == 1 else f'-{n}'}") not in taken)
