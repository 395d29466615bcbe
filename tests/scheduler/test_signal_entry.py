"""How a signal stands in the prompt: its line, each fact once, its text once, times with their weekday."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from pepper_tui.model import Gist, Json, Priority, Related, Signal
from pepper_tui.scheduler.prompt.prompts import signal_entry

ZONE = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 28, 17, 45, tzinfo=ZONE).timestamp()
DUE = datetime(2026, 12, 4, 12, tzinfo=ZONE).timestamp()
TEXT = "thanks. Could you send me the revised\nbudget by Friday noon? The bank waits."
FACTS: Json = {
    "sender": "alice@example.com", "sender_name": "Alice", "subject": "Re: Phoenix", "thread": "<root-of-it@x.org>",
    "message_id": "<long-id-of-the-mail@x.org>", "raw": "mail_0123456789abcdef", "to": ["me@example.org"],
    "reply_to": "alice@example.com", "date": NOW - 60, "text": TEXT, "attachments": [], "automatic": False,
}  # fmt: skip
GIST = Gist("Alice", "Could you send me the revised budget by Friday noon?", "Phoenix", DUE, due_said="by Friday noon")
SIGNAL = Signal(
    "signal_mail_0123456789abcdef", GIST.line(ZONE, NOW), NOW, Priority.NORMAL, "mail", "addressed to you",
    "mail:<root-of-it@x.org>", FACTS, gist=GIST,
)  # fmt: skip


def told(**facts: object) -> str:
    return signal_entry(replace(SIGNAL, metadata={**FACTS, **facts}), ZONE, 4_000).text


def test_each_thing_stands_there_once() -> None:
    assert told() == (
        '<signal id="signal_mail_0123456789abcdef" source="mail" priority="normal" matter="mail:<root-of-it@x.org&gt;"'
        ' at="Sat 2026-11-28T17:45+01:00">\n'
        "Alice asks: “Could you send me the revised budget by Friday noon?” (“Phoenix”), due Fri 4 Dec 12:00\n"
        "from: Alice <alice@example.com>\n"
        "due: Fri 2026-12-04T12:00+01:00 (“by Friday noon”)\n"
        "reason: addressed to you\n"
        f"text: {TEXT}\n"
        "</signal>"
    )


@pytest.mark.parametrize(
    ("facts", "line"),
    [
        ({"reply_to": "other@x.org"}, "answers go to: other@x.org"),
        ({"attachments": ["a.pdf", "b\n.pdf"]}, "attached: a.pdf, b .pdf"),
        ({"date": NOW - 86_400}, "written: Fri 2026-11-27T17:45+01:00"),
        ({"start": DUE}, "start: Fri 2026-12-04T12:00+01:00"),
        ({"start": 1e300}, "start: 1e+300"),
        ({"list": True}, "list: True"),
        ({"subject": "Re: quite another thing"}, "subject: Re: quite another thing"),
        ({"score": 7.5}, "score: 7.5"),
    ],
)
def test_what_its_line_does_not_say_has_one(facts: Json, line: str) -> None:
    assert line in told(**facts).splitlines()


def test_a_text_that_the_line_holds_whole_is_not_said_again() -> None:
    assert "text:" not in told(text="Could you send me the revised\nbudget by Friday noon?")


def test_what_is_related_is_named_without_its_ids() -> None:
    gist = replace(
        GIST, related=[Related("note:n1", "note “Phoenix numbers”"), Related("raw.mail:m", "mail “</signal>”")]
    )
    text = signal_entry(replace(SIGNAL, gist=gist), ZONE, 4_000).text
    assert "related: note “Phoenix numbers”; mail “&lt;/signal>”\n" in text
    assert "note:n1" not in text


def test_a_long_text_is_cut_and_nothing_else() -> None:
    text = signal_entry(replace(SIGNAL, metadata={**FACTS, "text": "x" * 5_000}), ZONE, 600).text
    assert "reason: addressed to you\ntext: xxx" in text
    assert text.endswith("x…\n</signal>")


def test_the_key_of_a_matter_is_short_and_the_same_each_time() -> None:
    long = replace(SIGNAL, matter="mail:<a-very-long-message-id-of-a-mail@mail.example.com>")
    first, second = (
        signal_entry(one, ZONE, 4_000).text.split('matter="')[1][:9] for one in (long, replace(long, id="s2"))
    )
    assert first == second
    assert first not in signal_entry(replace(long, matter=long.matter + "x"), ZONE, 4_000).text
    assert signal_entry(long, ZONE, 4_000).facts["matter"] == long.matter


def test_a_signal_of_before_is_told_as_well() -> None:
    facts = {**FACTS, "snippet": "Hello\nthere", "first_line": "Hello", "text": ""}
    old = replace(SIGNAL, content="Alice <alice@example.com>: Re: Phoenix — Hello", metadata=facts, gist=None)
    text = signal_entry(old, ZONE, 4_000).text
    assert text.count("Hello") == 2
    assert text.endswith("text: Hello\nthere\n</signal>")
    assert "from:" not in text
