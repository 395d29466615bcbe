"""The next event ahead, kept in the store, so that a front can count down to it without asking.

It is written only where another event is next: after a change of the calendar, and when the one before has begun.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pepper_tui.model import Namespace, Record

if TYPE_CHECKING:
    from pepper_tui.domains.calendar.agenda import Agenda
    from pepper_tui.domains.calendar.event import Event
    from pepper_tui.store import Store

AHEAD: Final = 86_400.0  # seconds within which an event counts as the next
AGAIN: Final = 3600.0  # seconds until a look further on, where there is none
ID: Final = "next"


@dataclass(slots=True)
class NextEvent(Record):
    """The next event that takes the user's time; without a ``start`` there is none ahead."""

    id: str = ID
    summary: str = ""
    start: float = 0.0


class Coming:
    """Keeps the next event. ``until``: when it may be another one though nothing has changed."""

    def __init__(self) -> None:
        self.until = 0.0
        self._edition = -1

    async def keep(self, store: Store, agenda: Agenda, now: float) -> None:
        """Store the next event, if it is another one."""
        if agenda.listed == self._edition and now < self.until:
            return
        self._edition = agenda.listed
        found = _next(await agenda.between(now, now + AHEAD), now)
        self.until = found.start if found is not None else now + AGAIN
        told = NextEvent(summary=found.summary, start=found.start) if found is not None else NextEvent()
        await self._put(store, told)

    async def clear(self, store: Store) -> None:
        """Store that none is ahead, where there is no calendar that one could be in."""
        await self._put(store, NextEvent())

    @staticmethod
    async def _put(store: Store, told: NextEvent) -> None:
        before = NextEvent.one(await store.get(ID, namespace=Namespace.NEXT_EVENT))
        if (before or NextEvent()) != told:
            await store.put(told, namespace=Namespace.NEXT_EVENT)


def _next(events: Sequence[Event], now: float) -> Event | None:
    return next((one for one in events if one.busy and not one.all_day and one.start > now), None)
