"""Mailboxes by RFC 5322: the angle brackets hold the address, and the time is linear."""

from __future__ import annotations

from email.headerregistry import Address as Written

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pepper_tui.domains.mail.content.mailboxes import Address, parse_address, parse_addresses
from tests.growth import check_growth


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("ann@x.org", [("", "ann@x.org")]),
        ("Ann <ann@x.org>", [("Ann", "ann@x.org")]),
        ("boss@example.com <mallory@evil.example>", [("boss@example.com", "mallory@evil.example")]),
        ('"boss@example.com" <mallory@evil.example>', [("boss@example.com", "mallory@evil.example")]),
        ("<boss@example.com> <mallory@evil.example>", [("", "")]),
        ("Ann <ann@x.org> bob@y.org", [("Ann bob@y.org", "")]),
        ("<ann@x.org", [("<ann@x.org".strip("<"), "")]),
        ('"Doe, <x@y.z> John" <john@x.org>', [("Doe, <x@y.z> John", "john@x.org")]),
        ("ann@x.org (a comment, with <b@c.d>)", [("", "ann@x.org")]),
        ("a@x.org, b@y.org", [("", "a@x.org"), ("", "b@y.org")]),
        ("friends: a@x.org, B <b@y.org>;", [("", "a@x.org"), ("B", "b@y.org")]),
        ('"a b"@x.org', [("", '"a b"@x.org')]),
        ("ann@[192.0.2.1]", [("", "ann@[192.0.2.1]")]),
        ("用户@例え.jp", [("", "用户@例え.jp")]),
        ("ann@x.org@evil.example", [("ann@x.org@evil.example", "")]),
        ("ann at x.org", [("ann at x.org", "")]),
        ("<@a,@b:ann@x.org>", [("", "")]),
        ("", []),
        (" , ;", []),
    ],
)
def test_a_header(header: str, found: list[tuple[str, str]]) -> None:
    assert [(one.name, one.address) for one in parse_addresses(header)] == [each for each in found if any(each)]


@pytest.mark.parametrize(
    ("address", "named"),
    [
        (Address("boss@example.com", "m@evil.example"), "boss@example.com"),
        (Address("Ann (ann@x.org)", "ann@x.org"), ""),
        (Address("ANN@X.ORG", "ann@x.org"), ""),
        (Address("Ann", "ann@x.org"), ""),
    ],
)
def test_an_address_in_a_name(address: Address, named: str) -> None:
    assert address.named == named


@pytest.mark.parametrize("text", ["a@x.org, b@y.org", "Ann", "", "<a@x.org> <b@y.org>"])
def test_what_is_not_one_mailbox(text: str) -> None:
    assert parse_address(text) is None


@given(st.text(st.characters(codec="ascii", categories=["L", "N", "P", "Zs"]), max_size=30))
def test_what_the_library_writes_is_read_back(name: str) -> None:
    found = parse_address(str(Written(name, "ann", "x.org")))
    assert found is not None
    assert (found.name, found.address) == (" ".join(name.split()), "ann@x.org")


@pytest.mark.parametrize("unit", ["(", "<", '"', "a,", "a@b,", "\\", "((a)", "a:", '"\\"', "<a@b>", "a.", "[", "@"])
def test_the_time_is_linear(unit: str) -> None:
    def read(text: str) -> None:
        for one in parse_addresses(text):
            assert one.named is not None

    check_growth(read, lambda size: unit * size, 2_000)
