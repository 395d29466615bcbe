"""The copies of an account's calendars in the store: which there are, what became of those no longer listed.

How far a calendar was read is stored after all that it covers, so a kill at any point costs a part of a look and
nothing else. A calendar that the server stops listing is held for a while: a server that is being repaired lists none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Final, Protocol, TypeVar

from pepper_tui.clock import Clock
from pepper_tui.domains.calendar.objects import (
    CalendarObject,
    CalendarSource,
    objects_of,
    put_objects,
    put_source,
    sources_of,
)
from pepper_tui.feeds.feed import FeedContext, FeedError
from pepper_tui.store import Store
from pepper_tui.text import one_line

HOLD: Final = 3600.0
"""Seconds for which a calendar that the server no longer lists is kept."""
LARGEST: Final = 2_000_000  # characters of an object
_NAMED: Final = 10
_NO_NAME: Final = re.compile(r"[^\w-]+")


class Listed(Protocol):
    """A calendar as its server lists it. ``place`` is what it is known by."""

    @property
    def place(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def may_write(self) -> bool: ...
    @property
    def holds(self) -> Sequence[str]: ...


L = TypeVar("L", bound=Listed)


@dataclass(slots=True)
class Copied:
    """What a look has come to. ``failed``: what could not be read, by the calendar's title.

    ``unread``: how many entries are too large, or can't be read.
    """

    titles: list[str] = field(default_factory=list)
    changed: int = 0
    failed: dict[str, FeedError] = field(default_factory=dict)
    unread: int = 0

    async def tell(self, ctx: FeedContext, interval: float) -> None:
        """Report the health of the feed that looks each ``interval`` seconds."""
        titles = ", ".join(one_line(each, 40) for each in self.titles[:_NAMED])
        more = f" and {len(self.titles) - _NAMED} more" if len(self.titles) > _NAMED else ""
        words = f"looking each {interval:g} s at {titles or 'no calendar'}{more}"
        if self.failed:
            title, error = next(iter(self.failed.items()))
            others = f"; and {len(self.failed) - 1} more" if len(self.failed) > 1 else ""
            await ctx.health.report("trouble", f"{one_line(title, 40)}: {error.words}{others}", error.remedy)
        elif self.unread:
            await ctx.health.report("trouble", f"{self.unread} entries are too large, or can't be read; {words}", "")
        else:
            await ctx.health.report("ok", words)


class Copies:
    """The copies of the account ``ident``. ``wanted`` are the titles of the config; without any, all are."""

    def __init__(self, ident: str, wanted: Sequence[str], store: Store, clock: Clock) -> None:
        self.ident, self.store = ident, store
        self._wanted, self._clock = wanted, clock

    async def begin(
        self, listed: Sequence[L], shown: Callable[[L], bool] = lambda _: True
    ) -> tuple[Copied, list[tuple[L, CalendarSource]]]:
        """Return the calendars to be read, with what is known of each, and the beginning of a look.

        ``shown``: which are read where the config names none. What is no longer listed is held, and then gone.
        """
        copied = Copied()
        wanted = {each.casefold() for each in self._wanted}
        titles = {each.title.casefold() for each in listed}
        mine = [each for each in listed if (each.title.casefold() in wanted if wanted else shown(each))]
        there = ", ".join(each.title for each in listed)
        remedy = f"fix calendars in account {self.ident}; there are: {there}"
        missing = [each for each in self._wanted if each.casefold() not in titles]
        copied.failed |= {each: FeedError("there is no such calendar", remedy) for each in missing}
        return copied, await self._sources(mine, listed)

    async def keep(self, found: Sequence[CalendarObject]) -> None:
        """Store objects, all or none."""
        async with self.store.unit():
            await put_objects(self.store, found)

    async def _sources(self, mine: Sequence[L], listed: Sequence[L]) -> list[tuple[L, CalendarSource]]:
        known = {each.place: each for each in await sources_of(self.store, self.ident)}
        ids = {each.id for each in known.values()}
        found: list[tuple[L, CalendarSource]] = []
        now = self._clock.now()
        for calendar in mine:
            before = known.pop(calendar.place, None)
            source = CalendarSource("", self.ident, calendar.place, calendar.title) if before is None else before
            ident = source.id or named(self.ident, calendar.title, ids)
            ids.add(ident)
            source = replace(
                source, id=ident, title=calendar.title, may_write=calendar.may_write, holds=[*calendar.holds],
                missing_since=None,
            )  # fmt: skip
            if source != before:
                await put_source(self.store, source)
            found.append((calendar, source))
        there = {each.place for each in listed}
        for place, source in known.items():
            if place in there or (source.missing_since is not None and now - source.missing_since >= HOLD):
                await self._drop(source)  # it is no longer wanted, or gone for good
            elif source.missing_since is None:
                await put_source(self.store, replace(source, missing_since=now))
        return found

    async def _drop(self, source: CalendarSource) -> None:
        held = await objects_of(self.store, source)
        async with self.store.unit():
            await put_objects(self.store, [replace(each, text="", version="") for each in held.values()])
            await put_source(self.store, replace(source, gone=True, mark=""))


def named(account: str, title: str, taken: set[str]) -> str:
    """Return the id of a calendar that was first called ``title``."""
    name = _NO_NAME.sub("-", title.casefold()).strip("-")[:40] or "calendar"
    return next(each for n in count(1) if (each := f"{account}/{name}{'' if n == 1 else f'-{n}'}") not in taken)
