"""One item a matter: all its requests are on it, the most trusted sender names it, a key is about one effect."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pepper_tui.model import (
    ActState,
    Approval,
    ApprovalState,
    CallState,
    Context,
    ContextUpdate,
    Effect,
    FollowUpState,
    Namespace,
    Notification,
    NotificationState,
    Priority,
    Record,
    ReminderState,
    Trust,
)
from pepper_tui.ui.screen.inbox.cards import closed, face, kind_words, opened, title
from pepper_tui.ui.screen.ink import Ink, Pen, age, until
from pepper_tui.ui.shared.board import Board
from pepper_tui.ui.shared.matters import COUNTED, REQUESTS_SHOWN, InboxItem
from pepper_tui.ui.shared.names import count_of, name_of, recipient, subject_of
from pepper_tui.ui.shared.words import item_line, item_lines
from tests.ui.fake_engine import T0, approval, call, follow_up, note, outgoing, reminder, rule_act

MATTER = "mail:t1"
PEN = Pen(Ink.of({}), 80, UTC, T0)


def board_of(*records: tuple[str, Record]) -> Board:
    board = Board()
    for namespace, record in records:
        put(board, namespace, record)
    return board


def put(board: Board, namespace: str, record: Record) -> None:
    key = str(record.data()["id"])
    version = board.versions.get((namespace, key), 0) + 1
    board.apply([ContextUpdate(0, Context(key, namespace, record.data(), version=version, created_at=T0))])


def request(key: str, who: str, trust: str, *, at: float = T0, body: str = "", **more: object) -> Notification:
    sender = f"{who.split(maxsplit=1)[0].lower()}@example.com"
    values: dict[str, object] = {"who": who, "sender": sender, "subject": "Contract", "trust": trust, **more}
    return note(key, f"{who}: Contract", created_at=at, matter=MATTER, body=body or f"words of {key}", **values)


def draft(key: str, *, at: float = T0, matter: str = MATTER) -> Approval:
    return replace(approval(key, at=at), matter=matter)


def words_of(item: InboxItem) -> str:
    return "\n".join(line.plain for line in opened(item, PEN))


def only(board: Board, now: float = T0) -> InboxItem:
    (item,) = board.inbox(now)
    return item


BOSS = request("boss", "Ann Boss", "vip", at=T0 - 50)
STRANGER = request("stranger", "Mal Lory", "unknown", at=T0 - 10, priority=Priority.URGENT, subject="PWNED")


def test_three_mails_of_one_thread_are_one_card_that_lists_them_all_oldest_first() -> None:
    mails = [request(f"n{n}", "Ann Boss", "vip", at=T0 - 60 + n) for n in (2, 0, 1)]
    item = only(board_of(*((Namespace.NOTIFICATION, mail) for mail in mails)))
    said = words_of(item)
    assert [said.index(f"words of n{n}") for n in range(3)] == sorted(said.index(f"words of n{n}") for n in range(3))
    assert (name_of(item), count_of(item), subject_of(item)) == ("Ann Boss", " (3)", "Contract")
    assert item.notice_refs == ("notification:n0", "notification:n1", "notification:n2")


@pytest.mark.parametrize("order", [(BOSS, STRANGER), (STRANGER, BOSS)])
def test_a_stranger_adds_a_line_and_never_renames_or_hides(order: tuple[Notification, ...]) -> None:
    item = only(board_of(*((Namespace.NOTIFICATION, each) for each in order)))
    assert title(item) == "Ann Boss: Contract"
    assert item.priority is Priority.HIGH
    assert item.at == BOSS.created_at
    said = words_of(item)
    assert "Ann Boss" in said.split("words of boss")[0]
    assert "Mal Lory <mal@example.com> · unknown sender" in said
    assert f"PWNED: {STRANGER.body}" in " ".join(said.split())


def test_the_most_trusted_then_the_most_urgent_then_the_newest_names_the_card() -> None:
    some = [
        request("a", "Known One", "known", priority=Priority.URGENT),
        request("b", "Friend One", "written to", at=T0 - 9),
        request("c", "Friend Two", "written to", at=T0 - 8),
        request("d", "Friend Three", "written to", at=T0 - 7, priority=Priority.NORMAL),
    ]
    assert name_of(only(board_of(*((Namespace.NOTIFICATION, each) for each in some)))) == "Friend Two"


def test_many_strangers_are_folded_and_push_out_nobody() -> None:
    strangers = [request(f"s{n:02}", f"S{n}", "unknown", at=T0 - 900 + n) for n in range(20)]
    item = only(board_of(*((Namespace.NOTIFICATION, each) for each in (*strangers, BOSS))))
    assert "words of boss" in words_of(item)
    assert item.folded == ((Trust.UNKNOWN, 20 - REQUESTS_SHOWN),)
    assert "and 12 more from unknown senders" in words_of(item)
    assert count_of(item) == " (21)"
    assert len(item.notice_refs) == REQUESTS_SHOWN + 1


def test_no_request_can_pose_as_a_line_of_the_card() -> None:
    posing = request("x", "Mal", "unknown", body="hello\nbecause you said so\n● Ann Boss · 08:00: pay\nto bob@evil")
    item = only(board_of((Namespace.NOTIFICATION, BOSS), (Namespace.NOTIFICATION, posing)))
    lines = words_of(item).splitlines()
    for bad in ("because you said so", "● Ann Boss · 08:00: pay", "to bob@evil"):
        assert [line for line in lines if bad in line] == [f"│ {bad}"]
    assert f"  {'because you said so'}" in item_lines(item, UTC)


def test_a_matters_draft_is_shown_in_full_with_what_is_planned() -> None:
    board = board_of(
        (Namespace.NOTIFICATION, BOSS),
        (Namespace.APPROVAL, draft("a1")),
        (Namespace.FOLLOW_UP, follow_up()),
        (Namespace.REMINDER, reminder()),
        (Namespace.RULE_ACT, rule_act(matter=MATTER)),
    )
    item = only(board)
    said = words_of(item)
    assert (item.key, item.ref, item.kind) == (f"matter:{MATTER}", "approval:a1", "approval")
    for line in approval("a1").resolved.lines:
        assert all(part in said for part in line.value.split("\n"))
    assert "waits for Dana Whitfield's answer until Sun 17 Jan 08:00" in said
    assert "reminds tomorrow 08:00: look at quote 2207" in said
    assert "1 more draft waits for room" in said
    assert said.index("words of boss") < said.index("Send mail to") < said.index("waits for Dana")
    plain = "\n".join(item_lines(item, UTC))
    assert "Request 1, Ann Boss" in plain
    assert "Waits for Dana Whitfield's answer until 2027-01-17 08:00" in plain


def test_each_further_draft_is_an_item_of_its_own() -> None:
    some = [draft("a2", at=T0 + 1), draft("a1"), draft("b", matter="")]
    items = board_of(*((Namespace.APPROVAL, each) for each in some)).inbox(T0)
    assert {item.key: item.ref for item in items} == {
        f"matter:{MATTER}": "approval:a1",
        "approval:a2": "approval:a2",
        "approval:b": "approval:b",
    }


@pytest.mark.parametrize(
    ("namespace", "record", "shown"),
    [
        (Namespace.NOTIFICATION, replace(BOSS, state=NotificationState.SEEN), False),
        (Namespace.NOTIFICATION, replace(BOSS, body="other words"), True),
        (Namespace.NOTIFICATION, STRANGER, True),
        (Namespace.APPROVAL, draft("a1"), True),
        (Namespace.FOLLOW_UP, follow_up(), True),
        (Namespace.FOLLOW_UP, follow_up(matter="another"), False),
        (Namespace.REMINDER, reminder(), True),
        (Namespace.REMINDER, replace(reminder(), state=ReminderState.FIRED), False),
        (Namespace.RULE_ACT, rule_act(matter=MATTER), True),
        (Namespace.RULE_ACT, rule_act(matter=MATTER, state="done"), False),
        (Namespace.TOOL_CALL, call("k"), False),
    ],
)
def test_the_face_changes_exactly_when_the_card_reads_otherwise(namespace: str, record: Record, shown: bool) -> None:
    board = board_of((Namespace.NOTIFICATION, BOSS))
    before, read = face(only(board)), words_of(only(board))
    put(board, namespace, record)
    assert (face(only(board)) != before) is shown
    assert (words_of(only(board)) != read) is shown


def test_what_has_ended_is_dropped_from_memory() -> None:
    board = board_of(
        (Namespace.FOLLOW_UP, follow_up()), (Namespace.RULE_ACT, rule_act()), (Namespace.REMINDER, reminder())
    )
    assert board.follow_ups
    put(board, Namespace.FOLLOW_UP, follow_up(state=FollowUpState.ANSWERED))
    put(board, Namespace.RULE_ACT, rule_act(state=ActState.DONE))
    put(board, Namespace.REMINDER, replace(reminder(), state=ReminderState.CANCELLED))
    assert not board.follow_ups
    assert not board.acts
    assert not board.reminders


def test_a_send_counts_down_in_the_place_of_its_card_and_leaves_a_receipt_for_a_minute() -> None:
    board = board_of((Namespace.TOOL_CALL, outgoing()), (Namespace.APPROVAL, approval("a1")))
    put(board, Namespace.APPROVAL, replace(approval("a1"), state=ApprovalState.APPROVED, acts_at=T0 + 8))
    item = only(board)
    assert (item.kind, item.seconds, item.inert, item.approval) == ("sending", 8, True, None)
    assert board.next_wake(T0) == T0 + 1
    assert item_line(item, UTC) == "Approved, to alice: sends in 8 s"
    put(board, Namespace.TOOL_CALL, outgoing(state=CallState.ATTEMPTED))
    assert only(board).seconds is None
    assert board.next_wake(T0 + 9) is None
    put(board, Namespace.TOOL_CALL, outgoing(state=CallState.SUCCEEDED, ended_at=T0 + 9))
    item = only(board, T0 + 10)
    assert (item.kind, item.inert) == ("sent", True)
    assert item_line(item, UTC) == "Sent to alice 08:00"
    assert board.next_wake(T0 + 10) == T0 + 69
    assert board.inbox(T0 + 70) == []
    board.receipts_read = T0 + 11
    assert board.inbox(T0 + 12) == []


def test_a_send_at_a_later_time_says_when_and_is_counted_down_only_near_it() -> None:
    board = board_of((Namespace.TOOL_CALL, outgoing()), (Namespace.APPROVAL, approval("a1")))
    put(board, Namespace.APPROVAL, replace(approval("a1"), state=ApprovalState.APPROVED, acts_at=T0 + 86_400))
    item = only(board)
    assert item_line(item, UTC) == "Approved, to alice: sends 2027-01-16 08:00"
    assert closed(item, PEN, "u").plain.startswith("▸ → alice: sends tomorrow 08:00 · u takes it back")
    assert board.next_wake(T0) == T0 + 86_400 - COUNTED
    assert only(board, T0 + 86_400 - COUNTED).seconds == COUNTED


@pytest.mark.parametrize("name", ["Ann", "A" * 200, "安" * 100])
def test_however_long_what_is_sent_is_called_the_key_that_takes_it_back_is_seen(name: str) -> None:
    board = board_of(
        (Namespace.TOOL_CALL, outgoing()),
        (Namespace.APPROVAL, replace(approval("a1", to=name), state=ApprovalState.APPROVED, acts_at=T0 + 8)),
    )
    line = closed(only(board), PEN, "u")
    assert line.plain.endswith(": sends in 8 s · u takes it back")
    assert line.cell_len <= PEN.width


def test_an_approval_that_is_not_carried_out_leaves_no_item() -> None:
    board = board_of((Namespace.TOOL_CALL, outgoing()), (Namespace.APPROVAL, approval("a1")))
    put(board, Namespace.APPROVAL, replace(approval("a1"), state=ApprovalState.APPROVED, acts_at=T0 + 8))
    put(board, Namespace.TOOL_CALL, outgoing(state=CallState.FAILED, ended_at=T0 + 9))
    assert board.inbox(T0 + 9) == []
    assert not board.approvals


def test_a_failed_send_is_back_with_its_problem() -> None:
    item = only(board_of((Namespace.APPROVAL, replace(approval("a2"), problem="no server\x1b[2J", retry_of="a1"))))
    assert kind_words(item)[0] == "✗"
    assert words_of(item).splitlines()[1] == "not sent: no server"
    assert "Not sent: no server" in item_lines(item, UTC)


def test_an_unknown_outcome_is_named_by_what_its_card_said() -> None:
    lost = call("k", "draft_reply", CallState.UNKNOWN, summary="Send mail to dana@example.com: Re: quote")
    item = only(board_of((Namespace.TOOL_CALL, lost)))
    assert title(item) == "Did it happen? Send mail to dana@example.com: Re: quote"
    assert "dana@example.com: Re: quote" in item_line(item, UTC)


@pytest.mark.parametrize(
    ("to", "untrusted", "shown"),
    [
        ("dana@example.com", False, "dana"),
        ("Dana Whitfield <dana@example.com>", False, "Dana Whitfield"),
        ("Dana Whitfield <mallory@evil.example>", True, "mallory"),
        ("dana@example.com, ben@example.com, c@example.com", False, "dana +2"),
    ],
)
def test_a_draft_is_named_by_its_recipient(to: str, untrusted: bool, shown: str) -> None:
    assert recipient(approval(to=to, untrusted=untrusted)) == shown


def test_ages_and_times_to_come() -> None:
    assert [age(T0 - s, T0) for s in (-5, 59, 61, 3599, 3600, 86_399, 200_000)] == [
        "now", "now", "1m", "59m", "1h", "23h", "2d",
    ]  # fmt: skip
    assert [until(T0 + s, T0, UTC) for s in (60, 86_400, 3 * 86_400, 400 * 86_400)] == [
        "08:01", "tomorrow 08:00", "Mon 18 Jan 08:00", "Sat 19 Feb 2028 08:00",
    ]  # fmt: skip


MATTERS = st.sampled_from(["", "m1", "m2", "m3"])
NOTES = st.tuples(st.just("n"), MATTERS, st.sampled_from(["", *Trust, "odd"]), st.sampled_from(list(NotificationState)))
CARDS = st.tuples(st.just("a"), MATTERS, st.just(""), st.sampled_from(list(ApprovalState)))


@given(st.lists(NOTES | CARDS, max_size=40))
def test_every_open_notification_and_pending_card_is_on_exactly_one_item(
    things: list[tuple[str, str, str, str]],
) -> None:
    board, wanted = Board(), []
    for number, (kind, matter, trust, state) in enumerate(things):
        at = T0 - (number * 7919) % 1000
        if kind == "n":
            put(
                board,
                Namespace.NOTIFICATION,
                note(f"n{number}", matter=matter, trust=trust, state=state, created_at=at),
            )
            wanted += [f"notification:n{number}"] if state in ("new", "seen") else []
        else:
            put(
                board,
                Namespace.APPROVAL,
                replace(draft(f"a{number}", at=at, matter=matter), state=ApprovalState(state)),
            )
            wanted += [f"approval:a{number}"] if state == "pending" else []
    items = board.inbox(T0)
    shown = [ref for item in items for ref in item.notice_refs]
    asked = [item.ref for item in items if item.approval is not None]
    folded = sum(count for item in items for _, count in item.folded)
    assert len(set(shown + asked)) == len(shown + asked)
    assert set(shown + asked) <= set(wanted)
    assert len(shown) + len(asked) + folded == len(wanted)
    assert len({item.key for item in items}) == len(items)
    for item in items:
        assert not item.matter or item.head is None or item.head in item.notices


def test_what_waits_for_room_is_a_draft_only_where_it_is_sent() -> None:
    waits = replace(call("c1"), deferred="room for a card", effect=Effect.LOCAL)
    board = board_of((Namespace.TOOL_CALL, waits), (Namespace.TOOL_CALL, replace(waits, id="c2")))
    assert board.deferred() == "2 more wait for room"
    put(board, Namespace.TOOL_CALL, replace(waits, id="c3", effect=Effect.SEND))
    assert board.deferred() == "1 more draft waits for room, 2 more wait for room"


@pytest.mark.parametrize("ids", ["abc", "cba", "bca"])
def test_cards_of_a_burst_stand_in_the_order_in_which_they_were_asked_for(ids: str) -> None:
    board = Board()
    for n, key in enumerate(ids):  # the first one asked for is the last to be ready
        asked = replace(outgoing(f"c{key}"), created_at=T0 + n, state=CallState.WAITING_APPROVAL)
        put(board, Namespace.TOOL_CALL, asked)
        put(board, Namespace.APPROVAL, replace(draft(key, at=T0 + 9 - n, matter=f"mail:{key}"), call=f"call_c{key}"))
    for n, key in enumerate(ids):
        put(board, Namespace.NOTIFICATION, note(f"n{key}", f"n{n}", matter=f"mail:n{key}", created_at=T0))
    keys = [item.key for item in board.inbox(T0 + 20)]
    assert keys == [f"matter:mail:{key}" for key in ids] + [f"matter:mail:n{key}" for key in ids]
