"""The reply beyond the model: from ``say()`` to the reply's update in the store, less the model's own time.

The engine is the real one, on a home of its own; the model is an HTTP server in another process that answers at once,
with a price, so that each call is reserved and settled in the store. After each reply the same request goes to the
same server through the same SDK alone; the median of those is the model's own time and is taken off. Both are
measured in turn: with no tool running, with 20 waits for mail, with those and 20 tools that keep reading the store, and
with 200 waits. Beside the milliseconds stand counts, which no noise moves: commits and trips to a database thread from
``say()`` to the reply. Last, 200 messages at once: until all are answered, and the model calls that took.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.measured import Measured, percentile
from pepper_tui.clock import SystemClock
from pepper_tui.config import Config
from pepper_tui.engine.engine import Engine
from pepper_tui.engine.interpreter import share_threads_fairly
from pepper_tui.llm.endpoint.openai_client import OpenAIClient
from pepper_tui.model import (
    OPEN_TAG,
    Completed,
    ContextFilter,
    Effect,
    Json,
    ModelRequest,
    Namespace,
    ToolCall,
    ToolSpec,
)
from pepper_tui.scheduler.under_way import UnderWay
from pepper_tui.tools import ToolContext, tool
from tests.waiting import until

MODEL = "bench"
WARM_UP, REPLIES = 10, 120
WAITS, BUSY, MANY = 20, 20, 200
BURST = 200
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
        make = engine.parts.scheduler.requests.make

        async def noted(under_way: UnderWay, specs: Sequence[ToolSpec]) -> ModelRequest:
            self.request = await make(under_way, specs)
            return self.request

        engine.parts.scheduler.requests.make = noted  # type: ignore[method-assign]

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

    async def burst(self, count: int) -> tuple[float, int]:
        """Milliseconds until so many messages that come at once are answered, and the steps that it took."""
        store = self.engine.store

        async def answered() -> bool:
            waiting = (await store.stats()).subscriptions
            return not any(each.pending + each.retrying for each in waiting if each.name == "scheduler")

        before = await store.count(ContextFilter(namespaces=[Namespace.STEP]))
        began = time.perf_counter()
        await asyncio.gather(*(self.engine.say(f"Question {number}?") for number in range(count)))
        await until(answered, DEADLINE)
        spent = (time.perf_counter() - began) * 1000
        return spent, await store.count(ContextFilter(namespaces=[Namespace.STEP])) - before

    async def run_tools(self, name: str, arguments: Json, count: int) -> None:
        """Have the tool called so many times, and return when all calls run."""
        wanted = len(self.engine.parts.calling.engine.running) + count
        for _ in range(count):
            ident = self.engine.parts.ground.clock.new_id("call")
            call = ToolCall(ident, name, arguments, Effect.READ, time.time(), "step:bench", root="user")
            await self.engine.store.put(call, namespace=Namespace.TOOL_CALL, tags=[OPEN_TAG])
        await until(lambda: len(self.engine.parts.calling.engine.running) == wanted, DEADLINE)
        await asyncio.sleep(1.0)


class Trips:
    """Counts the trips to database threads of a store, and the commits among them, while it is open."""

    def __init__(self, engine: Engine) -> None:
        self.trips = self.commits = 0
        store = engine.store
        writer, readers = store.file.main, store.file.readers
        for database in (writer, *readers):
            database.run = self._counted(database.run, writes=database is writer)  # type: ignore[method-assign]

    def _counted(self, run: Any, *, writes: bool) -> Any:
        async def counted(function: Any) -> Any:
            self.trips += 1
            self.commits += writes
            return await run(function)

        return counted


@dataclass
class Found:
    """What one engine showed: replies and bare calls by what runs beside them, and counts."""

    turns: dict[str, tuple[list[float], list[float]]] = field(default_factory=dict)
    burst: tuple[float, int] = (0.0, 0)
    trips: float = 0.0
    commits: float = 0.0


async def counts(bench: Bench) -> tuple[float, float]:
    """Median trips and commits of a reply when nothing else runs."""
    trips, commits = [], []
    counted = Trips(bench.engine)
    async with bench.engine.store.watch([Namespace.ASSISTANT_MESSAGE]) as updates:
        following = aiter(updates)
        for number in range(20):
            await asyncio.sleep(5 * REST)
            counted.trips = counted.commits = 0
            await bench.engine.say(f"Is dinner number {number} still on?")
            await asyncio.wait_for(anext(following), DEADLINE)
            trips.append(float(counted.trips))
            commits.append(float(counted.commits))
    return percentile(trips, 0.5), percentile(commits, 0.5)


@asynccontextmanager
async def benched(home: Path, url: str) -> AsyncIterator[Bench]:
    """A bench around an engine that has answered a few times."""
    engine = await Engine.open(home, settings(url))
    engine.parts.calling.registry.add(keep_reading)
    await engine.start()
    bench = Bench(engine, url)
    try:
        await bench.rounds(WARM_UP)
        yield bench
    finally:
        await bench.client.close()
        await engine.close()


async def measure(home: Path, url: str) -> Found:
    """All figures, in the order of the table."""
    found = Found()
    waiting = ("wait_for_mail", {"sender": "nobody"})
    async with benched(home / "few", url) as bench:
        found.turns["0"] = await bench.rounds(REPLIES)
        found.trips, found.commits = await counts(bench)
        await bench.run_tools(*waiting, WAITS)
        found.turns[f"{WAITS}"] = await bench.rounds(REPLIES)
        await bench.run_tools(keep_reading.name, {}, BUSY)
        found.turns[f"{WAITS}+{BUSY}busy"] = await bench.rounds(REPLIES)
    async with benched(home / "many", url) as bench:
        await bench.run_tools(*waiting, MANY)
        found.turns[f"{MANY}"] = await bench.rounds(REPLIES)
        found.burst = await bench.burst(BURST)
    return found


def rows() -> list[Measured]:
    """The figures, in the order of the table."""
    share_threads_fairly()  # as the program does
    with tempfile.TemporaryDirectory(prefix="pepper-bench-") as folder, model_server() as url:
        found = asyncio.run(measure(Path(folder), url))
    lines = []
    for tools, (replies, alone) in found.turns.items():
        own = percentile(alone, 0.5)
        goal = {"0": "<= 5", f"{WAITS}": "<= 5"}.get(tools, "<= 10")
        lines.append(Measured(f"reply.{tools}.model", own, "ms", f"the call alone, {tools} tools running"))
        lines.append(Measured(f"reply.{tools}.p50", percentile(replies, 0.5) - own, "ms", f"{goal} beyond the model"))
        lines.append(Measured(f"reply.{tools}.p99", percentile(replies, 0.99) - own, "ms", "<= 25 beyond the model"))
    lines.append(Measured("reply.commits", found.commits, "", "2: the message, the step"))
    lines.append(Measured("reply.trips", found.trips, "", "to a database thread"))
    lines.append(Measured(f"reply.burst{BURST}", found.burst[0], "ms", f"{found.burst[1]} steps"))
    return lines


if __name__ == "__main__":
    for row in rows():
        print(f"{row.name:24} {row.value:12,.2f} {row.unit:9} {row.goal}".rstrip())
