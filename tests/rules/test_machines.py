"""Machines are never drafted to by a rule."""

from __future__ import annotations

from typing import Any

import pytest

from pepper_tui.rules.draft import unanswerable

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
