"""What the user does to the items of the inbox, to calls and to rules, at the screen: decided, recorded, taken back.

Each act is one commit with its record in the undo journal. A ``ref`` names one item: ``approval:<id>`` or
``notification:<id>``. All methods return words for the status line and raise ``EngineError``.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import tzinfo
from typing import Final

from pepper_tui.clock import Clock, iso, moment
from pepper_tui.clock.words import TimeAskedError, TimeReader
from pepper_tui.domains.notices.inbox import Inbox
from pepper_tui.engine.acts.local_writes import KEPT, LocalWrites
from pepper_tui.engine.acts.refusals import in_words
from pepper_tui.engine.acts.undo import Recording, Room, UndoJournal
from pepper_tui.engine.acts.user_rules import UserRules
from pepper_tui.model import (
    QUESTION,
    Acted,
    Approval,
    ApprovalState,
    CallState,
    ChoiceError,
    Effect,
    EngineError,
    Json,
    Moved,
    Namespace,
    Notification,
    NotificationState,
    Origin,
    ReminderState,
    SettledError,
    Span,
    ToolCall,
    UnknownAnswer,
    UserAnswer,
    Written,
    whole,
)
from pepper_tui.store import ContextStore
from pepper_tui.text import one_line
from pepper_tui.tools import ApprovalError, ToolEngine
from pepper_tui.tools.approvals.approvals import Approvals
from pepper_tui.tools.approvals.choices import call_of

_BY_UNDO: Final = "user's undo"


class UserActs:
    """The acts of one user at one screen; ``journal`` takes them back."""

    def __init__(
        self,
        store: ContextStore,
        clock: Clock,
        times: TimeReader,
        zone: tzinfo,
        inbox: Inbox,
        tools: ToolEngine,
        rules: UserRules,
    ) -> None:
        self._store, self._clock, self._times, self._zone = store, clock, times, zone
        self._inbox, self._tools, self._approvals, self._rules = inbox, tools, tools.approvals, rules
        self._writes = LocalWrites(store, clock)
        rooms: Mapping[str, Room] = {
            Namespace.NOTIFICATION: inbox,
            Namespace.APPROVAL: _Cards(self._approvals),
            Namespace.RULE: rules.changes,
            Namespace.TOOL_CALL: _Orders(store, inbox, self._approvals, self._writes),
            Namespace.USER_ANSWER: _Answers(),
            **dict.fromkeys(KEPT, self._writes),
        }
        self.journal = UndoJournal(store, clock, rooms)

    # ------------------------------------------------------------------------------------------------ cards

    async def approve(self, approval_id: str) -> str:
        async with self._act() as act:
            act.words = await self._approvals.approve(approval_id)
            act.moved = [_card(approval_id, "approved")]
        return act.words

    async def reject(self, approval_id: str, note: str = "") -> str:
        async with self._act() as act:
            act.words = await self._approvals.reject(approval_id, note)
            act.moved = [_card(approval_id, "rejected", note=note)]
        return act.words

    async def edit(self, approval_id: str, fields: dict[str, str]) -> str:
        async with self._act() as act:
            await self._approvals.edit(approval_id, fields)
            act.words = "edited"
            act.moved = [_card(approval_id, "edited", fields=fields)]
        return "saved as a new card; it still waits for your yes"

    # ------------------------------------------------------------------------------------------------ items

    async def done(self, *refs: str) -> str:
        """File notifications as done. An approval among them is the draft of their card: it is rejected with them."""
        cards, notices = _parted(*refs)
        if not notices:
            raise EngineError("a proposal is approved or rejected")
        return await self._close(cards, notices, dismiss=False)

    async def dismiss(self, *refs: str) -> str:
        """Drop notifications, as ``done``; an approval alone is rejected."""
        cards, notices = _parted(*refs)
        return await self._close(cards, notices, dismiss=True) if notices else await self.reject(cards[0])

    async def _close(self, cards: Sequence[str], notices: Sequence[str], *, dismiss: bool) -> str:
        """Close a card's notifications, and reject its draft with them, if that waits for a yes still."""
        draft = await self._waiting(cards[0]) if cards else None
        async with self._act() as act:
            if draft is not None:
                await self._approvals.reject(draft.id)
                act.moved = [_card(draft.id, "rejected")]
            act.words, moved = await (self._inbox.dismiss if dismiss else self._inbox.done)(*notices)
            act.moved += moved
        if draft is None:
            return act.words
        call = await self._store.get(draft.call, namespace=Namespace.TOOL_CALL)
        sends = call is not None and call.data.get("effect") == Effect.SEND
        return f"{act.words}; {'its draft is not sent' if sends else 'what it proposed is not done'}"

    async def _waiting(self, approval_id: str) -> Approval | None:
        card = Approval.one(await self._store.get(approval_id, namespace=Namespace.APPROVAL))
        return card if card and card.state is ApprovalState.PENDING else None

    async def snooze(self, when: str, *refs: str) -> str:
        """Put away what one card holds: its draft, its notifications, or both."""
        cards, notices = _parted(*refs)
        until = await self._moment(when)
        async with self._act() as act:
            if cards:
                act.words = await self._approvals.snooze(cards[0], until)
                act.moved = [_card(cards[0], "snoozed", until=until)]
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

    async def choose(self, ref: str, number: int) -> str:
        """Answer a question of the inbox by one of its choices, counted from 1."""
        question = await self._question(ref)
        if not 1 <= number <= len(question.choices):
            raise EngineError("that is none of its answers")
        choice = question.choices[number - 1]
        words = f"chosen: {one_line(str(choice['words']), 80)}"
        if question.awaited:
            text = str(choice["words"])
            answer = UserAnswer(question.id, text, self._clock.now(), number)
            return await self._hand_over(question, answer, words)
        return await self._order(question, dict(choice["arguments"]), words)

    async def answer(self, ref: str, text: str, spans: Sequence[Span] | None) -> str:
        """Answer a question of the inbox in words of the user's own. ``spans`` as in ``say``."""
        question = await self._question(ref)
        written = Written(text, tuple(whole(text, Origin.OUTSIDE) if spans is None else spans)).stripped()
        if not written.text:
            raise EngineError("there is nothing to answer")
        words = f"answered: {one_line(written.text, 80)}"
        if question.awaited:
            answer = UserAnswer(question.id, written.text, self._clock.now(), spans=list(written.spans))
            return await self._hand_over(question, answer, words)
        field = str(next((each["field"] for each in question.choices if each.get("field")), ""))
        if not field:
            raise EngineError("choose one of its answers, or say it anew")
        return await self._order(question, {field: written.text}, words)

    async def _question(self, ref: str) -> Notification:
        kind, ident = _split(ref)
        found = await self._store.get(ident, namespace=Namespace.NOTIFICATION)
        question = Notification.one(found)
        if kind != "notification" or question is None or question.kind != QUESTION:
            raise EngineError("that is no question")
        if question.expires_at is not None and question.expires_at <= self._clock.now():
            raise EngineError("this question has expired; say it in the conversation")
        return question

    async def _hand_over(self, question: Notification, answer: UserAnswer, words: str) -> str:
        """The answer, the end of its question, and that of the call that asked: one commit."""
        async with self._act() as act:
            await self._inbox.done(answer.id)
            await self._store.put(answer, namespace=Namespace.USER_ANSWER, text=answer.text, expect_version=0)
            await self._tools.answer_question(question.source.partition(":")[2], answer)
            act.words = words
            act.moved = [Moved(Namespace.USER_ANSWER, answer.id, "answered")]
        return act.words

    async def _order(self, question: Notification, arguments: Json, words: str) -> str:
        async with self._act() as act:
            call = await call_of(self._store, self._clock, question, arguments)
            await self._inbox.done(question.id)
            act.words = words
            act.moved = [Moved(Namespace.TOOL_CALL, call.id, "ordered", {"question": question.id})]
        return act.words

    # ------------------------------------------------------------------------------------------------ calls

    async def answer_unknown(self, call_id: str, answer: UnknownAnswer) -> str:
        with in_words():
            words = await self._tools.answer_unknown(call_id, answer)
        if answer in ("happened", "did_not"):
            await self.journal.record(f"your answer “{answer.replace('_', ' ')}”", [])
        return words

    async def cancel_call(self, call_id: str) -> str:
        """Cancel a call. Only of one that still waits for a yes it can be taken back."""
        call = ToolCall.one(await self._store.get(call_id, namespace=Namespace.TOOL_CALL))
        if call is not None and call.state is CallState.WAITING_APPROVAL:
            async with self._act() as act:
                act.words = await self._approvals.withdraw(call.approval, "user")
                act.moved = [_card(call.approval, "rejected", note="cancelled by the user")]
            return act.words
        with in_words():
            words = await self._tools.cancel(call_id, "user")
        if call is not None and call.state is CallState.SCHEDULED:
            await self.journal.record(words, [])
        return words

    async def ordered(self, call: ToolCall, written: Sequence[tuple[str, str]]) -> None:
        """Record, in the caller's unit, what the user's words have set. The answer to a question has its record."""
        kept = [each for each in written if each[0] in KEPT]
        if kept and not await self.journal.names(call.id):
            moved = [await self._writes.moved(*each) for each in kept]
            await self.journal.record(f"{call.name}: {one_line(str(call.arguments), 80)}", moved)

    # ------------------------------------------------------------------------------------------------ rules

    async def pause_rule(self, rule_id: str) -> str:
        return await self._change(rule_id, self._rules.changes.pause)

    async def resume_rule(self, rule_id: str) -> str:
        return await self._change(rule_id, self._rules.changes.resume)

    async def remove_rule(self, rule_id: str) -> str:
        return await self._change(rule_id, self._rules.changes.remove)

    async def _change(self, rule_id: str, change: Callable[[str], Awaitable[Acted]]) -> str:
        async with self._act() as act:
            act.words, act.moved = await change((await self._rules.stands(rule_id)).id)
        return act.words

    # ------------------------------------------------------------------------------------------------ inside

    @asynccontextmanager
    async def _act(self) -> AsyncIterator[Recording]:
        with in_words():
            async with self.journal.recording() as act:
                yield act


class _Cards:
    """The moves of approvals."""

    def __init__(self, approvals: Approvals) -> None:
        self._approvals = approvals

    async def back(self, moved: Sequence[Moved]) -> str:
        with _settled():
            return await self._approvals.take_back(moved[0].id, moved[0].to)

    async def again(self, moved: Sequence[Moved]) -> str:
        with _settled():
            return await self._approvals.do_again(moved[0].id, moved[0].to, moved[0].detail)


class _Orders:
    """The answers to questions: the question comes back, and the reminder or the card that the answer made goes."""

    def __init__(self, store: ContextStore, inbox: Inbox, approvals: Approvals, writes: LocalWrites) -> None:
        self._store, self._inbox, self._approvals, self._writes = store, inbox, approvals, writes

    async def back(self, moved: Sequence[Moved]) -> str:
        [answer] = moved
        call = ToolCall.one(await self._store.get(answer.id, namespace=Namespace.TOOL_CALL))
        if call is None:
            raise SettledError("what you chose is gone")
        question = Moved(Namespace.NOTIFICATION, str(answer.detail["question"]), str(NotificationState.DONE))
        async with self._store.unit():
            words = await self._undone(call)
            return "; ".join(filter(None, (words, await self._inbox.back([question]))))

    async def _undone(self, call: ToolCall) -> str:
        match call.state:
            case CallState.SCHEDULED:
                raise EngineError("what you chose is being done this moment; press once more")
            case CallState.WAITING_APPROVAL:
                with _settled():
                    return await self._approvals.withdraw(call.approval, _BY_UNDO)
            case CallState.FAILED | CallState.CANCELLED:
                return ""  # nothing came of it
        found = await self._store.get(f"reminder_{call.id}", namespace=Namespace.REMINDER)
        if found is None:
            raise SettledError(f"{one_line(call.summary or call.name, 60)}: it is done already")
        await self._writes.move_reminder(found, ReminderState.CANCELLED)
        return f"no reminder: {one_line(found.text, 60)}"

    async def again(self, moved: Sequence[Moved]) -> str:
        raise SettledError("a question is not answered again: choose on its card")


class _Answers:
    """Answers that a call waits for: it has them at once."""

    async def back(self, moved: Sequence[Moved]) -> str:
        raise SettledError("your answer is with Pepper already; say the other in the conversation")

    async def again(self, moved: Sequence[Moved]) -> str:
        raise SettledError("a question is not answered again")


def _card(approval_id: str, to: str, **detail: object) -> Moved:
    return Moved(Namespace.APPROVAL, approval_id, to, detail)


def _parted(*refs: str) -> tuple[list[str], list[str]]:
    """The ids of the approvals and of the notifications among ``refs``."""
    parted = [_split(ref) for ref in refs]
    return [i for kind, i in parted if kind == "approval"], [i for kind, i in parted if kind == "notification"]


def _split(ref: str) -> tuple[str, str]:
    kind, _, ident = ref.partition(":")
    if kind not in {"approval", "notification"} or not ident:
        raise EngineError("this item has no such act")
    return kind, ident


@contextlib.contextmanager
def _settled() -> Iterator[None]:
    try:
        yield
    except ApprovalError as error:
        raise SettledError(str(error)) from error
