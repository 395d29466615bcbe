"""Answering an invitation: a mail to its organizer after the user's yes, and the answer in the user's calendar.

The calendar comes first, since that can be done twice without harm; then the mail goes out, by the same road as any
other. So a kill in between leaves nothing half-told: what became of the mail is looked up like that of any mail.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, Final

from pydantic import Field

from pepper_tui.domains.calendar.conflicts import titles_of
from pepper_tui.domains.calendar.event import by_uid
from pepper_tui.domains.calendar.parts import CalendarParts
from pepper_tui.domains.calendar.telling.when import when_of
from pepper_tui.domains.calendar.writer import AllCalendars, Held
from pepper_tui.domains.calendar.writing.change_tools import WHICH, note_change
from pepper_tui.domains.invitations.answering import (
    Answer,
    Asked,
    InvitationParts,
    destination,
    mail_of,
    meant,
    overlapping,
    replied,
    rewritten,
    writer_for,
)
from pepper_tui.domains.invitations.record import invitation_to
from pepper_tui.domains.invitations.single import When, day_said, one_time, what_asks
from pepper_tui.domains.mail import message as mail_message
from pepper_tui.domains.mail.parts import MailParts
from pepper_tui.domains.mail.tools.composing import Note, compose, mail_account
from pepper_tui.domains.mail.tools.sending import fate_of_mail, perform_mail, probe_mail
from pepper_tui.model import CardLine, Effect, Json, Namespace, ResolvedEffect
from pepper_tui.text import one_line, sendable
from pepper_tui.text.addresses import compared
from pepper_tui.tools.errors import NotDoneError, OutdatedError, ToolError
from pepper_tui.tools.times import times_of
from pepper_tui.tools.tool import Tool, ToolContext, tool

MAX_NOTE: Final = 2_000
_SAID: Final[dict[Answer, str]] = {
    "accept": "accepts", "tentative": "accepts for now, tentatively,", "decline": "declines",
}  # fmt: skip
_SUBJECTS: Final[dict[Answer, str]] = {"accept": "Accepted", "tentative": "Tentative", "decline": "Declined"}
_ANSWERS: Final[dict[Answer, str]] = {"accept": "yes", "tentative": "maybe", "decline": "no"}


async def resolve_answer(
    ctx: ToolContext,
    invitation: str,
    answer: Answer,
    note: Annotated[str, Field(max_length=MAX_NOTE)] = "",
    propose: str = "",
    calendar: str = "",
    day: str = "",
) -> ResolvedEffect:
    """Args:
    invitation: words of its title or of who asks, or its id; empty if only one waits
    answer: what the user says
    note: words of the user's to the organizer
    propose: another time to propose instead, e.g. "tomorrow 10:00"
    calendar: the name of the calendar that it goes into; empty for the first one of the config
    day: of a series, the one time that is meant, e.g. "friday" or "2027-01-19"; "all": each of them; empty: what asks
    """  # noqa: D415
    when = await day_said(ctx, day.strip())
    asked = await meant(ctx, invitation.strip(), (when.begin, when.end) if when is not None else None)
    if when is not None:
        asked = await one_time(ctx, asked, when)
    elif not day.strip():
        asked = await what_asks(ctx, asked)
    if asked.known is not None and asked.known.cancelled:
        raise ToolError(f"“{asked.title}” was cancelled")
    if (asked.of is not None or not asked.event["recurrence"]) and asked.event["end"] <= ctx.clock.now():
        raise ToolError(f"“{asked.title}” is over")
    if not asked.organizer:
        raise ToolError(f"“{asked.title}” names nobody to answer")
    proposed = await _proposed(ctx, asked, propose) if propose.strip() else None
    if proposed is not None and answer == "accept":
        answer = "tentative"  # a time that is not the one asked for is no yes
    return await _effect(ctx, asked, answer, note, proposed, into=calendar.strip())


async def _proposed(ctx: ToolContext, asked: Asked, propose: str) -> tuple[float, float]:
    """Return start and end of the time that is proposed: as long as the event, if no end is said."""
    try:
        reading = await times_of(ctx).read(propose)
    except ValueError as error:
        raise ToolError(str(error)) from error
    if reading.rrule:
        raise ToolError(f"{one_line(propose, 60)!r} comes again and again; propose one time")
    start = reading.at - reading.at % 60
    return start, reading.end or start + float(asked.event["end"]) - float(asked.event["start"])


async def _effect(
    ctx: ToolContext,
    asked: Asked,
    answer: Answer,
    note: str,
    proposed: tuple[float, float] | None,
    body: str = "",
    into: str = "",
) -> ResolvedEffect:
    parts = ctx.of(InvitationParts)
    mail = await mail_of(ctx, asked)
    writer = writer_for(ctx, asked, mail, parts.own)
    address = asked.address(parts.own) or writer.identity.address
    note = sendable(note).strip()
    when, name = when_of(ctx, asked.event["start"], asked.event["end"], asked.event["all_day"]), writer.identity.name
    other = f" Proposed instead: {when_of(ctx, *proposed, False)}." if proposed else ""
    verb = "proposes another time for" if proposed else _SAID[answer]
    said = f"{name or address} {verb} “{asked.title}”, {when}.{other}\n" + (f"\n{note}\n" if note else "")
    text = await replied(ctx, asked, address, name, answer, note, proposed)
    subject = f"{'New time proposed' if proposed else _SUBJECTS[answer]}: {asked.title}"
    fields: Json = {
        "to": mail_message.parse_addresses(asked.organizer, "organizer"), "cc": [],
        "subject": mail_message.one_header(subject[: mail_message.MAX_SUBJECT], "subject"), "body": body or said,
        "in_reply_to": str((mail or {}).get("message_id") or ""), "references": [], "quoted": "", "quote": "none",
        "calendar": ["COUNTER" if proposed else "REPLY", text],
    }  # fmt: skip
    same = compared(address) == compared(writer.identity.address)
    written = None if same else Note(f"{one_line(address, 80)} was invited, and can't send", loud=True)
    composed = await compose(ctx, writer, fields, note=_by_whom(asked, mail), written=written)
    whither = await destination(ctx, asked, answer, into)
    beside = [] if answer == "decline" else await overlapping(ctx, asked, proposed)
    told: Json = {
        "uid": asked.uid,
        "edition": [*asked.known.edition] if asked.known else [],
        "answer": answer,
        "of": asked.of,
        "who": [address, name],
        "note": note,
        "proposed": [*proposed] if proposed else [],
        "held": {"place": asked.held.place, "at": asked.held.at, "version": asked.held.version} if asked.held else {},
        "text": await rewritten(ctx, asked, address, name, answer),
        "add": whither,
        "into": into,
        "after": [asked.event["summary"], asked.event["start"], asked.event["end"]],
        "beside": [each.uid for each in (await overlapping(ctx, asked, None) if beside or proposed else ())],
        "calendar": whither["calendar"] if whither else str(asked.event["calendar"]),
    }
    lines = [
        CardLine("Answer", "another time" if proposed else _ANSWERS[answer], settled=True),
        CardLine("Event", f"{asked.title}, {when}", settled=True),
        *_which(asked),
        *([CardLine("Proposed", when_of(ctx, *proposed, False), settled=True)] if proposed else []),
        *([CardLine("Overlaps", titles_of(beside), settled=True)] if beside else []),
        *_goes_to(asked, whither),
        *(replace(line, editable=line.label == "Body") for line in composed.lines),
    ]
    return replace(composed, lines=lines, payload={**composed.payload, "told": told})


def _by_whom(asked: Asked, mail: Json | None) -> Note:
    """Return what the card says of the organizer, to whom the answer goes."""
    if mail is None or compared(mail["sender"]["address"]) == compared(asked.organizer):
        return Note(quiet=True)
    return Note(f"the invitation came from {one_line(mail['sender']['address'], 80)}", loud=True)


def _which(asked: Asked) -> list[CardLine]:
    if asked.of is not None:
        return [CardLine("Which", WHICH["this"], settled=True)]
    return [CardLine("Which", WHICH["all"], settled=True)] if asked.event["recurrence"] else []


def _goes_to(asked: Asked, whither: Json) -> list[CardLine]:
    if asked.held is not None:
        return [CardLine("Calendar", str(asked.event["calendar"]), settled=True)]
    if not whither:
        return []
    return [CardLine("Goes into", str(whither["title"]), editable=whither["several"], settled=not whither["several"])]


async def revise_answer(ctx: ToolContext, effect: ResolvedEffect, fields: dict[str, str]) -> ResolvedEffect:
    """Return the answer with the user's own text."""
    told = effect.payload["told"]
    asked = await meant(ctx, by_uid(str(told["uid"])))
    if told.get("of") is not None:
        asked = await one_time(ctx, asked, When.at(float(told["of"]), ctx.zone))
    proposed = (float(told["proposed"][0]), float(told["proposed"][1])) if told["proposed"] else None
    body = sendable(fields.get("body", str(effect.payload["fields"]["body"]))).rstrip() + "\n"
    into = fields.get("goes into", "").strip()
    if not into or into == told["add"].get("title"):
        into = str(told["into"])
    return await _effect(ctx, asked, told["answer"], str(told["note"]), proposed, body, into)


async def _keep(ctx: ToolContext, told: Json) -> None:
    """Put the answer into the user's calendar. Raises ``NotDoneError``."""
    calendars, uid = ctx.of(CalendarParts).calendars, str(told["uid"])
    if told["beside"]:  # the card has named them: they are no news as a conflict
        noted = {"id": uid, "call": ctx.call.id, "at": ctx.clock.now(), "beside": told["beside"]}
        noted["calendar"] = told["calendar"]
        await ctx.store.store(noted, namespace=Namespace.ADDED, context_id=uid)
    if told.get("of") is not None and not told["held"]:
        await note_change(ctx, uid, str(told["calendar"]), told["after"])
    if not told["held"] and not told["add"]:
        return
    if not isinstance(calendars, AllCalendars):
        raise NotDoneError("no calendar is configured any more")
    if told["held"]:
        await note_change(ctx, uid, str(told["calendar"]), told["after"])
        await calendars.rewrite(Held(**told["held"]), str(told["text"]))
        return
    place = str(told["add"]["place"])
    inside = str(told["text"]).partition("BEGIN:VTIMEZONE")
    event = "".join(inside[1:]) if inside[1] else "BEGIN:VEVENT" + str(told["text"]).partition("BEGIN:VEVENT")[2]
    await calendars.add(
        place, uid, event.rpartition("END:VCALENDAR")[0].encode(), str(told["add"]["before"])
    )  # fmt: skip


def _same(payload: Json) -> Json:
    """Return an answer without what is new each time: its Message-ID, and when it was written."""
    told = payload["told"]
    return {name: told.get(name) for name in ("uid", "answer", "of", "note", "proposed")} | {
        "body": payload["fields"]["body"]
    }


def _account(given: Any, payload: Json) -> str:
    mail = next(each for each in given if isinstance(each, MailParts)) if isinstance(given, tuple) else None
    return mail_account(mail, payload) if mail is not None else ""


@tool(
    effect=Effect.SEND,
    resolve=resolve_answer,
    revise=revise_answer,
    probe=probe_mail,
    account=_account,
    same=_same,
    taints=False,
    timeout=300.0,
    name="answer_invitation",
)
async def _answer_invitation(ctx: ToolContext, effect: ResolvedEffect) -> str:
    """Answer an invitation: accept, tentative or decline, or propose another time. The user approves it first."""
    told = effect.payload["told"]
    known = await invitation_to(ctx.store, str(told["uid"]))
    if known is not None and [*known.edition] != told["edition"]:
        raise OutdatedError(
            f"“{known.title}” was {'cancelled' if known.cancelled else 'changed'} meanwhile; look at it again"
        )
    await _keep(ctx, told)
    return await perform_mail(ctx, effect)


answer_invitation: Final = replace(_answer_invitation, fate=fate_of_mail)


def invitation_tools(mail: MailParts, calendar: CalendarParts, invitations: InvitationParts) -> list[Tool]:
    """Return the tools for invitations."""
    return [answer_invitation.with_given((mail, calendar, invitations))]
