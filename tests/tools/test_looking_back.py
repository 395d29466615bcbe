"""Searches within a time: of mail by its own date, of all else by when it was; a limit that was met is said."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from pepper_tui.domains.mail.mailbox import Mailbox
from pepper_tui.domains.memory import context_tools
from pepper_tui.model import CallState, Namespace, UserMessage
from tests.rules.world import mail_data
from tests.tools.bench import Bench

DAYS = ("2026-11-16", "2026-11-25", "2026-11-26", "2026-11-27")
"""Of a mail and a message each, at noon; today is the last of them, 17:00."""
RANGES = {
    (): DAYS,
    (("since", "today"),): DAYS[3:],
    (("since", "yesterday"),): DAYS[2:],
    (("since", "yesterday"), ("until", "yesterday")): DAYS[2:3],
    (("since", "this week"),): DAYS[1:],
    (("since", "last week"), ("until", "last week")): DAYS[:1],
    (("since", "2 days ago"), ("until", "2026-11-26 11:00")): DAYS[1:2],
    (("until", "thursday"),): DAYS[:3],
    (("since", "2026-11-25T12:30+00:00"),): DAYS[2:],
}


@pytest.fixture
async def filled(bench: Bench) -> Bench:
    bench.parts.mail.mailbox, bench.time.zone = Mailbox(bench.store), UTC
    for number, day in enumerate(DAYS):
        at = datetime.fromisoformat(f"{day}T12:00+00:00").timestamp()
        bench.clock.jump(at - bench.clock.now())
        said = UserMessage(f"said{number}", f"lunch on {day}", at, spans=[])
        await bench.store.put(said, namespace=Namespace.USER_MESSAGE, text=said.text)
    bench.clock.jump(5 * 3600)
    folders = ("INBOX", "Work/Archive", ".Work.Archive", "Sent")
    for number, (day, folder) in enumerate(zip(DAYS, folders, strict=True)):  # all taken in today, as at a first look
        at = datetime.fromisoformat(f"{day}T12:00+00:00").timestamp()
        data = mail_data(f"m{number}", "Ann", "ann@x.org", f"lunch of {day}", "see you", at, label=folder)
        await bench.store.store(data, namespace="raw.mail", context_id=f"m{number}", text=data["subject"])
    return bench


async def said(bench: Bench, name: str, **arguments: Any) -> str:
    call = await bench.schedule(name, **arguments)
    await bench.state(call, CallState.SUCCEEDED, CallState.FAILED)
    return (await bench.result(call)).content


@pytest.mark.parametrize("query", ["", "lunch"])
@pytest.mark.parametrize("asked", RANGES)
async def test_mail_is_found_by_its_own_date(filled: Bench, asked: tuple[tuple[str, str], ...], query: str) -> None:
    found = await said(filled, "search_mail", query=query, **dict(asked))
    assert [day for day in DAYS if f"lunch of {day}" in found] == list(RANGES[asked])


@pytest.mark.parametrize("asked", RANGES)
async def test_all_else_is_found_by_when_it_was(filled: Bench, asked: tuple[tuple[str, str], ...]) -> None:
    found = await said(filled, "search_context", query="lunch", limit=50, **dict(asked))
    assert [day for day in DAYS if f"lunch on {day}" in found] == list(RANGES[asked])
    assert [day for day in DAYS if f"lunch of {day}" in found] == list(RANGES[asked])


@pytest.mark.parametrize("name", ["search_mail", "search_context", "activity"])
@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"since": "tomorrow"}, "is not over yet"),
        ({"until": "someday"}, "is not a time in the past that I can read"),
        ({"since": "today", "until": "yesterday"}, "'until' is not after 'since'"),
    ],
)
async def test_a_time_that_can_not_be_meant_is_refused(
    filled: Bench, name: str, asked: dict[str, str], words: str
) -> None:
    query = {} if name == "activity" else {"query": "lunch"}
    assert words in await said(filled, name, **query, **asked)


async def test_times_are_of_the_users_zone(filled: Bench) -> None:
    filled.time.zone = ZoneInfo("Pacific/Auckland")  # 05:00 of the 28th there
    assert "2026-11-27" in await said(filled, "search_mail", query="", since="today")
    assert "2026-11-26" not in await said(filled, "search_mail", query="", since="today")
    assert "2026-11-26" in await said(filled, "search_mail", query="", since="yesterday", until="yesterday")


@pytest.mark.parametrize(
    ("folder", "days"), [("INBOX", DAYS[:1]), ("inbox", DAYS[:1]), ("archive", DAYS[1:3]), ("Work/Archive", DAYS[1:2])]
)
async def test_a_folder_is_named_as_the_mailbox_has_it(filled: Bench, folder: str, days: tuple[str, ...]) -> None:
    found = await said(filled, "search_mail", query="", folder=folder)
    assert [day for day in DAYS if day in found] == list(days)
    assert "no mail was seen" not in found


async def test_a_folder_that_there_is_not_is_said_with_those_there_are(filled: Bench) -> None:
    found = await said(filled, "search_mail", query="lunch", folder="spam")
    assert "No mail matches." in found
    assert "[no mail was seen in folder 'spam', but in: .Work.Archive, INBOX, Sent, Work/Archive]" in found


async def test_a_limit_that_was_met_is_said(filled: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "[more match than these 1" in await said(filled, "search_mail", query="", since="last week", limit=1)
    assert "[more match than these 1" in await said(filled, "search_context", query="lunch", since="today", limit=1)
    monkeypatch.setattr(context_tools, "LOOKED", 2)
    assert "only the best 2 hits were looked at" in await said(
        filled, "search_context", query="lunch", until="2026-11-01"
    )
