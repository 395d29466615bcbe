"""What can't be decided any more: a card in every decided state, and one that expired before anybody noticed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from pepper_tui.model import APPROVAL, ApprovalState, CallState
from pepper_tui.tools import ApprovalError
from tests.tools.bench import Bench

S, A = CallState, ApprovalState
Act = Callable[[Bench, str], Awaitable[object]]

DECIDED = {
    A.APPROVED: lambda bench, card: bench.approvals.approve(card),
    A.EDITED: lambda bench, card: bench.approvals.edit(card, {"What": "y"}),
    A.REJECTED: lambda bench, card: bench.approvals.reject(card),
    A.WITHDRAWN: lambda bench, card: bench.approvals.withdraw(card, "worker"),
    A.EXPIRED: lambda bench, card: expired(bench),
}
ACTS: dict[str, Act] = {
    "approve": lambda bench, card: bench.approvals.approve(card),
    "reject": lambda bench, card: bench.approvals.reject(card),
    "edit": lambda bench, card: bench.approvals.edit(card, {"What": "z"}),
    "snooze": lambda bench, card: bench.approvals.snooze(card, bench.clock.now() + 60),
}


async def expired(bench: Bench) -> None:
    bench.clock.jump(bench.config.tools.approval_ttl + 1)
    await bench.approvals.expire_due()


async def state_of(bench: Bench, card: str) -> ApprovalState:
    return next(each.state for each in await bench.cards() if each.id == card)


async def versions(bench: Bench) -> list[tuple[str, int]]:
    """What any write to a card or a call would change."""
    found = []
    for card in await bench.cards():
        for ident, namespace in ((card.id, "approval"), (card.call, "tool.call")):
            context = await bench.store.get(ident, namespace=namespace)
            assert context is not None
            found.append((ident, context.version))
    return sorted(found)


def test_every_decided_state_is_here() -> None:
    assert DECIDED.keys() == set(ApprovalState) - {APPROVAL.initial}


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("state", DECIDED)
async def test_what_is_decided_is_decided(bench: Bench, state: ApprovalState, act: str) -> None:
    card = await bench.card(await bench.schedule("act", what="x"))
    await DECIDED[state](bench, card.id)
    assert await state_of(bench, card.id) is state
    await bench.settle()
    before = await versions(bench)
    with pytest.raises(ApprovalError, match="edited" if state is A.EDITED else f"already {state}"):
        await ACTS[act](bench, card.id)
    assert await versions(bench) == before
    await bench.settle()
    await bench.clock.advance(bench.config.tools.undo_seconds)
    await bench.settle()
    assert len(bench.world.deeds) == (state is A.APPROVED)


@pytest.mark.parametrize("act", [name for name in ACTS if name != "reject"])
async def test_a_card_that_has_expired_can_be_rejected_and_nothing_else(bench: Bench, act: str) -> None:
    call_id = await bench.schedule("act", what="x")
    card = await bench.card(call_id)
    await bench.settle()
    await bench.approvals.stop()  # no timer has run yet
    bench.clock.jump(bench.config.tools.approval_ttl)
    with pytest.raises(ApprovalError, match="expired"):
        await ACTS[act](bench, card.id)
    if act == "approve":
        assert await state_of(bench, card.id) is A.EXPIRED
        assert (await bench.call(call_id)).state is S.FAILED
    else:
        assert await state_of(bench, card.id) is A.PENDING
        await bench.approvals.reject(card.id)
    await bench.settle()
    await bench.clock.advance(bench.config.tools.undo_seconds)
    await bench.settle()
    assert bench.world.deeds == []
    assert [each.id for each in await bench.cards()] == [card.id]


@pytest.mark.parametrize("act", ACTS)
async def test_a_moment_before_it_expires_all_can_be_done(bench: Bench, act: str) -> None:
    card = await bench.card(await bench.schedule("act", what="x"))
    await bench.settle()
    bench.clock.jump(bench.config.tools.approval_ttl - 0.001)
    await ACTS[act](bench, card.id)


@pytest.mark.parametrize("ago", [0.0, 1.0])
async def test_a_card_is_snoozed_until_later_only(bench: Bench, ago: float) -> None:
    card = await bench.card(await bench.schedule("act", what="x"))
    with pytest.raises(ApprovalError, match="passed"):
        await bench.approvals.snooze(card.id, bench.clock.now() - ago)


@pytest.mark.parametrize("state", [state for state in DECIDED if not APPROVAL.moves[state]])
async def test_an_end_can_not_be_taken_back(bench: Bench, state: ApprovalState) -> None:
    card = await bench.card(await bench.schedule("act", what="x"))
    await DECIDED[state](bench, card.id)
    assert await state_of(bench, card.id) is state
    for was in ("approved", "rejected", "snoozed"):
        with pytest.raises(ApprovalError, match=r"it is|over already|already pending"):
            await bench.approvals.take_back(card.id, was)
