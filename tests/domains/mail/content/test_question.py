"""Whether a mail asks something."""

from __future__ import annotations

import pytest

from pepper_tui.domains.mail.content.reply_text import asks_something, question_in
from pepper_tui.domains.mail.intake.signals import mail_facts
from tests.rules.world import OWN, mail_data


@pytest.mark.parametrize(
    ("text", "asks"),
    [
        ("Can you come?", True),
        ("Could you send it (today?) please", True),
        ("Is it 'done' ?\nBest", True),
        ("Kommst du??", True),
        ("See https://a.example/p?q=1 for more.", False),
        ("It is done.", False),
        ("? ", False),
        ("", False),
    ],
)
def test_a_question_is_a_sentence(text: str, asks: bool) -> None:
    assert asks_something(text) is asks


def test_lists_and_automatic_mail_ask_nothing() -> None:
    mail = mail_data("1", "Ann", "ann@x.org", "s", "Can you come?", 1.0)
    assert mail_facts(mail, {OWN}).question
    assert mail_facts(mail, {OWN}).direct
    assert not mail_facts(mail).direct
    assert not mail_facts({**mail, "auto_submitted": "auto-replied"}).question
    assert not mail_facts({**mail, "list_headers": {"list-id": "x"}}).question


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("Hi Sam,\n\nHow are you? Could you send me\nthe budget? Thanks.\nAnn", "Could you send me the budget?"),
        ("How are you?", "How are you?"),
        ("Kommst du am 4. Dezember um 10 Uhr? Gruß", "Kommst du am 4. Dezember um 10 Uhr?"),
        ("One.\n- can you?\n- and you?", "- can you?"),
        ("Wohnst du im 3. Stock?", "Wohnst du im 3. Stock?"),
        ("See https://a.example/p?q=1 for more.", ""),
        ("", ""),
    ],
)  # fmt: skip
def test_the_question_is_found_whole(text: str, question: str) -> None:
    assert question_in(text) == question
