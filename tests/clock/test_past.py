"""Times for a look back: each row says what is meant on Sunday 29 November 2026, 16:30 in Berlin."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pepper_tui.clock.words import PAST_EXAMPLES, TimeRefusedError, read_past

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 29, 16, 30, tzinfo=BERLIN)

DAYS = {  # first day, and how many
    "today": ("2026-11-29", 1),
    "Yesterday": ("2026-11-28", 1),
    "the day before yesterday": ("2026-11-27", 1),
    "sunday": ("2026-11-29", 1),
    "monday": ("2026-11-23", 1),
    "since monday": ("2026-11-23", 1),
    "on saturday": ("2026-11-28", 1),
    "last sunday": ("2026-11-22", 1),
    "last friday": ("2026-11-27", 1),
    "3 days ago": ("2026-11-26", 1),
    "two weeks ago": ("2026-11-15", 1),
    "a month ago": ("2026-10-29", 1),
    "this week": ("2026-11-23", 7),
    "last week": ("2026-11-16", 7),
    "this month": ("2026-11-01", 30),
    "last month": ("2026-10-01", 31),
    "this year": ("2026-01-01", 365),
    "last year": ("2025-01-01", 365),
    "november": ("2026-11-01", 30),
    "march": ("2026-03-01", 31),
    "december": ("2025-12-01", 31),
    "last november": ("2025-11-01", 30),
    "2024-02-29": ("2024-02-29", 1),
    "nov 3": ("2026-11-03", 1),
    "3 november 2025": ("2025-11-03", 1),
    "dec 24": ("2025-12-24", 1),
    "christmas": ("2025-12-25", 1),
    "24.11.": ("2026-11-24", 1),
    "the 28th": ("2026-11-28", 1),
    "the 30th": ("2026-10-30", 1),
    "friday 27 november": ("2026-11-27", 1),
    "friday nov 20": ("2026-11-20", 1),
    "gestern": ("2026-11-28", 1),
    "vorgestern": ("2026-11-27", 1),
    "montag": ("2026-11-23", 1),
    "seit montag": ("2026-11-23", 1),
    "letzten freitag": ("2026-11-27", 1),
    "letzte woche": ("2026-11-16", 7),
    "letzten monat": ("2026-10-01", 31),
    "vor 3 tagen": ("2026-11-26", 1),
    "vor zwei wochen": ("2026-11-15", 1),
}
MOMENTS = {
    "now": "2026-11-29T16:30",
    "2 hours ago": "2026-11-29T14:30",
    "half an hour ago": "2026-11-29T16:00",
    "last 24 hours": "2026-11-28T16:30",
    "the last 3 days": "2026-11-26T16:30",
    "past 2 weeks": "2026-11-15T16:30",
    "vor 2 stunden": "2026-11-29T14:30",
    "die letzten 3 tage": "2026-11-26T16:30",
    "today 14:00": "2026-11-29T14:00",
    "14:00": "2026-11-29T14:00",
    "yesterday at 2pm": "2026-11-28T14:00",
    "yesterday at 3": "2026-11-28T15:00",
    "yesterday evening": "2026-11-28T18:00",
    "gestern um 14 uhr": "2026-11-28T14:00",
    "monday 9am": "2026-11-23T09:00",
    "last friday at 8:30": "2026-11-27T08:30",
    "2026-11-03 14:00": "2026-11-03T14:00",
    "2026-11-03T14:00": "2026-11-03T14:00",
    "2026-11-03T14:00:00Z": "2026-11-03T15:00",
    "2026-11-03T14:00+05:30": "2026-11-03T09:30",
    "yesterday 14:00 utc": "2026-11-28T15:00",
}
REFUSED = (
    "", " ", "tomorrow", "next week", "next month", "next year", "end of next week", "friday in two weeks",
    "the 5th of next month", "thursday 27 november", "in 3 days", "today at 8pm", "2027-01-01", "2026-13-01",
    "2026-02-30", "lately", "every monday", "3 potatoes ago", "last potato", "last", "from 2 to 3pm",
    "monday and tuesday", "x" * 5000, "ago",
)  # fmt: skip


def wall(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN).timestamp()


@pytest.mark.parametrize("text", DAYS)
def test_a_day_or_more_is_meant_whole(text: str) -> None:
    first, count = DAYS[text]
    found = read_past(text, NOW.timestamp(), BERLIN)
    last = date.fromisoformat(first) + timedelta(days=count)
    assert (found.begins, found.ends) == (wall(first), wall(str(last)))


@pytest.mark.parametrize("text", MOMENTS)
def test_an_hour_is_a_moment(text: str) -> None:
    found = read_past(text, NOW.timestamp(), BERLIN)
    assert found.begins == found.ends == wall(MOMENTS[text])


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_ahead_or_no_time_is_refused_with_examples(text: str) -> None:
    with pytest.raises(TimeRefusedError) as refused:
        read_past(text, NOW.timestamp(), BERLIN)
    assert PAST_EXAMPLES in str(refused.value)
    assert len(str(refused.value)) < 400


@pytest.mark.parametrize("example", PAST_EXAMPLES.split(", "))
def test_each_example_is_read(example: str) -> None:
    assert read_past(example.strip("'"), NOW.timestamp(), BERLIN).begins < NOW.timestamp()


@given(
    st.datetimes(datetime(2001, 1, 1), datetime(2026, 11, 29)),
    st.sampled_from(["Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "UTC"]),
)
def test_a_date_is_its_day_in_every_zone(at: datetime, zone: str) -> None:
    """Also those with a change of clocks: a day of 23 or 25 hours is whole."""
    there = ZoneInfo(zone)
    found = read_past(f"{at:%Y-%m-%d}", NOW.timestamp(), there)
    first, last = datetime.fromtimestamp(found.begins, there), datetime.fromtimestamp(found.ends, there)
    assert first.date() == at.date()
    assert last.date() == at.date() + timedelta(days=1)
    assert (first.hour, last.hour) <= (1, 1)  # a day may begin at one


@settings(deadline=None)
@given(st.text(max_size=60))
def test_no_text_breaks_it(text: str) -> None:
    try:
        found = read_past(text, NOW.timestamp(), BERLIN)
    except TimeRefusedError:
        return
    assert found.begins <= NOW.timestamp()
    assert found.begins <= found.ends
