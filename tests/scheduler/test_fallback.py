"""What the user sees of a fallback, and of a thought that a server left in the reply: the real engine and servers."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from pepper_tui.clock import ManualClock
from pepper_tui.config import Config
from pepper_tui.engine.engine import Engine
from pepper_tui.model import ContextFilter, Namespace, ReplyDelta
from tests.llm.server import ModelServer
from tests.waiting import until


async def replies(engine: Engine) -> list[dict[str, Any]]:
    found = await engine.store.query(ContextFilter(namespaces=[Namespace.ASSISTANT_MESSAGE], newest_first=False))
    return [context.data for context in found]


async def health(engine: Engine) -> dict[str, Any]:
    found = await engine.store.get("model", namespace=Namespace.HEALTH)
    return found.data if found else {}


async def said(engine: Engine, clock: ManualClock, text: str) -> dict[str, Any]:
    count = len(await replies(engine))
    await engine.say(text)

    async def answered() -> bool:
        await clock.advance(0.2)
        return len(await replies(engine)) > count

    await until(answered)
    return (await replies(engine))[-1]


async def test_the_reply_says_who_answered_and_why_and_health_until_the_first_is_back(tmp_path: Path) -> None:
    clock = ManualClock()
    with ModelServer(default={"status": 503}) as first, ModelServer(default={"text": "from the spare"}) as second:
        named = {"spare": {"name": "small", "base_url": second.url}}
        models = {"name": "big", "base_url": first.url, "api_key": "", "named": named, "fallback": "spare"}
        config = Config.model_validate({"models": {**models, "retry_base": 0.1}})
        engine = await Engine.open(tmp_path / "home", config, clock)
        await engine.start()
        reply = await said(engine, clock, "hello")
        assert (reply["text"], reply["kind"]) == ("from the spare", "reply")
        why = "\n".join(await engine.why(f"message:{reply['id']}"))
        assert "answered by small because of big: The model server failed (HTTP 503)" in why

        async def told() -> bool:
            return "small answers instead of big" in (await health(engine)).get("detail", "")

        await until(told)
        assert (await health(engine))["state"] == "trouble"
        first.default = {"text": "I am back"}
        await clock.advance(700.0)
        reply = await said(engine, clock, "still there?")
        assert reply["text"] == "I am back"
        assert "answered by" not in "\n".join(await engine.why(f"message:{reply['id']}"))

        async def well() -> bool:
            return (await health(engine))["state"] == "ok"

        await until(well)
        await engine.close()


async def test_a_thought_that_was_streamed_is_taken_back_from_the_screen(tmp_path: Path) -> None:
    clock = ManualClock()
    with ModelServer(default={"text": "They greet me.\n</think>\n\nHello, Sam."}) as server:
        config = Config.model_validate({"models": {"base_url": server.url, "api_key": ""}})
        engine = await Engine.open(tmp_path / "home", config, clock)
        await engine.start()
        deltas: list[ReplyDelta] = []

        taken = deltas.append

        async def follow() -> None:
            async for delta in engine.replies():
                taken(delta)

        following = asyncio.create_task(follow())
        await asyncio.sleep(0)
        reply = await said(engine, clock, "hello")
        await until(lambda: bool(deltas) and deltas[-1].done)
        assert reply["text"] == "Hello, Sam."
        last = max(number for number, delta in enumerate(deltas) if delta.restart)
        assert "".join(delta.text for delta in deltas[last:]) == "Hello, Sam."
        following.cancel()
        await engine.close()
