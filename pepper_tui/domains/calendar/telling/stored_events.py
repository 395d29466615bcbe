"""The events as they are stored, each as a context of which a change is a new version, beside those that there are now.

What has not changed is the same object as at the last look, so that a look compares only what has.
"""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Final, TypeVar

from pepper_tui.domains.calendar.agenda import Agenda
from pepper_tui.domains.calendar.event import INVITED, UNANSWERED, Event
from pepper_tui.domains.calendar.objects import PAGE, dropped_calendars
from pepper_tui.domains.calendar.telling.settled_cards import OVER, RAW
from pepper_tui.domains.calendar.telling.taken_out import TakenOut
from pepper_tui.feeds.feed import FeedContext
from pepper_tui.model import ContextFilter, Json

T = TypeVar("T")
SOURCES: Final = "feed.calendar"


@dataclass(slots=True)
class _Before:
    """What the strange events are held against. ``left``: stored ones that are no longer there, by content.

    ``known`` are stored ones by key, ``invited`` and ``unheard`` as in ``_compared``. ``first``: nothing was looked at
    yet.
    """

    known: Mapping[str, Json]
    left: dict[str, list[str]] = field(default_factory=dict)
    invited: Container[str] = ()
    unheard: Container[str] = ()
    first: bool = False


class StoredEvents:
    """What is stored of the events of ``agenda``. ``taken_out``: whether the config no longer names some of them."""

    def __init__(self, agenda: Agenda, taken_out: TakenOut) -> None:
        self._agenda, self._taken_out = agenda, taken_out
        self._last: dict[str, Event] | None = None  # what is stored, by key, as far as it has not gone

    def by_uid(self, named: Container[tuple[str, str]]) -> dict[tuple[str, str], list[Event]]:
        """Return the events of these calendars and UIDs, as they were at the last look."""
        found: dict[tuple[str, str], list[Event]] = defaultdict(list)
        for event in (self._last or {}).values():
            if (event.calendar, event.uid) in named:
                found[event.calendar, event.uid].append(event)
        return found

    async def compare(self, ctx: FeedContext, events: Mapping[str, Event], *, first: bool) -> bool:
        """Store what differs from what is stored, and return whether anything does.

        ``first``: nothing was looked at yet.
        """
        last = self._last
        present = {f"event_{key}": event for key, event in events.items()}
        if last is None:
            strange, known, heard_of = await self._unlike(ctx, present)
        else:
            strange = {key: event for key, event in present.items() if _differ(last.get(key), event)}
            known = await self._of_keys(ctx, [*strange, *(key for key in last if key not in present)])
            heard_of = ((each.calendar, each.uid) for each in last.values())
        before = _Before(known, _left(known, present), first=first)
        before.invited = {event.uid for event in (last or {}).values() if event.calendar == INVITED}
        before.unheard = _unheard(strange, known, heard_of)
        changed = False
        for some in _some_of(strange.items(), PAGE):
            async with ctx.store.unit():
                for key, event in some:
                    changed = await self._compared(ctx, key, event, before) or changed
            await asyncio.sleep(0)
        async with ctx.store.unit():
            kept, gone_now = await self._take_away(ctx, before, events)
            if first:
                await ctx.store.store({"first_seen": ctx.clock.now()}, namespace=SOURCES, context_id="events")
        self._last = {**present, **kept}
        return changed or gone_now

    async def no_longer_read(self, ctx: FeedContext, calendars: Iterable[str]) -> frozenset[str]:
        """Return those of ``calendars`` that are no longer read: of an account, or of a path of the config."""
        wanted = frozenset(calendars)
        if not wanted:
            return wanted
        dropped = await dropped_calendars(ctx.store)
        there, left = self._agenda.calendars()
        gone = wanted - there if await self._taken_out.any(ctx.store) else frozenset()
        return gone | (wanted & (dropped | left))

    async def _compared(self, ctx: FeedContext, key: str, event: Event, than: _Before) -> bool:
        """Store an event if it differs from what is stored, and return whether it does."""
        data = {**_kept_of(event), "id": key, "backlog": than.first or event.first, "gone": False}
        if (before := than.known.get(key)) is not None:
            if _is_stored(event, key, before):
                return False
            data["backlog"] = before["gone"] and event.first  # its calendar is read again
        elif event.uid in than.invited:  # it was told of as it came by mail
            data["backlog"] = True
        elif same := than.left.get(_content(event.data())):  # an export that gives each event another UID
            data["backlog"] = True
            one = same.pop()
            await _put(ctx, one, {**than.known[one], "gone": True, "backlog": True})
        elif key in than.unheard:
            data["backlog"] = True
        await _put(ctx, key, data, before)
        return True

    async def _take_away(
        self, ctx: FeedContext, than: _Before, events: Mapping[str, Event]
    ) -> tuple[dict[str, Event], bool]:
        """Store that what is left is gone. Return what stays, as it can't be read, and whether anything is gone."""
        kept: dict[str, Event] = {}
        left = [*chain.from_iterable(than.left.values())]
        if not left:
            return kept, False
        dropped = await self.no_longer_read(ctx, (than.known[key]["calendar"] for key in left))
        now = ctx.clock.now()
        there = {event.uid for event in events.values()}
        for key in left:
            before = than.known[key]
            if self._agenda.is_unread(before["calendar"], before["uid"]):  # an unreadable event is not gone
                kept[key] = Event.of(before)
                continue
            elsewhere = before["calendar"] == INVITED and before["uid"] in there
            quiet = elsewhere or before["calendar"] in dropped or before["end"] <= now
            await _put(ctx, key, {**before, "gone": True, "backlog": quiet}, before)
        return kept, len(kept) < len(left)

    @staticmethod
    async def _unlike(
        ctx: FeedContext, present: Mapping[str, Event]
    ) -> tuple[dict[str, Event], dict[str, Json], Iterable[tuple[str, str]]]:
        """Hold all that is stored against all that is there, after a start: page by page, as both are large.

        Return the events that differ, what is stored of these and of those that are no longer there, and the calendar
        and UID of each that has not gone.
        """
        same: set[str] = set()
        known: dict[str, Json] = {}
        heard_of: set[tuple[str, str]] = set()
        async for page in _pages(ctx, "event"):
            for key, data in page:
                if not data["gone"]:
                    heard_of.add((data["calendar"], data["uid"]))
                event = present.get(key)
                if event is not None and _is_stored(event, key, data):
                    same.add(key)
                elif event is not None or not data["gone"]:
                    known[key] = data
        return {key: event for key, event in present.items() if key not in same}, known, heard_of

    @staticmethod
    async def _of_keys(ctx: FeedContext, keys: Sequence[str]) -> dict[str, Json]:
        found: dict[str, Json] = {}
        for at in range(0, len(keys), PAGE):
            wanted = ContextFilter(namespaces=[RAW], context_ids=keys[at : at + PAGE], limit=None)
            found.update((context.context_id, context.data) for context in await ctx.store.query(wanted))
        return found


async def stored_of(ctx: FeedContext, kind: str) -> dict[str, Json]:
    """Return what is stored of a kind, by key."""
    return {key: data async for page in _pages(ctx, kind) for key, data in page}


async def _pages(ctx: FeedContext, kind: str) -> AsyncIterator[list[tuple[str, Json]]]:
    after = 0
    while page := await ctx.store.query(
        ContextFilter(namespaces=[RAW], types=[kind], after_seq=after, newest_first=False, limit=PAGE)
    ):
        yield [(context.context_id, context.data) for context in page]
        after = page[-1].seq


def _is_stored(event: Event, key: str, stored: Json) -> bool:
    """Check whether an event is as it was stored."""
    data = {**_kept_of(event), "id": key, "backlog": stored["backlog"], "gone": False}
    return stored == {name: data[name] for name in stored if name in data}


def _kept_of(event: Event) -> Json:
    """Return what is stored of an event; an alarm that is dismissed elsewhere is no news."""
    data = event.data()
    del data["first"], data["alarms"]
    return data


async def _put(ctx: FeedContext, key: str, data: Json, before: Json | None = None) -> None:
    text = f"{data['summary']}\n{data['location']}\n{data['description']}"
    tags = [f"uid:{data['uid']}"]
    if _asks(data):
        tags.append(UNANSWERED)
    elif before is not None and _asks(before):
        tags.append(OVER)
    await ctx.store.store(data, namespace=RAW, context_id=key, type="event", text=text, tags=tags)


def _asks(event: Json) -> bool:
    """Check whether an event waits for the user's answer."""
    return bool(event.get("answer") == UNANSWERED and not event["gone"] and event["status"] != "CANCELLED")


def _left(known: Mapping[str, Json], present: Container[str]) -> dict[str, list[str]]:
    """Return the keys of stored events that are no longer there, by their content."""
    left: dict[str, list[str]] = defaultdict(list)
    for key, data in known.items():
        if key not in present and not data["gone"]:
            left[_content(data)].append(key)
    return left


def _unheard(
    strange: Mapping[str, Event], stored: Mapping[str, Json], heard_of: Iterable[tuple[str, str]]
) -> frozenset[str]:
    """Return the keys of cancelled events whose series nobody has heard of: that they are off is no news.

    ``heard_of``: the calendar and UID of each event that has not gone.
    """
    found = [key for key, event in strange.items() if event.cancelled and key not in stored]
    known = frozenset(heard_of) if found else frozenset()
    return frozenset(key for key in found if (strange[key].calendar, strange[key].uid) not in known)


def _content(event: Json) -> str:
    """Return what tells an event from others of its calendar, where its UID does not."""
    return json.dumps([event[name] for name in ("calendar", "summary", "start", "end", "all_day", "recurrence")])


def _differ(one: Event | None, other: Event) -> bool:
    return one is not other and one != other


def _some_of(all_of_them: Iterable[T], count: int) -> Iterator[list[T]]:
    left = iter(all_of_them)
    while some := [*islice(left, count)]:
        yield some
