"""What a context of each namespace does to the records of the screen: one table.

Each entry takes the context in and says which panes may look different now.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from pepper_tui.domains.calendar.telling.next_event import NextEvent
from pepper_tui.model import (
    BACKLOG,
    Approval,
    AssistantMessage,
    Context,
    FollowUp,
    FollowUpState,
    Health,
    Namespace,
    Notification,
    Priority,
    Reminder,
    ReminderState,
    RuleAct,
    Signal,
    ToolCall,
    Usage,
    UserMessage,
    WorkerRun,
)
from pepper_tui.ui.shared.records import Message, Pane, Records

Take = Callable[[Records, Context, bool], set[Pane]]
"""Takes a context in; true where it was deleted."""


def take(records: Records, context: Context, deleted: bool) -> set[Pane]:
    """Take one context in. Raises ``TypeError``, ``ValueError`` or ``KeyError`` for a form that is not known here."""
    if context.namespace.startswith(Namespace.SIGNALS + "."):
        return _signal(records, context, deleted)
    known = _TAKES.get(context.namespace)
    return known(records, context, deleted) if known is not None else set()


def _user_message(records: Records, context: Context, deleted: bool) -> set[Pane]:
    key, said = context.context_id, UserMessage.of(context)
    if deleted or said.withdrawn:
        records.messages.pop(key, None)
    else:
        records.messages[key] = Message(key, "you", said.text, said.created_at, spans=said.written.spans)
        records.after[key] = tuple(said.after_calls)
    return {Pane.CHAT}


def _assistant_message(records: Records, context: Context, deleted: bool) -> set[Pane]:
    key, said = context.context_id, AssistantMessage.of(context)
    speaker = "trouble" if said.kind == "trouble" else "pepper"
    message = Message(key, speaker, said.text, said.created_at, said.unfinished)
    _keep(records.messages, key, message, not deleted)
    return {Pane.CHAT}


def _assistant_log(records: Records, context: Context, deleted: bool) -> set[Pane]:
    del deleted
    records.held.add(context.context_id, context.seq, context.created_at, 1.0)
    return {Pane.STATUS}


def _signal(records: Records, context: Context, deleted: bool) -> set[Pane]:
    key, signal = context.context_id, Signal.of(context)
    _keep(records.signals, key, signal, not deleted)
    if not deleted and signal.priority is Priority.LOG and signal.reason != BACKLOG:
        records.held.add(key, context.seq, signal.created_at, 1.0)
    return {Pane.SIGNALS, Pane.STATUS}


def _call(records: Records, context: Context, deleted: bool) -> set[Pane]:
    key = context.context_id
    _keep(records.calls, key, ToolCall.of(context), not deleted)
    waited_for = any(key in calls for calls in records.after.values())
    return {Pane.CALLS, Pane.INBOX, Pane.STATUS} | ({Pane.CHAT} if waited_for else set())


def _progress(records: Records, context: Context, deleted: bool) -> set[Pane]:
    del deleted
    records.progress[context.context_id] = context.text or str(context.data.get("text", ""))
    return {Pane.CALLS}


def _approval(records: Records, context: Context, deleted: bool) -> set[Pane]:
    _keep(records.approvals, context.context_id, Approval.of(context), not deleted)
    return {Pane.INBOX, Pane.CALLS, Pane.STATUS}


def _notification(records: Records, context: Context, deleted: bool) -> set[Pane]:
    _keep(records.notifications, context.context_id, Notification.of(context), not deleted)
    return {Pane.INBOX, Pane.STATUS}


def _follow_up(records: Records, context: Context, deleted: bool) -> set[Pane]:
    follow_up = FollowUp.of(context)
    is_open = follow_up.state is FollowUpState.OPEN
    _keep(records.follow_ups, context.context_id, follow_up, not deleted and is_open)
    return {Pane.INBOX, Pane.CALLS}


def _reminder(records: Records, context: Context, deleted: bool) -> set[Pane]:
    reminder = Reminder.of(context)
    waits = reminder.state is ReminderState.WAITING and bool(reminder.matter)
    _keep(records.reminders, context.context_id, reminder, not deleted and waits)
    return {Pane.INBOX}


def _rule_act(records: Records, context: Context, deleted: bool) -> set[Pane]:
    act = RuleAct.of(context)
    _keep(records.acts, context.context_id, act, not deleted and act.open)
    return {Pane.INBOX, Pane.RULES}


def _rule(records: Records, context: Context, deleted: bool) -> set[Pane]:
    del records, context, deleted  # the list of rules asks the engine
    return {Pane.RULES}


def _run(records: Records, context: Context, deleted: bool) -> set[Pane]:
    _keep(records.runs, context.context_id, WorkerRun.of(context), not deleted)
    return {Pane.WORKERS}


def _usage(records: Records, context: Context, deleted: bool) -> set[Pane]:
    del deleted
    usage = Usage.of(context)
    records.costs.add(context.context_id, context.seq, usage.created_at, usage.cost)
    return {Pane.STATUS}


def _health(records: Records, context: Context, deleted: bool) -> set[Pane]:
    _keep(records.health, context.context_id, Health.of(context), not deleted)
    return {Pane.STATUS}


def _next_event(records: Records, context: Context, deleted: bool) -> set[Pane]:
    records.next_event = NextEvent() if deleted else NextEvent.of(context)
    return {Pane.STATUS}


def _keep(those: dict[str, Any], key: str, record: object, kept: bool) -> None:
    if kept:
        those[key] = record
    else:
        those.pop(key, None)


_TAKES: Final[dict[str, Take]] = {
    Namespace.USER_MESSAGE: _user_message,
    Namespace.ASSISTANT_MESSAGE: _assistant_message,
    Namespace.ASSISTANT_LOG: _assistant_log,
    Namespace.TOOL_CALL: _call,
    Namespace.PROGRESS: _progress,
    Namespace.APPROVAL: _approval,
    Namespace.NOTIFICATION: _notification,
    Namespace.FOLLOW_UP: _follow_up,
    Namespace.REMINDER: _reminder,
    Namespace.RULE_ACT: _rule_act,
    Namespace.RULE: _rule,
    Namespace.RULE_PAUSE: _rule,
    Namespace.RUN: _run,
    Namespace.USAGE: _usage,
    Namespace.HEALTH: _health,
    Namespace.NEXT_EVENT: _next_event,
}
