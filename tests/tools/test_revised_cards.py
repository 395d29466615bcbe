"""When a model may put better words in the place of a card that waits: every guard, one by one."""

from __future__ import annotations

import pytest

from pepper_tui.model import ApprovalState, CallState
from pepper_tui.tools import ApprovalError
from tests.tools.bench import Bench
from tests.tools.test_decided_cards import DECIDED, state_of

A = ApprovalState


@pytest.mark.parametrize(
    ("shown", "asked", "allowed"),
    [(False, False, True), (False, True, True), (True, True, True), (True, False, False)],
)
async def test_once_a_screen_has_drawn_it_only_the_user_lets_it_change(
    bench: Bench, shown: bool, asked: bool, allowed: bool
) -> None:
    call_id = await bench.schedule("act", what="x")
    card = await bench.card(call_id)
    if shown:
        await bench.approvals.shown(card.id)
    if allowed:
        new_id = await bench.approvals.revise(call_id, {"What": "y"}, asked=asked)
        assert await state_of(bench, card.id) is A.WITHDRAWN
        new = await bench.card(call_id)
        assert (new.id, new.revises, new.state) == (new_id, card.id, A.PENDING)
        assert [(line.label, line.value) for line in new.resolved.lines] == [("What", "y"), ("Before", "x")]
    else:
        with pytest.raises(ApprovalError, match="has seen"):
            await bench.approvals.revise(call_id, {"What": "y"}, asked=asked)
        assert (await bench.card(call_id)).id == card.id
    await bench.settle()
    await bench.clock.advance(bench.config.tools.undo_seconds + 1)
    await bench.settle()
    assert bench.world.deeds == []  # better words are no yes


@pytest.mark.parametrize("asked", [True, False])
async def test_a_card_stays_as_it_is_while_the_user_is_at_the_inbox(bench: Bench, asked: bool) -> None:
    call_id = await bench.schedule("act", what="x")
    card = await bench.card(call_id)
    bench.approvals.attended = True
    with pytest.raises(ApprovalError, match="at the inbox"):
        await bench.approvals.revise(call_id, {"What": "y"}, asked=asked)
    assert (await bench.card(call_id)).id == card.id
    bench.approvals.attended = False
    await bench.approvals.revise(call_id, {"What": "y"}, asked=asked)


@pytest.mark.parametrize("state", [state for state in DECIDED if state is not A.EDITED])
async def test_what_is_decided_is_not_revised(bench: Bench, state: ApprovalState) -> None:
    call_id = await bench.schedule("act", what="x")
    card = await bench.card(call_id)
    await DECIDED[state](bench, card.id)
    with pytest.raises(ApprovalError, match=r"decided already|no such proposal"):
        await bench.approvals.revise(call_id, {"What": "y"}, asked=True)
    assert [each.id for each in await bench.cards()] == [card.id]


async def test_one_that_has_expired_is_not_revised(bench: Bench) -> None:
    call_id = await bench.schedule("act", what="x")
    await bench.card(call_id)
    await bench.settle()
    bench.clock.jump(bench.config.tools.approval_ttl)
    with pytest.raises(ApprovalError, match="expired"):
        await bench.approvals.revise(call_id, {"What": "y"}, asked=True)


async def test_an_edit_of_the_users_own_is_what_a_model_revises_from_then_on(bench: Bench) -> None:
    call_id = await bench.schedule("act", what="x")
    edited = await bench.approvals.edit((await bench.card(call_id)).id, {"What": "y"})
    await bench.approvals.revise(call_id, {"What": "z"}, asked=True)
    assert (await bench.card(call_id)).revises == edited
    assert (await bench.call(call_id)).state is CallState.WAITING_APPROVAL
