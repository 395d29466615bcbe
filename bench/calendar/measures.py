"""What one calendar costs, measured in a process of its own: ``python -m bench.calendar.measures KIND COUNT``.

``KIND`` is ``file`` (one file), ``folder`` (a file for each event or series) or ``copies`` (objects of an account in
the store). Prints one JSON object.
"""

from __future__ import annotations

import asyncio
import gc
import hashlib
import json
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import icalendar

from bench.calendar import years
from bench.idle import resident_megabytes
from pepper_tui.boundary.process import ParserProcess
from pepper_tui.clock import ManualClock
from pepper_tui.config import Calendar, Config
from pepper_tui.domains.calendar.agenda import Agenda
from pepper_tui.domains.calendar.bounded import CalendarParser
from pepper_tui.domains.calendar.feed import CalendarFeed
from pepper_tui.domains.calendar.objects import ObjectReader, put_objects
from pepper_tui.engine.interpreter import share_threads_fairly
from pepper_tui.feeds import Feeds
from pepper_tui.model import ContextFilter
from pepper_tui.store import ContextStore, Subscriber
from tests.feeds.ruled import triage_of
from tests.waiting import until

ZONE: Final = ZoneInfo("Europe/Berlin")
DAY: Final = 86_400.0
MINUTES: Final = 30
LONG: Final = 3_600.0
TURNS: Final = 5


class Spent:
    """Milliseconds of wall time and of this process's processor time."""

    def __init__(self) -> None:
        self.wall = self.cpu = 0.0

    def __enter__(self) -> Spent:
        gc.collect()
        self._wall, self._cpu = time.perf_counter(), time.process_time()
        return self

    def __exit__(self, *_: object) -> None:
        self.wall = (time.perf_counter() - self._wall) * 1000
        self.cpu = (time.process_time() - self._cpu) * 1000


class Place:
    """Where the calendar is: in ``folder``, or in the store."""

    def __init__(self, kind: str, count: int, folder: Path, now: float) -> None:
        self.kind, self.count, self.folder, self.now = kind, count, folder, now
        self.path = folder / ("c.ics" if kind == "file" else "cal")
        self._changes = 0

    async def make(self, store: ContextStore) -> None:
        if not self.count:
            self.path.mkdir()
        elif self.kind == "file":
            years.in_file(self.path, self.count, self.now)
        elif self.kind == "folder":
            years.in_folder(self.path, self.count, self.now)
        else:
            await years.in_store(store, self.count, self.now)

    async def change(self, store: ContextStore) -> None:
        """Give one event another title."""
        self._changes += 1
        if self.kind == "file":
            years.in_file(self.path, self.count, self.now, self._changes)
            return
        there = years.objects(self.count, self.now)
        uid, text = next(each for number, each in enumerate(there) if number == self.count // 3)
        text = years.calendar(text.replace("SUMMARY:", f"SUMMARY:{'again' * self._changes} "))
        if self.kind == "folder":
            (self.path / f"{uid}.ics").write_text(text, newline="")
        else:
            await put_objects(store, [years.copy_of(uid, text)])

    def agenda(self, store: ContextStore, clock: Any, process: ParserProcess) -> Agenda:
        paths = [] if self.kind == "copies" and self.count else [self.path]
        return Agenda(paths, ZONE, clock=clock, parser=CalendarParser(process), objects=ObjectReader(store))

    def bytes(self) -> bytes:
        """Return all of it as one file."""
        whole = self.folder / "whole.ics"
        years.in_file(whole, self.count, self.now)
        return whole.read_bytes()


def process() -> ParserProcess:
    return ParserProcess("pepper_tui.domains.calendar.reading", idle=600)


def of_children() -> float:
    """Milliseconds of processor time of the processes that have ended."""
    times = os.times()
    return (times.children_user + times.children_system) * 1000


async def best(work: Callable[[], Awaitable[Any]], turns: int = TURNS) -> Spent:
    found: list[Spent] = []
    for _ in range(turns):
        with Spent() as spent:
            await work()
        found.append(spent)
    return min(found, key=lambda one: one.cpu)


async def looks(place: Place, store: ContextStore) -> dict[str, float]:
    """The agenda alone: the first look, later ones, and memory."""
    parser, before = process(), resident_megabytes(os.getpid())
    agenda, now = place.agenda(store, ManualClock(), parser), place.now  # a busy machine does not fail the run
    children = of_children()
    with Spent() as first:
        events = await agenda.events()
    found = {"events": float(len(events)), "first.wall": first.wall, "first.main": first.cpu}
    del events
    with Spent() as period:
        await agenda.between(now, now + 60 * DAY)
    found |= {"period.wall": period.wall, "period.main": period.cpu}
    gc.collect()
    found["memory"] = resident_megabytes(os.getpid()) - before
    parser.end()
    found["first.child"] = of_children() - children
    found["same"] = (await best(agenda.written)).cpu
    found["day"] = (await best(lambda: agenda.between(now, now + DAY))).cpu
    found["month"] = (await best(lambda: agenda.between(now, now + 30 * DAY))).cpu
    changed: list[Spent] = []
    for turn in range(TURNS + 1):
        await place.change(store)
        with Spent() as spent:
            await agenda.written()
            await agenda.between(now, now + 60 * DAY)
        changed += [spent] * bool(turn)  # the first one starts the parser process
    least = min(changed, key=lambda one: one.wall)
    found |= {"changed.wall": least.wall, "changed.main": min(one.cpu for one in changed)}
    found["defects"] = float(len(agenda.defects))
    parser.end()
    return found


def alternatives(place: Place) -> dict[str, float]:
    """What the same bytes cost where nothing is remembered: read and hashed, and parsed by icalendar."""
    source = place.bytes()
    whole = place.folder / "whole.ics"
    with Spent() as hashed:
        hashlib.sha256(whole.read_bytes()).digest()
    with Spent() as parsed:
        icalendar.Calendar.from_ical(source)
    return {"bytes": float(len(source)), "hash": hashed.cpu, "parse": parsed.cpu}


@asynccontextmanager
async def fed(place: Place, store: ContextStore, clock: ManualClock) -> AsyncIterator[CalendarFeed]:
    """The feed, on a clock that is told to move, with what makes signals of what it stores."""
    parser = process()
    settings = Calendar(paths=[place.path] if place.path.exists() else [])
    feed = CalendarFeed(settings, triage_of(Config()), place.agenda(store, clock, parser))
    subscriber = Subscriber(store)
    feeds = Feeds([feed], store, clock, subscriber, ZONE)
    feeds.listen()
    await subscriber.start()
    feeds.start()
    yield feed
    await feeds.stop()
    await subscriber.stop()
    parser.end()


async def feeding(place: Place, store: ContextStore, clock: ManualClock) -> dict[str, float]:
    """The feed over the agenda: the first start, the store's growth, and minutes in which nothing changes."""
    before = await size(store)

    async def told() -> bool:
        raw = await store.count(ContextFilter(namespaces=["raw.calendar"], types=["event"]))
        return await store.count(ContextFilter(namespaces=["signals.calendar"])) >= max(raw, place.count)

    with Spent() as first:
        async with fed(place, store, clock):
            await until(told, LONG)
            await until(lambda: settled(store), LONG)
    found = {"feed.first.wall": first.wall, "feed.first.main": first.cpu}
    found["store"] = (await size(store) - before) / 1e6
    with Spent() as again:
        async with fed(place, store, clock) as feed:
            await until(lambda: feed._listed > 0 and bool(clock.sleepers), LONG)
            await asyncio.sleep(0.5)
            again.__exit__()
            await minute(clock)
            with Spent() as quiet:
                for _ in range(MINUTES):
                    await minute(clock)
    return found | {"start.main": again.cpu, "minute": quiet.cpu / MINUTES}


async def minute(clock: ManualClock) -> None:
    await clock.advance(60)
    await asyncio.sleep(0.05)


async def settled(store: ContextStore) -> bool:
    return await store.get("events", namespace="feed.calendar") is not None


async def size(store: ContextStore) -> float:
    return await store.file.read(lambda c: 4096.0 * int(c.execute("PRAGMA page_count").fetchone()[0]))


async def measured(kind: str, count: int) -> dict[str, float]:
    share_threads_fairly()  # as the program does
    with tempfile.TemporaryDirectory(prefix="pepper-bench-") as name:
        folder, clock = Path(name), ManualClock()
        place = Place(kind, count, folder, clock.now())
        store = await ContextStore.open(folder / "pepper.db", clock)
        await place.make(store)
        kept = await size(store)
        found = {"copies": kept / 1e6, **(await looks(place, store) if count else {})}
        found |= await feeding(place, store, clock)
        await store.close()
        return found | (alternatives(place) if count else {})


if __name__ == "__main__":
    print(json.dumps(asyncio.run(measured(sys.argv[1], int(sys.argv[2])))))
