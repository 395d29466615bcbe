"""A key on a matter's card is about all of it: its notices and its draft, in one act with one undo."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from pepper_tui.clock import ManualClock
from pepper_tui.config import parse_config
from pepper_tui.engine.engine import Engine
from pepper_tui.model import (
    OPEN_TAG,
    Approval,
    CallState,
    ContextFilter,
    EngineError,
    Namespace,
    Notification,
    Priority,
    ToolCall,
)
from tests.rules.world import mail_data
from tests.waiting import until

CONFIG = """
[user]
name = "Me"
addresses = ["me@example.com"]
zone = "UTC"
[mail]
maildir = ["mail"]
[mail.smtp]
host = "127.0.0.1"
port = 1
security = "none"
"""


@asynccontextmanager
async def opened(home: Path, clock: ManualClock, config: str = CONFIG) -> AsyncIterator[Engine]:
    """An engine without a model that has taken in one mail, of the boss."""
    engine = await Engine.open(home, parse_config(config, home / "config.toml"), clock)
    await engine.start(feeds=False)
    mail = mail_data("m1", "Boss Bertha", "boss@example.org", "Offsite", "which room?", clock.now())
    tags, who = ["message:<m1@x>"], {"sender": "Boss Bertha boss@example.org"}
    await engine.store.store(mail, namespace="raw.mail", context_id="m1", tags=tags, metadata=who)
    try:
        yield engine
    finally:
        await engine.close()


@pytest.fixture
async def engine(tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Engine]:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    async with opened(tmp_path, clock) as one:
        yield one


async def drafted(engine: Engine, clock: ManualClock) -> tuple[str, str]:
    """A notice and a draft of one matter: their refs."""
    await engine.say("reply to boss: The room is booked.")

    async def there() -> bool:
        return bool(await _cards(engine))

    await until(there, what="a card")
    [card] = await _cards(engine)
    notice = Notification(
        id="n1",
        title="Boss Bertha: Offsite",
        body="which room?",
        priority=Priority.HIGH,
        created_at=clock.now(),
        matter=card.matter,
        reason="your rule",
        source="raw.mail:m1",
    )
    await engine.parts.notices.inbox.announce(notice)
    return f"approval:{card.id}", "notification:n1"


async def _cards(engine: Engine) -> list[Approval]:
    return [Approval.of(c) for c in await engine.recall(ContextFilter(namespaces=[Namespace.APPROVAL]))]


async def states(engine: Engine) -> tuple[str, str, str]:
    """Of the draft, of its call, and of the notice."""
    [card] = await _cards(engine)
    call = await engine.store.get(card.call, namespace=Namespace.TOOL_CALL)
    notice = await engine.store.get("n1", namespace=Namespace.NOTIFICATION)
    assert call is not None
    assert notice is not None
    return card.state, ToolCall.of(call).state, Notification.of(notice).state


async def test_the_users_own_reply_belongs_to_the_thread(engine: Engine, clock: ManualClock) -> None:
    await drafted(engine, clock)
    [mail] = await engine.recall(ContextFilter(namespaces=["raw.mail"]))
    [card] = await _cards(engine)
    assert card.matter == f"mail:{mail.data['thread']}"
    call = await engine.store.get(card.call, namespace=Namespace.TOOL_CALL)
    assert call is not None
    assert call.data["matter"] == card.matter


@pytest.mark.parametrize(("act", "state"), [("done", "done"), ("dismiss", "dismissed")])
async def test_a_card_is_closed_whole_and_brought_back_whole(
    engine: Engine, clock: ManualClock, act: str, state: str
) -> None:
    refs = await drafted(engine, clock)
    words = await getattr(engine, act)(*refs)
    assert words == f"{state}: Boss Bertha: Offsite; its draft is not sent"
    assert await states(engine) == ("rejected", CallState.CANCELLED, state)
    await clock.advance(1)
    await engine.undo()
    assert await states(engine) == ("pending", CallState.WAITING_APPROVAL, "new")
    with pytest.raises(EngineError):
        await engine.undo()


async def test_an_approved_draft_is_left_alone(engine: Engine, clock: ManualClock) -> None:
    refs = await drafted(engine, clock)
    await engine.approve(refs[0].removeprefix("approval:"))
    assert await engine.done(*refs) == "done: Boss Bertha: Offsite"
    assert (await states(engine))[::2] == ("approved", "done")


async def test_a_card_is_put_away_whole_and_one_undo_brings_it_back(engine: Engine, clock: ManualClock) -> None:
    approval, notice = await drafted(engine, clock)
    await engine.snooze(approval, "1h", notice)
    [card] = await _cards(engine)
    assert card.snoozed_until == clock.now() + 3600
    await clock.advance(1)
    await engine.undo()
    [card] = await _cards(engine)
    assert (card.snoozed_until, (await states(engine))[2]) == (None, "new")


@asynccontextmanager
async def silent_server() -> AsyncIterator[int]:
    """Takes connections, and says nothing until it ends; its port."""
    ends = asyncio.Event()

    async def hold(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await ends.wait()
        writer.close()

    async with await asyncio.start_server(hold, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]
        ends.set()


async def test_what_is_too_late_to_take_back_is_passed_over_and_named(
    tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    async with silent_server() as port, opened(tmp_path, clock, CONFIG.replace("port = 1", f"port = {port}")) as engine:
        await too_late(engine, clock)


async def too_late(engine: Engine, clock: ManualClock) -> None:
    other = Notification("other", "Pizza", "", "because", "", clock.now())
    refs = await drafted(engine, clock)
    await engine.store.put(other, namespace=Namespace.NOTIFICATION, tags=[OPEN_TAG])
    await engine.dismiss("notification:other")
    await clock.advance(1)
    await engine.approve(refs[0].removeprefix("approval:"))

    async def begun() -> bool:
        await clock.advance(1)
        calls = await engine.store.query(ContextFilter(namespaces=[Namespace.TOOL_CALL]))
        return any(ToolCall.of(call).state is CallState.ATTEMPTED for call in calls)

    await until(begun)
    assert "back: Pizza (passed over: too late to take back" in await engine.undo()
    found = await engine.store.get("other", namespace=Namespace.NOTIFICATION)
    assert found is not None
    assert found.data["state"] == "new"
    with pytest.raises(EngineError):
        await engine.undo()


async def test_an_undo_of_a_later_yes_leaves_the_card_closed_before_it(engine: Engine, clock: ManualClock) -> None:
    refs = await drafted(engine, clock)
    await engine.done(*refs)
    await clock.advance(1)
    await engine.undo()
    await clock.advance(5)
    await engine.approve(refs[0].removeprefix("approval:"))
    assert "approval taken back" in await engine.undo()
    assert (await states(engine))[::2] == ("pending", "new")
