"""kill -9 in the middle of storing and acknowledging: what was acknowledged is there, what was not comes again."""

from __future__ import annotations

import asyncio
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pepper_tui.clock import ManualClock
from pepper_tui.model import ContextFilter
from pepper_tui.store import ContextStore

CHILD = """
import asyncio, os, sys
from pathlib import Path
from pepper_tui.clock import SystemClock
from pepper_tui.store import ContextStore, Subscriber

async def main():
    store = await ContextStore.open(Path(sys.argv[1]), SystemClock())
    subscriber = Subscriber(store)

    @subscriber.on_context_update(namespaces=["raw"], name="h")
    async def handler(update):
        await store.store({}, namespace="left", context_id=update.context.context_id)
        await asyncio.sleep(0)
        await store.store({}, namespace="right", context_id=update.context.context_id)

    await subscriber.start()

    async def produce(number):
        turn = 0
        while True:
            ident = f"{sys.argv[2]}-{number}-{turn}"
            await store.store({"turn": turn}, namespace="raw", context_id=ident)
            os.write(1, (ident + "\\n").encode())
            turn += 1

    await asyncio.gather(*(produce(number) for number in range(8)))

asyncio.run(main())
"""


@pytest.mark.parametrize("seed", [1, 2])
async def test_kill(tmp_path: Path, clock: ManualClock, seed: int) -> None:
    path = tmp_path / "p.db"
    chance = random.Random(seed)
    said: set[str] = set()
    for turn in range(3):
        said |= await asyncio.to_thread(_run_and_kill, path, f"{seed}.{turn}", 0.05 + chance.random() / 4)
    store = await ContextStore.open(path, clock)
    assert not store.clean_start
    everything = 1_000_000
    stored = {c.context_id for c in await store.query(ContextFilter(namespaces=["raw"], limit=everything))}
    assert said
    assert said <= stored
    left = {c.context_id for c in await store.query(ContextFilter(namespaces=["left"], limit=everything))}
    right = {c.context_id for c in await store.query(ContextFilter(namespaces=["right"], limit=everything))}
    assert left == right
    queue = await store.queue("h", ["raw"])
    waiting = {d.update.context.context_id for d in await queue.peek(everything)}
    assert waiting == stored - left
    await store.close()


def _run_and_kill(path: Path, name: str, seconds: float) -> set[str]:
    with subprocess.Popen([sys.executable, "-c", CHILD, str(path), name], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        first = child.stdout.readline()
        time.sleep(seconds)
        child.send_signal(signal.SIGKILL)
        lines = (first + child.stdout.read()).decode().splitlines(keepends=True)
    return {line.strip() for line in lines if line.endswith("\n") and line.strip()}
