"""A calendar file cut into its events, to-dos and time zones, by its lines alone, so that each is then read by itself.

It takes one pass, so linear time, and no library. An event without an end extends to the beginning of the next, and is
marked. ``reading`` parses a piece; here only its UID, its title and the zones that it names are extracted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from itertools import islice
from typing import Final

from pepper_tui.text.charsets import decoded

_LINE: Final = re.compile(
    rb"^(?:(BEGIN|END):(VCALENDAR|VTIMEZONE|VEVENT|VTODO)[ \t]*|X-WR-TIMEZONE(?:;[^:\r\n]*)?:([^\r\n]+))\r?$",
    re.I | re.M,
)
_FOLD: Final = re.compile(rb"\r?\n[ \t]")
_FOLDS: Final = (b"\r\n ", b"\r\n\t", b"\n ", b"\n\t")
_ODD_FOLDS: Final = (b"\r\r", b"\n\r\n ", b"\n\r\n\t", b"\n\n ", b"\n\n\t")  # they would make others
_NESTED: Final = re.compile(rb"^(BEGIN|END):", re.I | re.M)
_ZONE_NAMED: Final = re.compile(rb';TZID=(?:"([^"\r\n]{1,500})"|([^":;,\r\n]{1,500}))', re.I)
_WRAPPED: Final = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{}\r\nEND:VCALENDAR\r\n"
MAX_ZONES: Final = 4  # looked for in one event: those of its start, its end, and its exceptions
EVENT: Final = b"VEVENT"
TODO: Final = b"VTODO"
_REPEATS: Final = re.compile(rb"^(?:RRULE|RDATE)[;:]", re.I | re.M)
WINDOW: Final = 1_000_000  # bytes that are searched at a time
HOME: Final = b"X-WR-TIMEZONE:"
_WITHOUT_ZONE: Final = re.compile(rb"^(?:DTSTART|DUE)(?:;VALUE=DATE-TIME)?:\d{8}T\d{6}(Z?)[ \t]*\r?$", re.I | re.M)


def _property(name: bytes) -> re.Pattern[bytes]:
    return re.compile(rb"^" + name + rb'(?:;(?:"[^"\r\n]*"|[^":\r\n])*)?:([^\r\n]*)', re.I | re.M)


_UID: Final = _property(b"UID")
_PLAIN_UID: Final = b"\nUID:"
_SUMMARY: Final = _property(b"SUMMARY")
_TZID: Final = _property(b"TZID")
_START: Final = _property(b"DTSTART")


@dataclass(frozen=True)
class Piece:
    """One event (or to-do, or time zone) as it is written, and the text of the time zones of its file that it names.

    If its times may be meant in the zone of its calendar, ``zones`` has the line that names that one, too.
    """

    text: bytes
    whole: bool = True
    """It has an end."""
    zones: tuple[bytes, ...] = ()
    kind: bytes = EVENT

    @cached_property
    def digest(self) -> bytes:
        return sha256(b"\0".join((self.text, *self.zones))).digest()

    @property
    def _own_lines(self) -> bytes:
        """Its lines, unfolded, without those of its parts (an alarm has a UID of its own)."""
        text = unfolded(self.text)
        kept, depth, at = [], 0, 0
        for found in _NESTED.finditer(text):
            if found[1].upper() == b"BEGIN":
                depth += 1
                if depth == 2:
                    kept.append(text[at : found.start()])
            elif depth > 1:
                depth -= 1
                if depth == 1:
                    at = found.start()
        return b"".join([*kept, text[at:] if depth < 2 else b""])

    def _first(self, pattern: re.Pattern[bytes]) -> str:
        found = pattern.search(self._own_lines)
        return found[1].decode("utf-8", "replace").strip() if found else ""

    @cached_property
    def uid(self) -> str:
        at, part = self.text.find(_PLAIN_UID), self.text.find(b"\nBEGIN:")
        if at < 0 or -1 < part < at or b"\n " in self.text or b"\n\t" in self.text:
            return self._first(_UID)[:500]
        at += len(_PLAIN_UID)  # as nearly everybody writes it
        return self.text[at : at + 2_500].split(b"\n", 1)[0].decode("utf-8", "replace").strip()[:500]

    @property
    def title(self) -> str:
        return self._first(_SUMMARY)[:500]

    @property
    def repeats(self) -> bool:
        return bool(_REPEATS.search(self._own_lines))

    @property
    def newness(self) -> tuple[bool, str]:
        """Sort key for choosing among too many events: repeating ones, then those that begin last."""
        return self.repeats, self._first(_START)[:15]


def pieces(source: bytes, kind: bytes = EVENT) -> list[Piece]:
    """Return the events of ``source``, or what else ``kind`` names.

    Raises ``ValueError`` if it is not a calendar, or has no end.
    """
    found, ended = _split(source)
    if not ended:
        raise ValueError("it has no end; is it being written?")
    return [piece for piece in found if piece.kind == kind]


def finished(source: bytes) -> tuple[list[Piece], bool]:
    """Return the events and to-dos of ``source``, and whether it has an end: if not, only those that have one.

    Raises ``ValueError`` if it is not a calendar.
    """
    found, ended = _split(source)
    return [piece for piece in found if piece.whole or ended], ended


def _split(source: bytes) -> tuple[list[Piece], bool]:
    source = readable(source)
    parts: list[tuple[int, bytes, bool, bytes]] = []
    zones: dict[tuple[int, bytes], bytes] = {}
    homes: dict[int, bytes] = {}
    calendar, ended = 0, False
    kind, began = b"", 0

    def close(end: int, *, whole: bool) -> None:
        nonlocal kind
        text = source[began:end]
        if kind in (EVENT, TODO):
            parts.append((calendar, text, whole, kind))
        elif kind == b"VTIMEZONE" and whole and (named := _TZID.search(text)):
            zones.setdefault((calendar, named[1].strip()), text)
        kind = b""

    for found in _marks(source):
        if found[3]:
            homes.setdefault(calendar, found[3].strip()[:200])
            continue
        begins, name = found[1].upper() == b"BEGIN", found[2].upper()
        if kind and not begins and name == kind:
            close(found.end(), whole=True)
            continue
        if kind and (begins or name == b"VCALENDAR"):
            close(found.start(), whole=False)
        if name == b"VCALENDAR":
            calendar, ended = calendar + begins, ended or not begins
        elif begins:
            kind, began = name, found.start()
    if kind:
        close(len(source), whole=False)
    if not calendar:
        raise ValueError("it is no calendar")
    return [
        Piece(text, whole, _named(text, zones, number, homes.get(number, b"")), kind)
        for number, text, whole, kind in parts
    ], ended


def _marks(source: bytes) -> Iterator[re.Match[bytes]]:
    """Yield the lines that begin or end something, by many searches: one alone would hold up other threads."""
    at = 0
    while at < len(source):
        end = source.find(b"\n", at + WINDOW) + 1 or len(source)
        yield from _LINE.finditer(source, at, min(end, at + 2 * WINDOW))  # a longer line is none of these
        at = end


def merged_by_uid(found: Iterable[Piece]) -> list[Piece]:
    """Return those of one UID as one piece."""
    groups: dict[str, list[Piece]] = {}
    for each in found:
        groups.setdefault(each.uid, []).append(each)
    return [
        group[0]
        if len(group) == 1
        else Piece(b"\r\n".join(each.text.strip() for each in group), True, tuple(zones_of(group)), group[0].kind)
        for group in groups.values()
    ]


def pieces_of(text: str, kind: bytes = EVENT) -> list[Piece]:
    """Return the events of a calendar that is kept as text, or what else ``kind`` names; see ``pieces``."""
    return pieces(text.encode("utf-8", "surrogateescape"), kind)


def zones_of(held: Iterable[Piece]) -> list[bytes]:
    """Return the texts of the time zones that the events name, each once."""
    return list(dict.fromkeys(zone for each in held for zone in each.zones))


def calendar_of(held: Sequence[Piece]) -> str:
    """Return a calendar of these events, with the time zones that they name."""
    return _WRAPPED.format(inside_of(held).decode("utf-8", "surrogateescape"))


def inside_of(held: Sequence[Piece]) -> bytes:
    """Return what a calendar of these events holds: the time zones that they name, and the events."""
    return b"\r\n".join(part.strip() for part in (*zones_of(held), *(each.text for each in held)))


def readable(source: bytes) -> bytes:
    """Return a calendar as UTF-8, unfolded: some writers fold within a character (RFC 5545, 3.1), some have Latin-1."""
    if source.startswith((b"\xff\xfe", b"\xfe\xff")):
        source = source.decode("utf-16", "replace").encode()
    source = unfolded(source.removeprefix(b"\xef\xbb\xbf"))
    try:
        source.decode("utf-8")
    except UnicodeDecodeError:
        return decoded(source, "", []).encode("utf-8", "replace")
    return source


def unfolded(source: bytes) -> bytes:
    """Return lines without their folds (RFC 5545, 3.1)."""
    if b"\n " not in source and b"\n\t" not in source:
        return source
    if any(odd in source for odd in _ODD_FOLDS):
        return _FOLD.sub(b"", source)
    for fold in _FOLDS:  # as the pattern does, in less time
        source = source.replace(fold, b"")
    return source


def _named(text: bytes, zones: dict[tuple[int, bytes], bytes], calendar: int, home: bytes) -> tuple[bytes, ...]:
    start = _WITHOUT_ZONE.search(text) if home else None
    at_home = start is not None and (not start[1] or _REPEATS.search(text) is not None)
    if not zones and not at_home:
        return ()
    names = dict.fromkeys((quoted or plain).strip() for quoted, plain in _ZONE_NAMED.findall(text))
    if at_home:
        names[home] = None
    found = tuple(islice((zones[calendar, name] for name in names if (calendar, name) in zones), MAX_ZONES))
    return (*found, HOME + home) if at_home else found
