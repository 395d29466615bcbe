"""A question of which time is meant: asked once, of the user alone, and each answer makes one call."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from pepper_tui.clock import iso
from pepper_tui.clock.words import Reading, TimeAskedError, TimeReader
from pepper_tui.model import (
    OPEN_TAG,
    QUESTION,
    CallState,
    ContextFilter,
    Effect,
    Json,
    Namespace,
    Notification,
    ToolCall,
)
from pepper_tui.tools import ToolContext, ToolError, tool
from pepper_tui.tools.approvals.choices import ask_which, call_of
from tests.tools.bench import Bench

NINE = datetime(2026, 11, 27, 9, tzinfo=UTC).timestamp()
READINGS = (Reading(NINE, end=NINE + 5400), Reading(NINE + 7 * 86400, "FREQ=DAILY"))


@pytest.fixture
async def asking(bench: Bench) -> Bench:
    """A bench with a tool that can't tell which time is meant."""

    async def announce(item: Notification) -> str:
        await bench.store.put(item, namespace=Namespace.NOTIFICATION, tags=[OPEN_TAG])
        return ""

    @tool(effect=Effect.LOCAL)
    async def plan(ctx: ToolContext, when: str, minutes: int = 0) -> str:
        """Plan."""
        if when == "on friday":
            asked = TimeAskedError("“on friday” can mean several times", READINGS)
            raise await ask_which(ctx, announce, asked, "lunch", "when")
        return f"planned {when}"

    bench.time.reader = TimeReader(bench.clock, UTC)
    bench.engine._registry.add(plan)
    return bench


async def order(bench: Bench, name: str = "c1", root: str = "user", **arguments: object) -> None:
    given: Json = {"when": "on friday", **arguments}
    await bench.put(ToolCall(name, "plan", given, Effect.READ, bench.clock.now(), "step:1", root))  # type: ignore[arg-type]
    await bench.state(name, CallState.FAILED)


async def questions(bench: Bench) -> list[Notification]:
    found = await bench.store.query(ContextFilter(namespaces=[Namespace.NOTIFICATION]))
    return [Notification.of(context) for context in found]


async def calls(bench: Bench) -> list[str]:
    return [c.context_id for c in await bench.store.query(ContextFilter(namespaces=[Namespace.TOOL_CALL]))]


async def test_only_what_the_user_ordered_is_asked_about(asking: Bench) -> None:
    await order(asking, "by a mail", root="signal")
    assert await questions(asking) == []
    assert "several times" in (await asking.result("by a mail")).content
    await order(asking, "by the user")
    [question] = await questions(asking)
    assert (question.kind, question.source) == (QUESTION, "tool.call:by the user")
    assert len(question.choices) == 2


async def test_a_call_that_runs_again_asks_no_second_time(asking: Bench) -> None:
    await order(asking)
    [question] = await questions(asking)
    seen = replace(question, body="as the user has it before them")
    await asking.store.put(seen, namespace=Namespace.NOTIFICATION)
    found = await asking.store.get("c1", namespace=Namespace.TOOL_CALL)
    assert found is not None
    again = replace(ToolCall.of(found), state=CallState.SCHEDULED, error="")
    await asking.store.put(again, namespace=Namespace.TOOL_CALL, tags=[OPEN_TAG])
    await asking.settle()
    await asking.state("c1", CallState.FAILED)
    assert await questions(asking) == [seen]


@pytest.mark.parametrize(
    ("number", "given", "made"),
    [
        (1, {}, {"when": iso(NINE)}),
        (1, {"minutes": 30}, {"when": iso(NINE), "minutes": 90}),
        (2, {}, {"when": iso(NINE + 7 * 86400), "repeat": "FREQ=DAILY"}),
        (2, {"minutes": 30}, {"when": iso(NINE + 7 * 86400), "repeat": "FREQ=DAILY", "minutes": 30}),
    ],
)
async def test_an_answer_makes_the_call_anew_with_what_was_chosen(
    asking: Bench, number: int, given: Json, made: Json
) -> None:
    await order(asking, **given)
    [question] = await questions(asking)
    call = await call_of(asking.store, asking.clock, question, question.choices[number - 1]["arguments"])
    assert call.arguments == made
    assert (call.root, call.error) == ("user", "")


@pytest.mark.parametrize("change", [{"kind": "notice"}, {"choices": [{"words": "red"}]}, {"choices": []}])
async def test_what_makes_no_call_is_refused(asking: Bench, change: dict[str, object]) -> None:
    await order(asking)
    [question] = await questions(asking)
    with pytest.raises(ToolError, match="makes no call"):
        await call_of(asking.store, asking.clock, replace(question, **change), {"when": iso(NINE)})  # type: ignore[arg-type]
    assert await calls(asking) == ["c1"]


async def test_a_question_whose_call_is_gone_says_so(asking: Bench) -> None:
    await order(asking)
    [question] = await questions(asking)
    with pytest.raises(ToolError, match="say it again"):
        await call_of(asking.store, asking.clock, replace(question, source="tool.call:gone"), {})
