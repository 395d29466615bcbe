"""The state tables are the law: what they allow, and that nothing gets past them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pepper_tui.model import (
    APPROVAL,
    DELIVERY,
    NOTIFICATION,
    REMINDER,
    TOOL_CALL,
    USER_ACT,
    WORKER_RUN,
    ApprovalState,
    CallState,
    IllegalMoveError,
    StateTable,
)

TABLES: list[StateTable[Any]] = [DELIVERY, TOOL_CALL, APPROVAL, NOTIFICATION, REMINDER, WORKER_RUN, USER_ACT]


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_state_can_be_reached_and_has_a_row(table: StateTable[Any]) -> None:
    states = set(type(table.initial))
    assert set(table.moves) == states
    reached, frontier = {table.initial}, [table.initial]
    while frontier:
        for state in table.moves[frontier.pop()] - reached:
            reached.add(state)
            frontier.append(state)
    assert reached == states


@given(st.data())
def test_only_what_the_table_allows_moves(data: st.DataObject) -> None:
    table = data.draw(st.sampled_from(TABLES))
    state = table.initial
    for to in data.draw(st.lists(st.sampled_from(list(type(table.initial))), max_size=30)):
        if to in table.moves[state]:
            state = table.move(state, to)
        else:
            with pytest.raises(IllegalMoveError, match=table.name):
                table.move(state, to)


def test_an_attempt_is_never_repeated() -> None:
    """From `attempted` no way leads back to where a call could be attempted again."""
    reached, frontier = set[CallState](), [CallState.ATTEMPTED]
    while frontier:
        for state in TOOL_CALL.moves[frontier.pop()] - reached:
            reached.add(state)
            frontier.append(state)
    assert reached == {CallState.SUCCEEDED, CallState.FAILED, CallState.UNKNOWN}


def test_only_a_pending_approval_becomes_approved() -> None:
    assert [now for now in ApprovalState if APPROVAL.allows(now, ApprovalState.APPROVED)] == [ApprovalState.PENDING]
