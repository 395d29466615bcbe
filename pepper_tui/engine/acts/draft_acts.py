"""The user's key that puts a card's mail among the drafts of its account. It is proposal and yes in one.

The card ends in the same commit: the mail goes on elsewhere. Undo opens the card again. A draft that lies at the
account by then stays there, and the words say so: another program may have changed it since.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from pepper_tui.clock import Clock
from pepper_tui.domains.mail.parts import MailParts
from pepper_tui.domains.mail.tools.drafting import BY_KEY, draft_effect
from pepper_tui.engine.acts.one_act import card_moved, one_act, settled
from pepper_tui.engine.acts.under_way import CallsUnderWay
from pepper_tui.engine.acts.undo import UndoJournal
from pepper_tui.model import (
    Approval,
    ApprovalState,
    CallState,
    EngineError,
    Moved,
    Namespace,
    ResolvedEffect,
    SettledError,
    ToolCall,
)
from pepper_tui.store import ContextStore
from pepper_tui.text import one_line
from pepper_tui.tools import ToolError
from pepper_tui.tools.approvals.approvals import Approvals

DRAFTED: Final = "drafted"
NOTE: Final = "saved as a draft"
_BY_UNDO: Final = "user's undo"


class Drafting:
    """Orders of the tool that saves drafts, each with its approval. Writes in the caller's unit."""

    def __init__(self, store: ContextStore, clock: Clock, approvals: Approvals, parts: MailParts) -> None:
        self.store, self.clock, self.approvals, self._parts = store, clock, approvals, parts

    def effect(self, card: Approval) -> ResolvedEffect:
        """Return the effect of saving the mail on ``card``. Raises ``EngineError``."""
        try:
            return draft_effect(self._parts, card.resolved)
        except ToolError as error:
            raise EngineError(str(error)) from error

    async def make(self, effect: ResolvedEffect) -> ToolCall:
        arguments = {"message_id": str(effect.payload["message_id"])}
        return await self.approvals.by_key.order(effect, arguments, BY_KEY)


class DraftActs:
    """Saves what the user names by a key."""

    def __init__(self, drafting: Drafting, journal: UndoJournal) -> None:
        self._drafting, self._journal = drafting, journal

    async def save(self, approval_id: str) -> str:
        """See ``MailActs.save_draft``."""
        drafting = self._drafting
        card = await drafting.approvals.by_key.card(approval_id)
        if card is None or card.state is not ApprovalState.PENDING:
            raise EngineError("this card is no longer there")
        effect = drafting.effect(card)
        if why := await drafting.approvals.by_key.not_now(effect):
            raise EngineError(why)
        async with one_act(self._journal) as act:
            await drafting.approvals.reject(card.id, NOTE)
            call = await drafting.make(effect)
            act.words = effect.summary
            act.moved = [
                Moved(Namespace.TOOL_CALL, call.id, DRAFTED),
                card_moved(card.id, "rejected", note=NOTE),
            ]
        return f"{one_line(effect.summary, 120)}; u opens the card again"


class DraftMoves:
    """Undo and redo of saving a draft: what has not begun is withdrawn, what lies at the account stays there."""

    def __init__(self, drafting: Drafting) -> None:
        self._drafting = drafting
        self._under_way = CallsUnderWay(drafting.store, drafting.clock)

    async def back(self, moved: Sequence[Moved]) -> str:
        call = ToolCall.one(await self._drafting.store.get(moved[0].id, namespace=Namespace.TOOL_CALL))
        if call is not None:
            self._under_way.refuse(call, "the draft is being saved")
        if call is not None and call.state is CallState.WAITING_APPROVAL:
            with settled():
                await self._drafting.approvals.withdraw(call.approval, _BY_UNDO)
            return "no draft was saved"
        if call is not None and call.state in (CallState.FAILED, CallState.CANCELLED):
            retry = await self._drafting.approvals.by_key.asked_again(call.approval)
            if retry is not None:
                with settled():
                    await self._drafting.approvals.withdraw(retry.id, _BY_UNDO)
            return "no draft was saved"
        if call is not None and call.state is CallState.UNKNOWN:
            raise SettledError("whether the draft was saved is not known")
        raise SettledError("the draft stays at the account: remove it there if you don't want it")

    async def again(self, moved: Sequence[Moved]) -> str:
        raise EngineError("the card is open again: save it by its key")
