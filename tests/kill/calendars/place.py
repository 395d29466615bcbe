"""A place where events lie, whichever program it is, and what was done there."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal, Protocol
from zoneinfo import ZoneInfo

ZONE: Final = ZoneInfo("Europe/Berlin")
ADDRESS: Final = "me@example.org"
LASTS: Final = 1800  # seconds
_BEGIN: Final = (int(time.time()) // 86400 + 2) * 86400
_APART: Final = 37 * 60  # seconds between two moments: what begins then does not overlap
_EVENT: Final = re.compile(r"^BEGIN:VEVENT\n.*?^END:VEVENT\n", re.M | re.S)

Kind = Literal["put", "move", "drop"]


@dataclass(frozen=True)
class At:
    """An event as it lies: when it begins (POSIX seconds), and the user's own answer in small letters."""

    start: float
    title: str
    answer: str = ""


@dataclass(frozen=True)
class Deed:
    """What was done to the event ``uid``, by Pepper or by another; ``start`` is when it begins from then on."""

    ours: bool
    kind: Kind
    uid: str
    start: float = 0.0


class Place(Protocol):
    """``calendar`` is what Pepper calls it, ``wanted`` how the user names it, ``feed`` the part that tells its health.

    ``history``: what was done there, oldest first; None where that is not known. ``config``: its ``[[account]]``.
    """

    calendar: str
    wanted: str
    feed: str
    config: str
    history: list[Deed] | None

    def begin(self) -> None: ...

    def sign_in(self, home: Path) -> None: ...

    def end(self) -> None: ...

    def put(self, title: str, start: float) -> str:
        """Let another program add an event; return its UID."""
        ...

    def move(self, uid: str, start: float) -> bool:
        """Let another program move it; false if it is not there any more."""
        ...

    def drop(self, uid: str) -> bool:
        """Let another program remove it; false if it is not there any more."""
        ...

    def lying(self) -> dict[str, At]:
        """The events that lie there, by UID."""
        ...

    def disturb(self, chance: random.Random, kill: Callable[[], None]) -> None:
        """Let something go wrong on the way to it, or ``kill`` in the midst of a request."""
        ...

    def calm(self) -> None: ...

    def problems(self) -> list[str]: ...


def moment(number: int) -> float:
    """A time that no other number has."""
    return float(_BEGIN + number * _APART)


def in_words(start: float) -> str:
    return datetime.fromtimestamp(start, ZONE).strftime("%Y-%m-%d %H:%M")


def event(uid: str, title: str, start: float, stamp: int = 0) -> str:
    """A VEVENT."""
    begins, ends = (datetime.fromtimestamp(each, UTC).strftime("%Y%m%dT%H%M%SZ") for each in (start, start + LASTS))
    lines = ["BEGIN:VEVENT", f"UID:{uid}", f"DTSTAMP:2026010{stamp % 9 + 1}T000000Z", f"DTSTART:{begins}",
             f"DTEND:{ends}", f"SUMMARY:{title}", "END:VEVENT", ""]  # fmt: skip
    return "\r\n".join(lines)


def calendar(*events: str) -> str:
    return "".join(["BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//EN\r\n", *events, "END:VCALENDAR\r\n"])


def lines_of(text: str) -> str:
    """Without the folds and the ends of lines of its file."""
    return text.replace("\r\n", "\n").replace("\n ", "").replace("\n\t", "")


def events_in(text: str) -> list[tuple[str, At]]:
    """UIDs and events of a calendar's text."""
    return [read(found[0]) for found in _EVENT.finditer(lines_of(text))]


def read(lines: str) -> tuple[str, At]:
    fields = dict(re.findall(r"^([A-Z-]+)[^:\n]*:(.*)$", lines, re.M))
    answer = re.search(rf"^ATTENDEE[^:\n]*PARTSTAT=([A-Z-]+)[^:\n]*:mailto:{re.escape(ADDRESS)}$", lines, re.M | re.I)
    start = datetime.strptime(fields["DTSTART"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()
    return fields["UID"], At(start, fields["SUMMARY"], answer[1].lower() if answer else "")
