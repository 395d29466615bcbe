"""Adding an event to a calendar file of the user's.

The effect is one event to the byte, and the content that its file must still have: see ``writer``. Its UID comes from
the call, so the same call never makes two.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Final

from pydantic import Field

from pepper_tui.clock.words import Reading, TimeAskedError
from pepper_tui.domains.calendar.conflicts import titles_of
from pepper_tui.domains.calendar.event import Event
from pepper_tui.domains.calendar.free_time import window
from pepper_tui.domains.calendar.parts import CalendarParts
from pepper_tui.domains.calendar.telling.when import when_of
from pepper_tui.domains.calendar.todos.tools import todo_tools
from pepper_tui.domains.calendar.tools import CALENDAR_TOOLS, unread
from pepper_tui.domains.calendar.writer import Calendars, Found
from pepper_tui.domains.calendar.writing.change_tools import cancel_event, change_event
from pepper_tui.model import CardLine, Effect, Json, Namespace, ResolvedEffect
from pepper_tui.text import one_line, sendable, shorten
from pepper_tui.tools.approvals.choices import ask_which
from pepper_tui.tools.errors import ToolError
from pepper_tui.tools.times import parse_time, times_of
from pepper_tui.tools.tool import Tool, ToolContext, tool

MAX_TITLE: Final = 200
MAX_NOTES: Final = 5000
_DAY: Final = 24 * 60


def same_event(payload: Json) -> Json:
    """Return an event without what is new each time: what a person calls the same event."""
    fields: Json = payload["fields"]
    return fields


async def resolve_event(
    ctx: ToolContext,
    title: str,
    start: str,
    minutes: Annotated[int, Field(ge=0, le=14 * _DAY)] = 0,
    all_day: bool = False,
    location: str = "",
    notes: str = "",
    calendar: str = "",
    reason: str = "",
) -> ResolvedEffect:
    """Args:
    title: what it is
    start: when it begins, e.g. "friday 12:30", "2027-01-31 14:00"
    minutes: how long it is; of all-day events rounded up to whole days; 0 for what 'start' says, or else an hour
    all_day: whether it takes whole days
    location: where
    notes: anything else, for the description
    calendar: the name of the calendar; empty for the first one of the config
    reason: why it should be added, shown to the user
    """  # noqa: D415
    reading = await _reading(ctx, title, start)
    at = reading.at
    all_day = all_day or (reading.whole_days and not minutes)
    if reading.end is not None:
        minutes = max(1, round((reading.end - at) / 60))
    minutes = minutes or 60
    place = await _calendars(ctx).place(calendar, _uid(ctx))
    if all_day:
        day = datetime.fromtimestamp(at, ctx.zone).date()
        at, _ = window(day, 0, _DAY, ctx.zone)
        _, ends = window(day + timedelta(days=-(-minutes // _DAY) - 1), 0, _DAY, ctx.zone)
    else:
        at -= at % 60
        ends = at + minutes * 60
    fields = {
        "title": _line_of(title), "start": at, "end": ends, "all_day": all_day,
        "location": _line_of(location), "notes": _notes_of(notes), "path": place,
    }  # fmt: skip
    return await _resolved(ctx, fields)


def _line_of(text: str) -> str:
    return shorten(" ".join(sendable(text[: MAX_NOTES * 2]).split()), MAX_TITLE)


def _notes_of(text: str) -> str:
    return shorten(sendable(text[: MAX_NOTES * 2]), MAX_NOTES).strip()


async def _reading(ctx: ToolContext, title: str, start: str) -> Reading:
    """Return when it begins, when it ends if that is given as well ("14:00 to 15:30"), or the days that it takes."""
    try:
        reading = await times_of(ctx).read(start)
    except TimeAskedError as asked:
        raise await ask_which(ctx, ctx.of(CalendarParts).announce, asked, one_line(title, 80), "start") from asked
    except ValueError as error:
        raise ToolError(str(error)) from error
    if reading.rrule:
        raise ToolError(f"{one_line(start, 60)!r} comes again and again, and an event that is added comes once")
    return reading


async def _resolved(ctx: ToolContext, fields: Json) -> ResolvedEffect:
    if not fields["title"]:
        raise ToolError("'title' is empty")
    calendars, place, event = _calendars(ctx), str(fields["path"]), _event(ctx, fields)
    found = await calendars.look(place, event)
    beside = await _beside(ctx, fields)
    wall = datetime.fromtimestamp(fields["start"], ctx.zone)
    when = when_of(ctx, fields["start"], fields["end"], fields["all_day"])
    lines = [
        CardLine("Title", fields["title"], editable=True),
        CardLine("When", when),
        CardLine("Starts", f"{wall:%Y-%m-%d %H:%M}", editable=not fields["all_day"]),
        CardLine("Where", fields["location"], editable=True),
        CardLine("Notes", fields["notes"], editable=True, multiline=True),
        *_where(calendars, place, found, several=len(await calendars.names()) > 1),
    ]
    if beside:
        lines.insert(2, CardLine("Overlaps", titles_of([Event.of(one) for one in beside])))
    known = ctx.of(CalendarParts).agenda
    left_out = unread(known) if known is not None and not fields["all_day"] else ""
    if left_out:
        lines.insert(2, CardLine("Not looked at", f"{left_out}; more may overlap", settled=True))
    payload = {
        "fields": fields, "uid": _uid(ctx), "event": event.decode(), "before": found.version,
        "beside": [one["uid"] for one in beside],
    }  # fmt: skip
    summary = f"Add to {calendars.title(place)}: {fields['title'][:80]}, {when}"
    return ctx.effect(account="", summary=summary, lines=lines, payload=payload)


def _where(calendars: Calendars, place: str, found: Found, *, several: bool) -> list[CardLine]:
    """Return where it goes; another calendar can be chosen where there are ``several``."""
    file = CardLine("File", f"{place}{' (new)' if found.new else ''}", settled=True)
    calendar = CardLine("Calendar", calendars.title(place), editable=several, settled=not several)
    if not Path(place).is_absolute():
        return [calendar]
    return [calendar, file] if several else [file]


def _calendars(ctx: ToolContext) -> Calendars:
    calendars = ctx.of(CalendarParts).calendars
    if calendars is None:
        raise ToolError("no calendar is configured; set calendar.paths")
    return calendars


def _uid(ctx: ToolContext) -> str:
    return f"pepper-{hashlib.sha256(ctx.call.id.encode()).hexdigest()[:24]}"


def _event(ctx: ToolContext, fields: Json) -> bytes:
    """Return the VEVENT. Times are in UTC, so that it needs no zone of the calendar's; whole days have no zone."""
    import icalendar

    event = icalendar.Event()
    event.add("uid", _uid(ctx))
    event.add("dtstamp", datetime.fromtimestamp(int(ctx.clock.now()), UTC))
    for name, at in (("dtstart", fields["start"]), ("dtend", fields["end"])):
        whole = datetime.fromtimestamp(at, ctx.zone).date()
        event.add(name, whole if fields["all_day"] else datetime.fromtimestamp(int(at), UTC))
    event.add("summary", fields["title"])
    if fields["location"]:
        event.add("location", fields["location"])
    if fields["notes"]:
        event.add("description", fields["notes"])
    return bytes(event.to_ical())


async def _beside(ctx: ToolContext, fields: Json) -> list[Json]:
    """Return what takes the user's time then already."""
    known = ctx.of(CalendarParts).agenda
    if known is None or fields["all_day"]:
        return []
    events = [one.data() for one in await known.between(fields["start"], fields["end"])]
    return [
        one for one in events if one.get("busy", True) and one["start"] < fields["end"] and one["end"] > fields["start"]
    ]


async def revise_event(ctx: ToolContext, effect: ResolvedEffect, fields: dict[str, str]) -> ResolvedEffect:
    """Return the event with the user's changes; its duration stays the same."""
    revised: Json = dict(effect.payload["fields"])
    for label, name in (("title", "title"), ("where", "location")):
        if label in fields:
            revised[name] = _line_of(fields[label])
    if "notes" in fields:
        revised["notes"] = _notes_of(fields["notes"])
    wanted, calendars = fields.get("calendar", "").strip(), _calendars(ctx)
    if wanted and wanted != calendars.title(str(revised["path"])):
        revised["path"] = await calendars.place(wanted, _uid(ctx))
    wall = datetime.fromtimestamp(revised["start"], ctx.zone)
    if "starts" in fields and fields["starts"].strip() != f"{wall:%Y-%m-%d %H:%M}":
        at = await parse_time(ctx, fields["starts"])
        at -= at % 60
        revised["start"], revised["end"] = at, at + revised["end"] - revised["start"]
    return await _resolved(ctx, revised)


async def probe_event(ctx: ToolContext, effect: ResolvedEffect) -> bool | None:
    """Check whether the event is in its file."""
    return await _calendars(ctx).holds(str(effect.payload["fields"]["path"]), str(effect.payload["uid"]))


@tool(
    effect=Effect.WRITE,
    resolve=resolve_event,
    revise=revise_event,
    probe=probe_event,
    same=same_event,
    taints=False,
    name="add_event",
)
async def add_event(ctx: ToolContext, effect: ResolvedEffect) -> str:
    """Add an event to the user's calendar. The user approves exactly what is added first."""
    payload = effect.payload
    calendars, uid, place = _calendars(ctx), str(payload["uid"]), str(payload["fields"]["path"])
    added = {"id": uid, "call": ctx.call.id, "at": ctx.clock.now(), "beside": payload["beside"]}
    added["calendar"] = calendars.calendar(place)
    await ctx.store.store(added, namespace=Namespace.ADDED, context_id=uid)
    return await calendars.add(place, uid, str(payload["event"]).encode(), str(payload["before"]))


def calendar_tools(parts: CalendarParts) -> list[Tool]:
    """Return all tools of the calendar."""
    return [each.with_given(parts) for each in (*CALENDAR_TOOLS, add_event, change_event, cancel_event)] + todo_tools(
        parts
    )
