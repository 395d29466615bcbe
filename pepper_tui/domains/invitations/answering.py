"""Which invitation is meant, and what an answer to it comes to: a mail to its organizer, and the event as answered."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from pepper_tui.domains.calendar.bounded import CalendarParser
from pepper_tui.domains.calendar.conflicts import taken_beside
from pepper_tui.domains.calendar.event import INVITED, UNANSWERED, Event, by_uid, uid_in
from pepper_tui.domains.calendar.objects import OBJECTS, CalendarObject
from pepper_tui.domains.calendar.parts import CalendarParts
from pepper_tui.domains.calendar.pieces import Piece, inside_of, pieces_of
from pepper_tui.domains.calendar.telling.event_signals import is_one_time
from pepper_tui.domains.calendar.telling.settled_cards import RAW as EVENTS
from pepper_tui.domains.calendar.telling.when import when_of
from pepper_tui.domains.calendar.writer import AllCalendars, Held
from pepper_tui.domains.calendar.writing.rewriter import Rewriter
from pepper_tui.domains.invitations.record import INVITATIONS, Invitation, invitation_id, invitation_to
from pepper_tui.domains.mail.intake.raw_mail import RAW as MAILS
from pepper_tui.domains.mail.parts import MailParts
from pepper_tui.domains.mail.writing.accounts import Writer
from pepper_tui.model import ContextFilter, Json
from pepper_tui.store import Store
from pepper_tui.text import one_line
from pepper_tui.text.addresses import compared, untagged
from pepper_tui.tools.approvals.choices import offered
from pepper_tui.tools.errors import ToolError
from pepper_tui.tools.tool import ToolContext
from pepper_tui.tools.tool_store import ToolStore

Answer = Literal["accept", "tentative", "decline"]
PARTSTAT: Final[dict[Answer, str]] = {"accept": "accepted", "tentative": "tentative", "decline": "declined"}
_NAMED: Final = 5  # invitations that an error names
_AHEAD: Final = 366 * 86400.0  # seconds in which an answered event is looked for


@dataclass(frozen=True, slots=True)
class InvitationParts:
    """What the tool is built with besides the parts of mail and calendar. ``own``: the user's addresses."""

    own: Collection[str] = ()
    rewriter: Rewriter = field(default_factory=Rewriter)
    parser: CalendarParser = field(default_factory=CalendarParser)


@dataclass(frozen=True, slots=True)
class Asked:
    """An event that the user is asked to. ``event`` is its record in ``raw.calendar``.

    ``text`` is a calendar of it, ``held`` where it lies in a calendar of the user's, and ``known`` what a mail has said
    of it, each if there is one. ``of`` is the start of the one time of a series that is meant; None: all of the event.
    """

    event: Json
    text: str
    held: Held | None
    known: Invitation | None
    of: float | None = None

    @property
    def uid(self) -> str:
        return str(self.event["uid"])

    @property
    def title(self) -> str:
        return one_line(str(self.event["summary"]) or "(no title)", 150)

    @property
    def organizer(self) -> str:
        return str(self.event["organizer"])

    @property
    def pieces(self) -> list[Piece]:
        return pieces_of(self.text)

    def address(self, own: Collection[str]) -> str:
        """Return the user's address that was invited; empty if none is named."""
        plain = {untagged(compared(each)) for each in own}
        found = next((each for each in self.event["attendees"] if untagged(compared(each)) in plain), "")
        return str(found) or (self.known.address if self.known is not None else "")


async def meant(ctx: ToolContext, said: str, then: tuple[float, float] | None = None) -> Asked:
    """Return the invitation that ``said`` means: a card's choice, its mail, words of its title or of who asks.

    Empty: the one that waits.

    ``then``: what has a time in that span goes before, also if it was answered.

    Raises ``ToolError`` if none is meant, or more than one.
    """
    store, now = ctx.store, ctx.clock.now()
    if (uid := uid_in(said)) and (found := await _events(store, [f"uid:{uid}"])):
        return await _asked(ctx, _soonest(found, now))
    waiting = [each for each in await _events(store, [UNANSWERED]) if each["recurrence"] or each["end"] > now]
    if said:
        words = said.casefold().split()
        mails = {each.uid for each in await _by_mail(store, said)}
        waiting = [
            each
            for each in waiting
            if each["uid"] in mails
            or all(word in f"{each['summary']} {each['organizer']}".casefold() for word in words)
        ]
    if said and not waiting:  # answered already: the user thinks better of it
        waiting = await _answered_ahead(ctx, said.casefold().split())
    if then is not None:
        waiting = await _on_that_day(ctx, waiting, said.casefold().split(), then)
    uids = dict.fromkeys(str(each["uid"]) for each in waiting)
    if not uids:
        raise ToolError(f"no invitation waits for your answer{f' that {one_line(said, 60)!r} means' if said else ''}")
    if len(uids) > 1:
        raise await _asked_which(ctx, [_soonest([one for one in waiting if one["uid"] == uid], now) for uid in uids])
    return await _asked(ctx, _soonest(waiting, now))


async def _asked_which(ctx: ToolContext, several: Sequence[Json]) -> ToolError:
    """Ask which of several invitations is meant; return the error to raise, which names them."""
    named = [f"“{one_line(str(each['summary']), 60)}”" for each in several[:_NAMED]]
    more = f" and {len(several) - _NAMED} more" if len(several) > _NAMED else ""
    refused = f"several invitations wait for your answer: {', '.join(named)}{more}; say which"
    choices: list[Json] = [
        {
            "words": f"{words}, {when_of(ctx, each['start'], each['end'], each['all_day'])}",
            "arguments": {"invitation": by_uid(str(each["uid"]))},
            "field": "invitation",
        }
        for words, each in zip(named, several, strict=False)
    ]
    announce = None if more else ctx.of(CalendarParts).announce
    return await offered(ctx, announce, "Which invitation?", choices, refused)


def writer_for(ctx: ToolContext, asked: Asked, mail: Json | None, own: Collection[str]) -> Writer:
    """Return who answers: the identity that was invited, else the one that answers the mail. Raises ``ToolError``."""
    accounts = ctx.of(MailParts).accounts
    if address := asked.address(own):
        try:
            return accounts.named(address, str((mail or {}).get("account") or ""))
        except ToolError:
            if mail is None:
                raise
    return accounts.answering(mail) if mail is not None else accounts.default()


async def mail_of(ctx: ToolContext, asked: Asked) -> Json | None:
    """Return the mail that has asked, if one has."""
    found = await ctx.store.get(asked.known.mail, namespace=MAILS) if asked.known is not None else None
    return found.data if found is not None else None


async def destination(ctx: ToolContext, asked: Asked, answer: Answer, wanted: str) -> Json:
    """Return where the answered event goes besides the reply, for the payload of the effect.

    Where a calendar of the user's holds it, that is changed: then nothing. Nor if the user does not come, or to one
    time alone: the others would take time there that the user has not said yes to. ``wanted`` names the calendar; empty
    for the first. Raises ``ToolError`` if it can't go where it is wanted.
    """
    calendars = ctx.of(CalendarParts).calendars
    if asked.held is not None or not isinstance(calendars, AllCalendars) or answer == "decline":
        return {}
    if asked.of is not None:
        if wanted:
            raise ToolError("one time alone goes only into a calendar that holds its series; answer all of it first")
        return {}
    try:
        place = await calendars.place_of_others(asked.uid, wanted)
        found = await calendars.look(place, inside_of(asked.pieces) + b"\r\n")
    except ToolError:
        if wanted:
            raise
        return {}  # the agenda shows it from the invitation
    return {
        "place": place,
        "several": len(await calendars.names()) > 1,
        "title": calendars.title(place),
        "calendar": calendars.calendar(place),
        "before": found.version,
    }


async def overlapping(ctx: ToolContext, asked: Asked, proposed: tuple[float, float] | None) -> list[Event]:
    """Return what takes the user's time then already."""
    agenda = ctx.of(CalendarParts).agenda
    if agenda is None or asked.event["all_day"]:
        return []
    start, end = proposed or (float(asked.event["start"]), float(asked.event["end"]))
    return await taken_beside(agenda, start, end, asked.uid)


async def rewritten(ctx: ToolContext, asked: Asked, address: str, name: str, answer: Answer) -> str:
    """Return the calendar of the event with the user's answer."""
    parts = ctx.of(InvitationParts)
    own = [untagged(compared(each)) for each in parts.own]
    try:
        return await asyncio.to_thread(
            parts.rewriter.answered, asked.pieces, own, address, name, PARTSTAT[answer], asked.of, ctx.time.zone_name
        )  # fmt: skip
    except ValueError as error:
        raise ToolError(str(error)) from error


async def replied(
    ctx: ToolContext, asked: Asked, address: str, name: str, answer: Answer, note: str,
    proposed: tuple[float, float] | None,
) -> str:  # fmt: skip
    """Return the answer as its organizer gets it; with ``proposed``, start and end of another time."""
    try:
        return await asyncio.to_thread(
            ctx.of(InvitationParts).rewriter.reply, asked.pieces, address, name, PARTSTAT[answer], note,
            ctx.clock.now(), proposed, asked.of, ctx.time.zone_name,
        )  # fmt: skip
    except ValueError as error:
        raise ToolError(str(error)) from error


async def _events(store: Store | ToolStore, tags: Sequence[str]) -> list[Json]:
    wanted = ContextFilter(namespaces=[EVENTS], types=["event"], tags=[*tags], limit=None, newest_first=False)
    found = [context.data for context in await store.query(wanted)]
    return [each for each in found if not each["gone"] and each["status"] != "CANCELLED"]


async def _on_that_day(
    ctx: ToolContext, waiting: Sequence[Json], words: Sequence[str], then: tuple[float, float]
) -> list[Json]:
    """Return what of ``waiting`` has a time then; if none has, what was answered and has; else all of it."""
    agenda = ctx.of(CalendarParts).agenda
    there = {each.data()["uid"] for each in await agenda.between(*then)} if agenda is not None else set()
    return [each for each in waiting if each["uid"] in there] or await _answered_ahead(ctx, words, then) or [*waiting]


async def _answered_ahead(
    ctx: ToolContext, words: Sequence[str], then: tuple[float, float] | None = None
) -> list[Json]:  # fmt: skip
    """Return what others have asked the user to, and they have answered, by words of its title."""
    agenda, now = ctx.of(CalendarParts).agenda, ctx.clock.now()
    if agenda is None:
        return []
    own = {untagged(compared(each)) for each in ctx.of(InvitationParts).own}
    there = [each.data() for each in await agenda.between(*(then or (now, now + _AHEAD)))]
    asked = [each for each in there if each.get("answer") and untagged(compared(str(each["organizer"]))) not in own]
    uids = {str(each["uid"]) for each in asked if all(word in str(each["summary"]).casefold() for word in words)}
    return [each for uid in sorted(uids) for each in await _events(ctx.store, [f"uid:{uid}"])]


async def _by_mail(store: Store | ToolStore, said: str) -> list[Invitation]:
    found = await store.query(ContextFilter(namespaces=[INVITATIONS], tags=[f"mail:{said}"], limit=None))
    return Invitation.readable(found)


def _soonest(events: Sequence[Json], now: float) -> Json:
    """Return the event itself, from a calendar of the user's if one has it."""
    return min(
        events,
        key=lambda each: (each["calendar"] == INVITED, is_one_time(each), each["end"] <= now, each["start"]),
    )


async def _asked(ctx: ToolContext, event: Json) -> Asked:
    uid, calendars = str(event["uid"]), ctx.of(CalendarParts).calendars
    known = await invitation_to(ctx.store, uid)
    if event["calendar"] == INVITED:
        found = CalendarObject.one(await ctx.store.get(invitation_id(uid), namespace=OBJECTS))
        if found is None or found.gone:
            raise ToolError(f"“{one_line(str(event['summary']), 80)}” is there no more")
        return Asked(event, found.text, None, known)
    held = await calendars.held(str(event["calendar"]), uid) if isinstance(calendars, AllCalendars) else None
    if held is None:
        raise ToolError(
            f"“{one_line(str(event['summary']), 80)}” is in {one_line(str(event['calendar']), 60)}, which can't be "
            "written to from here; answer it where it comes from"
        )
    there = [each for each in await _events(ctx.store, [f"uid:{uid}"]) if each["calendar"] == event["calendar"]]
    if known is not None and not known.cancelled and _is_newer(known, there or [event]):
        found = CalendarObject.one(await ctx.store.get(known.id, namespace=OBJECTS))
        if found is not None and not found.gone:
            now = {**event, "start": known.start, "end": known.end, "summary": known.title, "all_day": known.all_day}
            return Asked(now, found.text, held, known)
    return Asked(event, held.text, held, known)


def _is_newer(known: Invitation, there: Sequence[Json]) -> bool:
    """Check whether the organizer has asked for something else than is ``there``, in a calendar of the user's.

    A series, or the one time of it that was asked for last.
    """
    same = [each for each in there if (each["start"], each["end"]) == (known.start, known.end)]
    again = known.answer == UNANSWERED and not any(each.get("answer") == UNANSWERED for each in same)
    return again or not same
