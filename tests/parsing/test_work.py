"""What parses text from outside takes time in proportion: at 16 times the size at most 40 times as much."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from pepper_tui.charsets import decoded
from pepper_tui.domains.mail.mime import parse_mail
from pepper_tui.domains.mail.reply_text import latest_reply
from pepper_tui.html_text import html_text
from pepper_tui.text import clean, escape, one_line

TIMES = 16
MOST = 40.0
LEAST = 0.004  # seconds below which a figure is noise

Parse = Callable[[Any], Any]
Hostile = Callable[[int], Any]


def mail(head: str = "", body: str = "") -> bytes:
    return f"From: a@example.org\nSubject: x\n{head}\n\n{body}".encode("utf-8", "surrogateescape")


def parts(count: int, head: str, body: str = "x") -> bytes:
    inner = "".join(f"--b\n{head}\n\n{body}\n" for _ in range(count))
    return mail('Content-Type: multipart/mixed; boundary="b"', f"{inner}--b--\n")


MAIL: dict[str, tuple[int, Hostile]] = {
    "headers": (300, lambda n: mail("\n".join(f"X-{i}: y" for i in range(n)))),
    "parameters of the type": (300, lambda n: mail("Content-Type: text/plain" + "; a=b" * n)),
    "numbered parameters": (300, lambda n: mail("Content-Type: text/plain" + "".join(f"; a*{i}=b" for i in range(n)))),
    "parameters of each part": (4, lambda n: parts(n, "Content-Type: text/plain" + "; a=b" * 3000)),
    "a disposition": (300, lambda n: mail("Content-Disposition: attachment" + "; filename*0*=''a" * n)),
    "comments": (300, lambda n: mail("Content-Type: " + "(" * n + "text/plain")),
    "quotes": (300, lambda n: mail('Content-Type: text/plain; a="' + "\\\\" * n)),
    "addresses": (60, lambda n: mail("To: " + ", ".join(f"a{i}@example.org" for i in range(n)))),
    "open addresses": (300, lambda n: mail("To: " + "<" * n)),
    "comments of addresses": (300, lambda n: mail("To: " + "(" * n)),
    "routes": (300, lambda n: mail("To: <" + "@a," * n)),
    "groups": (300, lambda n: mail("To: " + "a:" * n)),
    "encoded words": (60, lambda n: mail("Subject: " + " ".join(["=?utf-8?q?a?="] * n))),
    "broken words": (300, lambda n: mail("Subject: " + "=?utf-8?q?" * n)),
    "question marks": (300, lambda n: mail("Subject: =?" + "?" * n)),
    "folds": (300, lambda n: mail("Subject: a" + "\n b" * n)),
    "references": (300, lambda n: mail("References: " + "<" * n + " ".join(f"<{i}@x>" for i in range(n)))),
    "boundaries": (100, lambda n: parts(n, "Content-Type: text/plain")),
    "false boundaries": (300, lambda n: mail('Content-Type: multipart/mixed; boundary="b"', "--b-\n" * n)),
    "nested parts": (
        2,
        lambda n: mail(
            "Content-Type: multipart/mixed; boundary=b0",
            "".join(f"--b{i}\nContent-Type: multipart/mixed; boundary=b{i + 1}\n\n" for i in range(n)),
        ),
    ),
    "attached mails": (2, lambda n: mail("", "Content-Type: message/rfc822\n\n" * n)),
    "base64": (2000, lambda n: mail("Content-Transfer-Encoding: base64", "A?==" * n)),
    "quoted printable": (2000, lambda n: mail("Content-Transfer-Encoding: quoted-printable", "=3D=\n" * n)),
    "uuencoded": (2000, lambda n: mail("Content-Transfer-Encoding: x-uuencode", "begin 644 a\n" * n)),
    "lines": (3000, lambda n: mail("", "\n" * n)),
    "one line": (20000, lambda n: mail("", "a" * n)),
    "quotes of quotes": (500, lambda n: mail("", "\n".join(">" * i for i in range(min(n, 900))) + "> a\n" * n)),
    "wrote": (300, lambda n: mail("", "On Monday, A <a@b.c> wrote:\n" * n)),
    "on": (300, lambda n: mail("", "On " * n)),
    "signatures": (300, lambda n: mail("", "-- \na\n" * n)),
    "sent from": (300, lambda n: mail("", "Sent from my " * n)),
    "underscores": (500, lambda n: mail("", "_" * n + "\n" + "_" * n)),
    "from blocks": (200, lambda n: mail("", "From: a\nTo: b\n" * n)),
    "utf-7": (2000, lambda n: mail("Content-Type: text/plain; charset=utf-7", "+AAA-" * n)),
    "names of charsets": (300, lambda n: mail("Content-Type: text/plain; charset=" + "a" * n)),
    "dates": (300, lambda n: mail("Date: " + "1 " * n)),
}
HTML: dict[str, tuple[int, Hostile]] = {
    "open comments of a style": (1000, lambda n: "<style>" + "/*a" * n),
    "comments of a style": (1000, lambda n: "<style>" + "/**/" * n + "</style>"),
    "stars": (1000, lambda n: "<style>/*" + "*" * n),
    "rules": (300, lambda n: "<style>" + "a{b}" * n + "</style>"),
    "braces": (1000, lambda n: "<style>" + "{" * n),
    "at": (1000, lambda n: "<style>" + "@" * n),
    "selectors": (1000, lambda n: "<style>" + "a," * n + "{display:none}"),
    "styles": (20, lambda n: "<style>a{b}</style>" * n),
    "elements": (500, lambda n: "<div>" * n),
    "tables": (200, lambda n: "<table><tr><td>" * n),
    "attributes": (500, lambda n: "<a" + " b=c" * n + ">x"),
    "classes": (500, lambda n: f'<style>.a{{display:none}}</style><p class="{"b " * n}">x'),
    "inline styles": (500, lambda n: f'<p style="{"color:a;" * n}">x'),
    "entities": (1000, lambda n: "&amp;" * n),
    "open entities": (1000, lambda n: "&" * n),
    "open tags": (1000, lambda n: "<" * n),
    "lists": (200, lambda n: "<ul><li>" * n),
    "line breaks": (1000, lambda n: "<br>" * n),
    "blank lines": (1000, lambda n: "<pre>" + "\n " * n + "x"),
    "comments": (1000, lambda n: "<!--" * n),
    "hidden": (200, lambda n: '<p style="display:none">x</p>' * n),
    "unclosed": (500, lambda n: "<p><b><i>" * n),
}
TEXT: dict[str, tuple[int, Hostile]] = {
    "escapes": (3000, lambda n: "\x1b[31m" * n),
    "open escapes": (3000, lambda n: "\x1b]0;" * n),
    "control": (5000, lambda n: "\x00" * n),
    "spaces": (5000, lambda n: " \t" * n),
    "marks": (5000, lambda n: "e\u0301" + "\u0301" * n),
    "joiners": (5000, lambda n: "\u200d" * n),
    "tags": (3000, lambda n: "<tool_call>" * n),
    "surrogates": (5000, lambda n: "\udcff" * n),
    "both ways": (5000, lambda n: "\u202e" * n),
    "letters": (20000, lambda n: "a" * n),
}
CASES: list[tuple[str, Parse, tuple[int, Hostile]]] = [
    *((f"mail: {name}", parse_mail, case) for name, case in MAIL.items()),
    *((f"html: {name}", lambda text: html_text(text, []), case) for name, case in HTML.items()),
    *((f"clean: {name}", clean, case) for name, case in TEXT.items()),
    *((f"escape: {name}", escape, case) for name, case in TEXT.items()),
    *((f"one line: {name}", one_line, case) for name, case in TEXT.items()),
    *((f"reply: {name}", latest_reply, case) for name, case in TEXT.items()),
    ("charset: punycode", lambda source: decoded(source, "punycode", []), (2000, lambda n: b"a-" * n)),
    ("charset: idna", lambda source: decoded(source, "idna", []), (2000, lambda n: b"xn--a." * n)),
    ("charset: hz", lambda source: decoded(source, "hz", []), (2000, lambda n: b"~{" * n)),
    ("charset: iso-2022-jp", lambda source: decoded(source, "iso-2022-jp", []), (2000, lambda n: b"\x1b$B" * n)),
]


def spent(parse: Parse, given: Any) -> float:
    """Processor seconds, the least of three."""
    found = []
    for _ in range(3):
        began = time.process_time()
        parse(given)
        found.append(time.process_time() - began)
        if found[-1] > 1.0:
            break
    return min(found)


@pytest.mark.parametrize(("parse", "case"), [pytest.param(parse, case, id=name) for name, parse, case in CASES])
def test_work_grows_with_the_size(parse: Parse, case: tuple[int, Hostile]) -> None:
    size, hostile = case
    parse(hostile(size))
    once = spent(parse, hostile(size))
    many = spent(parse, hostile(size * TIMES))
    assert many <= MOST * max(once, LEAST), f"{once * 1000:.1f} ms, at {TIMES} times the size {many * 1000:.1f} ms"
