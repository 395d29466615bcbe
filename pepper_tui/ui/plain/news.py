"""Updates as lines: once per state, and only what a user of the screen would be shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from pepper_tui.model import (
    Approval,
    ApprovalState,
    AssistantMessage,
    CallState,
    Context,
    ContextUpdate,
    Effect,
    Health,
    Namespace,
    Notification,
    NotificationState,
    Priority,
    RunState,
    Signal,
    ToolCall,
    WorkerRun,
)
from pepper_tui.text import one_line
from pepper_tui.ui.plain.numbers import Numbers
from pepper_tui.ui.shared import words
from pepper_tui.ui.shared.matters import COUNTED
from pepper_tui.ui.shared.names import not_done
from pepper_tui.ui.shared.records import Message

REMEMBERED: Final = 20_000
"""How many printed states are remembered."""
_ENDED_CARD: Final = frozenset(ApprovalState) - {ApprovalState.PENDING}
_TOLD_CALL: Final = {CallState.FAILED, CallState.CANCELLED, CallState.UNKNOWN}
_TOLD_RUN: Final = {RunState.RUNNING, RunState.SUCCEEDED, RunState.FAILED, RunState.CANCELLED}


def _is_told(call: ToolCall) -> bool:
    """Check whether a call's state is printed.

    Failures always are; a success only if it changed the outside world or the user's own words led to it.
    """
    if call.state in _TOLD_CALL:
        return True
    outside = call.effect in (Effect.WRITE, Effect.SEND)
    return call.state is CallState.SUCCEEDED and (outside or call.root == "user")


class News:
    """Remembers what was printed. ``quiet`` leaves out signals, calls and workers."""

    def __init__(self, numbers: Numbers, key: Callable[[str], str] = str) -> None:
        """Start with nothing printed. ``key``: the inbox's key for the item that an approval is shown in."""
        self._numbers, self._key = numbers, key
        self._said: dict[tuple[str, str], object] = {}
        self._aloud = True
        self.quiet = False
        self.calls_out = False
        """Whether the last lines asked for a yes, or were urgent."""

    def known(self, contexts: list[Context]) -> None:
        """Mark ``contexts`` as already printed."""
        self._aloud = False
        for context in contexts:
            list(self._lines(context))
        self._aloud = True

    def of(self, updates: list[ContextUpdate]) -> list[str]:
        """Return the lines of ``updates``."""
        self.calls_out = False
        lines: list[str] = []
        for update in updates:
            if not update.deleted:
                try:
                    lines += self._lines(update.context)
                except (TypeError, ValueError, KeyError):  # a form unknown to this version
                    continue
        return lines

    def _new(self, context: Context, state: object) -> bool:
        name = (context.namespace, context.context_id)
        if self._said.get(name) == state:
            return False
        self._said[name] = state
        if len(self._said) > REMEMBERED:
            del self._said[next(iter(self._said))]
        return True

    def _inbox_number(self, key: str, ref: str) -> int:
        return self._numbers.tell(key, ref) if self._aloud else self._numbers.of(key)

    def _lines(self, context: Context) -> Iterator[str]:
        match context.namespace:
            case Namespace.ASSISTANT_MESSAGE:
                answer = AssistantMessage.of(context)
                if (answer.text.strip() or not answer.unfinished) and self._new(context, answer.text):
                    speaker = "trouble" if answer.kind == "trouble" else "pepper"
                    said = Message(answer.id, speaker, answer.text, answer.created_at, answer.unfinished)
                    yield from words.message_lines(said)
            case Namespace.APPROVAL:
                approval = Approval.of(context)
                what = one_line(approval.resolved.summary, 300).rstrip(".")
                if approval.state is ApprovalState.PENDING and self._new(context, approval.digest):
                    self.calls_out = True
                    number = self._inbox_number(self._key(f"approval:{approval.id}"), f"approval:{approval.id}")
                    failed = f"{not_done(approval)}, {one_line(approval.problem)}: " if approval.problem else ""
                    yield f"Inbox, {number}: {failed}needs your yes: {what}. /read {number}"
                elif approval.state in _ENDED_CARD and self._new(context, approval.state):
                    left = (approval.acts_at or 0.0) - (approval.decided_at or approval.acts_at or 0.0)
                    waits = approval.state is ApprovalState.APPROVED and left > 0
                    at = f"in {round(left, 1):g} seconds" if left <= COUNTED else "at its time"
                    back = f". It is done {at}; /undo takes it back" if waits else ""
                    yield f"{approval.state.value.capitalize()}: {what}{back}"
            case Namespace.NOTIFICATION:
                notice = Notification.of(context)
                if notice.state is NotificationState.NEW and self._new(context, notice.title):
                    self.calls_out = self.calls_out or notice.priority is Priority.URGENT
                    ref = f"notification:{notice.id}"
                    number = self._inbox_number(f"matter:{notice.matter}" if notice.matter else ref, ref)
                    yield f"Inbox, {number}: {notice.priority.value}: {one_line(notice.title)}. /read {number}"
            case Namespace.HEALTH:
                health = Health.of(context)
                bad = health.state in ("trouble", "stopped")
                if health.state == "starting":
                    return  # it is retried, which is no news
                before = self._said.get((context.namespace, context.context_id))
                if self._new(context, (bad, health.detail if bad else "")):
                    remedy = f". To fix it: {one_line(health.remedy)}" if health.remedy else ""
                    if bad:
                        yield f"Trouble, {one_line(health.name, 40)}: {one_line(health.detail)}{remedy}"
                    elif isinstance(before, tuple) and before[0]:
                        yield f"Works again: {one_line(health.name, 40)}"
            case Namespace.TOOL_CALL:
                call = ToolCall.of(context)
                if _is_told(call) and self._new(context, call.state):
                    number = self._numbers.of(f"call:{call.id}")
                    if call.state is CallState.UNKNOWN:
                        self.calls_out = True
                        yield f"Inbox, {number}: outcome unknown: {words.call_line(call)}. /read {number}"
                    elif not self.quiet:
                        yield f"{number}: {words.call_line(call)}"
            case Namespace.RUN:
                run = WorkerRun.of(context)
                if run.state in _TOLD_RUN and self._new(context, run.state) and not self.quiet:
                    yield f"{self._numbers.of(f'run:{run.id}')}: {words.run_line(run)}"
            case namespace if namespace.startswith(Namespace.SIGNALS + "."):
                signal = Signal.of(context)
                told = signal.priority not in (Priority.LOW, Priority.LOG)
                if told and self._new(context, signal.content) and not self.quiet:
                    yield f"{self._numbers.of(f'signal:{signal.id}')}: {words.signal_line(signal)}"
