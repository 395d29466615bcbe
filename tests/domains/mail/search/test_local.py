"""The search of the store is exact: it finds what matches by a look at each mail."""

from __future__ import annotations

from datetime import UTC

import pytest

from pepper_tui.clock import ManualClock
from pepper_tui.clock.words import TimeReader
from pepper_tui.domains.mail.at_source.state import Copy, MailState, Mark, note_copies
from pepper_tui.domains.mail.content.mime import parse_mail
from pepper_tui.domains.mail.mailbox import Mailbox
from pepper_tui.domains.mail.search import headers
from pepper_tui.domains.mail.search.matching import matches
from pepper_tui.domains.mail.search.query import MailQuery, Node, Term
from pepper_tui.domains.mail.search.query_text import parse
from pepper_tui.domains.mail.search.resolving import resolved
from pepper_tui.model import Json
from pepper_tui.store import ContextStore, Store
from tests.connectors.imap.letters import NOW, QUERIES, letters

MARKS: dict[str, Mark] = {"\\Seen": "seen", "\\Answered": "answered", "\\Flagged": "flagged"}
TIMES = TimeReader(ManualClock(NOW.timestamp()), UTC)


async def fill(store: Store) -> tuple[list[Json], dict[str, MailState]]:
    """The mails, and their states: of every fifth none is known."""
    mails: list[Json] = []
    states: dict[str, MailState] = {}
    async with store.unit():
        for number, letter in enumerate(letters()):
            mail, ident = parse_mail(letter.source), f"m{number}"
            more = {"id": ident, "label": letter.folder, "account": "work", "thread": ident, "arrived": 0.0}
            mails.append({**mail.data(), **more})
            sender = f"{mail.sender['name']} {mail.sender['address']}"
            text, tags = f"{mail.subject}\n{sender}\n{mail.text}", [f"sender:{mail.sender['address']}"]
            await store.store(mails[-1], namespace="raw.mail", context_id=ident, text=text, tags=tags)
            if number % 5:
                copy = Copy(ident, "work", letter.folder, "", [MARKS[each] for each in letter.flags])
                states[ident] = MailState(ident, [copy])
                await note_copies(store, {ident: [copy]})
    return mails, states


async def found(mailbox: Mailbox, query: MailQuery) -> set[str]:
    return {each["id"] for each in await mailbox.search(query, 500) if each["found"] == "text"}


async def test_many_mails_are_read_in_pages(store: ContextStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(headers, "AT_ONCE", 7)
    mails, _ = await fill(store)
    mailbox, query = Mailbox(store), MailQuery()
    everything = await found(mailbox, query)
    assert everything == {each["id"] for each in mails}
    await store.store({**mails[0], "id": "late"}, namespace="raw.mail", context_id="late")
    assert await found(mailbox, query) == everything | {"late"}


async def test_it_finds_what_matches(store: ContextStore) -> None:
    mails, states = await fill(store)
    mailbox = Mailbox(store)
    for text in QUERIES:
        query = await resolved(parse(text), TIMES, ["me@example.org"])
        wanted = {each["id"] for each in mails if matches(query, each, states.get(each["id"])) is True}
        assert await found(mailbox, query) == wanted, text
        assert wanted or text in ("from:nobody", "from:boss@example.com"), text


async def test_the_answer_is_ordered_and_counted_and_near_ones_come_last(store: ContextStore) -> None:
    mails, _ = await fill(store)
    mailbox = Mailbox(store)
    newest = await mailbox.search("", 5)
    assert [each["date"] for each in newest] == sorted((each["date"] for each in mails), reverse=True)[:5]
    assert newest.total == 200
    both = await mailbox.search("rent photo from:dana", 200)
    kinds = [each["found"] for each in both]
    assert kinds == ["text"] * both.total + ["some"] * (len(both) - both.total)
    assert 0 < both.total < len(both)
    assert all(each["sender"]["address"] == "dana@example.com" for each in both)
    assert {each["found"] for each in await mailbox.search('"rent photo"', 200)} <= {"text"}


async def test_what_changes_is_found_as_it_is_now(store: ContextStore) -> None:
    mails, _ = await fill(store)
    mailbox = Mailbox(store)
    before = await found(mailbox, parse("is:flagged"))
    [mail] = [each for each in mails if each["id"] == "m3"]
    await note_copies(store, {"m3": [Copy("m3", "work", "Bin", "trash", ["flagged", "seen"])]})
    assert await found(mailbox, parse("is:flagged")) == before | {"m3"}
    assert await found(mailbox, parse("in:trash")) == {"m3"}
    await note_copies(store, {}, gone=["m3"])
    assert await found(mailbox, parse("is:flagged")) == before - {"m3"}
    await store.store({**mail, "subject": "pomegranate"}, namespace="raw.mail", context_id="m3", text="pomegranate")
    assert await found(mailbox, parse("subject:pomegranate")) == {"m3"}
    await store.delete("m3", namespace="raw.mail")
    assert await found(mailbox, parse("subject:pomegranate")) == set()
    assert (await mailbox.search("", 1)).total == 199


async def test_what_is_not_known_is_told(store: ContextStore) -> None:
    await fill(store)
    mailbox = Mailbox(store)
    assert (await mailbox.search("is:unread", 5)).notes == ["of 40 more mails it is not known how they are marked"]
    assert (await mailbox.search("rent -is:unread from:dana", 5)).notes == [
        "of 2 more mails it is not known how they are marked"
    ]
    places = "Archive, INBOX, Lists.Choir, Sent"
    for asked in ("in:cellar", "rent in:cellar"):
        assert (await mailbox.search(asked, 5)).notes == [f"no mail was seen in folder 'cellar', but in: {places}"]
    assert (await mailbox.search("account:home")).notes == ["no mail was seen in account 'home', but in: work"]
    assert (await mailbox.search("in:choir xyzzy", 5)).notes == []


WORDS = {"a": "rent", "b": "lunch", "c": "photo"}


def renamed(node: Node) -> MailQuery:
    return MailQuery(node).changed(lambda term: Term("text", WORDS[term.value]))


async def test_queries_of_any_form_are_exact(store: ContextStore) -> None:
    mails, _ = await fill(store)
    mailbox = Mailbox(store)
    for text in ("-(a OR -b)", "-(a -(b OR c))", "(a OR -b) -(a c)", "-a -b -c", "(a b) OR (-b c)"):
        query = renamed(parse(text).root)
        assert await found(mailbox, query) == {each["id"] for each in mails if matches(query, each, None)}, text
