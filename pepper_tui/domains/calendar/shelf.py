"""What the agenda reads from: calendar files on disk, and the objects of accounts, as they were last read.

A file that has vanished counts as unread for a while: many programs write a file anew, and some take it away meanwhile.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from pepper_tui.boundary.plain_file import plain_bytes
from pepper_tui.clock import Clock
from pepper_tui.domains.calendar.event import Event
from pepper_tui.domains.calendar.objects import ObjectReader
from pepper_tui.domains.calendar.pieces import EVENT, TODO, Piece, by_uid, finished
from pepper_tui.domains.calendar.telling.names import Place, place_of_copy, place_of_file
from pepper_tui.text import one_line

MAX_FILE: Final = 10_000_000  # bytes
MAX_FILES: Final = 2_000
MAX_EVENTS: Final = 20_000
MAX_TODOS: Final = 5_000
HOLD: Final = 30.0  # seconds before what a vanished file held counts as gone: programs write files anew
NO_END: Final = "it has no end; only the events that have one were read"
BATCH: Final = 200  # events of objects that go to the parser process at once


@dataclass(slots=True)
class Shelved:
    """One file, or one object of an account's calendar, as last read."""

    sign: tuple[int, int] | None  # of the file: when it was changed, and its size; None for an object
    name: str
    calendar: str
    pieces: list[Piece]
    noted: list[str]  # problems seen while splitting it
    first: bool = False  # it was there when its calendar was first looked at
    waiting: list[Piece] = field(default_factory=list)
    partial: bool = False  # it has no end, so that there may have been more
    ended: int = 0  # how many of its items have ended a parser process
    series: list[Series] = field(default_factory=list)
    defects: list[str] = field(default_factory=list)
    unread: frozenset[str] = frozenset()  # the UIDs of its events that can't be read
    todos: list[Piece] = field(default_factory=list)  # those of one UID are one piece

    @property
    def is_object(self) -> bool:
        """Whether it lies in the store, not on disk."""
        return self.sign is None


@dataclass(slots=True)
class Series:
    """The events of one UID in one file."""

    calendar: str
    title: str
    events: list[Event]  # as written
    rules: list[str]  # one for each event
    periods: list[float]  # steps per day to expand each event
    pieces: tuple[Piece, ...] = ()  # empty unless it repeats

    @property
    def name(self) -> str:
        """The name used when it can't be read."""
        return f"{self.calendar}: {self.title}"

    @property
    def key(self) -> tuple[str, ...]:
        return (self.calendar, self.events[0].uid)

    @property
    def digest(self) -> tuple[bytes, ...]:
        return tuple(each.digest for each in self.pieces)

    def steps(self, end: float) -> float:
        """Estimate the steps to expand its rules up to ``end``; 0 if it does not repeat."""
        return sum(
            max(1.0, (end - event.start) / 86400 * periods)
            for event, periods in zip(self.events, self.periods, strict=True)
            if periods
        )


class Shelf:
    """The files of ``paths`` (.ics files, or folders of them) and the objects. Blocking; one thread at a time.

    ``accounts``: whose objects are read; None for any. ``left`` are the calendars of others, once they are known.
    """

    def __init__(
        self, paths: Sequence[Path], clock: Clock, objects: ObjectReader | None, accounts: Container[str] | None = None
    ) -> None:
        self._paths, self._clock, self._reader, self._accounts = paths, clock, objects, accounts
        self.left: set[str] = set()
        self._files: dict[Path, Shelved] = {}
        self._objects: dict[str, Shelved] = {}  # by id
        self._away: dict[Path, float] = {}  # files that have vanished, and since when
        self._endless: dict[Path, float] = {}  # files that have lost their end, and since when

    def places(self) -> dict[str, set[Place]]:
        """Return where each calendar is, by its id."""
        found: dict[str, set[Place]] = defaultdict(set)
        for path, file in self._files.items():
            found[file.calendar].add(place_of_file(path, (piece.uid for piece in (*file.pieces, *file.todos))))
        for calendar in {each.calendar for each in self._objects.values()}:
            found[calendar].add(place_of_copy(calendar))
        return found

    def load(self) -> tuple[list[Shelved], list[str], set[str], bool]:
        """Return what there is now, what is wrong with it, calendars that can't be read, and whether it changed."""
        kept, noted, unread = self._on_disk()
        changed = kept != self._files
        changed = self._hold(kept, unread) or changed
        self._files = kept
        changed = self._take_objects() or changed
        return [*kept.values(), *self._objects.values()], noted, unread, changed

    def _on_disk(self) -> tuple[dict[Path, Shelved], list[str], set[str]]:
        """Return the files, what is wrong with them, and the calendars that can't be read."""
        paths: list[Path] = []
        noted: list[str] = []
        unread: set[str] = set()
        for path in self._paths:
            files = sorted(path.glob("**/*.ics")) if path.is_dir() else [path]
            if len(files) > MAX_FILES:
                noted.append(f"{path}: only the first {MAX_FILES} of {len(files)} files were read")
                unread |= {each.stem for each in files[MAX_FILES:]}
            paths.extend(files[:MAX_FILES])
        kept: dict[Path, Shelved] = {}
        for path in paths:
            try:
                status = path.stat()
                sign = (status.st_mtime_ns, status.st_size)
                known = self._files.get(path)
                kept[path] = known if known and known.sign == sign else self._read(path, sign, known)
                if kept[path].partial:
                    unread.add(path.stem)
            except FileNotFoundError:
                if path in self._paths:
                    noted.append(f"{path}: not there")
                    unread.add(path.stem)
            except Exception as error:
                words = error.strerror if isinstance(error, OSError) else f"{type(error).__name__}: {error}"
                noted.append(f"{path}: can't be read: {words}")
                unread.add(path.stem)
                if path in self._files:  # half-written: its previous content stands until it can be read again
                    kept[path] = self._files[path]
        return kept, noted, unread

    def _read(self, path: Path, sign: tuple[int, int], known: Shelved | None) -> Shelved:
        """Return the file. Raises ``ValueError``, too, if it had an end until just now: it is being written."""
        found = cut(path, sign)
        if not found.partial:
            self._endless.pop(path, None)
            return found
        now = self._clock.monotonic()
        since = self._endless.setdefault(path, now)
        if known is not None and not known.partial and now - since < HOLD:
            raise ValueError("it has no end; is it being written?")
        return found

    def _hold(self, kept: Mapping[Path, Shelved], unread: set[str]) -> bool:
        """Count as unread, for a while, what a file held that is no longer there; return whether a while is over."""
        now = self._clock.monotonic()
        for path in self._files.keys() - kept.keys():
            self._away.setdefault(path, now)
        over = [path for path, since in self._away.items() if path in kept or now - since >= HOLD]
        for path in over:
            del self._away[path]
        unread |= {path.stem for path in self._away}
        return bool(over)

    def _take_objects(self) -> bool:
        """Take in what came of the objects; return whether anything did."""
        news = self._reader.taken() if self._reader is not None else []
        for each in news:
            if self._accounts is not None and each.account not in self._accounts:
                self.left.add(each.calendar)
                continue
            if each.gone:
                self._objects.pop(each.id, None)
                continue
            found, noted = list[Piece](), list[str]()
            try:
                found, ended = finished(each.text.encode("utf-8", "surrogateescape"))
                noted += [] if ended else [f"{each.calendar}: {one_line(each.place, 60)}: {NO_END}"]
            except ValueError as error:
                noted.append(f"{each.calendar}: {one_line(each.place, 60)} can't be read: {error}")
            events, todos = _apart(found)
            self._objects[each.id] = Shelved(
                None, each.calendar, each.calendar, events, noted, each.first, events, todos=todos
            )
        return bool(news)


def cut(path: Path, sign: tuple[int, int]) -> Shelved:
    """Return the file, cut into its events. Raises ``OSError`` or ``ValueError``."""
    source = plain_bytes(path)
    if len(source) > MAX_FILE:
        raise ValueError(f"larger than {MAX_FILE} bytes")
    whole, ended = finished(source)
    found, todos = _apart(whole)
    noted = [] if ended else [f"{path.name}: {NO_END}"]
    if len(todos) > MAX_TODOS:
        noted.append(f"{path.name}: only the last {MAX_TODOS} of {len(todos)} to-dos were read")
        todos = todos[-MAX_TODOS:]
    if len(found) > MAX_EVENTS:
        noted.append(f"{path.name}: only the newest {MAX_EVENTS} of {len(found)} events were read")
        found = sorted(found, key=lambda piece: piece.newness)[-MAX_EVENTS:]
    return Shelved(sign, path.name, path.stem, found, noted, waiting=found, partial=not ended, todos=todos)


def _apart(found: Sequence[Piece]) -> tuple[list[Piece], list[Piece]]:
    """Return the events, and the to-dos, those of one UID as one piece."""
    return [each for each in found if each.kind == EVENT], by_uid(each for each in found if each.kind == TODO)


def batches(files: Iterable[Shelved]) -> Iterator[list[Shelved]]:
    """Yield the files one by one, and objects together, as each holds hardly more than one event."""
    batch: list[Shelved] = []
    for file in files:
        if not file.is_object or file.ended:
            yield [file]
            continue
        batch.append(file)
        if sum(len(each.waiting) for each in batch) >= BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
