"""What may become of the road to the server."""

from __future__ import annotations

import asyncio
import time

import pytest

from tests.connectors.imap.conftest import Certificate, Make
from tests.connectors.imap.proxy import FAULTS, Fault, Proxy
from tests.connectors.imap.servers import Server
from tests.domains.mail.mails import mail
from tests.waiting import until


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_link_that_is_dead_is_found_and_made_anew_within_a_minute(
    server: Server, account: Make, fault: Fault
) -> None:
    with Proxy(server.port) as road, server.other() as other:
        other.deliver(mail(number=1))
        work = account(road.port, timeout=6)
        await work.start()
        await work.until_signals(1)
        road.fail(fault)
        other.deliver(mail(number=2))
        if fault == "silent":
            await work.clock.advance(26)  # the longest that it is silent before it is asked
        await work.until_health("trouble", "ended the connection" if fault == "ended" else "")
        await work.clock.advance(2)
        await work.until_signals(2)
        assert await work.news() == {"<m2@example.com>": "high"}
        await work.until_health("ok")
        assert road.connections == 2


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_link_that_is_lost_after_long_is_no_trouble(server: Server, account: Make, fault: Fault) -> None:
    with Proxy(server.port) as road:
        work = account(road.port, timeout=6)
        said: list[str] = []

        async def listen() -> None:
            async with work.store.watch(["health"]) as updates:
                async for batch in updates:
                    said.extend(each.context.data["state"] for each in batch)

        listening = asyncio.create_task(listen())
        await work.start()
        work.hurry()
        await until(lambda: work.clock.monotonic() > 100, 60)
        road.fail(fault)
        await until(lambda: road.connections == 2, 30)
        await work.until_health("ok")
        listening.cancel()
        assert set(said) == {"starting", "ok"}


async def test_a_server_that_is_not_there_is_told_and_found_once_it_is(server: Server, account: Make) -> None:
    with Proxy(server.port) as road:
        port = road.port
    work = account(port, timeout=2)
    await work.start("trouble")
    assert (await work.health())[1] == f"the mail server 127.0.0.1:{port} takes no connections"


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_link_that_fails_in_the_midst_of_much_mail_loses_none(
    server: Server, account: Make, fault: Fault
) -> None:
    with Proxy(server.port) as road, server.other() as other:
        other.deliver(*(mail(number=number) for number in range(1, 151)))
        work = account(road.port, timeout=6)
        starting = asyncio.create_task(work.start())
        for failures in (20, 80):

            async def taken(least: int = failures) -> bool:
                return len(await work.mails()) >= least

            await until(taken, 60)
            road.fail(fault)
            if failures == 20:
                work.hurry()
        await starting
        await work.until_signals(150)
    assert [each.version for each in await work.mails()] == [1] * 150
    assert await work.news() == {}


async def test_a_stop_waits_for_no_server_that_is_silent(server: Server, account: Make) -> None:
    with Proxy(server.port) as road:
        work = account(road.port, timeout=60)
        await work.start()
        road.fail("silent")
        await work.clock.advance(26)  # it is asked whether it is there
        began = time.monotonic()
        await work.stop()
        assert time.monotonic() - began < 2


@pytest.mark.parametrize("security", ["tls", "starttls"])
async def test_a_certificate_of_a_ca_that_nobody_knows_is_told_and_can_be_named(
    server: Server, account: Make, certificate: Certificate, security: str
) -> None:
    with Proxy(server.port, certificate.context() if security == "tls" else None) as road:
        work = account(road.port, host="localhost", security=security)
        await work.start("trouble")
        _, detail, remedy = await work.health()
        assert detail.startswith(f"the certificate of the mail server localhost:{road.port} is not valid (self")
        assert "name its certificate in ca" in remedy
        await work.stop()
        with server.other() as other:
            other.deliver(mail(number=1))
            trusting = account(road.port, host="localhost", security=security, ca=certificate.file)
            await trusting.start()
            await trusting.until_signals(1)
            other.deliver(mail(number=2))
            await trusting.until_signals(2, 10)


@pytest.mark.parametrize(("security", "words"), [("tls", "does not speak TLS"), ("none", "says what is no IMAP")])
async def test_the_wrong_kind_of_security_is_told(
    server: Server, account: Make, certificate: Certificate, security: str, words: str
) -> None:
    with Proxy(server.port, certificate.context() if security == "none" else None) as road:
        work = account(road.port, security=security, timeout=2)
        await work.start("trouble")
        _, detail, remedy = await work.health()
        if security == "tls":
            assert words in detail
            assert "check port and security" in remedy
        else:
            assert "does not answer" in detail or "ended the connection" in detail
