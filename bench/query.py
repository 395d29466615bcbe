"""Reading: query, latest, ranked search, the file's size and the start after a kill, by the size of the store.

``python -m bench.query [SIZE…]`` prints the rows; sizes are contexts (default 1,000 and 100,000; a million takes some
minutes to fill). Half of the contexts have a word of their own; every one has the most frequent words. The store is
filled through its own units, and killed in a process of its own.
"""

from __future__ import annotations

import asyncio
import gc
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from bench.measured import Measured, percentile
from pepper_tui.clock import SystemClock
from pepper_tui.model import ContextFilter
from pepper_tui.store import ContextStore

SIZES = (1_000, 100_000)
TURNS = 60
UNIT = 400
KILLED = """
import asyncio, os, sys
from pathlib import Path
from bench.query import CLOCK, ContextStore, fill
async def main():
    await fill(await ContextStore.open(Path(sys.argv[1]), CLOCK), 1000)
    os._exit(9)
asyncio.run(main())
"""
CLOCK = SystemClock()
SPACES = [f"{room}.{source}" for room in ("raw", "signals", "notes", "history") for source in ("mail", "chat", "web")]
COMMON = ("the", "meeting", "please")
WORDS = [f"w{number:x}" for number in range(20_000)]


def text_of(number: int, chance: random.Random) -> str:
    """Some 40 words: three that all have, rarer ones the more the larger their place, and at times one of its own."""
    some = [WORDS[int(len(WORDS) * chance.random() ** 3)] for _ in range(36)]
    return " ".join((*COMMON, *some, f"only{number}" if number % 2 else "even"))


async def fill(store: ContextStore, size: int) -> None:
    chance = random.Random(size)
    for start in range(0, size, UNIT):
        async with store.unit():
            for number in range(start, min(size, start + UNIT)):
                await store.store(
                    {"id": CLOCK.new_id("mail"), "subject": "Lunch"},
                    namespace=SPACES[number % len(SPACES)],
                    type="mail",
                    text=text_of(number, chance),
                    tags=["inbox"] if number % 3 else ["inbox", "open"],
                )


def kill_a_writer(path: Path) -> None:
    """Have a process of its own die with a thousand stores in the write-ahead log."""
    subprocess.run([sys.executable, "-c", KILLED, str(path)], check=False, cwd=Path(__file__).parents[1])


async def timed(act: Callable[[], Awaitable[object]], turns: int = TURNS) -> float:
    """Median milliseconds of ``act``."""
    spent: list[float] = []
    for _ in range(turns):
        begin = time.perf_counter()
        await act()
        spent.append((time.perf_counter() - begin) * 1000)
    return percentile(spent, 0.5)


async def measured(folder: Path, size: int) -> list[Measured]:
    """All figures of one size."""
    path = folder / "p.db"
    store = await ContextStore.open(path, CLOCK)
    await fill(store, size)
    await store.search("nowhere")
    await store.close()
    grown = path.stat().st_size
    store = await ContextStore.open(path, CLOCK)
    name = f"{size // 1000}k"
    chance = random.Random(0)

    def own() -> str:
        return f"only{chance.randrange(size // 2) * 2 + 1}"

    glob, latest = ContextFilter(namespaces=["signals.*"]), ContextFilter(namespaces=["signals.*"], limit=1)
    tagged = ContextFilter(namespaces=["raw.*"], tags=["open"])
    rows = [
        Measured(f"query.{name}.glob", await timed(lambda: store.query(glob)), "ms", "<= 4, 100 contexts"),
        Measured(f"query.{name}.tagged", await timed(lambda: store.query(tagged)), "ms", "100 contexts"),
        Measured(f"query.{name}.latest", await timed(lambda: store.query(latest)), "ms", "<= 0.3"),
        Measured(f"search.{name}.selective", await timed(lambda: store.search(own())), "ms", "<= 10"),
        Measured(f"search.{name}.worst", await timed(lambda: store.search(" ".join(COMMON)), 9), "ms", "<= 100"),
        Measured(f"search.{name}.mixed", await timed(lambda: store.search(f"the {own()}")), "ms", "<= 100"),
        Measured(f"store.{name}.bytes", grown / size, "bytes", "a context, constant"),
    ]
    await store.close()
    ready = []
    for _ in range(3):
        await asyncio.to_thread(kill_a_writer, path)
        begin = time.perf_counter()
        store = await ContextStore.open(path, CLOCK)
        ready.append((time.perf_counter() - begin) * 1000)
        assert not store.clean_start
        await store.close()
    rows.append(Measured(f"ready.{name}.killed", percentile(ready, 0.5), "ms", "<= 1000" if size <= 100_000 else ""))
    return rows


def rows(sizes: tuple[int, ...] = SIZES) -> list[Measured]:
    """All figures, in the order of the table."""
    found: list[Measured] = []
    for size in sizes:
        with tempfile.TemporaryDirectory(prefix="pepper-bench-") as folder:
            found += asyncio.run(measured(Path(folder), size))
        gc.collect()
    return found


if __name__ == "__main__":
    for row in rows(tuple(map(int, sys.argv[1:])) or SIZES):
        print(f"{row.name:24} {row.value:12,.2f} {row.unit:9} {row.goal}")
