"""Days in words, for a view of them: one after another, joined, and in stretches."""

from __future__ import annotations

from datetime import date

import pytest

from pepper_tui.clock.words import names_days, spans_said

MONDAY = date(2026, 11, 30)


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("today and tomorrow", "30.11.+2"),
        ("monday and tuesday", "30.11.+2"),
        ("monday, wednesday and friday", "30.11.+1 2.12.+1 4.12.+1"),
        ("friday or monday", "4.12.+1 7.12.+1"),
        ("friday, 4 december and saturday", "4.12.+2"),
        ("monday, 7 december", "7.12.+1"),
        ("14 and 15 dec", "14.12.+2"),
        ("dec 24, 25 and 26", "24.12.+3"),
        ("this week and next", "30.11.+14"),
        ("this and next week", "30.11.+14"),
        ("monday and tuesday next week", "7.12.+2"),
        ("tomorrow and the day after", "1.12.+2"),
        ("tonight and tomorrow", "30.11.+2"),
        ("december and january", "1.12.+62"),
        ("in december", "1.12.+31"),
        ("on 24 dec", "24.12.+1"),
        ("next week", "7.12.+7"),
        ("the week of 16 dec", "14.12.+7"),
        ("the week starting 16 dec", "16.12.+7"),
        ("the weekend of 16 dec", "19.12.+2"),
        ("week 51", "14.12.+7"),
        ("in two weeks on friday", "18.12.+1"),
        ("the next three days", "30.11.+3"),
        ("3 days", "30.11.+3"),
        ("the coming two weeks", "30.11.+14"),
        ("the next two months", "30.11.+61"),
        ("the rest of the week", "30.11.+7"),
        ("this month", "30.11.+1"),
        ("monday to friday", "30.11.+5"),
        ("yesterday", "29.11.+1"),
        ("last week", "23.11.+7"),
        ("heute und morgen", "30.11.+2"),
        ("24., 25. und 26. Dezember", "24.12.+3"),
        ("die Woche vom 16. Dezember", "14.12.+7"),
        ("my mind", None),
        ("every monday", None),
        ("ann and tomorrow", None),
        ("tomorrow morning and afternoon", None),  # the afternoon of which day is not said
        ("and tomorrow", None),
        ("x, " * 3000, None),
    ],
)
def test_days(text: str, spans: str | None) -> None:
    found = [f"{first.day}.{first.month}.+{days}" for first, days in spans_said(text, MONDAY)]
    assert found == (spans.split() if spans else [])
    assert names_days(text) is bool(spans)
