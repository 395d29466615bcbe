"""The content of a to-do, by icalendar; which of a series is to be done next, by recurring-ical-events.

No library limits its work, so this code runs in a parser process of its own. Instants are POSIX seconds; times without
a zone and whole days are wall times in ISO form, because their zone is the user's.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from itertools import chain, islice
from typing import Any, Final

import icalendar
import recurring_ical_events

from pepper_tui.domains.calendar import reading
from pepper_tui.domains.calendar.mending import (
    let_rule_mean,
    let_until_be_that_day,
    listed,
    number,
    rules_of,
    too_often,
    when_of,
)
from pepper_tui.domains.calendar.reading import instant, opened
from pepper_tui.model import Json

zone = reading.zone
MOST: Final = 500
"""Changed ones of a series that are read, and times of it that are looked through for the first that is open."""


def warm() -> None:
    """Load what is loaded lazily: a sandboxed process can open no file."""
    reading.warm()
    todo(b"BEGIN:VTODO\r\nUID:a\r\nDUE;VALUE=DATE:20260101\r\nRRULE:FREQ=DAILY\r\nEND:VTODO\r\n", [])


def todo(source: bytes, zones: list[str]) -> Json:
    """Return ``todos``: those in ``source``, all of one UID, a series by its next; and what can't be read of them."""
    calendar, unknown = opened(source, zones)
    components = calendar.walk("VTODO")
    broken = [name for one in components for name, _ in one.errors if name]
    broken += [f"time zone {name!r}, taken as yours," for name in unknown]
    if len(components) > MOST:
        broken.append(f"times beyond the first {MOST}")
    found: list[Json] = []
    for one in components[:MOST]:
        if "RECURRENCE-ID" not in one and "RRULE" in one and not is_done(one):
            following, why = _next(calendar, one)
            broken += [why] if why else []
            found += [_fields(following) | {"repeats": True, "recurrence": ""}] if following is not None else []
        else:
            found.append(_fields(one))
    return {"todos": found, "broken": list(dict.fromkeys(broken))}


def is_done(component: Any) -> bool:
    """Check whether nothing is left to do, be it done or cancelled."""
    status = str(component.get("STATUS", "")).upper()
    if status:
        return status in ("COMPLETED", "CANCELLED")
    return "COMPLETED" in component or number(component.get("PERCENT-COMPLETE")) >= 100


def _next(calendar: Any, main: Any) -> tuple[Any, str]:
    """Return the first of a series that is not done, and what of it can't be read; nothing if all is done."""
    begins = when_of(main, "DTSTART") or when_of(main, "DUE")
    if begins is None:
        return main, "RRULE"
    try:
        for rule in rules_of(main):
            if too_often(rule):
                return main, "RRULE"
            let_until_be_that_day(main, rule)
            let_rule_mean(main, rule)
        day = begins.date() if isinstance(begins, datetime) else begins
        alone = icalendar.Calendar()
        alone.add_component(main)
        times = recurring_ical_events.of(alone, components=["VTODO"]).after(day - timedelta(days=1))
        changed = {when_of(one, "RECURRENCE-ID") for one in calendar.walk("VTODO")} - {None}  # each is read by itself
        first = next(times, None)
        if first is None:
            return main, "RRULE"
        mine = (one for one in chain([first], islice(times, MOST)) if when_of(one, "RECURRENCE-ID") not in changed)
        return next(mine, None), ""
    except Exception:
        return main, "RRULE"


def _fields(component: Any) -> Json:
    due = _due(component)
    changed = component.get("RECURRENCE-ID")
    return {
        "uid": str(component.get("UID", ""))[:500],
        "summary": str(component.get("SUMMARY", ""))[:500],
        "due": instant(due) if due is not None else None,
        "all_day": due is not None and not isinstance(due, datetime),
        "done": is_done(component),
        "priority": min(9, number(component.get("PRIORITY"))),
        "location": str(component.get("LOCATION", ""))[:500],
        "description": str(next(iter(listed(component.get("DESCRIPTION"))), ""))[:10_000],
        "recurrence": changed.to_ical().decode() if changed is not None else "",
        "repeats": changed is not None,
    }


def _due(component: Any) -> date | None:
    due = when_of(component, "DUE")
    start = when_of(component, "DTSTART")
    if due is None and start is not None and "DURATION" in component:
        due = start + component.decoded("DURATION")
    return due
