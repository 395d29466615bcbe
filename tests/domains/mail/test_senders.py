"""Who a mail is from: by the one grammar, with what is doubtful marked and shown."""

from __future__ import annotations

import pytest

from pepper_tui.config import Config
from pepper_tui.domains.mail.content.mime import parse_mail
from pepper_tui.domains.mail.intake.signals import by_own_hand, mail_facts, mail_signal
from pepper_tui.model import Json, Signal
from tests.feeds.ruled import triage_of

CONFIG = Config.model_validate({"user": {"addresses": ["me@example.com"], "vips": ["boss@example.com"]}})


def signal_of(head: str) -> tuple[Json, Signal]:
    mail = parse_mail(f"{head}\r\nTo: me@example.com\r\nSubject: Pay\r\nMessage-ID: <1@x>\r\n\r\nNow.\r\n".encode())
    raw = {**mail.data(), "id": "1", "thread": "1", "label": "INBOX", "backlog": False}
    triage = triage_of(CONFIG)
    return raw, mail_signal(raw, triage, 0.0, mail_facts(raw, triage.own))


def test_the_boss_is_believed_to_be_the_boss() -> None:
    raw, signal = signal_of("From: The Boss <boss@example.com>")
    assert (signal.metadata["kind"], raw["doubts"]) == ("vip", [])
    assert "doubts" not in signal.metadata


@pytest.mark.parametrize(
    ("head", "doubt"),
    [
        ("From: boss@example.com <mallory@evil.example>", "boss@example.com"),
        ('From: "boss@example.com" <mallory@evil.example>', "boss@example.com"),
        ("From: =?utf-8?q?boss=40example=2Ecom?= <mallory@evil.example>", "boss@example.com"),
        ("From: boss@example.com, mallory@evil.example", "from 2 senders"),
        ("From: boss@example.com\r\nFrom: mallory@evil.example", "more than one From"),
        ("From: mallory@evil.example\r\nFrom: boss@example.com", "more than one From"),
        ("From: <boss@example.com> <mallory@evil.example>", ""),
        ("From: boss@example.com@evil.example", ""),
    ],
)
def test_nobody_poses_as_the_boss(head: str, doubt: str) -> None:
    raw, signal = signal_of(head)
    assert signal.metadata.get("kind") != "vip"
    assert "a VIP" not in signal.reason
    if doubt:
        assert any(doubt in each for each in signal.metadata["doubts"])
        assert doubt in signal.reason
        assert raw["sender"]["address"] in signal.content


@pytest.mark.parametrize("name", ["Reply-To", "Sender"])
def test_a_header_that_stands_twice_is_marked(name: str) -> None:
    _, signal = signal_of(f"From: ann@x.org\r\n{name}: a@x.org\r\n{name}: b@y.org")
    assert any(f"more than one {name}" in each for each in signal.metadata["doubts"])


def test_long_headers_leave_the_text() -> None:
    many = "".join(f"X-Own-{number}: {'x' * 900}\r\n" for number in range(20))
    mail = parse_mail(f"From: a@x.org\r\n{many}Content-Type: text/plain\r\n\r\nThe words.\r\n".encode())
    assert mail.text.strip() == "The words."
    assert mail.attachments == []


@pytest.mark.parametrize("kind", ["plain", "html"])
def test_all_text_parts_are_read(kind: str) -> None:
    def part(of: str, body: str) -> str:
        return f"--b\r\nContent-Type: {of}\r\n\r\n{body}\r\n"

    parts = part(f"text/{kind}", "The first words stand here.") + part("image/png", "x") + part(f"text/{kind}", "Last.")
    parts += part("text/calendar", "BEGIN:VCALENDAR")
    mail = parse_mail(f"From: a@x.org\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n{parts}--b--\r\n".encode())
    assert "The first words" in mail.text
    assert "Last." in mail.text
    assert [one["type"] for one in mail.attachments] == ["image/png", "text/calendar"]


@pytest.mark.parametrize(
    ("lies", "by_hand"),
    [
        ({"label": "Entwürfe"}, False),
        ({"label": "Elsewhere", "use": "drafts"}, False),  # nobody has got it
        ({"label": "Sent"}, True),
        ({"label": "INBOX", "received": ["by mx"]}, False),
    ],
)
def test_a_draft_answers_nothing_on_the_users_behalf(lies: Json, by_hand: bool) -> None:
    assert by_own_hand({"label": "", **lies}) is by_hand
