"""The time until which something is due, as other people write it."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from pepper_tui.clock import moment
from pepper_tui.clock.words import Due, deadline_in, read_due, time_asked_for

ZONE = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 28, 17, 45, tzinfo=ZONE).timestamp()  # a Saturday


def told(due: Due | None) -> str:
    if due is None:
        return ""
    return moment(due.at, ZONE, NOW).removesuffix(" 23:59:59") if due.whole_day else moment(due.at, ZONE, NOW)


@pytest.mark.parametrize(
    ("text", "at", "said"),
    [
        ("Could you send me the budget by Friday?", "Fri 4 Dec", "by Friday"),
        ("Please send it by Fri. Thanks", "Fri 4 Dec", "by Fri"),
        ("Please pay until 4 December 2026, else we charge you.", "Fri 4 Dec", "until 4 December 2026"),
        ("It is due on Monday.", "Mon 30 Nov", "due on Monday"),
        ("The deadline is Dec 4th at 5pm", "Fri 4 Dec 17:00", "deadline is Dec 4th at 5pm"),
        ("no later than tomorrow noon", "Sun 29 Nov 12:00", "no later than tomorrow noon"),
        ("I need it by today!", "Sat 28 Nov", "by today"),
        ("by EOD please", "Sat 28 Nov", "by EOD"),
        ("by the end of the month", "Mon 30 Nov", "by the end of the month"),
        ("Answer\nby\nFriday.", "Fri 4 Dec", "by Friday"),
        ("before Christmas", "Thu 24 Dec", "before Christmas"),
        ("within two days", "Mon 30 Nov 17:45", "within two days"),
        ("by Friday, 4 December at noon (CET)", "Fri 4 Dec 12:00", "by Friday, 4 December at noon"),
        ("Bitte bis Freitag um 12 Uhr.", "Fri 4 Dec 12:00", "bis Freitag um 12 Uhr"),
        ("Frist: 4. Dezember. Danke", "Fri 4 Dec", "Frist: 4. Dezember"),
        ("spätestens am Montag", "Mon 30 Nov", "spätestens am Montag"),
        ("bis zum 4.12.", "Fri 4 Dec", "bis zum 4.12"),
        ("We stand by it before we meet; send it by Monday.", "Mon 30 Nov", "by Monday"),
    ],
)
def test_a_deadline_is_read(text: str, at: str, said: str) -> None:
    due = deadline_in(text, NOW, ZONE)
    assert (told(due), due and due.said, due and due.until) == (at, said, True)


@pytest.mark.parametrize(
    "text",
    [
        *("I was there on Friday.", "stand by me", "due to rain", "before we meet", "before the first meeting"),
        *("until now", "until then", "until further notice", "by one of us", "by night train", "by the second half"),
        *("by 5", "by next week", "by December", "by the weekend", "vor 10 Tagen", "vor dem Essen", "bis so", ""),
        *("by Tuesday's meeting", "by yesterday", "by every monday", "by mon"),
    ],
)
def test_what_is_none_or_in_doubt_is_left_out(text: str) -> None:
    assert deadline_in(text, NOW, ZONE) is None


def test_it_is_read_as_of_the_day_it_was_written() -> None:
    assert told(deadline_in("by tomorrow", NOW - 86_400, ZONE)) == "Sat 28 Nov"


def test_a_text_is_looked_at_so_far_and_no_farther() -> None:
    assert deadline_in("x " * 3_000 + "by Friday", NOW, ZONE) is None
    assert deadline_in("by him " * 5 + "by Friday", NOW, ZONE) is None


@pytest.mark.parametrize(
    ("question", "at"),
    [
        ("Can we meet on Friday at 3?", "Fri 4 Dec 15:00"),
        ("Are you free tomorrow?", "Sun 29 Nov"),
        ("Kannst du morgen um 10?", "Sun 29 Nov 10:00"),
        ("Passt es am Dienstag?", "Tue 1 Dec"),
        ("Did you get my mail on Friday?", ""),
        ("Is the report in the folder?", ""),
        ("Are you there?", ""),
    ],
)
def test_a_question_may_ask_for_a_time(question: str, at: str) -> None:
    due = time_asked_for(question, NOW, ZONE)
    assert told(due) == at
    assert due is None or not due.until


@pytest.mark.parametrize(
    ("said", "text", "at"),
    [
        ("by Friday noon", "Send it by  friday\nnoon, please.", "Fri 4 Dec 12:00"),
        ("“by Friday.”", "Send it by Friday.", "Fri 4 Dec"),
        ("Friday", "Send it on Friday.", "Fri 4 Dec"),
        ("before Friday", "Before Friday, please.", "Thu 3 Dec"),
        ("by Monday", "Send it by Friday.", ""),  # it does not stand there
        ("Fri", "Send it by Friday.", ""),  # half a word
        ("2026-12-04", "Send it by Friday.", ""),  # worked out, not copied
        ("soon", "Send it soon.", ""),
        ("every monday", "Send it every monday.", ""),
        ("", "Send it by Friday.", ""),
        ("by Friday " * 50, "by Friday " * 50, ""),
    ],
)
def test_what_a_reader_takes_for_it_counts_where_it_stands_in_the_text(said: str, text: str, at: str) -> None:
    assert told(read_due(said, text, NOW, ZONE)) == at
