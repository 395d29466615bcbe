"""Adds one event to a calendar file, keeping the existing bytes unchanged.

The file is read, and the event inserted before its last ``END:VCALENDAR``. The result is split into its events (they
must be the old ones and the new one), written beside the file and renamed over it. If the file is not byte for byte the
one that was read when the effect was resolved, it is left alone. An event whose UID already exists is not added again.

Reading and writing both go through ``allowed``: the folder is opened part by part, without links, and all work happens
in that folder.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import re
import stat
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pepper_tui.boundary.allowed import opened
from pepper_tui.boundary.plain_file import open_plain
from pepper_tui.clock import Looks
from pepper_tui.domains.calendar.pieces import EVENT, TODO, calendar_of, pieces
from pepper_tui.domains.calendar.shelf import MAX_FILE, MAX_FILES
from pepper_tui.domains.calendar.writer import A_TODO, AN_EVENT, Found, Held
from pepper_tui.text import one_line
from pepper_tui.tools.errors import NotDoneError, OutdatedError, ToolError

SUFFIX: Final = ".ics"
_END: Final = re.compile(rb"^END:VCALENDAR[ \t]*\r?$", re.I | re.M)
_WHOLE: Final = {
    kind: re.compile(rb"^BEGIN:%b[ \t]*\r?\n.*?^END:%b[ \t]*\r?\n" % (kind, kind), re.I | re.M | re.S)
    for kind in (EVENT, TODO)
}
_ZONE: Final = re.compile(rb"^BEGIN:VTIMEZONE[ \t]*\r?\n.*?^END:VTIMEZONE[ \t]*\r?\n", re.I | re.M | re.S)
_TZID: Final = re.compile(rb"^TZID[^\r\n]*", re.I | re.M)
_EMPTY: Final = b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Pepper//Pepper//EN\r\nEND:VCALENDAR\r\n"


@dataclass(frozen=True, slots=True)
class CalendarFile:
    """A file that an event may be added to. ``path`` is its real path; it may not exist yet."""

    name: str
    path: Path


def choose(calendars: Sequence[Path], wanted: str, new_name: str) -> CalendarFile:
    """Return the calendar that ``wanted`` names: by file name with or without suffix, or by folder name.

    Without a name it is the first one. In a folder of one-event files, the event gets a file of its own, ``new_name``.
    Raises ``ToolError`` if there is no match, or more than one. Blocking.
    """
    if not calendars:
        raise ToolError("no calendar is configured; set calendar.paths")
    named: dict[str, list[Path]] = {}
    for configured in calendars:
        for path in [configured, *_inside(configured)]:
            named.setdefault(path.stem.casefold() if path.suffix == SUFFIX else path.name.casefold(), []).append(path)
    key = wanted.strip().casefold().removesuffix(SUFFIX)
    found = list(dict.fromkeys(named.get(key, []))) if key else [calendars[0]]
    if len(found) != 1:
        why = "is the name of several calendars" if found else "is not one of your calendars"
        names = ", ".join(one_line(name, 40) for name in sorted(named)[:20])
        raise ToolError(f"{one_line(wanted, 60)!r} {why}; there are: {names}")
    path = found[0]
    if path.is_dir():
        return CalendarFile(path.name, allowed(calendars, path.resolve() / new_name))
    return CalendarFile(path.stem, allowed(calendars, path.resolve()))


def allowed(calendars: Sequence[Path], path: Path) -> Path:
    """Return ``path``, a real path, if it is a configured file or in a configured folder. Blocking.

    Raises ``ToolError`` if it is neither.
    """
    _way(calendars, path)
    return path


def _way(calendars: Sequence[Path], path: Path) -> tuple[Path, tuple[str, ...]]:
    """Return the configured folder around ``path``, or around the configured file, and the folders from there."""
    for configured in calendars:
        real = configured.resolve()
        if path == real and not real.is_dir():
            return real.parent, ()
        if real.is_dir() and path.suffix == SUFFIX and path.resolve() == path and path.is_relative_to(real):
            return real, path.relative_to(real).parts[:-1]
    raise ToolError(f"{one_line(str(path), 200)} is not in calendar.paths")


def _inside(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    files = sorted(folder.glob(f"**/*{SUFFIX}"))[:MAX_FILES]
    return [*files, *sorted({file.parent for file in files} - {folder})]


def read(calendars: Sequence[Path], path: Path) -> bytes:
    """Return the bytes of the file, empty if there is none. Blocking. Raises ``ToolError``."""
    try:
        with opened(*_way(calendars, path), os.O_DIRECTORY) as folder:
            return _content(folder, path)
    except OSError as error:
        raise ToolError(f"{path} can't be read: {error.strerror}") from error


class CalendarFiles:
    """Calendars in files: see ``domains.calendar.writer.Calendars``. A place is a file's path."""

    keeps_others = True

    def __init__(self, paths: Sequence[Path], looks: Looks) -> None:
        """Set up the calendars: ``paths`` are .ics files, and folders of them."""
        self._paths, self._looks = paths, looks

    async def names(self) -> list[str]:
        return [path.stem if path.suffix == SUFFIX else path.name for path in self._paths]

    def owns(self, place: str) -> bool:
        return Path(place).is_absolute()

    async def place(self, wanted: str, uid: str) -> str:
        among = ", ".join(map(str, self._paths))
        return str((await self._looks.look(among, choose, self._paths, wanted, f"{uid}{SUFFIX}")).path)

    async def look(self, place: str, event: bytes) -> Found:
        source = await self._read(place)
        await asyncio.to_thread(with_event, source, event)
        return Found(digest(source), not source)

    async def holds(self, place: str, uid: str) -> bool:
        return await asyncio.to_thread(holds, await self._read(place), uid)

    async def add(self, place: str, uid: str, event: bytes, version: str) -> str:
        return await asyncio.to_thread(self._add, Path(place), uid, event, version)

    async def held(self, calendar: str, uid: str, kind: str = AN_EVENT) -> Held | None:
        place = await self._looks.look(calendar, self._named, calendar)
        if place is None:
            return None
        source = await self._read(str(place))
        text = await asyncio.to_thread(of_uid, source, uid, kind.encode())
        return Held(str(place), uid, _mark(text), text, kind) if text else None

    async def rewrite(self, held: Held, text: str) -> str:
        return await asyncio.to_thread(self._rewrite, Path(held.place), held, text)

    async def stands(self, held: Held, text: str) -> bool:
        return await asyncio.to_thread(_is_so, await self._read(held.place), held, text)

    def _named(self, calendar: str) -> Path | None:
        """Return the one file whose events the agenda shows as those of ``calendar``. Blocking."""
        files = [file for path in self._paths for file in ([path] if path.is_file() else path.glob("**/*.ics"))]
        found = {file.resolve() for file in files if file.stem == calendar}
        return found.pop() if len(found) == 1 else None

    def _rewrite(self, path: Path, held: Held, text: str) -> str:
        try:
            source = read(self._paths, path)
            if _is_so(source, held, text):
                return f"It is so in {path.name} already."
            kind = held.kind.encode()
            if _mark(of_uid(source, held.at, kind)) != held.version:
                what = "to-do" if held.kind == A_TODO else "event"
                raise OutdatedError(f"the {what} in {path} has changed since the card was opened; ask for it again.")
            result = with_events(source, held.at, text, kind)
        except NotDoneError:
            raise
        except ToolError as error:
            raise NotDoneError(f"{error}.") from error
        replace(self._paths, path, digest(source), result)
        return f"{'Changed' if text else 'Removed'} in {path.name}."

    def title(self, place: str) -> str:
        return Path(place).name

    def calendar(self, place: str) -> str:
        return Path(place).stem

    async def _read(self, place: str) -> bytes:
        return await self._looks.look(place, read, self._paths, Path(place))

    def _add(self, path: Path, uid: str, event: bytes, version: str) -> str:
        try:
            source = read(self._paths, path)
            if holds(source, uid):
                return f"It is in {path.name} already."
            if digest(source) != version:
                raise OutdatedError(f"{path} has changed since the card was opened; ask for it again.")
            result = with_event(source, event)
        except NotDoneError:
            raise
        except ToolError as error:
            raise NotDoneError(f"{error}.") from error
        replace(self._paths, path, version, result)
        return f"Added to {path.name}."


def _content(folder: int, path: Path) -> bytes:
    """Return the bytes of the file in the open ``folder``."""
    try:
        with open_plain(path.name, flags=os.O_NOFOLLOW, folder=folder) as file:
            source = file.read(MAX_FILE + 1)
    except FileNotFoundError:
        return b""
    if len(source) > MAX_FILE:
        raise ToolError(f"{path} is larger than {MAX_FILE} bytes")
    return source


def digest(source: bytes) -> str:
    return hashlib.sha256(source).hexdigest()


def _mark(text: str) -> str:
    """Return the mark of what a calendar holds of one UID; other events of its file don't change it."""
    return digest(text.encode("utf-8", "surrogateescape"))


def holds(source: bytes, uid: str) -> bool:
    """Check whether an event with this UID exists. Raises ``ToolError`` if the file can't be read."""
    return bool(source) and any(uid == each for each, _ in _events(source))


def with_event(source: bytes, event: bytes) -> bytes:
    """Return ``source`` (empty: a new calendar) with ``event``, a whole VEVENT with CRLF, added.

    Raises ``ToolError`` if the result would not be the old events plus the new one.
    """
    base = source or _EMPTY
    ends = list(_END.finditer(base))
    if not ends:
        raise ToolError("the calendar has no end; is it being written?")
    at = ends[-1].start()
    newline = b"\r\n" if base[:at].endswith(b"\r\n") else b"\n"
    added = event.replace(b"\r\n", newline)
    result = base[:at] + added + base[at:]
    before, after = Counter(_events(base)), Counter(_events(result))
    if not before <= after or after - before != Counter(_events(_wrapped(event))):
        raise ToolError("the event can't be added to that calendar without damage to its content")
    return result


def of_uid(source: bytes, uid: str, kind: bytes = EVENT) -> str:
    """Return a calendar of the events of ``source`` with this UID, and their time zones; empty if there are none.

    ``kind``: or the to-dos. Raises ``ToolError`` if the file can't be read.
    """
    if not source or all(uid != each for each, _ in _events(source, kind)):
        return ""
    return calendar_of([each for each in pieces(source, kind) if each.uid == uid])


def with_events(source: bytes, uid: str, text: str, kind: bytes = EVENT) -> bytes:
    """Return ``source`` with the events of ``text`` in place of those with this UID; all other bytes stay.

    Raises ``ToolError`` if the result would not be the other events and these.
    """
    others = Counter(each for each in _events(source, kind) if each[0] != uid)  # first: it refuses what has no end
    whole = _WHOLE[kind]
    spans = [found.span() for found in whole.finditer(source) if _is_of(found[0], uid, kind)]
    fresh = text.encode("utf-8", "surrogateescape")
    newline = b"\r\n" if b"\r\n" in source else b"\n"
    added = b"".join(found[0].replace(b"\r\n", b"\n") for found in whole.finditer(fresh)).replace(b"\n", newline)
    missing = [
        zone[0].replace(b"\r\n", b"\n").replace(b"\n", newline)
        for zone in _ZONE.finditer(fresh)
        if (named := _TZID.search(zone[0])) and named[0].strip() not in {each.strip() for each in _TZID.findall(source)}
    ]
    kept, at = [], 0
    for number, (start, end) in enumerate(spans):
        kept += [source[at:start], b"".join([*missing, added]) if number == 0 else b""]
        at = end
    result = b"".join([*kept, source[at:]])
    if not spans or Counter(_events(result, kind)) != others + Counter(_events(fresh, kind) if text else []):
        raise ToolError("the event can't be changed in that calendar without damage to its content")
    return result


def _is_so(source: bytes, held: Held, text: str) -> bool:
    """Check whether the events with the UID of ``held`` are those of ``text``; without one, whether there are none."""
    kind = held.kind.encode()
    now = of_uid(source, held.at, kind)
    found, wanted = (
        Counter(_events(each.encode("utf-8", "surrogateescape"), kind) if each else []) for each in (now, text)
    )
    return found == wanted


def _is_of(event: bytes, uid: str, kind: bytes) -> bool:
    found = pieces(_wrapped(event.replace(b"\r\n", b"\n").rstrip() + b"\n"), kind)
    return [each.uid for each in found] == [uid]


def _wrapped(event: bytes) -> bytes:
    return b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n" + event + b"END:VCALENDAR\r\n"


def _events(source: bytes, kind: bytes = EVENT) -> list[tuple[str, bytes]]:
    """Return UID and text of each event (or to-do), with any line endings. Raises ``ToolError``."""
    try:
        found = pieces(source, kind)
    except ValueError as error:
        raise ToolError(f"the calendar can't be read: {one_line(str(error), 160)}") from error
    if any(not each.whole for each in found):
        raise ToolError("the calendar can't be read: an event of it has no end")
    return [(each.uid, each.text.replace(b"\r\n", b"\n").rstrip()) for each in found]


def replace(calendars: Sequence[Path], path: Path, before: str, source: bytes) -> None:
    """Replace the file whose content has the digest ``before`` with ``source``. Blocking.

    Raises ``NotDoneError`` if the file has changed or can't be written; then it stays as it was.
    """
    try:
        with opened(*_way(calendars, path), os.O_DIRECTORY) as folder:
            _replace(folder, path, before, source)
            with contextlib.suppress(OSError):  # done already; without the sync, a power cut may lose it
                os.fsync(folder)
    except NotDoneError:
        raise
    except (OSError, ToolError) as error:
        words = error.strerror if isinstance(error, OSError) else str(error)
        raise NotDoneError(f"{path} can't be written: {words}.") from error


def _replace(folder: int, path: Path, before: str, source: bytes) -> None:
    fresh = f".{path.name}.{digest(source)[:12]}.tmp"
    mode = 0o600
    with contextlib.suppress(FileNotFoundError):
        mode = stat.S_IMODE(os.stat(path.name, dir_fd=folder, follow_symlinks=False).st_mode)
    with contextlib.suppress(FileNotFoundError):
        os.unlink(fresh, dir_fd=folder)  # left by a crash
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        with os.fdopen(os.open(fresh, flags, mode, dir_fd=folder), "wb") as file:
            os.fchmod(file.fileno(), mode)
            file.write(source)
            file.flush()
            os.fsync(file.fileno())
        if digest(_content(folder, path)) != before:  # checked as late as possible
            raise OutdatedError(f"{path} has changed since the card was opened.")
        os.rename(fresh, path.name, src_dir_fd=folder, dst_dir_fd=folder)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(fresh, dir_fd=folder)
        raise
