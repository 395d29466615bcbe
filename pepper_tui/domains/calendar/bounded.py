"""The caller's side of reading calendars: each event, time zone and series is an item for a parser process.

That process is not the one for mails, so that neither waits for the other. Blocking: call it in a thread.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, Final

from pepper_tui.boundary.process import NotRead, ParserProcess
from pepper_tui.domains.calendar.pieces import Piece, zones_of
from pepper_tui.model import Json

PROCESS: Final = ParserProcess("pepper_tui.domains.calendar.reading")
MAX_ZONE: Final = 20_000  # bytes of a time zone; a longer one is not used


class CalendarParser:
    """Reads pieces, and remembers which time zones can be used."""

    def __init__(self, process: ParserProcess = PROCESS) -> None:
        self._process = process
        self._zones: dict[bytes, bool] = {}

    def events(self, pieces: Sequence[Piece], until: float, kind: str = "event") -> dict[bytes, Json | str]:
        """Return what each piece, of one ``kind``, says, by its digest, or why it can't be read.

        Pieces that are not reached by ``until``, because others have ended the process, are missing.
        """
        usable = self._usable(pieces, until)
        found: dict[bytes, Json | str] = {}
        for zones, group in _by_zones(each for each in pieces if all(zone in usable for zone in each.zones)):
            good = [zone for zone in zones if usable[zone]]
            options = {"zones": [zone.decode("latin-1") for zone in good]}
            answers = self._process.parse(kind, [each.text for each in group], until=until, **options)
            for piece, answer in zip(group, answers, strict=False):  # fewer if the time is up
                found[piece.digest] = _words(answer)
                if isinstance(answer, dict) and len(good) < len(zones):
                    answer.setdefault("broken", []).append("time zone")
            if len(answers) < len(group):
                break
        return found

    def series(
        self, sources: Sequence[tuple[Piece, ...]], start: float, end: float, limit: int, until: float
    ) -> list[Json | str]:
        """Return the occurrences of each of ``sources``, the pieces of one UID, or why they can't be told.

        Only those that are reached by ``until``.
        """
        found: list[Json | str] = []
        for pieces in sources:
            if time.monotonic() > until:
                break
            zones = dict.fromkeys(zone for each in pieces for zone in each.zones if self._zones.get(zone))
            options = {"zones": [zone.decode("latin-1") for zone in zones], "start": start, "end": end, "limit": limit}
            text = b"\r\n".join(each.text for each in pieces)
            found += map(_words, self._process.parse("series", [text], until=until, **options))
        return found

    def _usable(self, pieces: Sequence[Piece], until: float) -> dict[bytes, bool]:
        """Return the time zones that ``pieces`` name, and whether each can be used."""
        wanted = zones_of(pieces)
        strange = [zone for zone in wanted if zone not in self._zones]
        small = [zone for zone in strange if len(zone) <= MAX_ZONE]
        self._zones |= {zone: False for zone in strange if len(zone) > MAX_ZONE}
        answers = self._process.parse("zone", small, until=until) if small else []
        self._zones |= {zone: answer is True for zone, answer in zip(small, answers, strict=False)}
        return {zone: self._zones[zone] for zone in wanted if zone in self._zones}


def _by_zones(pieces: Iterable[Piece]) -> list[tuple[tuple[bytes, ...], list[Piece]]]:
    groups: dict[tuple[bytes, ...], list[Piece]] = defaultdict(list)
    for piece in pieces:
        groups[piece.zones].append(piece)
    return list(groups.items())


def _words(answer: Any) -> Json | str:
    """Return the answer, or why there is none."""
    if isinstance(answer, NotRead):
        return f"not read: {answer.why}"
    return f"can't be read: {answer['failed']}" if "failed" in answer else answer
