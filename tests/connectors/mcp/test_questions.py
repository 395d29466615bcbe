"""What a server asks in the midst of a call: a card in the inbox, an answer of the user's own, or none."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pepper_tui.clock import ManualClock
from pepper_tui.connectors.mcp.asking.asking import ANSWER
from pepper_tui.connectors.mcp.asking.form_fields import defaults_of
from pepper_tui.model import CALL_OPEN, ApprovalState, CallState, ContextFilter, Namespace
from pepper_tui.store import ContextStore
from tests.connectors.mcp.bench import McpBench, living, unruly
from tests.waiting import until


@pytest.fixture
async def bench(tmp_path: Path, store: ContextStore, clock: ManualClock) -> AsyncIterator[McpBench]:
    async with living(tmp_path, store, clock, {"own": unruly(tmp_path / "outside", timeout=2.0)}) as opened:
        await opened.up("own")
        yield opened


async def test_the_answer_is_what_the_card_showed_when_it_was_approved(bench: McpBench) -> None:
    call_id = await bench.schedule("own__ask", message="Who is it?")
    card = await bench.card(ANSWER)
    shown = {line.label: line for line in card.resolved.lines}
    assert shown["it asks"].value == "Who is it?"
    assert [label for label, line in shown.items() if line.editable] == ["Name", "age", "sure", "colour"]
    assert shown["sure"].value == "yes"
    assert "one of: red, blue" in shown["(colour)"].value
    for field, value, words in (("age", "old", "an integer"), ("colour", "green", "one of red, blue")):
        with pytest.raises(Exception, match=words):
            await bench.engine.approvals.edit(card.id, {field: value})
    fields = {"name": "Ann", "age": "41", "sure": "no", "colour": ""}
    await bench.engine.approvals.approve(await bench.engine.approvals.edit(card.id, fields))
    answer = json.loads((await bench.ended(call_id)).content)
    assert answer == {"action": "accept", "content": {"Name": "Ann", "age": 41, "sure": False}}


async def test_a_yes_without_what_is_required_asks_once_more(bench: McpBench) -> None:
    call_id = await bench.schedule("own__ask", message="Who is it?")
    first = await bench.card(ANSWER)
    await bench.engine.approvals.approve(first.id)
    second = await bench.card(ANSWER, without=first.id)
    assert "Name: it wants a value" in {line.label: line.value for line in second.resolved.lines}["again"]
    assert (await bench.call(call_id)).state is CallState.SCHEDULED


async def test_what_a_server_asks_is_bounded(bench: McpBench) -> None:
    await bench.schedule("own__ask", message="word " * 100_000)
    card = await bench.card(ANSWER)
    assert len(json.dumps(card.data())) < 20_000
    fields = {"a": {"default": "x" * 1001}, "b": {"default": "y"}, "c": {"default": ["z" * 2000]}}
    assert defaults_of({"properties": fields}) == {"b": "y"}


async def test_a_server_that_asks_without_end_leaves_no_endless_record(bench: McpBench, clock: ManualClock) -> None:
    async def recorded() -> int:
        return await bench.store.count(ContextFilter(namespaces=[Namespace.TOOL_CALL], types=[ANSWER]))

    first = [await bench.schedule("own__ask", message=f"question {number}") for number in range(8)]
    await until_ended(bench, first, 3)

    async def five() -> bool:
        return len(await bench.cards()) == 5

    await until(five)
    assert await recorded() == 5
    for card in await bench.cards():
        await bench.engine.approvals.reject(card.id)
    await until_ended(bench, first, 8)
    for number in range(8, 23):
        await bench.schedule("own__ask", message=f"question {number}")
        await bench.engine.approvals.reject((await bench.card(ANSWER)).id)
    assert json.loads((await bench.run("own__ask", message="one more")).content) == {"action": "cancel"}
    assert await recorded() == 20
    await clock.advance(60.0)
    await bench.schedule("own__ask", message="later")
    await bench.card(ANSWER)


async def until_ended(bench: McpBench, calls: list[str], count: int) -> None:
    async def ended() -> bool:
        return sum([(await bench.call(each)).state not in CALL_OPEN for each in calls]) == count

    await until(ended)


async def test_a_no_declines_and_the_users_time_does_not_count(bench: McpBench) -> None:
    call_id = await bench.schedule("own__ask", message="Well?")
    card = await bench.card(ANSWER)
    silent = await bench.schedule("own__hang")  # its limit of two seconds rests as well, while the server asks
    await bench.clock.advance(3600.0)
    await bench.engine.approvals.reject(card.id)
    assert json.loads((await bench.ended(call_id)).content) == {"action": "decline"}
    assert (await bench.ended(silent)).state is CallState.FAILED


async def test_a_card_that_expires_cancels(bench: McpBench) -> None:
    call_id = await bench.schedule("own__ask", message="Well?")
    await bench.card(ANSWER)
    await bench.clock.advance(bench.config.tools.approval_ttl)
    assert json.loads((await bench.ended(call_id)).content) == {"action": "cancel"}


async def test_a_question_goes_with_the_server_that_asked(bench: McpBench) -> None:
    await bench.schedule("own__ask", message="Well?")
    await bench.card(ANSWER)
    await bench.run("own__crash")
    await until(lambda: _no_cards(bench))
    assert [card.state for card in await bench.cards(ApprovalState.WITHDRAWN)] == [ApprovalState.WITHDRAWN]


async def _no_cards(bench: McpBench) -> bool:
    return await bench.cards() == []


async def test_a_question_from_before_a_crash_is_withdrawn(
    tmp_path: Path, store: ContextStore, clock: ManualClock
) -> None:
    servers = {"own": unruly(tmp_path / "outside")}
    async with living(tmp_path, store, clock, servers) as bench:
        await bench.up("own")
        await bench.schedule("own__ask", message="Well?")
        card = await bench.card(ANSWER)
        bench.dead = True
    assert [each.id for each in await bench.cards()] == [card.id]
    async with living(tmp_path, store, clock, servers) as bench:
        assert card.id not in [each.id for each in await bench.cards()]


async def test_an_address_is_shown_and_never_opened(bench: McpBench) -> None:
    call_id = await bench.schedule("own__visit", url="https://evil.example/login")
    card = await bench.card(ANSWER)
    [address] = [line for line in card.resolved.lines if line.label == "address"]
    assert (address.value, address.untrusted) == ("https://evil.example/login", True)
    await bench.engine.approvals.approve(card.id)
    assert json.loads((await bench.ended(call_id)).content) == {"action": "accept"}


async def test_a_server_can_not_bury_the_inbox(bench: McpBench) -> None:
    calls = [await bench.schedule("own__ask", message=f"Question {number}?") for number in range(7)]

    async def full() -> bool:
        return len(await bench.cards()) == bench.config.tools.open_cards

    await until(full)
    ended = [await bench.ended(call) for call in calls if (await _is_over(bench, call))]
    assert {each.content for each in ended} <= {'{"action": "cancel"}'}


async def _is_over(bench: McpBench, call_id: str) -> bool:
    return (await bench.call(call_id)).state is CallState.SUCCEEDED


async def test_fields_that_are_not_asked_for_are_counted_on_the_card(bench: McpBench) -> None:
    await bench.schedule("own__ask", message="Many?")
    card = await bench.card(ANSWER)
    assert len([line for line in card.resolved.lines if line.editable]) == 20
    [left_out] = [line.value for line in card.resolved.lines if line.label == "left out"]
    assert left_out.startswith("4 more of its fields")
