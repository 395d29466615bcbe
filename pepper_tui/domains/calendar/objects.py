"""The iCalendar objects of accounts, as they lie at their servers: what a connector copies, and the agenda reads.

An object is what a server keeps under one address: an event, or a series with its changed occurrences (RFC 4791,
section 4.1). A connector stores objects first, and then the mark of how far it has read. One that is gone there stays,
empty, so that whoever follows the store learns of it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from pepper_tui.domains.calendar.pieces import TODO, pieces_of
from pepper_tui.model import ContextFilter, Record
from pepper_tui.store import Store
from pepper_tui.store.upkeep.retention_rules import Rule
from pepper_tui.tools.tool_store import ToolStore

OBJECTS: Final = "calendar.object"
CALENDARS: Final = "calendar.source"
PAGE: Final = 500  # contexts of one query
RETENTION: Final[Mapping[str, Rule]] = {OBJECTS: Rule(versions=1), CALENDARS: Rule(versions=1)}
KEPT: Final[Mapping[str, str]] = dict.fromkeys((OBJECTS, CALENDARS), "your calendars would come in anew")
"""For the connectors that store them."""


@dataclass(slots=True)
class CalendarObject(Record):
    """One object. ``version`` is the server's mark of its content (an ETag, say).

    ``calendar`` is the id of its ``CalendarSource``. ``first``: it was there when the calendar was first looked at.
    """

    id: str
    account: str
    calendar: str
    place: str
    version: str
    text: str = ""
    first: bool = False

    @property
    def gone(self) -> bool:
        """Whether it is no longer there."""
        return not self.text


@dataclass(slots=True)
class CalendarSource(Record):
    """One calendar of an account, and how far it was read: ``mark`` is the server's own, empty before the first look.

    ``id`` names the calendar to the user, too: the account, and a short name made of the title that it first had.
    ``missing_since``: when the server first no longer listed it (POSIX seconds).
    """

    id: str
    account: str
    place: str
    title: str
    mark: str = ""
    may_write: bool = True
    missing_since: float | None = None
    gone: bool = False
    holds: list[str] = field(default_factory=lambda: ["VEVENT"])


async def unwritable_calendars(store: Store) -> frozenset[str]:
    """Return the ids of the calendars of accounts that the user can only read."""
    found = await store.query(ContextFilter(namespaces=[CALENDARS], limit=None))
    return frozenset(each.id for each in CalendarSource.readable(found) if not each.may_write)


def object_id(account: str, place: str) -> str:
    """Return the id of the object of ``account`` at ``place``."""
    sign = f"{account}\n{place}"
    return f"object_{hashlib.sha256(sign.encode()).hexdigest()[:32]}"


async def sources_of(store: Store, account: str) -> list[CalendarSource]:
    """Return the calendars of ``account`` that are known, without those that are gone."""
    found = await store.query(ContextFilter(namespaces=[CALENDARS], tags=[f"account:{account}"], limit=None))
    return [each for each in CalendarSource.readable(found) if not each.gone]


async def dropped_calendars(store: Store) -> frozenset[str]:
    """Return the ids of the calendars that are no longer read, or no longer there."""
    found = await store.query(ContextFilter(namespaces=[CALENDARS], limit=None))
    return frozenset(each.id for each in CalendarSource.readable(found) if each.gone)


async def objects_of(store: Store, source: CalendarSource) -> dict[str, CalendarObject]:
    """Return the objects of one calendar that are there, by their places."""
    wanted = ContextFilter(namespaces=[OBJECTS], tags=[f"calendar:{source.id}"], newest_first=False, limit=PAGE)
    found: dict[str, CalendarObject] = {}
    while page := await store.query(wanted):  # by pages, as there may be tens of thousands
        found |= {each.place: each for each in CalendarObject.readable(page)}
        wanted = replace(wanted, after_seq=page[-1].seq)
    return {place: each for place, each in found.items() if not each.gone}


async def objects_at(store: Store, account: str, places: Sequence[str]) -> dict[str, CalendarObject]:
    """Return the objects at ``places`` of an account that are there, by their places."""
    idents = [object_id(account, place) for place in places]
    found: list[CalendarObject] = []
    for at in range(0, len(idents), PAGE):
        wanted = ContextFilter(namespaces=[OBJECTS], context_ids=idents[at : at + PAGE], limit=None)
        found += CalendarObject.readable(await store.query(wanted))
    return {each.place: each for each in found if not each.gone}


async def put_source(store: Store, source: CalendarSource) -> None:
    """Store a calendar."""
    await store.put(source, namespace=CALENDARS, tags=[f"account:{source.account}"])


async def put_objects(store: Store, objects: Sequence[CalendarObject]) -> None:
    """Store objects, in the caller's unit."""
    for each in objects:
        await store.put(each, namespace=OBJECTS, tags=[f"calendar:{each.calendar}", *_named(each)])


async def objects_with(store: Store | ToolStore, uid: str) -> list[CalendarObject]:
    """Return the objects of the event or to-do with this UID that are there, whichever calendars they are in."""
    wanted = ContextFilter(namespaces=[OBJECTS], tags=[_named_by(uid)], limit=None)
    return [each for each in CalendarObject.readable(await store.query(wanted)) if not each.gone]


def _named(held: CalendarObject) -> list[str]:
    """Return a tag for the UID of an object, if it has one."""
    try:
        found = [*pieces_of(held.text), *pieces_of(held.text, TODO)] if held.text else []
    except ValueError:
        return []
    return [_named_by(found[0].uid)] if found and found[0].uid else []


def _named_by(uid: str) -> str:
    return f"uid:{hashlib.sha256(uid.encode('utf-8', 'replace')).hexdigest()[:32]}"


class ObjectReader:
    """Follows all objects of all accounts. What was read waits here until it is taken, so a break loses nothing."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._seen = 0
        self._waiting: list[CalendarObject] = []

    async def catch_up(self) -> None:
        """Read what was stored since the last call, each object as it is now."""
        while True:
            page = await self._store.query(
                ContextFilter(namespaces=[OBJECTS], after_seq=self._seen, newest_first=False, limit=PAGE)
            )
            if page:
                self._waiting += CalendarObject.readable(page)
                self._seen = page[-1].seq
            if len(page) < PAGE:
                return

    @property
    def waits(self) -> bool:
        """Whether there is more to take."""
        return bool(self._waiting)

    def taken(self, most: int) -> list[CalendarObject]:
        """Return what waits, once, and no more than so many. Another thread may call it."""
        waiting, self._waiting = self._waiting, []
        self._waiting = [*waiting[most:], *self._waiting]
        return waiting[:most]
