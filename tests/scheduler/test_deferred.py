"""What came while there was no model is judged once when there is one: real engines in turn on one home."""

from __future__ import annotations

import asyncio
import json
import os
import signal as signals
import subprocess
import sys
import time
from pathlib import Path

from pepper_tui.clock import ManualClock
from pepper_tui.config import Config
from pepper_tui.engine.engine import Engine
from pepper_tui.model import ContextFilter, Namespace, Priority, Signal
from tests.llm.server import ModelServer
from tests.waiting import until

WAIT = {"calls": [{"name": "wait", "arguments": {}}]}
DAY = 86_400.0


def config(url: str = "", **scheduler: float) -> Config:
    return Config.model_validate({"models": {"base_url": url, "api_key": ""}, "scheduler": scheduler})


async def live_without_a_model(home: Path, clock: ManualClock, contents: list[str]) -> None:
    """An engine without a model takes these signals and leaves them alone."""
    engine = await Engine.open(home, config(), clock)
    await engine.start()
    before = await engine.store.count(ContextFilter(namespaces=[Namespace.UNJUDGED]))
    for content in contents:
        sid = clock.new_id("sig")
        signal = Signal(sid, content, clock.now(), Priority.NORMAL, "mail", "addressed to you", f"mail:{sid}")
        await engine.store.put(signal, namespace="signals.mail")
    await until(lambda: marked(engine, before + len(contents)))
    await engine.close()


async def marked(engine: Engine, count: int) -> bool:
    return await engine.store.count(ContextFilter(namespaces=[Namespace.UNJUDGED])) == count


async def stepped(engine: Engine) -> bool:
    """Whether nothing waits in the scheduler's queue any more."""
    stats = await engine.store.stats()
    return all(s.pending + s.retrying == 0 for s in stats.subscriptions if s.name == "scheduler")


def judging(server: ModelServer, content: str) -> list[str]:
    """The prompts in which ``content`` was new: it stands behind all that was said before."""
    logs = [str(body["messages"][1]["content"]) for body in server.requests]
    return [log for log in logs if log.count(content) == 2]  # once from the time without a model, once now


async def test_a_model_judges_once_what_came_without_one(tmp_path: Path) -> None:
    clock = ManualClock()
    contents = [f"mail number {number}: lunch?" for number in range(5)]
    await live_without_a_model(tmp_path / "home", clock, contents)
    with ModelServer(default=WAIT) as server:
        for _ in range(3):
            engine = await Engine.open(tmp_path / "home", config(server.url), clock)
            await engine.start()
            await until(lambda engine=engine: stepped(engine))
            assert await marked(engine, 0)
            await engine.close()
        assert len(server.requests) == 1
        assert all(len(judging(server, content)) == 1 for content in contents)
    engine = await Engine.open(tmp_path / "home", config(), clock)
    steps = [c.data for c in await engine.store.query(ContextFilter(namespaces=[Namespace.STEP]))]
    late = [step for step in steps if any(i.startswith("signals.unjudged:") for i in step["inputs"])]
    assert [len(step["inputs"]) for step in late] == [1 + len(contents)]
    await engine.close()


async def test_only_the_last_days_and_so_many_are_judged_the_newest_first(tmp_path: Path) -> None:
    clock = ManualClock()
    recent = [f"recent {number}" for number in range(4)]
    for limit, expected in ((3, recent[1:]), (10, recent)):
        home = tmp_path / str(limit)
        await live_without_a_model(home, clock, ["too old"])
        clock.jump(2 * DAY)
        await live_without_a_model(home, clock, recent)
        with ModelServer(default=WAIT) as server:
            engine = await Engine.open(home, config(server.url, judge_days=1.5, judge_limit=limit), clock)
            await engine.start()
            await until(lambda engine=engine: stepped(engine))
            assert len(server.requests) == 1
            assert await marked(engine, 0)
            await engine.close()
            assert [c for c in ("too old", *recent) if judging(server, c)] == expected


async def test_over_the_budget_they_wait_and_are_judged_when_there_is_room(tmp_path: Path) -> None:
    clock = ManualClock()
    await live_without_a_model(tmp_path / "home", clock, ["mail: lunch?"])
    with ModelServer(default=WAIT) as server:
        poor = config(server.url).model_copy(update={"budget": Config().budget.model_copy(update={"daily_tokens": 10})})
        engine = await Engine.open(tmp_path / "home", poor, clock)
        await engine.start()
        await until(lambda: in_trouble(engine))
        await engine.close()
        assert server.requests == []
        clock.jump(DAY)
        engine = await Engine.open(tmp_path / "home", config(server.url), clock)
        await engine.start()
        await until(lambda: stepped(engine))
        await engine.close()
        assert len(judging(server, "mail: lunch?")) == 1


async def in_trouble(engine: Engine) -> bool:
    health = await engine.store.get("model", namespace=Namespace.HEALTH)
    return health is not None and "budget" in health.data["detail"]


async def test_a_kill_in_the_step_that_judges_makes_it_neither_lost_nor_twice(tmp_path: Path) -> None:
    clock, home = ManualClock(start=time.time() - 60), tmp_path / "home"
    await live_without_a_model(home, clock, ["mail: lunch?"])
    with ModelServer(default=WAIT) as server:
        (home / "config.toml").write_text(f"[models]\nbase_url = {json.dumps(server.url)}\n", encoding="utf-8")
        command = [sys.executable, "-m", "pepper_tui", "run", "--headless", "--home", str(home)]
        environment = {**os.environ, "PEPPER_KILL_AT": "step_before_commit", "OPENAI_API_KEY": ""}
        died = await asyncio.to_thread(
            subprocess.run, command, env=environment, capture_output=True, timeout=60, check=False
        )
        assert died.returncode == -signals.SIGKILL, died.stderr[-2000:]
        assert len(judging(server, "mail: lunch?")) == 1
        for _ in range(2):
            engine = await Engine.open(home, config(server.url))
            await engine.start()
            await until(lambda engine=engine: stepped(engine))
            await engine.close()
        assert len(judging(server, "mail: lunch?")) == 2  # the one whose answer the kill took, and the one that counts
        engine = await Engine.open(home, config())
        steps = [c.data for c in await engine.store.query(ContextFilter(namespaces=[Namespace.STEP]))]
        assert sum(any("unjudged" in ref for ref in step["inputs"]) for step in steps) == 1
        await engine.close()


async def test_a_day_in_which_nothing_happens_makes_no_model_call(tmp_path: Path) -> None:
    clock = ManualClock()
    with ModelServer(
        default={"calls": [{"name": "notify", "arguments": {"title": "x", "body": "", "reason": "y", "source": "z"}}]}
    ) as server:
        engine = await Engine.open(tmp_path / "home", config(server.url), clock)
        await engine.start()
        await engine.say("hello")
        signal = Signal("s1", "a mail", clock.now(), Priority.HIGH, "mail", "addressed to you", "mail:s1")
        await until(lambda: bool(server.requests))
        server.default = WAIT
        await engine.store.put(signal, namespace="signals.mail")
        await until(lambda: stepped(engine))
        asked = len(server.requests)
        assert asked >= 2
        for _ in range(24 * 12):
            await clock.advance(300.0)
        await until(lambda: stepped(engine))
        assert len(server.requests) == asked
        await engine.close()
