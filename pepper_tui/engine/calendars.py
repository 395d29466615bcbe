"""One agenda of all calendars, whatever connectors they come by, and its feed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

from pepper_tui.clock import Clock
from pepper_tui.config import Calendar
from pepper_tui.connectors.connector import Built
from pepper_tui.domains.calendar.parts import Agenda
from pepper_tui.feeds import Feed, Triage
from pepper_tui.store import Store


@dataclass(frozen=True, slots=True)
class Whose:
    """Whose calendars they are: the user's zone, and addresses."""

    zone: tzinfo
    addresses: Iterable[str]


def calendars(
    connected: Built,
    accounts: Sequence[str],
    settings: Calendar,
    store: Store,
    clock: Clock,
    whose: Whose,
    triage: Triage,
    instead: Agenda | None,
) -> tuple[Agenda | None, list[Feed], Callable[[str], str]]:
    """Return the agenda (``instead``, if there is one), its feed, and how it calls a calendar beside others.

    ``accounts`` are those of calendars, by id. There is no agenda without a calendar.
    """
    paths = connected.calendar_paths
    if not paths and not connected.has_calendar and not accounts:
        return instead, [], lambda _: ""
    from pepper_tui.domains.calendar.agenda import Agenda as OfAll
    from pepper_tui.domains.calendar.feed import CalendarFeed
    from pepper_tui.domains.calendar.objects import ObjectReader

    # read also where no account has any: what is left of one that was removed is no news
    objects = ObjectReader(store)
    own = OfAll(paths, whose.zone, whose.addresses, clock, objects=objects, accounts=frozenset(accounts))
    agenda: Any = instead or own
    return agenda, [CalendarFeed(settings, triage, agenda)], own.named if instead is None else lambda _: ""
