"""What has been told, so that nothing is told twice: a memory of announcements, by source, matter and state.

An announcement in a unit of work counts for that unit at once, and for everybody else from its commit on: a unit may
fail, and what was held back because of it would be told by nobody.
"""

from __future__ import annotations

import hashlib
from typing import Final

from pepper_tui.model import Json, Namespace, Notification
from pepper_tui.store import current_unit

SAME_WINDOW: Final = 7 * 86_400.0  # seconds in which an equal item of a matter is not announced again
REMEMBERED: Final = 50_000  # announcements, of which a repetition is noticed
UNPAIRED: Final = frozenset({"reminder", "offer"})  # each firing speaks for itself
_SIGNALS: Final = f"{Namespace.SIGNALS}."
_CLOCK: Final = f"{_SIGNALS}clock:"

State = tuple[str, str, str]
"""Matter, kind and namespace of the source."""


class Told:
    def __init__(self) -> None:
        self._announced: dict[tuple[str, str], tuple[str, float]] = {}  # (matter, signature) → id, when
        self._sources: dict[tuple[str, str], tuple[str, float]] = {}  # (source, kind) → id, when
        self._states: dict[State, tuple[str, float, str]] = {}  # the newest → id, when, signature
        self._uncommitted: set[str] = set()

    def announce(self, item: Notification) -> None:
        """Remember an item that is stored just now, in the caller's unit where there is one."""
        if current_unit() is not None:
            self._uncommitted.add(item.id)
        self.note(item)

    def committed(self, notification_id: str) -> None:
        """From here on it counts for everybody."""
        self._uncommitted.discard(notification_id)

    def note(self, item: Notification) -> None:
        """Remember ``item``; of what is told once only, the first stays."""
        if item.kind in UNPAIRED:
            return
        told = item.id, item.created_at
        if item.matter_kind == "state":
            self._states.pop(state_of(item), None)
            self._states[state_of(item)] = *told, signature(item)
        elif item.source.startswith(_SIGNALS):
            self._keep_first(self._sources, (item.source, _told_as(item)), told)
        elif item.matter:
            self._keep_first(self._announced, (item.matter, signature(item)), told)
        for known in (self._announced, self._sources, self._states):
            while len(known) > REMEMBERED:
                del known[next(iter(known))]  # type: ignore[arg-type]

    def before(self, item: Notification) -> bool:
        """Whether another item has told the same, and not too long ago."""
        if item.kind in UNPAIRED:
            return False
        if item.matter_kind == "state":
            ident, when, told = self.newest(item) or (item.id, 0.0, "")
            same = ident != item.id and told == signature(item) and item.created_at - when <= SAME_WINDOW
            return same and not _recurs(item)
        if item.source.startswith(_SIGNALS):
            return self._by_another(self._sources, (item.source, _told_as(item)), item)
        return bool(item.matter) and self._by_another(self._announced, (item.matter, signature(item)), item)

    def newest(self, item: Notification) -> tuple[str, float, str] | None:
        """Id, time and signature of what was told last of the state that ``item`` tells of."""
        newest = self._states.get(state_of(item))
        return newest if newest is not None and self._counts(newest[0]) else None

    def _keep_first(
        self, known: dict[tuple[str, str], tuple[str, float]], key: tuple[str, str], told: tuple[str, float]
    ) -> None:
        if key not in known or not self._counts(known[key][0]):
            known[key] = told

    def _by_another(
        self, known: dict[tuple[str, str], tuple[str, float]], key: tuple[str, str], item: Notification
    ) -> bool:
        first = known.get(key)
        if first is None or first[0] == item.id or not self._counts(first[0]):
            return False
        if item.created_at - first[1] > SAME_WINDOW:
            del known[key]
            return False
        return True

    def _counts(self, ident: str) -> bool:
        if ident not in self._uncommitted:
            return True
        unit = current_unit()
        return unit is not None and unit.writes(Namespace.NOTIFICATION, ident)


def same_state(other: Json, item: Notification) -> bool:
    """Whether another item tells of the same state: same matter, kind and source of signals."""
    told = (other.get("matter"), other.get("kind"), str(other.get("source", "")).partition(":")[0])
    return told == state_of(item)


def state_of(item: Notification) -> State:
    return item.matter, item.kind, item.source.partition(":")[0]


def signature(item: Notification) -> str:
    """What makes two items of one matter the same: sender, kind, title and text, whatever their case and spacing."""
    said = " ".join(f"{item.sender} {item.kind} {item.title} {item.body}".lower().split())
    return hashlib.sha256(said.encode()).hexdigest()[:24]


def _recurs(item: Notification) -> bool:
    """Whether a rule tells it at each of its times: what is said then may be the same as before."""
    return item.source.startswith(_CLOCK) or item.matter.startswith("rule:")


def _told_as(item: Notification) -> str:
    return "brief" if item.kind == "brief" else "notice"
