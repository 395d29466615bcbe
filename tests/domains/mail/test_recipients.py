"""Whom a mail goes to is read by the grammar by which a header is."""

from __future__ import annotations

import contextlib

import pytest

from pepper_tui.domains.mail.content import mailboxes
from pepper_tui.domains.mail.message import parse_addresses
from pepper_tui.tools.errors import ToolError
from tests.growth import check_growth


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ('"Doe, John" <john@example.com>', ["john@example.com"]),
        ('"Doe; John" <john@example.com>, ann@x.org', ["john@example.com", "ann@x.org"]),
        ("john@example.com (John Doe, at work)", ["john@example.com"]),
        ("John Doe <john@example.com>; Ann <ann@x.org>", ["john@example.com", "ann@x.org"]),
        ("mailto:john@example.com", ["john@example.com"]),
        ("john@example.com, JOHN@example.com", ["john@example.com"]),
        ("Jürgen <j@bücher.example>", ["j@xn--bcher-kva.example"]),
        ("", []),
    ],
)
def test_what_a_person_writes(written: str, meant: list[str]) -> None:
    assert parse_addresses(written, "to") == meant


@pytest.mark.parametrize(
    "written",
    [
        "boss@example.com <mallory@evil.example>",
        '"boss@example.com" <mallory@evil.example>',
        "bob@x.org> RCPT TO:<evil@bad.org",
        "<a@x.org> <b@y.org>",
        "<a@x.org> b@y.org",
        "<a@x.org",
        "friends: a@x.org, b@y.org;",
        "friends: A <a@x.org>;",
        "@bad.org:bob@x.org",
        "Bob",
        "bob at x.org",
        '"a b"@x.org',
        "bob@x.org\r\nBcc: evil@bad.org",
    ],
)
def test_what_can_be_read_in_two_ways_is_not_sent_to(written: str) -> None:
    with pytest.raises(ToolError):
        parse_addresses(written, "to")


@pytest.mark.parametrize("header", ["Ann <ann@x.org>", '"Doe, John" <john@x.org>', "ann@x.org (Ann)", "用户@例え.jp"])
def test_who_can_be_read_can_be_answered(header: str) -> None:
    [read] = mailboxes.parse_addresses(header)
    assert len(parse_addresses(header, "to")) == len(parse_addresses(read.address, "to")) == 1
    assert parse_addresses(header, "to") == parse_addresses(read.address, "to")


@pytest.mark.parametrize("piece", ["a{}@x.org,", "A <a{}@x.org>;", "(", '"', "<a{}@x.org", ":", "@", "a@x.org "])
def test_many_recipients_cost_linear_time(piece: str) -> None:
    def read(text: str) -> None:
        with contextlib.suppress(ToolError):
            parse_addresses(text, "to")

    check_growth(read, lambda size: "".join(piece.format(number) for number in range(size)), 1_000)
