"""Orders about events and invitations, without a model: what each phrase becomes."""

from __future__ import annotations

from typing import Any

import pytest

from pepper_tui.llm.offline.grammar import parse
from pepper_tui.llm.offline.orders import CALLS

CHANGE, CANCEL, ANSWER = "change_event", "cancel_event", "answer_invitation"
PHRASES: dict[str, tuple[str, dict[str, Any]]] = {
    "move lunch with Ann to friday 13:00": (CHANGE, {"event": "lunch with Ann", "start": "friday 13:00"}),
    "reschedule the dentist to 3pm": (CHANGE, {"event": "dentist", "start": "3pm"}),
    "move standup on wednesday to thursday 9:00": (
        CHANGE, {"event": "standup", "day": "wednesday", "start": "thursday 9:00"},
    ),
    "move all of choir to monday 19:00": (CHANGE, {"event": "choir", "start": "monday 19:00", "which": "all"}),
    "rename lunch to dinner": (CHANGE, {"event": "lunch", "title": "dinner"}),
    "rename all of yoga to pilates": (CHANGE, {"event": "yoga", "title": "pilates", "which": "all"}),
    "cancel standup on friday": (CANCEL, {"event": "standup", "day": "friday"}),
    "cancel all of standup": (CANCEL, {"event": "standup", "which": "all"}),
    "cancel the rest of the standup": (CANCEL, {"event": "standup", "which": "following"}),
    "my to-dos": ("list_todos", {}),
    "show me all open todos": ("list_todos", {}),
    "done with pay the rent": ("complete_todo", {"todo": "pay the rent"}),
    "I'm done with the rent": ("complete_todo", {"todo": "rent"}),
    "check off tax": ("complete_todo", {"todo": "tax"}),
    "mark the to-do tax as done": ("complete_todo", {"todo": "tax"}),
    "accept the invitation": (ANSWER, {"answer": "accept"}),
    "accept the invitation from Ann": (ANSWER, {"invitation": "Ann", "answer": "accept"}),
    "decline budget review": (ANSWER, {"invitation": "budget review", "answer": "decline"}),
    "tentatively accept the budget review": (ANSWER, {"invitation": "budget review", "answer": "tentative"}),
    "propose friday 10:00 for budget review": (
        ANSWER, {"invitation": "budget review", "answer": "tentative", "propose": "friday 10:00"},
    ),
    "decline standup on friday": (ANSWER, {"invitation": "standup", "answer": "decline", "day": "friday"}),
    "accept all of standup": (ANSWER, {"invitation": "standup", "answer": "accept", "day": "all"}),
    "accept the invitation from Ann on 19 Jan": (ANSWER, {"invitation": "Ann", "answer": "accept", "day": "19 Jan"}),
    "decline the talk on budgets": (ANSWER, {"invitation": "talk on budgets", "answer": "decline"}),
    "propose friday 10:00 for standup on thursday": (
        ANSWER, {"invitation": "standup", "answer": "tentative", "propose": "friday 10:00", "day": "thursday"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("said", PHRASES)
def test_an_order_becomes_its_call(said: str) -> None:
    command = parse(said)
    tool, _, arguments = CALLS[command.kind](command)
    assert (tool, {name: value for name, value in arguments.items() if value}) == PHRASES[said]


def test_a_to_do_is_opened_again() -> None:
    command = parse("reopen pay the rent")
    assert CALLS[command.kind](command)[2] == {"todo": "pay the rent", "done": False}


@pytest.mark.parametrize("said", ["cancel reminder call Ann", "remove rule invoices"])
def test_what_is_cancelled_otherwise_is_no_event(said: str) -> None:
    assert parse(said).kind not in ("cancel_event", "move_event")


@pytest.mark.parametrize(
    ("said", "values"),
    [
        ("when are ann and I free next week", {"people": "ann", "span": "next week"}),
        ("free time with ann tomorrow", {"people": "ann", "span": "tomorrow"}),
        ("find 45 minutes with ben friday", {"people": "ben", "span": "friday", "minutes": "45"}),
        ("find an hour with Ann Smith, b@x.org and me tomorrow afternoon",
         {"people": "Ann Smith\nb@x.org", "span": "tomorrow", "part": "afternoon", "minutes": "60"}),
        ("when can ben and I meet", {"people": "ben", "span": "next 7 days"}),
        ("find 45 minutes on friday", {"span": "on friday", "minutes": "45"}),
    ],
)  # fmt: skip
def test_free_time_with_others_names_them_the_days_and_how_long(said: str, values: dict[str, str]) -> None:
    command = parse(said)
    assert (command.kind, {name: value for name, value in command.values.items() if value}) == ("free_with", values)


@pytest.mark.parametrize("said", ["find 3 minutes", "find lease", "am I free tomorrow", "when am I free next week"])
def test_other_words_stay_what_they_are(said: str) -> None:
    assert parse(said).kind in ("find", "free")
