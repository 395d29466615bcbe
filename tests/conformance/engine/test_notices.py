"""What the user does to notices and questions, and to calls whose end nobody knows."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from pepper_tui.engine.protocol import ChoiceError, EngineError
from pepper_tui.model import (
    CallState,
    Effect,
    Namespace,
    Notification,
    NotificationState,
    Origin,
    Span,
    ToolCall,
    UserAnswer,
)
from tests.conformance.engine.stages import ROOMS, T0, Stage, found, notice

ENDS = {"done": NotificationState.DONE, "dismiss": NotificationState.DISMISSED, "snooze": NotificationState.SNOOZED}

ACTS: dict[str, Callable[..., Awaitable[str]]] = {
    "done": lambda stage, *refs: stage.engine.done(*refs),
    "dismiss": lambda stage, *refs: stage.engine.dismiss(*refs),
    "snooze": lambda stage, first, *more: stage.engine.snooze(first, "1h", *more),
}


async def state(stage: Stage, ident: str) -> NotificationState:
    context = await found(stage.engine, Namespace.NOTIFICATION, ident)
    assert context is not None
    return Notification.of(context).state


@pytest.mark.parametrize("act", ENDS)
async def test_an_act_on_several_takes_all_and_one_undo_takes_all_back(stage: Stage, act: str) -> None:
    await stage.put(Namespace.NOTIFICATION, notice("n1"), notice("n2"))
    refs = ("notification:n1", "notification:n2")
    assert await ACTS[act](stage, *refs)
    assert [await state(stage, ident) for ident in ("n1", "n2")] == [ENDS[act]] * 2
    assert await stage.engine.undo()
    assert [await state(stage, ident) for ident in ("n1", "n2")] == [NotificationState.NEW] * 2
    assert await stage.engine.redo()
    assert [await state(stage, ident) for ident in ("n1", "n2")] == [ENDS[act]] * 2


@pytest.mark.parametrize("act", ENDS)
async def test_an_act_takes_none_where_one_is_not_there(stage: Stage, act: str) -> None:
    await stage.put(Namespace.NOTIFICATION, notice("n1"))
    refs = ("notification:n1", "notification:nowhere")
    with pytest.raises(EngineError):
        await ACTS[act](stage, *refs)
    assert await state(stage, "n1") is NotificationState.NEW


async def test_a_notice_is_seen(stage: Stage) -> None:
    await stage.put(Namespace.NOTIFICATION, notice("n1"))
    await stage.engine.seen("notification:n1")
    assert await state(stage, "n1") is NotificationState.SEEN
    await stage.engine.seen("notification:nowhere")


async def test_a_time_that_is_none_is_asked_for_again(stage: Stage) -> None:
    await stage.put(Namespace.NOTIFICATION, notice("n1"))
    with pytest.raises(ChoiceError) as asked:
        await stage.engine.snooze("notification:n1", "flurb")
    assert asked.value.words
    assert asked.value.choices == ()
    assert await state(stage, "n1") is NotificationState.NEW


async def test_a_time_that_can_mean_several_is_asked_with_each(stage: Stage) -> None:
    await stage.put(Namespace.NOTIFICATION, notice("n1"))
    with pytest.raises(ChoiceError) as asked:
        await stage.engine.snooze("notification:n1", stage.several)
    assert len(asked.value.choices) > 1
    assert all(words for words, _ in asked.value.choices)
    assert await stage.engine.snooze("notification:n1", asked.value.choices[-1][1])
    assert await state(stage, "n1") is NotificationState.SNOOZED


async def test_a_question_is_answered_by_a_choice(stage: Stage) -> None:
    question = await stage.question()
    ref = f"notification:{question.id}"
    for number in (0, len(ROOMS) + 1):
        with pytest.raises(EngineError):
            await stage.engine.choose(ref, number)
    assert await stage.engine.choose(ref, 2)
    context = await found(stage.engine, Namespace.USER_ANSWER, question.id)
    assert context is not None
    answer = UserAnswer.of(context)
    assert (answer.text, answer.chosen) == (ROOMS[1], 2)
    assert await state(stage, question.id) is NotificationState.DONE


async def test_a_question_is_answered_in_words_of_their_own(stage: Stage) -> None:
    question = await stage.question()
    spans = [Span(0, 3, Origin.PASTED)]
    assert await stage.engine.answer(f"notification:{question.id}", "any will do", spans=spans)
    context = await found(stage.engine, Namespace.USER_ANSWER, question.id)
    assert context is not None
    answer = UserAnswer.of(context)
    assert (answer.text, answer.chosen, answer.spans) == ("any will do", 0, spans)


@pytest.mark.parametrize(
    ("answer", "end"),
    [("happened", CallState.SUCCEEDED), ("did_not", CallState.FAILED), ("leave", CallState.UNKNOWN)],
)
async def test_a_call_whose_end_nobody_knows_has_the_end_that_the_user_says(
    stage: Stage, answer: str, end: CallState
) -> None:
    call = ToolCall("k1", "send_mail", {}, Effect.SEND, T0, "step:1", state=CallState.UNKNOWN)
    await stage.put(Namespace.TOOL_CALL, call)
    assert await stage.engine.answer_unknown("k1", answer)  # type: ignore[arg-type]
    context = await found(stage.engine, Namespace.TOOL_CALL, "k1")
    assert context is not None
    assert ToolCall.of(context).state is end
