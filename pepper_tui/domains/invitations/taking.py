"""From the calendar part of a mail to the agenda.

A request puts the event into the calendar ``invitations``; a later one, or a cancellation, changes it there, if it
comes from its organizer and the user's server has not found the sender to be false. Everything else is told, and
changes nothing: whoever knows a UID can write it into a mail.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from pepper_tui.domains.calendar.bounded import CalendarParser
from pepper_tui.domains.calendar.event import INVITED, UNANSWERED
from pepper_tui.domains.calendar.objects import OBJECTS, CalendarObject, put_objects
from pepper_tui.domains.calendar.pieces import Piece, calendar_of, pieces_of
from pepper_tui.domains.calendar.telling.event_signals import day_to_answer
from pepper_tui.domains.calendar.telling.settled_cards import RAW as EVENTS
from pepper_tui.domains.calendar.writing.rewriter import Rewriter
from pepper_tui.domains.invitations.message import Message, messages
from pepper_tui.domains.invitations.record import (
    Invitation,
    invitation_id,
    invitation_to,
    object_of,
    put_invitation,
)
from pepper_tui.domains.invitations.settling import listen_for_answers
from pepper_tui.domains.invitations.signals import answered, changed, signal, title_of, when
from pepper_tui.domains.mail.facts.signs import Signs
from pepper_tui.domains.mail.intake.raw_mail import RAW
from pepper_tui.domains.mail.intake.signals import by_own_hand
from pepper_tui.feeds.feed import FeedContext, store_signal
from pepper_tui.feeds.triage import Triage
from pepper_tui.model import ContextFilter, ContextUpdate, Json, Priority
from pepper_tui.text import one_line
from pepper_tui.text.addresses import compared, untagged

SUBSCRIPTION: Final = "feeds.invitations"
DEADLINE: Final = 10.0  # seconds for the events of one mail
_NOT_FOR_THE_USER: Final = ("junk", "trash", "drafts")


class Invitations:
    """Takes the invitations of all accounts. ``signs``: what is known of senders."""

    def __init__(
        self,
        triage: Triage,
        signs: Signs,
        parser: CalendarParser | None = None,
        rewriter: Rewriter | None = None,
    ) -> None:
        self._triage, self._signs = triage, signs
        self._parser, self._rewriter = parser or CalendarParser(), rewriter or Rewriter()

    def listen(self, ctx: FeedContext) -> None:
        """Register the processor."""

        async def process(updates: list[ContextUpdate]) -> None:
            for update in updates:
                if not update.deleted:
                    async with ctx.processing(update.seq):
                        await self._take(ctx, update.context.data)

        listen_for_answers(ctx, self._rewriter, self._own_addresses)
        # one a unit: a later mail about the same event must read what an earlier one has come to
        ctx.subscriber.on_context_batch(
            namespaces=[RAW], size=1, longest_wait=0.0, name=SUBSCRIPTION, start="now", wanted=_holds_one
        )(process)

    async def _take(self, ctx: FeedContext, raw: Json) -> None:
        if raw.get("use") in _NOT_FOR_THE_USER:
            return
        try:
            found = await asyncio.to_thread(
                messages, raw["invitation"], self._parser, time.monotonic() + DEADLINE
            )  # fmt: skip
        except ValueError as error:
            why = one_line(str(error), 160)
            words = f"An invitation that can't be read ({why}): {one_line(raw['subject'], 120)}"
            await self._tell(ctx, raw, words, "unread")
            return
        await self._signs.learn(ctx.store)
        for message in found:
            if self._triage.is_own(raw["sender"]["address"]):
                await self._own(ctx, raw, message)
            elif message.method == "REQUEST":
                await self._asked(ctx, raw, message)
            elif message.method == "CANCEL":
                await self._cancelled(ctx, raw, message)
            elif message.method in ("REPLY", "COUNTER"):
                known = bool(await _in_a_calendar(ctx, message.uid))
                await self._tell(ctx, raw, *answered(raw, message, ctx.zone, known=known), uid=message.uid)
            else:
                words = f"{message.method.capitalize()} of an invitation: {title_of(message)}"
                await self._tell(ctx, raw, words, "unread")

    async def _own(self, ctx: FeedContext, raw: Json, message: Message) -> None:
        """Take what the user has answered with another program."""
        invitation = await invitation_to(ctx.store, message.uid)
        if message.method != "REPLY" or invitation is None or not by_own_hand(raw) or raw.get("backlog"):
            return
        for one in message.said:
            answer = next((answer for who, answer in one["fields"]["answers"] if self._is_mine(who)), "")
            single = bool(one["recurrence"])
            if not answer or (answer == invitation.answer and not single):
                continue
            of = _seconds(one["times"][0], ctx) if single else None
            held, own = await _held(ctx, invitation.id), self._own_addresses()
            text = await asyncio.to_thread(
                self._rewriter.answered, held, own, invitation.address, "", answer, of, str(ctx.zone)
            )
            invitation = invitation if single else replace(invitation, answer=answer)
            await self._put(ctx, invitation, text, first=False)

    async def _asked(self, ctx: FeedContext, raw: Json, message: Message) -> None:
        known = await invitation_to(ctx.store, message.uid)
        if self._is_mine(message.organizer):
            return  # the user's own event comes back, say from a list
        if known is not None and known.unheard:
            if known.may_change(message.organizer) and message.edition <= known.edition:
                return
            known = None
        if known is None:
            held: Sequence[Piece] = message.pieces
        else:
            if not await self._may_change(ctx, raw, message, known, "has changed"):
                return
            held = message.pieces
            if not message.is_whole:
                held = [*await self._beside(ctx, known, message), *message.pieces]
        invitation = self._invitation(ctx, raw, message, known)
        await self._put(ctx, invitation, calendar_of(held), first=bool(raw.get("backlog")))
        if known is not None:
            await self._tell_of_held(ctx, raw, message, known)

    async def _cancelled(self, ctx: FeedContext, raw: Json, message: Message) -> None:
        known = await invitation_to(ctx.store, message.uid)
        if known is None or known.unheard:
            if message.is_whole and compared(raw["sender"]["address"]) == compared(message.organizer):
                unheard = replace(self._invitation(ctx, raw, message, None), mail="", cancelled=True)
                await put_invitation(ctx.store, unheard)
            words = f"Cancelled: {title_of(message)} — {when(message, ctx.zone)}"
            await self._tell(ctx, raw, words, "cancelled", uid=message.uid)
            return
        if not await self._may_change(ctx, raw, message, known, "was cancelled"):
            return
        there = await _held(ctx, known.id) if message.is_whole else message.pieces
        text = await asyncio.to_thread(self._rewriter.cancelled, there)
        if not message.is_whole:
            text = calendar_of([*await self._beside(ctx, known, message), *pieces_of(text)])
        sequence, stamp = message.edition
        await self._put(
            ctx, replace(known, sequence=sequence, stamp=stamp, cancelled=message.is_whole), text, first=False
        )
        await self._tell_of_held(ctx, raw, message, known)

    async def _tell_of_held(self, ctx: FeedContext, raw: Json, message: Message, known: Invitation) -> None:
        """Tell what has changed of an event that a calendar of the user's holds: there it is changed only by a yes."""
        tags = [f"uid:{message.uid}"]
        found = await ctx.store.query(ContextFilter(namespaces=[EVENTS], types=["event"], tags=tags, limit=None))
        kept = [each.data for each in found if each.data["calendar"] != INVITED and not each.data["gone"]]
        if kept:
            told = changed(raw, message, known, str(kept[0]["calendar"]), ctx.zone)
            ends = 0.0 if message.main["repeats"] else _seconds(message.main["times"][1], ctx)
            one = {"start": _seconds(message.main["times"][0], ctx), "all_day": message.fields["all_day"]}
            day = "" if message.is_whole else day_to_answer(one, ctx.zone)
            await store_signal(ctx.store, signal(raw, *told, self._triage, ctx.clock.now(), message.uid, ends, day))

    async def _may_change(
        self, ctx: FeedContext, raw: Json, message: Message, known: Invitation, what: str
    ) -> bool:  # fmt: skip
        """Check whether a mail may change what is known; say so if it may not."""
        if message.edition <= known.edition:
            return False  # the same once more, or an earlier one that came late
        sender, false = str(raw["sender"]["address"]), self._signs.servers.authentic(raw) is False
        if known.may_change(sender) and not false and not raw.get("several_senders"):
            return True
        doubt = "may not be who it seems" if false else f"is not its organizer, {known.organizer}"
        words = f"{one_line(sender, 80)} says that “{one_line(known.title, 80)}” {what}, but {doubt}"
        await self._tell(ctx, raw, words, "doubted", uid=message.uid)
        return False

    async def _beside(self, ctx: FeedContext, known: Invitation, message: Message) -> list[Piece]:
        """Return what is known of a series besides those single times that ``message`` is about."""
        there = await _held(ctx, known.id)
        said = await asyncio.to_thread(self._parser.events, there, time.monotonic() + DEADLINE)
        changed = {one["recurrence"] for one in message.said}
        kept = []
        for piece in there:
            one = said.get(piece.digest)
            if not isinstance(one, dict) or one["recurrence"] not in changed:
                kept.append(piece)
        return kept

    def _invitation(self, ctx: FeedContext, raw: Json, message: Message, known: Invitation | None) -> Invitation:
        fields, (sequence, stamp) = message.fields, message.edition
        answers = [(str(who), str(answer)) for who, answer in fields["answers"] if self._is_mine(who)]
        address, answer = answers[0] if answers else (known.address if known else "", "needs-action")
        start, end = (_seconds(each, ctx) for each in message.main["times"])
        sender, sent_by = compared(raw["sender"]["address"]), compared(str(message.main["sent_by"]))
        trusted = [compared(message.organizer), *([sent_by] if sender == sent_by else [])]
        return Invitation(
            id=invitation_id(message.uid),
            uid=message.uid,
            title=title_of(message),
            start=start,
            end=end,
            organizer=message.organizer,
            name=str(fields["organizer_name"]),
            trusted=known.trusted if known is not None else trusted,
            address=address,
            mail=raw["id"],
            sequence=sequence,
            stamp=stamp,
            all_day=bool(fields["all_day"]),
            repeats=any(bool(one["repeats"]) for one in message.said),
            answer=answer or UNANSWERED,
        )

    async def _put(self, ctx: FeedContext, invitation: Invitation, text: str, *, first: bool) -> None:
        async with ctx.store.unit():
            await put_invitation(ctx.store, invitation)
            await put_objects(ctx.store, [object_of(invitation, text, first=first)])

    async def _tell(
        self, ctx: FeedContext, raw: Json, words: str, kind: str, priority: Priority = Priority.NORMAL, uid: str = ""
    ) -> None:
        told = signal(raw, words, kind, priority, self._triage, ctx.clock.now(), uid)
        await store_signal(ctx.store, told)

    def _is_mine(self, address: str) -> bool:
        return self._triage.is_own(address.lower()) or untagged(address.lower()) in self._own_addresses()

    def _own_addresses(self) -> list[str]:
        return [untagged(each) for each in self._triage.own]


def _holds_one(update: ContextUpdate) -> bool:
    return bool(update.context.data.get("invitation"))


async def _in_a_calendar(ctx: FeedContext, uid: str) -> int:
    return await ctx.store.count(ContextFilter(namespaces=[EVENTS], tags=[f"uid:{uid}"]))


async def _held(ctx: FeedContext, ident: str) -> list[Piece]:
    """Return the events of an invitation as they are in the agenda."""
    held = CalendarObject.one(await ctx.store.get(ident, namespace=OBJECTS))
    return pieces_of(held.text) if held is not None and not held.gone else []


def _seconds(at: float | str, ctx: FeedContext) -> float:
    return datetime.fromisoformat(at).replace(tzinfo=ctx.zone).timestamp() if isinstance(at, str) else float(at)
