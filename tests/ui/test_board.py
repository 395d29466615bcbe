"""The board: a pure projection."""

from __future__ import annotations

from datetime import UTC

from hypothesis import given
from hypothesis import strategies as st

from pepper_tui.model import (
    BACKLOG,
    Approval,
    CallState,
    Context,
    ContextUpdate,
    Namespace,
    Priority,
    Record,
    UserMessage,
)
from pepper_tui.ui.shared.board import Board
from pepper_tui.ui.shared.keeping import MESSAGES_KEPT, SIGNALS_KEPT, VERSIONS_KEPT
from pepper_tui.ui.shared.records import Pane
from pepper_tui.ui.shared.tally import Tally
from tests.ui.fake_engine import T0, approval, call, note, signal


def stored(namespace: str, record: Record, version: int = 1) -> ContextUpdate:
    data = record.data()
    return ContextUpdate(0, Context(str(data["id"]), namespace, data, version=version, created_at=T0))


def test_most_pressing_first_and_what_is_snoozed_waits() -> None:
    board, late = Board(), approval("a2")
    late.snoozed_until = T0 + 60
    changed = board.apply(
        [
            stored(Namespace.NOTIFICATION, note("n1", priority=Priority.NORMAL)),
            stored(Namespace.APPROVAL, approval("a1")),
            stored(Namespace.APPROVAL, late),
            stored(Namespace.NOTIFICATION, note("n2", priority=Priority.URGENT)),
            stored(Namespace.TOOL_CALL, call("k", state=CallState.UNKNOWN)),
        ]
    )
    assert Pane.INBOX in changed
    assert [i.ref for i in board.inbox(T0)] == ["call:k", "notification:n2", "approval:a1", "notification:n1"]
    assert board.next_wake(T0) == T0 + 60
    assert "approval:a2" in [i.ref for i in board.inbox(T0 + 60)]


@given(st.permutations(range(1, 6)))
def test_the_newest_version_wins_in_any_order(order: list[int]) -> None:
    board = Board()
    for version in order:
        board.apply([stored("signals.mail", signal("s", f"v{version}"), version)])
    assert board.signals["s"].content == "v5"


def test_a_record_of_another_form_is_passed_over() -> None:
    board = Board()
    board.apply([ContextUpdate(1, Context("x", Namespace.APPROVAL, {"id": "x", "new": 1}))])
    board.apply([ContextUpdate(2, Context("y", Namespace.TOOL_CALL, {"id": "y", "state": "odd"}))])
    assert not board.approvals
    assert not board.calls


def test_signals_are_bounded_and_the_held_back_counted() -> None:
    board = Board()
    board.apply(stored("signals.mail", signal(f"s{i}", "x", Priority.LOG, T0 + i)) for i in range(SIGNALS_KEPT + 5))
    assert len(board.signals) == SIGNALS_KEPT
    assert board.newest_signals()[0].id == f"s{SIGNALS_KEPT + 4}"


def test_decided_cards_leave() -> None:
    board, card = Board(), approval("a1")
    board.apply([stored(Namespace.APPROVAL, card)])
    decided = Approval.of({**card.data(), "state": "rejected"})
    board.apply([stored(Namespace.APPROVAL, decided, 2)])
    assert board.inbox(T0) == []
    board.apply([stored(Namespace.APPROVAL, card, 3)])  # undone
    assert [i.ref for i in board.inbox(T0)] == ["approval:a1"]


def test_what_is_counted_all_session_is_bounded_and_loses_nothing() -> None:
    tally = Tally()
    for n in range(50_000):
        tally.add(f"u{n}", n + 1, T0 + n, 1.0)
    tally.add("u3", 4, T0 + 3, 1.0)  # recalled again
    assert tally.since(T0 - 900) == 50_000
    assert len(tally.recent) <= 2000
    assert len(tally.sums) < 200


def test_history_at_first_sight_is_not_counted_as_held_back() -> None:
    board, old = Board(), signal("old", "x", Priority.LOG)
    old.reason = BACKLOG
    board.apply([stored("signals.mail", old), stored("signals.mail", signal("new", "x", Priority.LOG))])
    assert board.held_today(T0, UTC) == 1


def test_versions_are_bounded() -> None:
    board = Board()
    board.apply(stored("signals.mail", signal(f"s{i}", "x", Priority.LOG, T0 + i)) for i in range(SIGNALS_KEPT + 5))
    for n in range(VERSIONS_KEPT + 100):
        board.apply([ContextUpdate(n, Context(f"x{n}", "elsewhere", {}))])

    assert len(board.versions) <= VERSIONS_KEPT


def test_the_conversation_is_bounded() -> None:
    board = Board()
    for n in range(MESSAGES_KEPT + 50):
        board.apply([stored(Namespace.USER_MESSAGE, UserMessage(f"u{n}", "x", T0 + n, [f"call_{n}"]))])
    assert len(board.messages) == MESSAGES_KEPT
    assert board.after.keys() == board.messages.keys()
    assert board.conversation()[-1].id == f"u{MESSAGES_KEPT + 49}"
