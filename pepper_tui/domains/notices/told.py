"""A memory of announcements by source, matter and state, so that nothing is told twice.

An announcement in a unit of work counts for that unit immediately, and for everybody else from its commit on: a unit
may fail, and what was suppressed because of it would be told by nobody.
"""

from __future__ import annotations

import hashlib
from typing import Final

from pepper_tui.model import QUESTION, Json, Namespace, Notification
from pepper_tui.store import current_unit

SAME_WINDOW: Final = 7 * 86_400.0  # seconds in which an equal item of a matter is not announced again
REMEMBERED: Final = 50_000  # announcements among which a repetition is noticed
UNPAIRED: Final = frozenset({"reminder", "offer"})  # each firing speaks for itself
_SIGNALS: Final = f"{Namespace.SIGNALS}."
_CLOCK: Final = f"{_SIGNALS}clock:"

_Key = tuple[str, ...]


class Told:
    def __init__(self) -> None:
        self._known: dict[_Key, tuple[str, float, str]] = {}  # id, time and signature of the item that told it
        self._uncommitted: set[tuple[_Key, str]] = set()

    def announce(self, item: Notification) -> None:
        """Remember an item that is being stored, in the caller's unit if there is one."""
        if (key := _key(item)) and current_unit() is not None:
            self._uncommitted.add((key, item.id))
        self.note(item)

    def committed(self, item: Notification) -> None:
        """Count the item for everybody from now on, as it is: two units may have told different things under one id."""
        if key := _key(item):
            self._uncommitted.discard((key, item.id))

    def note(self, item: Notification) -> None:
        """Remember ``item``: of a state the newest, of anything else the first."""
        key = _key(item)
        if key is None or (item.matter_kind != "state" and self._teller(key)):
            return
        self._known.pop(key, None)
        self._known[key] = item.id, item.created_at, signature(item)
        while len(self._known) > REMEMBERED:
            del self._known[next(iter(self._known))]

    def forget(self, item: Notification) -> None:
        """Remember ``item`` no more."""
        key = _key(item)
        if key is not None and self._known.get(key, ("",))[0] == item.id:
            del self._known[key]

    def before(self, item: Notification) -> bool:
        """Check whether another item has told the same recently."""
        key = _key(item)
        teller = self._teller(key) if key else None
        if key is None or teller is None or teller[0] == item.id:
            return False
        lately = item.created_at - teller[1] <= SAME_WINDOW
        if item.matter_kind == "state":
            return lately and teller[2] == signature(item) and not _recurs(item)
        if not lately:
            del self._known[key]
        return lately

    def newest(self, item: Notification) -> tuple[str, float] | None:
        """Return id and time of the last item about the state that ``item`` tells of."""
        teller = self._teller(key) if item.matter_kind == "state" and (key := _key(item)) else None
        return teller[:2] if teller else None

    def _teller(self, key: _Key) -> tuple[str, float, str] | None:
        found = self._known.get(key)
        if found is None or (key, found[0]) not in self._uncommitted:
            return found
        unit = current_unit()
        return found if unit is not None and unit.writes(Namespace.NOTIFICATION, found[0]) else None


def _key(item: Notification) -> _Key | None:
    """Return the key under which an item is remembered; ``None`` if it is told each time."""
    if item.kind in UNPAIRED:
        return None
    if item.matter_kind == "state":
        return "state", *_state(item.matter, item.kind, item.source, item.sender)
    if item.source.startswith(_SIGNALS):
        return "source", item.source, "brief" if item.kind == "brief" else "notice"
    return ("matter", item.matter, signature(item)) if item.matter else None


def _state(matter: str, kind: str, source: str, sender: str) -> tuple[str, str, str, str]:
    if kind == QUESTION and source.startswith(_SIGNALS):
        kind = "notice"  # what a signal asks is over once another one tells how its matter stands
    return matter, kind, source.partition(":")[0], sender.lower()


def same_state(other: Json, item: Notification) -> bool:
    """Check whether another item tells of the same state: same matter, kind, source of signals and sender."""
    told = _state(*(str(other.get(each) or "") for each in ("matter", "kind", "source", "sender")))
    return told == _state(item.matter, item.kind, item.source, item.sender)


def signature(item: Notification) -> str:
    """Return what two equal items of a matter share: sender, kind, title and text, ignoring case and spacing."""
    said = " ".join(f"{item.sender} {item.kind} {item.title} {item.body}".lower().split())
    return hashlib.sha256(said.encode()).hexdigest()[:24]


def _recurs(item: Notification) -> bool:
    """Check whether a rule tells it at each of its times: its words may then be the same as before."""
    return item.source.startswith(_CLOCK) or item.matter.startswith("rule:")
