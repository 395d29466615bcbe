"""What was done in a past time span: by Pepper, by its workers and rules, and by the user."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from pepper_tui.model import (
    ActState,
    Approval,
    ApprovalState,
    CallState,
    Context,
    ContextFilter,
    Effect,
    Namespace,
    Notification,
    Priority,
    Reminder,
    ReminderState,
    RuleAct,
    RunState,
    Signal,
    ToolCall,
    WorkerRun,
)
from pepper_tui.text import one_line
from pepper_tui.tools.looking_back import looked_back
from pepper_tui.tools.tool import ToolContext, tool

_MOST: Final = 80  # lines of one answer
_READ: Final = 5_000  # records examined
_ENDED: Final = frozenset({RunState.SUCCEEDED, RunState.FAILED, RunState.CANCELLED})
_LOUD: Final = frozenset({Priority.URGENT, Priority.HIGH})
_TELLING: Final = frozenset({"notify"})  # what these tools did is listed as a notice
_DECIDED: Final = frozenset({ApprovalState.APPROVED, ApprovalState.REJECTED})
_LOOKED_AT: Final = (
    Namespace.TOOL_CALL,
    Namespace.APPROVAL,
    Namespace.NOTIFICATION,
    Namespace.REMINDER,
    Namespace.RUN,
    Namespace.RULE_ACT,
    f"{Namespace.SIGNALS}.*",
)


@tool(effect=Effect.READ)
async def activity(ctx: ToolContext, since: str = "today", until: str = "") -> str:
    """Say what was done and what came in a time that is over, oldest first: sent, changed, set, told, reminded,
    decided by the user, done by workers and rules. Use it for "what did you do today?" and "what did I miss?";
    current_status says what is open now.

    Args:
        since: where the time begins: 'today', 'last week', '3 days ago', a date, or a date with an hour
        until: where it ends, in the same forms; a day or a week counts in whole; empty for now
    """
    zone, now = ctx.zone, ctx.clock.now()
    begins, ends = await looked_back(ctx, since.strip() or "today", until)
    begins, ends = begins or 0.0, now + 1 if ends is None else ends
    wanted = ContextFilter(  # what was done then may have been moved since, a notice read for example
        namespaces=_LOOKED_AT, since=begins, newest_first=False, limit=_READ, include_expired=True
    )
    found = await ctx.store.query(wanted)
    told = sorted(line for context in found if (line := _line(context, begins, ends)) is not None)
    signals = [Signal.of(context) for context in found if context.namespace.startswith(f"{Namespace.SIGNALS}.")]
    signals = [signal for signal in signals if begins <= signal.created_at < ends]
    loud = sum(signal.priority in _LOUD for signal in signals)
    lines = [f"{datetime.fromtimestamp(at, zone):%a %d %b %H:%M} {words}" for at, words in told]
    if len(lines) > _MOST:
        lines = [f"[{len(lines) - _MOST} earlier lines left out; ask for a shorter time]", *lines[-_MOST:]]
    if len(found) == _READ:
        lines.append(f"[only the first {_READ:,} records since then were looked at; ask for a later time]")
    head = f"{len(signals)} signals came in, {loud} of them high or urgent."
    return "\n".join([head, *(lines or ["Nothing was done."])])


def _line(context: Context, begins: float, ends: float) -> tuple[float, str] | None:
    """Return when it was, and what; ``None`` for anything not done in that time."""
    at, words = _done(context)
    return (at, one_line(words, 300)) if words and begins <= at < ends else None


def _done(context: Context) -> tuple[float, str]:
    match context.namespace:
        case Namespace.TOOL_CALL:
            return _call(ToolCall.one(context))
        case Namespace.APPROVAL:
            card = Approval.one(context)
            if card is not None and card.state in _DECIDED and card.decided_at is not None:
                note = f": {card.decision_note}" if card.decision_note else ""
                return card.decided_at, f"the user {card.state}: {card.resolved.summary}{note}"
        case Namespace.NOTIFICATION:
            notice = Notification.one(context)
            if notice is not None and not context.metadata.get("withdrawn"):
                return notice.created_at, f"told: {notice.title} ({notice.state})"
        case Namespace.REMINDER:
            reminder = Reminder.one(context)
            if reminder is not None and reminder.state is ReminderState.FIRED:
                return reminder.due, f"reminded: {reminder.text}"
        case Namespace.RUN:
            run = WorkerRun.one(context)
            if run is not None and run.state in _ENDED:
                return context.updated_at, f"worker {run.agent or run.kind} {run.state}: {run.task}"
        case Namespace.RULE_ACT:
            act = RuleAct.one(context)
            if act is not None and act.state in (ActState.DONE, ActState.FAILED) and act.ended_at is not None:
                return act.ended_at, f"rule {act.name}: {act.act} {act.state}: {act.about}"
    return 0.0, ""


def _call(call: ToolCall | None) -> tuple[float, str]:
    if call is None or call.effect is Effect.READ or call.ended_at is None or call.name in _TELLING:
        return 0.0, ""
    done = "" if call.state is CallState.SUCCEEDED else f" {call.state}" + (f" ({call.error})" if call.error else "")
    return call.ended_at, f"{call.name.replace('_', ' ')}{done}: {call.summary or _said(call.arguments)}"


def _said(arguments: dict[str, object]) -> str:
    return ", ".join(str(value) for value in arguments.values() if isinstance(value, str) and value.strip())


ACTIVITY_TOOLS: Final = (activity,)
