"""The user's acts on cards and notifications: approve, reject, edit, file, dismiss, snooze."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Sequence
from datetime import tzinfo

from pepper_tui.clock import Clock, iso, moment
from pepper_tui.clock.words import TimeAskedError, TimeReader
from pepper_tui.domains.notices.inbox import Inbox, InboxError
from pepper_tui.engine.acts.one_act import card_moved, one_act, parted, settled
from pepper_tui.engine.acts.undo import Recording, UndoJournal
from pepper_tui.model import Approval, ApprovalState, ChoiceError, Effect, EngineError, Moved, Namespace
from pepper_tui.store import ContextStore
from pepper_tui.tools.approvals.approvals import Approvals


class CardActs:
    """Acts on cards and notifications. ``zone`` is the user's; the end of a snooze is told in it."""

    def __init__(
        self,
        store: ContextStore,
        clock: Clock,
        times: TimeReader,
        zone: tzinfo,
        inbox: Inbox,
        approvals: Approvals,
        journal: UndoJournal,
    ) -> None:
        self._store, self._clock, self._times, self._zone = store, clock, times, zone
        self._inbox, self._approvals, self._journal = inbox, approvals, journal

    async def approve(self, approval_id: str) -> str:
        async with one_act(self._journal) as act:
            act.words = await self._approvals.approve(approval_id)
            act.moved = [card_moved(approval_id, "approved")]
        return act.words

    async def reject(self, approval_id: str, note: str = "") -> str:
        async with one_act(self._journal) as act:
            act.words = await self._approvals.reject(approval_id, note)
            act.moved = [card_moved(approval_id, "rejected", note=note)]
        return act.words

    async def edit(self, approval_id: str, fields: dict[str, str], typed: Collection[str] = ()) -> str:
        async with one_act(self._journal) as act:
            await self._approvals.edit(approval_id, fields, typed)
            act.words = "edited"
            act.moved = [card_moved(approval_id, "edited", fields=fields, typed=[*typed])]
        return "saved as a new card; it still waits for your yes"

    async def done(self, *refs: str) -> str:
        """File notifications as done. An approval among them is their card's draft and is rejected with them."""
        cards, notices = parted(*refs)
        if not notices:
            raise EngineError("a proposal is approved or rejected")
        return await self._close(cards, notices, dismiss=False)

    async def dismiss(self, *refs: str) -> str:
        """Dismiss notifications, with their draft as in ``done``; an approval alone is rejected."""
        cards, notices = parted(*refs)
        return await self._close(cards, notices, dismiss=True) if notices else await self.reject(cards[0])

    async def _close(self, cards: Sequence[str], notices: Sequence[str], *, dismiss: bool) -> str:
        """Close a card's notifications, and reject its draft if that is still pending."""
        async with one_act(self._journal) as act:
            not_done = await self._without_draft(act, cards)
            act.words, moved = await (self._inbox.dismiss if dismiss else self._inbox.done)(*notices)
            act.moved += moved
        return "; ".join(filter(None, [act.words, not_done]))

    async def end(self, act: Recording, *refs: str) -> str:
        """Close, as a part of ``act``, what is still open of these items; return words on a draft among them."""
        items = [ref for ref in refs if ref.startswith(("approval:", "notification:"))]
        cards, notices = parted(*items)
        not_done = await self._without_draft(act, cards)
        if notices:
            with contextlib.suppress(InboxError):  # they ended meanwhile
                act.moved += (await self._inbox.done(*notices))[1]
        return not_done

    async def _without_draft(self, act: Recording, cards: Sequence[str]) -> str:
        """Reject the draft of a card, if it is still pending, as a part of ``act``; return words on it."""
        draft = await self._waiting(cards[0]) if cards else None
        if draft is None:
            return ""
        await self._approvals.reject(draft.id)
        act.moved += [card_moved(draft.id, "rejected")]
        call = await self._store.get(draft.call, namespace=Namespace.TOOL_CALL)
        sends = call is not None and call.data.get("effect") == Effect.SEND
        return "its draft is not sent" if sends else "what it proposed is not done"

    async def _waiting(self, approval_id: str) -> Approval | None:
        card = Approval.one(await self._store.get(approval_id, namespace=Namespace.APPROVAL))
        return card if card and card.state is ApprovalState.PENDING else None

    async def snooze(self, when: str, *refs: str) -> str:
        """Snooze everything on one card: its draft, its notifications, or both."""
        cards, notices = parted(*refs)
        until = await self._moment(when)
        async with one_act(self._journal) as act:
            if cards:
                act.words = await self._approvals.snooze(cards[0], until)
                act.moved = [card_moved(cards[0], "snoozed", until=until)]
            if notices:
                words, moved = await self._inbox.snooze(until, *notices)
                act.words = act.words or words
                act.moved += moved
        return f"{act.words}, until {moment(until, self._zone, self._clock.now())}"

    async def _moment(self, words: str) -> float:
        try:
            return await self._times.moment(words)
        except TimeAskedError as asked:
            choices = [(self._times.said(each), iso(each.at, self._zone)) for each in asked.choices]
            raise ChoiceError(str(asked), choices) from asked
        except ValueError as error:
            raise ChoiceError(str(error), []) from error


class CardMoves:
    """Undo and redo of acts on approvals."""

    def __init__(self, approvals: Approvals) -> None:
        self._approvals = approvals

    async def back(self, moved: Sequence[Moved]) -> str:
        with settled():
            return await self._approvals.take_back(moved[0].id, moved[0].to)

    async def again(self, moved: Sequence[Moved]) -> str:
        with settled():
            return await self._approvals.do_again(moved[0].id, moved[0].to, moved[0].detail)
