"""Many things at once, with the default limits, through the whole engine: nothing is merged, dropped or stuck."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from pepper_tui.config import parse_config
from pepper_tui.engine.engine import Engine
from pepper_tui.model import ContextFilter, Namespace, Priority, Signal, ToolCall
from tests.waiting import until

CONFIG = """
[user]
name = "Alex"
addresses = ["alex@example.com"]
zone = "UTC"
"""
COUNT = 60


async def opened(home: Path) -> Engine:
    engine = await Engine.open(home, parse_config(CONFIG, home / "config.toml"))
    await engine.start(feeds=False)
    return engine


async def test_sixty_urgent_signals_are_sixty_notices_through_a_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    engine = await opened(tmp_path)
    async with engine.store.unit():
        for n in range(COUNT):
            facts = {"kind": "message", "sender": f"p{n}@example.com", "subject": f"Subject {n}"}
            signal = Signal(
                f"s{n}", f"Mail from P{n}: Subject {n}", 1_800_000_000.0 + n, Priority.URGENT, "mail", "urgent",
                f"mail:{n}", facts,
            )  # fmt: skip
            await engine.store.put(signal, namespace="signals.mail")

    async def titles() -> Counter[str]:
        found = await engine.recall(ContextFilter(namespaces=[Namespace.NOTIFICATION], limit=500))
        return Counter(str(each.data["title"]) for each in found)

    async def some() -> bool:
        return len(await titles()) >= 10

    await until(some, 20)
    await engine.close()
    engine = await opened(tmp_path)
    try:
        wanted = Counter({f"Mail from P{n}: Subject {n}": 1 for n in range(COUNT)})

        async def all_told() -> bool:
            return await titles() == wanted

        await until(all_told, 20, "each signal told once")
        calls = await engine.recall(ContextFilter(namespaces=[Namespace.TOOL_CALL], limit=500))
        assert not [call for call in map(ToolCall.of, calls) if call.open or call.deferred]
    finally:
        await engine.close()
