"""Searching at a server finds what a search of the mail that was taken in finds; its bounds and faults are told."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC

from pepper_tui.clock import ManualClock
from pepper_tui.clock.words import TimeReader
from pepper_tui.domains.mail.mailbox import Mailbox
from pepper_tui.domains.mail.search.query import MailQuery
from pepper_tui.domains.mail.search.query_text import parse
from pepper_tui.domains.mail.search.resolving import resolved
from pepper_tui.domains.mail.state import STATES, Copy, Mark, Use, note_copies
from pepper_tui.model import ContextFilter
from tests.connectors.imap.account import Account
from tests.connectors.imap.conftest import Make
from tests.connectors.imap.letters import FOLDERS, NOW, QUERIES, letters
from tests.connectors.imap.servers import DOVECOT, Server

MARKS: dict[str, Mark] = {"\\Seen": "seen", "\\Answered": "answered", "\\Flagged": "flagged"}


async def asked(text: str) -> MailQuery:
    return await resolved(parse(text), TimeReader(ManualClock(NOW.timestamp()), UTC), ["me@example.org"])


def ids(mails: Collection[dict[str, object]]) -> set[object]:
    return {each["message_id"] for each in mails}


async def filled(server: Server, account: Make, **settings: object) -> Account:
    with server.other() as other:
        for folder in FOLDERS[1:]:
            other.client.create_folder(folder)
        for each in letters():
            other.client.append(each.folder, b"\r\n".join(each.source.splitlines()), flags=each.flags)
    return account(server.port, **settings)


async def test_the_store_and_the_server_find_the_same(server: Server, account: Make) -> None:
    work = await filled(server, account, folders=list(FOLDERS))
    work.hurry()
    await work.start()
    await work.until_signals(200)
    await work.stop()  # and with it the hurry
    if not await work.store.count(ContextFilter(namespaces=[STATES])):
        by_id = {each.message_id: each for each in letters()}
        async with work.store.unit():
            for mail in await work.mails():
                letter = by_id[mail.data["message_id"]]
                marks = [MARKS[each] for each in letter.flags]
                use: Use = "inbox" if letter.folder == "INBOX" else ""
                copy = Copy(mail.data["path"], "work", letter.folder, use, marks)
                await note_copies(work.store, {mail.context_id: [copy]})
    mailbox, [searcher] = Mailbox(work.store), work.built.searchers
    differ = {}
    for text in QUERIES if server.kind == DOVECOT else QUERIES[::5]:
        query = await asked(text)
        there, here = await searcher.search(query, 200), await mailbox.search(query, 200)
        exact = ids([each for each in here if each["found"] == "text"])
        assert exact or text in ("from:nobody", "from:boss@example.com"), text
        assert there.left_out == []
        if exact != ids(there.mails):
            differ[text] = (exact - ids(there.mails), ids(there.mails) - exact)
    assert differ == {}
