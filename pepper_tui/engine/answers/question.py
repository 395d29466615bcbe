"""Tracks by ids what one question of the user has started, apart from everything else.

A step belongs to the question if it took the question's message, or a result of a call of such a step. A reply, a call,
a run or a card belongs to it by the step, call or run that it names. Nothing is guessed from times. What only waits for
the user (a card, or a question of Pepper's) does not delay its end; nor does a worker that only waits for such.
"""

from __future__ import annotations

from collections.abc import Iterable

from pepper_tui.model import (
    CALL_OPEN,
    CALL_UNDER_WAY,
    Approval,
    ApprovalState,
    AssistantMessage,
    CallState,
    Context,
    Namespace,
    Notification,
    NotificationState,
    Step,
    ToolCall,
    WorkerRun,
)

UNFINISHED = "[unfinished: the answer was stopped, or its limit cut it off]"
_OPEN = frozenset({NotificationState.NEW, NotificationState.SEEN, NotificationState.SNOOZED})


def asked_words(question: Notification) -> str:
    """Return a question of Pepper's and its choices in one line."""
    return " · ".join([question.title, *(f"{n} {each['words']}" for n, each in enumerate(question.choices, 1))])


class Question:
    """Tracks one question.

    Pass it every context committed after the message, in order; ``over``: the last reply is given.
    """

    def __init__(self, message_id: str, namespace: str = Namespace.USER_MESSAGE) -> None:
        """Track a question that began with the context ``message_id`` in ``namespace``.

        That is a user message, or the tool result made by the user's answer to a question.
        """
        self.cards: dict[str, str] = {}
        """What waits for the user's approval, or for room to ask for it, in words by id."""
        self.asked: dict[str, str] = {}
        """The questions that wait for the user's answer, in words by id."""
        self.trouble = False
        """Whether the last reply only says that the model was unavailable."""
        self.unmet = False
        """Whether it was not done: the last reply says so, or the call that ended last has failed."""
        self._inputs = {f"{namespace}:{message_id}"}
        self._steps: set[str] = set()
        self._calls: set[str] = set()
        self._runs: dict[str, str] = {}  # run id → id of the call that began it
        self._open: dict[str, str] = {}  # id of an open call → its origin
        self._asking: dict[str, str] = {}  # id of an open question → id of the call that waits for it
        self._running: set[str] = set()
        self._results: set[str] = set()  # of ended calls; no step has taken them yet
        self._early: dict[str, list[Context]] = {}  # contexts by the id of a step that is not known yet
        self._shown: dict[str, str] = {}

    @property
    def over(self) -> bool:
        return bool(self._steps) and not self._results and all(self._waits(call) for call in self._running)

    def _waits(self, call: str) -> bool:
        """Return whether an open call only waits for the user."""
        if call not in self._running or call in self._asking.values():
            return True
        run = next((run for run, begun_by in self._runs.items() if begun_by == call), "")
        theirs = [each for each, origin in self._open.items() if origin == f"run:{run}"] if run else []
        return bool(theirs) and all(self._waits(each) for each in theirs)

    def take(self, contexts: Iterable[Context]) -> list[str]:
        """Take in what was committed; return the new replies."""
        return [words for context in contexts for words in self._one(context)]

    def _one(self, context: Context) -> list[str]:
        match context.namespace:
            case Namespace.STEP:
                return self._step(Step.of(context))
            case Namespace.ASSISTANT_MESSAGE:
                return self._of_step(AssistantMessage.of(context).step, context)
            case Namespace.TOOL_CALL:
                call = ToolCall.of(context)
                kind, _, origin = call.origin.partition(":")
                if kind == "step" and origin not in self._steps:
                    return self._of_step(origin, context)
                if kind == "step" or origin in self._runs:
                    self._call(call)
            case Namespace.RUN:
                run = WorkerRun.of(context)
                if run.call in self._calls:
                    self._runs[run.id] = run.call
            case Namespace.NOTIFICATION:
                self._notice(Notification.of(context))
            case Namespace.APPROVAL:
                approval = Approval.of(context)
                if approval.state is ApprovalState.PENDING and approval.call in self._calls:
                    self.cards[approval.id] = approval.resolved.summary
                else:
                    self.cards.pop(approval.id, None)
        return []

    def _notice(self, notice: Notification) -> None:
        call = notice.source.partition(":")[2]
        if notice.awaited and notice.state in _OPEN and call in self._calls:
            self.asked[notice.id] = asked_words(notice)
            self._asking[notice.id] = call
        else:
            self.asked.pop(notice.id, None)
            self._asking.pop(notice.id, None)

    def _of_step(self, step: str, context: Context) -> list[str]:
        """Handle a context that names its step; keep it if the step is not known yet.

        A step is committed together with what it said and ordered, but after them.
        """
        if step not in self._steps:
            self._early.setdefault(step, []).append(context)
            return []
        if context.namespace == Namespace.TOOL_CALL:
            self._call(ToolCall.of(context))
            return []
        message = AssistantMessage.of(context)
        if self._shown.get(message.id) == message.text or (message.unfinished and not message.text.strip()):
            return []
        self.trouble = message.kind == "trouble"
        self.unmet = self.unmet or message.kind == "unmet"
        self._shown[message.id] = message.text
        return [f"{message.text}\n{UNFINISHED}" if message.unfinished else message.text]

    def _step(self, step: Step) -> list[str]:
        early = self._early.pop(step.id, [])
        if not self._inputs.intersection(step.inputs):
            return []
        self._steps.add(step.id)
        self._results.difference_update(step.inputs)
        return [words for context in early for words in self._of_step(step.id, context)]

    def _call(self, call: ToolCall) -> None:
        self._calls.add(call.id)
        if call.state in CALL_OPEN:
            self._open[call.id] = call.origin
        else:
            self._open.pop(call.id, None)
        if call.waits_for_room:
            self.cards[call.id] = f"{call.summary or call.name} ({call.deferred})"
        else:
            self.cards.pop(call.id, None)
        if call.state in CALL_UNDER_WAY and not call.waits_for_room:
            self._running.add(call.id)
            return
        self._running.discard(call.id)
        result = f"{Namespace.TOOL_RESULT}:{call.id}"
        ended = call.state not in CALL_OPEN
        if ended:
            self.unmet = call.state in (CallState.FAILED, CallState.UNKNOWN)
        if ended and call.origin.startswith("step:") and result not in self._inputs:
            self._inputs.add(result)
            self._results.add(result)
