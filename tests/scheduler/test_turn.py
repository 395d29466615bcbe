"""A turn: results that come together share a step, and its ended calls are told in the provider's native form."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pepper_tui.clock import ManualClock
from pepper_tui.model import CallState, Json, ModelRequest, Moved, Namespace, ToolCall, ToolResult, UserAct
from pepper_tui.store import ContextStore
from tests.scheduler.scripted import ScriptedModel, Stage, answer
from tests.waiting import until

LOOK: tuple[str, dict[str, Any]] = ("search_mail", {"query": "Dana"})


class Turns(Stage):
    """A stage whose calls the test ends."""

    async def steps(self, count: int) -> None:
        async def taken() -> bool:
            return len(await self.all(Namespace.STEP)) >= count

        await until(taken)

    async def calls(self) -> list[ToolCall]:
        return [ToolCall.of(data) for data in await self.all(Namespace.TOOL_CALL)]

    async def end(self, call: ToolCall, content: str, state: CallState = CallState.SUCCEEDED) -> None:
        call.state = state
        result = ToolResult(
            call.id, call.name, call.arguments, state, content, self.clock.now(), call.origin, call.root,
            announced=call.announced,
        )  # fmt: skip
        async with self.store.unit():
            await self.store.put(call, namespace=Namespace.TOOL_CALL)
            await self.store.put(result, namespace=Namespace.TOOL_RESULT, context_id=call.id)


def roles(request: ModelRequest) -> list[str]:
    return [message["role"] for message in request.messages]


def log_of(request: ModelRequest) -> str:
    return str(request.messages[1]["content"])


def paired(messages: list[Json]) -> bool:
    """Whether each native call is followed by its result, and nothing but results follows a call."""
    open_: list[str] = []
    for message in messages:
        if message["role"] == "tool":
            open_.remove(message["tool_call_id"])
        elif open_:
            return False
        open_ += [call["id"] for call in message.get("tool_calls", [])]
    return not open_


def gathers(stage: Turns) -> bool:
    """Whether a result has just come, and others of its step are waited for."""
    return any(abs(at - stage.clock.monotonic() - 0.3) < 0.001 for at in stage.clock.sleepers)


async def began(stage: Turns, replies: list[Any]) -> list[ToolCall]:
    """The user has asked; the first step is done. ``replies`` are those of the steps, in order."""
    stage.model.reply = lambda _: replies.pop(0) if replies else answer("", ("wait", {}))
    await stage.say("What does Dana want?")
    await stage.steps(1)
    return sorted(await stage.calls(), key=lambda call: call.id)


@pytest.fixture
async def stage(store: ContextStore, clock: ManualClock, tmp_path: Path) -> Any:
    async with Turns(store, clock, ScriptedModel()) as found:
        yield found


async def test_ended_calls_are_told_in_the_native_form_and_grow_at_their_end(stage: Turns) -> None:
    read = ("read_thread", {"message_id": "<1@x>"})
    [first] = await began(stage, [answer("I look.", LOOK), answer("I read.", read), answer("She wants the price.")])
    await stage.end(first, "mail 1")
    await stage.steps(2)
    [second] = [call for call in await stage.calls() if call.name == "read_thread"]
    await stage.end(second, "the whole thread")
    await stage.steps(3)
    asked, looked, done = stage.model.requests
    assert roles(asked) == ["system", "user"]
    assert roles(looked) == ["system", "user", "assistant", "tool"]
    assert roles(done) == [*roles(looked), "assistant", "tool"]
    assert paired(done.messages)
    assert [m["content"] for m in done.messages if m["role"] == "assistant"] == ["I look.", "I read."]
    assert log_of(asked).startswith(log_of(looked))
    assert log_of(looked) == log_of(done)
    assert done.messages[2] == looked.messages[2]
    assert looked.messages[3]["content"].startswith(done.messages[3]["content"])  # but for the tail
    assert done.messages[-1]["content"].endswith("</now>")
    assert "tool_call" not in log_of(done)  # nothing twice
    assert "the whole thread" not in log_of(done)
    await stage.say("Thanks")
    await stage.steps(4)
    assert roles(stage.model.requests[-1]) == ["system", "user"]
    text = log_of(stage.model.requests[-1])
    assert text.startswith(log_of(done))
    for piece in ("I look.", "mail 1", "I read.", "the whole thread", "She wants the price."):
        assert text.count(piece) == 1


async def test_a_call_that_has_not_ended_stands_in_the_tail_alone(stage: Turns) -> None:
    other = ("search_mail", {"query": "Bob"})
    first, second = await began(stage, [answer("I look.", LOOK, other), answer("", ("wait", {})), answer("Both.")])
    await stage.end(first, "of Dana")
    await stage.clock.advance(1.0)
    await stage.steps(2)
    looked = stage.model.requests[1]
    assert paired(looked.messages)
    assert second.id in looked.messages[-1]["content"]  # as an open call
    assert second.id not in str(looked.messages[:-1])
    await stage.end(second, "of Bob")
    await stage.steps(3)
    done = stage.model.requests[2]
    assert paired(done.messages)
    assert [m.get("tool_call_id") for m in done.messages if m["role"] == "tool"] == [first.id, second.id]


async def test_results_that_come_together_share_a_step(stage: Turns) -> None:
    calls = await began(stage, [answer("I look.", *[("search_mail", {"query": str(n)}) for n in range(4)])])
    for number, call in enumerate(calls):
        await stage.end(call, f"result {number}")
        if call is not calls[-1]:
            await until(lambda: gathers(stage))
        await stage.clock.advance(0.29)
    await stage.steps(2)
    assert stage.model.kinds() == [["user_msg"], ["tool_result"] * 4]
    assert paired(stage.model.requests[1].messages)


@pytest.mark.parametrize("apart", [0.31, 3.0])
async def test_results_that_come_apart_do_not_wait_for_each_other(stage: Turns, apart: float) -> None:
    calls = await began(stage, [answer("I look.", *[("search_mail", {"query": str(n)}) for n in range(3)])])
    for number, call in enumerate(calls):
        await stage.end(call, f"result {number}")
        await stage.clock.advance(apart)
        await stage.steps(number + 2)
    assert stage.model.kinds() == [["user_msg"], ["tool_result"], ["tool_result"], ["tool_result"]]


async def test_what_never_stops_to_come_is_looked_at_all_the_same(stage: Turns) -> None:
    calls = await began(stage, [answer("I look.", *[("search_mail", {"query": str(n)}) for n in range(8)])])
    for call in calls[:7]:
        await stage.end(call, "a result")
        await stage.clock.advance(0.29)
    await stage.steps(2)  # while the last one still runs


async def test_a_single_result_waits_for_nothing(stage: Turns) -> None:
    [call] = await began(stage, [answer("I look.", LOOK)])
    await stage.end(call, "a result")
    await stage.steps(2)  # no time has passed


async def test_the_user_is_answered_while_results_gather(stage: Turns) -> None:
    calls = await began(stage, [answer("I look.", LOOK, ("search_mail", {"query": "Bob"}))])
    await stage.end(calls[0], "a result")
    await stage.say("Hurry!")
    await stage.steps(2)  # no time has passed
    assert stage.model.kinds()[1] == ["user_msg"]


async def test_a_signal_between_makes_text_of_the_turn(stage: Turns) -> None:
    [call] = await began(stage, [answer("I look.", LOOK)])
    await stage.signal("Bob writes")
    await stage.steps(2)
    await stage.end(call, "a result")
    await stage.steps(3)
    last = stage.model.requests[-1]
    assert roles(last) == ["system", "user"]
    assert "a result" in log_of(last)


async def test_what_the_user_did_between_is_told_with_the_result_as_text(stage: Turns) -> None:
    [call] = await began(stage, [answer("I look.", LOOK)])
    moved = Moved(Namespace.NOTIFICATION, "note_1", "dismissed")
    await stage.store.put(UserAct("act_1", "dismissed", stage.clock.now(), [moved]), namespace=Namespace.UNDO)
    await stage.end(call, "a result")
    await stage.steps(2)
    last = stage.model.requests[-1]
    assert roles(last) == ["system", "user"]
    assert log_of(last).index("dismissed: note_1") < log_of(last).index("a result")


async def test_a_restart_makes_text_of_the_turn(store: ContextStore, clock: ManualClock) -> None:
    async with Turns(store, clock, ScriptedModel()) as before:
        [call] = await began(before, [answer("I look.", LOOK)])
    async with Turns(store, clock, ScriptedModel()) as after:
        await after.end(call, "a result")
        await after.steps(2)
        [request] = after.model.requests
        assert roles(request) == ["system", "user"]
        assert "a result" in log_of(request)


async def test_a_result_of_an_earlier_turn_is_no_part_of_this_one(stage: Turns) -> None:
    [old] = await began(stage, [answer("I look.", LOOK), answer("I look again.", LOOK)])
    await stage.say("And Bob?")
    await stage.steps(2)
    await stage.end(old, "an old result")
    await stage.clock.advance(1.0)
    await stage.steps(3)
    last = stage.model.requests[-1]
    assert roles(last) == ["system", "user"]
    assert "an old result" in log_of(last)


async def test_a_second_result_of_a_call_is_told_as_text(stage: Turns) -> None:
    """Ids of calls are told once: strict servers refuse what names one twice."""
    [call] = await began(stage, [answer("I look.", LOOK)])
    await stage.end(call, "nobody knows", CallState.UNKNOWN)
    await stage.steps(2)
    assert paired(stage.model.requests[1].messages)
    await stage.end(call, "it did happen")
    await stage.steps(3)
    last = stage.model.requests[-1]
    assert roles(last) == ["system", "user"]
    assert "it did happen" in log_of(last)


async def test_an_act_that_the_user_was_told_of_makes_no_step_of_its_own(stage: Turns) -> None:
    [call] = await began(stage, [answer("I tell you.", ("notify", {"title": "x"}))])
    await stage.end(call, "told")

    async def taken_in() -> bool:
        return any("told" in entry["text"] for entry in await stage.all(Namespace.HISTORY))

    await until(taken_in)
    await stage.say("Thanks")
    await stage.steps(2)
    assert stage.model.kinds() == [["user_msg"], ["user_msg"]]
    assert "told" in log_of(stage.model.requests[1])


@pytest.mark.parametrize("state", [CallState.FAILED, CallState.CANCELLED])
async def test_one_that_went_wrong_does(stage: Turns, state: CallState) -> None:
    [call] = await began(stage, [answer("I tell you.", ("notify", {"title": "x"}))])
    await stage.end(call, "it went wrong", state)
    await stage.steps(2)
    assert stage.model.kinds() == [["user_msg"], ["tool_result"]]
