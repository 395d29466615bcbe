"""The events of one UID in one calendar, made of what the parser said of them.

Once they are made, their text is kept only if a series is followed by it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from typing import Final

from pepper_tui.domains.calendar.alarms.alarm import rings_of
from pepper_tui.domains.calendar.event import INVITED, UNANSWERED, Event
from pepper_tui.domains.calendar.pieces import Piece
from pepper_tui.model import Json
from pepper_tui.text import one_line
from pepper_tui.text.addresses import untagged

_SHARED: Final = ("location", "status", "organizer", "zone")
_MOST: Final = 50_000  # texts that events may share


@dataclass(slots=True, eq=False)
class Part:
    """One event as it is written. ``piece`` is its text, as long as it is needed; ``read``: the parser was asked."""

    digest: bytes
    piece: Piece | None
    read: bool = False
    event: Event | None = None
    rules: str = ""
    periods: float = 0.0  # steps per day to expand it
    repeats: bool = False
    last: float | None = None  # when its last time has begun, at the latest, as far as its rules say
    defect: str = ""
    unread: str | None = None  # the UID of an event that can't be read


@dataclass(slots=True, eq=False)
class Series:
    """The events of one UID in one calendar. ``first``: it was there when its calendar was first looked at.

    ``place`` is the file or calendar that a defect names, ``listed`` each event as written by its id, with its rule.
    """

    calendar: str
    place: str
    first: bool
    parts: Sequence[Part]
    events: Sequence[Event] = ()
    listed: Sequence[tuple[str, Event]] = ()
    repeats: bool = False

    @property
    def waiting(self) -> list[Part]:
        """Those that are not read yet."""
        return [part for part in self.parts if not part.read]

    @property
    def name(self) -> str:
        """The name used when it can't be read."""
        title = next((title for event in self.events if (title := one_line(event.summary, 60))), "(no title)")
        return f"{self.calendar}: {title}"

    @property
    def key(self) -> tuple[str, ...]:
        return (self.calendar, self.events[0].uid)

    @property
    def digest(self) -> tuple[bytes, ...]:
        return tuple(part.digest for part in self.parts if part.event is not None)

    @property
    def pieces(self) -> tuple[Piece, ...]:
        """The texts by which it is followed."""
        return tuple(part.piece for part in self.parts if part.event is not None and part.piece is not None)

    @property
    def often(self) -> float:
        """Estimate how often it comes in a day."""
        return sum(part.periods for part in self.parts)

    def steps(self, end: float) -> float:
        """Estimate the steps to expand its rules up to ``end``; 0 if it does not repeat."""
        if not self.repeats:
            return 0.0
        return sum(
            max(1.0, (end - part.event.start) / 86400 * part.periods)
            for part in self.parts
            if part.event is not None and part.periods
        )

    def is_over(self, when: float) -> bool:
        """Check whether all its times are over by then, as far as its rules say."""
        longest = max((event.end - event.start for event in self.events), default=0.0)
        return all(part.last is not None and part.last + longest < when for part in self.parts)

    def build(self) -> None:
        """Make the events of those parts that can be read."""
        there = [part for part in self.parts if part.event is not None]
        self.events = [part.event for part in there if part.event is not None]
        self.repeats = any(part.repeats for part in there)
        shown = [
            replace(part.event, recurrence=part.rules) if part.rules and not part.event.recurrence else part.event
            for part in there
            if part.event is not None
        ]
        self.listed = tuple((event.key, event) for event in shown)
        if not self.repeats and not self.waiting:
            for part in self.parts:
                part.piece = None


class Maker:
    """Makes events of what the parser said; times without a zone are in ``zone``, the user's.

    ``addresses`` are the user's own, with or without "+tag": an event that one of them declined takes no time.
    """

    def __init__(self, zone: tzinfo, addresses: Iterable[str]) -> None:
        self._zone = zone
        self._addresses = frozenset(untagged(address.lower()) for address in addresses)
        self._texts: dict[str, str] = {}

    def take(self, series: Series, part: Part, said: Json | str) -> None:
        """Take in what the parser said of a part."""
        assert part.piece is not None
        part.read = True
        if isinstance(said, str):
            part.unread = part.piece.uid
            part.defect = _told(series, part, f"{one_line(said, 160)}{'' if part.piece.whole else ' (it has no end)'}")
        elif said["refusal"]:
            part.defect = _told(series, part, said["refusal"])
        elif "unread" in said:
            part.unread, part.defect = said["uid"], _told(series, part, f"can't be read: {said['unread']}")
        else:
            try:
                event = self.event(said["fields"], said["times"], series.calendar)
            except (ValueError, OverflowError) as error:  # years outside the range of datetime
                part.unread, part.defect = said["uid"], _told(series, part, f"can't be read: {type(error).__name__}")
                return
            event.recurrence, event.first = said["recurrence"], series.first
            part.event, part.rules, part.periods, part.repeats = event, said["rules"], said["periods"], said["repeats"]
            part.last = max(said["last"], event.start) if said["last"] is not None else None
            if said["broken"]:
                named = one_line(", ".join(said["broken"]), 60)
                part.defect = _told(series, part, f"its {named} can't be read, so what is known of it is incomplete")

    def event(self, fields: Json, times: tuple[float | str, float | str], calendar: str) -> Event:
        """Return one event, or one occurrence. Raises ``ValueError`` or ``OverflowError`` for times beyond any date."""
        start, end = map(self._seconds, times)
        if end <= start and all(isinstance(each, str) for each in times):  # a clock change skips the start
            walls = [datetime.fromisoformat(str(each)) for each in times]
            end = max(end, start + (walls[1] - walls[0]).total_seconds())
        given = {name: value for name, value in fields.items() if name not in ("answers", "alarms")}
        event = Event(**given, start=start, end=end, calendar=calendar)
        event.alarms = rings_of(fields["alarms"], start, end, self._seconds)
        event.answer = next((answer for who, answer in fields["answers"] if untagged(who) in self._addresses), "")
        if calendar == INVITED:  # whoever was asked by another name is not listed
            event.answer = event.answer or UNANSWERED
        event.busy = event.busy and event.answer != "declined" and (calendar, event.answer) != (INVITED, UNANSWERED)
        for name in _SHARED:
            setattr(event, name, self._shared(getattr(event, name)))
        event.attendees = [self._shared(each) for each in event.attendees]
        event.categories = [self._shared(each) for each in event.categories]
        return event

    def _shared(self, text: str) -> str:
        """Return the same text as an object that others hold, too: of ten years most places and people come again."""
        if len(self._texts) > _MOST:
            self._texts.clear()
        return self._texts.setdefault(text, text)

    def _seconds(self, when: float | str) -> float:
        if isinstance(when, str):
            return datetime.fromisoformat(when).replace(tzinfo=self._zone).timestamp()
        return when


def _told(series: Series, part: Part, words: str) -> str:
    title = one_line(part.piece.title, 60) if part.piece is not None else ""
    return f"{series.place}: {title or '(no title)'}: {words}"


def series_of(
    signs: Sequence[bytes],
    piece: Callable[[int], Piece],
    before: Series | None,
    calendar: str,
    place: str,
    *,
    first: bool = False,
) -> Series:
    """Return the series of events with these digests; what was read of them ``before`` need not be read again."""
    if before is not None and before.first != first:
        before = None
    if before is not None and [part.digest for part in before.parts] == signs:
        return before
    known = {part.digest: part for part in before.parts if part.read} if before is not None else {}
    parts: list[Part] = []
    for number, digest in enumerate(signs):
        part = known.pop(digest, None) or Part(digest, None)
        part.piece = piece(number)
        parts.append(part)
    made = Series(calendar, place, first, parts)
    made.build()
    return made
