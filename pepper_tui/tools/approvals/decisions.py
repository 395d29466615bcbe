"""The user's decisions about a card (approve, reject, snooze), and its end without one.

An approval holds for exactly the effect that the card binds. A card expires visibly at ``expires_at``, never while
snoozed. If anyone but the user cancels it, it is ``withdrawn``.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace
from typing import Final

from pepper_tui.clock import Clock
from pepper_tui.model import ApprovalState, CallState, Effect
from pepper_tui.text import one_line
from pepper_tui.tools.approvals.cards import WAITING, ApprovalError, Card, Cards, moved, state_words
from pepper_tui.tools.approvals.policy import Policy
from pepper_tui.tools.approvals.windows import APPROVED, Windows

_AFTER_SNOOZE: Final = 86400.0  # a snoozed card stays at least this long after it is back


class Decisions:
    """The user's decisions. ``ttl``: seconds that a card waits for an answer."""

    def __init__(self, cards: Cards, windows: Windows, clock: Clock, ttl: float) -> None:
        self._cards, self._windows, self._clock, self._ttl = cards, windows, clock, ttl

    async def approve(self, approval_id: str) -> str:
        """Approve exactly the effect on the card."""
        card = await self._cards.load(approval_id)
        card.must_be_pending()
        approval, call = card.approval, card.call
        if not card.waits:
            raise ApprovalError("this is no longer waiting for you")
        if approval.expires_at <= self._clock.now():
            await asyncio.create_task(self.expire_due())  # own task: the error below rolls back the caller's unit
            raise ApprovalError("this had expired; nothing was done")
        wrong = Policy.check(card.tool, call, approval.resolved, approval.digest)
        if wrong:
            raise ApprovalError(f"this can't be approved: {wrong}; reject it")
        now, window = self._clock.now(), self._windows.length(call)
        ends = self._windows.ends(call, approval.resolved)
        decided = moved(approval, ApprovalState.APPROVED, decided_at=now, acts_at=ends, snoozed_until=None)
        await self._cards.decide(card, decided, progress=APPROVED)
        what = one_line(approval.resolved.summary, 80)
        if not window:
            return f"approved: {what}"
        act = "sends" if call.effect is Effect.SEND else "done"
        when = f"in {window:g} s" if ends - now <= window else f"at {self._windows.time(ends)}"
        return f"{act} {when}; u takes it back: {what}"

    async def reject(self, approval_id: str, note: str = "") -> str:
        """Reject the card. The call is cancelled, and the same request is refused from now on."""
        card = await self._cards.load(approval_id)
        card.must_be_pending()
        decided = moved(
            card.approval,
            ApprovalState.REJECTED,
            decided_at=self._clock.now(),
            decision_note=note,
            snoozed_until=None,
        )
        said = f" The user's note: {note}" if note else ""
        async with self._cards.deciding():
            await self._cards.put(decided, card.version)
            if card.waits:
                words = f"The user rejected this; nothing was done.{said}"
                await self._cards.ledger.end(card.call, card.call_version, CallState.CANCELLED, words, error="rejected")
        return f"rejected: {one_line(card.approval.resolved.summary, 80)}"

    async def snooze(self, approval_id: str, until: float) -> str:
        """Snooze the card until ``until`` (POSIX seconds).

        It can't expire until a day after that (or ``ttl``, if that is shorter).
        """
        card = await self._cards.load(approval_id)
        card.must_be_pending()
        approval = card.approval
        if until <= self._clock.now():
            raise ApprovalError("that time has passed")
        if approval.expires_at <= self._clock.now():
            raise ApprovalError("this has expired")
        back = min(_AFTER_SNOOZE, self._ttl)
        snoozed = replace(approval, snoozed_until=until, expires_at=max(approval.expires_at, until + back))
        await self._cards.decide(card, snoozed, progress=WAITING)
        return f"snoozed: {one_line(approval.resolved.summary, 80)}"

    async def withdraw(self, approval_id: str, by: str, why: str = "") -> str:
        """End the card and cancel its call: ``rejected`` if by the user, otherwise ``withdrawn``; ``why`` in words."""
        card = await self._cards.load(approval_id)
        approval, call = card.approval, card.call
        if call.state is not CallState.WAITING_APPROVAL:
            raise ApprovalError(f"too late to cancel: it is already {state_words(call)}")
        if approval.state is ApprovalState.APPROVED:
            approval = moved(approval, ApprovalState.PENDING)
        ended = moved(
            approval,
            ApprovalState.REJECTED if by == "user" else ApprovalState.WITHDRAWN,
            decided_at=self._clock.now(),
            decision_note=why or f"cancelled by the {by}",
            snoozed_until=None,
            acts_at=None,
        )
        async with self._cards.deciding():
            await self._cards.put(ended, card.version)
            because = f", as {why}" if why else ""
            words = f"Cancelled by the {by} before it was approved{because}; nothing was done."
            await self._cards.ledger.end(call, card.call_version, CallState.CANCELLED, words, error="cancelled")
        return "cancelled; nothing was done"

    async def expire_due(self) -> list[str]:
        """Expire each pending card that is due, and end each snooze that is over; return the ids of the expired."""
        now = self._clock.now()
        expired = []
        for due in await self._cards.ledger.open_approvals():
            if due.expires_at > now and (due.snoozed_until is None or due.snoozed_until > now):
                continue
            with contextlib.suppress(ApprovalError):
                card = await self._cards.load(due.id)
                approval = card.approval
                if approval.state is not ApprovalState.PENDING:
                    continue
                if approval.expires_at <= now:
                    await self._expire(card)
                    expired.append(approval.id)
                elif approval.snoozed_until is not None and approval.snoozed_until <= now:
                    async with self._cards.deciding():
                        await self._cards.put(replace(approval, snoozed_until=None), card.version)
        return expired

    async def _expire(self, card: Card) -> None:
        ended = moved(card.approval, ApprovalState.EXPIRED, decided_at=self._clock.now(), snoozed_until=None)
        async with self._cards.deciding():
            await self._cards.put(ended, card.version)
            if card.waits:
                words = "The approval expired without an answer; nothing was done."
                await self._cards.ledger.end(card.call, card.call_version, CallState.FAILED, words, error="expired")
