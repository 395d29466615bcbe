"""Reads the events and occurrences in calendar files and in the copies of accounts' calendars, in bounded time.

A file is split into its events, each parsed as one item in the parser process: an item that takes too much time or
memory is given up, alone, until it changes. The same holds for each series. Cheap series are expanded first, so that
none uses up another's time. ``defects`` names what could not be read, or not completely, and answers that come from
here mention it. Since a scan runs every minute, the occurrences of a series are cached for some weeks. Times without a
zone and whole days are in the user's zone.
"""

from __future__ import annotations

import threading
import time
from collections import Counter, defaultdict
from collections.abc import Container, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any, Final, cast

from pepper_tui.clock import Clock, Looks, SystemClock
from pepper_tui.domains.calendar.bounded import CalendarParser
from pepper_tui.domains.calendar.event import INVITED, UNANSWERED, Event
from pepper_tui.domains.calendar.objects import ObjectReader
from pepper_tui.domains.calendar.pieces import Piece
from pepper_tui.domains.calendar.shelf import Series, Shelf, Shelved, batches
from pepper_tui.domains.calendar.telling.names import short_names
from pepper_tui.model import Json
from pepper_tui.text import one_line
from pepper_tui.text.addresses import untagged

MAX_OCCURRENCES: Final = 5_000  # per query
MAX_OF_SERIES: Final = 1_600  # per query: 24 a day for the longest period that is asked for
MAX_KEPT: Final = 50_000  # cached occurrences
AHEAD: Final = 62 * 86400.0  # seconds for which a series is expanded, at least
DEADLINE: Final = 5.0  # seconds per query
BROKEN_NAMED: Final = 100  # defects of one file that are listed individually


@dataclass(slots=True)
class _Followed:
    """The occurrences of a series in a period, or ``why`` they are unknown."""

    start: float = 0.0
    end: float = 0.0
    found: list[Event] = field(default_factory=list)
    more: bool = False
    why: str = ""

    def covers(self, start: float, end: float) -> bool:
        return bool(self.why) or (self.start <= start and end <= self.end)


class Agenda:
    """The events of ``paths`` (.ics files, or folders of them), and of ``objects``.

    Each query first reloads what changed on disk and in the store. ``listed`` is the edition that ``events`` returned:
    another one after each change.
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
    ) -> None:
        """Set up the agenda.

        ``addresses`` are the user's own, with or without "+tag": an event that one of them declined takes no time.
        ``accounts``: whose objects are read; None for any.
        """
        self._paths = paths
        self._looks = Looks(clock or SystemClock())
        self._zone = zone
        self._addresses = frozenset(untagged(address.lower()) for address in addresses)
        self._parser = parser or CalendarParser()
        self._shelf, self._objects = Shelf(paths, clock or SystemClock(), objects, accounts), objects
        self._names: dict[str, str] = {}
        self._edition = self.listed = 0
        self._said: dict[bytes, Json | str] = {}
        self._followed: dict[tuple[bytes, ...], _Followed] = {}
        self._lock = threading.Lock()
        self._waits = True  # something is still to be read
        self._of_files: list[str] = []
        self._of_series: dict[tuple[str, ...], str] = {}
        self._unread: frozenset[str] = frozenset()
        self._unread_events: frozenset[tuple[str, str]] = frozenset()

    @property
    def defects(self) -> list[str]:
        """What the last queries could not read, or not completely: files first, then events by name."""
        return [*self._of_files, *dict.fromkeys(list(self._of_series.values()))]

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
        return not self.is_unread(calendar, uid) and (calendar, uid) not in self._of_series

    async def between(self, start: float, end: float) -> list[Event]:
        """Return occurrences that touch [start, end), by start, without cancelled ones. POSIX seconds."""
        return await self._look(self._between, start, end)

    async def conflicts(self, start: float, end: float) -> list[tuple[Event, Event]]:
        """Return pairs of events that overlap within [start, end), the earlier start first."""
        from pepper_tui.domains.calendar.conflicts import conflicts_among

        found = conflicts_among(await self.between(start, end))
        return [(one.first, one.second) for one in found if one.start < end and one.end > start]

    async def events(self) -> list[Event]:
        """Return every event and changed occurrence once, as written, including cancelled ones."""
        return await self._look(self._events)

    async def _look(self, function: Any, *args: float) -> list[Event]:
        """Run a query. Raises ``NoAnswerError``: being unable to read is not the same as finding nothing."""
        if self._objects is not None:
            await self._objects.catch_up()
        place = ", ".join(map(str, self._paths)) or "the copies of your calendars"
        return cast(list[Event], await self._looks.look(place, function, *args))

    def _events(self) -> list[Event]:
        with self._lock:
            found = [
                replace(event, recurrence=event.recurrence or rule)
                for series in self._load(time.monotonic() + DEADLINE)
                for event, rule in zip(series.events, series.rules, strict=True)
            ]
            self.listed = self._edition
            return found

    def _between(self, start: float, end: float) -> list[Event]:
        with self._lock:
            until = time.monotonic() + DEADLINE
            all_series = sorted(self._load(until), key=lambda one: one.steps(end))
            self._follow(all_series, start, end, until)
            found: list[Event] = []
            kept = 0
            for series in all_series:
                self._of_series.pop(series.key, None)
                followed = self._followed.get(series.digest) if series.pieces else None
                if len(found) >= MAX_OCCURRENCES or (series.pieces and followed is None):
                    self._of_series[series.key] = f"{series.name}: left out, as there is too much in the calendar"
                    continue
                if followed is not None and followed.more:
                    words = f"comes more than {MAX_OF_SERIES} times; not all are shown"
                    self._of_series[series.key] = f"{series.name}: {words}"
                if followed is not None and followed.why:
                    self._of_series[series.key] = f"{series.name}: {followed.why}; only its first time is known"
                events = series.events if followed is None or followed.why else followed.found
                found += [one for one in events if not one.cancelled and one.touches(start, end)]
                kept += len(events)
            if kept > MAX_KEPT:
                self._followed = {key: one for key, one in self._followed.items() if one.why}
            found.sort(key=lambda event: (event.start, event.uid))
            self._count_left_out(found[MAX_OCCURRENCES:])
            return found[:MAX_OCCURRENCES]

    def _count_left_out(self, beyond: list[Event]) -> None:
        titles = {(one.calendar, one.uid): one.summary for one in beyond}
        for key, times in Counter((one.calendar, one.uid) for one in beyond).items():
            title = one_line(titles[key], 60) or "(no title)"
            words = f"{times} of its times are left out, as there is too much in the calendar"
            self._of_series[key] = f"{key[0]}: {title}: {words}"

    def _follow(self, all_series: list[Series], start: float, end: float, until: float) -> None:
        """Expand each series for that period, as far as time allows."""
        there = {series.digest for series in all_series}
        self._followed = {key: one for key, one in self._followed.items() if key in there and one.covers(start, end)}
        wanted = {series.digest: series for series in all_series if series.pieces}
        strange = [series for digest, series in wanted.items() if digest not in self._followed]
        last = max(end, start + AHEAD)
        answers = self._parser.series([one.pieces for one in strange], start, last, MAX_OF_SERIES, until)
        for series, answer in zip(strange, answers, strict=False):
            self._followed[series.digest] = self._occurrences(series, answer, start, last)

    def _occurrences(self, series: Series, answer: Json | str, start: float, end: float) -> _Followed:
        if isinstance(answer, str):
            return _Followed(why=f"its repeat rule never comes due, or can't be followed ({one_line(answer, 120)})")
        moved = {event.recurrence for event in series.events} - {""}
        try:
            found = [
                replace(self._event(answer["fields"][number], (begins, ends), series.calendar),
                        recurrence=recurrence, repeats=recurrence not in moved)
                for number, begins, ends, recurrence in answer["occurrences"]
            ]  # fmt: skip
        except (ValueError, OverflowError) as error:
            return _Followed(why=f"its repeat rule leads to years beyond any date ({type(error).__name__})")
        return _Followed(start, end, found, answer["more"])

    def _event(self, fields: Json, times: tuple[float | str, float | str], calendar: str) -> Event:
        start, end = map(self._seconds, times)
        if end <= start and all(isinstance(each, str) for each in times):  # a clock change skips the start
            walls = [datetime.fromisoformat(str(each)) for each in times]
            end = max(end, start + (walls[1] - walls[0]).total_seconds())
        given = {name: value for name, value in fields.items() if name != "answers"}
        event = Event(**given, start=start, end=end, calendar=calendar)
        event.answer = next((answer for who, answer in fields["answers"] if untagged(who) in self._addresses), "")
        if calendar == INVITED:  # whoever was asked by another name is not listed
            event.answer = event.answer or UNANSWERED
        event.busy = event.busy and event.answer != "declined" and (calendar, event.answer) != (INVITED, UNANSWERED)
        return event

    def _seconds(self, when: float | str) -> float:
        if isinstance(when, str):
            return datetime.fromisoformat(when).replace(tzinfo=self._zone).timestamp()
        return when

    # ------------------------------------------------------------------------------------------------------- files

    def _load(self, until: float) -> list[Series]:
        """Read what has changed; return all series."""
        files, noted, unread, changed = self._shelf.load()
        if changed or self._waits:
            self._edition += 1
            self._names = short_names(self._shelf.places())
            self._read(files, until)
            there = {piece.digest for file in files for piece in file.pieces}
            self._said = {digest: said for digest, said in self._said.items() if digest in there}
        waiting: Counter[tuple[str, str]] = Counter()
        for file in files:
            noted += file.defects
            if file.waiting:
                waiting[file.name, file.calendar] += len(file.waiting)
        for (name, calendar), count in waiting.items():
            noted.append(f"{name}: {count} of its events are not read yet")
            unread.add(calendar)
        self._waits = bool(waiting)
        found = _shown([one for file in files for one in file.series])
        keys = {one.key for one in found}
        self._of_files, self._unread = noted, frozenset(unread)
        self._unread_events = frozenset((file.calendar, uid) for file in files for uid in file.unread)
        self._of_series = {key: words for key, words in self._of_series.items() if key in keys}
        return found

    def _read(self, files: list[Shelved], until: float) -> None:
        """Parse what is new in ``files``, starting with files whose events have ended no parser process.

        A file that does end it runs out of time, and the next query continues with it.
        """
        for batch in batches(sorted((one for one in files if one.waiting), key=lambda one: one.ended)):
            strange = {
                piece.digest: piece for file in batch for piece in file.waiting if piece.digest not in self._said
            }
            found = self._parser.events([*strange.values()], until)
            self._said |= found
            for file in batch:
                file.ended += sum(str(found.get(piece.digest, "")).startswith("not read") for piece in file.waiting)
                file.waiting = [piece for piece in file.waiting if piece.digest not in self._said]
                self._build(file)

    def _build(self, file: Shelved) -> None:
        """Build the series from what has been parsed of ``file``, and record what can't be read."""
        broken: list[str] = []
        unread: set[str] = set()
        by_uid: dict[str, list[tuple[Piece, Json, Event]]] = defaultdict(list)
        for piece in file.pieces:
            said = self._said.get(piece.digest)
            if said is None:
                continue
            title = f"{file.name}: {one_line(piece.title, 60) or '(no title)'}"
            if isinstance(said, str):
                broken.append(f"{title}: {one_line(said, 160)}{'' if piece.whole else ' (it has no end)'}")
                unread.add(piece.uid)
            elif said["refusal"]:
                broken.append(f"{title}: {said['refusal']}")
            elif "unread" in said:
                broken.append(f"{title}: can't be read: {said['unread']}")
                unread.add(said["uid"])
            else:
                try:
                    event = self._event(said["fields"], said["times"], file.calendar)
                    event.recurrence, event.first = said["recurrence"], file.first
                except (ValueError, OverflowError) as error:  # years outside the range of datetime
                    broken.append(f"{title}: can't be read: {type(error).__name__}")
                    unread.add(said["uid"])
                    continue
                if said["broken"]:
                    named = one_line(", ".join(said["broken"]), 60)
                    broken.append(f"{title}: its {named} can't be read, so what is known of it is incomplete")
                by_uid[said["uid"]].append((piece, said, event))
        more = [f"{file.name}: {len(broken) - BROKEN_NAMED} more events"] if len(broken) > BROKEN_NAMED else []
        file.defects = [*file.noted, *broken[:BROKEN_NAMED], *more]
        file.unread = frozenset(unread)
        file.series = [_series_of(file.calendar, group) for group in by_uid.values()]


def _shown(all_series: list[Series]) -> list[Series]:
    """Return the series without invitations to what a calendar of the user's holds as well."""
    held = {series.events[0].uid for series in all_series if series.calendar != INVITED}
    return [series for series in all_series if series.calendar != INVITED or series.events[0].uid not in held]


def _series_of(calendar: str, group: list[tuple[Piece, Json, Event]]) -> Series:
    events = [event for _, _, event in group]
    title = next((title for event in events if (title := one_line(event.summary, 60))), "(no title)")
    return Series(
        calendar,
        title,
        events,
        rules=[said["rules"] for _, said, _ in group],
        periods=[said["periods"] for _, said, _ in group],
        pieces=tuple(piece for piece, _, _ in group) if any(said["repeats"] for _, said, _ in group) else (),
    )
