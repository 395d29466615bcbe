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
    accounts: Sequence[str],
    settings: Calendar,
    store: Store,
    clock: Clock,
    whose: Whose,
    triage: Triage,
    instead: Agenda | None,
) -> tuple[Agenda | None, list[Feed], Callable[[str], str]]:
    """Return the agenda (``instead``, if there is one), its feed, and how it calls a calendar beside others.

    ``accounts`` are those of calendars, by id. There is no agenda without a calendar, or mail that may invite.
    """
    paths, by_mail = connected.calendar_paths, bool(connected.originals)
    has_any = bool(paths or connected.has_calendar or accounts)
    if not has_any and not by_mail:
        return instead, [], lambda _: ""
    from pepper_tui.domains.calendar.agenda import Agenda as OfAll
    from pepper_tui.domains.calendar.event import INVITED
    from pepper_tui.domains.calendar.feed import CalendarFeed
    from pepper_tui.domains.calendar.meeting.spacing import Spacing
    from pepper_tui.domains.calendar.objects import ObjectReader

    # read also where no account has any: what is left of one that was removed is no news
    objects, ids = ObjectReader(store), frozenset([*accounts, INVITED] if by_mail else accounts)
    own = OfAll(
        paths,
        whose.zone,
        whose.addresses,
        clock,
        objects=objects,
        accounts=ids,
        spacing=Spacing(settings.travel, settings.buffer),
    )
    agenda: Any = instead or own
    named = own.named if instead is None else lambda _: ""
    if not by_mail:
        return agenda, [CalendarFeed(settings, triage, agenda)], named
    from pepper_tui.domains.invitations.taking import Invitations

    taking = Invitations(triage, whose.signs)
    return agenda, [CalendarFeed(settings, triage, agenda, taking, has_any=has_any)], named
