"""Results of tools, told to a person."""

from __future__ import annotations

import pytest

from pepper_tui.llm.offline.answers import in_words


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        (
            "remind",
            "Reminder reminder_call_1 set for Sat 21 Nov 16:05.",
            "I will remind you on Sat 21 Nov 16:05: stretch",
        ),
        (
            "remind",
            "Reminder reminder_call_1 set for Sat 28 Aug 2027 16:05, every day.",
            "I will remind you on Sat 28 Aug 2027 16:05, every day: stretch",
        ),
        ("remind", "something new", "something new"),
        (
            "search_context",
            "signals.mail:signal_m1 | 2026-11-21T16:04:38+00:00 | Alice: lunch | or dinner\n"
            "raw.mail:m1 | 2026-11-21T16:04:38+00:00 | lunch\n"
            "raw.mail:m2 | 2026-11-20T09:00:00+00:00 | another\n"
            "user.message:u1 | 2026-11-21T16:04:42+00:00 | search lunch\n"
            "odd line",
            "Found:\n- Sat 21 Nov 16:04: Alice: lunch | or dinner\n- Fri 20 Nov 09:00: another\n"
            "- Sat 21 Nov 16:04, you said: search lunch\n- odd line",
        ),
        ("search_context", "Nothing matches.", "Found:\nNothing matches."),
        (
            "search_mail",
            "<a@x> | 2026-11-21T16:00:00+01:00 | from Ann <ann@x> | lunch | At noon?",
            "Mail found:\n- Sat 21 Nov 16:00, from Ann <ann@x>: lunch – At noon?",
        ),
        (
            "list_reminders",
            "reminder_1 | Sat 21 Nov 16:05, every day | tea",
            "Your reminders:\n- Sat 21 Nov 16:05, every day: tea",
        ),
        ("take_note", "Noted.", "Noted."),
    ],
)
def test_a_result_in_words(name: str, content: str, said: str) -> None:
    assert in_words(name, "succeeded", content, {"text": "stretch"}) == said


def test_what_did_not_work_is_said() -> None:
    assert (
        in_words("send_mail", "failed", "no way to send", {"to": "bob"}) == "Not done: send_mail (bob)\nno way to send"
    )
    what = "Send mail to bob@x.org: Lunch"
    assert in_words("send_mail", "unknown", "", {}, what) == f"It is not known whether this happened: {what}"
    assert in_words("send_mail", "cancelled", "The user rejected this.", {}, what) == (
        f"Cancelled: {what}\nThe user rejected this."
    )
    back = in_words("send_mail", "failed", "Not done: …", {}, what, "the mail server x does not answer")
    assert back == (
        f"Not done: {what}. Why: the mail server x does not answer. It is back in your inbox as it was; a yes there"
        " tries again."
    )
    task = "Brief\nTopic: Phoenix"
    assert "send_mail" not in in_words("delegate", "failed", "no worker", {"task": task})


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("2026-11-21T16:00:00+01:00", "Sat 21 Nov 16:00"),
        ("2025-11-21T16:00:00+01:00", "Fri 21 Nov 2025 16:00"),
        ("2027-01-01T00:30:00+01:00", "Fri 1 Jan 2027 00:30"),
    ],
)
def test_a_time_of_another_year_says_which(written: str, said: str) -> None:
    in_november = 1_795_000_000.0
    told = in_words("search_mail", "succeeded", f"<a@x> | {written} | from Ann | lunch", {}, now=in_november)
    assert told == f"Mail found:\n- {said}, from Ann: lunch"
