"""At the screen, on a whole engine: what is done with a mail in another program ends what waits on it here."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from textual.pilot import Pilot

from pepper_tui.clock import ManualClock
from pepper_tui.config import parse_config
from pepper_tui.engine.engine import Engine
from pepper_tui.model import OPEN_TAG, ContextFilter
from pepper_tui.ui.screen.app import PepperApp
from tests.connectors.imap.servers import PASSWORD, USER, Other, Server
from tests.domains.mail.mails import mail
from tests.ui.seat import until
from tests.ui.test_matter_keys import text_of

CONFIG = """
[user]
name = "Alex"
addresses = ["me@example.org"]
vips = ["alice@example.com"]
zone = "UTC"
[[account]]
id = "work"
kind = "imap"
address = "me@example.org"
host = "127.0.0.1"
port = {port}
user = "{user}"
security = "none"
password = "env:IMAP_PASSWORD"
folders = {folders}
[account.smtp]
host = "127.0.0.1"
port = 9
security = "none"
login = false
[mail.templates]
ack = "Hi {{first_name}}, thanks."
[[watch]]
name = "alice"
sender = "alice@example.com"
draft = "ack"
notify = true
"""
Desk = tuple[Engine, PepperApp, Pilot[str], ManualClock]


@asynccontextmanager
async def desk(server: Server, home: Path, folders: str = '["INBOX"]') -> AsyncIterator[Desk]:
    clock = ManualClock(time.time() - 3600)
    config = parse_config(CONFIG.format(port=server.port, user=USER, folders=folders), home / "config.toml")
    engine = await Engine.open(home, config, clock)

    async def factory() -> Engine:
        return engine

    async def passing() -> None:
        while True:
            await clock.advance(0.5)
            await asyncio.sleep(0.05)

    app = PepperApp(factory, clock=clock)
    async with app.run_test(size=(120, 40)) as pilot:
        hurry = asyncio.create_task(passing())
        try:
            await until(lambda: app.link.engine is not None, pilot, 30)
            await state_of(engine, pilot, "health", "feed.work", "ok")
            yield engine, app, pilot, clock
        finally:
            hurry.cancel()
            with suppress(asyncio.CancelledError):
                await hurry


async def state_of(engine: Engine, pilot: Pilot[str], namespace: str, ident: str, state: str) -> None:
    deadline = time.monotonic() + 40
    while True:
        found = await engine.store.get(ident, namespace=namespace)
        if found is not None and found.data["state"] == state:
            return
        assert time.monotonic() < deadline, found
        await pilot.pause(0.05)


async def waiting(engine: Engine, pilot: Pilot[str], notices: int, drafts: int) -> None:
    deadline = time.monotonic() + 40
    while True:
        counts = [
            await engine.store.count(ContextFilter(namespaces=[each], tags=[OPEN_TAG]))
            for each in ("notification", "approval")
        ]
        if counts == [notices, drafts]:
            return
        assert time.monotonic() < deadline, counts
        await pilot.pause(0.05)


@pytest.fixture
def other(server: Server, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Other]:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.setenv("IMAP_PASSWORD", PASSWORD)
    with server.other() as program:
        yield program  # type: ignore[misc]


async def test_a_card_ends_when_its_mail_is_answered_in_another_program(
    server: Server, other: Other, tmp_path: Path
) -> None:
    """It is told why, and what the user takes back stays; nothing of it is a step or a new card."""
    async with desk(server, tmp_path / "home") as (engine, app, pilot, _):
        other.deliver(mail(number=1, subject="Figures", text="Can you send the figures?"))
        await waiting(engine, pilot, 1, 1)
        await until(lambda: "inbox 1" in text_of(app), pilot, 20)
        steps = await engine.store.count(ContextFilter(namespaces=["step"]))
        other.mark("<m1@example.com>", rb"\Answered")
        await waiting(engine, pilot, 0, 0)
        [notice] = await engine.store.query(ContextFilter(namespaces=["notification"]))
        [card] = await engine.store.query(ContextFilter(namespaces=["approval"]))
        assert notice.metadata["withdrawn"] == "you answered it"
        assert (card.data["state"], card.data["decision_note"]) == ("withdrawn", "you answered it")
        await until(lambda: "inbox 1" not in text_of(app), pilot, 20)
        for ref in (f"notification:{notice.context_id}", f"approval:{card.context_id}"):
            assert "withdrawn: you answered it" in " ".join(await engine.why(ref))
        assert "back" in await engine.undo()
        await until(lambda: "inbox 1" in text_of(app), pilot, 20)
        other.mark("<m1@example.com>", rb"\Flagged")
        other.deliver(mail(number=2, subject="Later", text="Can you send the plan?"))
        await until(lambda: "inbox 2" in text_of(app), pilot, 40)
        assert await engine.store.count(ContextFilter(namespaces=["step"])) <= steps + 1
