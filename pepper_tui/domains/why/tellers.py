"""How each thing in the log is told on a walk, and which part of it led there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pepper_tui.domains.why.signal_teller import tell_signal
from pepper_tui.domains.why.walk import Teller, Walk
from pepper_tui.model import (
    Approval,
    ApprovalState,
    AssistantMessage,
    Context,
    FollowUp,
    Namespace,
    Notification,
    Reminder,
    RuleAct,
    Step,
    ToolCall,
    ToolResult,
    UserMessage,
    WorkerRun,
)
from pepper_tui.text import one_line

_ASKERS: Final = {"step": Namespace.STEP, "run": Namespace.RUN, "act": Namespace.RULE_ACT}


async def _notification(walk: Walk, context: Context, depth: int) -> None:
    item = Notification.of(context)
    walk.say(depth, f"notice {walk.at(item.created_at)}: {one_line(item.title, 100)}")
    walk.say(depth, f"  told because: {one_line(item.reason, 160)} ({item.priority})")
    withdrawn = context.metadata.get("withdrawn")
    if withdrawn:
        walk.say(depth, f"  withdrawn: {one_line(str(withdrawn), 120)}")
    if item.source:
        await walk.follow(item.source, depth + 1)


async def _approval(walk: Walk, context: Context, depth: int) -> None:
    approval = Approval.of(context)
    summary = one_line(str(approval.effect.get("summary", "")), 120)
    walk.say(depth, f"question {walk.at(approval.created_at)}: {summary} ({approval.state})")
    if approval.reason:
        walk.say(depth, f"  proposed because: {one_line(approval.reason, 160)}")
    if approval.state is ApprovalState.WITHDRAWN and approval.decision_note:
        walk.say(depth, f"  withdrawn: {one_line(approval.decision_note, 120)}")
    await walk.follow(f"{Namespace.TOOL_CALL}:{approval.call}", depth + 1)


async def _call(walk: Walk, context: Context, depth: int) -> None:
    call = ToolCall.of(context)
    what = f" ({one_line(call.summary, 120)})" if call.summary else ""
    words = f"call {call.name}{what} {walk.at(call.created_at)}: {call.deferred or call.state}"
    if call.started_at and call.ended_at:
        words += f" after {call.ended_at - call.started_at:.1f} s"
    if call.error:
        words += f", {one_line(call.error, 100)}"
    rooted = "what you typed" if call.root == "user" else "a signal"
    walk.say(depth, f"{words}; rooted in {rooted}{', read text from outside' if call.tainted else ''}")
    kind, _, asker = call.origin.partition(":")
    namespace = _ASKERS.get(kind)
    if namespace is not None:
        await walk.follow(f"{namespace}:{asker}", depth + 1)


async def _act(walk: Walk, context: Context, depth: int) -> None:
    act = RuleAct.of(context)
    more = f", {one_line(act.detail, 120)}" if act.detail else ""
    what = f"your rule {one_line(act.name, 60)!r} ordered {act.act.replace('_', ' ')}"
    walk.say(depth, f"{what} {walk.at(act.created_at)} ({act.state}{more})")
    await walk.follow(act.match, depth + 1)


async def _follow_up(walk: Walk, context: Context, depth: int) -> None:
    waits = FollowUp.of(context)
    words = f"follow-up of {one_line(waits.who, 60)} until {walk.at(waits.due)} ({waits.state})"
    walk.say(depth, words)
    if waits.act:
        await walk.follow(f"{Namespace.RULE_ACT}:{waits.act}", depth + 1)


async def _result(walk: Walk, context: Context, depth: int) -> None:
    result = ToolResult.of(context)
    walk.say(depth, f"result of {result.name} ({result.state}): {one_line(result.content, 100)}")
    await walk.follow(f"{Namespace.TOOL_CALL}:{result.call}", depth + 1)


async def _run(walk: Walk, context: Context, depth: int) -> None:
    run = WorkerRun.of(context)
    who = run.agent or run.kind
    words = f"worker {who}: {one_line(run.task, 100)} ({run.state}, {run.steps} steps, cost {run.spent:.4f})"
    walk.say(depth, words)
    await walk.follow(f"{Namespace.TOOL_CALL}:{run.call}", depth + 1)


async def _step(walk: Walk, context: Context, depth: int) -> None:
    step = Step.of(context)
    tokens = f"{step.prompt_tokens}+{step.completion_tokens} tokens ({step.cached_tokens} cached)"
    model = step.model or "no model"
    walk.say(depth, f"step {walk.at(step.created_at)}: {model}, {tokens}, cost {step.cost:.4f}")
    if step.because:
        walk.say(depth, f"  answered by {model} because of {one_line(step.because, 200)}")
    for call_id in step.calls:
        saved = await walk.store.get(call_id, namespace=Namespace.TOOL_CALL)
        if saved is not None and not walk.has_told(f"{Namespace.TOOL_CALL}:{call_id}"):
            walk.say(depth + 1, f"it called {saved.data['name']} ({saved.data['state']})")
    for ref in step.inputs:
        await walk.follow(ref, depth + 1)


async def _message(walk: Walk, context: Context, depth: int) -> None:
    if context.namespace == Namespace.ASSISTANT_LOG:
        walk.say(depth, f"held back: {one_line(str(context.data.get('text', '')), 120)}")
        step = str(context.data.get("step", ""))
    else:
        message = AssistantMessage.of(context)
        walk.say(depth, f"Pepper {walk.at(message.created_at)}: {one_line(message.text, 100)}")
        step = message.step
    if step:
        await walk.follow(f"{Namespace.STEP}:{step}", depth + 1)


async def _user(walk: Walk, context: Context, depth: int) -> None:
    message = UserMessage.of(context)
    walk.say(depth, f"you {walk.at(message.created_at)}: {one_line(message.text, 100)}")


async def _reminder(walk: Walk, context: Context, depth: int) -> None:
    reminder = Reminder.of(context)
    rhythm = f", repeats by {reminder.rule}" if reminder.rule else ""
    words = f"reminder set {walk.at(reminder.created_at)} for {walk.at(reminder.due)}{rhythm} ({reminder.state})"
    walk.say(depth, words)
    source = f"{Namespace.TOOL_CALL}:{reminder.call}" if reminder.call else reminder.source
    if source:
        await walk.follow(source, depth + 1)


TELLERS: Final[Mapping[str, Teller]] = {
    Namespace.NOTIFICATION: _notification,
    Namespace.APPROVAL: _approval,
    Namespace.TOOL_CALL: _call,
    Namespace.TOOL_RESULT: _result,
    Namespace.RUN: _run,
    Namespace.STEP: _step,
    Namespace.ASSISTANT_MESSAGE: _message,
    Namespace.ASSISTANT_LOG: _message,
    Namespace.USER_MESSAGE: _user,
    Namespace.REMINDER: _reminder,
    Namespace.RULE_ACT: _act,
    Namespace.FOLLOW_UP: _follow_up,
    Namespace.SIGNALS: tell_signal,
}
"""By namespace; a feed's signals are told as ``signals``."""
