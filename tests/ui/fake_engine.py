"""An engine in memory: records in, calls noted. ``python -m tests.ui.fake_engine`` shows the screen on a lively one."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pepper_tui.domains.calendar.days.records import DayEntry, DaysPage
from pepper_tui.domains.documents.file_text import FileText
from pepper_tui.domains.mail.at_source.filing import ACTS
from pepper_tui.domains.mail.listing.records import MailHead, MailPage, ThreadMail
from pepper_tui.engine.days.event_orders import ORDERS
from pepper_tui.engine.protocol import CLOSED, SHOWN, ChoiceError, EngineError, ReplyDelta, UnknownAnswer
from pepper_tui.model import (
    Approval,
    ApprovalState,
    AssistantMessage,
    CallState,
    CardLine,
    Context,
    ContextFilter,
    ContextUpdate,
    Effect,
    FollowUp,
    Health,
    Json,
    Namespace,
    Notification,
    NotificationState,
    Priority,
    Record,
    Reminder,
    ReminderState,
    ResolvedEffect,
    Rule,
    RuleAct,
    RuleReport,
    RuleState,
    RunState,
    Signal,
    Span,
    ToolCall,
    Usage,
    UserAnswer,
    UserMessage,
    WorkerRun,
    Written,
)
from tests.ui.fake_mail import FakeMail

T0 = 1_800_000_000.0


def _matches(pattern: str, namespace: str) -> bool:
    return namespace == pattern or (pattern.endswith(".*") and namespace.startswith(pattern[:-1]))


RING = 4096


class Ring(asyncio.Queue[list[ContextUpdate] | None]):
    """Keeps the newest batches; ``missed`` once one was overwritten unread. ``None`` ends it."""

    missed = False

    def put_nowait(self, batch: list[ContextUpdate] | None) -> None:
        if self.qsize() >= RING:
            self.get_nowait()
            self.missed = True
        super().put_nowait(batch)


Key = tuple[str, str]
Moves = dict[Key, Context]
"""What an act found in the place of what it changed."""


class FakeEngine:
    """Keeps contexts in a dict. ``calls`` notes each act; ``fails`` makes the next act raise these words."""

    zone: tzinfo = ZoneInfo("UTC")

    def __init__(self, *, model_name: str = "rules", offline: bool = True) -> None:
        self.model_name, self.offline = model_name, offline
        self.contexts: dict[Key, Context] = {}
        self.calls: list[tuple[object, ...]] = []
        self.drawn: list[str] = []  # approvals whose cards were drawn
        self.attended = False
        self.fails = ""
        self.entries: list[DayEntry] = []  # what is on the days
        self.left_out: list[str] = []
        self.several: dict[str, tuple[tuple[str, str], ...]] = {}  # what can mean several times
        self.started = asyncio.Event()
        self._updates = Ring()
        self._rings: list[Ring] = []
        self._listeners: list[asyncio.Queue[ReplyDelta | None]] = []
        self._early: list[ReplyDelta] = []
        self._closed = False
        self._done: list[Moves] = []
        self._undone: list[Moves] = []
        self._writing: str = ""
        """The reply that streams now."""
        self.folders = ["Archive", "Work", "Work/2026"]
        self.held = 0
        """What was held back before the log begins."""
        self.letters: list[str] = []
        self._seq = 0
        self.queued: list[Written] = []
        self.spans: list[list[Span] | None] = []
        """What each message had that was not typed."""
        self.reports: dict[str, RuleReport] = {}
        self.mail = FakeMail()
        self.window: float | None = None
        """Seconds that an approved card waits; None: as an engine that says nothing of it."""

    def put(self, namespace: str, record: Record, key: str = "") -> None:
        """Store a record and tell the screen."""
        name = (namespace, key or str(record.data().get("id") or record.data().get("part")))
        self._seq += 1
        old = self.contexts.get(name)
        data = record.data()
        at = float(data.get("created_at") or data.get("at") or T0)
        context = Context(
            name[1], namespace, data, version=old.version + 1 if old else 1, seq=self._seq, created_at=at, updated_at=at
        )
        self._tell(context)

    def _tell(self, context: Context) -> None:
        self.contexts[context.namespace, context.context_id] = context
        if any(_matches(pattern, context.namespace) for pattern in (*SHOWN, Namespace.STEP)):
            for ring in self._rings or [self._updates]:
                ring.put_nowait([ContextUpdate(context.seq, context)])

    def delta(self, message_id: str, text: str, *, restart: bool = False, done: bool = False) -> None:
        piece = ReplyDelta(message_id, text, restart, done)
        self._writing = "" if done else message_id
        if not self._listeners:
            self._early.append(piece)
        for listener in self._listeners:
            listener.put_nowait(piece)

    def _note_spans(self, spans: list[Span] | None) -> None:
        self.spans.append(spans)

    def _working(self) -> None:
        if self._closed:
            raise EngineError(CLOSED)

    def _there(self, namespace: str, key: str) -> Context:
        if (found := self.contexts.get((namespace, key))) is None:
            raise EngineError(f"there is no {namespace} {key}")
        return found

    def _act(self, *changed: Key) -> None:
        """Note what an act is about to change, so that it can be taken back."""
        self._done.append({key: self.contexts[key] for key in changed if key in self.contexts})
        self._undone.clear()

    def _turn(self, moves: Moves) -> Moves:
        """Put back what stood there; what stands there now."""
        before = {key: self.contexts[key] for key in moves}
        for key, context in moves.items():
            self._seq += 1
            self._tell(replace(context, version=self.contexts[key].version + 1, seq=self._seq))
        return before

    def _note(self, *call: object) -> None:
        self._working()
        if self.fails:
            words, self.fails = self.fails, ""
            raise EngineError(words)
        self.calls.append(call)

    async def start(self) -> None:
        self.started.set()

    async def close(self) -> None:
        self.calls.append(("close",))
        self._closed = True
        self.mail.close()
        for ring in self._rings:
            ring.put_nowait(None)
        for listener in self._listeners:
            listener.put_nowait(None)

    async def held_back(self, since: float) -> tuple[int, int]:
        self._working()
        return self.held, 0

    async def recall(self, filter: ContextFilter) -> list[Context]:  # noqa: A002
        self._working()
        found = [
            c
            for c in self.contexts.values()
            if any(_matches(p, c.namespace) for p in filter.namespaces)
            and (not filter.context_ids or c.context_id in filter.context_ids)
        ]
        return sorted(found, key=lambda c: c.seq, reverse=filter.newest_first)[: filter.limit]

    async def health(self) -> list[Context]:
        self._working()
        return [c for c in self.contexts.values() if c.namespace == Namespace.HEALTH]

    @asynccontextmanager
    async def updates(self) -> AsyncIterator[AsyncIterator[list[ContextUpdate]]]:
        self._working()
        ring = Ring() if self._rings else self._updates

        async def batches() -> AsyncIterator[list[ContextUpdate]]:
            while (batch := await ring.get()) is not None:
                if ring.missed:
                    ring.missed = False
                    yield []
                yield batch

        self._rings.append(ring)
        try:
            yield batches()
        finally:
            self._rings.remove(ring)

    async def replies(self) -> AsyncIterator[ReplyDelta]:
        self._working()
        pieces: asyncio.Queue[ReplyDelta | None] = asyncio.Queue()
        for early in self._early:
            pieces.put_nowait(early)
        self._early.clear()
        self._listeners.append(pieces)
        try:
            while (piece := await pieces.get()) is not None:
                yield piece
        finally:
            self._listeners.remove(pieces)

    async def say(
        self,
        text: str,
        *,
        spans: Sequence[Span] | None = None,
        after_calls: bool = False,
        alone: bool = False,
        key: str = "",
    ) -> str:
        self._note("say", text, after_calls)
        if not text.strip():
            raise EngineError("there is nothing to send")
        if key and (Namespace.USER_MESSAGE, f"user_{key}") in self.contexts:
            return f"user_{key}"
        key = f"user_{key or f'{len(self.calls)}_{self._seq}'}"
        waiting = (
            [c.context_id for c in self.contexts.values() if c.namespace == Namespace.TOOL_CALL] if after_calls else []
        )
        noted = None if spans is None else list(spans)
        self._note_spans(noted)
        message = UserMessage(key, text, T0 + self._seq, waiting, spans=noted)
        self.put(Namespace.USER_MESSAGE, message)
        self.queued.append(message.written)
        return key

    async def take_back(self) -> Written | None:
        self._note("take_back")
        return self.queued.pop() if self.queued else None

    async def stop_reply(self) -> None:
        self._note("stop_reply")
        if self._writing:
            self.delta(self._writing, "", done=True)

    def _pending(self, approval_id: str) -> None:
        approval = Approval.of(self._there(Namespace.APPROVAL, approval_id))
        if approval.state is not ApprovalState.PENDING:
            raise EngineError(f"this is already {approval.state}")

    def _decide(self, approval_id: str, state: ApprovalState, note: str = "") -> Approval:
        approval = Approval.of(self._there(Namespace.APPROVAL, approval_id))
        approval.state, approval.decision_note = state, note
        if state is ApprovalState.APPROVED and self.window is not None:
            approval.acts_at = T0 + self.window
        self.put(Namespace.APPROVAL, approval)
        return approval

    async def approve(self, approval_id: str) -> str:
        self._note("approve", approval_id)
        self._pending(approval_id)
        self._act((Namespace.APPROVAL, approval_id))
        self._decide(approval_id, ApprovalState.APPROVED)
        return "Approved; u takes it back until it is sent"

    async def save_draft(self, approval_id: str) -> str:
        self._note("save_draft", approval_id)
        self._pending(approval_id)
        self._act((Namespace.APPROVAL, approval_id))
        self._decide(approval_id, ApprovalState.REJECTED, "saved as a draft")
        return "Save as a draft: Lunch; u opens the card again"

    async def reject(self, approval_id: str, note: str = "") -> str:
        self._note("reject", approval_id, note)
        self._pending(approval_id)
        self._act((Namespace.APPROVAL, approval_id))
        self._decide(approval_id, ApprovalState.REJECTED, note)
        return "Rejected"

    async def edit(self, approval_id: str, fields: dict[str, str], typed: Collection[str] = ()) -> str:
        self._note("edit", approval_id, fields, *([typed] if fields.keys() != {*typed} else []))
        self._pending(approval_id)
        self._act((Namespace.APPROVAL, approval_id))
        old = self._decide(approval_id, ApprovalState.EDITED)
        effect = old.resolved
        effect.lines = [replace(line, value=fields.get(line.label, line.value)) for line in effect.lines]
        new = replace(old, id=approval_id + "b", state=ApprovalState.PENDING, effect=effect.data())
        self.put(Namespace.APPROVAL, new)
        return "Saved as a new card; it waits for your yes"

    def _move(self, ref: str, state: NotificationState) -> None:
        kind, _, key = ref.partition(":")
        if kind == "notification":
            notification = Notification.of(self._there(Namespace.NOTIFICATION, key))
            notification.state = state
            self.put(Namespace.NOTIFICATION, notification)
        elif state is NotificationState.SNOOZED:
            approval = Approval.of(self._there(Namespace.APPROVAL, key))
            approval.snoozed_until = T0 + 3600
            self.put(Namespace.APPROVAL, approval)
        elif state in (NotificationState.DONE, NotificationState.DISMISSED):
            self._decide(key, ApprovalState.REJECTED)

    def _keys(self, *refs: str) -> list[Key]:
        """Where the items stand. Raises ``EngineError`` unless all are there."""
        kinds = {"notification": Namespace.NOTIFICATION, "approval": Namespace.APPROVAL}
        keys = [(str(kinds.get(kind, kind)), key) for kind, _, key in (ref.partition(":") for ref in refs)]
        for key in keys:
            self._there(*key)
        return keys

    async def dismiss(self, ref: str, *more: str) -> str:
        self._note("dismiss", ref, *more)
        self._act(*self._keys(ref, *more))
        for each in (ref, *more):
            self._move(each, NotificationState.DISMISSED)
        return "Dismissed; u brings it back"

    async def file(self, refs: Sequence[str], act: str, folder: str = "") -> str:
        self._note("file", tuple(refs), act, folder)
        if act not in ACTS:
            raise EngineError(f"there is no act {act!r}")
        if any(ref.startswith("mail:") and ref.removeprefix("mail:") not in self.mail.raw for ref in refs):
            raise EngineError("there is no such mail")
        keys = self._keys(*(ref for ref in refs if not ref.startswith("mail:")))
        mails = [ref for ref in refs if ref.startswith("mail:")]
        mails += [key for space, key in keys if space == Namespace.NOTIFICATION and self._of_mail(key)]
        if not mails:
            raise EngineError("there is no mail behind this")
        if act == "move" and folder not in self.folders:
            raise ChoiceError("move to which folder?", [(each, each) for each in self.folders])
        ends = act in ("archive", "trash", "junk", "move", "read")
        self._act(*(keys if ends else ()))
        for ref in refs if ends else ():
            if not ref.startswith("mail:"):
                self._move(ref, NotificationState.DONE)
        return f"{act}: {len(mails)}; u takes it back"

    def _of_mail(self, key: str) -> bool:
        return Notification.of(self._there(Namespace.NOTIFICATION, key)).source.startswith("signals.mail:")

    async def done(self, ref: str, *more: str) -> str:
        self._note("done", ref, *more)
        self._act(*self._keys(ref, *more))
        for each in (ref, *more):
            self._move(each, NotificationState.DONE)
        return "Done"

    async def attend(self, at_inbox: bool) -> None:
        self._working()
        self.attended = at_inbox

    async def seen(self, ref: str) -> None:
        self._working()
        if ref.startswith("approval:"):
            self.drawn.append(ref)
            return
        self._note("seen", ref)
        kind, _, key = ref.partition(":")
        if (kind, key) in self.contexts:
            self._move(ref, NotificationState.SEEN)

    async def snooze(self, ref: str, when: str, *more: str) -> str:
        self._note("snooze", ref, when, *more)
        if when in self.several:
            raise ChoiceError(f"{when} can mean several times", self.several[when])
        self._act(*self._keys(ref, *more))
        for each in (ref, *more):
            self._move(each, NotificationState.SNOOZED)
        return f"Snoozed: {when}"

    async def choose(self, ref: str, number: int) -> str:
        self._note("choose", ref, number)
        question = self._question(ref)
        if not 1 <= number <= len(question.choices):
            raise EngineError("that is none of its answers")
        self._answered(question, UserAnswer(question.id, str(question.choices[number - 1]["words"]), T0, number))
        return "Chosen"

    async def answer(self, ref: str, text: str, *, spans: Sequence[Span] | None = None) -> str:
        self._note("answer", ref, text, *(span.origin for span in spans or ()))
        question = self._question(ref)
        self._answered(question, UserAnswer(question.id, text, T0, spans=None if spans is None else [*spans]))
        return "Answered"

    def _question(self, ref: str) -> Notification:
        [key] = self._keys(ref)
        return Notification.of(self.contexts[key])

    def _answered(self, question: Notification, answer: UserAnswer) -> None:
        self.put(Namespace.USER_ANSWER, answer)
        question.state = NotificationState.DONE
        self.put(Namespace.NOTIFICATION, question)

    def _call(self, call_id: str, state: CallState | None) -> None:
        call = ToolCall.of(self._there(Namespace.TOOL_CALL, call_id))
        if state is not None:
            call.state = state
            self.put(Namespace.TOOL_CALL, call)

    async def answer_unknown(self, call_id: str, answer: UnknownAnswer) -> str:
        self._note("answer_unknown", call_id, answer)
        ends: dict[str, CallState] = {"happened": CallState.SUCCEEDED, "did_not": CallState.FAILED}
        self._call(call_id, ends.get(answer))
        return "Noted"

    async def cancel_call(self, call_id: str) -> str:
        self._note("cancel_call", call_id)
        self._call(call_id, CallState.CANCELLED)
        return "Cancelled"

    async def undo(self) -> str:
        self._note("undo")
        if not self._done:
            raise EngineError("there is nothing to take back")
        self._undone.append(self._turn(self._done.pop()))
        return "Taken back"

    async def redo(self) -> str:
        self._note("redo")
        if not self._undone:
            raise EngineError("there is nothing to do again")
        moves = self._undone.pop()
        if any(c.data.get("state") == ApprovalState.APPROVED for c in moves.values()):
            raise EngineError("a yes is not said again")
        self._done.append(self._turn(moves))
        return "Done again"

    async def why(self, ref: str) -> list[str]:
        self._note("why", ref)
        if ref.startswith(("notification:", "approval:")):
            self._keys(ref)
        return [f"{ref}", "signal  mail from Alice, 09:12", "step    step_4f: one model call", "cost    0.0012"]

    async def mails(
        self, query: str = "", *, first: int = 0, limit: int = 100, newest: bool = False, around: str = ""
    ) -> MailPage:
        self._working()
        return await self.mail.page(query, first, limit, newest, around)

    async def days(self, first: str = "today", count: int = 1) -> DaysPage:
        self._working()
        today = datetime.fromtimestamp(T0, self.zone).date()
        try:
            begin = today if first == "today" else date.fromisoformat(first)
        except ValueError:
            raise EngineError(f"{first!r} names no day that I know") from None
        last = (begin + timedelta(days=count)).isoformat()
        reminders = Reminder.readable(each for (space, _), each in self.contexts.items() if space == Namespace.REMINDER)
        waiting = [
            replace(entry(each.text, each.due, 0, notes=["reminder"]), kind="reminder", ref=each.id)
            for each in reminders
            if each.state is ReminderState.WAITING
        ]
        found = [each for each in (*self.entries, *waiting) if begin.isoformat() <= each.day < last]
        return DaysPage(begin.isoformat(), count, sorted(found, key=lambda each: each.start), [*self.left_out])

    async def order_event(self, act: str, ref: str, day: str, said: Written) -> str:
        self._working()
        if act not in (*ORDERS, "new", "forget"):
            raise EngineError(f"{act} is nothing that can be done with an event")
        self._note("order_event", act, ref, day, said.text)
        return f"{act}{len(self.calls)}"

    async def mail_thread(self, mail: str) -> list[ThreadMail]:
        self._working()
        return self.mail.thread(mail)

    async def mail_head(self, kind: str, mail: str = "") -> MailHead:
        self._working()
        return self.mail.head(kind, mail)

    async def attachment(self, mail: str, number: int) -> tuple[str, bytes]:
        self._working()
        return self.mail.file(mail, number)

    async def attachment_text(self, mail: str, number: int, first: int = 1) -> FileText:
        self._working()
        return self.mail.read_file(mail, number)

    async def mail_changes(self) -> AsyncIterator[int]:
        self._working()
        async for version in self.mail.changes():
            yield version

    async def write_mail(self, kind: str, mail: str, fields: Mapping[str, Written]) -> str:
        self._note("write_mail", kind, mail, dict(fields))
        if kind == "nudge":
            return "call_nudge"
        if kind == "nothing" or "body" not in fields or not fields["body"].text.strip():
            raise EngineError("there is no text yet: write some, or leave with Esc")
        return self.mail.write(kind, mail, fields)

    async def rules(self) -> list[RuleReport]:
        self._working()
        return [replace(report, rule={**report.rule}) for report in self.reports.values()]

    async def rule_acts(self, rule_id: str, limit: int = 50) -> list[RuleAct]:
        self._working()
        newest = sorted(self.contexts.values(), key=lambda c: c.seq, reverse=True)
        found = [RuleAct.of(c) for c in newest if c.namespace == Namespace.RULE_ACT]
        return [act for act in found if act.rule == rule_id][:limit]

    async def rule_versions(self, rule_id: str) -> list[tuple[str, str]]:
        self._working()
        self._rule(rule_id)
        return []

    def _rule(self, rule_id: str) -> None:
        if rule_id not in self.reports:
            raise EngineError(f"there is no rule {rule_id}")

    def _set(self, rule_id: str, state: RuleState) -> str:
        self._rule(rule_id)
        self.reports[rule_id].rule["state"] = state
        return f"{state.capitalize()}: {self.reports[rule_id].rule['name']}"

    async def pause_rule(self, rule_id: str) -> str:
        self._note("pause_rule", rule_id)
        return self._set(rule_id, RuleState.PAUSED)

    async def resume_rule(self, rule_id: str) -> str:
        self._note("resume_rule", rule_id)
        return self._set(rule_id, RuleState.ACTIVE)

    async def remove_rule(self, rule_id: str) -> str:
        self._note("remove_rule", rule_id)
        return self._set(rule_id, RuleState.REMOVED)

    async def propose_rule(self, ref: str) -> str:
        self._note("propose_rule", ref)
        self._keys(ref)
        return "Proposed; its card waits for your yes"

    async def dead_letters(self) -> list[str]:
        self._working()
        return list(self.letters)

    async def redrive(self) -> str:
        self._note("redrive")
        self.letters.clear()
        return "None had failed"


# ------------------------------------------------------------------------------------------------------ records


def approval(
    key: str = "a1", *, to: str = "alice@example.com", body: str = "", at: float = T0, untrusted: bool = True
) -> Approval:
    text = body or "Hi Alice,\n\nThursday at noon works for me. I will bring the signed contract.\n\nBest,\nSam"
    effect = ResolvedEffect(
        tool="send_mail",
        definition="d",
        account="sam@example.org",
        summary=f"Send mail to {to}: Re: lunch on Thursday",
        lines=[
            CardLine("to", to, editable=True, untrusted=untrusted),
            CardLine("subject", "Re: lunch on Thursday", editable=True),
            CardLine("body", text, editable=True, multiline=True),
        ],
        payload={},
    )
    reason = "your watch “lunch” carries the template accept"
    return Approval(key, f"call_{key}", effect.data(), effect.digest, at, at + 86400, reason=reason)


def entry(title: str, start: float, minutes: float = 30, **more: Any) -> DayEntry:
    """What is on a day; times in UTC."""
    day = datetime.fromtimestamp(start, UTC).date().isoformat()
    ref = title.lower().replace(" ", "-")
    return DayEntry(f"event:{ref}:{start:.0f}", "event", ref, title, start, start + minutes * 60, day, **more)


def note(key: str = "n1", title: str = "Contract is due today", **more: object) -> Notification:
    values: dict[str, object] = {
        "body": "Alice asks for the signed contract by 17:00.",
        "reason": "Alice is a VIP and the mail names today",
        "source": "signals.mail:s1",
        "created_at": T0,
        "priority": Priority.HIGH,
    }
    return Notification(key, title, **{**values, **more})  # type: ignore[arg-type]


def signal(
    key: str, content: str, priority: Priority = Priority.NORMAL, at: float = T0, source: str = "mail"
) -> Signal:
    return Signal(key, content, at, priority, source, "addressed to you", f"m-{key}", {"from": "alice@example.com"})


def call(key: str, name: str = "search_mail", state: CallState = CallState.SCHEDULED, **more: object) -> ToolCall:
    return ToolCall(key, name, {"query": "contract"}, Effect.READ, T0 - 65, "step:1", state=state, **more)  # type: ignore[arg-type]


def outgoing(key: str = "a1", state: CallState = CallState.WAITING_APPROVAL, **more: object) -> ToolCall:
    """The call behind the card ``key``: a mail."""
    values: dict[str, object] = {"approval": key, "summary": "Send mail to alice@example.com: Re: lunch on Thursday"}
    return ToolCall(f"call_{key}", "send_mail", {}, Effect.SEND, T0, "step:1", state=state, **{**values, **more})  # type: ignore[arg-type]


def follow_up(key: str = "f1", matter: str = "mail:t1", **more: object) -> FollowUp:
    values: dict[str, object] = {"who": "Dana Whitfield", "rule_name": "quotes", "due": T0 + 2 * 86_400}
    values = {"subject": "Re: quote 2207", "parties": ["dana@example.com"], "message_ids": [], **values, **more}
    return FollowUp(key, matter, "t1", created_at=T0 - 60, **values)  # type: ignore[arg-type]


def reminder(key: str = "rem1", matter: str = "mail:t1", **more: object) -> Reminder:
    return Reminder(key, "look at quote 2207", T0 + 86_400, "UTC", T0 - 60, matter=matter, **more)  # type: ignore[arg-type]


def rule_act(key: str = "act1", **more: object) -> RuleAct:
    values: dict[str, object] = {"state": "deferred", "about": "Dana Whitfield: quote 2207", "act": "draft", **more}
    return RuleAct(key, "quotes", "2", "quotes", "signals.mail:s1", created_at=T0 - 30, **values)  # type: ignore[arg-type]


def report(key: str = "quotes", **more: object) -> RuleReport:
    rule = Rule(key, key, "2", words=["quote"], notify=True, draft="thanks", follow_up=48.0)
    values: dict[str, object] = {
        "sentence": "When a mail has the word quote: tell me, draft a reply, and wait 48 hours for an answer",
        "toml": '[[rule]]\nname = "quotes"\nwords = ["quote"]\nnotify = true\ndraft = "thanks"\nfollow_up = 48',
        "matches": 12,
        "acts": {"done": 20, "deferred": 7, "failed": 1},
        "dismissed": 2,
        "cost": 0.31,
        "last": T0 - 400,
    }
    return RuleReport(rule.data(), **{**values, **more})  # type: ignore[arg-type]


def fill(engine: FakeEngine, at: float = T0) -> None:
    """A believable morning."""
    say, tell = Namespace.USER_MESSAGE, Namespace.ASSISTANT_MESSAGE
    engine.put(say, UserMessage("u1", "What is on today, and did Alice answer about lunch?", at - 900))
    answer = (
        "Two things today:\n\n- **10:30** Design review, room 4\n- **14:00** Call with Marta about the offer\n\n"
        "Alice answered at 09:12: she proposes *Thursday at noon*. I drafted a reply; it waits in the inbox."
    )
    engine.put(tell, AssistantMessage("p1", answer, at - 895, "step_1"))
    engine.put(
        say, UserMessage("u2", "Good. Collect what we know about the Marta offer while I am in the review.", at - 300)
    )
    engine.put(
        tell, AssistantMessage("p2", "On it. `researcher` reads the thread and the attachments.", at - 296, "step_2")
    )
    engine.put(Namespace.APPROVAL, approval(at=at - 600))
    engine.put(Namespace.NOTIFICATION, note(created_at=at - 240))
    engine.put(
        Namespace.NOTIFICATION,
        note("n2", "Design review in 10 minutes", created_at=at - 60, kind="brief", priority=Priority.NORMAL,
             body="Room 4 with Jo and Kim.\nLast mail: Kim sent the new mock-ups yesterday.",
             reason="your watch briefs you 10 minutes before an event"),
    )  # fmt: skip
    mails = [
        ("Alice Doe: Re: lunch on Thursday", Priority.HIGH), ("Weekly digest from the tracker", Priority.LOG),
        ("Marta Ruiz: Offer, second version", Priority.NORMAL), ("Kim Lee: mock-ups", Priority.NORMAL),
        ("Server room: temperature above 30 °C", Priority.URGENT), ("Newsletter: what is new in November", Priority.LOW),  # noqa: E501
    ]  # fmt: skip
    for i, (content, priority) in enumerate(mails):
        engine.put("signals.mail", signal(f"s{i}", content, priority, at - 1000 + i * 120))
    engine.put("signals.calendar", signal("c1", "Design review starts at 10:30", Priority.NORMAL, at - 60, "calendar"))
    engine.put(Namespace.TOOL_CALL, call("k1", "read_thread", progress="3 of 7 messages"))
    engine.put(Namespace.TOOL_CALL, call("k2", "search_mail", CallState.SUCCEEDED, ended_at=T0 - 62))
    engine.put(Namespace.RUN, WorkerRun("r1", "k9", "researcher", "stateful", "Collect what we know about the Marta offer", at,  # noqa: E501
                                        state=RunState.RUNNING, steps=3, doing="reading “Offer, second version”"))  # fmt: skip  # noqa: E501
    engine.put(Namespace.USAGE, Usage("m", "scheduler", 1, 0, 1, 0.12, at), "use1")
    engine.put(Namespace.HEALTH, Health("feed.mail", "ok", "watching ~/Mail", "", at))


async def live(engine: FakeEngine) -> None:
    """Goes on putting things in, for a person who looks."""
    fill(engine, time.time())
    words = ["Here", "is", "a", "*streamed*", "answer,", "token", "by", "token,", "with", "**some**", "Markdown.", ""]
    for n in range(10_000):
        await asyncio.sleep(3)
        engine.put(
            "signals.mail", signal(f"x{n}", f"Sender {n}: something happened", list(Priority)[n % 5], time.time())
        )
        if n % 4 == 1:
            for word in words:
                engine.delta(f"st{n}", word + " ")
                await asyncio.sleep(0.03)
            engine.delta(f"st{n}", "", done=True)
            engine.put(Namespace.ASSISTANT_MESSAGE, AssistantMessage(f"st{n}", " ".join(words), time.time(), "s"))
        if n % 6 == 2:
            engine.put(Namespace.APPROVAL, approval(f"a{n}x", to=f"person{n}@example.com", at=time.time()))


class NotingEngine(FakeEngine):
    """With one card; writes each act to a file, one JSON line each."""

    def __init__(self, notes: Path) -> None:
        super().__init__()
        self._notes = notes
        self.put(Namespace.APPROVAL, approval(at=time.time()))

    async def say(self, text: str, **given: Any) -> str:
        """``hostile!`` brings a notice that would like to speak to the terminal; ``cards!`` brings more of them,
        ``ask!`` a question."""
        if text == "cards!":
            for n in range(6):
                notice = note(f"n{n}", f"Matter {n}", created_at=T0 + n, priority=Priority.LOW)
                self.put(Namespace.NOTIFICATION, notice)
        if text == "ask!":
            choices: list[Json] = [{"words": words, "arguments": {}} for words in ("red", "green", "blue", "none")]
            asked = note("q1", "Which one?", kind="question", choices=choices, priority=Priority.URGENT)
            self.put(Namespace.NOTIFICATION, asked)
        if text == "hostile!":
            bad = "\x1b]0;owned\x07\x9b2J4;1;1\x1b]52;c;QUJD\x07 urgent <b>now</b>"
            notice = note("bad", bad, body=bad, priority=Priority.URGENT)
            asyncio.get_running_loop().call_later(0.5, lambda: self.put(Namespace.NOTIFICATION, notice))
        return await super().say(text, **given)

    def _note_spans(self, spans: list[Span] | None) -> None:
        super()._note_spans(spans)
        with Path(f"{self._notes}.spans").open("a", encoding="utf-8") as file:
            file.write(json.dumps(spans) + "\n")

    def _note(self, *call: object) -> None:
        super()._note(*call)
        with self._notes.open("a", encoding="utf-8") as file:
            file.write(json.dumps(call) + "\n")


def main() -> None:
    """The screen on an engine that notes the acts in the file that is named, or on a lively one. A second argument is
    ``plain``, or what the config's ``[ui]`` would say, as JSON."""
    from pepper_tui.config import Ui
    from pepper_tui.ui.plain import PlainConversation
    from pepper_tui.ui.screen.app import PepperApp

    keep: list[asyncio.Task[None]] = []

    async def made() -> FakeEngine:
        if sys.argv[2:] and sys.argv[2] != "plain":
            app.dress(Ui.model_validate_json(sys.argv[2]))
        if len(sys.argv) > 1:
            return NotingEngine(Path(sys.argv[1]))
        engine = FakeEngine()
        keep.append(asyncio.create_task(live(engine)))
        return engine

    if sys.argv[2:] == ["plain"]:

        async def talk() -> int:
            return await PlainConversation(made).run()

        sys.exit(asyncio.run(talk()))
    app = PepperApp(made)
    app.run()
    sys.exit(app.return_code or 0)


if __name__ == "__main__":
    main()
