"""Whose word counts on who wrote a mail: only that of the user's own server, on top."""

from __future__ import annotations

from typing import Any

import pytest

from pepper_tui.domains.mail.content.mime import left_out, parse_mail
from pepper_tui.domains.mail.facts.authentication import LEAST, Servers, verdict

MINE = "mx4.mailhost.example; dmarc=pass header.from=bank.example"
STRANGER = "mx.evil.example; dmarc=pass header.from=bank.example"


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("mx.a.example; spf=pass smtp.mailfrom=bank.example; dkim=pass header.d=bank.example; dmarc=pass", True),
        ("mx.a.example 1; dmarc=pass (p=REJECT sp=REJECT dis=NONE) header.from=bank.example", True),
        ('mx.a.example; dkim=pass header.i="@bank.example" header.s=x', True),
        ("mx.a.example; dkim=pass header.d=mail.bank.example", True),
        ("mx.a.example; spf=pass (sender IP is 1.2.3.4) smtp.mailfrom=x@bounce.bank.example; dkim=none", True),
        ("spf=pass smtp.mailfrom=bank.example; dkim=pass header.d=bank.example;dmarc=pass action=none", True),
        ("mx.a.example; dmarc=fail (p=NONE) header.from=bank.example", False),
        ("mx.a.example; dkim=pass header.d=evil.example; dmarc=fail header.from=bank.example", False),
        ("mx.a.example; dmarc=pass header.from=evil.example", None),
        ("mx.a.example; dkim=pass header.d=evil.example; spf=pass smtp.mailfrom=evil.example", None),
        ("mx.a.example; dkim=pass header.d=notbank.example", None),
        ("mx.a.example; dkim=pass header.d=example", None),
        ("mx.a.example; spf=fail smtp.mailfrom=bank.example", False),
        ("mx.a.example; (dmarc=pass header.from=bank.example) spf=none", None),
        ('mx.a.example; x="; dmarc=pass header.from=bank.example"', None),
        ("mx.a.example; none", None),
        ("mx.a.example; dkim=temperror header.d=bank.example", None),
        ("", None),
        # what the sender chose, as a server may quote it
        ('mx.a.example; spf=pass smtp.mailfrom="x header.from=bank.example "@evil.example', None),
        ('mx.a.example; spf=pass smtp.mailfrom="x smtp.mailfrom=bank.example "@evil.example', None),
        ('mx.a.example; spf=pass smtp.mailfrom="x@bank.example"@evil.example', None),
        ('mx.a.example; spf=pass smtp.mailfrom="x@bank.example"', True),
        (
            'mx.a.example; spf=pass (of "a); dkim=pass header.d=bank.example; ("@evil.example) x=evil',
            None,
        ),
        (r'mx.a.example; spf=pass smtp.from="\"; dkim=pass header.d=bank.example; \""@evil.example', None),
        (r'mx.a.example; spf=pass smtp.from="\"; dmarc=pass; \""@evil.example; dmarc=fail', False),
        (r"mx.a.example; spf=pass (a\) dkim=pass header.d=bank.example) smtp.from=evil.example", None),
        (r"mx.a.example; x=\; dkim=pass header.d=bank.example", None),
        ("mx.a.example; dmarc=pass header.from=bank.example; dmarc=fail header.from=bank.example", False),
        ("mx.a.example; spf=pass smtp.from=bank.example; spf=fail smtp.from=bank.example", False),
        ("mx.a.example; dkim=fail header.d=bank.example; dkim=pass header.d=bank.example", True),
        ("mx.a.example; dkim=pass header.d=evil.example header.from=bank.example", None),
        ("mx.a.example; spf=pass smtp.mailfrom=evil.example header.d=bank.example", None),
    ],
)
def test_a_result_counts_for_the_senders_own_domain(header: str, found: bool | None) -> None:
    assert verdict(header, "service@bank.example") is found


def mail(*checked: str, account: str = "home", received: bool = True) -> dict[str, Any]:
    return {
        "checked": list(checked),
        "account": account,
        "received": received,
        "sender": {"name": "", "address": "service@bank.example"},
    }


def learnt(*, mine: int, without: int = 0, others: int = 0, named: tuple[str, ...] = ()) -> Servers:
    servers = Servers(named)
    for number in range(mine):
        servers.note(mail(f"mx{number}.mailhost.example; none"))
    for _ in range(without):
        servers.note(mail())
    for _ in range(others):
        servers.note(mail(STRANGER))
    return servers


@pytest.mark.parametrize(
    ("servers", "header", "found"),
    [
        (learnt(mine=LEAST), MINE, True),
        (learnt(mine=LEAST - 1), MINE, None),
        (learnt(mine=80, without=20), MINE, True),
        (learnt(mine=79, without=21), MINE, None),
        (learnt(mine=80, others=20), STRANGER, None),
        (learnt(mine=0, without=90, others=10), STRANGER, None),  # a provider that checks nothing
        (learnt(mine=0, named=("mx9.mailhost.example",)), MINE, True),
        (learnt(mine=50, named=("mx.other.example",)), MINE, None),
        (Servers(), MINE, None),
    ],
)
def test_only_the_users_own_server_is_believed(servers: Servers, header: str, found: bool | None) -> None:
    assert servers.authentic(mail(header)) is found


def test_what_stands_below_the_topmost_is_anybodys() -> None:
    servers = learnt(mine=50)
    assert servers.authentic(mail(STRANGER, MINE)) is None
    assert servers.authentic(mail(MINE.replace("pass", "fail"), MINE)) is False
    assert servers.authentic(mail()) is None


def test_one_accounts_server_says_nothing_for_another() -> None:
    servers = learnt(mine=50)
    assert servers.authentic(mail(MINE, account="work")) is None


@pytest.mark.parametrize(
    ("sender", "signed", "found"),
    [
        ("a@example.co.uk", "mail.example.co.uk", True),
        ("a@mail.example.co.uk", "example.co.uk", True),
        ("a@example.co.uk", "co.uk", None),
        ("a@example.co.uk", "other.co.uk", None),
        ("a@alice.github.io", "github.io", None),
    ],
)
def test_a_public_suffix_signs_for_nobody(sender: str, signed: str, found: bool | None) -> None:
    assert verdict(f"mx.a.example; dkim=pass header.d={signed}", sender) is found


@pytest.mark.parametrize(("padding", "found"), [(400, False), (1_900, None)])
def test_a_long_header_is_read_to_its_end_or_not_judged(padding: int, found: bool | None) -> None:
    results = "dkim=pass header.d=bank.example" + "; x=none y" * padding + "; dmarc=fail header.from=bank.example"
    read = parse_mail(f"Received: a\nAuthentication-Results: mx4.mailhost.example; {results}\n\nx".encode())
    servers = learnt(mine=LEAST)
    assert servers.authentic(mail(*read.checked)) is found
    assert ("checks of the sender is too long" in left_out(read.data())) is (found is None)
    assert verdict(f"mx.a.example; {results}", "service@bank.example") is found


def test_the_headers_are_read_from_the_top() -> None:
    source = f"Received: a\nAuthentication-Results: {MINE}\nFrom: a@b.example\nAuthentication-Results: {STRANGER}\n\nx"
    assert parse_mail(source.replace("; dmarc", ";\n dmarc").encode()).checked == [MINE, STRANGER]
