"""Reads the events and occurrences in calendar files and in the copies of accounts' calendars, in bounded time.

A file is split into its events, each parsed as one item in the parser process: an item that takes too much time or
memory is given up, alone, until it changes. The same holds for each series. ``defects`` names what could not be read,
or not completely, and answers that come from here mention it. Where nothing has changed, a query costs a look at the
files' times, and a search (see ``index``). Times without a zone and whole days are in the user's zone.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Container, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from pathlib import Path
from typing import Final, TypeVar

from pepper_tui.clock import Clock, Looks, SystemClock
from pepper_tui.domains.calendar.bounded import CalendarParser
from pepper_tui.domains.calendar.event import INVITED, Event
from pepper_tui.domains.calendar.index.occurrences import Occurrences
from pepper_tui.domains.calendar.index.series import Maker, Part, Series
from pepper_tui.domains.calendar.meeting.spacing import NO_SPACING, Spacing
from pepper_tui.domains.calendar.objects import ObjectReader
from pepper_tui.domains.calendar.shelf import Shelf, Shelved
from pepper_tui.domains.calendar.telling.names import short_names
from pepper_tui.domains.calendar.todos.held import TodoShelf

T = TypeVar("T")
_Waiting = tuple[Shelved, Hashable, Part]
"""A part that is not read yet, with its file and the key of its series there."""
DEADLINE: Final = 5.0  # seconds per query for what is costly to read or to follow
SLICE: Final = 2.0  # seconds for which a thread reads: longer than that, and the folder would seem to hang
BATCH: Final = 200  # events that go to the parser process at once


@dataclass(slots=True)
class _Reading:
    """What one query may still read: ``over`` once an event has ended a parser process after ``until``.

    ``batches`` are of what there was at ``load``.
    """

    until: float
    over: bool = False
    load: int = -1
    batches: Iterator[Sequence[_Waiting]] = field(default_factory=lambda: iter(()))


class Agenda:
    """The events of ``paths`` (.ics files, or folders of them), and of ``objects``.

    Each query first reloads what changed on disk and in the store. ``listed`` is the edition that ``events`` returned:
    another one after each change. ``todos`` are the to-dos beside them.
    """

    def __init__(
        self,
        paths: list[Path],
        zone: tzinfo,
        addresses: Iterable[str] = (),
        clock: Clock | None = None,
        parser: CalendarParser | None = None,
        objects: ObjectReader | None = None,
        accounts: Container[str] | None = None,
        spacing: Spacing = NO_SPACING,
    ) -> None:
        """Set up the agenda.

        ``addresses`` are the user's own, with or without "+tag": an event that one of them declined takes no time.
        ``accounts``: whose objects are read; None for any. ``spacing``: the time before an event that conflicts
        respect.
        """
        self._paths, self._spacing = paths, spacing
        self._looks = Looks(clock or SystemClock())
        self._maker = Maker(zone, addresses)
        self._parser = parser or CalendarParser()
        self._shelf, self._objects = Shelf(paths, clock or SystemClock(), objects, accounts), objects
        self._occurrences = Occurrences(self._parser, self._maker)
        self.todos = TodoShelf(zone, self.written)
        self._names: dict[str, str] = {}
        self._edition = self.listed = 0
        self._written: Mapping[str, Event] = {}
        self._lock = threading.Lock()
        self._waits = True  # something is still to be read
        self._changed = False  # there is more than the edition holds
        self._loads = 0  # changes that were taken in
        self._of_calendars: list[str] = []
        self._unread: frozenset[str] = frozenset()
        self._unread_calendars: frozenset[str] = frozenset()
        self._unread_events: frozenset[tuple[str, str]] = frozenset()

    @property
    def defects(self) -> list[str]:
        """What the last queries could not read, or not completely: files first, then events by name."""
        return [*self._shelf.noted, *self._of_calendars, *dict.fromkeys(list(self._occurrences.unknown.values()))]

    def named(self, calendar: str) -> str:
        """Return what to call a calendar beside others; empty where there is only one."""
        return self._names.get(calendar, "")

    def calendars(self) -> tuple[frozenset[str], frozenset[str]]:
        """Return the calendars that were read last, and those of accounts that the config no longer names."""
        return frozenset(self._shelf.places()), frozenset(self._shelf.left)

    def is_unread(self, calendar: str, uid: str) -> bool:
        """Check whether this event, or a file of its calendar, could not be read just now.

        If so, its earlier state still stands.
        """
        return calendar in self._unread or (calendar, uid) in self._unread_events

    def is_whole(self, calendar: str, uid: str) -> bool:
        """Check whether this event was read, and all its times that the last query asked for are known."""
        return not self.is_unread(calendar, uid) and (calendar, uid) not in self._occurrences.unknown

    async def between(self, start: float, end: float) -> list[Event]:
        """Return occurrences that touch [start, end), by start, without cancelled ones. POSIX seconds."""
        return await self._look(lambda: self._occurrences.between(start, end, time.monotonic() + DEADLINE), DEADLINE)

    async def conflicts(self, start: float, end: float) -> list[tuple[Event, Event]]:
        """Return pairs of events that overlap, or are too close, within [start, end), the earlier start first."""
        from pepper_tui.domains.calendar.conflicts import conflicts_among

        found = conflicts_among(await self.between(start, end), spacing=self._spacing)
        return [(one.first, one.second) for one in found if one.start < end and one.end > start]

    async def events(self) -> list[Event]:
        """Return every event and changed occurrence once, as written, including cancelled ones."""
        return [*(await self.written()).values()]

    async def written(self) -> Mapping[str, Event]:
        """Return what ``events`` does, by its key. What has not changed is the same object as before."""
        return await self._look(self._all_written, float("inf"))

    async def _look(self, answer: Callable[[], T], patience: float) -> T:
        """Read what has changed, and ``answer``: after ``patience`` also though not all is read.

        Raises ``NoAnswerError``: being unable to read is not the same as finding nothing.
        """
        if self._objects is not None:
            await self._objects.catch_up()
        place = ", ".join(map(str, self._paths)) or "the copies of your calendars"
        reading, most = _Reading(time.monotonic() + DEADLINE), time.monotonic() + patience
        found: list[T] = []
        while not found:
            found = await self._looks.look(place, self._step, reading, answer, most)
        return found[0]

    def _step(self, reading: _Reading, answer: Callable[[], T], most: float) -> list[T]:
        """Read for a while; return the answer if no more is to be read now, else nothing."""
        with self._lock:
            over = min(time.monotonic() + SLICE, most)
            if self._shelf.load():
                self._changed, self._loads = True, self._loads + 1
            if self._changed or self._waits or self._shelf.goes_on:
                if (self._shelf.goes_on or self._read(reading)) and time.monotonic() < most:
                    return []
                if self._changed:
                    self._sum_up()
                if over < time.monotonic() < most:  # the answer may take its own time
                    return []
            self._unread = frozenset(self._shelf.unread | self._unread_calendars)
            return [answer()]

    def _all_written(self) -> Mapping[str, Event]:
        self.listed = self._edition
        return self._written

    def _read(self, reading: _Reading) -> bool:
        """Parse what is new, for a while; return whether there is more to parse at once.

        Small events go first, and files whose events have ended no parser process: what does end it holds up no other.
        To-dos come last.
        """
        over = time.monotonic() + SLICE
        if reading.load != self._loads:
            reading.load, reading.batches = self._loads, _batches(self._shelf.all)
            self.todos.take(self._shelf.all)
        while not reading.over and time.monotonic() < over:
            batch = next(reading.batches, None)
            if batch is None:
                return self._read_todos(reading, over)
            self._parse([one for one in batch if not one[2].read], reading)
        return not reading.over

    def _read_todos(self, reading: _Reading, over: float) -> bool:
        """Parse to-dos as ``_read`` does events."""
        while self.todos.waits and time.monotonic() < over:
            self._changed = True
            if not self.todos.read_some(BATCH, reading.until):
                reading.over = True
                return False
        return self.todos.waits

    def _parse(self, batch: Sequence[_Waiting], reading: _Reading) -> None:
        found = self._parser.events([part.piece for _, _, part in batch if part.piece is not None], reading.until)
        for file, key, part in batch:
            if (said := found.get(part.digest)) is None:
                reading.over = True
                continue
            self._changed = True
            file.ended += isinstance(said, str) and said.startswith("not read")
            self._maker.take(file.series[key], part, said)
        for file, key in dict.fromkeys((file, key) for file, key, _ in batch):
            file.series[key].build()
            file.put(key, file.series[key])

    def _sum_up(self) -> None:
        """Make an edition of what is read."""
        files = self._shelf.all
        self.todos.sum_up()
        self._edition += 1
        self._names = short_names(self._shelf.places())
        troubled = [file for file in files if file.noted or file.broken]
        self._of_calendars = [defect for file in troubled for defect in file.defects]
        waiting = [file for file in files if file.waiting]
        for file in waiting:
            count = sum(len(one.waiting) for one in file.waiting.values())
            self._of_calendars.append(f"{file.name}: {count} of its events are not read yet")
        self._waits, self._changed = bool(waiting) or self.todos.waits, False
        self._unread_calendars = frozenset(file.calendar for file in waiting)
        of_events = frozenset((file.calendar, uid) for file in troubled for uid in file.unread)
        self._unread_events = of_events | self.todos.unread
        shown = _shown(files)
        self._written = {key: event for series in shown for key, event in series.listed}
        self._occurrences.take(shown)


def _batches(files: Sequence[Shelved]) -> Iterator[Sequence[_Waiting]]:
    """Yield the events that wait, some at a time."""
    waiting = [
        (file.ended, len(part.piece.text), (file, key, part))
        for file in files
        for key, series in file.waiting.items()
        for part in series.waiting
        if part.piece is not None
    ]
    waiting.sort(key=lambda one: one[:2])
    for at in range(0, len(waiting), BATCH):
        yield [one for _, _, one in waiting[at : at + BATCH]]


def _shown(files: Sequence[Shelved]) -> list[Series]:
    """Return the series that have events, without invitations to what a calendar of the user's holds as well."""
    found = [series for file in files for series in file.series.values() if series.events]
    if all(file.calendar != INVITED for file in files):
        return found
    held = {series.events[0].uid for series in found if series.calendar != INVITED}
    return [series for series in found if series.calendar != INVITED or series.events[0].uid not in held]
