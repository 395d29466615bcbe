"""Calendar: what is on, what overlaps, and when there is time. ``event_tools`` adds events."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Annotated, Any, Final, Literal

from pydantic import Field

from pepper_tui.clock.words import days_said
from pepper_tui.domains.calendar.free_time import Span, free_spans, window
from pepper_tui.domains.calendar.parts import Agenda, CalendarParts
from pepper_tui.model import Effect, Json, Record
from pepper_tui.text import one_line
from pepper_tui.tools.errors import ToolError
from pepper_tui.tools.tool import ToolContext, tool

_PARTS: Final = {"morning": (6 * 60, 12 * 60), "afternoon": (12 * 60, 18 * 60), "evening": (18 * 60, 23 * 60)}
CONFLICTS: Final = 100
"""Overlaps that one check of the calendar returns at most."""
_DEFECTS: Final = 3  # named in an answer
_TAKEN: Final = 8  # events of a day that are named


@tool(effect=Effect.READ)
async def agenda(ctx: ToolContext, start: str = "today", days: Annotated[int, Field(ge=1, le=62)] = 1) -> str:
    """List the events of some days.

    Args:
        start: first day: today, tomorrow, a weekday, or a date such as 2027-01-31
        days: how many days
    """
    calendar = the_agenda(ctx)
    zone = ctx.zone
    today = datetime.fromtimestamp(ctx.clock.now(), zone).date()
    first = await _first_day(ctx, start, today)
    begins = datetime(first.year, first.month, first.day, tzinfo=zone)
    after = first + timedelta(days=days)
    ends = datetime(after.year, after.month, after.day, tzinfo=zone)
    events = await calendar.between(begins.timestamp(), ends.timestamp())
    if not events:
        last = first + timedelta(days=days - 1)
        span = f"on {_day(first, today)}" if days == 1 else f"{_day(first, today)} to {_day(last, today)}"
        return _whole(calendar, f"Nothing {span}.", f"Nothing that could be read {span}.")
    now = ctx.clock.now()
    lines = [_event(event.data(), now, today, zone) for event in events]
    free = _free_until(events, now, today, zone) if first <= today < after else ""
    return _whole(calendar, "\n".join([*([free] if free else []), *lines]))


@tool(effect=Effect.READ)
async def find_free_time(
    ctx: ToolContext,
    start: str = "today",
    days: Annotated[int, Field(ge=1, le=62)] = 1,
    minutes: Annotated[int, Field(ge=5, le=1440)] = 30,
    part: Literal["", "morning", "afternoon", "evening"] = "",
) -> str:
    """Find when the user is free, within the working hours of the config or a part of the day.

    Args:
        start: first day: today, tomorrow, a weekday, or a date such as 2027-01-31
        days: how many days; of several, only working days are looked at
        minutes: how long the free time has to be at least
        part: morning, afternoon or evening; empty for the working hours
    """
    calendar, working, zone = the_agenda(ctx), ctx.of(CalendarParts).working, ctx.zone
    now = ctx.clock.now()
    today = datetime.fromtimestamp(now, zone).date()
    first = await _first_day(ctx, start, today)
    hours = _PARTS[part] if part else (working.start, working.end)
    lines: list[str] = []
    for each in range(days):
        day = first + timedelta(days=each)
        begins, ends = window(day, *hours, zone)
        if ends <= now or (days > 1 and day.weekday() not in working.days):
            continue
        events = [one.data() for one in await calendar.between(begins, ends)]
        taken = [one for one in events if one.get("busy", True) and one["start"] < ends and one["end"] > begins]
        free = free_spans([(max(begins, now), ends)], [(one["start"], one["end"]) for one in taken], minutes * 60)
        lines.append(_free_words(free, (max(begins, now), ends), taken, day, today, zone))
    if lines:
        return _whole(calendar, "\n".join(lines))
    words = _day(first, today) + (f" to {_day(first + timedelta(days=days - 1), today)}" if days > 1 else "")
    return f"No {part or 'working'} hours are left {words}."


@tool(effect=Effect.READ)
async def find_conflicts(ctx: ToolContext, start: str = "today", days: Annotated[int, Field(ge=1, le=62)] = 14) -> str:
    """List events that overlap.

    Args:
        start: first day: today, tomorrow, a weekday, or a date such as 2027-01-31
        days: how many days
    """
    zone = ctx.zone
    now = ctx.clock.now()
    today = datetime.fromtimestamp(now, zone).date()
    first = await _first_day(ctx, start, today)
    begins, _ = window(first, 0, 1440, zone)
    _, ends = window(first + timedelta(days=days - 1), 0, 1440, zone)
    calendar = the_agenda(ctx)
    found = await calendar.conflicts(max(begins, now), ends)
    lines = [" overlaps with ".join(_event(one.data(), now, today, zone) for one in pair) for pair in found]
    if len(found) >= CONFLICTS:
        lines.append(f"There are more: these are the first {len(found)}.")
    span = _day(first, today) + (f" to {_day(first + timedelta(days=days - 1), today)}" if days > 1 else "")
    nothing, of_those = f"Nothing overlaps, {span}.", f"Nothing that could be read overlaps, {span}."
    return _whole(calendar, "\n".join(lines)) if lines else _whole(calendar, nothing, of_those)


def unread(calendar: Agenda) -> str:
    """Return what of the calendar could not be read, in a line; empty if all was."""
    defects = [one_line(each, 160) for each in calendar.defects]
    more = f"; and {len(defects) - _DEFECTS} more" if len(defects) > _DEFECTS else ""
    return "; ".join(defects[:_DEFECTS]) + more


def _whole(calendar: Agenda, words: str, partial: str = "") -> str:
    """Return ``words`` if the whole calendar was read; else ``partial``, or ``words``, and what could not be read."""
    left_out = unread(calendar)
    return (
        f"{partial or words}\nNot all of the calendar could be read, so there may be more: {left_out}."
        if left_out
        else words
    )


def the_agenda(ctx: ToolContext) -> Agenda:
    agenda_of_user = ctx.of(CalendarParts).agenda
    if agenda_of_user is None:
        raise ToolError("no calendar is configured; set calendar.paths")
    return agenda_of_user


async def _first_day(ctx: ToolContext, start: str, today: date) -> date:
    words = start.strip().lower()
    if words in ("", "now"):
        return today
    with suppress(ValueError):
        return date.fromisoformat(words)  # also a day gone by
    locale = ctx.time.reader.locale if ctx.time.reader else "en"
    if found := await asyncio.to_thread(days_said, words, today, locale):
        return found[0]
    raise ToolError(f"{one_line(start, 60)!r} names no day ahead; say today, friday, or a date such as 2027-01-31")


def _free_words(free: Sequence[Span], whole: Span, taken: Sequence[Json], day: date, today: date, zone: tzinfo) -> str:
    """Return one day in a line: when there is time, and what takes the rest."""

    def clock(at: float) -> str:
        wall = datetime.fromtimestamp(at, zone)
        return "24:00" if wall.date() > day else f"{wall:%H:%M}"

    def named(event: Json) -> str:
        title = one_line(str(event.get("summary") or "(no title)"), 80)
        if event.get("all_day"):
            return f"all day {title}"
        return f"{clock(max(event['start'], whole[0]))}–{clock(min(event['end'], whole[1]))} {title}"

    if not free:
        said = "not free"
    elif list(free) == [whole]:
        said = f"free {clock(whole[0])}–{clock(whole[1])}"
    else:
        said = "free " + ", ".join(f"{clock(start)}–{clock(end)}" for start, end in free)
    rest = f"; taken: {', '.join(named(event) for event in taken[:_TAKEN])}" if taken else ""
    more = f" and {len(taken) - _TAKEN} more" if len(taken) > _TAKEN else ""
    return f"{_day(day, today)}: {said}{rest}{more}"


def _event(event: Json, now: float, today: date, zone: tzinfo) -> str:
    """Return one event in a line of its own: day, times, title, place, and whether it is under way or over."""
    start, end = _wall(event.get("start"), zone), _wall(event.get("end"), zone)
    title = one_line(str(event.get("summary") or event.get("title") or "(no title)"), 200)
    if start is None:
        return f"At an unknown time: {title}"
    when = _day(start.date(), today)
    if event.get("all_day"):
        last = (end - timedelta(seconds=1)).date() if end and end > start else start.date()
        when += (f" to {_day(last, today)}" if last > start.date() else "") + ", all day"
    else:
        when += f", {start:%H:%M}"
        if end and end > start:
            when += f"–{end:%H:%M}" if end.date() == start.date() else f" to {_day(end.date(), today)}, {end:%H:%M}"
    place = f", {one_line(str(event['location']), 200)}" if event.get("location") else ""
    answer = event.get("answer")
    notes = ["tentative"] if event.get("status") == "TENTATIVE" or answer == "tentative" else []
    notes += ["declined"] if answer == "declined" else [] if event.get("busy", True) else ["free"]
    notes += ["not answered"] if answer == "needs-action" else []
    if not event.get("all_day") and start.timestamp() <= now:
        notes.append("now" if end and end.timestamp() > now else "over")
    return f"{when}: {title}{place}" + (f" ({', '.join(notes)})" if notes else "")


def _free_until(events: Sequence[Record], now: float, today: date, zone: tzinfo) -> str:
    """Return for how long nothing is on today, in words; empty if something is on now."""
    timed = [event for event in (one.data() for one in events) if not event.get("all_day")]
    spans = [(s, _wall(event.get("end"), zone) or s) for event in timed if (s := _wall(event.get("start"), zone))]
    if any(start.timestamp() <= now < end.timestamp() for start, end in spans):
        return ""
    ahead = [start for start, _ in spans if start.timestamp() > now and start.date() == today]
    if ahead:
        return f"Nothing until {min(ahead):%H:%M} today."
    return "Nothing more today." if any(start.date() == today for start, _ in spans) else ""


def _day(day: date, today: date) -> str:
    words = {0: "today, ", 1: "tomorrow, "}.get((day - today).days, "")
    return f"{words}{day:%a} {day.day} {day:%b %Y}"


def _wall(value: Any, zone: tzinfo) -> datetime | None:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    return datetime.fromtimestamp(float(value), UTC).astimezone(zone)


CALENDAR_TOOLS: Final = (agenda, find_free_time, find_conflicts)
