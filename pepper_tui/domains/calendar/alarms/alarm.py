"""Alarms as they are written, and when each rings.

An alarm that is shown or heard counts; one that sends mail is its server's. One that was dismissed up to some time
(``ACKNOWLEDGED``, RFC 9074; Mozilla's own property) rings no more for times before that. A snoozed one is an alarm of
its own there, at a time of its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Final

from pepper_tui.model import Json

MOST: Final = 20
"""Alarms of one event that are read; one more is kept, to tell that there are more."""
_EDGE: Final = re.compile(rb"^(BEGIN|END):VALARM[ \t]*(?:\r?\n|\r?\Z)", re.I | re.M)
_HEARD: Final = frozenset({"DISPLAY", "AUDIO"})
_DISMISSED: Final = "X-MOZ-LASTACK"
_SNOOZED: Final = "X-MOZ-SNOOZE-TIME"


def with_few(source: bytes, most: int = MOST + 1) -> bytes:
    """Return an event with its first alarms; of 10,000, a library would read each. One pass, linear time."""
    kept: list[bytes] = []
    at, count, begun = 0, 0, -1
    for edge in _EDGE.finditer(source):
        if edge[1].upper() == b"BEGIN":
            if begun < 0:
                begun, count = edge.start(), count + 1
        elif begun >= 0:
            if count > most:
                kept.append(source[at:begun])
                at = edge.end()
            begun = -1
    return b"".join([*kept, source[at:]]) if at else source


def without_any(source: bytes) -> bytes:
    """Return an event without alarms."""
    return with_few(source, 0)


def alarms_of(component: Any, instant: Callable[[Any], float | str]) -> list[Json]:
    """Return the alarms of an event: to what each relates, how long after it or when, and until when it is dismissed.

    ``instant`` returns a time as JSON. What can't be read is left out.
    """
    dismissed = _instant_of(component, _DISMISSED, instant)
    found: list[Json] = []
    for one in component.subcomponents:
        if one.name != "VALARM" or str(one.get("ACTION", "")).upper() not in _HEARD:
            continue
        trigger = one.get("TRIGGER")
        when = _when(trigger)
        until = [each for each in (dismissed, _instant_of(one, "ACKNOWLEDGED", instant)) if each is not None]
        if isinstance(when, timedelta):
            of = "end" if str(trigger.params.get("RELATED", "")).upper() == "END" else "start"
            found.append({"of": of, "at": when.total_seconds(), "until": max(until, default=None)})
        elif isinstance(when, datetime):
            found.append({"of": "", "at": instant(when), "until": max(until, default=None)})
    snoozed = _instant_of(component, _SNOOZED, instant)
    return [*found, *([{"of": "", "at": snoozed, "until": None}] if snoozed is not None else [])]


def _instant_of(component: Any, name: str, instant: Callable[[Any], float | str]) -> float | None:
    """Return the time of a property, which is one in UTC; None if there is none."""
    value = component.get(name)
    when = _when(value)
    if when is None and value is not None:
        with suppress(ValueError):
            when = datetime.fromisoformat(str(value).strip()[:20])
    at = instant(when) if isinstance(when, datetime) else None
    return at if isinstance(at, float) else None


def _when(value: Any) -> Any:
    """Return the time or span of a property; None if it has none, or can't be read."""
    try:
        return getattr(value, "dt", None)
    except ValueError:  # which icalendar raises for what it could not read
        return None


def rings_of(
    alarms: Sequence[Json], start: float, end: float, seconds: Callable[[float | str], float]
) -> list[float]:  # fmt: skip
    """Return when the alarms of an event ring (POSIX seconds), the first first, without those that were dismissed."""
    found: list[float] = []
    for one in alarms:
        base = {"start": start, "end": end}.get(one["of"], 0.0)
        at = base + seconds(one["at"])
        if one["until"] is None or one["until"] < at:
            found.append(at)
    return sorted(found)
