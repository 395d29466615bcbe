"""The feed of an account against a real server."""

from __future__ import annotations

import asyncio

import pytest

from pepper_tui.connectors.imap.connection.session import Session
from pepper_tui.domains.mail.mailbox import Mailbox
from tests.connectors.imap.conftest import Make
from tests.connectors.imap.proxy import Proxy
from tests.connectors.imap.servers import PASSWORD, Server
from tests.domains.mail.mails import mail
from tests.waiting import until


def mails(first: int, last: int) -> list[bytes]:
    return [mail(number=number, subject=f"mail {number}") for number in range(first, last + 1)]


async def test_what_lies_there_comes_in_quietly_the_newest_first_and_what_comes_is_news(
    server: Server, account: Make
) -> None:
    with server.other() as other:
        other.deliver(*mails(1, 60))
        work = account(server.port)
        await work.start()
        await work.until_signals(60)
        stored = [each.data["message_id"] for each in await work.mails()]
        assert stored == [f"<m{number}@example.com>" for number in range(60, 0, -1)]
        assert await work.news() == {}
        assert {each.data["account"] for each in await work.mails()} == {"work"}
        assert {each.data["label"] for each in await work.mails()} == {"INBOX"}
        before = work.clock.monotonic()
        other.deliver(mail(number=100, subject="Now"))
        await work.until_signals(61, 10)
        assert work.clock.monotonic() == before  # it was pushed: no time has passed for a look
        assert await work.news() == {"<m100@example.com>": "high"}
        assert other.unread() == 61
        assert (await Mailbox(work.store).search("Now"))[0]["subject"] == "Now"


async def test_a_second_start_takes_nothing_twice_and_tells_what_came_meanwhile(server: Server, account: Make) -> None:
    with server.other() as other:
        other.deliver(*mails(1, 5))
        work = account(server.port)
        await work.start()
        await work.until_signals(5)
        await work.stop()
        other.deliver(mail(number=6))
        other.remove("<m5@example.com>")
    again = account(server.port)
    await again.start()
    await again.until_signals(6)
    assert await again.news() == {"<m6@example.com>": "high"}
    assert [each.version for each in await again.mails()] == [1] * 6


async def test_what_arrives_while_much_is_taken_in_goes_before_the_rest(server: Server, account: Make) -> None:
    """And how far it is is told meanwhile."""
    with server.other() as other:
        other.deliver(*mails(1, 400))
        work = account(server.port)
        said: list[str] = []

        async def listen() -> None:
            async with work.store.watch(["health"]) as updates:
                async for batch in updates:
                    said.extend(f"{each.context.data['state']} {each.context.data['detail']}" for each in batch)

        listening = asyncio.create_task(listen())
        work.hurry()
        starting = asyncio.create_task(work.start())
        await until(lambda: any("taking in" in words for words in said), 30)
        await asyncio.to_thread(other.deliver, mail(number=900, subject="Now"))

        async def there() -> bool:
            return await work.news() != {}

        await until(there, 30)
        waiting = 401 - len(await work.mails())
        await starting
        await work.until_signals(401)
        listening.cancel()
    assert waiting > 50
    assert "starting taking in your mail: 0 of 400" in said
    assert await work.news() == {"<m900@example.com>": "high"}


async def test_other_folders_are_looked_at_by_their_names_in_any_letters(server: Server, account: Make) -> None:
    with server.other() as other:
        other.client.create_folder("Entwürfe & Pläne")
        other.deliver(*mails(1, 2), folder="Entwürfe & Pläne")
        other.deliver(mail(number=3))
        work = account(server.port, folders=["INBOX", "Entwürfe & Pläne"])
        await work.start()
        await work.until_signals(3)
        other.deliver(mail(number=4), folder="Entwürfe & Pläne")
        await work.clock.advance(61)
        await work.until_signals(4)
    assert [each.data["label"] for each in await work.mails()] == ["INBOX", *["Entwürfe & Pläne"] * 3]
    assert await work.news() == {"<m4@example.com>": "high"}
    _, detail, _ = await work.health()
    assert detail == "watching INBOX of alex at 127.0.0.1, and looking each 60 s at Entwürfe & Pläne"


async def test_a_folder_that_is_counted_anew_tells_nothing_twice(server: Server, account: Make) -> None:
    with server.other() as other:
        other.client.create_folder("Lists")
        other.deliver(*mails(1, 30), folder="Lists")
        work = account(server.port, folders=["Lists"])
        await work.start()
        await work.until_signals(30)
        other.deliver(*mails(31, 31), folder="Lists")
        await work.until_signals(31)
        await work.stop()
        other.renumber("Lists", [*mails(1, 31), mail(number=32, subject="Meanwhile")])
    again = account(server.port, folders=["Lists"])
    await again.start()
    await again.until_signals(32)
    assert len(await again.mails()) == 32
    assert set(await again.news()) == {"<m31@example.com>", "<m32@example.com>"}


async def test_a_mail_that_has_gone_between_two_looks_holds_nothing_up(server: Server, account: Make) -> None:
    with server.other() as other:
        other.deliver(*mails(1, 3))
        session = Session(account(server.port).settings, PASSWORD)
        session.connect()
        session.open("INBOX")
        uids = session.uids(1)
        other.remove("<m2@example.com>")
        session.noop()
        assert [body.uid for body in session.bodies(uids, 100_000, 50_000)] == [uids[0], uids[2]]
        assert list(session.sizes(uids)) == [uids[0], uids[2]]
        session.close()


async def test_a_mail_is_read_as_far_as_it_may_be(server: Server, account: Make) -> None:
    big = mail(number=2, text="The beginning.") + b"x" * 76 + (b"y" * 76 + b"\r\n") * (50_000_000 // 78)
    with server.other() as other:
        other.deliver(big)
        other.deliver(mail(number=3))
        work = account(server.port, max_bytes=1_000_000, timeout=60)
        await work.start()
        await work.until_signals(2)
        [small, cut] = await work.mails()
        assert small.data["message_id"] == "<m3@example.com>"
        assert cut.data["size"] > 50_000_000
        assert "only the first 1000000 bytes were read" in cut.data["defects"]
        assert len(cut.data["text"]) <= 200_000
        _, detail, _ = await work.health()
        assert "1 of your mails could only be read in part" in detail


@pytest.mark.parametrize("password", ["wrong", ""])
async def test_a_password_that_is_not_taken_is_told_and_not_tried_again_and_again(
    server: Server, account: Make, password: str
) -> None:
    with Proxy(server.port) as road:
        work = account(road.port)
        work.environment["PASSWORD"] = password
        await work.start("trouble")
        state, detail, remedy = await work.health()
        if password:
            assert "did not accept the user alex and the password" in detail
            assert "app password" in remedy
        else:
            assert detail == "env:PASSWORD has no value"
            assert "account work" in remedy
        began = work.clock.monotonic()
        work.hurry()
        await until(lambda: work.clock.monotonic() > began + 70, 60)
        assert road.connections <= 1
        assert await work.health() == (state, detail, remedy)
        work.environment["PASSWORD"] = PASSWORD
        await work.until_health("ok")
