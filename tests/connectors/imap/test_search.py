"""Searching at a server finds what a search of the mail that was taken in finds; its bounds and faults are told."""

from __future__ import annotations

import socket
from collections.abc import Collection, Iterator
from datetime import UTC
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pepper_tui.clock import ManualClock
from pepper_tui.clock.words import TimeReader
from pepper_tui.connectors.imap import search
from pepper_tui.connectors.imap.criteria import criteria
from pepper_tui.domains.mail.at_source.state import STATES, Copy, Mark, Use, note_copies
from pepper_tui.domains.mail.mailbox import Mailbox
from pepper_tui.domains.mail.search.query import MailQuery, Term, all_of, some_of
from pepper_tui.domains.mail.search.query_text import parse
from pepper_tui.domains.mail.search.resolving import resolved
from pepper_tui.model import ContextFilter
from pepper_tui.text.errors import PepperError
from tests.connectors.imap.account import Account
from tests.connectors.imap.conftest import Make
from tests.connectors.imap.letters import FOLDERS, NOW, QUERIES, letters
from tests.connectors.imap.servers import DOVECOT, Server
from tests.domains.mail.mails import mail

PLAIN = ["from:jor", "subject:(rent OR lease) from:dana", "on:2026-10-10", "is:flagged", "in:archive cc:zoe"]
"""For a server that looks at texts as they were sent, and for letters of ASCII alone."""
MARKS: dict[str, Mark] = {"\\Seen": "seen", "\\Answered": "answered", "\\Flagged": "flagged"}


async def asked(text: str) -> MailQuery:
    return await resolved(parse(text), TimeReader(ManualClock(NOW.timestamp()), UTC), ["me@example.org"])


def ids(mails: Collection[dict[str, object]]) -> set[object]:
    return {each["message_id"] for each in mails}


def count_at(server: Server) -> int:
    return 200 if server.kind == DOVECOT else 60


async def filled(server: Server, account: Make, **settings: object) -> Account:
    with server.other() as other:
        for folder in FOLDERS[1:]:
            other.client.create_folder(folder)
        for each in letters()[: count_at(server)]:
            other.client.append(each.folder, b"\r\n".join(each.source.splitlines()), flags=each.flags)
    return account(server.port, **settings)


async def test_the_store_and_the_server_find_the_same(server: Server, account: Make) -> None:
    work = await filled(server, account, folders=list(FOLDERS))
    work.hurry()
    await work.start()
    await work.until_signals(count_at(server))
    await work.stop()  # and with it the hurry
    if not await work.store.count(ContextFilter(namespaces=[STATES])):
        by_id = {each.message_id: each for each in letters()}
        async with work.store.unit():
            for stored in await work.mails():
                letter = by_id[stored.data["message_id"]]
                marks = [MARKS[each] for each in letter.flags]
                use: Use = "inbox" if letter.folder == "INBOX" else ""
                copy = Copy(stored.data["path"], "work", letter.folder, use, marks)
                await note_copies(work.store, {stored.context_id: [copy]})
    mailbox, [searcher] = Mailbox(work.store), work.built.searchers
    differ, found = {}, 0
    for text in QUERIES[::2] if server.kind == DOVECOT else PLAIN:
        query = await asked(text)
        there, here = await searcher.search(query, 200), await mailbox.search(query, 200)
        exact = ids([each for each in here if each["found"] == "text"])
        found += len(exact)
        assert there.left_out == []
        if exact != ids(there.mails):
            differ[text] = (exact - ids(there.mails), ids(there.mails) - exact)
    assert differ == {}
    assert found > 20


async def test_what_was_not_looked_at_is_told(server: Server, account: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "MOST", 10)
    with server.other() as other:
        other.deliver(*(mail(number=number, subject=f"mail {number}") for number in range(30)))
    [searcher] = account(server.port).built.searchers
    found = await searcher.search(await asked("-nothing"), 50)
    assert [each["message_id"] for each in found.mails] == [f"<m{number}@example.com>" for number in range(29, 19, -1)]
    assert found.left_out == ["of 30 that may match in INBOX only 10 were looked at"]
    found = await searcher.search(await asked("-nothing in:inbox"), 5)
    assert (len(found.mails), found.left_out) == (5, [])
    assert (await searcher.search(await asked("in:nowhere"), 5)).mails == []
    with server.other() as other:
        assert other.unread() == 30


async def test_of_a_long_mail_the_beginning_is_checked(
    server: Server, account: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "PART", 1_000)
    with server.other() as other:
        other.deliver(mail(number=1, text="word\n" * 1_000 + "pomegranate"), mail(number=2, text="short"))
    [searcher] = account(server.port).built.searchers
    assert ids((await searcher.search(await asked("pomegranate"), 5)).mails) == {"<m1@example.com>"}


async def test_a_server_that_is_not_there_is_told(account: Make) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    [searcher] = account(port).built.searchers
    with pytest.raises(PepperError, match="takes no connections"):
        await searcher.search(await asked("rent"), 5)


async def test_a_silent_server_is_waited_for_in_vain_for_ten_seconds(account: Make) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        work = account(silent.getsockname()[1])
        work.hurry()
        began = work.clock.now()
        with pytest.raises(PepperError, match="no answer within 10 s"):
            await work.built.searchers[0].search(await asked("rent"), 5)
        assert work.clock.now() - began < 15


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("rent", "INBOX is not all taken in yet"),
        ("in:inbox", "INBOX is not all taken in yet"),
        ("in:archive", "of its folders only INBOX is taken in"),
    ],
)
async def test_what_the_store_lacks_is_known_without_asking(account: Make, query: str, words: str) -> None:
    work = account(1)
    assert await work.built.searchers[0].lacks(await asked(query), work.store) == words


async def test_what_was_read_to_the_end_lacks_nothing_in_that_folder(server: Server, account: Make) -> None:
    work = account(server.port)
    await work.start()
    await work.stop()
    [searcher] = work.built.searchers
    assert await searcher.lacks(await asked("in:inbox"), work.store) == ""
    assert await searcher.lacks(await asked("rent"), work.store) == "of its folders only INBOX is taken in"


VALUES = st.builds(Term, st.sampled_from(["text", "from", "to", "cc", "subject"]), st.text(max_size=20))


@settings(max_examples=100, deadline=None)
@given(st.lists(VALUES, min_size=1, max_size=3))
def test_nothing_but_words_goes_to_a_server(terms: list[Term]) -> None:
    def sent(keys: list[Any]) -> Iterator[str]:
        for each in keys:
            if isinstance(each, list):
                yield from sent(each)
            else:
                yield each.decode() if isinstance(each, bytes) else each

    asked_for = criteria(MailQuery(some_of([all_of(terms), *terms])), lambda _: True)
    assert asked_for is not None
    assert all(each.isalnum() for each in sent(asked_for))
