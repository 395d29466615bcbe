"""An answer that would go to another organisation is a sign; to another machine of the same it is none."""

from __future__ import annotations

import pytest

from pepper_tui.domains.mail.content.mime import parse_mail
from pepper_tui.domains.mail.facts.authentication import Servers
from pepper_tui.domains.mail.facts.signs import Signs
from pepper_tui.store import ContextStore


@pytest.mark.parametrize(
    ("sender", "reply_to", "is_sign"),
    [
        ("ann@example.co.uk", "ann@other.co.uk", True),
        ("ann@news.example.co.uk", "ann@desk.example.co.uk", False),
        ("ann@example.co.uk", "ann@mail.example.co.uk", False),
        ("ann@alice.github.io", "ann@github.io", True),
    ],
)
async def test_an_answer_that_goes_elsewhere(store: ContextStore, sender: str, reply_to: str, is_sign: bool) -> None:
    mail = parse_mail(f"From: {sender}\nReply-To: {reply_to}\nSubject: x\n\nHello".encode()).data()
    found = await Signs(Servers(), [], []).of(store, {**mail, "id": "mail_1"})
    assert ("reply_to" in found) is is_sign
