"""`pepper store stats` and `dead`, over a store that no engine works on and over one that an engine has."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pepper_tui.cli import app
from pepper_tui.clock import SystemClock
from pepper_tui.config import DATABASE, parse_config
from pepper_tui.model import ContextUpdate
from pepper_tui.served import ServedEngine
from pepper_tui.store import ContextStore, Retry, Subscriber
from tests.waiting import until


async def leave_a_dead_letter(home: Path) -> None:
    store = await ContextStore.open(home / DATABASE, SystemClock())
    subscriber = Subscriber(store)

    @subscriber.on_context_update(namespaces=["raw.*"], name="broken feed", retry=Retry(attempts=1))
    async def handler(update: ContextUpdate) -> None:
        raise RuntimeError("a fault \x1b[31mof its own")

    await subscriber.start()
    await store.store({"id": "one"}, namespace="raw.mail")
    await until(lambda: _is_dead(store))
    await subscriber.stop()
    await store.close()


async def _is_dead(store: ContextStore) -> bool:
    return bool(await store.dead())


def command(home: Path, *words: str) -> str:
    found = CliRunner().invoke(app, ["--home", str(home), "store", *words])
    assert found.exit_code == 0, found.output
    return found.output


def test_dead_letters_are_shown_and_handed_out_again(tmp_path: Path) -> None:
    asyncio.run(leave_a_dead_letter(tmp_path))
    shown = command(tmp_path, "dead")
    assert "broken feed" in shown
    assert "of its own" in shown
    assert "\x1b" not in shown
    assert "subscriptions: name broken feed, pending 0, retrying 0, dead 1, active no" in command(tmp_path, "stats")
    assert "1 handed out again" in command(tmp_path, "dead", "--redrive")
    assert "no dead letters" in command(tmp_path, "dead")


async def test_both_reach_an_engine_that_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    await leave_a_dead_letter(tmp_path)
    engine = await ServedEngine.open(tmp_path, parse_config("", tmp_path / "config.toml"))
    await engine.start(feeds=False)
    try:
        assert "dead 1" in await asyncio.to_thread(command, tmp_path, "stats")
        assert "1 handed out again" in await asyncio.to_thread(command, tmp_path, "dead", "--redrive")
        assert await engine.dead_letters() == []
    finally:
        await engine.close()
