"""Where a phrase is asked about, refused or moved: each guard of the reader by its two sides."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from pepper_tui.clock.words.reading import said
from pepper_tui.clock.words.text import TimeAskedError, TimeRefusedError, read_time

BERLIN = ZoneInfo("Europe/Berlin")
TUESDAY = "2026-11-24 12:00"


def read(text: str, at: str) -> str:
    """What ``text`` means at ``at``: in words with its rule, the choices behind a ``?``, or why it is refused."""
    now = datetime.fromisoformat(at).replace(tzinfo=BERLIN).timestamp()
    try:
        reading = read_time(text, now, BERLIN)
    except TimeAskedError as asked:
        return "? " + " | ".join(said(choice, BERLIN, now) for choice in asked.choices)
    except TimeRefusedError as refused:
        return str(refused)
    return f"{said(reading, BERLIN, now)} {reading.rrule}".strip()


@pytest.mark.parametrize(
    ("text", "at", "means"),
    [
        ("at 12:00", "2026-11-24 11:59", "Tue 24 Nov 12:00"),
        ("at 12:00", TUESDAY, "Wed 25 Nov 12:00"),  # what is just now is not ahead
        ("in 9 years", TUESDAY, "Sat 24 Nov 2035 12:00"),
        ("in 11 years", TUESDAY, "more than ten years away"),
        ("tuesday", TUESDAY, "Tue 1 Dec 09:00"),  # alone, said on that day: next week's
        ("tuesday", "2026-11-24 07:00", "Tue 1 Dec 09:00"),
        ("tuesday at 15", TUESDAY, "Tue 24 Nov 15:00"),
        ("at 10:00 in the morning", TUESDAY, "Wed 25 Nov 10:00"),
        ("at 22 in the morning", TUESDAY, "not of that part of the day"),
        ("15:00 in the morning", TUESDAY, "not of that part of the day"),
        ("today", "2026-11-24 07:00", "Tue 24 Nov 09:00"),
        ("today", TUESDAY, "does not say at what time today"),
        ("friday at midnight", TUESDAY, "? Fri 27 Nov 00:00 | Sat 28 Nov 00:00"),
        ("every monday at 9 until tomorrow", TUESDAY, "ends before it first comes"),
        (
            "daily at 02:30",
            "2026-03-28 12:00",  # the next one falls into the hour that is left out
            "Sun 29 Mar 03:30, every day at 02:30 FREQ=DAILY;BYHOUR=2;BYMINUTE=30;BYSECOND=0",
        ),
        ("daily at 02:30", "2026-04-28 12:00", "Wed 29 Apr 02:30, every day FREQ=DAILY"),
        (
            "every day at 8:15 and 9:15",
            TUESDAY,
            "Wed 25 Nov 08:15, every day at 08:15 and 09:15 FREQ=DAILY;BYHOUR=8,9;BYMINUTE=15;BYSECOND=0",
        ),
        ("every day at 8:15 and 9:30", TUESDAY, "share their minutes"),
        ("every weekday except saturday", TUESDAY, "leaves out a day that is not among the others"),
        ("every monday except tuesday", TUESDAY, "leaves out a day that is not among the others"),
        ("every monday except monday", TUESDAY, "or all of them"),
    ],
)
def test_what_is_read_asked_or_refused(text: str, at: str, means: str) -> None:
    found = read(text, at)
    assert found == means if means[0].isupper() or means[0] == "?" else means in found
