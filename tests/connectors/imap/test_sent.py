"""Sending from an account, and the one copy of what was sent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pepper_tui.connectors.imap.sent import AGAIN_AFTER, COPIES, FOLDER
from pepper_tui.domains.mail.message import build_message
from pepper_tui.domains.mail.outbox import OutcomeUnknownError
from pepper_tui.domains.mail.writing.accounts import MailAccounts
from pepper_tui.model import CallState, ContextFilter, Namespace
from pepper_tui.tools.errors import NotDoneError
from tests.connectors.imap.account import Account
from tests.connectors.imap.conftest import Make
from tests.connectors.imap.servers import Other, Server
from tests.tools.bench import Bench
from tests.tools.sink import Sink
from tests.waiting import until

SENT = "Sent Messages"


def message(work: Account, message_id: str = "<sent1@example.org>") -> str:
    return build_message(
        work.built.outboxes[0],
        to=["bob@x.org"],
        cc=[],
        subject="Grüße",
        body="text",
        message_id=message_id,
        at=work.clock.now(),
    )


def sending(sink: Sink, **more: Any) -> dict[str, Any]:
    return {"sent": SENT, "smtp": {"host": "127.0.0.1", "port": sink.port, "security": "none", "login": False}, **more}


async def send(work: Account, message_id: str = "<sent1@example.org>") -> str:
    return await work.built.outboxes[0].send(["bob@x.org"], message(work, message_id), lambda: None)


async def state(work: Account, message_id: str = "<sent1@example.org>") -> str:
    found = await work.store.get(message_id, namespace=COPIES)
    return str(found.data["state"]) if found else ""


async def until_kept(work: Account, message_id: str = "<sent1@example.org>", wanted: str = "kept") -> None:
    async def is_so() -> bool:
        return await state(work, message_id) == wanted

    work.hurry()
    try:
        await until(is_so, 60)
    except AssertionError as error:
        raise AssertionError(f"it is {await state(work, message_id)}; {await work.health()}") from error


def left(home: Path) -> list[str]:
    return [each.name for each in (home / FOLDER).glob("*")] if (home / FOLDER).exists() else []


@pytest.fixture
def other(server: Server) -> Any:
    with server.other() as program:
        program.client.create_folder(SENT)
        yield program


async def test_what_is_sent_lies_in_the_folder_once_and_read(
    server: Server, other: Other, account: Make, tmp_path: Path
) -> None:
    async with Sink() as sink:
        work = account(server.port, **sending(sink, folders=["INBOX", SENT]))
        await work.start()
        await send(work)
        assert other.ids(SENT) == []
        assert len(left(tmp_path)) == 1
        await until_kept(work)
        assert other.ids(SENT) == ["<sent1@example.org>"]
        assert other.unread(SENT) == 0
        await until(lambda: left(tmp_path) == [])  # the file goes after the row
        await send(work, "<sent2@example.org>")
        await until_kept(work, "<sent2@example.org>")
        assert other.ids(SENT) == ["<sent1@example.org>", "<sent2@example.org>"]
        assert len(sink.taken) == 2


async def test_what_is_sent_before_the_account_is_watched_gets_its_copy(
    server: Server, other: Other, account: Make
) -> None:
    """At a start open calls go on before the feeds; `pepper ask` has none at all."""
    async with Sink() as sink:
        work = account(server.port, **sending(sink))
        await send(work)
        await work.start()
        await until_kept(work)
        assert other.ids(SENT) == ["<sent1@example.org>"]


async def test_a_mail_that_the_user_has_approved_goes_out_and_lies_in_the_folder(
    server: Server, other: Other, bench: Bench, tmp_path: Path
) -> None:
    async with Sink() as sink:
        work = Account(bench.store, bench.clock, tmp_path, server.port, sending(sink))
        await work.start()
        bench.parts.mail.accounts = MailAccounts.of(work.built.outboxes[0])
        call_id = await bench.schedule("send_mail", to="bob@x.org", subject="Lunch", body="At noon?")
        card = await bench.card(call_id)
        await bench.yes(call_id)
        await bench.state(call_id, CallState.SUCCEEDED)
        message_id = str(card.resolved.payload["message_id"])
        await until_kept(work, message_id)
        assert other.ids(SENT) == [message_id]
        assert len(sink.taken) == 1
        await work.stop()


async def test_a_server_that_keeps_a_copy_itself_gets_none(
    server: Server, other: Other, account: Make, tmp_path: Path
) -> None:
    async with Sink() as sink:
        work = account(server.port, **sending(sink))
        await work.start()
        await send(work)
        other.deliver(message(work).encode(), folder=SENT)  # within the time that it may take
        await until_kept(work)
        assert other.ids(SENT) == ["<sent1@example.org>"]
        await send(work, "<sent2@example.org>")
        await until_kept(work, "<sent2@example.org>")
        assert other.ids(SENT) == ["<sent1@example.org>"]  # it is known to do so
        await until(lambda: left(tmp_path) == [])  # the file goes after the row


async def test_a_copy_whose_answer_was_lost_is_not_put_twice(server: Server, other: Other, account: Make) -> None:
    async with Sink() as sink:
        work = account(server.port, **sending(sink))
        await work.start()
        await work.stop()
        await send(work)
        found = await work.store.get("<sent1@example.org>", namespace=COPIES)
        assert found is not None
        other.deliver(message(work).encode(), folder=SENT)
        await work.store.store(
            {**found.data, "tried": True}, namespace=COPIES, context_id="<sent1@example.org>", tags={"due"}
        )
        again = account(server.port, **sending(sink))
        await again.start()
        await until_kept(again)
        assert other.ids(SENT) == ["<sent1@example.org>"]
        await send(again, "<sent2@example.org>")
        await until_kept(again, "<sent2@example.org>")
        assert other.ids(SENT) == ["<sent1@example.org>", "<sent2@example.org>"]  # the first was Pepper's own


@pytest.mark.parametrize(
    ("ended", "lies"),
    [(CallState.SUCCEEDED, True), (CallState.FAILED, False), (CallState.CANCELLED, False), (CallState.UNKNOWN, False)],
)
async def test_after_a_kill_in_the_midst_of_a_send_the_calls_end_decides(
    server: Server, other: Other, account: Make, ended: CallState, lies: bool
) -> None:
    async with Sink() as sink:
        before = account(server.port, **sending(sink))
        await before.start()
        await before.stop()
        outbox: Any = before.built.outboxes[0]
        noted = await outbox.copies.note(message(before))
        await before.store.store({"id": noted, "call": "call_1"}, namespace=Namespace.SENT, context_id=noted)
        await before.store.store({"state": str(ended)}, namespace=Namespace.TOOL_CALL, context_id="call_1")
        work = account(server.port, **sending(sink))
        await work.start()
        await send(work, "<sent2@example.org>")
        await until_kept(work, "<sent2@example.org>")  # by then the other one was looked at, too
        wanted = "kept" if lies else "waiting" if ended is CallState.UNKNOWN else "dropped"
        await until_kept(work, wanted=wanted)
        assert sorted(other.ids(SENT)) == ["<sent1@example.org>"] * lies + ["<sent2@example.org>"]
        assert len(sink.taken) == 1


async def test_nothing_is_copied_of_what_did_not_leave_or_is_not_known_to(
    server: Server, other: Other, account: Make, tmp_path: Path
) -> None:
    work = account(server.port, sent=SENT, smtp={"host": "127.0.0.1", "port": 1, "security": "none", "timeout": 2})
    await work.start()
    with pytest.raises(NotDoneError):
        await send(work)
    assert await state(work) == "dropped"
    await until(lambda: left(tmp_path) == [])  # the file goes after the row


async def test_no_copy_where_none_is_wished(server: Server, other: Other, account: Make, tmp_path: Path) -> None:
    async with Sink() as sink:
        work = account(server.port, **sending(sink, keep_copy=False))
        await work.start()
        await send(work)
        assert await work.store.count(ContextFilter(namespaces=[COPIES])) == 0
        await until(lambda: left(tmp_path) == [])  # the file goes after the row


async def test_a_folder_that_is_missing_is_told_and_the_copy_kept_later(
    server: Server, account: Make, tmp_path: Path
) -> None:
    async with Sink() as sink:
        work = account(server.port, **sending(sink, sent="Out"))
        await work.start()
        await send(work)

        async def told() -> bool:
            return "no copy of what was sent could be kept" in (await work.health())[1]

        work.hurry()
        await until(told, 60)
        assert (await work.health())[0] == "trouble"
        assert len(left(tmp_path)) == 1
        with server.other() as program:
            program.client.create_folder("Out")
            await work.clock.advance(AGAIN_AFTER)
            await until_kept(work)
            assert program.ids("Out") == ["<sent1@example.org>"]
        await work.until_health("ok")


def test_the_unknown_is_no_failure() -> None:
    """The two errors are told apart by the outbox: what is not known stays open."""
    assert not issubclass(OutcomeUnknownError, NotDoneError)
