"""Why: the chain behind anything on the screen, in words, and what was held back.

From a message, notification, approval, call, run or signal the walk goes back over ``namespace:id`` references:
signal → raw, step → its inputs, calls → results, approvals, runs, and the cost. It reads only what is stored.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, tzinfo
from typing import Final

from pepper_tui.clock import Clock
from pepper_tui.model import (
    BACKLOG,
    ActState,
    Approval,
    AssistantMessage,
    Context,
    ContextFilter,
    Effect,
    FollowUp,
    Namespace,
    Notification,
    Priority,
    Reminder,
    RuleAct,
    Signal,
    Step,
    ToolCall,
    ToolResult,
    UserMessage,
    WorkerRun,
    match_id,
)
from pepper_tui.store import Store
from pepper_tui.text import one_line

COUNTED: Final = 10_000  # items of each kind that "silence" looks at
THOUGHTS: Final = 1000
LISTED: Final = 8  # last items of each kind that "silence" lists
SILENCE_DAYS: Final = 7.0
_DEPTH: Final = 8
_ALIASES: Final = {
    "message": Namespace.ASSISTANT_MESSAGE,
    "user": Namespace.USER_MESSAGE,
    "call": Namespace.TOOL_CALL,
    "result": Namespace.TOOL_RESULT,
    "run": Namespace.RUN,
    "log": Namespace.ASSISTANT_LOG,
    "act": Namespace.RULE_ACT,
    "follow_up": Namespace.FOLLOW_UP,
}
_ASKERS: Final = {"step": Namespace.STEP, "run": Namespace.RUN, "act": Namespace.RULE_ACT}


class Why:
    """Reads the chain behind a thing. ``zone`` is for the times it names."""

    def __init__(self, store: Store, clock: Clock, zone: tzinfo) -> None:
        self._store, self._clock, self._zone = store, clock, zone

    async def explain(self, ref: str) -> list[str]:
        """Lines on ``ref`` (``notification:<id>``, ``call:<id>``, ``signals.mail:<id>`` …), or on ``silence``.

        Raises ``ValueError`` where there is no such thing.
        """
        if ref == "silence":
            return await self._silence()
        if ref.startswith("rule:"):
            return await self._rule(ref.removeprefix("rule:"))
        context = await self._find(ref)
        if context is None:
            raise ValueError(f"nothing is known of {one_line(ref, 60)}")
        lines: list[str] = []
        await self._tell(context, lines, set(), 0)
        return lines

    async def _rule(self, rule_id: str) -> list[str]:
        """The rule's last acts, each with what led to it."""
        wanted = ContextFilter(namespaces=[Namespace.RULE_ACT], tags=[f"rule:{rule_id}"], limit=LISTED)
        lines: list[str] = []
        for context in await self._store.query(wanted):
            await self._tell(context, lines, set(), 0)
        return lines or [f"the rule {one_line(rule_id, 60)!r} has done nothing yet"]

    # ------------------------------------------------------------------------------------------- the walk

    async def _find(self, ref: str) -> Context | None:
        namespace, _, context_id = ref.partition(":")
        if not context_id:
            return None
        namespace = _ALIASES.get(namespace, namespace)
        if namespace in ("signal", Namespace.SIGNALS):
            found = await self._store.query(
                ContextFilter(namespaces=["signals.*"], context_ids=[context_id], limit=1, include_expired=True)
            )
            return found[0] if found else None
        return await self._store.get(context_id, namespace=namespace)

    async def _follow(self, ref: str, lines: list[str], told: set[str], depth: int) -> None:
        context = await self._find(ref)
        if context is None:
            lines.append(_indent(depth, f"from {one_line(ref, 100)} (no longer kept)"))
            return
        await self._tell(context, lines, told, depth)

    async def _tell(self, context: Context, lines: list[str], told: set[str], depth: int) -> None:
        name = f"{context.namespace}:{context.context_id}"
        if name in told or depth > _DEPTH:
            return
        told.add(name)
        tellers: dict[str, Callable[[Context, list[str], set[str], int], Awaitable[None]]] = {
            Namespace.NOTIFICATION: self._notification,
            Namespace.APPROVAL: self._approval,
            Namespace.TOOL_CALL: self._call,
            Namespace.TOOL_RESULT: self._result,
            Namespace.RUN: self._run,
            Namespace.STEP: self._step,
            Namespace.ASSISTANT_MESSAGE: self._message,
            Namespace.ASSISTANT_LOG: self._message,
            Namespace.USER_MESSAGE: self._user,
            Namespace.REMINDER: self._reminder,
            Namespace.RULE_ACT: self._act,
            Namespace.FOLLOW_UP: self._follow_up,
        }
        tell = tellers.get(context.namespace)
        if tell is not None:
            await tell(context, lines, told, depth)
        elif context.namespace.startswith(Namespace.SIGNALS):
            await self._signal(context, lines, told, depth)
        else:
            shown = one_line(context.text or ", ".join(f"{k}: {v}" for k, v in context.data.items()), 120)
            lines.append(_indent(depth, f"{context.namespace} {self._at(context.created_at)}: {shown}"))

    async def _notification(self, context: Context, lines: list[str], told: set[str], depth: int) -> None:
        item = Notification.of(context)
        lines.append(_indent(depth, f"notice {self._at(item.created_at)}: {one_line(item.title, 100)}"))
        lines.append(_indent(depth, f"  told because: {one_line(item.reason, 160)} ({item.priority})"))
        withdrawn = context.metadata.get("withdrawn")
        if withdrawn:
            lines.append(_indent(depth, f"  withdrawn: {one_line(str(withdrawn), 120)}"))
        if item.source:
            await self._follow(item.source, lines, told, depth + 1)

    async def _approval(self, context: Context, lines: list[str], told: set[str], depth: int) -> None:
        approval = Approval.of(context)
        summary = one_line(str(approval.effect.get("summary", "")), 120)
        lines.append(_indent(depth, f"question {self._at(approval.created_at)}: {summary} ({approval.state})"))
        if approval.reason:
            lines.append(_indent(depth, f"  proposed because: {one_line(approval.reason, 160)}"))
        await self._follow(f"{Namespace.TOOL_CALL}:{approval.call}", lines, told, depth + 1)

    async def _call(self, context: Context, lines: list[str], told: set[str], depth: int) -> None:
        call = ToolCall.of(context)
        what = f" ({one_line(call.summary, 120)})" if call.summary else ""
        words = f"call {call.name}{what} {self._at(call.created_at)}: {call.deferred or call.state}"
        if call.started_at and call.ended_at:
            words += f" after {call.ended_at - call.started_at:.1f} s"
        if call.error:
            words += f", {one_line(call.error, 100)}"
        rooted = "what you typed" if call.root == "user" else "a signal"
        lines.append(_indent(depth, f"{words}; rooted in {rooted}{', read text from outside' if call.tainted else ''}"))
        kind, _, asker = call.origin.partition(":")
        namespace = _ASKERS.get(kind)
        if namespace is not None:
            await self._follow(f"{namespace}:{asker}", lines, told, depth + 1)

    async def _act(self, context: Context, lines: list[str], told: set[str], depth: int) -> None:
        act = RuleAct.of(context)
        more = f", {one_line(act.detail, 120)}" if act.detail else ""
        what = f"your rule {one_line(act.name, 60)!r} ordered {act.act.replace('_', ' ')}"
        lines.append(_indent(depth, f"{what} {self._at(act.created_at)} ({act.state}{more})"))
        await self._follow(act.match, lines, told, depth + 1)

    async def _follow_up(self, context: Context, lines: list[str], told: set[str], depth: int) -> None:
        waits = FollowUp.of(context)
        words = f"follow-up of {one_line(waits.who, 60)} until {self._at(waits.due)} ({waits.state})"
        lines.append(_indent(depth, words))
        if waits.act:
            await self._follow(f"{Namespace.RULE_ACT}:{waits.act}", lines, told, depth + 1)

    async def _result(self, context: Context, lines: list[str], told: set[str], depth: int) -> None:
        result = ToolResult.of(context)
        lines.append(_indent(depth, f"result of {result.name} ({result.state}): {one_line(result.content, 100)}"))
        await self._follow(f"{Namespace.TOOL_CALL}:{result.call}", lines, told, depth + 1)

    async def _run(self, context: Context, lines: list[str], told: set[str], depth: int) -> None:
        run = WorkerRun.of(context)
        who = run.agent or run.kind
        words = f"worker {who}: {one_line(run.task, 100)} ({run.state}, {run.steps} steps, cost {run.spent:.4f})"
        lines.append(_indent(depth, words))
        await self._follow(f"{Namespace.TOOL_CALL}:{run.call}", lines, told, depth + 1)

    async def _step(self, context: Context, lines: list[str], told: set[str], depth: int) -> None:
        step = Step.of(context)
        tokens = f"{step.prompt_tokens}+{step.completion_tokens} tokens ({step.cached_tokens} cached)"
        model = step.model or "no model"
        lines.append(_indent(depth, f"step {self._at(step.created_at)}: {model}, {tokens}, cost {step.cost:.4f}"))
        if step.because:
            lines.append(_indent(depth, f"  answered by {model} because of {one_line(step.because, 200)}"))
        for call_id in step.calls:
            saved = await self._store.get(call_id, namespace=Namespace.TOOL_CALL)
            if saved is not None and f"{Namespace.TOOL_CALL}:{call_id}" not in told:
                lines.append(_indent(depth + 1, f"it called {saved.data['name']} ({saved.data['state']})"))
        for ref in step.inputs:
            await self._follow(ref, lines, told, depth + 1)

    async def _message(self, context: Context, lines: list[str], told: set[str], depth: int) -> None:
        if context.namespace == Namespace.ASSISTANT_LOG:
            lines.append(_indent(depth, f"held back: {one_line(str(context.data.get('text', '')), 120)}"))
            step = str(context.data.get("step", ""))
        else:
            message = AssistantMessage.of(context)
            lines.append(_indent(depth, f"Pepper {self._at(message.created_at)}: {one_line(message.text, 100)}"))
            step = message.step
        if step:
            await self._follow(f"{Namespace.STEP}:{step}", lines, told, depth + 1)

    async def _user(self, context: Context, lines: list[str], told: set[str], depth: int) -> None:
        message = UserMessage.of(context)
        lines.append(_indent(depth, f"you {self._at(message.created_at)}: {one_line(message.text, 100)}"))

    async def _reminder(self, context: Context, lines: list[str], told: set[str], depth: int) -> None:
        reminder = Reminder.of(context)
        rhythm = f", repeats by {reminder.rule}" if reminder.rule else ""
        words = f"reminder set {self._at(reminder.created_at)} for {self._at(reminder.due)}{rhythm} ({reminder.state})"
        lines.append(_indent(depth, words))
        source = f"{Namespace.TOOL_CALL}:{reminder.call}" if reminder.call else reminder.source
        if source:
            await self._follow(source, lines, told, depth + 1)

    async def _signal(self, context: Context, lines: list[str], told: set[str], depth: int) -> None:
        signal = Signal.of(context)
        words = f"signal {self._at(signal.created_at)} [{signal.priority}] {one_line(signal.content, 200)}"
        lines.append(_indent(depth, words))
        lines.append(_indent(depth, f"  {signal.priority} because: {one_line(signal.reason, 160)}"))
        lines += [_indent(depth, f"  {words}") for words in self._gist(signal)]
        quotes = str(signal.metadata.get("evidence", "")).splitlines()[:LISTED]
        lines += [_indent(depth + 1, one_line(quote, 240)) for quote in quotes]
        raw = str(signal.metadata.get("raw", ""))
        if raw:
            namespace = f"{Namespace.RAW}.{signal.source}"
            raw_id = raw.partition(":")[2] if raw.startswith(f"{Namespace.RAW}.") else raw
            saved = await self._store.get(raw_id, namespace=namespace)
            kept = f"kept since {self._at(saved.created_at)}" if saved else "no longer kept"
            lines.append(_indent(depth + 1, f"raw {namespace}: {one_line(raw_id, 80)} ({kept})"))
        if depth == 0:
            await self._by_rules(context, lines, told)
            await self._handled(context, lines, told)

    def _gist(self, signal: Signal) -> list[str]:
        """Where the parts of a signal's line come from, and what else is known of the matter."""
        gist = signal.gist
        if gist is None:
            return []
        lines = [f"in the words of {one_line(gist.by, 60)}"] if gist.by else []
        if gist.due is not None:
            kind = "due" if gist.until else "for"
            lines.append(
                f"{kind} {gist.when(self._zone, signal.created_at)}, read from “{one_line(gist.due_said, 80)}”"
            )
        return lines + [f"related: {one_line(each.label, 160)} ({one_line(each.ref, 120)})" for each in gist.related]

    async def _by_rules(self, context: Context, lines: list[str], told: set[str]) -> None:
        """What the user's rules did about a signal, for a walk that begins at the signal."""
        match = await self._store.get(match_id(context), namespace=Namespace.RULE_MATCH)
        for ident in match.data["acts"] if match is not None else ():
            await self._follow(f"{Namespace.RULE_ACT}:{ident}", lines, told, 1)

    async def _handled(self, context: Context, lines: list[str], told: set[str]) -> None:
        """The step that took a signal, for a walk that begins at the signal."""
        name = f"{context.namespace}:{context.context_id}"
        steps = await self._store.query(
            ContextFilter(namespaces=[Namespace.STEP], after_seq=0, since=context.created_at, limit=2000)
        )
        taken = [step for step in steps if name in step.data.get("inputs", [])]
        if not taken:
            lines.append("no step has taken it" + (": log only" if context.data.get("priority") == "log" else " yet"))
        for step in taken[:1]:
            await self._tell(step, lines, told, 1)

    # ------------------------------------------------------------------------------------------- silence

    async def _silence(self) -> list[str]:
        since = self._clock.now() - SILENCE_DAYS * 86_400
        signals = await self._store.query(
            ContextFilter(namespaces=["signals.*"], since=since, limit=COUNTED, include_expired=True)
        )
        notices = await self._store.query(
            ContextFilter(namespaces=[Namespace.NOTIFICATION], since=since, limit=COUNTED, include_expired=True)
        )
        logs = await self._store.query(
            ContextFilter(namespaces=[Namespace.ASSISTANT_LOG], since=since, limit=THOUGHTS, include_expired=True)
        )
        acted, taken = await self._acted_on(since), await self._taken(since)
        marks = await self._store.query(ContextFilter(namespaces=[Namespace.UNJUDGED], since=since, limit=COUNTED))
        unjudged = {mark.context_id for mark in marks}
        told = {notice.data.get("source", "") for notice in notices}
        acts = RuleAct.readable(
            await self._store.query(ContextFilter(namespaces=[Namespace.RULE_ACT], since=since, limit=COUNTED))
        )
        ordered = {act.match for act in acts if act.state in (ActState.DONE, ActState.DEFERRED, ActState.PENDING)}
        acted |= {notice.data.get("matter", "") for notice in notices} - {""}
        first_look, waiting, held = 0, 0, []
        for signal in signals:
            name = f"{signal.namespace}:{signal.context_id}"
            if signal.data.get("reason") == BACKLOG:
                first_look += 1
            elif name in told or name in ordered or signal.data.get("matter") in acted:
                continue
            elif signal.data.get("priority") == Priority.LOG:
                held.append((signal, "priority log: only logged"))
            elif name in unjudged:
                held.append((signal, "no rule of yours tells of it, and there was no model to judge it"))
            elif name not in taken:
                waiting += 1
            else:
                held.append((signal, "a step took it and chose silence"))
        counts = Counter(str(signal.data.get("priority")) for signal, _ in held)
        named = ", ".join(f"{counts[p]} {p}" for p in Priority if counts[p]) or "no"
        lines = [f"Held back in the last {SILENCE_DAYS:.0f} days: {named} signals; {len(logs)} thoughts not said."]
        if max(len(signals), len(notices), len(acts)) >= COUNTED or len(logs) >= THOUGHTS:
            lines.append("There is more than was looked at: only the newest are counted.")
        if waiting:
            lines.append(f"{waiting} signals wait for a step and are not held back.")
        if first_look:
            lines.append(f"{first_look} signals were there when Pepper first looked and do not count.")
        if unjudged:
            lines.append(f"{len(unjudged)} signals are not judged: a model judges the newest when there is one.")
        lines += _acts_not_done(acts)
        withdrawn = [n for n in notices if n.metadata.get("withdrawn")]
        if withdrawn:
            lines.append(f"{len(withdrawn)} notices were withdrawn:")
            lines += [
                f"  {one_line(str(n.data.get('title')), 70)}: {one_line(str(n.metadata['withdrawn']), 70)}"
                for n in withdrawn[:LISTED]
            ]
            lines += _more(withdrawn)
        if held:
            lines.append("Last signals without a notice:")
            lines += [
                f"  {self._at(s.created_at)} [{s.data.get('priority')}] {one_line(str(s.data.get('content')), 70)}"
                f" ({one_line(str(s.data.get('reason')), 70)}; {rule})"
                for s, rule in held[:LISTED]
            ]
            lines += _more(held)
        if logs:
            lines.append("Last thoughts kept to the log:")
            lines += [
                f"  {self._at(entry.created_at)} {one_line(str(entry.data.get('text', '')), 120)}"
                for entry in logs[:LISTED]
            ]
            lines += _more(logs)
        return lines

    async def _acted_on(self, since: float) -> set[str]:
        """The matters that came to a card, a reminder, a note or a task: those were not held back."""
        calls = await self._store.query(
            ContextFilter(namespaces=[Namespace.TOOL_CALL], since=since, limit=COUNTED, include_expired=True)
        )
        acts = [c.data for c in calls if c.data.get("effect") != Effect.READ or c.data.get("name") == "delegate"]
        return {str(act.get("matter", "")) for act in acts} - {""}

    async def _taken(self, since: float) -> set[str]:
        """Names of the signals that a step has taken."""
        steps = await self._store.query(ContextFilter(namespaces=[Namespace.STEP], since=since, limit=COUNTED))
        return {str(name) for step in steps for name in step.data.get("inputs", [])}

    def _at(self, seconds: float) -> str:
        return f"{datetime.fromtimestamp(seconds, self._zone):%a %d %b %H:%M}"


def _more(items: Sequence[object]) -> list[str]:
    return [f"  and {len(items) - LISTED} more"] if len(items) > LISTED else []


def _acts_not_done(acts: list[RuleAct]) -> list[str]:
    """What the user's rules order and is not done, or not yet, with its count and reason."""
    lines: list[str] = []
    for state, said in _NOT_DONE.items():
        counts = Counter((act.name, act.act, act.detail) for act in acts if act.state is state)
        if counts:
            lines.append(f"{counts.total()} acts of your rules {said}:")
        for (name, kind, detail), count in counts.most_common(LISTED):
            words = f"{count} × {kind.replace('_', ' ')} of {one_line(name, 60)!r}"
            lines.append(f"  {words}" + (f": {one_line(detail, 100)}" if detail else ""))
    return lines


_NOT_DONE: Final = {
    ActState.DEFERRED: "wait",
    ActState.PENDING: "are under way",
    ActState.FAILED: "did not work",
    ActState.WITHDRAWN: "were not needed",
}


def _indent(depth: int, words: str) -> str:
    return "  " * depth + words
