"""The reply beyond the model: from ``say()`` to the reply's update in the store, less the model's own time.

The engine is the real one, on a home of its own; the model is an HTTP server in another process that answers at once,
with a price, so that each call is reserved and settled in the store. After each reply the same request goes to the
same server through the same SDK alone; the median of those is the model's own time and is taken off. Both are
measured in turn: with no tool running, with 20 waits for mail, and with those and 20 tools that keep reading the store.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.measured import Measured, percentile
from pepper_tui.clock import SystemClock
from pepper_tui.config import Config
from pepper_tui.llm.openai_client import OpenAIClient
from pepper_tui.model import (
    OPEN_TAG,
    Completed,
    ContextFilter,
    Effect,
    Json,
    ModelEvent,
    ModelRequest,
    Namespace,
    ToolCall,
)
from pepper_tui.runtime import Engine
from pepper_tui.tools import ToolContext, tool

MODEL = "bench"
WARM_UP, REPLIES = 10, 120
WAITS, BUSY = 20, 20
PAUSE = 0.05  # seconds between two reads of a busy tool
REST = 0.01  # seconds between two messages, so that the work after one reply is not the next one's delay
DEADLINE = 30.0


@tool(effect=Effect.READ, timeout=3600.0)
async def keep_reading(ctx: ToolContext) -> str:
    """Read the store again and again."""
    while True:
        for number in range(1000):
            await ctx.store.query(ContextFilter(namespaces=[Namespace.ASSISTANT_MESSAGE], limit=10))
            ctx.progress(f"read {number}")
            await ctx.clock.sleep(PAUSE)


@contextmanager
def model_server() -> Iterator[str]:
    """The base URL of a model server in a process of its own."""
    process = subprocess.Popen([sys.executable, "-m", "tests.llm.server"], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        port = process.stdout.readline().strip().removeprefix("port=")
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.terminate()
        process.wait()


def settings(url: str) -> Config:
    return Config.model_validate({
        "user": {"name": "Sam", "zone": "Europe/Berlin"},
        "models": {
            "name": MODEL,
            "base_url": url,
            "api_key": "",
            "prices": {MODEL: {"input": 0.25, "output": 2.0}},
        },
        "budget": {"daily": 1000.0},
        "tools": {"concurrency": BUSY},
    })  # fmt: skip


class Bench:
    """One engine, and what is asked of it."""

    def __init__(self, engine: Engine, url: str) -> None:
        self.engine = engine
        self.client = OpenAIClient(SystemClock(), model=MODEL, base_url=url)
        self.request: ModelRequest | None = None
        stream = engine._scheduler._stream

        def noted(request: ModelRequest) -> AsyncIterator[ModelEvent]:
            self.request = request
            return stream(request)

        engine._scheduler._stream = noted

    async def bare(self) -> float:
        """Milliseconds of the last request, through the SDK alone."""
        assert self.request is not None
        began = time.perf_counter()
        async for event in self.client.stream(self.request):
            if isinstance(event, Completed):
                return (time.perf_counter() - began) * 1000
        raise RuntimeError("the model server did not answer")

    async def rounds(self, count: int) -> tuple[list[float], list[float]]:
        """Milliseconds of so many replies, and of the same requests alone."""
        replies, alone = [], []
        async with self.engine.store.watch([Namespace.ASSISTANT_MESSAGE]) as updates:
            following = aiter(updates)
            for number in range(count):
                await asyncio.sleep(REST)
                began = time.perf_counter()
                await self.engine.say(f"Is lunch number {number} still on?")
                batch = await asyncio.wait_for(anext(following), DEADLINE)
                replies.append((time.perf_counter() - began) * 1000)
                assert batch[0].context.data["kind"] != "trouble", batch[0].context.text
                await asyncio.sleep(REST)
                alone.append(await self.bare())
        return replies, alone

    async def run_tools(self, name: str, arguments: Json, count: int) -> None:
        """Have the tool called so many times, and return when all calls run."""
        wanted = len(self.engine._tools.running) + count
        for number in range(count):
            now = time.time()
            call = ToolCall(f"call_{name}_{number}", name, arguments, Effect.READ, now, "step:bench", root="user")
            await self.engine.store.put(call, namespace=Namespace.TOOL_CALL, tags=[OPEN_TAG])
        await asyncio.sleep(1.0)
        running = len(self.engine._tools.running)
        if running != wanted:
            raise RuntimeError(f"{running} of {wanted} tools run")


async def measure(home: Path, url: str) -> dict[str, tuple[list[float], list[float]]]:
    """Replies and bare calls, by what runs beside them."""
    engine = await Engine.open(home, settings(url))
    engine._registry.add(keep_reading)
    await engine.start()
    try:
        bench = Bench(engine, url)
        await bench.rounds(WARM_UP)
        found = {"0": await bench.rounds(REPLIES)}
        await bench.run_tools("wait_for_mail", {"sender": "nobody"}, WAITS)
        found[f"{WAITS}"] = await bench.rounds(REPLIES)
        await bench.run_tools(keep_reading.name, {}, BUSY)
        found[f"{WAITS}+{BUSY}busy"] = await bench.rounds(REPLIES)
        await bench.client.close()
    finally:
        await engine.close()
    return found


def rows() -> list[Measured]:
    """The figures, in the order of the table."""
    with tempfile.TemporaryDirectory(prefix="pepper-bench-") as folder, model_server() as url:
        found = asyncio.run(measure(Path(folder) / "home", url))
    lines = []
    for tools, (replies, alone) in found.items():
        own = percentile(alone, 0.5)
        lines.append(Measured(f"reply.{tools}.model", own, "ms", f"the call alone, {tools} tools running"))
        lines.append(Measured(f"reply.{tools}.p50", percentile(replies, 0.5) - own, "ms", "<= 10 beyond the model"))
        lines.append(Measured(f"reply.{tools}.p99", percentile(replies, 0.99) - own, "ms", "beyond the model"))
    return lines
