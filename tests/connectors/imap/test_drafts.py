"""Putting a mail among the drafts of an account: once, whatever is lost on the way."""

from __future__ import annotations

from typing import Any

import pytest

from pepper_tui.domains.mail.outbox import OutcomeUnknownError
from pepper_tui.tools.errors import NotDoneError
from tests.connectors.imap.account import Account
from tests.connectors.imap.conftest import Make
from tests.connectors.imap.middle import CUTS, Cut, Middle
from tests.connectors.imap.servers import Other, Server

OURS = "<draft1@example.org>"
MAIL = f"From: me@example.org\nTo: bob@x.org\nSubject: Rent\nMessage-ID: {OURS}\n\nHow much?\n"


@pytest.fixture
def other(server: Server) -> Any:
    with server.other() as program:
        program.client.create_folder("Drafts")
        yield program


async def save(work: Account) -> str:
    return await work.built.drafts[0].save(OURS, MAIL)


async def test_a_draft_lies_there_once_marked_as_one_and_makes_no_signal(
    server: Server, other: Other, account: Make
) -> None:
    work = account(server.port, folders=["INBOX", "Drafts"])
    assert await work.built.drafts[0].holds(OURS) is False
    assert await save(work) == await save(work) == "Drafts of account work"
    assert other.ids("Drafts") == [OURS]
    flags = other.client.get_flags(other.client.search())
    assert {flag.lower() for each in flags.values() for flag in each} >= {rb"\seen", rb"\draft"}
    assert await work.built.drafts[0].holds(OURS) is True
    await work.start()
    await work.until_signals(1)
    assert await work.news() == {}


async def test_the_folder_is_the_one_that_is_named_or_it_is_said_that_there_is_none(
    server: Server, account: Make
) -> None:
    with server.other() as program:
        program.client.create_folder("Work")
        named = account(server.port, drafts="Work")
        await save(named)
        assert program.ids("Work") == [OURS]
    for settings, words in (({}, "no folder for drafts; name one"), ({"drafts": "None"}, "no folder 'None'; fix")):
        with pytest.raises(NotDoneError, match=words):
            await save(account(server.port, **settings))


@pytest.mark.parametrize("cut", CUTS)
async def test_a_lost_answer_is_no_second_draft(server: Server, other: Other, account: Make, cut: Cut) -> None:
    with Middle(server.port) as road:
        work = account(road.port)
        road.cut_at("APPEND", cut)
        with pytest.raises(OutcomeUnknownError):
            await save(work)
        there = await work.built.drafts[0].holds(OURS)
        if cut == "before":
            assert there is False
        await save(work)
        assert other.ids("Drafts") == [OURS]
