"""The engine's faces: what a front may ask, by subject. Each method delegates to the part that owns it."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import tzinfo

from pepper_tui.domains.calendar.days.records import DaysPage
from pepper_tui.domains.documents.file_text import FileText
from pepper_tui.domains.mail.listing.records import MailHead, MailPage, ThreadMail
from pepper_tui.domains.notices.inbox import InboxError
from pepper_tui.domains.why.why import Why
from pepper_tui.engine.acts.refusals import in_words
from pepper_tui.engine.acts.user_rules import UserRules
from pepper_tui.engine.building.parts import Parts
from pepper_tui.engine.protocol import CLOSED
from pepper_tui.model import (
    CALL_OPEN,
    HELD_TAG,
    OPEN_TAG,
    SHOWN,
    Context,
    ContextFilter,
    ContextUpdate,
    EngineError,
    Namespace,
    ReplyDelta,
    RuleAct,
    RuleReport,
    Span,
    ToolCall,
    UnknownAnswer,
    UserMessage,
    Written,
)
from pepper_tui.rules import sentence
from pepper_tui.store import ContextStore, VersionConflictError


class Face:
    """What all faces share: access to the parts until the engine is closed."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self._closed = False

    @property
    def store(self) -> ContextStore:
        return self.parts.ground.store

    def _working(self) -> Parts:
        """Return the parts. Raises ``EngineError`` once the engine is closed."""
        if self._closed:
            raise EngineError(CLOSED)
        return self.parts

    def _log(self) -> ContextStore:
        return self._working().ground.store


class ViewFace(Face):
    """Queries for what is shown."""

    @property
    def zone(self) -> tzinfo:
        return self.parts.ground.zone

    @property
    def model_name(self) -> str:
        return self.parts.ground.models.name("scheduler")

    @property
    def offline(self) -> bool:
        return self.parts.ground.models.offline

    async def recall(self, filter: ContextFilter) -> list[Context]:  # noqa: A002
        return await self._log().query(filter)

    async def health(self) -> list[Context]:
        return await self._log().health()

    async def held_back(self, since: float) -> tuple[int, int]:
        signals = ContextFilter(namespaces=[f"{Namespace.SIGNALS}.*"], tags=[HELD_TAG], since=since)
        thoughts = ContextFilter(namespaces=[Namespace.ASSISTANT_LOG], since=since)
        return await self._log().count_at(signals, thoughts)

    @asynccontextmanager
    async def updates(self) -> AsyncIterator[AsyncIterator[list[ContextUpdate]]]:
        async with self._log().watch((*SHOWN, Namespace.STEP)) as live:

            async def batches() -> AsyncIterator[list[ContextUpdate]]:
                missed = 0
                async for batch in live:
                    if live.missed > missed:
                        missed = live.missed
                        yield []
                    yield batch

            yield batches()

    async def replies(self) -> AsyncIterator[ReplyDelta]:
        async for piece in self._working().replies.listen():
            yield piece

    async def why(self, ref: str) -> list[str]:
        ground = self._working().ground
        with in_words():
            return await Why(ground.store, ground.clock, ground.zone).explain(ref)

    async def dead_letters(self) -> list[str]:
        return [letter.words for letter in await self._log().dead()]


class MailFace(Face):
    """All mail, and acts on it."""

    async def mails(
        self, query: str = "", *, first: int = 0, limit: int = 100, newest: bool = False, around: str = ""
    ) -> MailPage:
        return await self._working().mail_list.page(query, first, limit, newest, around)

    async def mail_thread(self, mail: str) -> list[ThreadMail]:
        return await self._working().mail_list.thread(mail)

    async def mail_head(self, kind: str, mail: str = "") -> MailHead:
        return await self._working().mail_list.head(kind, mail)

    async def attachment(self, mail: str, number: int) -> tuple[str, bytes]:
        with in_words():
            return await self._working().mail_list.attachment(mail, number)

    async def attachment_text(self, mail: str, number: int, first: int = 1) -> FileText:
        with in_words():
            return await self._working().mail_list.attachment_text(mail, number, first)

    async def mail_changes(self) -> AsyncIterator[int]:
        async for version in self._working().mail_list.changes():
            yield version

    async def write_mail(self, kind: str, mail: str, fields: Mapping[str, Written]) -> str:
        return await self._working().mail_drafts.write(kind, mail, fields)

    async def save_draft(self, approval_id: str) -> str:
        return await self._working().acts.drafts.save(approval_id)


class AgendaFace(Face):
    """The user's days, and acts on what is on them."""

    async def days(self, first: str = "today", count: int = 1) -> DaysPage:
        return await self._working().day_list.page(first, count)

    async def order_event(self, act: str, ref: str, day: str, said: Written) -> str:
        return await self._working().event_orders.order(act, ref, day, said)


class ConversationFace(Face):
    """What the user says, and takes back."""

    async def say(
        self,
        text: str,
        *,
        spans: Sequence[Span] | None = None,
        after_calls: bool = False,
        alone: bool = False,
        key: str = "",
    ) -> str:
        clock = self._working().ground.clock
        if not text.strip():
            raise EngineError("there is nothing to send")
        calls = await self._open_calls() if after_calls else []
        noted = None if spans is None else list(spans)
        ident = f"user_{key}" if key else clock.new_id("user")
        message = UserMessage(ident, text, clock.now(), calls, alone=alone, spans=noted)
        with contextlib.suppress(VersionConflictError):
            await self._log().put(message, namespace=Namespace.USER_MESSAGE, text=text, expect_version=0)
        return ident

    async def _open_calls(self) -> list[str]:
        found = await self._log().query(ContextFilter(namespaces=[Namespace.TOOL_CALL], tags=[OPEN_TAG], limit=500))
        calls = (ToolCall.of(context) for context in found)
        return [call.id for call in calls if call.state in CALL_OPEN and call.origin.startswith("step:")]

    async def take_back(self) -> Written | None:
        newest = await self._log().query(ContextFilter(namespaces=[Namespace.USER_MESSAGE], limit=20))
        for context in newest:
            if context.data.get("withdrawn"):
                continue
            taken = await self._working().scheduler.take_back(context.context_id)
            return taken.written if taken else None
        return None

    async def stop_reply(self) -> None:
        self._working().scheduler.stop_reply()


class InboxFace(Face):
    """Acts on inbox items."""

    async def approve(self, approval_id: str) -> str:
        return await self._working().acts.cards.approve(approval_id)

    async def reject(self, approval_id: str, note: str = "") -> str:
        return await self._working().acts.cards.reject(approval_id, note)

    async def edit(self, approval_id: str, fields: dict[str, str], typed: Collection[str] = ()) -> str:
        return await self._working().acts.cards.edit(approval_id, fields, typed)

    async def attend(self, at_inbox: bool) -> None:
        self._working().calling.engine.approvals.attended = at_inbox

    async def seen(self, ref: str) -> None:
        kind, _, ident = ref.partition(":")
        if kind == "approval":
            await self._working().calling.engine.approvals.shown(ident)
        if kind == "notification":
            with contextlib.suppress(InboxError):
                await self._working().notices.inbox.seen(ident)

    async def done(self, ref: str, *more: str) -> str:
        return await self._working().acts.cards.done(ref, *more)

    async def file(self, refs: Sequence[str], act: str, folder: str = "") -> str:
        return await self._working().acts.filing.file(refs, act, folder)

    async def dismiss(self, ref: str, *more: str) -> str:
        return await self._working().acts.cards.dismiss(ref, *more)

    async def snooze(self, ref: str, when: str, *more: str) -> str:
        return await self._working().acts.cards.snooze(when, ref, *more)

    async def choose(self, ref: str, number: int) -> str:
        return await self._working().acts.questions.choose(ref, number)

    async def answer(self, ref: str, text: str, *, spans: Sequence[Span] | None = None) -> str:
        return await self._working().acts.questions.answer(ref, text, spans)


class CallFace(Face):
    """Acts on calls and deliveries; undo and redo."""

    async def answer_unknown(self, call_id: str, answer: UnknownAnswer) -> str:
        return await self._working().acts.calls.answer_unknown(call_id, answer)

    async def cancel_call(self, call_id: str) -> str:
        return await self._working().acts.calls.cancel_call(call_id)

    async def undo(self) -> str:
        return await self._working().acts.journal.undo()

    async def redo(self) -> str:
        return await self._working().acts.journal.redo()

    async def redrive(self) -> str:
        count = await self._log().redrive()
        return f"{count} deliveries tried again" if count else "nothing to try again"


class RuleFace(Face):
    """The user's rules, and acts on them."""

    @property
    def user_rules(self) -> UserRules:
        return self.parts.ordered.user_rules

    async def rules(self) -> list[RuleReport]:
        return await self._working().ordered.user_rules.all()

    async def rule_acts(self, rule_id: str, limit: int = 50) -> list[RuleAct]:
        return await self._working().ordered.user_rules.acts(rule_id, limit)

    async def rule_versions(self, rule_id: str) -> list[tuple[str, str]]:
        with in_words():
            versions = await self._working().ordered.user_rules.versions(rule_id)
        return [(rule.version, sentence(rule)) for rule in versions] if len(versions) > 1 else []

    async def pause_rule(self, rule_id: str) -> str:
        return await self._working().acts.pause_rule(rule_id)

    async def resume_rule(self, rule_id: str) -> str:
        return await self._working().acts.resume_rule(rule_id)

    async def remove_rule(self, rule_id: str) -> str:
        return await self._working().acts.remove_rule(rule_id)

    async def propose_rule(self, ref: str) -> str:
        with in_words():
            return await self._working().ordered.always.propose(ref)
