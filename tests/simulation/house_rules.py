"""The rules that a seed's user has written down: every condition and every act, under each of the config's names."""

from __future__ import annotations

import random
from typing import Any

from pepper_tui.config import ClockEntry, Rule, Watch

TEMPLATES = {"short": "Dear {name}, thanks. {me}", "nudge": "Hi {first_name}, any news on {subject}? {me}"}
REMIND = ("in 5 minutes", "in 5 minutes", "tomorrow 9am", "every monday at 9am")


def drawn(chance: random.Random) -> dict[str, list[Any]]:
    """Rules under the keys of the config: ``rule``, ``watch`` and ``clock``."""
    rules = [rule for rule, share in _pool(chance) if chance.random() < share]
    watches = [Watch(name="boss", sender="@boss.example", notify=True)] if chance.random() < 0.5 else []
    if chance.random() < 0.5:
        watches.append(Watch(name="lunch", words=["lunch"], draft="short"))
    if chance.random() < 0.3:
        watches.append(Watch(name="old form", thread="invoice", follow=_hours(chance), remind=chance.choice(REMIND)))
    clock = [ClockEntry(name="tick", text="look round", every=900.0)] if chance.random() < 0.1 else []
    return {"rule": rules, "watch": watches, "clock": clock}


def _hours(chance: random.Random) -> float:
    return chance.choice((0.02, 0.1, 0.3))


def _pool(chance: random.Random) -> list[tuple[Rule, float]]:
    """Each rule with its share of the seeds."""
    nudge = chance.choice(("nudge", ""))
    time = chance.choice(({"every": 1800.0}, {"every": 7200.0}, {"cron": "*/30 * * * *"}, {"cron": "0 9 * * *"}))
    later: dict[str, Any] = chance.choice(
        ({"notify": True}, {"remind": "in 5 minutes"}, {"draft": "short"}, {"ask": "what now?"}, {"follow_up": 0.1})
    )
    timed: dict[str, Any] = chance.choice(
        ({"brief": 1}, {"notify": True}, {"ask": "what is new?"}, {"remind": REMIND[0]})
    )
    return [
        (Rule(name="Invoices", words=["invoice"], follow_up=_hours(chance), nudge=nudge, notify=bool(nudge)), 0.6),
        (
            Rule(
                name="all of Bob", source="mail", sender=["bob@example.com"], notify=chance.random() < 0.7,
                reply="Thank you, {first_name}." if chance.random() < 0.6 else "",
                remind=chance.choice(("", *REMIND)), follow_up=chance.choice((0.0, _hours(chance))),
            ),
            0.5,
        ),
        (Rule(name="questions", question=True, notify=True, draft="short"), 0.2),
        (Rule(name="friends", known=True, notify=True, priority=chance.choice(("normal", "urgent"))), 0.2),
        (Rule(name="quiet", words=["lunch"], priority="log", notify=True, remind=""), 0.15),
        (Rule(name="what does he want", sender=["@example.com"], ask="what does he want?"), 0.15),
        (Rule(name="gauge", source="gauge", notify=True), 0.2),
        (Rule(name="before events", before=chance.choice((5, 10)), notify=True), 0.25),
        (Rule(name="briefed", source="calendar", brief=chance.choice((5, 15))), 0.35),
        (Rule(name="by the clock", text="look", **time, **timed), 0.25),
        (Rule(name="unanswered", after="Invoices", **later), 0.4),
    ]  # fmt: skip
