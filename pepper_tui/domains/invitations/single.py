"""One time of a series that the user was invited to: which is meant, and its own answer (RFC 5546, section 3.2.3)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo
from typing import Final

from pepper_tui.domains.calendar.bounded import CalendarParser
from pepper_tui.domains.calendar.pieces import Piece, calendar_of, pieces_of
from pepper_tui.domains.calendar.telling.event_signals import is_one_time
from pepper_tui.domains.invitations.answering import Asked, InvitationParts
from pepper_tui.text import one_line
from pepper_tui.tools.errors import ToolError
from pepper_tui.tools.times import times_of
from pepper_tui.tools.tool import ToolContext

ALL: Final = "all"
"""The word for every time of a series."""
_MOST: Final = 100  # times of a series in the days around the one that is meant
_DEADLINE: Final = 5.0  # seconds to follow it


@dataclass(frozen=True, slots=True)
class When:
    """A day that the user names (POSIX seconds), and the ``hour`` on it, if one is said."""

    begin: float
    end: float
    hour: float | None = None

    @classmethod
    def at(cls, start: float, zone: tzinfo) -> When:
        """Return the day of an instant, which counts as said."""
        first = datetime.fromtimestamp(start, zone).replace(hour=0, minute=0, second=0, microsecond=0)
        return cls(first.timestamp(), (first + timedelta(days=1)).timestamp(), start)


@dataclass(frozen=True, slots=True)
class _Time:
    """One time of a series. ``stands_for`` is its RECURRENCE-ID."""

    start: float
    end: float
    all_day: bool
    title: str
    stands_for: str


async def day_said(ctx: ToolContext, words: str) -> When | None:
    """Return the day that ``words`` name; None if they mean all times, or are empty. Raises ``ToolError``."""
    if not words or words.casefold() == ALL:
        return None
    try:
        reading = await times_of(ctx).read(words)
    except ValueError as error:
        raise ToolError(str(error)) from error
    when = When.at(reading.at - reading.at % 60, ctx.zone)
    return replace(when, hour=None) if reading.whole_days else when


async def one_time(ctx: ToolContext, asked: Asked, when: When) -> Asked:
    """Return the one time of ``asked`` then; ``asked`` itself if it is no series. Raises ``ToolError``."""
    day = datetime.fromtimestamp(when.begin, ctx.zone)
    try:
        found, repeats = await asyncio.to_thread(
            _times, ctx.of(InvitationParts).parser, asked.pieces, when, ctx.zone
        )  # fmt: skip
    except ValueError as error:
        raise ToolError(f"“{asked.title}”: {error}") from error
    there = [each for each in found if each.start == when.hour] or found
    if not there:
        raise ToolError(f"“{asked.title}” is not on {day:%a} {day.day} {day:%b %Y}")
    if not repeats:
        return asked
    if len(there) > 1:
        hours = ", ".join(f"{datetime.fromtimestamp(each.start, ctx.zone):%H:%M}" for each in there)
        raise ToolError(f"“{asked.title}” is several times on {day:%a} {day.day} {day:%b %Y}: {hours}; name the hour")
    one = there[0]
    event = {
        **asked.event, "start": one.start, "end": one.end, "all_day": one.all_day,
        "summary": one.title or asked.event["summary"],
    }  # fmt: skip
    text = asked.text
    if asked.held is not None and asked.text != asked.held.text:
        held = pieces_of(asked.held.text)
        parser = ctx.of(InvitationParts).parser
        text = await asyncio.to_thread(_with_newest, parser, held, asked.pieces, one.stands_for)
    if not text:
        raise ToolError(
            f"“{asked.title}” was changed by its organizer, and {one_line(str(event['calendar']), 60)} has it as it "
            "was; answer all of it first"
        )
    return replace(asked, event=event, text=text, of=one.start)


async def what_asks(ctx: ToolContext, asked: Asked) -> Asked:
    """Return the one time of a series that alone asks, if it is one; else ``asked``."""
    if is_one_time(asked.event) and any(each.repeats for each in asked.pieces):
        return await one_time(ctx, asked, When.at(float(asked.event["start"]), ctx.zone))
    return asked


def _times(
    parser: CalendarParser, pieces: Sequence[Piece], when: When, zone: tzinfo
) -> tuple[list[_Time], bool]:  # fmt: skip
    """Return the times that begin on that day, and whether there are others. Blocking. Raises ``ValueError``."""
    until = time.monotonic() + _DEADLINE
    said = [each for each in parser.events(pieces, until).values() if isinstance(each, dict)]
    if any(one["refusal"] for one in said):
        raise ValueError("its rule is not followed")
    answers = parser.series([tuple(pieces)], when.begin, when.end, _MOST, until)
    answer = answers[0] if answers else "it takes too long to follow its rule"
    if isinstance(answer, str):
        raise ValueError(answer)
    found = []
    for number, *times, stands_for in answer["occurrences"]:
        start, end = (_seconds(each, zone) for each in times)
        fields = answer["fields"][number]
        if when.begin <= start < when.end and fields["status"] != "CANCELLED":
            found.append(_Time(start, end, fields["all_day"], fields["summary"], stands_for))
    return found, any(one["repeats"] or one["recurrence"] for one in said)


def _with_newest(parser: CalendarParser, held: Sequence[Piece], newest: Sequence[Piece], stands_for: str) -> str:
    """Return what a calendar holds, with the one time as its organizer has it now; empty if all of it is newer."""
    until = time.monotonic() + _DEADLINE

    def is_that(said: object) -> bool:
        return isinstance(said, dict) and said["recurrence"] == stands_for

    theirs, ours = parser.events(newest, until), parser.events(held, until)
    changed = [each for each in newest if is_that(theirs.get(each.digest))]
    return calendar_of([*(each for each in held if not is_that(ours.get(each.digest))), *changed]) if changed else ""


def _seconds(at: float | str, zone: tzinfo) -> float:
    return datetime.fromisoformat(at).replace(tzinfo=zone).timestamp() if isinstance(at, str) else float(at)
