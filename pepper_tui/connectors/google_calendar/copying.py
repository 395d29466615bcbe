"""Copies an account's calendars into the store, and keeps the copy as Google has it.

A look where nothing changed costs one request for the list of calendars, and one for each. Objects are stored first,
then the mark that covers them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from pepper_tui.clock import Clock, in_thread
from pepper_tui.connectors.calendar_copies import LARGEST, Copied, Copies
from pepper_tui.connectors.google_account.errors import (
    ForgottenError,
    GoogleError,
    LostError,
    NotAllowedError,
    RefusedError,
    SignInError,
    TooFastError,
)
from pepper_tui.connectors.google_calendar.listing import CalendarAccount, Changes, Listed, calendars, changes
from pepper_tui.connectors.google_calendar.series import Parts, Told, merged, parts_of, text_of, version_of
from pepper_tui.domains.calendar.objects import (
    CalendarObject,
    CalendarSource,
    object_id,
    objects_at,
    objects_of,
    put_source,
)
from pepper_tui.store import Store

CHUNK: Final = 200  # objects of one commit


class Copier:
    """The copy of the calendars of ``account``."""

    def __init__(self, account: CalendarAccount, store: Store, clock: Clock) -> None:
        self._account, self._store = account, store
        self._copies = Copies(account.ident, account.settings.calendars, store, clock)
        self._newest: dict[str, str] = {}  # marks that cover nothing more than the stored ones, by calendar
        self._unread: dict[str, set[str]] = {}  # events that can't be read, by calendar

    async def look(self) -> Copied:
        """Copy what has changed. Raises ``GoogleError`` if Google can't be asked."""
        listed = await calendars(self._account)
        copied, sources = await self._copies.begin(listed, lambda each: each.ticked)
        for calendar, source in sources:
            copied.titles.append(calendar.title)
            try:
                await self._copy(calendar, source, copied)
            except (LostError, TooFastError, SignInError, NotAllowedError):
                raise
            except GoogleError as error:
                copied.failed[calendar.title] = error
        return copied

    async def _copy(self, calendar: Listed, source: CalendarSource, copied: Copied) -> None:
        mark = self._newest.get(source.id, source.mark) if source.mark else ""
        try:
            found, held = await self._read(calendar, source, mark)
        except (ForgottenError, RefusedError):
            if not mark:
                raise
            mark = ""
            found, held = await self._read(calendar, source, mark)
        fresh, too_large = await in_thread(_differing, source, held, found.series, not mark)
        for at in range(0, len(fresh), CHUNK):
            await self._copies.keep(fresh[at : at + CHUNK])
        copied.changed += len(fresh)
        copied.unread += too_large + self._count_unread(source, found)
        self._newest[source.id] = found.mark
        if not mark or found.series:  # else the stored mark is as good, and Google gives another one each time
            await put_source(self._store, replace(source, mark=found.mark))

    async def _read(
        self, calendar: Listed, source: CalendarSource, mark: str
    ) -> tuple[Changes, dict[str, CalendarObject]]:
        """Return what Google tells since ``mark``, and the objects that this may change: without a mark, all."""
        if not mark:  # before Google is asked: an event that Pepper adds meanwhile is none that has gone
            held = await objects_of(self._store, source)
            return await changes(self._account, calendar, ""), held
        found = await changes(self._account, calendar, mark)
        places = [place_in(source, series) for series in found.series]
        return found, await objects_at(self._store, source.account, places)

    def _count_unread(self, source: CalendarSource, found: Changes) -> int:
        unread = self._unread.setdefault(source.id, set())
        for parts in found.series.values():
            unread.difference_update(parts)
            unread.update(ident for ident, part in parts.items() if part is None)
        return len(unread)


def place_in(source: CalendarSource, series: str) -> str:
    """Return the place of an object: an event may be in two calendars of an account under one id."""
    return f"{source.place}/{series}"


def made(source: CalendarSource, series: str, parts: Parts, *, first: bool = False) -> CalendarObject:
    """Return the object of these events."""
    place, text = place_in(source, series), text_of(parts)
    version = version_of(parts, series) if text else ""
    return CalendarObject(object_id(source.account, place), source.account, source.id, place, version, text, first)


def _differing(
    source: CalendarSource, held: Mapping[str, CalendarObject], told: Mapping[str, Told], whole: bool
) -> tuple[list[CalendarObject], int]:
    found: list[CalendarObject] = []
    for series, news in told.items():
        before = held.get(place_in(source, series))
        parts = merged(parts_of(before.text) if before else {}, news, series, whole=whole)
        now = made(source, series, parts, first=not source.mark and before is None)
        if before is None if now.gone else before is not None and before.text == now.text:
            continue
        found.append(now)
    if whole:
        there = {place_in(source, series) for series in told}
        found += [replace(each, text="", version="") for place, each in held.items() if place not in there]
    small = [each for each in found if len(each.text) <= LARGEST]
    return small, len(found) - len(small)
