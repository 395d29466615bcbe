"""Limits defer, they never cut: with the default limits, each call of a step runs, in order, also after a restart."""

from __future__ import annotations

import asyncio
from typing import Literal

import pytest

from pepper_tui.model import WAITS_ITS_TURN, ApprovalState, CallState, ContextFilter, Effect, Namespace, ToolCall
from pepper_tui.tools import ToolContext, tool
from tests.tools.bench import Bench, Died
from tests.waiting import until

S, A = CallState, ApprovalState
AT_ONCE = 8  # the default of scheduler.calls_per_step, and of nothing else in here


async def step(
    bench: Bench, name: str, count: int, origin: str = "step:1", root: Literal["user", "signal"] = "signal"
) -> list[str]:
    """Store ``count`` calls as the scheduler does: one unit, those beyond its limit deferred."""
    calls = [
        ToolCall(
            f"{origin}.{name}.{n:03d}", name, {"what": f"{origin} {n:03d}"}, Effect.READ, bench.clock.now(), origin,
            root, deferred="" if n < AT_ONCE else WAITS_ITS_TURN,
        )
        for n in range(count)
    ]  # fmt: skip
    async with bench.store.unit():
        for call in calls:
            await bench.put(call)
    return [call.id for call in calls]


async def open_cards(bench: Bench) -> list[str]:
    """What the open cards would do, the oldest first."""
    cards = [card for card in await bench.cards() if card.state is A.PENDING]
    return [card.resolved.payload["what"] for card in reversed(cards)]


async def settled_cards(bench: Bench, count: int) -> list[str]:
    async def there() -> bool:
        return len(await open_cards(bench)) == count

    await until(there, what=f"{count} open cards")
    return await open_cards(bench)


@pytest.mark.parametrize("count", [20, 60, 200])
async def test_each_of_many_runs_in_order_and_few_at_once(bench: Bench, count: int) -> None:
    begun: list[str] = []
    running = most = 0
    turn = asyncio.Event()

    @tool(effect=Effect.READ, resumes=True)
    async def work(ctx: ToolContext, what: str) -> str:
        """Work for long, as a delegate does."""
        nonlocal running, most
        begun.append(ctx.call.id)
        running += 1
        most = max(most, running)
        await turn.wait()
        running -= 1
        return what

    bench.engine._registry.add(work)
    calls = await step(bench, "work", count)
    await until(lambda: len(begun) == AT_ONCE)
    await bench.settle()
    assert begun == calls[:AT_ONCE]
    assert (await bench.call(calls[-1])).deferred == WAITS_ITS_TURN
    turn.set()
    for call_id in calls:
        assert not (await bench.state(call_id, S.SUCCEEDED)).deferred
    assert sorted(begun) == calls
    assert most == AT_ONCE


async def test_a_restart_and_a_crash_take_them_up_in_the_same_order(bench: Bench) -> None:
    begun: list[str] = []
    gates = {n: asyncio.Event() for n in range(30)}

    @tool(effect=Effect.READ, resumes=True)
    async def work(ctx: ToolContext, what: str) -> str:
        """Work."""
        begun.append(ctx.call.id)
        await gates[int(what[-3:])].wait()
        return what

    bench.extra = [work]
    await bench.close()
    await bench.open()
    calls = await step(bench, "work", 30)
    await until(lambda: len(begun) == AT_ONCE)
    gates[0].set()
    gates[3].set()
    await until(lambda: len(begun) == AT_ONCE + 2)
    assert begun[AT_ONCE:] == calls[8:10]
    begun.clear()
    await bench.crash()
    await until(lambda: len(begun) == AT_ONCE)
    assert begun == [*calls[1:3], *calls[4:10]]
    await bench.close()
    begun.clear()
    await bench.open()
    await until(lambda: len(begun) == AT_ONCE)
    for gate in gates.values():
        gate.set()
    for call_id in calls:
        await bench.state(call_id, S.SUCCEEDED)
    assert begun == [*calls[1:3], *calls[4:]]


async def test_local_acts_are_all_done_once_though_killed_between(bench: Bench) -> None:
    @tool(effect=Effect.LOCAL)
    async def count(ctx: ToolContext, what: str) -> str:
        """Count."""
        await ctx.store.store({"n": 1}, namespace="counted", context_id=what)
        return what

    bench.extra = [count]
    await bench.close()
    await bench.open()
    calls = await step(bench, "count", 60)
    await bench.state(calls[5], S.SUCCEEDED)
    await bench.crash()
    for call_id in calls:
        await bench.state(call_id, S.SUCCEEDED)
    assert await bench.store.count(ContextFilter(namespaces=["counted"])) == 60
    versions = await bench.store.versions("step:1 059", namespace="counted", limit=5)
    assert len(versions) == 1


async def test_what_only_waits_holds_nothing_up(bench: Bench) -> None:
    """A wait for a mail may take days: nine of them, and then some work, in one step."""
    async with bench.store.unit():
        for n in range(9):
            call = ToolCall(f"w{n}", "wait_for_mail", {"sender": "bob"}, Effect.READ, bench.clock.now(), "step:1")
            call.deferred = "" if n < AT_ONCE else WAITS_ITS_TURN
            await bench.put(call)
        note = ToolCall("n", "take_note", {"text": "x"}, Effect.READ, bench.clock.now(), "step:1")
        note.deferred = WAITS_ITS_TURN
        await bench.put(note)
    await bench.state("n", S.SUCCEEDED)


async def test_six_cards_where_five_may_be_open(bench: Bench) -> None:
    calls = await step(bench, "act", 6)
    assert await settled_cards(bench, 5) == [f"step:1 {n:03d}" for n in range(5)]
    sixth = await bench.deferred(calls[5])
    assert (sixth.state, sixth.open) == (S.SCHEDULED, True)
    assert sixth.deferred == "waits for room: 5 cards of this step wait for your answer"
    await bench.crash()
    assert len(await settled_cards(bench, 5)) == 5
    await bench.approvals.approve((await bench.card(calls[2])).id)
    card = await bench.card(calls[5])
    assert card.resolved.payload["what"] == "step:1 005"
    assert not (await bench.call(calls[5])).deferred


@pytest.mark.parametrize("how", ["reject", "expire", "withdraw", "cancel", "approve"])
async def test_whatever_ends_a_card_makes_room_the_oldest_first(bench: Bench, how: str) -> None:
    calls = await step(bench, "act", 60)
    await settled_cards(bench, 5)
    await bench.deferred(calls[59])
    if how == "expire":
        await bench.clock.advance(bench.config.tools.approval_ttl + 1)
        for number in range(5, 10):
            await bench.card(calls[number])
        assert len(await open_cards(bench)) == 5
        return
    for number in (1, 3):
        card = await bench.card(calls[number])
        if how == "reject":
            await bench.approvals.reject(card.id)
        elif how == "withdraw":
            await bench.engine.cancel(card.call, "assistant")
        elif how == "cancel":
            await bench.engine.cancel(card.call)
        else:
            await bench.approvals.approve(card.id)
    for number in (5, 6):
        await bench.card(calls[number])
    assert sorted(await settled_cards(bench, 5)) == [f"step:1 {n:03d}" for n in (0, 2, 4, 5, 6)]
    if how == "withdraw":
        assert {card.state for card in await bench.cards()} == {A.PENDING, A.WITHDRAWN}


async def test_all_sixty_get_their_card_in_the_end(bench: Bench) -> None:
    calls = await step(bench, "act", 60)
    done = 0
    while done < 60:
        await settled_cards(bench, min(5, 60 - done))
        for card in [card for card in await bench.cards() if card.state is A.PENDING]:
            await bench.approvals.approve(card.id)
            done += 1
        if done == 30:
            await bench.crash()
        await bench.settle()
        await bench.clock.advance(10)
    for call_id in calls:
        await bench.state(call_id, S.SUCCEEDED)
    assert sorted(deed["what"] for deed in bench.world.deeds) == [f"step:1 {n:03d}" for n in range(60)]


async def test_a_deferred_call_can_be_cancelled_and_frees_nobody_elses_place(bench: Bench) -> None:
    calls = await step(bench, "act", 12)
    await settled_cards(bench, 5)
    await bench.deferred(calls[11])
    await bench.deferred(calls[5])
    assert "cancelled do step:1 005" in await bench.engine.cancel(calls[5])
    ended = await bench.call(calls[5])
    assert (ended.state, ended.deferred) == (S.CANCELLED, "")
    await bench.approvals.reject((await bench.card(calls[0])).id)
    await bench.card(calls[6])
    assert len(await open_cards(bench)) == 5
    gate = asyncio.Event()

    @tool(effect=Effect.READ, resumes=True)
    async def work(ctx: ToolContext, what: str) -> str:
        """Work."""
        await gate.wait()
        return what

    bench.engine._registry.add(work)
    other = await step(bench, "work", 10, "step:2")
    assert "cancelled" in await bench.engine.cancel(other[8])
    gate.set()
    await bench.state(other[9], S.SUCCEEDED)
    assert (await bench.call(other[8])).state is S.CANCELLED


async def test_two_steps_at_once_have_room_of_their_own_and_share_the_wider_cap(bench: Bench) -> None:
    await asyncio.gather(*(step(bench, "act", 7, f"step:{n}") for n in range(6)))
    found = await settled_cards(bench, 20)
    by_step = [sum(what.startswith(f"step:{n} ") for what in found) for n in range(6)]
    assert by_step == [5, 5, 5, 5, 0, 0]
    waiting = await bench.deferred("step:5.act.000")
    assert waiting.deferred == "waits for room: 20 cards that no message of yours asked for wait for your answer"
    await step(bench, "act", 1, "step:u", "user")
    await bench.card("step:u.act.000")
    for card in [card for card in await bench.cards() if card.state is A.PENDING]:
        if card.resolved.payload["what"].startswith("step:0 "):
            await bench.approvals.reject(card.id)
    found = await settled_cards(bench, 21)
    assert [sum(what.startswith(f"step:{n} ") for what in found) for n in range(6)] == [2, 5, 5, 5, 3, 0]


async def test_all_acts_of_a_rule_share_one_cap(bench: Bench) -> None:
    for n in range(12):
        rule = "chase" if n % 2 else "answer"
        origin = f"act:{rule}|{n % 3}|signals.mail:s{n}|draft"
        await bench.put(ToolCall(f"c{n}", "act", {"what": f"{rule} {n}"}, Effect.READ, bench.clock.now(), origin))
    found = await settled_cards(bench, 10)
    assert sum(what.startswith("chase") for what in found) == 5
    assert "5 cards of this rule" in (await bench.deferred("c11")).deferred


async def test_a_double_among_those_that_wait_is_refused_when_its_turn_comes(bench: Bench) -> None:
    calls = await step(bench, "act", 6)
    await bench.deferred(calls[5])
    double = ToolCall("double", "act", {"what": "step:1 005"}, Effect.READ, bench.clock.now(), "step:1")
    await bench.put(double)
    await bench.deferred("double")
    await bench.approvals.reject((await bench.card(calls[0])).id)
    await bench.approvals.reject((await bench.card(calls[1])).id)
    await bench.card(calls[5])
    await bench.state("double", S.FAILED)
    assert "already waits" in (await bench.result("double")).content


async def test_killed_as_a_card_takes_the_room_it_is_one_card(bench: Bench) -> None:
    calls = await step(bench, "act", 7)
    await bench.deferred(calls[6])
    bench.die_at = "approval_open"
    await bench.approvals.reject((await bench.card(calls[0])).id)
    await bench.card(calls[5])
    await bench.crash()
    assert sorted(await settled_cards(bench, 5)) == [f"step:1 {n:03d}" for n in (1, 2, 3, 4, 5)]
    assert (await bench.call(calls[6])).deferred


async def test_the_room_is_counted_once_a_change_and_starts_only_as_many(bench: Bench) -> None:
    resolved: list[str] = []
    calls = await step(bench, "act", 200)
    await bench.deferred(calls[199])
    await until(lambda: not bench.engine.running)
    begin = bench.engine._waiting._start_call

    def counted(call_id: str) -> None:
        resolved.append(call_id)
        begin(call_id)

    bench.engine._waiting._start_call = counted
    await bench.approvals.reject((await bench.card(calls[0])).id)
    await bench.card(calls[5])
    await until(lambda: not bench.engine.running)
    await bench.settle()
    assert set(resolved) == {calls[5]}
    assert len(resolved) <= 3
    versions = await bench.store.versions(calls[150], namespace=Namespace.TOOL_CALL, limit=10)
    assert len(versions) == 3  # asked for, its turn, no room: nothing is written for a card that another got


async def test_a_death_in_a_call_lets_the_others_go_on_after_the_restart(bench: Bench) -> None:
    dying = True

    @tool(effect=Effect.READ)
    async def work(ctx: ToolContext, what: str) -> str:
        """Work."""
        if dying:
            raise Died("here")
        return what

    bench.extra = [work]
    await bench.close()
    await bench.open()
    calls = await step(bench, "work", 20)
    await until(lambda: not bench.engine.running)
    dying = False
    await bench.crash()
    for call_id in calls:
        await bench.state(call_id, S.SUCCEEDED)
