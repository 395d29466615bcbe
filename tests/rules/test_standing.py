"""When a rule holds: each condition by its two sides, and the rules that stand without an order of the user's."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pepper_tui.model import Facts, Match, Priority, Rule, RuleState, Signal
from pepper_tui.rules.book import RuleBook
from pepper_tui.rules.condition import holds
from pepper_tui.rules.standing import may_stand, standing

FACTS = Facts("mail", "ann@firm.example", subject="The Contract", text="please sign it", labels=["Team"], known=True,
              direct=True, question=True)  # fmt: skip
NOTHING = Facts("calendar", "eve@evil.example", subject="Lunch", text="come", labels=["Other"])
CONDITIONS: dict[str, Any] = {
    "source": "mail",
    "sender": ["@firm.example"],
    "words": ["sign", "never said"],
    "thread": "the contract",
    "label": "team",
    "known": True,
    "question": True,
}


def rule(**conditions: Any) -> Rule:
    return Rule(id="r", name="r", notify=True, **conditions)


@pytest.mark.parametrize("name", CONDITIONS)
def test_each_condition_that_is_set_must_hold(name: str) -> None:
    one = rule(**{name: CONDITIONS[name]})
    assert holds(one, FACTS)
    assert not holds(one, NOTHING)
    everything_else = {other: value for other, value in CONDITIONS.items() if other != name}
    unlike = {"source": "chat", "sender": ["@x.example"], "words": ["x"], "thread": "x", "label": "x"}
    if name in unlike:
        assert not holds(rule(**everything_else, **{name: unlike[name]}), FACTS)
    else:
        assert not holds(rule(**CONDITIONS), replace(FACTS, **{name: False}))


def test_all_that_are_set_hold_together() -> None:
    assert holds(rule(**CONDITIONS), FACTS)


def test_a_rule_without_a_condition_holds_for_nothing() -> None:
    assert not holds(rule(), FACTS)


@pytest.mark.parametrize(
    ("one", "facts", "held"),
    [
        (rule(cron="0 9 * * *"), replace(NOTHING, entry="r"), True),
        (rule(cron="0 9 * * *"), replace(NOTHING, entry="other"), False),
        (rule(every=60.0), NOTHING, False),
        (rule(after="Quotes"), replace(NOTHING, after="quotes"), True),
        (rule(after="Quotes"), NOTHING, False),
        (rule(source="calendar"), replace(NOTHING, after="quotes"), False),  # the end of a follow-up is its own
        (rule(before=10), replace(NOTHING, minutes=10), True),
        (rule(before=10), replace(NOTHING, minutes=30), False),
    ],
)
def test_times_and_follow_ups_match_their_own_signals_only(one: Rule, facts: Facts, held: bool) -> None:
    assert holds(one, facts) is held


@pytest.mark.parametrize(
    "machine", [{"automatic": True}, {"is_list": True}, {"direct": False}, {"sender": "no-reply@firm.example"}]
)
def test_only_a_person_asks_the_user_something(machine: dict[str, Any]) -> None:
    assert not holds(rule(question=True), replace(FACTS, **machine))


def signal(priority: Priority, kind: str = "", rules: list[dict[str, Any]] | None = None) -> Signal:
    facts = {"kind": kind, "rules": rules or []}
    return Signal("s", "x", 0.0, priority, "mail", "why", "mail:s", facts)


def book(state: RuleState = RuleState.ACTIVE) -> RuleBook:
    made = RuleBook(None, [], {})  # type: ignore[arg-type]
    for one in made.rules:
        one.state = state
    return made


KINDS = {"vip": "vip", "soon": "begins-soon", "conflict": "conflicts", "": "", "own": ""}


@pytest.mark.parametrize("priority", Priority)
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_told_without_an_order(kind: str, priority: Priority) -> None:
    told = priority in (Priority.URGENT, Priority.HIGH, Priority.NORMAL)
    wanted = KINDS[kind] if told and KINDS[kind] else "urgent" if priority is Priority.URGENT else ""
    found = standing(signal(priority, kind), book().rule)
    assert [(match.rule, match.acts) for match in found] == ([(wanted, ["notify"])] if wanted else [])
    assert may_stand(signal(priority, kind)) is bool(wanted)
    assert standing(signal(priority, kind), book(RuleState.PAUSED).rule) == []


@pytest.mark.parametrize(("act", "tells"), [("notify", True), ("brief", True), ("draft", False), ("remind", False)])
def test_what_the_users_own_rule_tells_of_is_not_told_twice(act: str, tells: bool) -> None:
    match = Match(rule="mine", version="1", name="mine", acts=[act]).data()
    assert (standing(signal(Priority.HIGH, "vip", [match]), book().rule) == []) is tells
