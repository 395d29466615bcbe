"""What the calendar part of a mail says. The events are parsed in the parser process of calendars."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from pepper_tui.domains.calendar.alarms.alarm import without_any
from pepper_tui.domains.calendar.bounded import CalendarParser
from pepper_tui.domains.calendar.pieces import Piece, pieces
from pepper_tui.domains.mail.invitation_part import method_of
from pepper_tui.model import Json

MOST: Final = 50
"""Events of one UID in a message: a series and its changed times."""


@dataclass(frozen=True, slots=True)
class Message:
    """The events of one UID in a mail. ``said`` is what the parser found in each piece: see ``reading.event``."""

    method: str
    pieces: tuple[Piece, ...]
    said: tuple[Json, ...]

    @property
    def uid(self) -> str:
        return str(self.said[0]["uid"])

    @property
    def main(self) -> Json:
        """The event itself; if only changed times came, the first of them."""
        return next((one for one in self.said if not one["recurrence"]), self.said[0])

    @property
    def fields(self) -> Json:
        """The fields of ``main``."""
        found: Json = self.main["fields"]
        return found

    @property
    def edition(self) -> tuple[int, float]:
        """Its SEQUENCE and DTSTAMP: a later edition is greater (RFC 5546, section 2.1.5)."""
        number, stamp = max(tuple(one["edition"]) for one in self.said)
        return int(number), float(stamp)

    @property
    def is_whole(self) -> bool:
        """Whether it is about all of the event, not about single times of a series."""
        return any(not one["recurrence"] for one in self.said)

    @property
    def organizer(self) -> str:
        return str(self.fields["organizer"])


def messages(text: str, parser: CalendarParser, until: float) -> list[Message]:
    """Return what the calendar part ``text`` says, by UID. Blocking. Raises ``ValueError`` in words."""
    source = text.encode("utf-8", "surrogateescape")
    # when the user hears of an event is not for its sender to say, nor to go into the user's calendar with a yes
    found = [replace(each, text=without_any(each.text)) for each in pieces(source)]
    if not found:
        raise ValueError("it holds no event")
    if len(found) > MOST:
        raise ValueError(f"it holds {len(found)} events")
    said = parser.events(found, until)
    by_uid: dict[str, list[tuple[Piece, Json]]] = {}
    for piece in found:
        one = said.get(piece.digest, "it takes too long")
        if isinstance(one, str):
            raise ValueError(one)
        if "unread" in one or one["refusal"]:
            raise ValueError(str(one.get("refusal") or "its times can't be read"))
        if not one["uid"]:
            raise ValueError("it has no UID")
        by_uid.setdefault(one["uid"], []).append((piece, one))
    return [
        Message(method_of(source), tuple(piece for piece, _ in each), tuple(one for _, one in each))
        for each in by_uid.values()
    ]
