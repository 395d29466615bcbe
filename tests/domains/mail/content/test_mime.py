from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pepper_tui.domains.mail.content.mime import MAX_TEXT, parse_mail
from tests.domains.mail.mails import mail, varied


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=3000) | st.binary(max_size=500).map(lambda b: b"Content-Type: text/html\n\n" + b))
def test_any_bytes_give_a_bounded_mail(source: bytes) -> None:
    found = parse_mail(source)
    assert len(found.text) <= MAX_TEXT
    str(found.data()).encode()


@pytest.mark.parametrize("number", range(45))
def test_varied_mail_keeps_its_subject(number: int) -> None:
    assert f"#{number} " in parse_mail(varied(number)).subject


def test_quote_and_signature_go_and_lists_stay() -> None:
    found = parse_mail(mail(text="Yes:\n- one\n- two\n\nOn Mon, Bob <b@x> wrote:\n> No?\n-- \nAlice"))
    assert "- two" in found.reply
    assert "No?" not in found.reply
    assert "No?" in found.text


def test_hidden_html_goes() -> None:
    html = b"<style>.h{display:none}</style><p>seen</p><p class=h>a1</p><p style='font-size:0'>a2</p>"
    html += b"<table><td>cell</td></table>"
    text = parse_mail(b"From: a@b.c\nContent-Type: text/html\n\n" + html).text
    assert "seen" in text
    assert "cell" in text
    assert "a1" not in text
    assert "a2" not in text


HOSTILE = {
    "bomb": b"Content-Type: text/html\n\n" + b"<div style='margin-top:99999999em'>" * 1_400_000,
    "wide": b"Content-Type: text/html\n\n<table>" + b"<tr><td colspan=99999>" * 20_000 + b"x" * 10_000,
    "nested": b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(100)),
    "boundaries": b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\n" * 1_000_000,
    "lines": b"\n" * 20_000_000,
    "header": b"To: " + b"(" * 5_000_000 + b"\n\nx",
    "words": b"Subject: " + b"=?utf-8?q?a?= " * 100_000 + b"\n\nx",
    "from": b"Content-Type: text/plain\n\n" + b"From: a\nSent: b\n" * 3_000,
    "on": b"Content-Type: text/plain\n\n" + b"On On On " * 400,
    "sent": b"Content-Type: text/plain\n\n" + b"Sent from " * 390,
    "blank": b"Content-Type: text/plain\n\nx" + b" \n" * 1_900 + b"y",
    "punycode": b"Content-Type: text/plain; charset=punycode\n\n" + b"a-" * 500_000,
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_mail_is_bounded(kind: str) -> None:
    found = parse_mail(HOSTILE[kind])
    assert len(found.text) <= MAX_TEXT
