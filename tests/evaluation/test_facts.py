"""What code can tell of a text: forms that people write, and forms that only look like them."""

from __future__ import annotations

import pytest

from tests.evaluation.facts import amount, date, holds, is_german, says_no, time_of_day

PATTERNS = [
    (
        amount(8500),
        ["8500", "it is 8,500 EUR.", "8.500 €", "8 500", "8’500", "8,500."],
        ["18,500", "8,5001", "85,000", "850"],
    ),
    (amount(37), ["37 are left", "(37)"], ["370", "137", "3.7", "0.37"]),
    (amount(1600, 50), ["1,600.50 EUR", "1600.50", "1.600,50"], ["1,600.05", "11,600.50", "1,600.505", "1,600"]),
    (time_of_day(14, 30), ["14:30", "at 2:30 pm", "2.30 p.m.", "14.30 Uhr"], ["4:30", "114:30", "14:3", "2:30 am"]),
    (time_of_day(15), ["15:00", "3 pm", "15 Uhr", "3p.m."], ["15 apples", "13 pm", "3 am", "15:30"]),
    (time_of_day(9), ["9:00", "09:00", "9 am", "9 Uhr", "9 o'clock"], ["19:00", "9 pm", "9:00 pm", "9 apples"]),
    (
        date(19, 1),
        ["19 January", "January 19", "Jan 19th", "19. Januar", "19th of January", "2027-01-19", "19.1.", "19/01"],
        ["19 June", "119 January", "January 190", "9 January", "19 Feb"],
    ),
]


@pytest.mark.parametrize(("pattern", "text"), [(pattern, text) for pattern, texts, _ in PATTERNS for text in texts])
def test_a_form_that_people_write_is_read(pattern: str, text: str) -> None:
    assert holds(f"Well, {text}", pattern)


@pytest.mark.parametrize(("pattern", "text"), [(pattern, text) for pattern, _, texts in PATTERNS for text in texts])
def test_a_form_that_is_another_is_not(pattern: str, text: str) -> None:
    assert not holds(f"Well, {text}", pattern)


@pytest.mark.parametrize(
    "text", ["No.", "It did not go out", "it hasn't been sent", "Nothing waits", "The send failed"]
)
def test_a_no_is_heard(text: str) -> None:
    assert says_no(text)


@pytest.mark.parametrize("text", ["Yes, it is sent.", "Now it is on its way", "Nora has it", "noted"])
def test_a_yes_is_no_no(text: str) -> None:
    assert not says_no(text)


def test_two_languages_are_told_apart() -> None:
    assert is_german("Der Termin ist am Freitag um 12:30 Uhr.")
    assert not is_german("The appointment is on Friday at 12:30.")
    assert not is_german("OK.")
