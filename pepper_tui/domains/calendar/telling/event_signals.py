"""What has happened to an event, as a signal: it is new, was moved, changed or cancelled, or begins soon.

An event that others have asked the user to, and that waits for the answer, is told as an invitation.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import Final

from pepper_tui.domains.calendar.agenda import Agenda
from pepper_tui.domains.calendar.conflicts import taken_beside, titles_of
from pepper_tui.domains.calendar.event import INVITED, UNANSWERED
from pepper_tui.domains.calendar.meeting.joining import joined_at, owner_of
from pepper_tui.domains.calendar.meeting.link import is_place
from pepper_tui.domains.calendar.telling.starting import before_it, starting, why_told
from pepper_tui.domains.calendar.writing.change_tools import changed_id
from pepper_tui.feeds.feed import FeedContext
from pepper_tui.feeds.triage import Triage
from pepper_tui.model import BACKLOG, ContextFilter, ContextUpdate, Facts, Json, Namespace, Priority, Signal
from pepper_tui.text import one_line, shorten

NAME: Final = "calendar"
_COPIES: Final = 500  # events of one UID that are compared
_NAMED: Final = 5  # people that a card names
_JUST: Final = 120.0  # seconds from a change of Pepper's until it is seen, at the latest
_PLACE: Final = 80  # characters of a place in a signal's line
_TEXT: Final = 600  # characters of a description on a card
_SHOWN: Final = {
    "summary": "title",
    "location": "place",
    "description": "text",
    "link": "link",
    "status": "status",
    "attendees": "people",
}
"""What is told of if it has changed, and what a person calls it."""
_OF_THE_USER: Final = ("answer", "busy", "backlog", "zone", "first")
"""What may change without anybody else doing anything."""


class EventSignals:
    """Makes the signals of ``events``, the namespace of the events as they were stored."""

    def __init__(self, triage: Triage, agenda: Agenda, events: str) -> None:
        self._triage, self._agenda, self._namespace = triage, agenda, events

    async def of(self, ctx: FeedContext, update: ContextUpdate) -> Signal:
        """Return the signal of one version of an event."""
        raw = update.context.data
        soon = update.context.type == "starts_soon"
        before: Json | None = None
        if update.context.version > 1 and not soon:
            found = await ctx.store.get(
                update.context.context_id, namespace=self._namespace, version=update.context.version - 1
            )
            before = found.data if found is not None else None
        verb, kind = self._what(raw, update.context.version, before) if not soon else ("Starts", "soon")
        when = _when(raw, ctx.zone)
        if soon:
            verb, when = starting(raw, ctx.zone)
        reason = why_told(raw) if soon else _REASONS.get(kind, f"{kind} in your calendar")
        facts = event_facts(
            raw, Priority.HIGH if soon else Priority.NORMAL, reason, minutes=raw["minutes"] if soon else 0
        )
        priority, reason, rules = self._triage.judge(facts)
        if quiet := await self._quiet(ctx, update, before, soon=soon):
            priority, reason, rules = Priority.LOG, quiet, ()
        metadata: Json = {
            "raw": raw["id"], "uid": raw["uid"], "summary": raw["summary"], "start": raw["start"], "end": raw["end"],
            "all_day": raw["all_day"], "location": raw["location"], "organizer": raw["organizer"],
            "attendees": raw["attendees"][:20], "calendar": raw["calendar"], "kind": kind,
            "with_others": self._by_others(raw),
        }  # fmt: skip
        if rules:
            metadata["rules"] = list(rules)
        if raw.get("link"):
            metadata["link"] = raw["link"]
        if soon and (text := before_it(raw, ctx.zone)):
            metadata["text"] = text
        if kind in _ASKING and raw.get("answer") == UNANSWERED and self._by_others(raw):
            metadata["asks"] = True
            metadata["answer_by"] = None if raw["recurrence"] else raw["end"]
            if is_one_time(raw):
                metadata["day"] = day_to_answer(raw, ctx.zone)
            if priority is not Priority.LOG:
                metadata["text"] = await self._details(ctx, raw)
        told = raw["location"] and not (soon and raw.get("link") and not is_place(raw["location"]))
        place = f", {one_line(raw['location'], _PLACE)}" if told else ""
        place += f", join at {owner_of(raw['link'])}" if soon and raw.get("link") else ""
        summary = one_line(raw["summary"] or "(no title)", 150)
        return Signal(
            id=f"signal_{raw['id']}" + ("" if soon else f"_{update.context.version}"),
            content=one_line(f"{verb}: {summary} — {when}{place}{_changed(kind, before, raw, ctx.zone)}", 320),
            created_at=update.context.updated_at,
            priority=priority,
            source=NAME,
            reason=reason,
            matter=await matter_of(ctx, raw, self._namespace),
            metadata=metadata,
            matter_kind="state",
        )

    def _what(self, raw: Json, version: int, before: Json | None) -> tuple[str, str]:
        """Return what has happened to an event, as the first words of its line, and the kind of the signal."""
        if raw["gone"] and raw["calendar"] == INVITED:
            return "In your calendar", "kept"
        if raw["gone"] or raw["status"] == "CANCELLED":
            return "Cancelled", "cancelled"
        if version == 1 or before is None or before["gone"]:
            asked = raw.get("answer") == UNANSWERED and self._by_others(raw)
            return ("Invitation", "invitation") if asked else ("New event", "new event")
        moved = (before["start"], before["end"]) != (raw["start"], raw["end"])
        return ("Moved", "moved") if moved else ("Changed", "changed")

    async def _quiet(self, ctx: FeedContext, update: ContextUpdate, before: Json | None, *, soon: bool) -> str:
        """Return why nobody needs to be told; empty if somebody may."""
        raw = update.context.data
        if raw.get("backlog"):
            return BACKLOG
        if soon:
            return ""
        if raw["end"] <= ctx.clock.now() and not raw["recurrence"]:
            return "it is over"
        if update.context.version == 1 and not is_one_time(raw) and await added_by_pepper(ctx, raw) is not None:
            return "Pepper added it, with your yes"
        if await _changed_by_pepper(ctx, raw, update.context.updated_at):
            return "Pepper changed it, with your yes"
        if before is not None and _without(before) == _without({name: raw[name] for name in before if name in raw}):
            return "only your own answer has changed"
        return ""

    def _by_others(self, raw: Json) -> bool:
        """Check whether somebody else has made the event."""
        organizer = str(raw["organizer"])
        return bool(organizer) and not self._triage.is_own(organizer)

    async def _details(self, ctx: FeedContext, raw: Json) -> str:
        """Return what a person needs to answer an invitation, in lines."""
        lines = [f"When: {_when(raw, ctx.zone, end=True)}"]
        if raw["recurrence"]:
            lines.append(f"Repeats: {one_line(raw['recurrence'], 120)}")
        if len(raw["location"]) > _PLACE:  # the line above the card's text has a shorter one whole
            lines.append(f"Where: {one_line(raw['location'], 500)}")
        if raw.get("link"):
            lines.append(f"Join: {joined_at(raw['link'])}")
        name, address = one_line(raw.get("organizer_name", ""), 60), one_line(raw["organizer"], 100)
        lines.append(f"From: {name} ({address})" if name and name != address else f"From: {address}")
        others = [each for each in raw["attendees"] if not self._triage.is_own(each)]
        if others:
            more = f" and {len(others) - _NAMED} more" if len(others) > _NAMED else ""
            lines.append(f"With: {', '.join(one_line(each, 60) for each in others[:_NAMED])}{more}")
        if not raw["all_day"]:
            beside = await taken_beside(self._agenda, raw["start"], raw["end"], raw["uid"])
            free = "You are free then, as far as Pepper sees."
            lines.append(f"Overlaps: {titles_of(beside)}" if beside else free)
            if self._agenda.defects:
                lines.append("Not all of the calendar could be read, so more may overlap.")
        if raw["calendar"] != INVITED:
            lines.append(f"In: {one_line(raw['calendar'], 60)}")
        described = shorten(str(raw["description"]).strip(), _TEXT)
        return "\n".join([*lines, *(["", described] if described else [])])


_ASKING: Final = frozenset({"invitation", "moved", "changed"})
"""Kinds of signals that ask, as long as the user has not answered."""
_REASONS: Final = {"invitation": "you are invited, and have not answered"}


def _when(raw: Json, zone: tzinfo, *, end: bool = False) -> str:
    start, ends = (datetime.fromtimestamp(raw[name], zone) for name in ("start", "end"))
    if raw["all_day"]:
        return f"{start:%a %d %b}, all day"
    until = f"{ends:%H:%M}" if ends.date() == start.date() else f"{ends:%a %d %b %H:%M}"
    return f"{start:%a %d %b %H:%M}" + (f"–{until}" if end else "")


def is_one_time(event: Json) -> bool:
    """Check whether an event, as it is stored, is a changed time of a series."""
    return str(event["recurrence"])[:8].isdigit()


def day_to_answer(event: Json, zone: tzinfo) -> str:
    """Return the words that name the day and hour of a single time of a series."""
    return f"{datetime.fromtimestamp(event['start'], zone):{'%Y-%m-%d' if event['all_day'] else '%Y-%m-%d %H:%M'}}"


def _changed(kind: str, before: Json | None, raw: Json, zone: tzinfo) -> str:
    """Return what it was before, or what of it is another now."""
    if before is None or kind not in ("moved", "changed"):
        return ""
    if kind == "moved":
        same_day = [datetime.fromtimestamp(each["start"], zone).date() for each in (before, raw)]
        was = _when(before, zone)
        if before["start"] == raw["start"]:
            ends = datetime.fromtimestamp(raw["end"], zone)
            return f" (now until {ends:%H:%M})" if not raw["all_day"] else " (its last day changed)"
        if same_day[0] == same_day[1] and not before["all_day"]:
            was = f"{datetime.fromtimestamp(before['start'], zone):%H:%M}"
        return f" (was {was})"
    named = [words for name, words in _SHOWN.items() if before.get(name, raw.get(name)) != raw.get(name)]
    return f" ({', '.join(named)})" if named else ""


def _without(event: Json) -> Json:
    return {name: value for name, value in event.items() if name not in _OF_THE_USER}


async def added_by_pepper(ctx: FeedContext, event: Json) -> Json | None:
    """Return the record that Pepper added ``event``, if it did."""
    found = await ctx.store.get(event["uid"], namespace=Namespace.ADDED)
    same = found is not None and found.data.get("calendar", event["calendar"]) == event["calendar"]
    return found.data if found is not None and same else None


async def _changed_by_pepper(ctx: FeedContext, event: Json, at: float) -> bool:
    """Check whether ``event``, as it was seen ``at``, is as Pepper has made it, or gone since Pepper has removed it.

    What is left of a series whose later times Pepper has just removed is an event by itself, as its rule is another.
    Several of its times may have been changed since the last look.
    """
    found = await ctx.store.get(changed_id(event["uid"]), namespace=Namespace.ADDED)
    while found is not None and not _is_that_change(found.data, event, at):
        if at - found.data["at"] > _JUST or found.version == 1:
            return False
        found = await ctx.store.get(found.context_id, namespace=Namespace.ADDED, version=found.version - 1)
    return found is not None


def _is_that_change(noted: Json, event: Json, at: float) -> bool:
    if noted.get("calendar") != event["calendar"]:
        return False
    just = at - noted["at"] <= _JUST
    if after := noted["after"]:
        title, *times = after
        same = title == event["summary"] and not event["gone"]
        return bool(same and (just if times[0] is None else times == [event["start"], event["end"]]))
    left = "FREQ=" in event["recurrence"] and just
    return bool(event["gone"]) or event["status"] == "CANCELLED" or left


async def matter_of(ctx: FeedContext, event: Json, namespace: str) -> str:
    """Return the matter of ``event``: its UID in its calendar, or in the one that had the same event first."""
    uid, calendar = event["uid"], event["calendar"]
    wanted = ContextFilter(
        namespaces=[namespace], types=["event"], tags=[f"uid:{uid}"], limit=_COPIES, newest_first=False
    )
    known = await ctx.store.query(wanted)
    own = [_words(one.data) for one in known if one.data["calendar"] == calendar]
    copies = sorted((one.created_at, one.context_id, one.data["calendar"]) for one in known if _words(one.data) in own)
    return f"event:{copies[0][2] if copies else calendar}:{uid}"


def _words(event: Json) -> Sequence[object]:
    """Return everything that a copy of an event must share with it."""
    shared = ("summary", "start", "end", "location", "description", "organizer", "status", "recurrence", "gone")
    return [event.get(name) for name in shared]


def event_facts(raw: Json, priority: Priority = Priority.NORMAL, reason: str = "", minutes: int = 0) -> Facts:
    """Return the facts of an event for triage; ``minutes``: how long before its start."""
    return Facts(
        source=NAME,
        sender=raw["organizer"],
        subject=raw["summary"],
        text=f"{raw['description']}\n{raw['location']}",
        labels=[*raw["categories"], raw["calendar"]],
        priority=priority,
        reason=reason,
        minutes=minutes,
    )
