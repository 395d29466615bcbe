"""Times and rhythms in words."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pepper_tui.attention.when import parse_repeat, parse_when

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 21, 15, 0, tzinfo=BERLIN).timestamp()  # a Saturday


def at(*parts: int) -> float:
    return datetime(*parts, tzinfo=BERLIN).timestamp()  # type: ignore[arg-type,misc]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("in 2 minutes", NOW + 120),
        ("2 minutes", NOW + 120),
        ("in an hour and 5 min", NOW + 3900),
        ("1h30m", NOW + 5400),
        ("in half an hour", NOW + 1800),
        ("3 days from now", NOW + 3 * 86400),
        ("in 1.5 hours", NOW + 5400),
        ("tomorrow 9am", at(2026, 11, 22, 9)),
        ("9am tomorrow", at(2026, 11, 22, 9)),
        ("Tomorrow at 9:15 pm", at(2026, 11, 22, 21, 15)),
        ("tomorrow", at(2026, 11, 22, 9)),
        ("day after tomorrow 8am", at(2026, 11, 23, 8)),
        ("friday 14:30", at(2026, 11, 27, 14, 30)),
        ("next monday", at(2026, 11, 23, 9)),
        ("saturday 18:00", at(2026, 11, 21, 18)),
        ("saturday 10:00", at(2026, 11, 28, 10)),
        ("next saturday", at(2026, 11, 28, 9)),
        ("17:30", at(2026, 11, 21, 17, 30)),
        ("9am", at(2026, 11, 22, 9)),
        ("tonight", at(2026, 11, 21, 20)),
        ("tomorrow evening", at(2026, 11, 22, 18)),
        ("2027-03-01 10:00", at(2027, 3, 1, 10)),
        ("2027-03-01", at(2027, 3, 1, 9)),
        ("2027-03-01T10:00:00Z", at(2027, 3, 1, 11)),
        ("december 3 at 10:00", at(2026, 12, 3, 10)),
        ("3 march", at(2027, 3, 3, 9)),
        ("2027-03-28 02:30", at(2027, 3, 28, 3, 30)),  # skipped by summer time
    ],
)
def test_what_people_write(text: str, expected: float) -> None:
    assert parse_when(text, NOW, BERLIN) == pytest.approx(expected, abs=1)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "soonish",
        "blorp",
        "2020-01-01",
        "yesterday",
        "today 9am",
        "in 0 minutes",
        "25:99",
        "13pm",
        "x" * 500,
        "in 900 weeks",
        "in 999999 weeks",
        "2026-13-45",
        "in -5 minutes",
    ],
)
def test_past_and_nonsense_are_refused_with_examples(text: str) -> None:
    with pytest.raises(ValueError, match=r"'in 2 minutes', 'tomorrow 9am'"):
        parse_when(text, NOW, BERLIN)


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=30))
def test_any_text_gives_a_future_time_or_words(text: str) -> None:
    try:
        found = parse_when(text, NOW, BERLIN)
    except ValueError as refusal:
        words = str(refusal)
    else:
        assert found > NOW
        return
    assert "try" in words


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("daily", "FREQ=DAILY"),
        ("every weekday", "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"),
        ("every monday and thursday", "FREQ=WEEKLY;BYDAY=MO,TH"),
        ("mondays", "FREQ=WEEKLY;BYDAY=MO"),
        ("every 2 weeks", "FREQ=WEEKLY;INTERVAL=2"),
        ("every other day", "FREQ=DAILY;INTERVAL=2"),
        ("every hour", "FREQ=HOURLY"),
        ("every day at 9:30", "FREQ=DAILY;BYHOUR=9;BYMINUTE=30;BYSECOND=0"),
        ("RRULE:FREQ=MONTHLY;BYDAY=1MO", "FREQ=MONTHLY;BYDAY=1MO"),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29"),
        ("FREQ=DAILY;COUNT=3", "FREQ=DAILY;COUNT=3"),
        ("FREQ=DAILY;UNTIL=20270101T000000Z", "FREQ=DAILY;UNTIL=20270101T000000Z"),
    ],
)
def test_rhythms(text: str, rule: str) -> None:
    assert parse_repeat(text) == rule


@pytest.mark.parametrize(
    "text",
    [
        "",
        "sometimes",
        "every minute",
        "every 5 seconds",
        "FREQ=SECONDLY",
        "FREQ=MINUTELY;INTERVAL=90",
        "FREQ=DAILY;X=1",
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=HOURLY;BYMINUTE=0,1,2",
        "FREQ=",
        "every 0 days",
        "FREQ=DAILY;COUNT=x",
    ],
)
def test_bad_rhythms_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"try|e\.g\.|never|once an hour"):
        parse_repeat(text)
