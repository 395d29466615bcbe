"""Servers are asked where not all was taken in; each by itself, and the answer says what came from where."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from pepper_tui.domains.mail.mailbox import Mailbox
from pepper_tui.domains.mail.search.everywhere import LONGEST, Everywhere
from pepper_tui.domains.mail.search.query import MailQuery
from pepper_tui.domains.mail.search.query_text import parse
from pepper_tui.domains.mail.search.searcher import ServerFound
from pepper_tui.model import CallState, Json
from pepper_tui.store import Store
from pepper_tui.text.errors import PepperError
from tests.rules.world import mail_data
from tests.tools.bench import Bench
from tests.waiting import until


@dataclass
class Server:
    """An account whose server gives ``mails``, or fails; ``asked`` counts how often."""

    account: str
    mails: list[Json] = field(default_factory=list)
    lacking: str = "of its folders only INBOX is taken in"
    fail: PepperError | None = None
    left_out: list[str] = field(default_factory=list)
    gate: asyncio.Event | None = None
    asked: int = 0

    async def lacks(self, query: MailQuery, store: Store) -> str:
        return self.lacking

    async def search(self, query: MailQuery, limit: int) -> ServerFound:
        self.asked += 1
        if self.gate is not None:
            await self.gate.wait()
        if self.fail is not None:
            raise self.fail
        return ServerFound(self.mails[:limit], list(self.left_out))


def letter(ident: str, date: float, **more: Any) -> Json:
    return mail_data(ident, "Dana", "dana@x.org", f"rent {ident}", "due", date, account="work", **more)


Make = Callable[..., Everywhere]


@pytest.fixture
async def everywhere(bench: Bench) -> Make:
    for number in range(3):
        data = letter(f"m{number}", float(number))
        text = f"{data['subject']}\nDana dana@x.org\ndue"
        tags = [f"message:{data['message_id']}"]
        await bench.store.store(data, namespace="raw.mail", context_id=data["id"], text=text, tags=tags)

    def make(*servers: Server) -> Everywhere:
        mailbox = Mailbox(bench.store)
        bench.parts.mail.mailbox = mailbox
        bench.parts.mail.everywhere = Everywhere(mailbox, servers, bench.store)
        return bench.parts.mail.everywhere

    return make


async def test_what_is_only_at_a_server_is_found_and_can_be_read(bench: Bench, everywhere: Make) -> None:
    work = Server(
        "work", [letter("old", 1.5, label="Archive"), letter("m2", 2.0)], left_out=["Junk could not be searched"]
    )
    everywhere(work)
    call = await bench.schedule("search_mail", query="from:dana rent")
    await bench.state(call, CallState.SUCCEEDED)
    lines = (await bench.result(call)).content.splitlines()
    assert [each.partition(" | ")[0] for each in lines[:4]] == ["<m2@x>", "<old@x>", "<m1@x>", "<m0@x>"]
    assert "(at the server, Archive)" in lines[1]
    assert lines[4:] == [
        "[asked the server of work: 2 found there, 1 of them not taken in]", "[work: Junk could not be searched]"
    ]  # fmt: skip
    read = await bench.schedule("read_mail", message_id="<old@x>")
    await bench.state(read, CallState.SUCCEEDED)
    assert "subject: rent old" in (await bench.result(read)).content


@pytest.mark.parametrize(
    ("limit", "lacking", "server", "asked"),
    [(3, "x", False, 0), (4, "x", False, 1), (4, "", False, 0), (3, "x", True, 1), (4, "", True, 1)],
)
async def test_a_server_is_asked_where_something_may_be_missing_or_the_user_wants_it(
    everywhere: Make, limit: int, lacking: str, server: bool, asked: int
) -> None:
    work = Server("work", lacking=lacking)
    found = await everywhere(work).search(parse("rent"), limit, server=server)
    assert work.asked == asked
    assert len(found) == 3
    assert any("was not asked" in each for each in found.notes) is (lacking != "" and not asked)


@pytest.mark.parametrize(
    ("query", "asked"),
    [("rent", (1, 1)), ("account:work rent", (1, 0)), ("account:WORK", (1, 0)), ("-account:work", (0, 1))],
)
async def test_only_the_accounts_that_are_meant_are_asked(everywhere: Make, query: str, asked: tuple[int, int]) -> None:
    servers = Server("work"), Server("home")
    await everywhere(*servers).search(parse(query), 10, server=True)
    assert tuple(each.asked for each in servers) == asked


async def test_that_there_is_no_server_is_told(everywhere: Make) -> None:
    assert (await everywhere().search(parse("rent"), 5, server=True)).notes == [
        "there is no account whose server can be searched"
    ]
    found = await everywhere(Server("work")).search(parse("rent account:home"), 5, server=True)
    assert "no account that is meant has a server that can be searched" in found.notes


async def test_a_dead_server_costs_only_its_own_mails(bench: Bench, everywhere: Make) -> None:
    dead = Server("dead", fail=PepperError("the mail server h takes no connections", "check it"))
    silent, alive = Server("silent", gate=asyncio.Event()), Server("alive", [letter("new", 9.0)])
    searching = asyncio.create_task(everywhere(dead, silent, alive).search(parse("rent"), 10))
    await until(lambda: silent.asked == 1)
    await bench.clock.advance(LONGEST - 1)
    assert not searching.done()
    await bench.clock.advance(1)
    found = await searching
    assert [each["id"] for each in found] == ["new", "m2", "m1", "m0"]
    assert found.notes == [
        "the server of dead could not be asked: the mail server h takes no connections",
        f"the server of silent could not be asked: no answer within {LONGEST:g} s",
        "asked the server of alive: 1 found there, 1 of them not taken in",
    ]
