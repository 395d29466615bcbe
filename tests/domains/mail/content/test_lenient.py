"""Mail as programs write it, whatever the standards say: nothing that it holds is lost, and names and dates are right.

The letters in the names are those of the list of faults that were found in the field (N1 to N14).
"""

from __future__ import annotations

from base64 import b64encode
from datetime import UTC, datetime

import pytest

from pepper_tui.domains.mail.content.mime import attached_parts, parse_mail
from pepper_tui.domains.mail.intake.raw_mail import mail_key

HEAD = "From: a@x.org\nTo: me@example.com\nDate: Mon, 23 Nov 2026 10:00:00 +0000\nMessage-ID: <1@x>\n"
WORDS = "Please send the figures."


def read(head: str, body: str | bytes = WORDS) -> str:
    found = parse_mail(f"{HEAD}{head}\n\n".encode() + (body if isinstance(body, bytes) else body.encode()))
    assert found.defects == []
    return found.text.strip()


@pytest.mark.parametrize(
    "mark", ["----=_Part_1_2.3", "a/b", "a?b", "a:b", "a(b)", "a@b", "a,b", "a[b]", "a=b", "'a b'", "", "'x'"]
)
def test_n2_parts_are_found_whatever_marks_them(mark: str) -> None:
    line = "--'x'" if mark == "'x'" else "--" + (mark.strip("'") or "zz")
    told = f"boundary={mark}" if mark else "x=y"
    body = f"{line}\nContent-Type: text/plain\n\n{WORDS}\n{line}--\n"
    assert read(f"Content-Type: multipart/alternative; {told}", body) == WORDS
    assert read(f"Content-Type: multipart/mixed\n\t{told}", body) == WORDS  # N14: without a semicolon


@pytest.mark.parametrize(
    "head",
    [
        'Content-Type: text/plain; name="body.txt"',
        "Content-Type: text/plain\nContent-Disposition: inline; filename=body.txt",
        "Content-Type: text/html; name=body.htm",
    ],
)
def test_n3_a_body_with_a_name_is_text_and_listed(head: str) -> None:
    whole = f"{HEAD}{head}\n\n{WORDS}".encode()
    found = parse_mail(whole)
    assert found.reply == WORDS
    assert [name for name, _ in attached_parts(whole)] == [one["name"] for one in found.attachments] != []
    attached = parse_mail(f"{HEAD}Content-Type: text/plain\nContent-Disposition: attachment\n\n{WORDS}".encode())
    assert (attached.text, len(attached.attachments)) == ("", 1)


def test_n4_a_mail_in_a_mail_is_read_and_named() -> None:
    def holding(inner: str, words: str) -> str:
        parts = f"--b\nContent-Type: text/plain\n\n{words}\n--b\nContent-Type: message/rfc822\n\n{inner}\n--b--\n"
        return f"Content-Type: multipart/mixed; boundary=b\n\n{parts}"

    inner = f"From: Bank <bank@example.net>\nSubject: =?utf-8?q?Ihr_Kredit_l=C3=A4uft?= aus\n\n{WORDS}"
    found = parse_mail(f"{HEAD}{holding(inner, 'See below, it is about the loan.')}".encode())
    assert found.attachments == [{"name": "Ihr Kredit läuft aus.eml", "type": "message/rfc822", "size": len(WORDS)}]
    for text in (found.text, found.reply):
        assert text.startswith("See below")
        assert "From: Bank <bank@example.net>" in text
        assert text.endswith(WORDS)
    assert found.sender["address"] == "a@x.org"
    bounce = holding(inner, "It did not arrive, as there is no such user.").replace(
        "multipart/mixed", "multipart/report"
    )
    assert WORDS not in parse_mail(f"{HEAD}{bounce}".encode()).text


@pytest.mark.parametrize("coding", ["base64 ", "BASE64\t", '"base64"', "base64 (x)", "base64;"])
def test_n5_base64_however_it_is_called(coding: str) -> None:
    assert read(f"Content-Transfer-Encoding: {coding}", b64encode(WORDS.encode())) == WORDS
    assert read("Content-Transfer-Encoding: quoted-printable;", WORDS.replace(" ", "=20")) == WORDS


def test_n5_base64_in_pieces_is_whole() -> None:
    pieces = b"\n".join(b64encode(each) for each in (b"First one.", b" And another!", b"!", b" The last."))
    assert b"=" in pieces.partition(b"\n")[0]
    assert read("Content-Transfer-Encoding: base64", pieces) == "First one. And another!! The last."
    assert read("Content-Transfer-Encoding: base64", b64encode(WORDS.encode()).replace(b"U", b"!U*")) == WORDS


def test_n6_ids_without_brackets_count() -> None:
    found = parse_mail(b"From: a@x.org\nMessage-ID: m1@x.org\nIn-Reply-To: m0@x.org\nReferences: r@x.org m0@x.org\n\nx")
    assert (found.message_id, found.in_reply_to, found.thread) == ("<m1@x.org>", "<m0@x.org>", "<r@x.org>")
    assert parse_mail("From: a@x.org\nMessage-ID: <grüße@x>\n\nx".encode()).message_id == "<grüße@x>"


@pytest.mark.parametrize(
    ("date", "right"),
    [
        ("Mon, 14 Feb 2011 11:56:00 +02:00", "09:56"),
        ("Mon, 14 Feb 2011 11:56:00 GMT+0200", "09:56"),
        ("Mon, 14 Feb 2011 11:56:00 CEST", "09:56"),
        ("Mo, 14 Feb 2011 11:56:00 MESZ", "09:56"),
        ("Mon, 14 Feb 2011 11:56:00 CET", "10:56"),
        ("Mon, 14 Feb 2011 11:56:00 JST", "02:56"),
        ("Mon, 14 Feb 2011 11:56:00 (EDT) -0400", "15:56"),
        ("Mon, 14 Feb 2011 11:56:00 EST", "16:56"),
        ("Mon, 14 Feb 2011 6:09 PM", "18:09"),
        ("Mon, 14 Feb 2011 12:09:00 AM +0000", "00:09"),
        ("Mon, 14 Feb 111 11:56:00 +0000", "11:56"),
        ("2011-02-14T11:56:00Z", "11:56"),
        ("Mon, 14 Feb 2011 11:56:60 +0000", "11:56"),
        ("Mon, 14 (the second) Feb 2011 11:56:00 +0100", "10:56"),
    ],
)
def test_n7_dates(date: str, right: str) -> None:
    found = parse_mail(f"From: a@x.org\nDate: {date}\n\nx".encode())
    assert found.date is not None
    assert f"{datetime.fromtimestamp(found.date, UTC):%Y-%m-%d %H:%M}" == f"2011-02-14 {right}"
    assert found.defects == []


@pytest.mark.parametrize(
    ("told", "name"),
    [
        ("filename=Annual Report 2026.pdf", "Annual Report 2026.pdf"),
        ("filename=report[1].pdf", "report[1].pdf"),
        ("filename=report (1).pdf", "report (1).pdf"),
        ("filename=a,b=c.pdf; size=3", "a,b=c.pdf"),
        ("filename==?utf-8?B?w5xiZXIucGRm?=", "Über.pdf"),
        ("filename=\"x.pdf\"; filename*=utf-8''%C3%9Cber.pdf", "Über.pdf"),
        ("filename*0*=iso-8859-1''%DCb; filename*1=\"er.pdf\"", "Über.pdf"),
        ("filename=Über.pdf", "Über.pdf"),
        ('filename="a \\"b\\"; c.pdf"', 'a "b"; c.pdf'),
        ('filename="=?iso-8859-1?Q?=DCber?=\n =?iso-8859-1?Q?=2Epdf?="', "Über.pdf"),
    ],
)
def test_n8_names_of_attachments(told: str, name: str) -> None:
    source = f"{HEAD}Content-Type: application/pdf\nContent-Disposition: attachment; {told}\n\nx".encode("latin-1")
    assert [one["name"] for one in parse_mail(source).attachments] == [name]


@pytest.mark.parametrize(
    ("raw", "right"),
    [
        (b"=?gb2312?B?" + b64encode("朱镕基".encode("gbk")) + b"?=", "朱镕基"),
        (b"=?windows-874?B?" + b64encode("สวัสดี".encode("cp874")) + b"?=", "สวัสดี"),
        (b"=?x-unknown?Q?Gr=C3=BC=C3=9Fe?=", "Grüße"),
        (b"=?unknown-8bit?Q?Gr=FC=DFe?=", "Grüße"),
        (b"=?iso-8859-1?Q?=80500?=", "€500"),
        (b"=?ISO-2022-JP?B?" + b64encode(b"\x1b$B-!$N\x1b(B") + b"?=", "①の"),
        ("Überblick =?utf-8?q?=C3=A4lter?=".encode(), "Überblick älter"),  # N10
        (b"=?utf-8?b?" + b64encode("ü".encode()[:1]) + b"?= =?utf-8?b?" + b64encode("ü".encode()[1:]) + b"?=", "ü"),
        (b"=?utf-8?q?a_b?= c =?utf-8?q?d?=", "a b c d"),
        ("Привет".encode("koi8-r"), "Привет"),  # N9: as its body says
        ("안녕".encode(), "안녕"),
    ],
)
def test_n9_subjects_in_any_charset(raw: bytes, right: str) -> None:
    head = b"From: " + raw + b" <a@x.org>\nContent-Type: text/plain; charset=koi8-r\nSubject: " + raw
    found = parse_mail(head + b"\n\nx")
    assert (found.subject, found.sender) == (right, {"name": right, "address": "a@x.org"})


@pytest.mark.parametrize("kind", ["text/markdown", "text/enriched", "text/x-diff", "text/"])
def test_n11_unusual_text_is_shown_where_there_is_no_other(kind: str) -> None:
    assert read(f"Content-Type: {kind}") == WORDS
    other = f"--b\nContent-Type: text/plain\n\nThe usual words.\n--b\nContent-Type: {kind}\n\n{WORDS}\n--b--\n"
    assert read("Content-Type: multipart/alternative; boundary=b", other) == "The usual words."
    assert read("Content-Type: text/calendar") == ""


@pytest.mark.parametrize("depth", [59, 70, 140, 300])
def test_n12_html_that_nests_deep_keeps_its_words_or_says_so(depth: int) -> None:
    inner = "deep <b>words</b><p>in two lines<i style='display:none'>secret</i>"
    source = f"{HEAD}Content-Type: text/html\n\n{'<div>' * depth}{inner}{'</div>' * depth}after"
    found = parse_mail(source.encode())
    lines = [line.strip() for line in found.text.splitlines() if line.strip()]
    assert lines == ["deep words", "in two lines", "after"] or any("too deep" in one for one in found.defects)
    assert depth > 200 or found.defects == []


@pytest.mark.parametrize(
    ("head", "body", "text"),
    [
        ("Content-Type: text/plain; charset=utf-8", "Grüße aus Köln".encode("latin-1"), "Grüße aus Köln"),
        ("Content-Type: text/plain; charset='iso-8859-2'", "Łódź".encode("iso-8859-2"), "Łódź"),
        ("Content-Type: text/plain; charset=us-ascii (Plain text)", WORDS, WORDS),
        ("Content-Type: text/plain; charset=iso-2022-jp", b"\x1b$B-!$N\x1b(B", "①の"),
        ("Content-Type: text/html", "<meta charset=koi8-r><p>Привет".encode("koi8-r"), "Привет"),
        ("Content-Type: text/plain; format=flowed; delsp=yes", "the quo \nte\n> a \n-- \nI", "the quote\n> a \n-- \nI"),
        ("Content-Type: text/plain; format=flowed", "one \nline\n From here\n", "one line\nFrom here"),
        (
            "Content-Type: multipart/alternative; boundary=b",
            "--b\n\nThis message requires an HTML reader.\n--b\nContent-Type: text/html\n\n<p>Please decide.\n--b--\n",
            "Please decide.",
        ),
        (
            "",
            "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA1\n\nWords.\n- -- \nSam\n-----BEGIN PGP SIGNATURE-----\nx\n",
            "Words.\n-- \nSam",
        ),
    ],
)  # fmt: skip
def test_text_is_what_a_reader_sees(head: str, body: str | bytes, text: str) -> None:
    head = head or "X-Nothing: 1"
    found = parse_mail(f"{HEAD}{head}\n\n".encode() + (body if isinstance(body, bytes) else body.encode()))
    assert found.text.strip() == text


@pytest.mark.parametrize(
    "source",
    [
        "From: a@x.org\nThis has no colon\nSubject: Stray\nMessage-ID: <i@x>\n\nbody",
        "From: a@x.org\nSubject : Stray\nMessage-ID\t: <i@x>\n\nbody",
        "\ufeffFrom: a@x.org\nSubject: Stray\nMessage-ID: <i@x>\n\nbody",
        "\r\n\r\nFrom: a@x.org\r\nSubject: Stray\r\nMessage-ID: <i@x>\r\n\r\nbody",
    ],
)
def test_headers_that_are_written_wrong_are_headers(source: str) -> None:
    found = parse_mail(source.encode())
    assert (found.subject, found.message_id, found.sender["address"], found.text.strip()) == (
        "Stray", "<i@x>", "a@x.org", "body",
    )  # fmt: skip
    no_gap = "Subject: s\n" + "a line\n" * 9 + "From: the bank\n\nbody"
    assert parse_mail(no_gap.encode()).text.count("a line") == 9


@pytest.mark.parametrize(("ident", "same"), [("", True), ("Message-ID: <1@x.org>\n", False)])
def test_what_mbsync_adds_at_each_download_makes_no_second_mail_of_one_without_an_id(ident: str, same: bool) -> None:
    first, again = (parse_mail(f"From: a@x.org\nX-TUID: {tuid}\n{ident}\nWords.\n".encode()) for tuid in ("a1", "b2"))
    assert (mail_key(first) == mail_key(again)) is same
    assert first.digest != again.digest
    assert mail_key(first) != mail_key(parse_mail(f"From: a@x.org\nX-TUID: a1\n{ident}\nOthers.\n".encode()))
