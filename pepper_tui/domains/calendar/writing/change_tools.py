"""Changing, moving and cancelling events in the user's calendars, each after a yes.

The effect binds what was read, so a card can't overwrite what another program has changed meanwhile. What somebody else
organizes is not moved here, as that would be a proposal; it can be removed, which tells nobody.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Final, Literal

from pydantic import Field

from pepper_tui.clock.words import TimeAskedError
from pepper_tui.domains.calendar.conflicts import NAMED, taken_beside, titles_of
from pepper_tui.domains.calendar.event import INVITED, Event, by_uid, uid_in
from pepper_tui.domains.calendar.parts import CalendarParts
from pepper_tui.domains.calendar.pieces import pieces_of
from pepper_tui.domains.calendar.telling.when import when_of
from pepper_tui.domains.calendar.writer import Held, Rewritable
from pepper_tui.domains.calendar.writing.rewriter import Rewriter
from pepper_tui.model import CardLine, Effect, Json, Namespace, ResolvedEffect
from pepper_tui.text import one_line, sendable, shorten
from pepper_tui.tools.approvals.choices import ask_which, offered
from pepper_tui.tools.errors import NotDoneError, ToolError
from pepper_tui.tools.times import times_of
from pepper_tui.tools.tool import ToolContext, tool

Which = Literal["", "this", "following", "all"]
AHEAD: Final = 366 * 86400.0  # seconds in which an event is looked for
BACK: Final = 86400.0
_LONGEST: Final = 14 * 24 * 60
WHICH: Final = {"this": "only this time", "following": "this and all later ones", "all": "all its times"}
_REWRITER: Final = Rewriter()


@dataclass(frozen=True, slots=True)
class Meant:
    """The event that is meant: the one time that the user knows, and the whole as it lies in its calendar."""

    event: Event
    held: Held
    repeats: bool

    @property
    def title(self) -> str:
        return one_line(self.event.summary or "(no title)", 150)


async def resolve_change(
    ctx: ToolContext,
    event: str,
    day: str = "",
    start: str = "",
    minutes: Annotated[int, Field(ge=0, le=_LONGEST)] = 0,
    title: str = "",
    location: str = "",
    notes: str = "",
    which: Which = "",
    reason: str = "",
) -> ResolvedEffect:
    """Args:
    event: words of its title
    day: which day it is on now, e.g. "friday", if the title alone does not say
    start: the new time, e.g. "friday 14:00"
    minutes: how long it takes from then on; 0: as before
    title: the new title
    location: the new place
    notes: the new description
    which: of a series: this (the one time, the default) or all
    reason: why, shown to the user
    """  # noqa: D415
    if which == "following":
        raise ToolError("'following' can be cancelled, not changed; say this or all")
    meant = await _meant(ctx, event, day)
    changes: Json = {
        name: _text(value) for name, value in
        (("summary", title), ("location", location), ("description", notes)) if value.strip()
    }  # fmt: skip
    begins, ends = meant.event.start, meant.event.end
    if start.strip():
        begins, said_end = await _time(ctx, start, meant)
        ends = said_end or begins + (ends - meant.event.start)
    if minutes:
        ends = begins + minutes * 60
    if (begins, ends) != (meant.event.start, meant.event.end):
        changes |= {"start": begins, "end": ends}
    if not changes:
        raise ToolError("it is so already; say what is to change")
    return await _changed(ctx, meant, changes, which or "this")


async def _time(ctx: ToolContext, start: str, meant: Meant) -> tuple[float, float]:
    """Return the new start, and the end if it is said; an hour alone is meant on the event's own day."""
    try:
        reading = await times_of(ctx).read(start)
    except TimeAskedError as asked:
        raise await ask_which(ctx, ctx.of(CalendarParts).announce, asked, meant.title, "start") from asked
    except ValueError as error:
        raise ToolError(str(error)) from error
    if reading.rrule:
        raise ToolError(f"{one_line(start, 60)!r} comes again and again; say one time")
    at = reading.at - reading.at % 60
    if reading.whole_days and not meant.event.all_day:  # a day alone: the hour stays
        wall, day = (datetime.fromtimestamp(each, ctx.zone) for each in (meant.event.start, reading.at))
        at = day.replace(hour=wall.hour, minute=wall.minute, second=0, microsecond=0).timestamp()
        return at, 0.0
    return at, reading.end or 0.0


def _text(value: str) -> str:
    return shorten(sendable(value).strip(), 5000)


async def _meant(ctx: ToolContext, words: str, day: str) -> Meant:
    """Return the event that ``words`` of its title name. Raises ``ToolError`` if none is meant, or several are."""
    agenda, calendars = ctx.of(CalendarParts).agenda, ctx.of(CalendarParts).calendars
    if agenda is None:
        raise ToolError("no calendar is configured; set calendar.paths")
    now = ctx.clock.now()
    begin, end = now - BACK, now + AHEAD
    if day.strip():
        try:
            at = (await times_of(ctx).read(day)).at
        except ValueError as error:
            raise ToolError(str(error)) from error
        first = datetime.fromtimestamp(at, ctx.zone).replace(hour=0, minute=0, second=0, microsecond=0)
        begin, end = first.timestamp(), (first + timedelta(days=1)).timestamp()
    wanted = words.casefold().split()
    if not wanted:
        raise ToolError("'event' is empty; say words of its title")
    there = [Event.of(each.data()) for each in await agenda.between(begin, end)]
    if uid := uid_in(words):
        there = [each for each in there if each.uid == uid]
    else:
        there = [each for each in there if all(word in each.summary.casefold() for word in wanted)]
    found = [each for each in there if each.end > begin]
    exact = [each for each in found if each.summary.casefold().split() == wanted]
    ahead = [each for each in exact or found if each.end > now] or exact or found
    several = list(dict.fromkeys(map(_key, ahead)))
    if not ahead:
        left_out = "; not all of the calendar could be read" if agenda.defects else ""
        raise ToolError(f"no event is called {one_line(words, 60)!r}{' then' if day.strip() else ''}{left_out}")
    if len(several) > 1:
        raise await _asked_which(ctx, words, [next(one for one in ahead if _key(one) == key) for key in several])
    event = ahead[0]
    if event.calendar == INVITED:
        raise ToolError(f"“{one_line(event.summary, 80)}” is an invitation; answer it")
    held = await calendars.held(event.calendar, event.uid) if isinstance(calendars, Rewritable) else None
    if held is None:
        raise ToolError(f"“{one_line(event.summary, 80)}” is in {event.calendar}, which can't be written to from here")
    return Meant(event, held, event.repeats or bool(event.recurrence))


def _key(event: Event) -> tuple[str, str]:
    return event.calendar, event.uid


async def _asked_which(ctx: ToolContext, words: str, firsts: Sequence[Event]) -> ToolError:
    """Ask which of several events is meant; of each its next time. Return the error to raise, which names them."""
    named = [f"“{one_line(each.summary, 60)}” {_day(ctx, each)}" for each in firsts[:NAMED]]
    more = f" and {len(firsts) - NAMED} more" if len(firsts) > NAMED else ""
    refused = f"several events are meant: {', '.join(named)}{more}; say which, with its day"
    if more or len({each.uid for each in firsts}) < len(firsts):
        return ToolError(refused)
    choices: list[Json] = [
        {
            "words": said,
            "arguments": {"event": by_uid(each.uid), "day": f"{datetime.fromtimestamp(each.start, ctx.zone):%Y-%m-%d}"},
            "field": "event",
        }
        for said, each in zip(named, firsts, strict=True)
    ]
    return await offered(ctx, ctx.of(CalendarParts).announce, f"Which: {one_line(words, 60)}?", choices, refused)


async def _changed(ctx: ToolContext, meant: Meant, changes: Json, which: str) -> ResolvedEffect:
    event = meant.event
    if event.answer and (whom := _whose(ctx, event)):
        raise ToolError(f"“{one_line(event.summary, 80)}” is {whom}'s; propose another time to them instead")
    of = event.start if meant.repeats and which == "this" else None
    try:
        text = await asyncio.to_thread(
            _REWRITER.edited, pieces_of(meant.held.text), changes, of, event.start,
            ctx.time.zone_name, ctx.clock.now(),
        )  # fmt: skip
    except ValueError as error:
        raise ToolError(str(error)) from error
    lines = [CardLine("Event", f"{meant.title}, {when_of(ctx, event.start, event.end, event.all_day)}", settled=True)]
    if meant.repeats:
        lines.append(CardLine("Which", WHICH[which], settled=True))
    if "start" in changes:
        lines.append(CardLine("New time", when_of(ctx, changes["start"], changes["end"], event.all_day)))
        agenda = ctx.of(CalendarParts).agenda
        if agenda is not None and not event.all_day:
            beside = await taken_beside(agenda, changes["start"], changes["end"], event.uid)
            lines += [CardLine("Overlaps", titles_of(beside))] if beside else []
    for name, label in (("summary", "New title"), ("location", "New place"), ("description", "New notes")):
        if name in changes:
            lines.append(CardLine(label, changes[name], multiline=name == "description"))
    times: list[object] = [changes.get("start", event.start), changes.get("end", event.end)]
    if meant.repeats and which == "all":  # the event as a whole begins with its first time, which is not read here
        times = [None, None]
    after: list[object] = [changes.get("summary", event.summary), *times]
    what = "Move" if "start" in changes else "Change"
    return _effect(ctx, meant, f"{what} {meant.title}", lines, text, after)


async def resolve_cancel(
    ctx: ToolContext, event: str, day: str = "", which: Which = "", reason: str = ""
) -> ResolvedEffect:
    """Args:
    event: words of its title
    day: which day it is on, e.g. "friday", if the title alone does not say
    which: of a series: this (the one time, the default), following (it and all later ones) or all
    reason: why, shown to the user
    """  # noqa: D415
    meant = await _meant(ctx, event, day)
    one = meant.event
    which = which or "this"
    text = ""
    if meant.repeats and which != "all":
        try:
            text = await asyncio.to_thread(
                lambda: _REWRITER.removed(
                    pieces_of(meant.held.text), one.start,
                    following=which == "following", zone=ctx.time.zone_name, now=ctx.clock.now(),
                )
            )  # fmt: skip
        except ValueError as error:
            raise ToolError(str(error)) from error
    lines = [CardLine("Event", f"{meant.title}, {when_of(ctx, one.start, one.end, one.all_day)}", settled=True)]
    if meant.repeats:
        lines.append(CardLine("Which", WHICH[which], settled=True))
    return _effect(ctx, meant, f"Cancel {meant.title}", lines, text, [])


def _effect(
    ctx: ToolContext, meant: Meant, what: str, lines: list[CardLine], text: str, after: list[object]
) -> ResolvedEffect:
    held, event = meant.held, meant.event
    others = [each for each in event.attendees if each != event.organizer]
    if whom := _whose(ctx, event):
        lines.append(CardLine("Told", f"{whom}, whose event it is, is not told; declining tells them", settled=True))
    elif others:
        lines.append(CardLine("Told", f"Pepper tells none of the {len(others)} others; your server may", settled=True))
    lines.append(CardLine("Calendar", event.calendar, settled=True))
    payload: Json = {
        "held": {"place": held.place, "at": held.at, "version": held.version}, "text": text, "uid": event.uid,
        "calendar": event.calendar, "what": what, "after": after,
    }  # fmt: skip
    return ctx.effect(account="", summary=one_line(f"{what} in {event.calendar}", 200), lines=lines, payload=payload)


def _whose(ctx: ToolContext, event: Event) -> str:
    """Return who else has made the event; empty if the user did, or nobody is named."""
    own = {each.lower() for each in ctx.of(CalendarParts).own}
    return "" if event.organizer in own else one_line(event.organizer, 80)


def _day(ctx: ToolContext, event: Event) -> str:
    at = datetime.fromtimestamp(event.start, ctx.zone)
    return f"{at:%a} {at.day} {at:%b}" + ("" if event.all_day else f" {at:%H:%M}")


async def probe_change(ctx: ToolContext, effect: ResolvedEffect) -> bool | None:
    """Check whether the calendar has it as approved."""
    calendars = ctx.of(CalendarParts).calendars
    if not isinstance(calendars, Rewritable):
        return None
    return await calendars.stands(Held(**effect.payload["held"]), str(effect.payload["text"]))


def same_change(payload: Json) -> Json:
    """Return a change without what is new each time."""
    return {name: payload[name] for name in ("uid", "calendar", "what", "after")}


async def _perform(ctx: ToolContext, effect: ResolvedEffect) -> str:
    payload, calendars = effect.payload, ctx.of(CalendarParts).calendars
    if not isinstance(calendars, Rewritable):
        raise NotDoneError("no calendar is configured any more")
    await note_change(ctx, str(payload["uid"]), str(payload["calendar"]), payload["after"])
    return await calendars.rewrite(Held(**payload["held"]), str(payload["text"]))


async def note_change(ctx: ToolContext, uid: str, calendar: str, after: list[object]) -> None:
    """Note that Pepper changes an event, before it does: then it is no news.

    ``after``: its title, start and end from then on, the times as None where they are not known; nothing: it goes.
    """
    noted = {"id": changed_id(uid), "call": ctx.call.id, "at": ctx.clock.now(), "calendar": calendar, "after": after}
    await ctx.store.store(noted, namespace=Namespace.ADDED, context_id=changed_id(uid))


def changed_id(uid: str) -> str:
    """Return the id of the note that Pepper has changed the event with this UID."""
    return f"changed:{uid}"


@tool(
    effect=Effect.WRITE, resolve=resolve_change, probe=probe_change, same=same_change, taints=False, name="change_event"
)
async def change_event(ctx: ToolContext, effect: ResolvedEffect) -> str:
    """Move an event of the user's, or change its title, place or notes. The user approves it first."""
    return await _perform(ctx, effect)


@tool(
    effect=Effect.WRITE, resolve=resolve_cancel, probe=probe_change, same=same_change, taints=False, name="cancel_event"
)
async def cancel_event(ctx: ToolContext, effect: ResolvedEffect) -> str:
    """Cancel an event of the user's, or some times of it: it is removed. The user approves it first."""
    return await _perform(ctx, effect)
