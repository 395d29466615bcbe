"""The user's answers to questions in the inbox: one of the choices, or words of their own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from pepper_tui.clock import Clock
from pepper_tui.domains.notices.inbox import Inbox
from pepper_tui.engine.acts.local_writes import LocalWrites
from pepper_tui.engine.acts.one_act import one_act, settled, split
from pepper_tui.engine.acts.under_way import CallsUnderWay
from pepper_tui.engine.acts.undo import UndoJournal
from pepper_tui.model import (
    QUESTION,
    CallState,
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
    UserAnswer,
    Written,
    whole,
)
from pepper_tui.store import ContextStore
from pepper_tui.text import one_line
from pepper_tui.tools import ToolEngine
from pepper_tui.tools.approvals.approvals import Approvals
from pepper_tui.tools.approvals.choices import call_of

_BY_UNDO: Final = "user's undo"


class QuestionActs:
    """Answers questions. Each answer ends its question in the same commit."""

    def __init__(
        self, store: ContextStore, clock: Clock, inbox: Inbox, tools: ToolEngine, journal: UndoJournal
    ) -> None:
        self._store, self._clock = store, clock
        self._inbox, self._tools, self._journal = inbox, tools, journal

    async def choose(self, ref: str, number: int) -> str:
        """Answer an inbox question with one of its choices, counted from 1."""
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
        """Answer an inbox question in the user's own words. ``spans`` as in ``say``."""
        question = await self._question(ref)
        written = Written(text, tuple(whole(text, Origin.OUTSIDE) if spans is None else spans)).stripped()
        if not written.text:
            raise EngineError("there is nothing to answer")
        words = f"answered: {one_line(written.text, 80)}"
        if question.awaited:
            answer = UserAnswer(question.id, written.text, self._clock.now(), spans=list(written.spans))
            return await self._hand_over(question, answer, words)
        choice = next((each for each in question.choices if each.get("field")), None)
        if choice is None:
            raise EngineError("choose one of its answers, or say it anew")
        given = dict(choice["arguments"]) if choice.get("tool") else {}
        return await self._order(question, {**given, str(choice["field"]): written.text}, words, written.typed())

    async def _question(self, ref: str) -> Notification:
        kind, ident = split(ref)
        found = await self._store.get(ident, namespace=Namespace.NOTIFICATION)
        question = Notification.one(found)
        if kind != "notification" or question is None or question.kind != QUESTION:
            raise EngineError("that is no question")
        if question.expires_at is not None and question.expires_at <= self._clock.now():
            raise EngineError("this question has expired; say it in the conversation")
        return question

    async def _hand_over(self, question: Notification, answer: UserAnswer, words: str) -> str:
        """Store the answer, end its question, and end the call that asked, in one commit."""
        async with one_act(self._journal) as act:
            await self._inbox.done(answer.id)
            await self._store.put(answer, namespace=Namespace.USER_ANSWER, text=answer.text, expect_version=0)
            await self._tools.answer_question(question.source.partition(":")[2], answer)
            act.words = words
            act.moved = [Moved(Namespace.USER_ANSWER, answer.id, "answered")]
        return act.words

    async def _order(
        self, question: Notification, arguments: Json, words: str, typed: Sequence[str] = ()
    ) -> str:  # fmt: skip
        async with one_act(self._journal) as act:
            call = await call_of(self._store, self._clock, question, arguments, [*typed])
            await self._inbox.done(question.id)
            act.words = words
            act.moved = [Moved(Namespace.TOOL_CALL, call.id, "ordered", {"question": question.id})]
        return act.words


class OrderMoves:
    """Undo of answers: the question comes back, and the reminder or card that the answer made is withdrawn."""

    def __init__(
        self, store: ContextStore, clock: Clock, inbox: Inbox, approvals: Approvals, writes: LocalWrites
    ) -> None:
        self._store, self._inbox, self._approvals, self._writes = store, inbox, approvals, writes
        self._under_way = CallsUnderWay(store, clock)

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
        self._under_way.refuse(call, "what you chose is being done")
        match call.state:
            case CallState.WAITING_APPROVAL:
                with settled():
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


class AnswerMoves:
    """Answers that a call was waiting for: the call has them already, so they can't be undone."""

    async def back(self, moved: Sequence[Moved]) -> str:
        raise SettledError("your answer is with Pepper already; say the other in the conversation")

    async def again(self, moved: Sequence[Moved]) -> str:
        raise SettledError("a question is not answered again")
