"""Machines are never drafted to by a rule."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pepper_tui.model import Approval
from pepper_tui.rules.acting.draft import unanswerable
from tests.rules.house import House

ANN: dict[str, Any] = {"message_id": "<1@x>", "sender": "ann@x.org", "reply_to": "ann@x.org"}


def test_a_person_may_have_a_draft() -> None:
    assert unanswerable(ANN) == ""
    assert unanswerable({**ANN, "reply_to": ""}) == ""


@pytest.mark.parametrize(
    "address",
    ["no-reply@x.org", "noreply@x.org", "do-not-reply@x.org", "MAILER-DAEMON@x.org", "postmaster@x.org",
     "bounces+1@x.org", "notifications@x.org", "alerts@x.org", "newsletter@x.org", "support-noreply@x.org"],
)  # fmt: skip
@pytest.mark.parametrize("field", ["sender", "reply_to"])
def test_nobody_reads_such_an_address(field: str, address: str) -> None:
    assert unanswerable({**ANN, field: address})


@pytest.mark.parametrize("fact", [{"automatic": True}, {"list": True}, {"kind": "own"}])
def test_what_a_machine_sent_is_not_answered(fact: dict[str, Any]) -> None:
    assert unanswerable({**ANN, **fact})


MACHINES: list[dict[str, str]] = [
    {"sender": "Shop <no-reply@shop.example>"},
    {"sender": "MAILER-DAEMON@example.net"},
    {"sender": "Mail Delivery System <postmaster@example.net>"},
    {"sender": "Mail Delivery Subsystem <mailer-daemon@example.net>"},
    {"sender": "Ann <ann@x.org>", "Auto_Submitted": "auto-replied"},
    {"sender": "Ann <ann@x.org>", "Auto_Submitted": "Auto-Generated; owner-email=x"},
    {"sender": "Ann <ann@x.org>", "X_Autoreply": "yes"},
    {"sender": "Ann <ann@x.org>", "X_Autorespond": "away"},
    {"sender": "Ann <ann@x.org>", "Precedence": "bulk"},
    {"sender": "Ann <ann@x.org>", "Precedence": "Junk"},
    {"sender": "Ann <ann@x.org>", "Precedence": "list"},
    {"sender": "Ann <ann@x.org>", "Precedence": "auto_reply"},
    {"sender": "Ann <ann@x.org>", "List_Id": "<dev.x.org>"},
    {"sender": "Ann <ann@x.org>", "List_Unsubscribe": "<https://x.org/u>"},
    {"sender": "Ann <ann@x.org>", "List_Post": "<mailto:dev@x.org>"},
    {"sender": "Ann <ann@x.org>", "Return_Path": "<>"},
    {"sender": "Ann <ann@x.org>", "X_Failed_Recipients": "bob@x.org"},
    {"sender": "Ann <ann@x.org>", "Reply_To": "noreply@x.org"},
]
RULE = '[[rule]]\nname = "quote"\nwords = ["quote"]\ndraft = "thanks"\n'


async def test_a_rule_drafts_to_no_machine(tmp_path: Path) -> None:
    async with House(tmp_path, RULE) as house:
        for number, head in enumerate(MACHINES):
            house.mail(subject=f"The quote {number}", text="Here is the quote.", number=number + 10, **head)
        house.mail(sender="Bob <bob@x.org>", subject="The quote", text="Here is the quote.",
                   number=99, Auto_Submitted="no")  # fmt: skip
        await house.calm()
        drafts = {each["about"]: each["state"] for each in await house.acts("draft")}
        assert len(drafts) == len(MACHINES) + 1
        assert [about for about, state in drafts.items() if state != "withdrawn"] == [
            "Bob <bob@x.org>: The quote — Here is the quote."
        ]
        [card] = await house.cards()
        assert Approval.of(card).resolved.payload["fields"]["to"] == ["bob@x.org"]
