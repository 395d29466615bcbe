"""One agenda of all calendars, whatever connectors they come by, and its feed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

from pepper_tui.clock import Clock
from pepper_tui.config import Calendar
from pepper_tui.connectors.connector import Built
from pepper_tui.domains.calendar.parts import Agenda
from pepper_tui.domains.mail.facts.signs import Signs
from pepper_tui.feeds import Feed, Triage
from pepper_tui.store import Store


@dataclass(frozen=True, slots=True)
class Whose:
    """Whose calendars they are: the user's zone and addresses, and what is known of those who write to them."""

    zone: tzinfo
    addresses: Iterable[str]
    signs: Signs


def calendars(
    connected: Built,
    settings: Calendar,
    store: Store,
    clock: Clock,
    whose: Whose,
    triage: Triage,
    instead: Agenda | None,
) -> tuple[Agenda | None, list[Feed]]:
    """Return the agenda (``instead``, if there is one) and its feed; there is none without a calendar."""
    by_mail = bool(connected.originals)
    if not connected.calendar_paths and not connected.has_calendar and not by_mail:
        return instead, []
    from pepper_tui.domains.calendar.agenda import Agenda as OfAll
    from pepper_tui.domains.calendar.feed import CalendarFeed
    from pepper_tui.domains.calendar.objects import ObjectReader

    objects = ObjectReader(store) if connected.has_calendar or by_mail else None
    paths = connected.calendar_paths
    agenda: Any = instead or OfAll(paths, whose.zone, whose.addresses, clock, objects=objects)
    if not by_mail:
        return agenda, [CalendarFeed(settings, triage, agenda)]
    from pepper_tui.domains.invitations.taking import Invitations

    has_any = bool(connected.calendar_paths or connected.has_calendar)
    return agenda, [CalendarFeed(settings, triage, agenda, Invitations(triage, whose.signs), has_any=has_any)]
