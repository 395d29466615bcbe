"""`pepper ask` where Pepper asks back, `pepper answer`, and words for workers: a whole engine, its model scripted."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from pepper_tui.clock import ManualClock
from pepper_tui.engine.answers import queries
from pepper_tui.engine.answers.socket import RemoteError
from pepper_tui.model import CallState, Json, Namespace
from tests.attack.puppet import Turn
from tests.engine.desk import Desk, calls

ASK = ("ask_user", {"question": "Which room?", "options": ["the red one", "the blue one"]})
WORDS = "Which room? · 1 the red one · 2 the blue one"


@pytest.fixture
async def desk(tmp_path: Path, clock: ManualClock) -> AsyncIterator[Desk]:
    async with Desk(tmp_path, clock) as one:
        yield one


async def asked(desk: Desk, text: str, *turns: Turn, work: tuple[Turn, ...] = ()) -> list[Json]:
    desk.model.turns.extend(turns)
    desk.model.work.extend(work)
    return [item async for item in queries.ask(desk.engine, {"text": text, "timeout": 20})]


async def answered(desk: Desk, text: str, *turns: Turn, **more: Any) -> list[Json]:
    desk.model.turns.extend(turns)
    return [item async for item in queries.answer(desk.engine, {"text": text, "timeout": 20, **more})]


async def test_ask_ends_with_what_pepper_asks_and_answer_goes_on(desk: Desk) -> None:
    *replies, last = await asked(desk, "book a room", calls(ASK, text="Let me see."))
    assert (replies, last) == (
        [{"reply": "Let me see."}],
        {"approvals": [], "questions": [WORDS], "trouble": False, "unmet": False},
    )
    first, *replies, last = await answered(desk, "2", Turn("The blue one is booked."))
    assert first == {"words": "chosen: the blue one"}
    assert replies == [{"reply": "The blue one is booked."}]
    assert last == {"approvals": [], "questions": [], "trouble": False, "unmet": False}


async def test_what_answer_leads_to_may_ask_again(desk: Desk) -> None:
    await asked(desk, "book a room", calls(ASK))
    again = calls(("ask_user", {"question": "For how many?"}))
    *_, last = await answered(desk, "the green one", again)
    assert last["questions"] == ["For how many?"]
    *_, last = await answered(desk, "9", Turn("Booked."))
    assert last["questions"] == []
    assert (await desk.results("ask_user"))[-1].content == (
        "The user answered, partly in words that they did not type: 9"
    )


async def test_ask_does_not_wait_for_a_worker_that_waits_for_the_user(desk: Desk) -> None:
    *_, last = await asked(desk, "book a room", calls(("delegate", {"task": "book"})), work=(calls(ASK),))
    assert last["questions"] == [WORDS]
    assert await answered(desk, "1") == [{"words": "chosen: the red one"}]  # the worker goes on by itself
    assert (await desk.result("delegate")).content == "done"


async def test_an_answer_that_comes_too_late_is_refused(desk: Desk) -> None:
    await asked(desk, "book a room", calls(ASK))
    question = await desk.question()
    desk.clock.jump(desk.config.tools.approval_ttl + 1)
    with pytest.raises(RemoteError, match=r"expired|asks nothing"):
        await answered(desk, "1", question=question.id)


# ------------------------------------------------------------------------------------------------------ workers


async def test_a_worker_is_told_more_and_says_what_it_made_of_it(desk: Desk) -> None:
    work = (calls(ASK), calls(("return_final_answer", {"answer": "at 8,500"})))
    await desk.says("offer it", calls(("delegate", {"task": "offer", "agent": "clerk"})), work=work)
    question = await desk.question()
    await desk.says("make it 8,500", calls(("tell_worker", {"worker": "clerk", "text": "the price is 8,500"})))
    told = await desk.result("tell_worker")
    assert told.state is CallState.SUCCEEDED
    assert "Told clerk; it reads it at its next step. It waits for ask_user (call_" in told.content
    await desk.restart()
    await desk.engine.choose(f"notification:{question.id}", 1)
    assert (await desk.result("delegate")).content == "at 8,500"
    assert 'for="user">the price is 8,500</told>' in desk.prompts("worker")[-1]
    assert len(await desk.rows(Namespace.TOLD)) == 1


async def test_who_has_ended_is_not_told_and_what_to_do_instead_is_said(desk: Desk) -> None:
    await desk.says("offer it", calls(("delegate", {"task": "offer", "agent": "clerk"})))
    [call] = await desk.until(lambda: desk.results("delegate"))
    await desk.says("make it 8,500", calls(("tell_worker", {"worker": call.call, "text": "8,500"})))
    told = await desk.result("tell_worker")
    assert told.state is CallState.FAILED
    assert "has ended (succeeded); what it found is the result of its delegate call; delegate anew" in told.content


async def test_an_unknown_worker_is_an_error_with_the_names_there_are(desk: Desk) -> None:
    await desk.says("offer it", calls(("delegate", {"task": "offer", "agent": "jim"})))
    result = await desk.result("delegate")
    assert (result.state, result.content) == (
        CallState.FAILED,
        "there is no worker 'jim'; there are: clerk, general, mail-agent",
    )


async def test_a_worker_reads_whom_it_works_for(desk: Desk) -> None:
    await desk.says("my tone is brief", calls(("update_profile", {"value": "brief", "field": "tone"})))
    await desk.result("update_profile")
    await desk.says("offer it", calls(("delegate", {"task": "offer"})))
    await desk.result("delegate")
    [request] = [each for each in desk.model.requests if each.role == "worker"]
    system = str(request.messages[0]["content"])
    assert "<profile>\nname: Sam\naddresses: sam@example.com\ntone: brief\n</profile>" in system
    assert "ask_user" in [spec.name for spec in request.tools]
