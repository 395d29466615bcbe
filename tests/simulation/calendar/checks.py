"""What must hold of calendars and invitations: after each commit, and at the drain, against what lies there.

An event is announced only as it stands, and nothing that was called off. Each version of an event has one signal. An
invitation asks once an edition, and its card ends with it. A conflict's card ends with the conflict. What Pepper knows
of the account's calendar, and of each invitation, is what there is.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from pepper_tui.domains.calendar.event import UNANSWERED
from pepper_tui.domains.notices.told import UNPAIRED
from pepper_tui.model import Namespace
from tests.simulation.calendar.account import CALENDAR, IDENT
from tests.simulation.calendar.world import CalendarWorld

if TYPE_CHECKING:
    from tests.simulation.invariants import Row, Watch

RAW: Final = "raw.calendar"
SIGNALS: Final = "signals.calendar"
INVITED: Final = "invitations"
FEED: Final = f"feed.{IDENT}"
NO_LONGER: Final = "it no longer waits for your answer"
JUST: Final = 2.0
"""Seconds in which what was just stored may not be seen yet."""


class CalendarChecks:
    """The checks on the calendars of a world that has some."""

    def __init__(self, watch: Watch, world: CalendarWorld) -> None:
        self._watch, self._world = watch, world
        self._closed: set[str] = set()  # cards that were closed once
        self._known_at: dict[str, float] = {}

    def _of(self, namespace: str) -> list[Row]:
        return [row for (space, _), row in self._watch.rows.items() if space == namespace and not row.deleted]

    # ------------------------------------------------------------------------------------------- after each commit

    def on_row(self, row: Row, before: Row | None) -> None:
        if not self._world.on:
            return
        if row.namespace == Namespace.NOTIFICATION and "open" not in row.tags:
            self._closed.add(row.id)
        if row.namespace != RAW:
            return
        if row.id.startswith("soon_"):
            self._announced(row)
        elif before is not None and self._told(row) == self._told(before) and row.tags == before.tags:
            self._watch.wrong(f"{row.id} is seen again as it was")

    def may_end(self, card: Row, why: str) -> bool:
        """Whether a card may have ended by itself for this reason: its conflict, or its invitation, is no more."""
        raw = self._raw_of(card)
        if raw is None:
            return False
        if raw.id.startswith("conflict_"):
            return bool(raw.data["gone"] and why.endswith(str(raw.data["why"])))
        return self._is_settled(raw) and why.endswith(NO_LONGER)

    def _raw_of(self, card: Row) -> Row | None:
        """The event or the conflict that a card tells of."""
        source = str(card.data["source"]).removeprefix(f"{SIGNALS}:signal_")
        return self._watch.rows.get((RAW, source.rpartition("_")[0]))

    @staticmethod
    def _is_settled(raw: Row) -> bool:
        """Whether an event does not wait for the user's answer."""
        return bool(raw.data["gone"] or raw.data["status"] == "CANCELLED" or raw.data["answer"] != UNANSWERED)

    @staticmethod
    def _told(row: Row) -> dict[str, Any]:
        return {name: value for name, value in row.data.items() if name not in ("backlog", "first")}

    def _announced(self, soon: Row) -> None:
        """What begins soon is as Pepper knows it, and takes place."""
        data = soon.data
        there = [row for row in self._of(RAW) if row.data.get("uid") == data["uid"] and row.id.startswith("event_")
                 and row.data["calendar"] == data["calendar"]]  # fmt: skip
        for row in there:
            if self._watch.elapsed() - self._watch.stored_at[row.seq] < JUST:
                continue
            off = row.data["gone"] or row.data["status"] == "CANCELLED" or row.data["answer"] == "declined"
            if off:
                self._watch.wrong(f"{data['summary']} is announced, and it is off")
            elif row.data["start"] != data["start"]:
                self._watch.wrong(f"{data['summary']} is announced for {data['start']}, not {row.data['start']}")
            elif (row.data["calendar"], row.data["answer"]) == (INVITED, UNANSWERED):
                self._watch.wrong(f"{data['summary']} is announced, and the user has not said whether they come")

    # ------------------------------------------------------------------------------------------- before the drain

    def unfinished(self) -> list[str]:
        """What is still to be seen."""
        if not self._world.on:
            return []
        found = [*self._invitations()]
        if self._world.dates is not None:
            told = {(row.data["uid"], row.data["start"], row.data["summary"]) for row in self._events()
                    if row.data["calendar"] == CALENDAR}  # fmt: skip
            there = {(uid, start, title) for uid, (start, title) in self._world.dates.lying().items()}
            found += [f"event {each}" for each in sorted(told ^ there)]
            row = self._watch.rows.get((Namespace.HEALTH, FEED))
            if row is None or row.data["state"] != "ok":
                found.append(f"the health of the calendar is {row.data if row else 'not told'}")
        return found

    def _events(self) -> list[Row]:
        rows = [row for row in self._of(RAW) if row.id.startswith("event_")]
        return [row for row in rows if not row.data["gone"] and row.data["status"] != "CANCELLED"]

    def _invitations(self) -> list[str]:
        known = {row.data["uid"]: row.data for row in self._of("calendar.invitation")}
        found = []
        for uid, asked in self._world.asked.items():
            one = known.get(uid)
            if one is None or (one["sequence"], one["cancelled"]) != (asked.sequence, asked.cancelled):
                found.append(f"the invitation {uid} is known as {one}; it is {asked}")
        return found

    # ------------------------------------------------------------------------------------------- at the drain

    def at_drain(self) -> None:
        if not self._world.on:
            return
        for words in [*self.unfinished(), *self._signals(), *self._cards(), *self._agenda(), *self._google()]:
            self._watch.wrong(words)

    def _signals(self) -> list[str]:
        """Each version has one signal; an invitation is told as one once."""
        found = []
        signals = {row.id: row for row in self._of(SIGNALS)}
        for row in self._watch.by_seq.values():
            if row.namespace != RAW or self._watch.elapsed() - self._watch.stored_at[row.seq] < JUST:
                continue
            named = f"signal_{row.id}" + ("" if row.id.startswith("soon_") else f"_{row.version}")
            due = not (row.id.startswith("conflict_") and row.data["gone"])
            if (named in signals) is not due:
                found.append(f"{named} is {'not ' if due else ''}there")
        loud = Counter(row.data["metadata"].get("uid") for row in signals.values()
                       if row.data["content"].startswith("Invitation: ") and row.data["priority"] != "log")  # fmt: skip
        found += [f"the invitation {uid} was told {count} times" for uid, count in loud.items() if count > 1]
        return found

    def _cards(self) -> list[str]:
        """No card is open about what is off, over, answered, or no conflict; unless the user took it back."""
        found = []
        for card in self._of(Namespace.NOTIFICATION):
            if "open" not in card.tags or card.id in self._closed or card.data["kind"] in UNPAIRED:
                continue
            raw = self._raw_of(card)
            if raw is None or self._watch.elapsed() - self._watch.stored_at[raw.seq] < JUST:
                continue
            if raw.id.startswith("conflict_") and raw.data["gone"]:
                found.append(f"{card.data['title']!r} is open, and {raw.data.get('why')}")
            elif raw.id.startswith("event_") and card.data["kind"] == "question":
                if self._is_settled(raw):
                    found.append(f"{card.data['title']!r} asks, and it is off or answered")
                elif max(raw.data["end"], card.data["expires_at"] or 0.0) + JUST < self._watch.now():
                    found.append(f"{card.data['title']!r} asks, and it is over")
        return found

    def _agenda(self) -> list[str]:
        """Conflicts are those of events that there are."""
        there = {(row.data["calendar"], row.data["uid"]): row.data for row in self._events()}
        found = []
        for row in self._of(RAW):
            if not row.id.startswith("conflict_") or row.data["gone"]:
                continue
            sides = [there.get((side["calendar"], side["uid"])) for side in row.data["events"]]
            if None in sides:
                found.append(f"the conflict {row.id} is of what is not there")
        return found

    def _google(self) -> list[str]:
        if self._world.dates is None:
            return []
        told = [f"Google has told guests: {each}" for each in self._world.dates.book.invitations]
        return told + [f"Google would not know this: {each}" for each in self._world.dates.service.violations]
