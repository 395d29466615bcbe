"""What the user does to cards: decided once, edited into a new one, taken back and done again."""

from __future__ import annotations

import pytest

from pepper_tui.engine.protocol import EngineError
from pepper_tui.model import Approval, ApprovalState, CallState, Namespace, ToolCall
from tests.conformance.engine.stages import BODY, Stage, found, rows


async def now(stage: Stage, ident: str) -> Approval:
    context = await found(stage.engine, Namespace.APPROVAL, ident)
    assert context is not None
    return Approval.of(context)


async def test_a_card_is_approved_once(stage: Stage) -> None:
    card = await stage.card()
    assert await stage.engine.approve(card.id)
    assert (await now(stage, card.id)).state is ApprovalState.APPROVED
    with pytest.raises(EngineError):
        await stage.engine.approve(card.id)
    with pytest.raises(EngineError):
        await stage.engine.reject(card.id)


async def test_a_card_is_rejected_with_its_note(stage: Stage) -> None:
    card = await stage.card()
    assert await stage.engine.reject(card.id, "not today")
    after = await now(stage, card.id)
    assert (after.state, after.decision_note) == (ApprovalState.REJECTED, "not today")
    with pytest.raises(EngineError):
        await stage.engine.approve(card.id)


async def test_an_edit_is_a_new_card_that_waits(stage: Stage) -> None:
    card = await stage.card()
    [label] = [line.label for line in card.resolved.lines if BODY in line.value]
    assert await stage.engine.edit(card.id, {label: "See you at one."})
    assert (await now(stage, card.id)).state is ApprovalState.EDITED
    cards = [Approval.of(context) for context in await rows(stage.engine, Namespace.APPROVAL)]
    [new] = [each for each in cards if each.state is ApprovalState.PENDING]
    assert "See you at one." in {line.value.strip() for line in new.resolved.lines}
    with pytest.raises(EngineError):
        await stage.engine.approve(card.id)
    await stage.engine.approve(new.id)
    assert (await now(stage, new.id)).state is ApprovalState.APPROVED


async def test_a_card_is_put_away(stage: Stage) -> None:
    card = await stage.card()
    assert await stage.engine.snooze(f"approval:{card.id}", "1h")
    after = await now(stage, card.id)
    assert after.state is ApprovalState.PENDING
    assert after.snoozed_until


async def test_a_yes_is_taken_back_and_never_said_again(stage: Stage) -> None:
    card = await stage.card()
    await stage.engine.approve(card.id)
    assert await stage.engine.undo()
    assert (await now(stage, card.id)).state is ApprovalState.PENDING
    with pytest.raises(EngineError):
        await stage.engine.redo()
    assert (await now(stage, card.id)).state is ApprovalState.PENDING


async def test_a_no_is_taken_back_and_said_again(stage: Stage) -> None:
    card = await stage.card()
    await stage.engine.reject(card.id)
    assert await stage.engine.undo()
    assert (await now(stage, card.id)).state is ApprovalState.PENDING
    assert await stage.engine.redo()
    assert (await now(stage, card.id)).state is ApprovalState.REJECTED


async def test_nothing_is_not_taken_back(stage: Stage) -> None:
    with pytest.raises(EngineError):
        await stage.engine.undo()
    with pytest.raises(EngineError):
        await stage.engine.redo()


async def test_a_call_that_waits_is_cancelled(stage: Stage) -> None:
    card = await stage.card()
    assert await stage.engine.cancel_call(card.call)
    context = await found(stage.engine, Namespace.TOOL_CALL, card.call)
    assert context is not None
    assert ToolCall.of(context).state is CallState.CANCELLED


async def test_a_card_that_is_drawn_and_a_user_at_the_inbox_are_told(stage: Stage) -> None:
    card = await stage.card()
    await stage.engine.seen(f"approval:{card.id}")
    for at_inbox in (True, False):
        await stage.engine.attend(at_inbox)
        assert stage.attended() is at_inbox
