"""Servers that keep to no bounds: what they say is bounded, told, and holds up neither the loop nor the end."""

from __future__ import annotations

import asyncio
import resource
import time
from pathlib import Path

import pytest

from pepper_tui.config import Config
from pepper_tui.connectors.finding import Patient
from pepper_tui.connectors.imap.check import check
from pepper_tui.connectors.imap.connection.wire import Wire
from tests.connectors.imap import hostile
from tests.connectors.imap.conftest import Make
from tests.connectors.imap.hostile import Hostile, Say

EVERYWHERE = [hostile.line, hostile.literal, hostile.garbage, hostile.flood]
COMMANDS = ["GREETING", "CAPABILITY", "LOGIN", "EXAMINE", "SEARCH", "FETCH", "IDLE"]


@pytest.mark.parametrize(
    ("command", "say"),
    [*((command, say) for command in COMMANDS for say in EVERYWHERE), ("FETCH", hostile.nested)],
    ids=lambda each: each if isinstance(each, str) else each.__name__,
)
async def test_a_feed_is_bounded_and_says_so(account: Make, command: str, say: Say) -> None:
    before, longest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, 0.0

    async def beat() -> None:
        nonlocal longest
        while True:
            began = time.monotonic()
            await asyncio.sleep(0.01)
            longest = max(longest, time.monotonic() - began)

    beating = asyncio.create_task(beat())
    with Hostile({command: say}) as server:
        work = account(server.port, timeout=3)
        began = time.monotonic()
        await work.start("trouble")
        assert time.monotonic() - began < 30
        _, detail, remedy = await work.health()
        assert "the mail server 127.0.0.1" in detail
        assert remedy
        began = time.monotonic()
        await work.stop()
        assert time.monotonic() - began < 2
    beating.cancel()
    assert longest < 2
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 150_000  # KB


async def test_news_before_the_go_ahead_of_idle_makes_a_new_link(account: Make) -> None:
    def idle(tag: bytes) -> hostile.Iterator[bytes]:
        yield b"* 2 EXISTS\r\n+ idling\r\n" if server.asked.count("IDLE") == 1 else b"+ idling\r\n"

    with Hostile({"IDLE": idle}) as server:
        work = account(server.port, timeout=3)
        await work.start("trouble")
        work.hurry()
        await work.until_health("ok")
        assert server.asked.count("LOGIN") == 2


async def test_a_connection_that_ends_at_the_sign_in_is_no_wrong_password(account: Make) -> None:
    with Hostile({"LOGIN": hostile.end}) as server:
        work = account(server.port, timeout=3)
        await work.start("trouble")
        assert (await work.health())[1].endswith("ended the connection")


async def test_a_body_without_an_end_is_passed_over_after_some_tries(account: Make) -> None:
    def fetch(tag: bytes) -> hostile.Iterator[bytes]:
        if b"BODY" in server.commands[-1]:
            yield from hostile.body(tag)
        else:
            yield b"* 1 FETCH (UID 1 RFC822.SIZE 20 FLAGS ())\r\n" + tag + b" OK done\r\n"

    with Hostile({"FETCH": fetch}) as server:
        work = account(server.port, timeout=3)
        work.hurry()
        await work.start("trouble")
        _, detail, remedy = await work.until_health("trouble", "1 mails were not given by the server")
        assert "watching INBOX" in detail
        assert remedy == "look at them in another mail program"


async def test_a_million_folders_are_not_listed(account: Make, tmp_path: Path) -> None:
    with Hostile({"LIST": hostile.folders}) as server:
        work = account(server.port, smtp={"host": "127.0.0.1", "port": 1, "security": "none", "timeout": 1})
        patient = Patient(tmp_path, Config(), work.secrets, {})
        began = time.monotonic()
        found = [finding async for finding in check(work.settings, patient)]
        assert time.monotonic() - began < 20
    assert [finding.state for finding in found] == ["trouble", "trouble"]
    assert "sends more lines than it may" in found[0].detail
    assert found[1].part == "sending me@example.org"


async def test_a_server_that_drips_is_one_that_does_not_answer(account: Make) -> None:
    with Hostile({"SEARCH": hostile.drip}) as server:
        work = account(server.port, timeout=5)
        work.hurry()
        await work.start("trouble")
        assert "does not answer" in (await work.health())[1]


async def test_what_stands_in_clear_after_starttls_is_dropped(account: Make) -> None:
    with Hostile({}, more=b"* CAPABILITY IMAP4rev1 EVIL\r\n") as server:
        wire = Wire("127.0.0.1", server.port, None, 3)
        wire.allow(10_000)
        wire.noop()
        wire.send(b"x NOOP\r\n")
        assert wire.readline().startswith(b"* CAPABILITY")
        assert wire.waiting
        wire.sock = wire.sock.dup()  # as TLS puts another in its place
        wire.sock.settimeout(0.2)
        with pytest.raises(TimeoutError):
            wire.readline()
        wire.shutdown()
