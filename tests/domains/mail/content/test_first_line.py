"""What of a mail stands in its signal's one line."""

from __future__ import annotations

import pytest

from pepper_tui.domains.mail.content.reply_text import telling_lines


@pytest.mark.parametrize(
    "salutation",
    [
        "Hi Alex,",
        "Hello,",
        "Dear Mr Rivera,",
        "Dear Ms. O'Neill:",
        "Alex,",
        "Olá Alex,",
        "Bom dia Alex,",
        "Sehr geehrter Herr Dr. Müller,",
        "Hi Alex!",
        "Hi Alex –",
        "Good morning",
    ],
)
def test_a_bare_salutation_is_passed_over(salutation: str) -> None:
    assert telling_lines(f"{salutation}\n\n  can you sign today?\nNora") == ["can you sign today?", "Nora"]


@pytest.mark.parametrize(
    "line",
    ["Hi Alex, can you sign today?", "Lunch on Sunday at one?", "Yes.", "Highlights, in short", "Dear all of us: read"],
)
def test_a_line_that_says_something_stays(line: str) -> None:
    assert telling_lines(f"{line}\nmore")[0] == line


def test_nothing_else_or_nothing_at_all() -> None:
    assert telling_lines("Hi Alex,") == ["Hi Alex,"]
    assert telling_lines(" \n") == []
