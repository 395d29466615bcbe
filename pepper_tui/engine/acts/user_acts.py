"""The user's acts at the screen, on inbox items, calls and rules: decided, recorded, undone.

Each act is one commit with its record in the undo journal. A ``ref`` names one item: ``approval:<id>`` or
``notification:<id>``. All methods return words for the status line and raise ``EngineError``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import tzinfo

from pepper_tui.clock import Clock
from pepper_tui.clock.words import TimeReader
from pepper_tui.domains.mail.at_source.elsewhere import ReadEnds
from pepper_tui.domains.notices.inbox import Inbox
from pepper_tui.engine.acts.call_acts import CallActs
from pepper_tui.engine.acts.card_acts import CardActs, CardMoves
from pepper_tui.engine.acts.draft_acts import DraftActs, Drafting, DraftMoves
from pepper_tui.engine.acts.filing_acts import CallMoves, FilingActs, FilingMoves, Orders
from pepper_tui.engine.acts.local_writes import KEPT, LocalWrites
from pepper_tui.engine.acts.one_act import one_act
from pepper_tui.engine.acts.question_acts import AnswerMoves, OrderMoves, QuestionActs
from pepper_tui.engine.acts.undo import Room, UndoJournal
from pepper_tui.engine.acts.user_rules import UserRules
from pepper_tui.model import Acted, Namespace
from pepper_tui.store import ContextStore
from pepper_tui.tools import ToolEngine


class UserActs:
    """The acts of one user at one screen, grouped by subject; ``journal`` undoes them."""

    def __init__(
        self,
        store: ContextStore,
        clock: Clock,
        times: TimeReader,
        zone: tzinfo,
        inbox: Inbox,
        tools: ToolEngine,
        rules: UserRules,
        orders: Orders,
        drafting: Drafting,
        read_ends: ReadEnds,
    ) -> None:
        approvals, writes = tools.approvals, LocalWrites(store, clock)
        rooms: Mapping[str, Room] = {
            Namespace.NOTIFICATION: inbox,
            Namespace.APPROVAL: CardMoves(approvals),
            Namespace.RULE: rules.changes,
            Namespace.TOOL_CALL: CallMoves(
                {
                    "ordered": OrderMoves(store, clock, inbox, approvals, writes),
                    "filed": FilingMoves(orders),
                    "drafted": DraftMoves(drafting),
                }
            ),
            Namespace.USER_ANSWER: AnswerMoves(),
            **dict.fromkeys(KEPT, writes),
        }
        self.journal = UndoJournal(store, clock, rooms)
        self.cards = CardActs(store, clock, times, zone, inbox, approvals, self.journal)
        self.filing = FilingActs(orders, self.cards, self.journal, read_ends)
        self.drafts = DraftActs(drafting, self.journal)
        self.questions = QuestionActs(store, clock, inbox, tools, self.journal)
        self.calls = CallActs(store, tools, writes, self.journal)
        self._rules = rules

    async def pause_rule(self, rule_id: str) -> str:
        return await self._change(rule_id, self._rules.changes.pause)

    async def resume_rule(self, rule_id: str) -> str:
        return await self._change(rule_id, self._rules.changes.resume)

    async def remove_rule(self, rule_id: str) -> str:
        return await self._change(rule_id, self._rules.changes.remove)

    async def _change(self, rule_id: str, change: Callable[[str], Awaitable[Acted]]) -> str:
        async with one_act(self.journal) as act:
            act.words, act.moved = await change((await self._rules.stands(rule_id)).id)
        return act.words
