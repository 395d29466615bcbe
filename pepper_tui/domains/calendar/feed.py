"""The calendar as signals: new, changed and cancelled events, those that start soon, and overlaps.

What an account's calendar held when it was first looked at is no news.

Every event as written is a context in ``raw.calendar``; a change is a new version. An approaching start is a separate
context there, created only after the files have been read once more, so that a moved or cancelled event announces
nothing. A conflict is also a separate context: it gets a new version when it is over or comes back, none while it
lasts, and is checked once more before it is reported; ``settled_cards.py`` ends its cards. Events that Pepper itself
added cause no signal.

A UID belongs to nobody: any calendar's author can use any UID. So a matter is a UID within one calendar; an event that
another calendar holds word for word is a copy, and belongs to the same matter.
"""

from __future__ import annotations

import asyncio
from collections.abc import Container, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Final, Protocol

from watchfiles import awatch

from pepper_tui.config import Calendar
from pepper_tui.domains.calendar.agenda import Agenda
from pepper_tui.domains.calendar.alarms.ringing import Ringing
from pepper_tui.domains.calendar.conflicts import Conflict, Conflicts, conflicts_among, why_over
from pepper_tui.domains.calendar.event import INVITED, UNANSWERED
from pepper_tui.domains.calendar.meeting.spacing import Spacing
from pepper_tui.domains.calendar.objects import OBJECTS
from pepper_tui.domains.calendar.telling.announced import announced_id
from pepper_tui.domains.calendar.telling.event_signals import EventSignals, added_by_pepper, event_facts
from pepper_tui.domains.calendar.telling.next_event import Coming
from pepper_tui.domains.calendar.telling.settled_cards import OVER, RAW
from pepper_tui.domains.calendar.telling.stored_events import SOURCES, StoredEvents, stored_of
from pepper_tui.domains.calendar.telling.taken_out import TakenOut
from pepper_tui.domains.calendar.todos.becoming_due import DUE, KIND, DueTodos
from pepper_tui.domains.calendar.todos.todo import HasTodos
from pepper_tui.feeds.feed import FeedContext, store_signal
from pepper_tui.feeds.triage import Triage
from pepper_tui.model import BACKLOG, ContextFilter, ContextUpdate, Facts, Json, Priority, Signal
from pepper_tui.text import one_line

NAME: Final = "calendar"
AHEAD: Final = 60.0  # seconds for which the next starts are known; then the files are read again
SETTLE: Final = 0.5  # seconds from a change of an account's calendar to the look
NOT_READ: Final = "a calendar of them is no longer read"
NO_MORE: Final = "they no longer overlap"
ENOUGH: Final = "there is enough time between them now"
OVERLAPS_EVERY: Final = 6 * 3600.0  # seconds to the next check for conflicts if no event has changed


class Listener(Protocol):
    """What takes something into the calendars by a subscription of its own."""

    def listen(self, ctx: FeedContext, /) -> None:
        """Register it. Called once, before the subscriber starts."""
        ...


class CalendarFeed:
    """The feed ``calendar`` over ``agenda``."""

    name = NAME

    def __init__(
        self, config: Calendar, triage: Triage, agenda: Agenda, beside: Listener | None = None, *, has_any: bool = True
    ) -> None:
        """Set up the feed. ``beside`` listens with it; without ``has_any`` it rests until there is something."""
        self._config = config
        self._triage = triage
        self._agenda = agenda
        self._events = EventSignals(triage, agenda, RAW)
        self._beside, self._has_any = beside, has_any
        self._changed = asyncio.Event()
        self._listed = -1  # the edition of the agenda that was compared last
        self._taken_out = TakenOut(config.paths, SOURCES)
        self._stored = StoredEvents(agenda, self._taken_out)
        self._next_overlaps = 0.0
        self._coming = Coming()
        self._spacing = Spacing(config.travel, config.buffer)
        self._ringing = Ringing(agenda, triage, RAW, SOURCES)
        self._todos = DueTodos(agenda, triage, RAW, config.work_minutes[0], tells=config.due_todos)
        self._piled = False  # there were more overlaps than the last check covered

    def listen(self, ctx: FeedContext) -> None:
        if self._beside is not None:
            self._beside.listen(ctx)

        async def process(update: ContextUpdate) -> None:
            if not update.deleted:
                async with ctx.processing(update.seq):
                    if update.context.type == "conflict":
                        await self._signal_conflict(ctx, update)
                    elif update.context.type == DUE:
                        await store_signal(ctx.store, self._todos.signal(update, ctx.zone))
                    elif update.context.type != KIND:
                        await store_signal(ctx.store, await self._events.of(ctx, update))

        ctx.subscriber.on_context_update(namespaces=[RAW], name="feeds.calendar", start="beginning")(process)

    async def run(self, ctx: FeedContext) -> None:
        if not self._has_any:
            await self._coming.clear(ctx.store)
            await self._wait_for_one(ctx)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._watch(ctx))
            tasks.create_task(self._follow(ctx))
            next_look = 0.0
            while True:
                if self._changed.is_set() or ctx.clock.now() >= next_look:
                    self._changed.clear()
                    await self._look(ctx)
                    next_look = ctx.clock.now() + self._config.scan_interval
                await self._coming.keep(ctx.store, self._agenda, ctx.clock.now())
                soonest = min(await self._announce(ctx), self._coming.until, await self._todos.keep(ctx))
                if self._config.alarms:
                    soonest = min(soonest, await self._ringing.announce(ctx))
                pause = min(self._config.scan_interval, max(0.05, soonest - ctx.clock.now()))
                await ctx.wait_until(self._changed, ctx.clock.now() + pause)

    async def _wait_for_one(self, ctx: FeedContext) -> None:
        """Return once there is an object to read: somebody without a calendar may never be invited."""
        async with ctx.store.watch([OBJECTS]) as updates:
            if await ctx.store.count(ContextFilter(namespaces=[OBJECTS])):
                return
            await ctx.store.store({"first_seen": ctx.clock.now()}, namespace=SOURCES, context_id="events")
            await ctx.health.report("ok", "no calendar; invitations that come by mail are taken in")
            async for _ in updates:
                return

    async def _watch(self, ctx: FeedContext) -> None:
        there = await ctx.look(", ".join(map(str, self._config.paths)), self._folders)
        if not there:
            return
        try:
            async for _ in awatch(*there, watch_filter=lambda _, path: Path(path).suffix == ".ics", debounce=300):
                self._changed.set()
        except OSError:  # no watches left: the regular scan continues
            return

    async def _follow(self, ctx: FeedContext) -> None:
        """Look again when a calendar of an account has changed: soon, and once for all that comes meanwhile."""
        async with ctx.store.watch([OBJECTS]) as updates:
            async for _ in updates:
                await ctx.clock.sleep(SETTLE)
                self._changed.set()

    def _folders(self) -> list[Path]:
        """Return the folders to watch. Blocking."""
        folders = {path if path.is_dir() else path.parent for path in self._config.paths}
        return [folder for folder in folders if folder.is_dir()]

    async def _look(self, ctx: FeedContext) -> None:
        """Store what is new, changed or gone."""
        source = await ctx.store.get("events", namespace=SOURCES)
        events = await self._agenda.written()
        now = ctx.clock.now()
        is_new = self._listed != self._agenda.listed
        changed = is_new and await self._stored.compare(ctx, events, first=source is None)
        if self._config.alarms and is_new:
            await self._ringing.note(ctx, events.values())
        self._listed = self._agenda.listed
        if changed or now >= self._next_overlaps:
            await self._look_for_conflicts(ctx, backlog=source is None)
        await self._taken_out.looked(ctx.store)
        # includes those of the conflict check and of upcoming starts
        defects = [*self._agenda.defects, *self._ringing.defects]
        if isinstance(self._agenda, HasTodos):
            defects += self._agenda.todos.defects
        if self._piled:
            defects = [*defects, "there are more overlaps than Pepper checks; not all are reported"]
        if defects:
            await ctx.health.report("trouble", "; ".join(defects[:5]), "fix the file or calendar.paths in config.toml")
        else:
            await ctx.health.report("ok", f"{len(events):,} event{'' if len(events) == 1 else 's'}")

    async def _look_for_conflicts(self, ctx: FeedContext, *, backlog: bool) -> None:
        """Store each conflict that is new or back, and mark those that are gone."""
        now = ctx.clock.now()
        events = await self._agenda.between(now, now + self._config.horizon_days * 86400)
        conflicts = conflicts_among(events, spacing=self._spacing)
        found = {one.key: one for one in conflicts}
        known = await stored_of(ctx, "conflict")
        self._piled = conflicts.cut
        open_before = {key: data for key, data in known.items() if key not in found and not data["gone"]}
        of_them = (one["calendar"] for data in open_before.values() for one in data["events"])
        dropped = await self._stored.no_longer_read(ctx, of_them)
        over = self._over(open_before, conflicts, now, dropped)
        wish = {"travel": self._spacing.travel, "buffer": self._spacing.buffer}
        before_wish = await ctx.store.get("spacing", namespace=SOURCES)
        wished = wish == (before_wish.data if before_wish else {"travel": 0, "buffer": 0})
        async with ctx.store.unit():
            for key, conflict in found.items():
                before = known.get(key)
                if before is None or before["gone"]:
                    quiet = backlog or (bool(conflict.wanted) and not wished)  # a wish that is new is no news
                    data = {**conflict.data(), "gone": False, "backlog": quiet}
                    titles = f"{conflict.first.summary}\n{conflict.second.summary}"
                    await ctx.store.store(data, namespace=RAW, context_id=key, type="conflict", text=titles)
            if not wished:
                await ctx.store.store(wish, namespace=SOURCES, context_id="spacing")
            for key, why in over.items():
                gone = {**known[key], "gone": True, "why": why}
                await ctx.store.store(gone, namespace=RAW, context_id=key, type="conflict", tags=[OVER])
        self._next_overlaps = _next_check(now, found.values())

    def _over(
        self, conflicts: Mapping[str, Json], found: Conflicts, now: float, dropped: Container[str]
    ) -> dict[str, str]:
        """Return those that are no more, with the reason; what can't be read now tells nothing.

        ``dropped`` are calendars that are no longer read.
        """
        named = {(one["calendar"], one["uid"]) for data in conflicts.values() for one in data["events"]}
        by_uid = self._stored.by_uid(named)
        over: dict[str, str] = {}
        for key, data in conflicts.items():
            if all(self._agenda.is_whole(one["calendar"], one["uid"]) for one in data["events"]):
                calendars = [one["calendar"] for one in data["events"]]
                left = any(each in dropped for each in calendars)
                why = NOT_READ if left else why_over(data["events"], by_uid, data["end"], now)
                if why or not found.cut:
                    over[key] = why or (ENOUGH if data.get("wanted") else NO_MORE)
        return over

    async def _announce(self, ctx: FeedContext) -> float:
        """Store each start that is near; return when the next one will be (POSIX seconds)."""
        now = ctx.clock.now()
        longest = max(self._config.starts_soon + self._spacing.most, self._triage.book.longest_before()) * 60
        soonest = now + AHEAD
        # read from the files again, right now: a moved or cancelled event is not among them
        for event in await self._agenda.between(now, now + longest + AHEAD):
            if event.all_day or event.start <= now or event.answer == "declined":
                continue
            if (event.calendar, event.answer) == (INVITED, UNANSWERED):
                continue
            asked = self._triage.book.minutes_before(event_facts(event.data()))
            before = self._config.starts_soon and self._config.starts_soon + self._spacing.before(event)
            for minutes in sorted({before, *asked} - {0}):
                due = event.start - minutes * 60
                if due > now:
                    soonest = min(soonest, due)
                    continue
                key = announced_id(event, minutes)
                if await ctx.store.get(key, namespace=RAW) is None:
                    data = {**event.data(), "id": key, "minutes": minutes, "before": self._spacing.before(event)}
                    await ctx.store.store(data, namespace=RAW, context_id=key, type="starts_soon")
        return soonest

    async def _signal_conflict(self, ctx: FeedContext, update: ContextUpdate) -> None:
        raw = update.context.data
        if raw["gone"]:
            return
        first, second = raw["events"]
        facts = Facts(
            source=NAME,
            sender=second["organizer"],
            subject=f"{first['summary']}\n{second['summary']}",
            labels=[*first["categories"], *second["categories"], first["calendar"], second["calendar"]],
            priority=Priority.NORMAL,
            reason="two events in your calendar are too close"
            if raw.get("wanted")
            else "two events in your calendar overlap",
        )
        priority, reason, rules = self._triage.judge(facts)
        if raw["backlog"]:
            priority, reason, rules = Priority.LOG, BACKLOG, ()
        elif raw["end"] <= ctx.clock.now():
            priority, reason, rules = Priority.LOG, "it is over", ()
        elif await self._shown_before(ctx, first, second):
            priority, reason, rules = Priority.LOG, "the card for adding it said so", ()
        else:  # read from the files again: one of the two may have been moved meanwhile
            near = await self._agenda.between(raw["start"] - 1, raw["end"] + 1)
            still = conflicts_among(near, spacing=self._spacing)
            if not self._agenda.defects and not still.cut and raw["id"] not in {one.key for one in still}:
                priority, reason, rules = Priority.LOG, ENOUGH if raw.get("wanted") else NO_MORE, ()
        start, end = (datetime.fromtimestamp(raw[name], ctx.zone) for name in ("start", "end"))
        titles = [one_line(one["summary"] or "(no title)", 100) for one in (first, second)]
        told = f"Conflict: {titles[0]} and {titles[1]} — {start:%a %d %b %H:%M}–{end:%H:%M}"
        if raw.get("wanted"):
            until = f"until {start:%H:%M}, {end:%H:%M} the next; you want {raw['wanted']} minutes between"
            told = f"Too close: {titles[0]} and {titles[1]} — {start:%a %d %b} {until}"
        metadata: Json = {
            "raw": raw["id"], "summary": f"{titles[0]} / {titles[1]}", "start": raw["start"], "end": raw["end"],
            "kind": "conflict", "uids": [first["uid"], second["uid"]], "calendar": second["calendar"],
        }  # fmt: skip
        if rules:
            metadata["rules"] = list(rules)
        signal = Signal(
            id=f"signal_{raw['id']}_{update.context.version}",
            content=one_line(told, 320),
            created_at=update.context.updated_at,
            priority=priority,
            source=NAME,
            reason=reason,
            matter=f"conflict:{raw['id']}",  # another overlap of the same event stands beside it
            metadata=metadata,
            matter_kind="state",
        )
        await store_signal(ctx.store, signal)

    @staticmethod
    async def _shown_before(ctx: FeedContext, one: Json, other: Json) -> bool:
        """Check whether the card for adding one of two events by Pepper mentioned the other."""
        for added, beside in ((one, other), (other, one)):
            record = await added_by_pepper(ctx, added)
            if record is not None and beside["uid"] in record["beside"]:
                return True
        return False


def _next_check(now: float, conflicts: Iterable[Conflict]) -> float:
    """Return when to look for conflicts again though nothing has changed: soon after one of them is over."""
    ends = (one.end for one in conflicts if one.end > now)
    return min(now + OVERLAPS_EVERY, max(now + AHEAD, min(ends, default=now + OVERLAPS_EVERY)))
