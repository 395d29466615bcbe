"""The window between a yes and the act: durable, started anew after a restart, and asked about where it is too late."""

from __future__ import annotations

from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from pepper_tui.model import Approval, ApprovalState, CallState, CardLine, Effect, Namespace, ResolvedEffect
from pepper_tui.tools import ToolContext, tool
from tests.tools.bench import Bench, bench_config
from tests.waiting import until

S, A = CallState, ApprovalState


async def approved(bench: Bench) -> Approval:
    card = await bench.card(await bench.schedule("act", what="x"))
    await bench.approvals.approve(card.id)
    return await stored(bench, card.id)


async def stored(bench: Bench, approval_id: str) -> Approval:
    found = await bench.store.get(approval_id, namespace=Namespace.APPROVAL)
    assert found is not None
    return Approval.of(found)


async def pass_time(bench: Bench, seconds: float) -> None:
    await bench.settle()
    await bench.clock.advance(seconds)
    await bench.settle()


async def test_the_default_window_is_ten_seconds_and_stands_on_the_card(bench: Bench) -> None:
    card = await approved(bench)
    assert card.acts_at == bench.clock.now() + 10.0
    await pass_time(bench, 9.9)
    assert bench.world.deeds == []
    await pass_time(bench, 0.2)
    await bench.state(card.call, S.SUCCEEDED)
    assert (await bench.call(card.call)).summary == "do x"


async def test_the_words_tell_what_is_done_and_when(bench: Bench) -> None:
    async def resolve(ctx: ToolContext, what: str) -> ResolvedEffect:
        return ctx.effect(account="", summary=f"Add {what}", lines=[CardLine("What", what)], payload={"what": what})

    @tool(effect=Effect.WRITE, resolve=resolve)
    async def add(ctx: ToolContext, effect: ResolvedEffect) -> str:
        """Add."""
        return "added"

    bench.engine._registry.add(add)
    card = await bench.card(await bench.schedule("add", what="lunch"))
    assert await bench.approvals.approve(card.id) == "done in 10 s; u takes it back: Add lunch"
    await bench.close()
    bench.config = bench_config(undo_seconds=0)
    await bench.open()
    card = await bench.card(await bench.schedule("act", what="y"))
    assert await bench.approvals.approve(card.id) == "approved: do y"


@pytest.mark.parametrize("down", [0.0, 9.0, 60.0, 899.0])
async def test_after_a_restart_the_window_starts_anew(bench: Bench, down: float) -> None:
    card = await approved(bench)
    await pass_time(bench, 4)
    bench.clock.jump(down)
    await bench.crash()
    again = await stored(bench, card.id)
    assert (again.state, again.acts_at) == (A.APPROVED, bench.clock.now() + 10)
    await pass_time(bench, 9.5)
    assert bench.world.deeds == []
    await pass_time(bench, 1)
    await bench.state(card.call, S.SUCCEEDED)
    assert len(bench.world.deeds) == 1


async def test_in_the_new_window_it_can_be_taken_back(bench: Bench) -> None:
    card = await approved(bench)
    await bench.crash()
    await pass_time(bench, 5)
    assert "taken back" in await bench.approvals.take_back(card.id, "approved")
    back = await stored(bench, card.id)
    assert (back.state, back.acts_at, back.decided_at) == (A.PENDING, None, None)
    await pass_time(bench, 60)
    assert bench.world.deeds == []
    await bench.yes(card.call)
    await bench.state(card.call, S.SUCCEEDED)


async def test_more_than_a_quarter_of_an_hour_late_it_asks(bench: Bench) -> None:
    bench.time.zone = ZoneInfo("Europe/Berlin")
    card = await approved(bench)
    bench.clock.jump(911)
    await bench.crash()
    late = await stored(bench, card.id)
    assert late.state is A.PENDING
    assert late.problem == "approved at 09:00, but Pepper was not running then; still wanted?"
    assert (late.digest, late.acts_at) == (card.digest, None)
    await pass_time(bench, 3600)
    assert bench.world.deeds == []
    assert (await bench.call(card.call)).state is S.WAITING_APPROVAL
    await bench.yes(card.call)
    await bench.state(card.call, S.SUCCEEDED)
    assert len(bench.world.deeds) == 1


async def test_on_another_day_the_words_name_it(bench: Bench) -> None:
    card = await approved(bench)
    bench.clock.jump(2 * 86400)
    await bench.crash()
    assert (await stored(bench, card.id)).problem.startswith("approved at 08:00 on Fri 15 Jan, but")


async def test_a_machine_that_slept_asks_as_well(bench: Bench) -> None:
    card = await approved(bench)
    await pass_time(bench, 5)
    bench.clock.jump(906)
    await pass_time(bench, 6)

    async def asks() -> bool:
        return (await stored(bench, card.id)).state is A.PENDING

    await until(asks)
    assert "but Pepper could not act then; still wanted?" in (await stored(bench, card.id)).problem
    assert bench.world.deeds == []
    other = await approved_again(bench, card.id)
    bench.clock.jump(600)  # a short nap: what was said is done
    await pass_time(bench, 11)
    await bench.state(other, S.SUCCEEDED)


async def approved_again(bench: Bench, approval_id: str) -> str:
    await bench.approvals.approve(approval_id)
    await bench.settle()
    return (await stored(bench, approval_id)).call


async def test_a_clock_set_back_makes_no_window_longer(bench: Bench) -> None:
    card = await approved(bench)
    await bench.settle()
    bench.clock.jump(-7200)
    await pass_time(bench, 10.1)
    await bench.state(card.call, S.SUCCEEDED)


async def test_a_yes_of_an_older_version_has_its_window_too(bench: Bench) -> None:
    card = await approved(bench)
    found = await bench.store.get(card.id, namespace=Namespace.APPROVAL)
    assert found is not None
    old = {key: value for key, value in found.data.items() if key not in ("acts_at", "problem", "retry_of")}
    await bench.store.store(old, namespace=Namespace.APPROVAL, context_id=card.id, tags=found.tags)
    await bench.crash()
    assert (await stored(bench, card.id)).acts_at == bench.clock.now() + 10
    await pass_time(bench, 11)
    await bench.state(card.call, S.SUCCEEDED)
    assert len(bench.world.deeds) == 1


async def test_cancelled_by_anybody_but_the_user_a_card_is_withdrawn(bench: Bench) -> None:
    for by, state in (("user", A.REJECTED), ("assistant", A.WITHDRAWN), ("worker's end", A.WITHDRAWN)):
        call_id = await bench.schedule("act", what=by)
        card = await bench.card(call_id)
        if by == "assistant":
            await bench.approvals.approve(card.id)
        await bench.engine.cancel(call_id, by)
        ended = await stored(bench, card.id)
        assert (ended.state, ended.acts_at, ended.decision_note) == (state, None, f"cancelled by the {by}")
        if state is A.WITHDRAWN:  # it is no no: the same may be asked again
            await bench.card(await bench.schedule("act", what=by))
    await pass_time(bench, 60)
    assert bench.world.deeds == []


LATER = 86_400.0


def sends_later(bench: Bench) -> None:
    """Add a tool whose effect has a time of its own, a day from now."""
    at = bench.clock.now() + LATER

    async def resolve(ctx: ToolContext, what: str) -> ResolvedEffect:
        lines = [CardLine("What", what)]
        return ctx.effect(account="", summary=f"post {what}", lines=lines, payload={"what": what}, not_before=at)

    @tool(effect=Effect.SEND, resolve=resolve)
    async def post(ctx: ToolContext, effect: ResolvedEffect) -> str:
        """Post."""
        bench.world.deeds.append(effect.payload)
        return "posted"

    bench.extra.append(post)


async def approved_for_later(bench: Bench) -> Approval:
    sends_later(bench)
    await bench.crash()
    card = await bench.card(await bench.schedule("post", what="x"))
    said = await bench.approvals.approve(card.id)
    assert said.startswith("sends at ")
    assert "u takes it back" in said
    return await stored(bench, card.id)


async def test_an_effect_with_a_time_of_its_own_waits_for_it_and_happens_once(bench: Bench) -> None:
    card = await approved_for_later(bench)
    assert card.acts_at == bench.clock.now() + LATER
    await pass_time(bench, LATER / 2)
    await bench.crash()
    assert (await stored(bench, card.id)).acts_at == card.acts_at
    await pass_time(bench, LATER / 2 - 1)
    assert bench.world.deeds == []
    await pass_time(bench, 2)
    await bench.state(card.call, S.SUCCEEDED)
    assert bench.world.deeds == [{"what": "x"}]


@pytest.mark.parametrize(("late", "state"), [(899.0, A.APPROVED), (901.0, A.PENDING)])
async def test_if_its_time_is_missed_by_more_than_a_quarter_it_asks(bench: Bench, late: float, state: A) -> None:
    card = await approved_for_later(bench)
    await pass_time(bench, 1)
    bench.clock.jump(LATER - 1 + late)
    await bench.crash()
    again = await stored(bench, card.id)
    assert again.state is state
    assert (again.acts_at is None) == (state is A.PENDING)
    await pass_time(bench, 11)
    assert len(bench.world.deeds) == (1 if state is A.APPROVED else 0)


async def test_until_its_time_it_can_be_taken_back_or_cancelled(bench: Bench) -> None:
    card = await approved_for_later(bench)
    await pass_time(bench, 3600)
    assert "taken back" in await bench.approvals.take_back(card.id, "approved")
    await bench.approvals.approve(card.id)
    assert "cancelled" in await bench.engine.cancel(card.call)
    await pass_time(bench, 2 * LATER)
    assert bench.world.deeds == []


async def test_its_time_is_part_of_what_is_approved(bench: Bench) -> None:
    card = await approved_for_later(bench)
    effect = card.resolved
    assert effect.digest != replace(effect, not_before=0.0).digest != replace(effect, not_before=1.0).digest
