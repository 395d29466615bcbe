"""Calendar: what is on, what overlaps, and when there is time. ``event_tools`` adds events."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Annotated, Any, Final, Literal

from pydantic import Field

from pepper_tui.clock.words import spans_said
from pepper_tui.domains.calendar.free_time import Span, free_spans, window
from pepper_tui.domains.calendar.meeting.joining import joined_at
from pepper_tui.domains.calendar.parts import Agenda, CalendarParts
from pepper_tui.domains.calendar.slots.others import others_of
from pepper_tui.domains.calendar.telling.day import day_of
from pepper_tui.domains.calendar.todos.listing import due_lines, todos_in, unread_todos
from pepper_tui.domains.reminders.waiting import waiting_reminders
from pepper_tui.model import Effect, Json, Record, Reminder
from pepper_tui.text import one_line
from pepper_tui.tools.errors import ToolError
from pepper_tui.tools.tool import ToolContext, tool

_PARTS: Final = {"morning": (6 * 60, 12 * 60), "afternoon": (12 * 60, 18 * 60), "evening": (18 * 60, 23 * 60)}
CONFLICTS: Final = 100
"""Overlaps that one check of the calendar returns at most."""
_DEFECTS: Final = 3  # named in an answer
MOST_DAYS: Final = 92
"""That are looked at for one answer."""
_TAKEN: Final = 8  # events of a day that are named
_FEW: Final = 3  # days of which each that is empty is said to be


@tool(effect=Effect.READ)
async def agenda(
    ctx: ToolContext, start: str = "today", days: Annotated[int, Field(ge=1, le=MOST_DAYS)] = 1, links: bool = False
) -> str:
    """List the events of some days, and the reminders and to-dos that are due beside them.

    Args:
        start: first day, or all of them in words: today, 2027-01-31, next week, "monday and friday", "in december"
        days: how many days
        links: whether to say where each can be joined
    """
    calendar, zone, now, named = the_agenda(ctx), ctx.zone, ctx.clock.now(), ctx.of(CalendarParts).named
    today = datetime.fromtimestamp(now, zone).date()
    reminders, todos = await waiting_reminders(ctx.store), await todos_in(calendar)
    lines: list[str] = []
    for first, count in await _spans(ctx, start, days, today):
        after = first + timedelta(days=count)
        begins, ends = window(first, 0, 0, zone)[0], window(after, 0, 0, zone)[0]
        events = await calendar.between(begins, ends)
        if not events:
            lines.append(_nothing(calendar, first, count, today))
        elif first <= today < after and (free := _free_until(events, now, today, zone)):
            lines.append(free)
        found = [
            (float(one.get("start") or 0.0), _event(one, now, today, zone, named) + _link(one, wanted=links))
            for one in (e.data() for e in events)
        ]
        found += [(each.due, _reminder(each, today, zone)) for each in reminders if begins <= each.due < ends]
        due = due_lines(todos, begins, ends, now, today, zone, named)
        found += due
        if events and count <= _FEW:
            taken = [(float(one["start"]), float(one["end"])) for one in (each.data() for each in events)]
            taken += [(each.due, each.due + 1) for each in reminders]
            taken += [(at, at + 1) for at in (at if at >= begins else now for at, _ in due)]  # overdue ones are today's
            found += _empty(calendar, taken, first, count, ctx)
        lines += [line for _, line in sorted(found, key=lambda each: each[0])]
    if left_out := unread_todos(calendar):
        lines.append(f"Not all to-dos could be read: {left_out}.")
    return await _told(ctx, _whole(calendar, "\n".join(lines)))


@tool(effect=Effect.READ)
async def find_free_time(
    ctx: ToolContext,
    start: str = "today",
    days: Annotated[int, Field(ge=1, le=MOST_DAYS)] = 1,
    minutes: Annotated[int, Field(ge=5, le=1440)] = 30,
    part: Literal["", "morning", "afternoon", "evening"] = "",
    people: list[str] | None = None,
) -> str:
    """Find when the user is free, alone or with others, within the working hours of the config or a part of the day.

    Args:
        start: first day, or all of them in words: today, 2027-01-31, next week, "monday and friday", "in december"
        days: how many days; of several, only working days are looked at
        minutes: how long the free time has to be at least
        part: morning, afternoon or evening; empty for the working hours
        people: names or addresses of others, as the user said them: the user's own calendar server is asked about them
    """
    calendar, working, zone = the_agenda(ctx), ctx.of(CalendarParts).working, ctx.zone
    now = ctx.clock.now()
    today = datetime.fromtimestamp(now, zone).date()
    hours = _PARTS[part] if part else (working.start, working.end)
    spans = await _spans(ctx, start, days, today)
    days_ahead = [first + timedelta(days=each) for first, count in spans for each in range(count)]
    days_ahead = [each for each in days_ahead if _named_alone(spans, each) or each.weekday() in working.days]
    windows = [(day, *window(day, *hours, zone)) for day in days_ahead]
    windows = [(day, max(begins, now), ends) for day, begins, ends in windows if ends > now]
    if windows:
        others = await others_of(ctx, people or (), min(each[1] for each in windows), max(each[2] for each in windows))
        lines: list[tuple[bool, str]] = []
        for day, begins, ends in windows:
            events = [one.data() for one in await calendar.between(begins, ends)]
            taken = [one for one in events if one.get("busy", True) and one["start"] < ends and one["end"] > begins]
            taken = sorted([*taken, *others.taken(begins, ends)], key=lambda one: one["start"])
            free = free_spans([(begins, ends)], [(one["start"], one["end"]) for one in taken], minutes * 60)
            lines.append((bool(free), _free_words(free, (begins, ends), taken, day, today, zone)))
        return await _told(ctx, _whole(calendar, others.told(lines, minutes)))
    return f"No {part or 'working'} hours are left {_and([_span(*span, today) for span in spans])}."


@tool(effect=Effect.READ)
async def find_conflicts(
    ctx: ToolContext, start: str = "today", days: Annotated[int, Field(ge=1, le=MOST_DAYS)] = 14
) -> str:
    """List events that overlap, or are closer than the config wants.

    Args:
        start: first day, or all of them in words: today, 2027-01-31, next week, "monday and friday", "in december"
        days: how many days
    """
    zone = ctx.zone
    now = ctx.clock.now()
    today = datetime.fromtimestamp(now, zone).date()
    spans = await _spans(ctx, start, days, today, default=14)
    calendar, named = the_agenda(ctx), ctx.of(CalendarParts).named
    lines: list[str] = []
    for first, count in spans:
        begins, ends = window(first, 0, 0, zone)[0], window(first + timedelta(days=count), 0, 0, zone)[0]
        found = await calendar.conflicts(max(begins, now), ends)
        lines += [_how_close(*pair).join(_event(one.data(), now, today, zone, named) for one in pair) for pair in found]
        if len(found) >= CONFLICTS:
            lines.append(f"There are more: these are the first {len(found)}.")
    said = _and([_span(*span, today) for span in spans])
    nothing, of_those = f"Nothing overlaps, {said}.", f"Nothing that could be read overlaps, {said}."
    whole = _whole(calendar, "\n".join(lines)) if lines else _whole(calendar, nothing, of_those)
    return await _told(ctx, whole)


def _how_close(first: Record, second: Record) -> str:
    near = first.data()["end"] <= second.data()["start"]
    return " is too close to " if near else " overlaps with "


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


async def _told(ctx: ToolContext, words: str) -> str:
    """Return ``words`` with the age of each copy that they come from and that is not as its server has it."""
    copies = ctx.of(CalendarParts).copies
    return "\n".join([words, *(await copies() if copies is not None else ())])


def the_agenda(ctx: ToolContext) -> Agenda:
    agenda_of_user = ctx.of(CalendarParts).agenda
    if agenda_of_user is None:
        raise ToolError("no calendar is configured; set calendar.paths")
    return agenda_of_user


async def _spans(ctx: ToolContext, start: str, days: int, today: date, default: int = 1) -> list[tuple[date, int]]:
    """Return the days to look at, each stretch by its first day and its length.

    What ``start`` names in words counts unless ``days`` says another number than the ``default``.
    """
    words = start.strip().lower()
    locale = ctx.time.reader.locale if ctx.time.reader else "en"
    found: list[tuple[date, int]]
    if words in ("", "now"):
        found = [(today, 1)]
    else:
        with suppress(ValueError):
            return [(date.fromisoformat(words), days)]  # also a day gone by
        found = await asyncio.to_thread(spans_said, words, today, locale)
    if not found:
        raise ToolError(f"{one_line(start, 60)!r} names no day that I know; say today, friday, or 2027-01-31")
    if days != default or found == [(found[0][0], 1)]:
        return [(found[0][0], days)]
    if (count := sum(each for _, each in found)) > MOST_DAYS:
        raise ToolError(f"{one_line(start, 60)!r} means {count} days; I look at {MOST_DAYS} at most: name fewer")
    return found


def _reminder(reminder: Reminder, today: date, zone: tzinfo) -> str:
    at = datetime.fromtimestamp(reminder.due, zone)
    again = ", repeats" if reminder.rule else ""
    return f"{day_of(at.date(), today)}, {at:%H:%M}: {one_line(reminder.text, 200)} (reminder{again})"


def _named_alone(spans: Sequence[tuple[date, int]], day: date) -> bool:
    """Check whether ``day`` was named itself, not as one of several in a row."""
    return (day, 1) in spans


def _nothing(calendar: Agenda, first: date, days: int, today: date) -> str:
    said = _span(first, days, today)
    on = "" if days > 1 or 0 <= (first - today).days < 2 else "on "
    return f"{'Nothing that could be read' if unread(calendar) else 'Nothing'} {on}{said}."


def _empty(
    calendar: Agenda, taken: Sequence[Span], first: date, days: int, ctx: ToolContext
) -> list[tuple[float, str]]:
    """Return when each day begins on which nothing is, and words for it."""
    today = datetime.fromtimestamp(ctx.clock.now(), ctx.zone).date()
    found: list[tuple[float, str]] = []
    for day in (first + timedelta(days=each) for each in range(days)):
        begins, ends = window(day, 0, 0, ctx.zone)[0], window(day + timedelta(days=1), 0, 0, ctx.zone)[0]
        if not any(start < ends and (end > begins or start >= begins) for start, end in taken):
            found.append((begins, _nothing(calendar, day, 1, today)))
    return found


def _span(first: date, days: int, today: date) -> str:
    return day_of(first, today) + (f" to {day_of(first + timedelta(days=days - 1), today)}" if days > 1 else "")


def _and(words: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))


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
    return f"{day_of(day, today)}: {said}{rest}{more}"


def _event(event: Json, now: float, today: date, zone: tzinfo, named: Callable[[str], str]) -> str:
    """Return one event in a line of its own: day, times, title, place, calendar, and whether it is on or over."""
    start, end = _wall(event.get("start"), zone), _wall(event.get("end"), zone)
    title = one_line(str(event.get("summary") or event.get("title") or "(no title)"), 200)
    if start is None:
        return f"At an unknown time: {title}"
    when = day_of(start.date(), today)
    if event.get("all_day"):
        last = (end - timedelta(seconds=1)).date() if end and end > start else start.date()
        when += (f" to {day_of(last, today)}" if last > start.date() else "") + ", all day"
    else:
        when += f", {start:%H:%M}"
        if end and end > start:
            when += f"–{end:%H:%M}" if end.date() == start.date() else f" to {day_of(end.date(), today)}, {end:%H:%M}"
    place = f", {one_line(str(event['location']), 200)}" if event.get("location") else ""
    place += f" [{called}]" if (called := named(str(event.get("calendar", "")))) else ""
    answer = event.get("answer")
    notes = ["tentative"] if event.get("status") == "TENTATIVE" or answer == "tentative" else []
    notes += ["declined"] if answer == "declined" else [] if event.get("busy", True) else ["free"]
    notes += ["not answered"] if answer == "needs-action" else []
    if not event.get("all_day") and start.timestamp() <= now:
        notes.append("now" if end and end.timestamp() > now else "over")
    return f"{when}: {title}{place}" + (f" ({', '.join(notes)})" if notes else "")


def _link(event: Json, *, wanted: bool) -> str:
    """Return where an event can be joined, if that is asked for."""
    link = str(event.get("link") or "")
    return f"; join {joined_at(link)}" if wanted and link else ""


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


def _wall(value: Any, zone: tzinfo) -> datetime | None:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    return datetime.fromtimestamp(float(value), UTC).astimezone(zone)


CALENDAR_TOOLS: Final = (agenda, find_free_time, find_conflicts)
