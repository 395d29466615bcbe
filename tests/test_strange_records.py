"""Records that nobody can read (another version wrote them, or a tool of the user's own) stop nothing."""

from __future__ import annotations

import asyncio
from pathlib import Path

from pepper_tui.clock import ManualClock
from pepper_tui.config import Config
from pepper_tui.engine.engine import Engine
from pepper_tui.model import OPEN_TAG, ContextFilter, Namespace
from tests.waiting import until

STRANGE = ({}, {"id": "x", "state": "no such state"}, {"id": 7, "created_at": "long ago"})
RECORDS = (
    Namespace.NOTIFICATION,
    Namespace.REMINDER,
    Namespace.TOOL_CALL,
    Namespace.APPROVAL,
    Namespace.RUN,
    Namespace.HEALTH,
    "signals.mail",
    Namespace.USER_MESSAGE,
)


async def test_an_engine_starts_over_them_and_goes_on_when_they_come(tmp_path: Path) -> None:
    for life in range(2):
        engine = await Engine.open(tmp_path / "home", Config(), ManualClock())
        await asyncio.wait_for(engine.start(), 10)
        for namespace in RECORDS:
            for number, data in enumerate(STRANGE):
                named = f"strange_{life}_{number}"
                await engine.store.store(data, namespace=namespace, context_id=named, tags=[OPEN_TAG])
        await engine.say("remind me to call Ana in 2 hours")
        await until(lambda engine=engine, life=life: count(engine, Namespace.REMINDER, len(STRANGE) + 1, life))
        await engine.close()


async def count(engine: Engine, namespace: str, a_life: int, life: int) -> bool:
    return await engine.store.count(ContextFilter(namespaces=[namespace])) == a_life * (life + 1)
