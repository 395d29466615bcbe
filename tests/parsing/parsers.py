"""The list of all that parses what comes from outside: which modules, on which shapes it would be slow, and what it
says where there is more than it takes.

A row's ``reads`` names the modules and the libraries with which they read; ``OWN`` names those that only read what is
Pepper's, or the user's, own, and why. A shape is a size and what makes a text of that size.
"""

from __future__ import annotations

import base64
import contextlib
import io
import json
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email import message_from_string
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from imapclient.exceptions import ProtocolError
from imapclient.imap_utf7 import decode as decode_utf7
from imapclient.response_parser import parse_fetch_response, parse_response
from mcp_types import CallToolResult
from openai._streaming import SSEDecoder
from rich.console import Console
from rich.markdown import Markdown

from pepper_tui.boundary import bounded_http
from pepper_tui.clock.recurrence import check_rule
from pepper_tui.clock.words import days_said, deadline_in, read_due, read_past, spans_said, time_asked_for
from pepper_tui.clock.words import text as times_text
from pepper_tui.clock.words.within import leading_time, trailing_time
from pepper_tui.connectors import calendar_copies
from pepper_tui.connectors.bearer import why_refused
from pepper_tui.connectors.caldav import dav, scheduling
from pepper_tui.connectors.gmail.intake.taking import source_of
from pepper_tui.connectors.google_account import trouble, wire
from pepper_tui.connectors.google_account.sign_in.landing import code_in
from pepper_tui.connectors.google_calendar import differences, rendering, series
from pepper_tui.connectors.http_server import Answer
from pepper_tui.connectors.imap.connection import changing
from pepper_tui.connectors.maildir.changing import elsewhere
from pepper_tui.connectors.maildir.copies import label_of
from pepper_tui.connectors.mbox import mbox_file
from pepper_tui.connectors.mbox.marks import marks_in
from pepper_tui.connectors.mcp.offer.definition import Definition, difference
from pepper_tui.connectors.mcp.session import reaper
from pepper_tui.connectors.mcp.session.result import as_text
from pepper_tui.connectors.program.lines import Lines
from pepper_tui.domains.calendar import reading, shelf
from pepper_tui.domains.calendar.alarms.alarm import with_few
from pepper_tui.domains.calendar.meeting.link import is_place, link_of
from pepper_tui.domains.calendar.mending import mended
from pepper_tui.domains.calendar.pieces import pieces
from pepper_tui.domains.calendar.todos import reading as todos
from pepper_tui.domains.calendar.writing import rewriting
from pepper_tui.domains.documents import as_text as file_text
from pepper_tui.domains.documents.reading import document
from pepper_tui.domains.files import folders
from pepper_tui.domains.mail import message as mail_message
from pepper_tui.domains.mail.at_source.folder_uses import use_by_name
from pepper_tui.domains.mail.content.machines import is_absence, nobody_reads
from pepper_tui.domains.mail.content.mailboxes import parse_addresses
from pepper_tui.domains.mail.content.mime import parse_mail
from pepper_tui.domains.mail.content.reply_text import asks_something, latest_reply, question_in, telling_lines
from pepper_tui.domains.mail.facts.authentication import verdict
from pepper_tui.domains.mail.facts.delivery_report import is_qmails, read_plain_report, read_qmails, read_report
from pepper_tui.domains.mail.facts.finder import FACTS
from pepper_tui.domains.mail.facts.looked import Looked
from pepper_tui.domains.mail.search import query_text
from pepper_tui.domains.mail.search.matching import has_words
from pepper_tui.domains.mail.search.query import QueryError
from pepper_tui.domains.mail.tools.unsubscribing import mail_asked_for
from pepper_tui.domains.mail.writing.recipients import answer_to
from pepper_tui.domains.web import fetch
from pepper_tui.feeds.raw_record import content_of, raw_of
from pepper_tui.llm import structured
from pepper_tui.llm.endpoint import local_servers, told_window
from pepper_tui.llm.endpoint.arguments import object_of, why_not
from pepper_tui.llm.endpoint.dialect import Dialect
from pepper_tui.llm.endpoint.forms import asked_for
from pepper_tui.llm.endpoint.reasoning import ThoughtFilter, without_orphan
from pepper_tui.llm.endpoint.streamed import Streamed
from pepper_tui.llm.endpoint.text_calls import CallFilter, text_calls
from pepper_tui.llm.endpoint.tool_names import matched, unknown_words
from pepper_tui.llm.faults import _NO_TOOLS, _RETRY_DELAY, _TOO_LONG, said_in
from pepper_tui.llm.offline import answers, briefs, grammar
from pepper_tui.llm.offline import offline_model as offline
from pepper_tui.model import Effect, Facts, ModelError, ModelRequest, Rule, ToolSpec
from pepper_tui.model.origins import Origin, Span, Written
from pepper_tui.rules.condition import holds
from pepper_tui.scheduler.topics import TOPICS
from pepper_tui.setup.accounts import autoconfig
from pepper_tui.setup.accounts.offers import OfferError, server
from pepper_tui.store.search import full_text as search
from pepper_tui.text import addresses, as_json, as_name, clean, escape, one_line, sendable, visible, web_address
from pepper_tui.text.charsets import decoded
from pepper_tui.text.errors import PepperError
from pepper_tui.text.html import MAX_HTML, html_text
from pepper_tui.tools.approvals import provenance
from pepper_tui.tools.approvals.sameness import normalised
from pepper_tui.tools.errors import ToolError
from pepper_tui.ui.screen.chat.message_lines import LONGEST
from pepper_tui.ui.screen.ink import Ink, Pen
from pepper_tui.ui.screen.mail.mail_lines import Looks, body_lines
from tests.domains.documents import made
from tests.parsing.shapes import FILES, HTML, ICS, MAIL, MARKS, SAID, TEXT, WORDS, Shape, event, mail

Parse = Callable[[Any], Any]


@dataclass(frozen=True)
class Parser:
    """``parse`` is one function, or several that are all given the same. ``over`` gives the words that are said of too
    much, in which ``says`` stands; where there is none, ``says`` is why there need be none."""

    name: str
    reads: dict[str, str]
    parse: Parse | tuple[Parse, ...]
    shapes: dict[str, Shape]
    says: str
    over: Callable[[Path], str] | None = None

    @property
    def functions(self) -> tuple[Parse, ...]:
        return self.parse if isinstance(self.parse, tuple) else (self.parse,)


def facts_of(text: str) -> list[Any]:
    """What each fact finds in a mail that says ``text`` everywhere."""
    listed = {"list-post": "<mailto:a@b.example>", "x-gitea-reason": text, "x-github-reason": text}
    sender = {"name": text[:100], "address": "a@b.example"}
    raw = {
        "reply": text,
        "text": text,
        "subject": text,
        "sender": sender,
        "to": [sender],
        "cc": [],
        "date": 1.79e9,
        "list_headers": {},
        "auto_submitted": "",
        "in_reply_to": "",
        "report": {},
    }
    found = []
    for headers, facts in (({}, Facts("mail", to=["me@b.example"])), (listed, Facts("mail", is_list=True))):
        looked = Looked(
            {**raw, "list_headers": headers},
            facts,
            1.79e9,
            UTC,
            frozenset({"me@b.example"}),
            me="Alex Rivera",
            known=True,
            authentic=True,
        )
        found += [find(looked) for find in FACTS.values()]
        found += [find(replace(looked, known=False)) for find in FACTS.values()]
    return found


def chunk(delta: dict[str, Any], finish: str | None = None) -> Any:
    """A chunk as the SDK makes it."""
    calls = [
        SimpleNamespace(index=each.get("index"), id=each.get("id"), function=SimpleNamespace(**each["function"]))
        for each in delta.get("tool_calls", [])
    ]
    made = SimpleNamespace(**{**delta, "tool_calls": calls})
    return SimpleNamespace(choices=[SimpleNamespace(delta=made, finish_reason=finish)], usage=None)


def called(number: int, name: str, arguments: str) -> Any:
    return chunk({"tool_calls": [{"index": 0, "id": "", "function": {"name": name, "arguments": arguments}}]})


STREAMS: dict[str, Shape] = {
    "words": (300, lambda n: [chunk({"content": "word "})] * n),
    "thoughts": (300, lambda n: [chunk({"reasoning": "hm"})] * n),
    "open thoughts": (300, lambda n: [chunk({"content": "<think>"})] * n),
    "blanks first": (300, lambda n: [chunk({"content": " "})] * n),
    "arguments": (300, lambda n: [called(0, "", '"a ')] * n),
    "arguments that end": (300, lambda n: [called(0, "f", '{"a": "'), *[called(0, "f", "}}}}")] * n]),
    "arguments that are blank": (300, lambda n: [called(0, "f", "    ")] * n),
    "calls": (60, lambda n: [called(0, "f", "{}")] * min(n, 900)),
    "names": (300, lambda n: [called(0, f"f{i}", "") for i in range(n)]),
}


def stream(chunks: Iterable[Any]) -> None:
    """Take a stream, to its end or to the bound that it meets."""
    taken, numbers = Streamed(2000, calls_in_text=True), count()
    request = ModelRequest(
        "scheduler", [{"role": "user", "content": "x"}], tools=(ToolSpec("f", "F", {}, Effect.READ),)
    )
    try:
        for each in [*chunks, chunk({}, "stop")]:
            taken.take(each)
        taken.complete(request, "m", lambda kind: f"{kind}_{next(numbers)}")
    except ModelError:
        return


OFFERED = ("notify", "send_mail", "search_mail")


def filtered(text: str) -> None:
    calls = CallFilter()
    for at in range(0, len(text), 7):
        calls.take(text[at : at + 7])


def thought(text: str) -> None:
    filtered = ThoughtFilter()
    for at in range(0, len(text), 7):
        filtered.take(text[at : at + 7])
    without_orphan(filtered.rest() + text)


def events_of_a_stream(source: bytes) -> None:
    """Bytes to events, as the SDK reads them behind the bound."""
    count = bounded_http.EventBound(1_000_000, 20_000)
    pieces_of_it = [source[at : at + 65_536] for at in range(0, len(source), 65_536)]
    for each in pieces_of_it:
        count.take(each)
    for one in SSEDecoder().iter_bytes(iter(pieces_of_it)):
        one.data.startswith("[DONE]")


def definition(schema: Any) -> None:
    tool = Definition("server", "tool", "words", schema if isinstance(schema, dict) else {"description": schema})
    if not tool.problem:
        assert tool.parameters
        tool.wrong(tool.fitted({f"a{number}": [None, "5", {"a": "5"}] for number in range(20)}))
    assert tool.described
    difference(Definition("server", "tool", "", {}), tool)


def mails_of(source: bytes) -> None:
    for _ in mbox_file.mails_from(io.BytesIO(source), 0, 1_000_000):
        pass


def exec_line(source: bytes) -> None:
    lines = Lines()
    found = [line for at in range(0, len(source), 65_536) for line in lines.cut(source[at : at + 65_536])]
    for line in [*found, *lines.last()]:
        try:
            said = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(said, dict):
            raw_of("own", said)


def page(source: bytes, kind: str = "text/html") -> str:
    return fetch._in_words(
        "https://a.example", "https://a.example", fetch._Answer(200, {"content-type": kind}, source, False)
    )


def ruled(text: str) -> None:
    facts = Facts("mail", sender="a@example.org", subject=text[:500], text=text)
    for words in (["a b c"], ["invoice due now"], ["a"], ["a a a"]):
        holds(Rule("r", name="r", words=words), facts)


def written(numbers: list[tuple[int, int]]) -> None:
    text = Written("a b " * len(numbers) * 2, tuple(Span(a, b, Origin.PASTED) for a, b in numbers))
    text.typed()
    text.stripped()


_ZULU = "BEGIN:VEVENT\r\nUID:a\r\nDTSTART:20260101T000000Z\r\n"


def told(raises: type[Exception], parse: Parse, given: Any) -> str:
    with pytest.raises(raises) as caught:
        parse(given)
    return str(caught.value)


def defects(parse: Callable[[Any, list[str]], object], given: Any) -> str:
    found: list[str] = []
    parse(given, found)
    return "; ".join(found)


def in_file(tmp_path: Path, source: bytes) -> Path:
    path = tmp_path / "a.ics"
    path.write_bytes(source)
    return path


def dropped(source: bytes) -> str:
    lines = Lines(1000)
    lines.cut(source)
    return f"{lines.dropped} dropped"


DOCUMENTS: dict[str, Shape] = {
    "pages": (3, lambda n: made.pdf(*["word"] * n)),
    "what draws a page": (200, lambda n: made.pdf(content=["BT (a) Tj ET " * n])),
    "open brackets": (300, lambda n: made.pdf(content=["[" * n])),
    "no PDF": (5000, lambda n: b"%PDF-1.7" + b"<" * n),
    "objects": (300, lambda n: b"%PDF-1.7\n" + b"1 0 obj\n<<>>\nendobj\n" * n),
    "paragraphs": (50, lambda n: made.docx(made.paragraph("a") * n)),
    "cells": (50, lambda n: made.docx("<w:tc>" * min(n, 900) + "</w:tc>" * min(n, 900))),
    "what is skipped": (300, lambda n: made.docx("<w:del/>" * n)),
    "slides": (3, lambda n: made.pptx(*["a"] * n)),
    "spaces": (50, lambda n: made.odt("<text:s text:c='99'/>" * n)),
    "parts": (30, lambda n: made.packed(**{f"a{number}": "" for number in range(n)})),
    "rows": (30, lambda n: made.xlsx(*[["a", 1]] * n)),
    "cells of a row": (30, lambda n: made.xlsx(["a"] * min(n, 900))),
}
CONSOLE = Console(width=100, file=io.StringIO())

IMAP: dict[str, Shape] = {
    "folders": (300, lambda n: [b'(\\Sent) "/" "folder %d"' % number for number in range(n)]),
    "numbers": (3000, lambda n: [b"1 " * n]),
    "open brackets": (200, lambda n: [b"1 (" + b"(" * n]),
    "brackets": (200, lambda n: [b"1 (A " + b"() " * n + b")"]),
    "an open word": (3000, lambda n: [b'1 (A "' + b"a" * n]),
    "escapes": (3000, lambda n: [b'1 (A "' + rb"\\" * n + b'")']),
    "an atom": (3000, lambda n: [b"1 (" + b"a" * n + b")"]),
    "letters in seven bits": (3000, lambda n: [b'() "/" "' + b"&APw-" * n + b'"']),
}


def imap(lines: list[bytes]) -> None:
    """What the library makes of an answer: a list of folders, and what was fetched."""
    for read in (parse_response, parse_fetch_response):
        with contextlib.suppress(ProtocolError, RecursionError, ValueError):
            for each in read(list(lines)):
                decode_utf7(each)


def query(text: str) -> object:
    try:
        return query_text.parse(text)
    except QueryError as error:
        return error


SERVER = '<incomingServer type="imap"><hostname>h.org</hostname><port>0</port></incomingServer>'
"""One that is passed over, as there is no port 0."""


def autoconfigured(source: str) -> None:
    autoconfig.read("a@b.example", f"<clientConfig>{source}</clientConfig>".encode(), "https://b.example/c.xml")


DAV_PART = "<response><href>/a/</href><propstat><prop></prop><status>HTTP/1.1 200 OK</status></propstat></response>"


BUSY = (
    "<response><recipient><D:href>mailto:ben@example.org</D:href></recipient><request-status>2.0;OK</request-status>"
    "<calendar-data>BEGIN:VCALENDAR\nBEGIN:VFREEBUSY\nFREEBUSY{}\nEND:VFREEBUSY\nEND:VCALENDAR\n</calendar-data>"
    "</response>"
)


def others_time(source: str) -> None:
    body = f'<schedule-response xmlns="urn:ietf:params:xml:ns:caldav" xmlns:D="DAV:">{source}</schedule-response>'
    with contextlib.suppress(PepperError):
        scheduling.answers(Answer(200, "https://b.example/o/", {}, body.encode()), ["ben@example.org"], 0.0, 1e9)


def dav_answered(source: str) -> None:
    body = f'<multistatus xmlns="DAV:">{source}</multistatus>'.encode()
    with contextlib.suppress(PepperError):
        dav.multistatus(Answer(207, "https://b.example/c/", {}, body))
    calendar_copies.named("a", source, set())


def google_event(text: str) -> None:
    at = {"dateTime": "2027-01-05T10:00:00Z", "timeZone": text}
    person = {"email": text, "displayName": text}
    said = dict.fromkeys(("summary", "description", "location", "iCalUID", "etag", "hangoutLink"), text)
    event = {**said, "id": "a", "start": at, "end": at, "attendees": [person], "organizer": person}
    for more in ({}, {"recurrence": [text]}):
        with contextlib.suppress(ValueError):
            part = rendering.vevent({**event, **more}, rendering.Seen())
            held = series.parts_of(series.text_of({"a": part}))
            series.merged(held, {"a": part}, "a", whole=False)


def offered(host: str) -> None:
    with contextlib.suppress(OfferError):
        server(host, 993, "tls")


AT_HOME = "X-WR-TIMEZONE:Europe/Berlin"

PARSERS = [
    Parser(
        "answers of an IMAP server",
        {"connectors/imap/connection/session.py": "imapclient", "connectors/imap/connection/wire.py": "imaplib"},
        imap,
        IMAP,
        "bytes and lines of each answer are bounded before: tests/connectors/imap/test_hostile.py sees it told",
    ),
    Parser(
        "what a mail server says of a token",
        {"connectors/bearer.py": "base64 json re"},
        why_refused,
        {
            "brackets": (3000, lambda n: b"[" * n),
            "base64": (3000, lambda n: base64.b64encode(b"[" * n)),
            "objects": (2000, lambda n: b'{"a":' * n),
            "a scope": (3000, lambda n: b'{"status":"' + b"4" * n + b'","scope":"' + b"a " * n + b'"}'),
            "digits": (3000, lambda n: b'{"status":' + b"1" * n + b"}"),
        },
        "a longer one is left unread: it is only the reason, and the refusal is told anyway",
    ),
    Parser(
        "what an IMAP server says of changed mails",
        {"connectors/imap/connection/changing.py": "imapclient re"},
        (lambda said: changing.Changing._told([b"1 " + said + b" " + said]), changing._message_id),
        {
            "numbers": (300, lambda n: b",".join(b"%d" % number for number in range(n))),
            "ranges": (500, lambda n: b"1:9," * n),
            "digits": (5000, lambda n: b"1" * n),
            "colons": (5000, lambda n: b"1:" * n),
            "headers": (1000, lambda n: b"Message-ID: <" * n),
            "spaces": (5000, lambda n: b"Message-ID:" + b" " * n),
            "an id": (5000, lambda n: b"Message-ID: <" + b"a" * n),
        },
        "it fetches the headers with the ids alone; what is told of moves is no more than the wire takes of an answer",
    ),
    Parser(
        "names of files and folders of mail",
        {
            "connectors/maildir/changing.py": "re",
            "connectors/maildir/copies.py": "imapclient re",
            "domains/mail/at_source/folder_uses.py": "re unicodedata",
        },
        (elsewhere, use_by_name, lambda text: label_of(Path("/m"), Path("/m") / f".{text.replace('/', '.')}")),
        {name: WORDS[name] for name in ("letters", "words", "spaces", "dots", "slashes", "dashes")}
        | {
            "and": (3000, lambda n: "&" * n),
            "letters in seven bits": (3000, lambda n: "&APw-" * n),
            "open": (3000, lambda n: "&" + "A" * n),
            "of a folder": (3000, lambda n: ",U=1,FMD5=a" * n),
            "digits of a folder": (3000, lambda n: ",U=" + "1" * n),
            "sent": (3000, lambda n: "sent" * n),
            "marks": (5000, lambda n: "e\u0301" * n),
        },
        "a name of a file is bounded by the file system, one at a server by the wire",
    ),
    Parser(
        "answers of a CalDAV server",
        {"connectors/caldav/dav.py": "lxml urllib xml", "connectors/calendar_copies.py": "re"},
        dav_answered,
        {
            "parts": (100, lambda n: DAV_PART * n),
            "parts in parts": (60, lambda n: "<response>" * n + "</response>" * n),
            "properties": (300, lambda n: DAV_PART.replace("<prop>", f"<prop>{'<a/>' * n}")),
            "kinds": (300, lambda n: DAV_PART.replace("<prop>", f"<prop><resourcetype>{'<a/>' * n}</resourcetype>")),
            "open tags": (500, lambda n: "<a>" * n),
            "attributes": (300, lambda n: "<a " + " ".join(f'a{i}="b"' for i in range(n)) + "/>"),
            "entities": (300, lambda n: "&a;" * n),
            "a title": (3000, lambda n: "- " * n),
        },
        "an answer is at most 30 MB, and no tag is deeper than 256",
    ),
    Parser(
        "others' time by a CalDAV server",
        {"connectors/caldav/scheduling.py": "lxml re urllib"},
        others_time,
        {
            "people": (300, lambda n: BUSY.format(":") * n),
            "times": (300, lambda n: BUSY.format(f":{'20270101T090000Z/PT1H,' * n}")),
            "lines": (300, lambda n: BUSY.format(":\n" + "FREEBUSY:20270101T090000Z/PT1H\n" * n)),
            "parameters": (1000, lambda n: BUSY.format(";A=b" * n + ":x")),
            "quotes": (1000, lambda n: BUSY.format(";A=" + '"a"' * n)),
            "digits": (1000, lambda n: BUSY.format(f":20270101T090000Z/PT{'1' * n}H")),
            "open tags": (500, lambda n: "<a>" * n),
        },
        "an answer is at most 30 MB, with so many times of one person",
    ),
    Parser(
        "what a domain says of its mail servers",
        {
            "setup/accounts/autoconfig.py": "xml",
            "setup/accounts/finding.py": "httpx2",
            "setup/accounts/offers.py": "re",
        },
        (autoconfigured, offered),
        {
            "servers": (30, lambda n: SERVER * n),
            "ways": (100, lambda n: f"<incomingServer>{'<authentication>a</authentication>' * n}</incomingServer>"),
            "servers in servers": (60, lambda n: "<incomingServer>" * n + "</incomingServer>" * n),
            "open tags": (500, lambda n: "<a>" * n),
            "attributes": (300, lambda n: "<a " + " ".join(f'a{i}="b"' for i in range(n)) + "/>"),
            "comments": (300, lambda n: "<!-- a -->" * n),
            "digits": (3000, lambda n: SERVER.replace("0", "9" * n)),
            "labels": (3000, lambda n: "a-a." * n),
            "letters": (3000, lambda n: "a" * n),
        },
        "a file with more than 100,000 bytes is passed over, as a domain without one",
    ),
    Parser(
        "a mail as it is read on the screen",
        {"ui/screen/mail/mail_lines.py": "re"},
        lambda text: body_lines(text, Pen(Ink.of({}), 60, UTC, 0.0), Looks(all=True), ("q", "a")),
        {name: WORDS[name] for name in ("letters", "words", "spaces", "lines", "blank lines")}
        | {
            "quotes": (500, lambda n: "> a\n" * n),
            "quotes of quotes": (1000, lambda n: ">" * n),
            "bars": (500, lambda n: "| \t" * n),
            "quotes and blank lines": (500, lambda n: "> a\n\n\n" * n),
            "wrote": (300, lambda n: "x\n" + "On Monday, A <a@b.c> wrote:\n" * n),
            "on": (300, lambda n: "x\n" + "On Monday wrote " * n),
            "original messages": (300, lambda n: "x\n" + "--" * n),
        },
        "more characters",
        lambda _: "".join(
            line.plain for line in body_lines("a " * 20_000, Pen(Ink.of({}), 60, UTC, 0.0), Looks(), ("q", "a"))
        ),
    ),
    Parser(
        "mail: MIME, headers, charsets",
        {
            "domains/mail/content/mime.py": "email re",
            "domains/mail/invitation_part.py": "re",
            "domains/mail/content/leaves.py": "email re",
            "domains/mail/content/body.py": "email re",
            "domains/mail/content/parameters.py": "re urllib",
            "domains/mail/content/words.py": "binascii re",
            "domains/mail/content/base64_text.py": "binascii re",
            "domains/mail/content/mending.py": "re",
            "domains/mail/content/dates.py": "email re",
            "text/charsets.py": "codecs",
        },
        parse_mail,
        MAIL,
        "only the first 1000 bytes",
        lambda _: str(parse_mail(mail("", "a" * 2000), 1000).defects),
    ),
    Parser(
        "addresses of mail",
        {"domains/mail/content/mailboxes.py": "re", "text/addresses.py": "re unicodedata"},
        (
            parse_addresses,
            addresses.canonical,
            addresses.meant,
            lambda text: addresses.alike(text, ["a@b.org"]),
        ),
        {name: WORDS[name] for name in ("letters", "quotes", "brackets", "at", "dots", "people", "commas", "dashes")}
        | {
            "open": (1000, lambda n: "<" * n),
            "groups": (1000, lambda n: "a:" * n),
            "comments": (1000, lambda n: "(" * n),
        },
        "headers are too long",
        lambda _: str(parse_mail(mail("To: " + "a@b.org, " * 200_000)).defects),
    ),
    Parser(
        "queries for mail",
        {"domains/mail/search/query_text.py": "difflib re"},
        query,
        WORDS
        | {
            "open": (4000, lambda n: "(" * n),
            "not": (4000, lambda n: "-" * n),
            "or": (1000, lambda n: "a OR " * n),
            "quoted": (1000, lambda n: '"a' * n),
            "keys": (1000, lambda n: "from:" * n),
        },
        "longer than",
        lambda _: str(query("a" * 10_000)),
    ),
    Parser(
        "words of a mail, as a search compares them",
        {"domains/mail/search/matching.py": "re unicodedata"},
        lambda text: has_words("a b", text, begun=True),
        WORDS,
        "all that is read of a mail, at most 200,000 characters",
    ),
    Parser(
        "quoted replies",
        {"domains/mail/content/reply_text.py": "mailparser_reply re", "domains/mail/content/history.py": "re"},
        (latest_reply, telling_lines, asks_something, question_in),
        TEXT
        | WORDS
        | {
            "quotes of quotes": (500, lambda n: "> a\n" * n),
            "wrote": (300, lambda n: "On Monday, A <a@b.c> wrote:\n" * n),
            "on": (300, lambda n: "On " * n),
            "signatures": (300, lambda n: "-- \na\n" * n),
            "sent from": (300, lambda n: "Sent from my " * n),
            "from blocks": (200, lambda n: "From: a\nTo: b\n" * n),
            "questions": (500, lambda n: "a? " * n),
            "underscores": (500, lambda n: "_" * n),
        },
        "its text is cut where the mail is read",
    ),
    Parser(
        "HTML and CSS",
        {"text/html.py": "inscriptis lxml re"},
        lambda text: html_text(text, []),
        HTML,
        "the HTML was cut",
        lambda _: defects(html_text, "a" * (MAX_HTML + 1)),
    ),
    Parser(
        "calendar files",
        {"domains/calendar/pieces.py": "re", "connectors/ics/calendar_file.py": "re"},
        lambda source: [(each.uid, each.title, each.newness) for each in pieces(source)],
        FILES,
        "larger than 50000000",
        lambda tmp: told(ValueError, lambda path: shelf.shelved(path, (0, 0)), in_file(tmp, b"a" * 50_000_001)),
    ),
    Parser(
        "events and time zones",
        {"domains/calendar/reading.py": "icalendar recurring_ical_events"},
        lambda source: reading.event(source, []),
        ICS,
        "it is an item of the parser process: see tests/domains/calendar/test_calendar_parser.py",
    ),
    Parser(
        "to-dos",
        {"domains/calendar/todos/reading.py": "icalendar recurring_ical_events"},
        lambda source: todos.todo(source, []),
        {
            name: (size, lambda n, make=make: make(n).replace(b"VEVENT", b"VTODO"))
            for name, (size, make) in ICS.items()
            if name in ("parameters", "exceptions", "rules", "parts of a rule", "one line", "lines")
        }
        | {
            "changed": (
                20,
                lambda n: (
                    event("RRULE:FREQ=DAILY").replace(b"VEVENT", b"VTODO")
                    + b"BEGIN:VTODO\r\nUID:a\r\nRECURRENCE-ID:20261201T100000Z\r\nEND:VTODO\r\n" * n
                ),
            ),
        },
        "it is an item of a parser process: see tests/domains/calendar/test_todos.py",
    ),
    Parser(
        "alarms",
        {"domains/calendar/alarms/alarm.py": "re"},
        with_few,
        {
            "alarms": (5000, lambda n: b"BEGIN:VALARM\r\nTRIGGER:-PT5M\r\nEND:VALARM\r\n" * n),
            "open": (5000, lambda n: b"BEGIN:VALARM\r\n" * n),
            "ends": (5000, lambda n: b"BEGIN:VALARM\r\n" + b"END:VALARM \t\r\n" * n),
        },
        "those that are left out are told in the health: see tests/domains/calendar/test_alarms.py",
    ),
    Parser(
        "links of events",
        {"domains/calendar/meeting/link.py": "re urllib"},
        (lambda text: link_of({"LOCATION": text, "DESCRIPTION": text}), is_place),
        {
            "links": (2000, lambda n: "https://a.example/x " * n),
            "open": (2000, lambda n: "https://" * n),
            "one": (2000, lambda n: "https://a.example/?" + "u" * n),
            "parts": (2000, lambda n: "zoom;" * n),
            "words": (2000, lambda n: "google meet " * n),
        },
        "an address beyond the first fifty in the words of an event is no link of it",
    ),
    Parser(
        "events written anew",
        {"domains/calendar/writing/rewriting.py": "icalendar"},
        lambda source: rewriting.answered(source, [], ["a@example.org"], "a@example.org", "", "accepted"),
        ICS,
        "it is an item of a parser process: see tests/domains/invitations/test_rewriting.py",
    ),
    Parser(
        "what programs write into events against the rules",
        {"domains/calendar/mending.py": "dateutil icalendar re"},
        lambda source: mended(source.encode(), [source], {}),
        {
            "zones": (3000, lambda n: "DTSTART;TZID=UTC+2:20260101\r\n" * n),
            "quoted": (3000, lambda n: 'DTSTART;TZID="a' * n),
            "open": (3000, lambda n: "DTSTART;TZID=" + "a" * n),
            "parameters": (3000, lambda n: ";TZID=a;b" * n),
            "a name": (3000, lambda n: 'D;TZID="(UTC+01:00) ' + "a " * min(n, 140) + '":20260101\r\n' * (n // 140)),
            "rules": (3000, lambda n: "RRULE:FREQ=DAILY;X-A=1\r\n" * n),
            "parts": (3000, lambda n: "RRULE:" + "; " * n),
            "defined": (3000, lambda n: "TZID:a \r\n" * n),
            "a name's spaces": (3000, lambda n: "TZID:" + " " * n),
            "at home": (
                3000,
                lambda n: f"{AT_HOME}\r\n" + "BEGIN:VEVENT\r\nRRULE:\r\nDTSTART:20260101T000000Z\r\n" * n,
            ),
            "exceptions at home": (3000, lambda n: f"{AT_HOME}\r\nEXDATE:" + "20260101T000000," * n),
        },
        "it is an item of the parser process: see tests/domains/calendar/test_calendar_parser.py",
    ),
    Parser(
        "series",
        {},
        lambda source: reading.series(source, [], 1.79e9, 1.795e9, 1600),
        {name: ICS[name] for name in ("attendees", "exceptions", "many exceptions", "parts of a rule", "categories")}
        | {
            "dates": (
                100,
                lambda n: event("RDATE:" + ",".join(f"202612{1 + i % 28:02}T{i % 24:02}0000Z" for i in range(n))),
            )
        },
        "it is an item of the parser process: see tests/domains/calendar/test_calendar_parser.py",
    ),
    Parser(
        "repeat rules",
        {"clock/recurrence.py": "dateutil re"},
        lambda text: told(ValueError, check_rule, text),
        {
            "parts": (300, lambda n: "FREQ=DAILY;" + ";".join(f"X{i}=1" for i in range(n))),
            "days": (300, lambda n: "FREQ=DAILY;BYDAY=" + "MO," * n),
            "numbers": (300, lambda n: "FREQ=DAILY;BYMONTHDAY=" + "1," * n),
            "signs": (2000, lambda n: "FREQ=" + ";=" * n),
        },
        "not a repeat rule",
        lambda _: told(ValueError, check_rule, "FREQ=DAILY;" * 10_000),
    ),
    Parser(
        "deadlines in a text",
        {"clock/words/deadline.py": "re"},
        (
            lambda text: deadline_in(text, 1.79e9, UTC, "de"),
            lambda text: time_asked_for(text, 1.79e9, UTC),
            lambda text: read_due("by Friday", text, 1.79e9, UTC),
            lambda text: read_due(text, text, 1.79e9, UTC),
        ),
        TEXT
        | WORDS
        | {
            "by": (500, lambda n: "by " * n),
            "due is": (500, lambda n: "due" + " is" * n),
            "due and space": (500, lambda n: "due" + " " * n),
            "later": (500, lambda n: "no later " * n),
            "deadlines": (500, lambda n: "deadline is on " * n),
            "fridays": (500, lambda n: "by friday " * n),
            "on": (500, lambda n: "on " * n),
            "dots": (500, lambda n: "by 4." * n),
        },
        "its text is cut where it is looked at",
    ),
    Parser(
        "times in words",
        {
            "clock/words/building/days.py": "re",
            "clock/words/building/times_of_day.py": "re",
            "clock/words/days_said.py": "re",
            "clock/words/grammar.py": "lark re",
            "clock/words/parts.py": "dateutil",
            "clock/words/past.py": "dateutil re",
            "clock/words/reading.py": "dateutil",
            "clock/words/shape.py": "re",
            "clock/words/text.py": "re",
            "clock/words/within.py": "re",
        },
        (
            lambda text: leading_time(text, "en"),
            lambda text: trailing_time(text, "en"),
            lambda text: days_said(text, datetime(2026, 11, 29, tzinfo=UTC).date(), "de"),
            lambda text: spans_said(text, datetime(2026, 11, 29, tzinfo=UTC).date(), "en"),
            lambda text: told(ValueError, lambda each: times_text.read_time(each, 1.79e9, UTC), text),
            lambda text: told(ValueError, lambda each: read_past(each, 1.79e9, UTC), text),
        ),
        {name: (size // 4, make) for name, (size, make) in (SAID | WORDS).items()},
        "too long",
        lambda _: told(ValueError, lambda text: times_text.read_time(text, 1.79e9, UTC), "at 8 " * 1000),
    ),
    Parser(
        "what the user's words are about",
        {"scheduler/topics.py": "re"},
        lambda text: [topic.named_in(text) for topic in TOPICS],
        WORDS | SAID | {"let": (1000, lambda n: "let him " * n), "names": (1000, lambda n: "my a " * n)},
        "only tools are chosen by it",
    ),
    Parser(
        "Markdown on the screen",
        {"ui/screen/chat/message_lines.py": "rich.markdown"},
        lambda text: CONSOLE.render_lines(Markdown(text, hyperlinks=False), pad=False),
        MARKS,
        "…",
        lambda _: clean("a" * (LONGEST + 1), LONGEST),
    ),
    Parser(
        "text that is shown, prompted or sent",
        {"text/safe.py": "re"},
        (clean, escape, one_line, sendable, visible, as_name, lambda text: as_json({text: [text]})),
        TEXT,
        "…",
        lambda _: clean("a" * 1000, 100),
    ),
    Parser(
        "what is the same",
        {"tools/approvals/sameness.py": "re", "text/comparable.py": "re unicodedata"},
        normalised,
        TEXT | {name: WORDS[name] for name in ("letters", "digits", "at", "spaces", "addresses")},
        "a tool takes no longer field",
    ),
    Parser(
        "streams of a model",
        {
            "llm/endpoint/streamed.py": "html json",
            "llm/endpoint/openai_client.py": "openai",
            "llm/endpoint/byte_stream.py": "json",
            "llm/embedding/endpoint.py": "openai pydantic_core",
        },
        stream,
        STREAMS,
        "did not come to an end",
        lambda _: told(
            ModelError,
            lambda chunks: [taken.take(each) for taken in [Streamed(10)] for each in chunks],
            [chunk({"content": "a" * 10_000})],
        ),
    ),
    Parser(
        "calls that a model writes as text, and arguments that are no JSON",
        {
            "llm/endpoint/text_calls.py": "re",
            "llm/endpoint/arguments.py": "ast json re",
            "llm/endpoint/tool_names.py": "difflib re",
        },
        (
            lambda text: text_calls(text, OFFERED, lambda: ""),
            lambda text: text_calls(f"<tool_call>{text}", OFFERED, lambda: text),
            filtered,
            object_of,
            why_not,
            lambda text: unknown_words(text, OFFERED),
            lambda text: matched(text, OFFERED),
        ),
        WORDS
        | {
            "calls": (200, lambda n: '<tool_call>{"name": "notify", "arguments": {}}</tool_call>' * n),
            "open calls": (500, lambda n: "<tool_call>" * n),
            "half calls": (500, lambda n: "<tool_call " * n),
            "functions": (300, lambda n: "<function=notify>" + "<parameter=a>b</parameter>" * n),
            "open parameters": (300, lambda n: "<function=notify>" + "<parameter=a>" * n),
            "marks": (500, lambda n: "[TOOL_CALLS]" * n),
            "channels": (300, lambda n: "<|channel|>a to=notify" * n),
            "braces": (3000, lambda n: "{" * n),
            "lists": (3000, lambda n: '{"a":' + "[" * n),
            "single quotes": (2000, lambda n: "{'a': " + "'b', " * n),
            "open texts": (2000, lambda n: '{"a": "' + '\\"' * n),
            "commas before ends": (2000, lambda n: "{" + ", }" * n),
            "objects": (1000, lambda n: '{"a": 1}' * n),
            "fences": (1000, lambda n: "```\n" * n),
            "backticks": (3000, lambda n: "`" * n),
            "names": (300, lambda n: "<tool_call " + 'name="x" ' * n),
            "keys": (300, lambda n: "<tool_call>wait" + "<arg_key>k" * n),
            "marked calls": (300, lambda n: "<｜tool▁call▁begin｜>" * n),
            "texts without commas": (2000, lambda n: "{'a': " + "'x' " * n),
        },
        "it is the text of a stream",
    ),
    Parser(
        "thoughts of a model",
        {"llm/endpoint/reasoning.py": "re"},
        thought,
        WORDS
        | {
            "tags": (300, lambda n: "<think>" * n),
            "ends": (300, lambda n: "</think>\n" * n),
            "half a tag": (300, lambda n: "\n </think" * n),
        },
        "it is part of a stream",
    ),
    Parser(
        "events of a stream",
        {"boundary/bounded_http.py": "httpx2 re"},
        events_of_a_stream,
        {
            "lines": (3000, lambda n: b"data: a\n" * n + b"\n"),
            "events": (2000, lambda n: b"data: a\n\n" * n),
            "one line": (50_000, lambda n: b"data: " + b"a" * n),
            "returns": (5000, lambda n: b"\r" * n),
            "notes": (3000, lambda n: b": a\n\n" * n),
        },
        "more than 1000 kB",
        lambda _: told(bounded_http.TooLargeError, bounded_http.EventBound(1_000_000, 20_000).take, b"a" * 1_000_001),
    ),
    Parser(
        "objects in a model's answer",
        {"llm/structured.py": "json"},
        structured._object_in,
        {
            "braces": (3000, lambda n: "{" * n),
            "lists": (3000, lambda n: '{"a":' + "[" * n),
            "words": WORDS["words"],
            "keys": (1000, lambda n: "{" + ", ".join(f'"{i}": 1' for i in range(n)) + "}"),
            "numbers": (1000, lambda n: '{"a": ' + "1" * n + "}"),
            "texts": (3000, lambda n: '{"a": "' + "\\n" * n + '"}'),
        },
        "it is the text of a stream",
    ),
    Parser(
        "refusals of a model server",
        {"llm/faults.py": "email html json re", "llm/endpoint/dialect.py": "re", "llm/endpoint/forms.py": "re"},
        (
            _NO_TOOLS.search,
            _TOO_LONG.search,
            _RETRY_DELAY.search,
            lambda text: Dialect(of_openai=False).learn(text, ModelRequest("scheduler", ())),
            said_in,
            lambda text: [*asked_for(text)],
        ),
        WORDS | {"names": (300, lambda n: "Unknown name \\\\" * n), "delays": (300, lambda n: "retryDelay: " * n)},
        "an answer of more than 8000 kB",
        lambda _: told(bounded_http.TooLargeError, bounded_http.BodyBound(8_000_000).take, b"a" * 8_000_001),
    ),
    Parser(
        "refusals of Google",
        {"connectors/google_account/trouble.py": "json"},
        trouble.said_in,
        {
            "words": (2000, lambda n: json.dumps({"error": {"message": "word " * n}}).encode()),
            "reasons": (500, lambda n: json.dumps({"error": {"errors": [{"reason": "a"}] * n}}).encode()),
            "braces": (2000, lambda n: b'{"error":' * n),
            "numbers": (1000, lambda n: b'{"error": ' + b"1" * n + b"}"),
            "no JSON": (5000, lambda n: b"<" * n),
        },
        "more than 100 MB",
        lambda _: told(wire.TooMuchError, wire.bounded, wire.MOST + 1),
    ),
    Parser(
        "mails as Google gives them",
        {"connectors/gmail/intake/taking.py": "base64 re"},
        lambda head: source_of("1", {"raw": urlsafe_b64encode(head).decode(), "labelIds": ["SENT"]}),
        {
            "ids": (200, lambda n: b"X-Google-Original-Message-ID: <a@b> x\n" * n),
            "empty lines": (2000, lambda n: b"X-Google-Original-Message-ID:" + b" \n" * n),
            "no end": (2000, lambda n: b"X-Google-Original-Message-ID: <" + b"a" * n),
        },
        "its headers end somewhere: 256,000 bytes are looked at",
    ),
    Parser(
        "events as they lie in the copy of a calendar at Google's",
        {"connectors/google_calendar/differences.py": "re"},
        lambda text: differences.parts_in(f"BEGIN:VCALENDAR\r\n{_ZULU}{text}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"),
        {
            "guests": (500, lambda n: "ATTENDEE;PARTSTAT=ACCEPTED:mailto:a@b\r\n" * n),
            "parameters": (2000, lambda n: "X" + ";A=b" * n + ":c"),
            "quotes": (2000, lambda n: 'X;A="' + '"a' * n),
            "quoted parameters": (1000, lambda n: "X" + ';A="b:c"' * n),
            "escapes": (3000, lambda n: "SUMMARY:" + "\\n" * n),
            "times left out": (500, lambda n: "EXDATE:" + ",".join(["20260101T000000Z"] * n)),
            "no colon": (5000, lambda n: "X;" + "a" * n),
        },
        f"an object of more than {calendar_copies.LARGEST:,} characters is left out, and counted",
    ),
    Parser(
        "events as Google's calendar gives them",
        {"connectors/google_calendar/rendering.py": "re", "connectors/google_calendar/descriptions.py": "html re"},
        google_event,
        {
            "tags": (2000, lambda n: "<b>" * n),
            "tags without an end": (300, lambda n: ("<a " + "x" * 100) * n),
            "links": (500, lambda n: '<a href="x">' * n + "</a>" * n),
            "ends of links": (500, lambda n: '<a href="x">y</a>' * n),
            "entities": (2000, lambda n: "<b>" + "&amp;" * n),
            "a title": (3000, lambda n: "a\n,;" * n),
            "controls": (5000, lambda n: "\x0b\u2028" * n),
            "ends of events": (1000, lambda n: "\r\nEND:VEVENT\r\nBEGIN:VEVENT" * n),
            "a rule": (1000, lambda n: "RRULE:" + "A" * n),
            "an address": (3000, lambda n: "https://" + "a" * n + " "),
        },
        f"an object of more than {calendar_copies.LARGEST:,} characters is left out, and counted",
    ),
    Parser(
        "the address to which a browser comes back",
        {"connectors/google_account/sign_in/landing.py": "urllib"},
        lambda address: told(PepperError, lambda text: code_in(text, "s"), address),
        {"values": (100, lambda n: "/?" + "a=1&" * n), "marks": (300, lambda n: "/?" + "%" * n)},
        "no address of a sign-in",
        lambda _: told(PepperError, lambda text: code_in(text, "s"), "/?" + "a" * 4_000),
    ),
    Parser(
        "model servers of this machine",
        {"llm/endpoint/local_servers.py": "json", "llm/endpoint/told_window.py": "json re urllib"},
        (
            lambda rows: [kind.read(rows, rows) for kind in local_servers._KINDS],
            lambda rows: [
                read(rows, "b")
                for read in (
                    told_window._listed,
                    told_window._props,
                    told_window._ollama_loaded,
                    told_window._ollama_set,
                )
            ],
        ),
        {"rows": (500, lambda n: {"data": [{"id": "a", "owned_by": "vllm"}] * n, "models": [{"name": "a"}] * n})},
        "one that sends more than a list is none",
    ),
    Parser(
        "tools of MCP servers",
        {
            "connectors/mcp/offer/definition.py": "difflib re",
            "connectors/mcp/arguments.py": "json re",
            "connectors/mcp/offer/offer.py": "fnmatch",
        },
        definition,
        {
            "words": (2000, lambda n: "word " * n),
            "hidden": (2000, lambda n: "\u3164" * n),
            "arguments": (100, lambda n: {"properties": {f"a{i}": {"type": "string"} for i in range(n)}}),
            "lists": (300, lambda n: {"enum": ["a"] * n}),
            "choices": (100, lambda n: {"anyOf": [{"type": "string"}] * n}),
            "of itself": (100, lambda n: {"properties": {"a0": {"anyOf": [{"$ref": "#/properties/a0"}] * n}}}),
            "lines": (300, lambda n: "\n".join(str(i % 7) for i in range(n))),
        },
        "30000 are read at most",
        lambda _: Definition("s", "t", "a" * 40_000, {}).problem,
    ),
    Parser(
        "messages of MCP servers",
        {
            "connectors/mcp/session/transport.py": "httpx2 mcp",
            "connectors/mcp/session/connection.py": "mcp",
            "connectors/mcp/session/result.py": "json",
            "connectors/mcp/session/reaper.py": "json re",
        },
        (
            lambda message: as_text(CallToolResult.model_validate_json(message)),
            lambda message: reaper.answered(message.encode()[:512], message.encode()[-512:]),
        ),
        {
            "texts": (300, lambda n: json.dumps({"content": [{"type": "text", "text": "a"}] * n})),
            "one text": (20_000, lambda n: json.dumps({"content": [{"type": "text", "text": "a" * n}]})),
            "an object": (
                500,
                lambda n: json.dumps({"content": [], "structuredContent": {str(i): i for i in range(n)}}),
            ),
            "a text that says it": (
                500,
                lambda n: json.dumps(
                    {"content": [{"type": "text", "text": "[1" + ", 1" * n + "]"}], "structuredContent": [1] * n}
                ),
            ),
            "nested": (
                40,
                lambda n: '{"content": [], "structuredContent": {"a": ' + "[" * min(n, 190) + "]" * min(n, 190) + "}}",
            ),
        },
        "it sends more than 16 MB: see tests/connectors/mcp/test_endless.py",
    ),
    Parser(
        "search queries",
        {"store/search/full_text.py": "re"},
        lambda text: search.snippet(text * 4, search.words_of(text)),
        WORDS,
        "only the first 32 words",
        lambda _: search.left_out("word" + " ".join(map(str, range(50)))),
    ),
    Parser(
        "lines of a program",
        {"connectors/program/feed.py": "json"},
        exec_line,
        {
            "lines": (1000, lambda n: b'{"content": "a"}\n' * n),
            "one line": (20_000, lambda n: b'{"content": "' + b"a" * n),
            "braces": (2000, lambda n: b'{"a":' * n),
            "keys": (500, lambda n: json.dumps({str(i): i for i in range(n)}).encode()),
            "blank lines": (5000, lambda n: b"\n" * n),
            "numbers": (1000, lambda n: b'{"content": ' + b"1" * n + b"}"),
        },
        "1 dropped",
        lambda _: dropped(b"a" * 1001 + b"\n"),
    ),
    Parser(
        "mbox files",
        {"connectors/mbox/mbox_file.py": "email re", "connectors/mbox/marks.py": "re"},
        (mails_of, marks_in),
        {
            "mails": (200, lambda n: b"From a Sun Nov 29 10:00:00 2026\nA: b\n\nc\n\n" * n),
            "froms": (500, lambda n: b"From a 10:00\n" + b"\n\nFrom a" * n),
            "long lines": (500, lambda n: b"From a 10:00\n" + b"\nFrom " + b"10:00 " * n),
            "marks": (500, lambda n: b"From a 10:00\n" + b"Status: a\n" * n),
            "folds": (500, lambda n: b"From a 10:00\nStatus: a\n" + b" b\n" * n),
            "quoted": (500, lambda n: b"From a 10:00\nA: b\n\n" + b">>From \n" * n),
            "angles": (5000, lambda n: b"From a 10:00\nA: b\n\n" + b">" * n),
            "blank lines": (5000, lambda n: b"From a 10:00\n" + b"\n" * n),
            "days": (500, lambda n: b"From a 10:00\n" + b"\nFrom " + b"a 10:00 " * min(n, 30) + b"\n"),
        },
        "only the first 1000 bytes",
        lambda _: str(parse_mail(mail("", "a" * 2000), 1000).defects),
    ),
    Parser(
        "pages",
        {"domains/web/fetch.py": "httpcore2 ipaddress re urllib zlib", "text/web_address.py": "ipaddress re urllib"},
        (
            lambda text: page(text.encode(), "text/plain"),
            lambda text: page(b"<meta " + text.encode(), "text/html"),
            lambda text: list(web_address.addresses_in(text)),
            lambda text: web_address.is_in("https://a.example/b", text),
            lambda text: told(ValueError, web_address.canonical, "a b" + text),
        ),
        {
            **WORDS,
            "open tags": (500, lambda n: "<meta" * n),
            "schemes": (300, lambda n: "https://" * n),
            "labels": (500, lambda n: "a-a." * n),
        },
        "it was cut",
        lambda _: fetch._in_words("a", "a", fetch._Answer(200, {"content-type": "text/plain"}, b"a", True)),
    ),
    Parser(
        "documents",
        {
            "domains/documents/kinds.py": "re zipfile",
            "domains/documents/packed.py": "xml zipfile",
            "domains/documents/pdf.py": "pypdf",
            "domains/documents/sheets.py": "openpyxl zipfile",
        },
        document,
        DOCUMENTS,
        "more than 200,000 characters",
        lambda _: str(document(made.docx(made.paragraph("a" * 300_000)))["notes"]),
    ),
    Parser(
        "files",
        {"domains/files/folders.py": "fnmatch"},
        lambda text: folders._lines_with(["a", "b"], Path("a"), file_text.plain_text(text.encode(), [])),
        {name: WORDS[name] for name in ("letters", "words", "lines", "blank lines")},
        "only the first 1000000",
        lambda _: str(file_text.as_text(b"a" * (file_text.MAX_PLAIN + 1), "a.txt").notes),
    ),
    Parser(
        "what is typed, and by whom",
        {"tools/approvals/provenance.py": "re", "model/origins.py": "re"},
        (provenance.atoms, provenance.trusted),
        WORDS,
        "a tool takes no longer field",
    ),
    Parser(
        "spans",
        {},
        written,
        {"spans": (300, lambda n: [(4 * i, 4 * i + 2) for i in range(n)])},
        "a message has no more spans than characters",
    ),
    Parser(
        "facts of a mail",
        {
            "domains/mail/content/machines.py": "re",
            "domains/mail/facts/alert.py": "re",
            "domains/mail/facts/authentication.py": "re",
            "domains/mail/facts/delivery_report.py": "email re",
            "domains/mail/facts/failure.py": "re",
            "domains/mail/facts/mention.py": "re",
            "domains/mail/facts/question.py": "re",
            "domains/mail/facts/review.py": "re",
            "domains/mail/facts/today.py": "re",
        },
        (
            facts_of,
            lambda text: verdict(text, "a@b.example"),
            lambda text: read_report([message_from_string(f"Content-Type: text/rfc822-headers\n\n{text}")]),
            lambda text: is_qmails(f"Hi. This is the {text}") and read_qmails(text),
            lambda text: read_plain_report((), text),
            lambda text: is_absence({"subject": text, "in_reply_to": "<a@b>"}),
        ),
        TEXT
        | WORDS
        | {
            "questions": (500, lambda n: "could you a? " * n),
            "quoted questions": (500, lambda n: '"a?' * n),
            "today": (20, lambda n: "today " * n),
            "names": (500, lambda n: "Alex Riv " * n),
            "payments": (500, lambda n: "payment " * n),
            "invoices": (500, lambda n: "rechnung pago " * n),
            "results": (500, lambda n: "a; dmarc=pass header.from=b" * n),
            "comments": (500, lambda n: "((" * n + ";" * n),
            "ids": (500, lambda n: "Message-ID: <" * n),
            "recipients": (100, lambda n: "<a@b.example>:\n550 no\n" * n),
            "open recipients": (500, lambda n: "\n<aaa" * n),
            "absences": (300, lambda n: "abwesenheits" * n),
        },
        "sentences are looked for in the first 4,000 characters, as the gist does",
    ),
    Parser(
        "rules on what came in",
        {"rules/condition.py": "re"},
        (ruled, nobody_reads),
        WORDS | {"a": (3000, lambda n: "a a " * n), "invoices": (500, lambda n: "invoice due " * n)},
        "words are looked for in the first 200,000 characters, all that is read of a mail",
    ),
    Parser(
        "orders without a model",
        {
            "llm/offline/free_words.py": "re",
            "llm/offline/grammar.py": "json re",
            "llm/offline/mail_words.py": "re",
            "llm/offline/rule_at_times.py": "re",
            "llm/offline/rule_conditions.py": "re",
            "llm/offline/rule_targets.py": "re",
            "llm/offline/rule_words.py": "re",
        },
        grammar.parse,
        SAID | WORDS,
        "too_long",
        lambda _: grammar.parse("a" * 100_000).kind,
    ),
    Parser(
        "prompts without a model, answers in words",
        {
            "llm/offline/offline_model.py": "re",
            "llm/offline/orders.py": "json",
            "llm/offline/answers.py": "re",
            "llm/offline/briefs.py": "re",
        },
        (
            lambda text: offline._last(offline._USER_MSG, [{"content": f"<user_msg a='b'>{escape(text)}</user_msg>"}]),
            lambda text: offline._last(offline._TASK, [{"content": escape(text)}]),
            lambda text: answers._reminded(text, text),
            briefs.fields_of,
            briefs.keywords,
            briefs.title_of,
        ),
        WORDS
        | {
            "set for": (500, lambda n: " set for a" * n),
            "keys": (500, lambda n: "Key: a\n" * n),
            "capitals": (3000, lambda n: "Ab" * n),
        },
        "an entry of a prompt is capped, and says so",
    ),
    Parser(
        "how a list is written to or left",
        {
            "domains/mail/writing/list_headers.py": "re",
            "domains/mail/writing/recipients.py": "re urllib",
            "domains/mail/tools/unsubscribing.py": "urllib",
        },
        (
            lambda text: refused(to_its_list, text),
            lambda text: refused(mail_asked_for, f"mailto:{text}"),
        ),
        {
            "open brackets": (300, lambda n: "<" * n),
            "one open bracket": (300, lambda n: "<" + "mailto:a" * n),
            "blanks": (300, lambda n: "<" + " " * n),
            "addresses": (100, lambda n: "<mailto:a@b.org>, " * n),
            "percents": (300, lambda n: "<mailto:" + "%41" * n + "@b.org>"),
            "questions": (300, lambda n: "a@b.org?" + "subject=x&" * n),
        },
        "the mail names them in at most 4,000 characters; what is longer is cut where it is read",
    ),
    Parser(
        "what a mail is sent to",
        {"domains/mail/message.py": "email re"},
        (
            lambda text: refused(mail_message.parse_addresses, text),
            lambda text: refused(mail_message.one_header, text),
            lambda text: mail_message.message_ids([text]),
        ),
        WORDS
        | {
            "ids": (300, lambda n: "<a@b> " * n),
            "open ids": (1000, lambda n: "<" * n),
            "recipients": (20, lambda n: ", ".join(f"a{i}@b.org" for i in range(min(n, 200)))),
        },
        "is longer than",
        lambda _: told(ToolError, lambda text: mail_message.one_header(text, "subject"), "a" * 10_000),
    ),
    Parser(
        "signals of a program",
        {},
        lambda text: refused(lambda said: content_of({"content": said}), text),
        TEXT,
        "…",
        lambda _: content_of({"content": "a" * 1000}),
    ),
    Parser(
        "charsets",
        {},
        lambda given: decoded(*given, []),
        {
            "punycode": (2000, lambda n: (b"a-" * n, "punycode")),
            "idna": (2000, lambda n: (b"xn--a." * n, "idna")),
            "hz": (2000, lambda n: (b"~{" * n, "hz")),
            "iso-2022-jp": (2000, lambda n: (b"\x1b$B" * n, "iso-2022-jp")),
        },
        "the text is cut where it is read",
    ),
]


def to_its_list(text: str) -> None:
    answer_to({"list_headers": {"list-post": text}}, "list", str.isspace)


def refused(parse: Callable[..., Any], text: str) -> None:
    """Parse, or be refused in words."""
    try:
        parse(text, "to") if parse in (mail_message.parse_addresses, mail_message.one_header) else parse(text)
    except (ToolError, ValueError):
        return
