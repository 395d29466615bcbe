"""Free time: what is left of some spans of time after removing the events that take it.

Everything is computed in instants, so a day on which the clocks change is as long as it really is.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta, tzinfo

Span = tuple[float, float]
"""Start and end, POSIX seconds; the end is exclusive."""


def window(day: date, start: int, end: int, zone: tzinfo) -> Span:
    """Return the instants of ``day`` from minute ``start`` to ``end`` (at most 1440) of the wall clock in ``zone``."""

    def at(minute: int) -> float:
        midnight = datetime(day.year, day.month, day.day, tzinfo=zone) + timedelta(days=minute // 1440)
        return midnight.replace(hour=minute % 1440 // 60, minute=minute % 60).timestamp()

    return at(start), at(end)


def free_spans(wanted: Iterable[Span], busy: Iterable[Span], least: float) -> list[Span]:
    """Return the parts of ``wanted`` that no span of ``busy`` touches, of at least ``least`` seconds, by start."""
    taken = sorted(span for span in busy if span[1] > span[0])
    found: list[Span] = []
    for start, end in sorted(wanted):
        here = start
        for begins, ends in taken:
            if ends <= here:
                continue
            if begins >= end:
                break
            if begins > here:
                found.append((here, begins))
            here = ends
        if here < end:
            found.append((here, end))
    return [span for span in found if span[1] - span[0] >= least]
