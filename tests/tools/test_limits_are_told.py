"""A limit that was reached is part of the answer: nothing is cut without a word."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from pepper_tui.clock.words import TimeReader
from pepper_tui.config import Config
from pepper_tui.domains.calendar import tools as calendar_tools
from pepper_tui.domains.calendar.agenda import Agenda
from pepper_tui.domains.calendar.conflicts import MAX_CONFLICTS
from pepper_tui.domains.files import folders
from pepper_tui.domains.files.folders import Folders
from pepper_tui.domains.mail.content import leaves, mime
from pepper_tui.domains.mail.content.mime import left_out, parse_mail
from pepper_tui.domains.mail.intake.signals import mail_facts, mail_signal
from pepper_tui.domains.mail.mailbox import Mailbox
from pepper_tui.domains.reminders import tools as reminder_tools
from pepper_tui.domains.why import status_tools
from pepper_tui.feeds.follow_report import Message, request_for
from pepper_tui.feeds.verdicts import entry
from pepper_tui.model import CallState, Json, Namespace, Priority, Reminder, Signal
from pepper_tui.text import begun
from tests.feeds.ruled import triage_of
from tests.feeds.test_rules import event, ics
from tests.tools.bench import Bench, mail


async def said(bench: Bench, name: str, **arguments: Any) -> str:
    call = await bench.schedule(name, **arguments)
    await bench.state(call, CallState.SUCCEEDED, CallState.FAILED)
    return (await bench.result(call)).content


# --------------------------------------------------------------------------------------------------------- one mail


def letter(*, to: str = "me@example.com", body: str = "Hello.", parts: int = 0) -> bytes:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "a@x.org", to, "Long"
    message.set_content(body)
    for number in range(parts):
        message.add_attachment(b"x", maintype="application", subtype="pdf", filename=f"{number}.pdf")
    return message.as_bytes()


def pieces(count: int) -> bytes:
    part = "--b\nContent-Type: text/plain\n\n" + "word " * 2000 + "\n"
    return ("From: a@x.org\nContent-Type: multipart/mixed; boundary=b\n\n" + part * count + "--b--\n").encode()


PARTIAL: dict[str, Callable[[], bytes]] = {
    "many recipients": lambda: letter(to=", ".join(f"a{n}@x.org" for n in range(300))),
    "a long header": lambda: b"From: a@x.org\nTo: " + b"A" * 20_000 + b" <me@x.org>\n\nHello.\n",
    "many attachments": lambda: letter(parts=mime.MAX_ATTACHMENTS + 1),
    "many parts": lambda: letter(parts=leaves.MAX_PARTS + 1),
    "a long text": lambda: letter(body="word " * 50_000),
    "many texts": lambda: pieces(30),
    "a long body": lambda: b"From: a@x.org\n\n" + b"word " * 300_000,
    "many lines": lambda: b"From: a@x.org\n\n" + b"\n" * (mime.MAX_LINES + 10),
    "long headers": lambda: b"From: a@x.org\n" + b"X: y\n" * 60_000 + b"\nHello.\n",
}


@pytest.mark.parametrize("kind", PARTIAL)
async def test_of_a_mail_it_is_told_what_was_not_read(bench: Bench, kind: str) -> None:
    found = parse_mail(PARTIAL[kind]())
    partly = left_out(found.data())
    assert partly
    raw: Json = {**found.data(), "id": "1", "thread": "1", "label": "INBOX", "arrived": 0.0}
    triage = triage_of(Config())
    assert f"not all of it was read: {partly}" in mail_signal(raw, triage, 0.0, mail_facts(raw)).reason
    bench.parts.mail.mailbox.mails.append({**raw, "message_id": "<1@x>"})  # type: ignore[union-attr]
    assert f"not all of it was read: {partly}" in await said(bench, "read_mail", message_id="<1@x>")


def test_of_a_whole_mail_nothing_is_told() -> None:
    for source in (letter(), letter(parts=3), b"From: a@x.org\nDate: never\n\nx", b"\n"):
        assert left_out(parse_mail(source).data()) == ""


# ------------------------------------------------------------------------------------------------------ many of them


async def stored(bench: Bench, count: int, sender: str, first: int = 0) -> None:
    async with bench.store.unit():
        for number in range(first, first + count):
            one = {**mail(f"<{number}@x>", sender, f"Lunch {number}", "see you"), "thread": "<0@x>", "reply": ""}
            tags = [f"message:<{number}@x>", "thread:<0@x>"]
            await bench.store.store(
                one, namespace="raw.mail", context_id=f"m{number}", text=f"Lunch {number} {sender} see you", tags=tags
            )


async def test_a_search_of_mail_tells_that_there_is_more(bench: Bench) -> None:
    bench.parts.mail.mailbox = Mailbox(bench.store)
    await stored(bench, 4, "Bob <bob@x.org>")
    for words in ("", "lunch"):
        assert "[more match than these 3" in await said(bench, "search_mail", query=words, limit=3)
        assert "[" not in await said(bench, "search_mail", query=words, limit=4)


@pytest.mark.parametrize("words", ["", "lunch"])
async def test_the_mails_of_one_sender_are_found_behind_many_others(bench: Bench, words: str) -> None:
    bench.parts.mail.mailbox = Mailbox(bench.store)
    await stored(bench, 2, "Bob <bob@x.org>")
    await stored(bench, 320, "Eve <eve@y.org>", first=2)
    found = await said(bench, "search_mail", query=words, sender="bob@x.org", limit=2)
    assert found.count("bob@x.org") == 2
    assert "were looked at" not in found


async def test_a_long_thread_says_how_much_is_left_out(bench: Bench) -> None:
    bench.parts.mail.mailbox = Mailbox(bench.store)
    await stored(bench, 31, "Bob <bob@x.org>")
    assert (await said(bench, "read_thread", message_id="<3@x>")).startswith("[1 older mails left out]")
    await stored(bench, 220, "Bob <bob@x.org>", first=31)
    assert (await said(bench, "read_thread", message_id="<3@x>")).startswith("[at least 170 older mails left out]")


async def test_lists_of_notes_reminders_and_contexts_tell_that_there_is_more(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.time.reader = TimeReader(bench.clock, UTC)
    for number in range(4):
        note: Json = {"id": f"n{number}", "title": "", "text": f"milk {number}", "created_at": 0.0}
        await bench.store.store(note, namespace=Namespace.NOTE, context_id=f"n{number}", text=f"milk {number}")
        reminder = Reminder(f"r{number}", f"milk {number}", bench.clock.now() + 60, "UTC", 0.0)
        await bench.store.put(reminder, namespace=Namespace.REMINDER, tags=["open"])
    for words in ("", "milk"):
        assert "[more than these 3" in await said(bench, "search_notes", query=words, limit=3)
        assert "[" not in await said(bench, "search_notes", query=words, limit=4)
    assert "[more match than these 3" in await said(bench, "search_context", query="milk", source="note", limit=3)
    assert "[" not in await said(bench, "search_context", query="milk", source="note", limit=4)
    assert "there may be more" not in await said(bench, "list_reminders")
    monkeypatch.setattr(reminder_tools, "LISTED", 3)
    assert "there may be more" in await said(bench, "list_reminders")
    assert "reminders: 4" in await said(bench, "current_status")
    monkeypatch.setattr(status_tools, "_LOOKED", 3)
    assert "reminders: at least 3" in await said(bench, "current_status")


# --------------------------------------------------------------------------------------------------- files, calendar


def test_a_search_of_files_tells_what_it_did_not_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.txt").write_text("milk\n" * folders.MAX_OF_ONE)
    assert Folders([tmp_path]).search("milk", "")[1] == []
    (tmp_path / "a.txt").write_text("milk\n" * (folders.MAX_OF_ONE + 1))
    assert "of one file only the first" in Folders([tmp_path]).search("milk", "")[1][0]
    monkeypatch.setattr(folders, "MAX_READ", 100)
    (tmp_path / "a.txt").write_text("x" * 101 + " milk")
    hits, notes = Folders([tmp_path]).search("milk", "")
    assert hits == []
    assert "only the beginning was searched" in notes[0]
    for number in range(folders.MAX_HITS + 1):
        (tmp_path / f"b{number}.txt").write_text("milk")
    assert f"more than {folders.MAX_HITS} hits" in Folders([tmp_path]).search("milk", "")[1][-1]


async def test_many_overlaps_are_told_to_be_not_all(bench: Bench, tmp_path: Path) -> None:
    assert calendar_tools.CONFLICTS == MAX_CONFLICTS
    path = tmp_path / "c.ics"
    day = datetime.fromtimestamp(bench.clock.now(), UTC) + timedelta(days=2)
    start = day.replace(hour=9, minute=0, second=0).timestamp()
    path.write_text(ics(*(event(f"u{number}", start) for number in range(20))))
    bench.parts.calendar.agenda = Agenda([path], UTC)
    assert f"There are more: these are the first {MAX_CONFLICTS}." in await said(bench, "find_conflicts")
    path.write_text(ics(*(event(f"u{number}", start) for number in range(3))))
    assert "There are more" not in await said(bench, "find_conflicts")


# ------------------------------------------------------------------------------------------------------- what is asked


def test_a_model_is_told_that_a_text_goes_on() -> None:
    assert begun("x" * 10, 10) == "x" * 10
    signal = Signal("s", "c", 0.0, Priority.NORMAL, "mail", "r", "m", {"snippet": "x" * 5000})
    assert "more characters are not shown]" in entry(1, signal, UTC)
    asked = request_for("lunch", "", [], [Message(1, "r", "Bob", 0.0, "x" * 5000)], 0.0, UTC)
    assert "more characters are not shown]" in asked.messages[1]["content"]
