"""What the agenda reads from: calendar files on disk, and the objects of accounts, as they were last read.

A file that has vanished counts as unread for a while: many programs write a file anew, and some take it away meanwhile.
"""

from __future__ import annotations

import os
import time
from collections import defaultdict
from collections.abc import Callable, Container, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, islice
from operator import itemgetter
from pathlib import Path
from typing import Final

from pepper_tui.boundary.plain_file import plain_bytes
from pepper_tui.clock import Clock
from pepper_tui.domains.calendar.index.cutting import Cut, Parts, Signed, apart, cut, signed
from pepper_tui.domains.calendar.index.series import Part, Series, series_of
from pepper_tui.domains.calendar.objects import CalendarObject, ObjectReader
from pepper_tui.domains.calendar.pieces import Piece, finished, merged_by_uid
from pepper_tui.domains.calendar.telling.names import Place, place_of_copy, place_of_file
from pepper_tui.text import one_line

MAX_FILE: Final = 50_000_000  # bytes
MAX_FILES: Final = 50_000
MAX_EVENTS: Final = 100_000  # of one file
MAX_TODOS: Final = 5_000  # of one file
BROKEN_NAMED: Final = 100  # defects of one calendar that are listed individually
HOLD: Final = 30.0  # seconds before what a vanished file held counts as gone: programs write files anew
NO_END: Final = "it has no end; only the events that have one were read"
SLICE: Final = 1.0  # seconds for which new files are read at a time
_TOGETHER: Final = 2_000  # objects that are taken in at a time
_FEW: Final = 50  # events of a file that is cut as a whole each time


@dataclass(slots=True, eq=False)
class Shelved:
    """One file, or the copy of one calendar of an account, as last read.

    ``series`` are by UID, those of a copy by the object that they are in, too. ``todos`` are by object; those of one
    UID are one piece.
    """

    name: str
    calendar: str
    sign: tuple[int, int] | None = None  # of the file: when it was changed, and its size
    place: Place | None = None
    series: dict[Hashable, Series] = field(default_factory=dict)
    noted: dict[str, str] = field(default_factory=dict)  # problems seen while splitting it, by object
    events: Sequence[Signed] = ()  # of the file, in its order
    partial: bool = False  # it has no end, so that there may have been more
    parts: Parts | None = None
    todos: dict[str, list[Piece]] = field(default_factory=dict)
    waiting: dict[Hashable, Series] = field(default_factory=dict)  # those with events that are not read yet
    ended: int = 0  # how many of its items have ended a parser process
    _broken: list[Part] | None = None

    @property
    def broken(self) -> list[Part]:
        """The events that can't be read, or not completely."""
        if self._broken is None:
            self._broken = [part for one in self.series.values() for part in one.parts if part.defect]
        return self._broken

    @property
    def defects(self) -> list[str]:
        """What of it can't be read, in words."""
        named = [part.defect for part in self.broken[:BROKEN_NAMED]]
        count = len(self.broken) - len(named)
        return [*self.noted.values(), *named, *([f"{self.name}: {count} more events"] if count else [])]

    @property
    def unread(self) -> list[str]:
        """The UIDs of its events that can't be read."""
        return [part.unread for part in self.broken if part.unread is not None]

    @property
    def holds_any(self) -> bool:
        """Whether it is of any use."""
        return bool(self.series or self.todos or self.noted)

    def take(self, key: Hashable) -> Series:
        """Take away the series with that key."""
        self._broken = None
        self.waiting.pop(key, None)
        return self.series.pop(key)

    def put(self, key: Hashable, made: Series) -> None:
        """Take in a series in the place of the one with that key."""
        self._broken = None
        self.series[key] = made
        if made.waiting:
            self.waiting[key] = made
        else:
            self.waiting.pop(key, None)


class Shelf:
    """The files of ``paths`` (.ics files, or folders of them) and the objects. Blocking; one thread at a time.

    ``accounts``: whose objects are read; None for any. ``left`` are the calendars of others, once they are known.
    """

    def __init__(
        self, paths: Sequence[Path], clock: Clock, objects: ObjectReader | None, accounts: Container[str] | None = None
    ) -> None:
        self._paths, self._clock, self._reader, self._accounts = paths, clock, objects, accounts
        self.left: set[str] = set()
        self._files: dict[str, Shelved] = {}
        self._copies: dict[str, Shelved] = {}  # of calendars, by id
        self._keys: dict[str, list[Hashable]] = {}  # of the series in each object, by its id
        self._away: dict[str, float] = {}  # files that have vanished, and since when
        self._endless: dict[str, float] = {}  # files that have lost their end, and since when
        self.noted: list[str] = []
        """What was wrong with the files at the last look."""
        self.unread: set[str] = set()
        """The calendars that could not be read at the last look."""
        self._broken: dict[str, tuple[tuple[int, int], str]] = {}  # files that are no calendars, as they are now
        self._later = self._opened = 0  # files that are not read yet, as the time was up; those that were
        self._until = 0.0

    @property
    def goes_on(self) -> bool:
        """Whether there is more to take in at once."""
        return bool(self._later) or (self._reader is not None and self._reader.waits)

    @property
    def all(self) -> list[Shelved]:
        """All files and copies."""
        return [*self._files.values(), *self._copies.values()]

    def places(self) -> dict[str, set[Place]]:
        """Return where each calendar is, by its id."""
        found: dict[str, set[Place]] = defaultdict(set)
        for file in self.all:
            if file.place is not None:
                found[file.calendar].add(file.place)
        return found

    def load(self) -> bool:
        """Take in what there is now, a part of it at a time, and return whether anything has changed."""
        self.noted, self.unread, self._until = [], set(), time.monotonic() + SLICE
        self._later = self._opened = 0
        kept = self._on_disk()
        if self._later:
            self.noted.append(f"{self._later} files of {', '.join(map(str, self._paths))} are not read yet")
        changed = len(kept) != len(self._files) or any(self._files.get(path) is not kept[path] for path in kept)
        changed = self._hold(kept) or changed
        self._files = kept
        return self._take_objects() or changed

    def _on_disk(self) -> dict[str, Shelved]:
        kept: dict[str, Shelved] = {}
        for given in self._paths:
            files = sorted(_found(str(given)), key=itemgetter(0)) if given.is_dir() else [(str(given), given.stat)]
            if len(files) > MAX_FILES:
                self.noted.append(f"{given}: only the first {MAX_FILES} of {len(files)} files were read")
                self.unread |= {Path(path).stem for path, _ in files[MAX_FILES:]}
            for path, status in files[:MAX_FILES]:
                self._look_at(path, status, kept)
        return kept

    def _look_at(self, path: str, stat: Callable[[], os.stat_result], kept: dict[str, Shelved]) -> None:
        """Put the file at ``path`` among those that are ``kept``, read anew if it has changed."""
        known = self._files.get(path)
        try:
            status = stat()
            sign = (status.st_mtime_ns, status.st_size)
            if known is not None and known.sign == sign:
                kept[path] = known
            elif not self._opened or time.monotonic() < self._until:
                kept[path] = self._read(path, sign, known)
            else:
                self._later += 1
                self.unread.add(Path(path).stem)
                if known is not None:
                    kept[path] = known
                return
            if kept[path].partial:
                self.unread.add(kept[path].calendar)
        except FileNotFoundError:
            if Path(path) in self._paths:
                self.noted.append(f"{path}: not there")
                self.unread.add(Path(path).stem)
        except Exception as error:
            words = error.strerror if isinstance(error, OSError) else f"{type(error).__name__}: {error}"
            self.noted.append(f"{path}: can't be read: {words}")
            self.unread.add(Path(path).stem)
            if known is not None:  # half-written: its previous content stands until it can be read again
                kept[path] = known

    def _read(self, path: str, sign: tuple[int, int], known: Shelved | None) -> Shelved:
        """Return the file. Raises ``ValueError``, too, if it had an end until just now: it is being written."""
        if path in self._broken and self._broken[path][0] == sign:
            raise ValueError(self._broken[path][1])
        self._opened += 1
        try:
            found = shelved(Path(path), sign, known)
        except ValueError as error:  # it is not read again until it changes
            self._broken[path] = (sign, str(error))
            raise
        self._broken.pop(path, None)
        if not found.partial:
            self._endless.pop(path, None)
            return found
        now = self._clock.monotonic()
        since = self._endless.setdefault(path, now)
        if known is not None and not known.partial and now - since < HOLD:
            raise ValueError("it has no end; is it being written?")
        return found

    def _hold(self, kept: Mapping[str, Shelved]) -> bool:
        """Count as unread, for a while, what a file held that is no longer there; return whether a while is over."""
        now = self._clock.monotonic()
        for path in self._files.keys() - kept.keys():
            self._away.setdefault(path, now)
        over = [path for path, since in self._away.items() if path in kept or now - since >= HOLD]
        for path in over:
            del self._away[path]
        self.unread |= {Path(path).stem for path in self._away}
        return bool(over)

    def _take_objects(self) -> bool:
        """Take in what came of the objects; return whether anything did."""
        news = self._reader.taken(_TOGETHER) if self._reader is not None else []
        for each in news:
            if self._accounts is not None and each.account not in self._accounts:
                self.left.add(each.calendar)
                continue
            copy = self._copies.get(each.calendar)
            if copy is None:
                copy = Shelved(each.calendar, each.calendar, place=place_of_copy(each.calendar))
                self._copies[each.calendar] = copy
            self._put(copy, each)
        self._copies = {calendar: copy for calendar, copy in self._copies.items() if copy.holds_any}
        return bool(news)

    def _put(self, copy: Shelved, held: CalendarObject) -> None:
        """Take one object into the copy of its calendar, in the place of what it was before."""
        before = {key: copy.take(key) for key in self._keys.pop(held.id, ())}
        copy.noted.pop(held.id, None)
        copy.todos.pop(held.id, None)
        if held.gone:
            return
        found: list[Piece] = []
        try:
            found, ended = finished(held.text.encode("utf-8", "surrogateescape"))
            if not ended:
                copy.noted[held.id] = f"{copy.calendar}: {one_line(held.place, 60)}: {NO_END}"
        except ValueError as error:
            copy.noted[held.id] = f"{copy.calendar}: {one_line(held.place, 60)} can't be read: {error}"
        held_events, todos = apart(found)
        if todos:
            copy.todos[held.id] = merged_by_uid(todos)
        events = [signed(each) for each in held_events]
        for uid, mine in _by_key(events, range(len(events))).items():
            signs, piece = [events[number].digest for number in mine], partial(_nth, held_events.__getitem__, mine)
            key, place = (held.id, uid), copy.calendar
            copy.put(key, series_of(signs, piece, before.get(key), place, place, first=held.first))
            self._keys.setdefault(held.id, []).append(key)


def shelved(path: Path, sign: tuple[int, int], known: Shelved | None = None) -> Shelved:
    """Return the file, cut into its events. Raises ``OSError`` or ``ValueError``.

    What is as it was in the file as it is ``known`` is taken from there.
    """
    source = plain_bytes(path)
    if len(source) > MAX_FILE:
        raise ValueError(f"larger than {MAX_FILE} bytes")
    found = cut(source, known.parts if known is not None else None)
    file = Shelved(path.name, path.stem, sign, partial=not found.ended, ended=known.ended if known else 0)
    file.parts = found.parts if len(found.events) > _FEW else None
    if not found.ended:
        file.noted[""] = f"{path.name}: {NO_END}"
    if len(found.events) > MAX_EVENTS:
        file.noted["more"] = f"{path.name}: only the newest {MAX_EVENTS} of {len(found.events)} events were read"
        newest = sorted(range(len(found.events)), key=lambda number: found.piece(number).newness)[-MAX_EVENTS:]
        found = found.only(sorted(newest))
    todos = found.todos[-MAX_TODOS:]
    if len(found.todos) > len(todos):
        file.noted["todos"] = f"{path.name}: only the last {MAX_TODOS} of {len(found.todos)} to-dos were read"
    if todos:
        file.todos[""] = merged_by_uid(todos)
    _take(file, found, known)
    uids = chain(file.series, (each.uid for each in file.todos.get("", ())))
    file.place = place_of_file(path, map(str, islice(uids, 2)))
    return file


def _take(file: Shelved, found: Cut, known: Shelved | None) -> None:
    """Take the events of a file into its series; those that are as they are ``known`` are the same objects."""
    file.events = found.events
    numbers: Iterable[int] = range(len(found.events))
    if known is not None and (changed := _changed(known.events, found.events)) is not None:
        numbers = [number for number, each in enumerate(found.events) if each.key in changed]
        file.series = {key: one for key, one in known.series.items() if key not in changed}
        file.waiting = {key: one for key, one in known.waiting.items() if key not in changed}
    before = known.series if known is not None else {}
    for key, mine in _by_key(found.events, numbers).items():
        signs, piece = [found.events[number].digest for number in mine], partial(_nth, found.piece, mine)
        file.put(key, series_of(signs, piece, before.get(key), file.calendar, file.name))


def _changed(before: Sequence[Signed], now: Sequence[Signed]) -> frozenset[Hashable] | None:
    """Return the keys of the events that are not as they were; None if that is not known, as some are there twice."""
    old, new = {each.digest for each in before}, {each.digest for each in now}
    other = old ^ new
    if len(now) - len(before) != len(new) - len(old):
        return None
    return frozenset(each.key for each in (*before, *now) if each.digest in other)


def _by_key(events: Sequence[Signed], numbers: Iterable[int]) -> dict[Hashable, list[int]]:
    found: dict[Hashable, list[int]] = {}
    for number in numbers:
        found.setdefault(events[number].key, []).append(number)
    return found


def _nth(piece: Callable[[int], Piece], numbers: Sequence[int], at: int) -> Piece:
    return piece(numbers[at])


def _found(folder: str) -> Iterator[tuple[str, Callable[[], os.stat_result]]]:
    """Yield the calendar files in a folder and those below, each with its status; links to folders are not followed."""
    try:
        entries = os.scandir(folder)
    except OSError:
        return
    with entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from _found(entry.path)
            elif entry.name.endswith(".ics"):
                yield entry.path, entry.stat
