"""What the screen shows, as plain state: a pure projection of contexts, without any widget or I/O.

A context counts once a version; the order of arrival does not matter, so a recalled state and the live updates
may overlap. Text is kept raw here and cleaned where it is drawn.
"""

from __future__ import annotations

import itertools
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from enum import StrEnum
from typing import Any, Final

from pepper_tui.model import (
    BACKLOG,
    CALL_OPEN,
    Approval,
    ApprovalState,
    AssistantMessage,
    CallState,
    Context,
    ContextUpdate,
    FollowUp,
    FollowUpState,
    Health,
    Namespace,
    Notification,
    NotificationState,
    Priority,
    Reminder,
    ReminderState,
    RuleAct,
    RunState,
    Signal,
    Span,
    ToolCall,
    Usage,
    UserMessage,
    WorkerRun,
)
from pepper_tui.ui.shared.matters import (
    RECEIPT_STAYS,
    InboxItem,
    deferred_count,
    deferred_words,
    inbox_items,
    is_receipt,
    sending,
)

MESSAGES_KEPT: Final = 1000
"""Messages of the conversation; what is older is in the store."""
SIGNALS_KEPT: Final = 2000
ENDED_KEPT: Final = 50
"""Ended calls and runs that stay listed."""
VERSIONS_KEPT: Final = 10_000
"""Contexts whose version is remembered, so that an older one can't come back."""
FADE: Final = 60.0
FADE_FAILED: Final = 600.0
"""Seconds for which an ended call stays listed."""
_TALLY_KEPT: Final = 2000
_BUCKET: Final = 900.0  # divides the offset of every zone, so local midnight never falls into one


class Pane(StrEnum):
    """The parts of the board that can change on their own."""

    CHAT = "chat"
    INBOX = "inbox"
    SIGNALS = "signals"
    CALLS = "calls"
    WORKERS = "workers"
    STATUS = "status"
    RULES = "rules"


@dataclass(frozen=True, slots=True)
class Message:
    """One message of the conversation. ``speaker``: ``you``, ``pepper`` or ``trouble``."""

    id: str
    speaker: str
    text: str
    at: float
    unfinished: bool = False
    queued: bool = False
    spans: tuple[Span, ...] = ()


@dataclass(slots=True)
class Tally:
    """Amounts by time, each counted once; bounded: older ones are kept as sums of quarter hours, for two days."""

    recent: OrderedDict[str, tuple[float, float, int]] = field(default_factory=OrderedDict)
    sums: dict[float, float] = field(default_factory=dict)
    folded: int = 0

    def add(self, key: str, seq: int, at: float, amount: float) -> None:
        """Count ``amount`` at ``at``. The same ``key`` counts once, with its newest amount."""
        if key not in self.recent and 0 < seq <= self.folded:
            return
        self.recent[key] = (at, amount, seq)
        if len(self.recent) <= _TALLY_KEPT:
            return
        for _ in range(_TALLY_KEPT // 4):
            _key, (then, gone, number) = self.recent.popitem(last=False)
            bucket = then // _BUCKET * _BUCKET
            self.sums[bucket] = self.sums.get(bucket, 0.0) + gone
            self.folded = max(self.folded, number)
        for bucket in [b for b in self.sums if b < max(self.sums) - 2 * 86_400]:
            del self.sums[bucket]

    def begin(self, at: float, amount: float, seq: int) -> None:
        """Start anew with ``amount`` at ``at``: all that was counted up to ``seq`` of the log."""
        self.recent.clear()
        self.sums, self.folded = {at: amount}, seq

    def since(self, start: float) -> float:
        """The sum of what was counted at or after ``start``."""
        recent = sum(amount for at, amount, _seq in self.recent.values() if at >= start)
        return recent + sum(amount for at, amount in self.sums.items() if at >= start)


@dataclass(slots=True)
class Board:
    """The screen's state. ``apply`` feeds it; the readers below never change it."""

    kept: int = MESSAGES_KEPT
    older: bool = False
    """Whether there are messages before those of the conversation, in the store."""
    versions: OrderedDict[tuple[str, str], int] = field(default_factory=OrderedDict)
    messages: dict[str, Message] = field(default_factory=dict)
    after: dict[str, tuple[str, ...]] = field(default_factory=dict)
    approvals: dict[str, Approval] = field(default_factory=dict)
    notifications: dict[str, Notification] = field(default_factory=dict)
    signals: OrderedDict[str, Signal] = field(default_factory=OrderedDict)
    calls: dict[str, ToolCall] = field(default_factory=dict)
    progress: dict[str, str] = field(default_factory=dict)
    runs: dict[str, WorkerRun] = field(default_factory=dict)
    health: dict[str, Health] = field(default_factory=dict)
    follow_ups: dict[str, FollowUp] = field(default_factory=dict)
    reminders: dict[str, Reminder] = field(default_factory=dict)
    acts: dict[str, RuleAct] = field(default_factory=dict)
    costs: Tally = field(default_factory=Tally)
    held: Tally = field(default_factory=Tally)
    receipts_read: float = 0.0
    """Until when receipts have been read: a key moved then."""

    # ---------------------------------------------------------------------------------------------- feeding

    def held_so_far(self, since: float, count: int, seq: int) -> None:
        """What the store counts as held back since then, up to ``seq`` of the log."""
        self.held.begin(since, count, seq)

    def recalled(self, contexts: Iterable[Context]) -> set[Pane]:
        """Take in contexts as they stand."""
        return self.apply(ContextUpdate(context.seq, context) for context in contexts)

    def apply(self, updates: Iterable[ContextUpdate]) -> set[Pane]:
        """Take in updates; returns the panes that may look different now. A record of a form that this version
        does not know is passed over."""
        changed: set[Pane] = set()
        for update in updates:
            context = update.context
            name = (context.namespace, context.context_id)
            known = self.versions.get(name, 0)
            if context.version < known or (context.version == known and not update.deleted):
                continue
            self.versions[name] = context.version
            self.versions.move_to_end(name)
            try:
                changed |= self._take(context, update.deleted)
            except (TypeError, ValueError, KeyError):
                continue
        self._trim()
        return changed

    def _take(self, context: Context, deleted: bool) -> set[Pane]:
        key = context.context_id
        match context.namespace:
            case Namespace.USER_MESSAGE:
                said = UserMessage.of(context)
                if deleted or said.withdrawn:
                    self.messages.pop(key, None)
                else:
                    self.messages[key] = Message(key, "you", said.text, said.created_at, spans=said.written.spans)
                    self.after[key] = tuple(said.after_calls)
                return {Pane.CHAT}
            case Namespace.ASSISTANT_MESSAGE:
                answer = AssistantMessage.of(context)
                speaker = "trouble" if answer.kind == "trouble" else "pepper"
                self.messages[key] = Message(key, speaker, answer.text, answer.created_at, answer.unfinished)
                if deleted:
                    del self.messages[key]
                return {Pane.CHAT}
            case Namespace.ASSISTANT_LOG:
                self.held.add(key, context.seq, context.created_at, 1.0)
                return {Pane.STATUS}
            case Namespace.TOOL_CALL:
                self.calls[key] = ToolCall.of(context)
                if deleted:
                    del self.calls[key]
                waited_for = any(key in calls for calls in self.after.values() if calls)
                return {Pane.CALLS, Pane.INBOX, Pane.STATUS} | ({Pane.CHAT} if waited_for else set())
            case Namespace.PROGRESS:
                self.progress[key] = context.text or str(context.data.get("text", ""))
                return {Pane.CALLS}
            case Namespace.APPROVAL:
                self.approvals[key] = Approval.of(context)
                if deleted:
                    del self.approvals[key]
                return {Pane.INBOX, Pane.CALLS, Pane.STATUS}
            case Namespace.NOTIFICATION:
                self.notifications[key] = Notification.of(context)
                if deleted:
                    del self.notifications[key]
                return {Pane.INBOX, Pane.STATUS}
            case Namespace.FOLLOW_UP:
                follow_up = FollowUp.of(context)
                _keep(self.follow_ups, key, follow_up, not deleted and follow_up.state is FollowUpState.OPEN)
                return {Pane.INBOX, Pane.CALLS}
            case Namespace.REMINDER:
                reminder = Reminder.of(context)
                waits = reminder.state is ReminderState.WAITING and bool(reminder.matter)
                _keep(self.reminders, key, reminder, not deleted and waits)
                return {Pane.INBOX}
            case Namespace.RULE_ACT:
                act = RuleAct.of(context)
                _keep(self.acts, key, act, not deleted and act.open)
                return {Pane.INBOX, Pane.RULES}
            case Namespace.RULE | Namespace.RULE_PAUSE:
                return {Pane.RULES}
            case Namespace.RUN:
                self.runs[key] = WorkerRun.of(context)
                if deleted:
                    del self.runs[key]
                return {Pane.WORKERS}
            case Namespace.USAGE:
                usage = Usage.of(context)
                self.costs.add(key, context.seq, usage.created_at, usage.cost)
                return {Pane.STATUS}
            case Namespace.HEALTH:
                self.health[key] = Health.of(context)
                if deleted:
                    del self.health[key]
                return {Pane.STATUS}
            case namespace if namespace.startswith(Namespace.SIGNALS + "."):
                signal = Signal.of(context)
                self.signals[key] = signal
                if deleted:
                    del self.signals[key]
                elif signal.priority is Priority.LOG and signal.reason != BACKLOG:
                    self.held.add(key, context.seq, signal.created_at, 1.0)
                return {Pane.SIGNALS, Pane.STATUS}
            case _:
                return set()

    def _trim(self) -> None:
        while len(self.versions) > VERSIONS_KEPT:
            self.versions.popitem(last=False)
        if len(self.progress) > VERSIONS_KEPT:
            self.progress = {key: said for key, said in self.progress.items() if key in self.calls}
        if len(self.messages) > self.kept:
            oldest = sorted(self.messages.values(), key=lambda m: (m.at, m.id))[: len(self.messages) - self.kept]
            for message in oldest:
                del self.messages[message.id]
            self.older = True
        for key in self.after.keys() - self.messages.keys():
            del self.after[key]
        while len(self.signals) > SIGNALS_KEPT:
            key, signal = self.signals.popitem(last=False)
            self.versions.pop((f"{Namespace.SIGNALS}.{signal.source}", key), None)
        ended = [c for c in self.calls.values() if not c.open]
        for call in sorted(ended, key=lambda c: c.ended_at or c.created_at)[: max(0, len(ended) - ENDED_KEPT)]:
            del self.calls[call.id]
            self.progress.pop(call.id, None)
        over = [r for r in self.runs.values() if r.state in _RUN_ENDED]
        for run in sorted(over, key=lambda r: r.created_at)[: max(0, len(over) - ENDED_KEPT)]:
            del self.runs[run.id]
        for key in [k for k, a in self.approvals.items() if not self._is_shown(a)]:
            del self.approvals[key]
        for key in [k for k, n in self.notifications.items() if n.state in _NOTICE_ENDED]:
            del self.notifications[key]

    def _is_shown(self, approval: Approval) -> bool:
        """Whether a card still waits, or is on its way."""
        if approval.state is ApprovalState.PENDING:
            return True
        call = self.calls.get(approval.call)
        return sending(approval, self.calls) or (call is not None and call.approval == approval.id and is_receipt(call))

    # ---------------------------------------------------------------------------------------------- reading

    def conversation(self) -> list[Message]:
        """The messages by time. One that waits for open calls is ``queued``."""
        ordered = sorted(self.messages.values(), key=lambda m: (m.at, m.id))
        return [
            Message(m.id, m.speaker, m.text, m.at, queued=True) if m.speaker == "you" and self._waits(m.id) else m
            for m in ordered
        ]

    def _waits(self, message_id: str) -> bool:
        return any(self.calls[c].state in CALL_OPEN for c in self.after.get(message_id, ()) if c in self.calls)

    def inbox(self, now: float) -> list[InboxItem]:
        """What waits for the user and is not snoozed, most pressing first, and what is being sent."""
        return inbox_items(
            self.approvals,
            self.notifications.values(),
            self.calls,
            self.follow_ups.values(),
            self.reminders.values(),
            self.acts.values(),
            now,
            self.receipts_read,
        )

    def deferred(self) -> str:
        """What has been put off, in words; empty where nothing is."""
        return deferred_words(self.acts.values(), self.calls.values())

    def deferred_count(self) -> int:
        return deferred_count(self.acts.values(), self.calls.values())

    def next_wake(self, now: float) -> float | None:
        """When the inbox changes by itself: a snoozed card is due back, a window counts down, a receipt fades."""
        times = [a.snoozed_until for a in self.approvals.values() if a.snoozed_until is not None]
        times += [(c.ended_at or 0.0) + RECEIPT_STAYS for c in self.calls.values() if self._is_unread_receipt(c)]
        if any(sending(a, self.calls) and (a.acts_at or 0.0) > now for a in self.approvals.values()):
            times.append(now + 1.0)
        return min((t for t in times if t > now), default=None)

    def _is_unread_receipt(self, call: ToolCall) -> bool:
        return is_receipt(call) and (call.ended_at or 0.0) > self.receipts_read

    def newest_signals(self) -> list[Signal]:
        return list(itertools.islice(reversed(self.signals.values()), SIGNALS_KEPT))

    def listed_calls(self, now: float) -> list[ToolCall]:
        """Open calls that are not deferred, oldest first; then those that ended lately, newest first."""
        running = sorted(
            (c for c in self.calls.values() if c.open and not c.deferred), key=lambda c: (c.created_at, c.id)
        )
        ended = sorted(
            (c for c in self.calls.values() if not c.open and _fades_at(c) > now),
            key=lambda c: (-(c.ended_at or c.created_at), c.id),
        )
        return running + ended

    def in_window(self) -> set[str]:
        """The calls that were approved and have still to happen."""
        return {a.call for a in self.approvals.values() if sending(a, self.calls)}

    def deferred_calls(self) -> dict[str, list[ToolCall]]:
        """Calls that are put off, by the reason, oldest first."""
        found: dict[str, list[ToolCall]] = {}
        for call in sorted(self.calls.values(), key=lambda c: (c.created_at, c.id)):
            if call.open and call.deferred:
                found.setdefault(call.deferred, []).append(call)
        return found

    def awaited(self) -> list[FollowUp]:
        """The answers that are waited for, the next to fall due first."""
        return sorted(self.follow_ups.values(), key=lambda f: (f.due, f.id))

    def next_fade(self, now: float) -> float | None:
        """When the next ended call leaves the list, if any."""
        times = (_fades_at(c) for c in self.calls.values() if not c.open)
        return min((t for t in times if t > now), default=None)

    def running_calls(self) -> list[ToolCall]:
        """Calls whose clock goes on."""
        going = (CallState.SCHEDULED, CallState.ATTEMPTED)
        return [c for c in self.calls.values() if c.state in going and not c.deferred]

    def listed_runs(self) -> list[WorkerRun]:
        """Runs that are not over, oldest first; then the others, newest first."""
        running = sorted(
            (r for r in self.runs.values() if r.state not in _RUN_ENDED), key=lambda r: (r.created_at, r.id)
        )
        ended = sorted((r for r in self.runs.values() if r.state in _RUN_ENDED), key=lambda r: (-r.created_at, r.id))
        return running + ended

    def spent_today(self, now: float, zone: tzinfo) -> float:
        """What model calls have cost since local midnight."""
        start = midnight(now, zone)
        return self.costs.since(start)

    def held_today(self, now: float, zone: tzinfo) -> int:
        """How many things Pepper noticed or thought today and did not tell."""
        start = midnight(now, zone)
        return int(self.held.since(start))

    def troubles(self) -> list[Health]:
        """Parts that do not work, oldest trouble first; before them all the store, without which no other can tell."""
        bad = (h for h in self.health.values() if h.state in ("trouble", "stopped"))
        return sorted(bad, key=lambda h: (h.part != "store", h.at))


def _keep(records: dict[str, Any], key: str, record: object, kept: bool) -> None:
    if kept:
        records[key] = record
    else:
        records.pop(key, None)


_RUN_ENDED: Final = frozenset({RunState.SUCCEEDED, RunState.FAILED, RunState.CANCELLED})


def _fades_at(call: ToolCall) -> float:
    return (call.ended_at or call.created_at) + (FADE_FAILED if call.state is CallState.FAILED else FADE)


_NOTICE_ENDED: Final = frozenset({NotificationState.DONE, NotificationState.DISMISSED})


def midnight(now: float, zone: tzinfo) -> float:
    """The start of the local day that holds ``now``."""
    return datetime.fromtimestamp(now, zone).replace(hour=0, minute=0, second=0, microsecond=0).timestamp()
