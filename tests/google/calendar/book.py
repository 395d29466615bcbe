"""The calendars of one account, and what a test does to them.

- Each change of an event gives it a new etag, and a version, by which a sync token knows what is new.
- What is deleted stays, cancelled: it can be got, its id stays taken, and a second deletion is 410.
- An instance of a series that was changed or cancelled by itself is an event with an id of its own, beside the series.
- Who is invited is told in ``invitations`` only for ``sendUpdates`` of ``all`` or ``externalOnly``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tests.google.calendar import series
from tests.google.calendar.series import Event
from tests.google.errors import Refused, not_found

OWN_ID = re.compile(r"[a-v0-9]{5,1024}")
FOR_A_SERIES = ("recurringEventId", "originalStartTime")


@dataclass(frozen=True)
class Invitation:
    """A mail of Google's to a guest: an invitation, a change, or that it is off."""

    kind: str
    event: str
    guests: tuple[str, ...]


@dataclass
class Calendar:
    id: str
    summary: str
    zone: str
    role: str
    now: Callable[[], float]
    primary: bool = False
    selected: bool = True
    hidden: bool = False
    events: dict[str, Event] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)
    version: int = 1
    oldest: int = 0
    """Sync tokens from before this version are 410."""
    invitations: list[Invitation] = field(default_factory=list)
    most_guests: int = 200
    """Of an event with more guests, one's own entry is told alone (``attendeesOmitted``)."""

    # what a test does

    def put(self, summary: str, start: str, end: str, ident: str | None = None, **more: Any) -> str:
        """An event, as by another of the user's clients: days, or times in the calendar's zone; its id."""
        begins, ends = (
            {"dateTime": text, "timeZone": self.zone} if "T" in text else {"date": text} for text in (start, end)
        )
        body = {"summary": summary, "start": begins, "end": ends, **more}
        return str(self.insert({**body, **({"id": ident} if ident else {})})["id"])

    def change(self, ident: str, **fields: Any) -> None:
        self.patch(ident, fields)

    def expire_sync_tokens(self) -> None:
        self.version += 1
        self.oldest = self.version

    # what the commands do

    def event(self, ident: str) -> Event:
        """An event; also an instance that nobody has touched yet."""
        if ident in self.events:
            return self.events[ident]
        head, _, tail = ident.rpartition("_")
        if head in self.events and self.events[head].get("recurrence"):
            until = datetime.strptime(tail[:8], "%Y%m%d").replace(tzinfo=UTC) + 3 * series.DAY
            for made in series.instances(self.events[head], self.zone, until):
                if made["id"] == ident:
                    return made
        raise not_found()

    def insert(self, body: Mapping[str, Any]) -> Event:
        ident = body.get("id") or f"pepper{len(self.events):020d}"
        if not OWN_ID.fullmatch(ident):
            raise series.bad("Invalid resource id value.")
        if ident in self.events:
            raise Refused(409, "duplicate", "The requested identifier already exists.")
        given = {name: value for name, value in body.items() if name not in ("id", "etag", "kind")}
        return self._kept(ident, {"status": "confirmed", "iCalUID": f"{ident}@google.com", **given}, made=True)

    def patch(self, ident: str, fields: Mapping[str, Any]) -> Event:
        """Fields take the place of what was: whole, if they are lists; a null takes one away.

        With ``attendeesOmitted`` the guests that are not given stay.
        """
        old, fields = self.event(ident), dict(fields)
        if fields.pop("attendeesOmitted", False):
            given = {each["email"]: each for each in fields["attendees"]}
            fields["attendees"] = [given.get(each["email"], each) for each in old["attendees"]]
        return self._kept(ident, _merged(old, fields))

    def told(self, event: Event) -> Event:
        """What is told of an event."""
        if len(event.get("attendees", ())) <= self.most_guests:
            return event
        mine = [each for each in event["attendees"] if each.get("self")]
        return {**event, "attendees": mine, "attendeesOmitted": True}

    def replace(self, ident: str, body: Mapping[str, Any]) -> Event:
        old = self.event(ident)
        fixed = {name: old[name] for name in ("iCalUID", *FOR_A_SERIES) if name in old}
        return self._kept(ident, {"status": "confirmed", **body, **fixed})

    def cancel(self, ident: str) -> Event:
        if self.event(ident)["status"] == "cancelled":
            raise Refused(410, "deleted", "Resource has been deleted")
        for each in [each for each in self.events.values() if each.get("recurringEventId") == ident]:
            del self.events[each["id"]]
        return self._kept(ident, {**self.event(ident), "status": "cancelled"})

    def invite(self, kind: str, event: Event, updates: str | None) -> None:
        guests = [guest["email"] for guest in event.get("attendees", []) if not guest.get("self")]
        if updates == "externalOnly":
            guests = [guest for guest in guests if not guest.endswith("@gmail.com")]
        if guests and updates in ("all", "externalOnly"):
            self.invitations.append(Invitation(kind, event["id"], tuple(guests)))

    def _kept(self, ident: str, event: Event, made: bool = False) -> Event:
        if event["status"] not in ("confirmed", "tentative", "cancelled"):
            raise series.bad("Invalid value for: status")
        series.check(event, self.zone)
        self.version += 1
        stamp = datetime.fromtimestamp(self.now(), UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        old = {} if made else self.event(ident)
        whose = {"email": self.id, "self": True}
        self.events[ident] = {
            "creator": whose,
            "organizer": whose,
            "eventType": "default",
            **event,
            "kind": "calendar#event",
            "id": ident,
            "etag": f'"{int(self.now() * 1000) * 2000 + self.version}"',
            "created": old.get("created", stamp),
            "updated": stamp,
            "sequence": old.get("sequence", -1) + 1,
            "htmlLink": f"https://www.google.com/calendar/event?eid={ident}",
        }
        self.versions[ident] = self.version
        return self.events[ident]


@dataclass
class Book:
    """``calendars`` by their ids; the first is the account's own, also called ``primary``."""

    address: str
    now: Callable[[], float]
    zone: str = "Europe/Berlin"
    calendars: dict[str, Calendar] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.calendars[self.address] = Calendar(self.address, self.address, self.zone, "owner", self.now, primary=True)

    def add(self, ident: str, summary: str, role: str = "reader") -> Calendar:
        self.calendars[ident] = Calendar(ident, summary, self.zone, role, self.now)
        return self.calendars[ident]

    def calendar(self, ident: str, *, writes: bool = False) -> Calendar:
        found = self.calendars.get(self.address if ident == "primary" else ident)
        if found is None:
            raise not_found()
        if writes and found.role not in ("owner", "writer"):
            raise Refused(403, "requiredAccessLevel", "You need to have writer access to this calendar.")
        return found


def _merged(old: Mapping[str, Any], new: Mapping[str, Any]) -> Event:
    """A patch, as JSON merges one; of a start or an end, a day takes the place of a time and the other way round."""
    merged = dict(old)
    for name, value in new.items():
        if value is None:
            merged.pop(name, None)
        elif isinstance(value, dict) and isinstance(merged.get(name), dict):
            merged[name] = _merged(merged[name], value)
            for given, other in (("date", "dateTime"), ("dateTime", "date")):
                if value.get(given) and other not in value:
                    merged[name].pop(other, None)
        else:
            merged[name] = value
    return merged
