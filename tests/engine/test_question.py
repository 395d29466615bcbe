"""What belongs to one question, whatever else is committed in between, and when its last answer has been given."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pepper_tui.engine.answers.question import UNFINISHED, Question
from pepper_tui.model import (
    Approval,
    ApprovalState,
    AssistantMessage,
    CallState,
    Context,
    Effect,
    Namespace,
    Notification,
    NotificationState,
    Record,
    ResolvedEffect,
    Step,
    ToolCall,
    WorkerRun,
)

MINE = f"{Namespace.USER_MESSAGE}:mine"
ENDED = (CallState.SUCCEEDED, CallState.FAILED, CallState.CANCELLED, CallState.UNKNOWN)


def of(namespace: str, record: Record) -> Context:
    return Context(str(record.data()["id"]), namespace, record.data())


def step(name: str, *inputs: str) -> Context:
    return of(Namespace.STEP, Step(name, 0.0, [*inputs]))


def message(name: str, step_: str, text: str, *, unfinished: bool = False, trouble: bool = False) -> Context:
    kind = "trouble" if trouble else "reply"
    return of(Namespace.ASSISTANT_MESSAGE, AssistantMessage(name, text, 0.0, step_, unfinished, kind))  # type: ignore[arg-type]


def call(name: str, origin: str, state: CallState = CallState.SCHEDULED, deferred: str = "") -> Context:
    made = ToolCall(name, "look", {}, Effect.READ, 0.0, origin, state=state, deferred=deferred, summary=f"do {name}")
    return of(Namespace.TOOL_CALL, made)


def card(name: str, call_: str, state: ApprovalState = ApprovalState.PENDING) -> Context:
    effect = ResolvedEffect("act", "", "", f"send {name}", [], {}).data()
    return of(Namespace.APPROVAL, Approval(name, call_, effect, "", 0.0, 0.0, state=state))


@pytest.fixture
def question() -> Question:
    asked = Question("mine")
    asked.take([step("s1", MINE)])
    return asked


def test_its_reply_is_its_own_and_another_step_says_nothing_to_it() -> None:
    asked = Question("mine")
    assert asked.take([message("m0", "s0", "to another"), step("s0", f"{Namespace.USER_MESSAGE}:other")]) == []
    assert not asked.over
    assert asked.take([message("m1", "s1", "to me"), step("s1", MINE)]) == ["to me"]
    assert asked.over


def test_a_batch_that_several_messages_share_answers_each() -> None:
    asked = Question("mine")
    shared = step("s1", f"{Namespace.USER_MESSAGE}:other", MINE)
    assert asked.take([message("m1", "s1", "to both"), shared]) == ["to both"]


def test_an_unfinished_reply_is_marked_and_a_repeated_one_is_said_once() -> None:
    asked = Question("mine")
    assert asked.take([message("m0", "s1", "", unfinished=True), step("s1", MINE)]) == []
    assert asked.take([message("m1", "s1", "half a", unfinished=True)]) == [f"half a\n{UNFINISHED}"]
    assert asked.take([message("m1", "s1", "half a thought")]) == ["half a thought"]
    assert asked.take([message("m1", "s1", "half a thought")]) == []


def test_the_last_reply_says_whether_there_was_trouble(question: Question) -> None:
    question.take([message("m1", "s1", "no model", trouble=True)])
    assert question.trouble
    question.take([message("m2", "s1", "here it is")])
    assert not question.trouble


@pytest.mark.parametrize("state", ENDED)
def test_it_is_over_when_the_results_of_its_calls_were_told(question: Question, state: CallState) -> None:
    question.take([call("c1", "step:s1"), call("c2", "step:s1")])
    assert not question.over
    question.take([call("c1", "step:s1", state)])
    assert not question.over
    question.take([call("c2", "step:s1", state), step("s2", "tool.result:c1")])
    assert not question.over  # the second is still to be told
    assert question.take([message("m3", "s3", "all found"), step("s3", "tool.result:c2")]) == ["all found"]
    assert question.over
    question.take([call("c2", "step:s1", state)])  # committed once more, a note on it say
    assert question.over


def test_calls_of_others_do_not_hold_it_up(question: Question) -> None:
    question.take([call("theirs", "step:s9"), call("a rule's", "act:r|1|x"), card("a1", "theirs")])
    assert question.over
    assert question.cards == {}


@pytest.mark.parametrize("state", [state for state in ApprovalState if state is not ApprovalState.PENDING])
def test_it_waits_for_its_own_cards_until_they_are_decided(question: Question, state: ApprovalState) -> None:
    question.take([call("c1", "step:s1"), call("c1", "step:s1", CallState.WAITING_APPROVAL), card("a1", "c1")])
    assert question.cards == {"a1": "send a1"}
    assert question.over  # what waits for a person is no reason to stay
    question.take([card("a1", "c1", state)])
    assert question.cards == {}


def test_what_waits_for_room_counts_as_its_card_until_it_goes_on(question: Question) -> None:
    question.take([call("c1", "step:s1", deferred="waits for room: 5 cards")])
    assert question.cards == {"c1": "do c1 (waits for room: 5 cards)"}
    question.take([call("c1", "step:s1", CallState.WAITING_APPROVAL)])
    assert question.cards == {}


def test_calls_and_cards_of_its_workers_are_its_own(question: Question) -> None:
    run = WorkerRun("run_c1", "c1", "", "", "t", 0.0)
    theirs = replace(run, id="run_c9", call="c9")
    question.take([call("c1", "step:s1"), of(Namespace.RUN, run), of(Namespace.RUN, theirs)])
    question.take([call("c2", "run:run_c1"), card("a2", "c2"), call("c3", "run:run_c9"), card("a3", "c3")])
    assert question.cards == {"a2": "send a2"}
    question.take([call("c1", "step:s1", CallState.SUCCEEDED), step("s2", "tool.result:c1")])
    assert not question.over  # the worker's call still runs
    question.take([call("c2", "run:run_c1", CallState.SUCCEEDED)])
    assert question.over  # its result is the worker's, not a step's


def asked_by(call_: str, name: str = "q1", state: str = "new", choices: int = 2) -> Context:
    options = [{"words": f"answer {n}"} for n in range(choices)]
    notice = Notification(name, "Which room?", "", "r", f"tool.call:{call_}", 0.0, kind="question", choices=options)
    notice.state = NotificationState(state)
    return of(Namespace.NOTIFICATION, notice)


def test_what_waits_for_the_users_answer_holds_up_no_end(question: Question) -> None:
    question.take([call("c1", "step:s1")])
    assert not question.over
    question.take([asked_by("c1")])
    assert question.over
    assert question.asked == {"q1": "Which room? · 1 answer 0 · 2 answer 1"}
    question.take([asked_by("c1", state="done")])
    assert (question.over, question.asked) == (False, {})
    question.take([call("c1", "step:s1", CallState.SUCCEEDED)])
    assert not question.over  # its result was not told yet
    question.take([step("s2", f"{Namespace.TOOL_RESULT}:c1")])
    assert question.over


def test_a_question_of_anothers_call_is_not_its_own(question: Question) -> None:
    question.take([call("c1", "step:s1"), asked_by("c9")])
    assert (question.over, question.asked) == (False, {})


@pytest.mark.parametrize("waits", ["question", "card", "both"])
def test_a_worker_that_only_waits_for_the_user_holds_up_no_end(question: Question, waits: str) -> None:
    run = WorkerRun("r1", "c1", "", "general", "t", 0.0)
    question.take([call("c1", "step:s1"), of(Namespace.RUN, run)])
    assert not question.over  # it thinks
    if waits in ("question", "both"):
        question.take([call("c2", "run:r1"), asked_by("c2")])
    if waits in ("card", "both"):
        question.take([call("c3", "run:r1", CallState.WAITING_APPROVAL), card("a1", "c3")])
    assert question.over
    question.take([call("c4", "run:r1")])
    assert not question.over  # it looks something up
    question.take([call("c4", "run:r1", CallState.SUCCEEDED)])
    assert question.over


def test_what_began_with_an_answer_goes_on_with_its_result() -> None:
    asked = Question("c1", Namespace.TOOL_RESULT)
    assert asked.take([message("m1", "s2", "thanks"), step("s2", f"{Namespace.TOOL_RESULT}:c1")]) == ["thanks"]
    assert asked.over
