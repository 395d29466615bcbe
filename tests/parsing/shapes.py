"""Texts that parsers are slow on: of each shape a size, and what makes a text of that size."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

Shape = tuple[int, Callable[[int], Any]]


def mail(head: str = "", body: str = "") -> bytes:
    return f"From: a@example.org\nSubject: x\n{head}\n\n{body}".encode("utf-8", "surrogateescape")


def parts(count: int, head: str, body: str = "x") -> bytes:
    inner = "".join(f"--b\n{head}\n\n{body}\n" for _ in range(count))
    return mail('Content-Type: multipart/mixed; boundary="b"', f"{inner}--b--\n")


MAIL: dict[str, tuple[int, Callable[[int], Any]]] = {
    "headers": (300, lambda n: mail("\n".join(f"X-{i}: y" for i in range(n)))),
    "parameters of the type": (300, lambda n: mail("Content-Type: text/plain" + "; a=b" * n)),
    "numbered parameters": (300, lambda n: mail("Content-Type: text/plain" + "".join(f"; a*{i}=b" for i in range(n)))),
    "parameters of each part": (2, lambda n: parts(n, "Content-Type: text/plain" + "; a=b" * 300)),
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
HTML: dict[str, tuple[int, Callable[[int], Any]]] = {
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
TEXT: dict[str, tuple[int, Callable[[int], Any]]] = {
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
WORDS: dict[str, Shape] = {
    "letters": (20_000, lambda n: "a" * n),
    "words": (2000, lambda n: "ab " * n),
    "spaces": (5000, lambda n: "a" + " " * n + "b"),
    "lines": (2000, lambda n: "a\n" * n),
    "blank lines": (5000, lambda n: "\n" * n),
    "digits": (5000, lambda n: "1" * n),
    "commas": (2000, lambda n: "a, " * n),
    "colons": (2000, lambda n: "a: " * n),
    "quotes": (2000, lambda n: "\"'" * n),
    "brackets": (2000, lambda n: "<(" * n),
    "at": (2000, lambda n: "a@" * n),
    "dots": (2000, lambda n: "a." * n),
    "slashes": (2000, lambda n: "a/" * n),
    "dashes": (2000, lambda n: "a-" * n),
    "addresses": (300, lambda n: "see https://a.example/b?c=d, " * n),
    "hosts": (300, lambda n: "www.example.org/a " * n),
    "files": (300, lambda n: "/home/a/b.txt " * n),
    "people": (300, lambda n: "Ann <ann@example.org>, " * n),
}
SAID: dict[str, Shape] = {
    name: (300, partial(lambda words, n: words * n, words))
    for name, words in {
        "politeness": "please ",
        "reminders": "remind me to ",
        "every": "every monday at 8 and ",
        "tell": "tell me about mail from ann and ",
        "from": "from a from b ",
        "when": "when ann writes, ",
        "or": "a or b and c, ",
        "not": "not only if ",
        "names": "the my a ",
        "times": "at 8 on monday ",
        "to": "to to that ",
        "assigned": "a=b, ",
        "quoted": '"a" ',
        "in words": "tomorrow at noon ",
        "and then": "x and then tell me ",
    }.items()
}
ICS: dict[str, Shape] = {
    "attendees": (100, lambda n: event(*(f"ATTENDEE;CN=x:mailto:{i}@example.org" for i in range(n)))),
    "parameters": (200, lambda n: event("X-A" + ";B=c" * n + ":d")),
    "lists in parameters": (300, lambda n: event("ATTENDEE;MEMBER=" + '"a",' * n + '"b":c')),
    "open quotes": (500, lambda n: event('X-A;B="' * n + ":d")),
    "folds": (500, lambda n: event("DESCRIPTION:a" + "\r\n b" * n)),
    "escapes": (1000, lambda n: event("DESCRIPTION:" + "\\n\\," * n)),
    "categories": (500, lambda n: event("CATEGORIES:" + "a," * n)),
    "alarms": (50, lambda n: event("BEGIN:VALARM\r\nACTION:DISPLAY\r\nTRIGGER:-PT5M\r\nEND:VALARM\r\n" * n)),
    "nested": (20, lambda n: event("BEGIN:X-A\r\n" * n + "END:X-A\r\n" * n)),
    "exceptions": (200, lambda n: event("EXDATE:" + ",".join(["20261201T100000Z"] * n))),
    "many exceptions": (100, lambda n: event(*["EXDATE:20261201T100000Z"] * n)),
    "rules": (20, lambda n: event(*["RRULE:FREQ=DAILY"] * n)),
    "parts of a rule": (200, lambda n: event("RRULE:FREQ=YEARLY;BYYEARDAY=" + ",".join(["1"] * n))),
    "one line": (20_000, lambda n: event("SUMMARY:" + "a" * n)),
    "lines": (500, lambda n: event(*["X-A:b"] * n)),
}
FILES: dict[str, Shape] = {
    "events": (300, lambda n: calendar(event("SUMMARY:a") * n)),
    "open events": (300, lambda n: calendar(b"BEGIN:VEVENT\r\n" * n)),
    "zones": (300, lambda n: calendar(b"BEGIN:VTIMEZONE\r\nTZID:a\r\nEND:VTIMEZONE\r\n" * n)),
    "named zones": (300, lambda n: calendar(event("DTEND" + ";TZID=a" * n + ":1"))),
    "calendars": (300, lambda n: calendar(b"") * n),
    "folds": (3000, lambda n: calendar(event("UID:a" + "\r\n b" * n))),
    "nested": (3000, lambda n: calendar(event("BEGIN:X\r\n" * n))),
    "blank lines": (5000, lambda n: calendar(b"\r\n" * n)),
    "parameters": (1000, lambda n: calendar(event("UID" + ';A="b"' * n + ":a"))),
    "open quotes": (1000, lambda n: calendar(event("UID;A=" + '"' * n))),
}
MARKS: dict[str, Shape] = {
    name: (size, partial(lambda words, n: words * n, words))
    for name, size, words in [
        ("emphasis", 150, "*a **b _c"),
        ("open brackets", 400, "["),
        ("links", 40, "[a](b) "),
        ("images", 40, "![a](b) "),
        ("open links", 200, "[a]("),
        ("code", 150, "`a` "),
        ("backticks", 400, "`"),
        ("quotes", 30, "> a\n"),
        ("lists", 30, "- a\n"),
        ("numbers", 30, "1. a\n"),
        ("headings", 20, "# a\n\n"),
        ("tables", 8, "|a|b|\n|-|-|\n|c|d|\n\n"),
        ("rows", 30, "|a|b|\n"),
        ("fences", 12, "```py\na\n```\n"),
        ("tags", 100, "<a>"),
        ("entities", 100, "&amp;"),
        ("lines", 100, "a\n"),
        ("paragraphs", 30, "a\n\n"),
        ("escapes", 200, "\\*"),
        ("addresses", 40, "https://a.example "),
        ("letters", 500, "abcdefghij"),
        ("definitions", 40, "[a]: b\n"),
        ("rules", 30, "---\n"),
    ]
} | {
    "quotes in quotes": (30, lambda n: ">" * n + " a"),
    "lists in lists": (8, lambda n: "".join("  " * i + "- a\n" for i in range(min(n, 40))) + "- a\n" * n),
    "brackets in brackets": (100, lambda n: "[" * n + "a" + "](b)" * n),
    "emphasis in emphasis": (100, lambda n: "*a" * n + "*" * n),
}


def event(*lines: str) -> bytes:
    text = "\r\n".join(["BEGIN:VEVENT", "UID:a", "SUMMARY:a", "DTSTART:20261129T100000Z", *lines, "END:VEVENT", ""])
    return text.encode()


def calendar(inside: bytes) -> bytes:
    return b"BEGIN:VCALENDAR\r\n" + inside + b"END:VCALENDAR\r\n"
